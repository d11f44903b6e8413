"""
Files that appear whole or not at all.
"""

import contextlib
import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from privkit.errors import DatasetError
from privkit.frames.atomic import Staged, rehearsed, staged


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
        fsync, link = os.fsync, os.link

        def noted_fsync(descriptor):
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            trace.append("fsync folder" if is_folder else "fsync")
            fsync(descriptor)

        def noted_link(old, new):
            trace.append(f"name {Path(new).name}")
            link(old, new)

        monkeypatch.setattr(os, "fsync", noted_fsync)
        monkeypatch.setattr(os, "link", noted_link)
        make(target, companion)

        assert [
            "fsync",
            "fsync",
            "name out.csv.manifest.json",
            "name out.csv",
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

    def test_keeps_what_was_there(self, target, companion):
        """
        A run that fails leaves an earlier result alone, though it might replace it.
        """
        make(target, companion, b"old", b"[]")
        with pytest.raises(ValueError), staged(target, companion, overwrite=True) as stage:
            stage.file.write(b"half")
            raise ValueError

        assert (b"old", b"[]") == (target.read_bytes(), companion.read_bytes())

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


STEPS = ("fsync", "link", "rename", "replace", "unlink", "open")
OLD, MADE = (b"old", b"[]"), (b"data", b"{}")


def watch(monkeypatch, step):
    """
    Call *step* with a number before and after each call to the system.
    """
    times = []

    def watched(original):
        def call(*arguments, **options):
            times.append(1)
            step(len(times))
            result = original(*arguments, **options)
            times.append(1)
            step(len(times))
            return result

        return call

    for name in STEPS:
        monkeypatch.setattr(os, name, watched(getattr(os, name)))


def linkless(_old, _new):
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.fixture(params=["links", "no links"])
def file_system(request, monkeypatch):
    """
    File systems with and without hard links.
    """
    if request.param == "no links":
        monkeypatch.setattr(os, "link", linkless)


def content(*paths):
    """
    Return what is in files; ``None`` for one that is not there.
    """
    return tuple(path.read_bytes() if path.exists() else None for path in paths)


@pytest.mark.usefixtures("file_system")
class TestEachStep:
    @pytest.fixture(params=["made", "replaced"])
    def before(self, request, target, companion):
        if request.param == "made":
            return None, None
        make(target, companion, *OLD)
        return OLD

    @pytest.mark.parametrize(
        "error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt(), SystemExit()]
    )
    def test_can_fail(self, error, before, target, companion, monkeypatch):
        """
        At whatever step a run fails, it leaves the pair that was there, or its own, and no more.
        """
        monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
        failing, reached, seen = 0, True, set()
        while reached:
            failing, reached = failing + 1, False

            def step(number, failing=failing):
                nonlocal reached
                if number == failing:
                    reached = True
                    raise error

            with pytest.MonkeyPatch.context() as patch, contextlib.suppress(type(error)):
                watch(patch, step)
                with contextlib.suppress(DatasetError):
                    make(target, companion, overwrite=before == OLD)
            left = content(target, companion)
            seen.add(left)

            assert left in {before, MADE}
            for path in target.parent.iterdir():
                # A deletion that fails leaves what it should delete.
                assert path.suffix != ".old" or left == MADE
                path.unlink()
            if before == OLD:
                make(target, companion, *OLD)

        assert {before, MADE} == seen

    def test_can_be_the_last(self, before, target, companion, monkeypatch):
        """
        At whatever step the power goes, what was there is there, and no file is in a wrong pair.
        """
        wrong = []

        def step(number):
            names = {path.read_bytes() for path in target.parent.iterdir()}
            pair = content(target, companion)
            if pair[0] not in {None, b""} and pair not in {before, MADE}:
                wrong.append((number, pair))
            if pair != MADE and not names.issuperset(before if before == OLD else ()):
                wrong.append((number, names))

        with monkeypatch.context() as patch:
            watch(patch, step)
            make(target, companion, overwrite=before == OLD)

        assert [] == wrong
        assert MADE == content(target, companion)
        assert {target, companion} == set(target.parent.iterdir())


class TestFolders:
    def test_one_that_fails_brings_back_what_was_there(self, target, companion, monkeypatch):
        """
        A folder that does not reach the disk undoes the run.
        """
        make(target, companion, *OLD)
        fsync = os.fsync

        def failing(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EIO, "Input/output error")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        with pytest.raises(DatasetError, match="the folder cannot be written: input/output error"):
            make(target, companion, overwrite=True)

        assert OLD == content(target, companion)
        assert {target, companion} == set(target.parent.iterdir())

    def test_one_that_cannot_be_synced_or_locked_is_used(self, target, companion, monkeypatch):
        """
        Some networks know neither for folders.
        """
        import fcntl

        fsync = os.fsync

        def failing(descriptor, *_operation):
            if _operation or stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "Invalid argument")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        monkeypatch.setattr(fcntl, "flock", failing)
        make(target, companion)

        assert MADE == content(target, companion)

    def test_one_that_cannot_be_opened_leaves_what_was_there(self, target, companion, monkeypatch):
        """
        A folder is opened before anything in it changes.
        """
        make(target, companion, *OLD)
        opened = os.open

        def failing(path, *arguments, **options):
            if path == target.parent:
                raise PermissionError(errno.EACCES, "Permission denied")
            return opened(path, *arguments, **options)

        monkeypatch.setattr(os, "open", failing)
        with pytest.raises(PermissionError):
            make(target, companion, overwrite=True)

        assert OLD == content(target, companion)


@pytest.mark.usefixtures("file_system")
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

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize("name", ["target", "companion"])
    def test_a_name_taken_at_the_last_moment_is_refused(
        self, name, overwrite, target, companion, monkeypatch
    ):
        """
        A file that another program makes between the look and the name is not replaced.
        """
        taken = {"target": target, "companion": companion}[name]
        name_it = Staged._name

        def late(self, made, path):
            if path == taken and made.suffix == ".part":
                path.write_bytes(b"mine")
            return name_it(self, made, path)

        monkeypatch.setattr(Staged, "_name", late)
        with pytest.raises(DatasetError, match="another run made it meanwhile"):
            make(target, companion, overwrite=overwrite)

        assert [taken] == list(target.parent.iterdir())
        assert b"mine" == taken.read_bytes()

    def test_a_companion_of_another_is_not_adopted(self, target, companion):
        """
        A file without a companion does not come to stand beside one.
        """
        with (
            pytest.raises(DatasetError, match="belongs to another file"),
            staged(target, companion, overwrite=True) as stage,
        ):
            companion.write_bytes(b"[]")
            stage.publish(None)

        assert [companion] == list(target.parent.iterdir())

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_runs_at_once_leave_the_pair_of_one(self, overwrite, target, companion):
        """
        Of runs that make one file at once, one wins; by force, the last, with both its files.
        """
        outcomes = []
        start = threading.Barrier(8)

        def run(number):
            start.wait()
            try:
                make(target, companion, b"%d" % number, b"%d" % number, overwrite=overwrite)
            except DatasetError as error:
                outcomes.append(str(error))
            else:
                outcomes.append(None)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (8 if overwrite else 1) == outcomes.count(None)
        assert target.read_bytes() == companion.read_bytes()
        assert {target, companion} == set(target.parent.iterdir())


def test_a_rehearsal_writes_nothing(target, companion):
    """
    A rehearsal takes the content and makes no file.
    """
    with rehearsed(target, companion, overwrite=False) as stage:
        stage.file.write(b"data")
        stage.publish(b"{}")

    assert [] == list(target.parent.iterdir())
