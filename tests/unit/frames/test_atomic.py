"""
Files that appear whole or not at all.
"""

import os
import stat
from pathlib import Path

import pytest

from privkit.errors import DatasetError
from privkit.frames.atomic import rehearsed, staged


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out.csv"


@pytest.fixture
def companion(tmp_path):
    return tmp_path / "out.csv.manifest.json"


def make(target, companion, content=b"data", described=b"{}", *, overwrite=False):
    with staged(target, companion, overwrite=overwrite) as stage:
        stage.file.write(content)
        stage.publish(described)


class TestPublishing:
    def test_gives_both_names(self, target, companion):
        """
        The file and its companion stand, and nothing else.
        """
        make(target, companion)

        assert (b"data", b"{}") == (target.read_bytes(), companion.read_bytes())
        assert {target, companion} == set(target.parent.iterdir())

    def test_needs_no_companion(self, target, companion):
        """
        A file can stand alone.
        """
        make(target, companion, described=None)

        assert [target] == list(target.parent.iterdir())

    def test_is_for_the_user_alone(self, target, companion):
        """
        Others can read neither.
        """
        make(target, companion)

        assert {0o600} == {path.stat().st_mode & 0o777 for path in (target, companion)}

    def test_replaces_if_it_may(self, target, companion):
        """
        An earlier pair is replaced by the later one.
        """
        make(target, companion, b"old", b"[]")
        make(target, companion, overwrite=True)

        assert (b"data", b"{}") == (target.read_bytes(), companion.read_bytes())

    def test_settles_each_file_before_its_name(self, target, companion, monkeypatch):
        """
        Content is on disk before its name, and a companion has its name before the file.
        """
        trace = []
        fsync, replace = os.fsync, os.replace

        def noted_fsync(descriptor):
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            trace.append("fsync folder" if is_folder else "fsync")
            fsync(descriptor)

        def noted_replace(old, new):
            trace.append(f"rename {Path(new).name}")
            replace(old, new)

        monkeypatch.setattr(os, "fsync", noted_fsync)
        monkeypatch.setattr(os, "replace", noted_replace)
        make(target, companion)

        assert [
            "fsync",
            "fsync",
            "rename out.csv.manifest.json",
            "rename out.csv",
            "fsync folder",
        ] == trace


class TestFailing:
    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_leaves_no_trace(self, error, target, companion):
        """
        Whatever ends the block, there is no file.
        """
        with pytest.raises(error), staged(target, companion, overwrite=False) as stage:
            stage.file.write(b"half")
            raise error

        assert [] == list(target.parent.iterdir())

    def test_without_publishing_leaves_no_trace(self, target, companion):
        """
        A block that ends well and publishes nothing makes nothing.
        """
        with staged(target, companion, overwrite=False):
            pass

        assert [] == list(target.parent.iterdir())

    @pytest.mark.parametrize("call", range(1, 6))
    def test_at_any_step_leaves_no_trace(self, call, target, companion, monkeypatch):
        """
        An error of the disk at each of the five steps leaves neither file.
        """
        calls = []

        def failing(original):
            def step(*arguments):
                calls.append(arguments)
                if len(calls) == call:
                    raise OSError(5, "Input/output error")
                return original(*arguments)

            return step

        monkeypatch.setattr(os, "fsync", failing(os.fsync))
        monkeypatch.setattr(os, "replace", failing(os.replace))
        with pytest.raises(OSError, match="Input/output"):
            make(target, companion)

        assert [] == list(target.parent.iterdir())

    def test_keeps_what_was_there(self, target, companion):
        """
        A run that fails leaves an earlier result alone, though it might replace it.
        """
        make(target, companion, b"old", b"[]")
        with pytest.raises(ValueError), staged(target, companion, overwrite=True) as stage:
            stage.file.write(b"half")
            raise ValueError

        assert (b"old", b"[]") == (target.read_bytes(), companion.read_bytes())

    def test_leaves_no_file_beside_the_companion_of_another(self, target, companion, monkeypatch):
        """
        A replaced file is gone before the later companion has its name.
        """
        make(target, companion, b"old", b"[]")
        seen = []
        replace = os.replace

        def watched(old, new):
            seen.append(target.exists())
            replace(old, new)

        monkeypatch.setattr(os, "replace", watched)
        make(target, companion, overwrite=True)

        assert [False, False] == seen

    def test_forgives_a_trace_that_cannot_be_removed(self, target, companion, monkeypatch):
        """
        The error that counts is the first one.
        """

        def refuse(*_arguments, **_options):
            raise PermissionError

        with pytest.raises(ValueError), staged(target, companion, overwrite=False):
            monkeypatch.setattr(os, "unlink", refuse)
            raise ValueError

        assert 1 == len(list(target.parent.iterdir()))


@pytest.mark.parametrize("opening", [staged, rehearsed])
class TestRefusing:
    def test_a_name_that_is_taken(self, opening, target, companion):
        """
        What exists is not replaced unasked.
        """
        for path in (target, companion):
            path.write_bytes(b"mine")
            with (
                pytest.raises(DatasetError, match="exists already: --force"),
                opening(target, companion, overwrite=False),
            ):
                pass
            path.unlink()

        assert [] == list(target.parent.iterdir())

    def test_what_is_no_file(self, opening, target, companion):
        """
        Folders, links and devices are not replaced, even if asked.
        """
        elsewhere = target.with_name("elsewhere")
        elsewhere.write_bytes(b"mine")
        target.symlink_to(elsewhere)
        companion.mkdir()
        for pair in ((target, elsewhere), (elsewhere, companion)):
            with (
                pytest.raises(DatasetError, match="is not a regular file"),
                opening(*pair, overwrite=True),
            ):
                pass

        assert b"mine" == elsewhere.read_bytes()


class TestRaces:
    def test_a_name_taken_meanwhile_is_refused(self, target, companion):
        """
        A file that appears during the run is not replaced.
        """
        with (
            pytest.raises(DatasetError, match="exists already"),
            staged(target, companion, overwrite=False) as stage,
        ):
            target.write_bytes(b"mine")
            stage.publish(b"{}")

        assert [target] == list(target.parent.iterdir())
        assert b"mine" == target.read_bytes()


def test_a_rehearsal_writes_nothing(target, companion):
    """
    A rehearsal takes the content and makes no file.
    """
    with rehearsed(target, companion, overwrite=False) as stage:
        stage.file.write(b"data")
        stage.publish(b"{}")

    assert [] == list(target.parent.iterdir())
