"""Changing a small file: whole at every moment, by one process at a time."""

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from privkit.errors import KeyProviderError, KeyUnavailableError
from privkit.keys import replace as module
from privkit.keys.replace import SUFFIX, exclusive, folder_failure, replace

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def path(tmp_path):
    """Where a file goes, in a folder of the user's own."""
    tmp_path.chmod(0o700)
    return tmp_path / "file"


def put(path, content, *, check=lambda _path: None, fresh=False):
    """Replace a file."""
    with exclusive(str(path)):
        replace(str(path), content, check=check, fresh=fresh)


def failing(number):
    """What fails with an error of the system."""

    def fail(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    return fail


class TestReplace:
    @pytest.mark.parametrize("fresh", [True, False])
    def test_gives_a_file_its_content(self, path, fresh):
        """The content stands there, and nothing else does."""
        put(path, b"one", fresh=fresh)
        put(path, b"two")

        assert b"two" == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
    def test_the_mask_does_not_matter(self, path, mask):
        """The mode is 0600, whatever the user's mask."""
        before = os.umask(mask)
        try:
            put(path, b"one")
        finally:
            os.umask(before)

        assert 0o600 == stat.S_IMODE(path.stat().st_mode)

    def test_is_checked_before_it_is_named(self, path):
        """The check sees the whole content under another name, and its refusal changes nothing."""
        put(path, b"one")
        seen = []

        def check(made):
            seen.append((made, Path(made).read_bytes(), path.read_bytes()))
            raise KeyProviderError("refused")

        with pytest.raises(KeyProviderError, match="refused"):
            put(path, b"two", check=check)

        assert [(f"{path}{SUFFIX}", b"two", b"one")] == seen
        assert [path] == list(path.parent.iterdir())

    def test_a_file_that_came_meanwhile_stays(self, path):
        """A file that somebody else puts there while the first one is made is not overwritten."""
        with pytest.raises(KeyUnavailableError, match="stays as it was: file exists"):
            put(path, b"one", check=lambda _made: path.write_bytes(b"theirs"), fresh=True)

        assert b"theirs" == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    @pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
    def test_links_are_not_needed(self, path, monkeypatch, number):
        """On a file system without links a first file gets its name all the same."""
        monkeypatch.setattr(os, "link", failing(number))
        put(path, b"one", fresh=True)

        assert b"one" == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    @pytest.mark.parametrize("call", ["fsync", "fchmod", "link", "open"])
    @pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
    def test_a_failing_disk_changes_nothing(self, path, monkeypatch, call, number):
        """If the disk fails or is full, there is no file, and the message says why."""
        with exclusive(str(path)):
            monkeypatch.setattr(os, call, failing(number))
            with pytest.raises(KeyUnavailableError) as caught:
                replace(str(path), b"one", check=lambda _made: None, fresh=True)
            monkeypatch.undo()

        told = os.strerror(number).lower()
        assert f"{path} cannot be written, and stays as it was: {told}" == str(caught.value)
        assert [] == list(path.parent.iterdir())

    def test_what_a_killed_process_left_is_removed(self, path):
        """A draft of before goes, also if somebody made it a link, whose target stays."""
        draft = path.with_name(path.name + SUFFIX)
        draft.write_bytes(b"half")
        put(path, b"one")
        target = path.with_name("target")
        target.write_bytes(b"precious")
        draft.symlink_to(target)
        put(path, b"two")

        assert b"precious" == target.read_bytes()
        assert {path, target} == set(path.parent.iterdir())

    def test_a_folder_that_fails_is_told_of(self, path, monkeypatch):
        """A name that may be lost with the power is an error, and not one to try again."""
        put(path, b"one")
        fsync, calls = os.fsync, []

        def second(descriptor):
            calls.append(descriptor)
            return failing(errno.EIO)() if len(calls) == 2 else fsync(descriptor)

        monkeypatch.setattr(os, "fsync", second)
        with pytest.raises(
            KeyProviderError, match=r"was changed, but its folder .* power"
        ) as caught:
            put(path, b"two")

        assert KeyProviderError is type(caught.value)
        assert b"two" == path.read_bytes()

    @pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF])
    def test_folders_need_not_be_synced_everywhere(self, path, monkeypatch, number):
        """A file system that does not sync folders is no error."""
        fsync, calls = os.fsync, []

        def second(descriptor):
            calls.append(descriptor)
            return failing(number)() if len(calls) == 2 else fsync(descriptor)

        monkeypatch.setattr(os, "fsync", second)
        put(path, b"one")

        assert b"one" == path.read_bytes()
        assert 2 == len(calls)


HOLD = """
import sys
from privkit.keys.replace import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(path):
    """Another process that keeps the lock until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "held\n" == process.stdout.readline()
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


class TestExclusive:
    def test_waits_for_other_processes(self, path, holder):
        """A change waits until another process is done."""
        threading.Timer(0.2, lambda: holder.stdin.write("go\n") and holder.stdin.flush()).start()
        begun = time.monotonic()
        put(path, b"one")

        assert time.monotonic() - begun >= 0.15

    def test_waits_no_longer_than_it_says(self, path, holder, monkeypatch):
        """A process that hangs is told of, and nothing is written."""
        monkeypatch.setattr(module, "PATIENCE", 0.05)
        with pytest.raises(KeyUnavailableError, match=r"another process keeps .* locked for more"):
            put(path, b"one")

        assert [] == list(path.parent.iterdir())

    def test_a_killed_process_keeps_nothing(self, path, holder, monkeypatch):
        """The lock goes with the process."""
        holder.kill()
        holder.wait()
        monkeypatch.setattr(module, "PATIENCE", 5)
        put(path, b"one")

        assert b"one" == path.read_bytes()

    def test_a_forked_child_keeps_nothing(self, path, monkeypatch):
        """A child that was forked during a change does not hold up later ones while it lives."""
        reading, writing = os.pipe()
        with exclusive(str(path)):
            child = os.fork()
            if child == 0:
                os.close(writing)
                os.read(reading, 1)
                os._exit(0)
        monkeypatch.setattr(module, "PATIENCE", 0.05)
        try:
            put(path, b"one")
        finally:
            os.close(writing)
            os.close(reading)
            os.waitpid(child, 0)

        assert b"one" == path.read_bytes()

    def test_threads_follow_one_another(self, path):
        """Threads of one process exclude each other as well."""
        put(path, b"0")

        def count():
            for _ in range(20):
                with exclusive(str(path)):
                    number = int(path.read_bytes()) + 1
                    replace(str(path), str(number).encode(), check=lambda _made: None)

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert b"80" == path.read_bytes()

    @pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
    def test_others_may_not_replace_files(self, path, mode):
        """A folder in which others can replace files is refused with the cure."""
        path.parent.chmod(mode)
        with pytest.raises(KeyProviderError, match="run 'chmod go-w' on the folder"):
            put(path, b"one")

        assert "chmod go-w" in str(folder_failure(str(path)))
        assert [] == list(path.parent.iterdir())

    def test_a_folder_like_that_of_temporary_files_passes(self, path):
        """Where the sticky bit keeps others from replacing files, they may make some."""
        path.parent.chmod(0o1777)
        put(path, b"one")

        assert folder_failure(str(path)) is None

    @pytest.mark.skipif(not AS_ROOT, reason="only root gives folders away")
    def test_the_folder_is_of_the_user_or_of_root(self, path):
        """Whoever owns a folder can replace files in it."""
        os.chown(path.parent, 12345, -1)
        with pytest.raises(KeyProviderError, match="another user, with user id 12345"):
            put(path, b"one")

        assert "user id 12345" in str(folder_failure(str(path)))

    def test_there_is_a_folder(self, path):
        """A folder is not made, and a file is none."""
        put(path, b"one")
        for parent in ("none", "file"):
            with pytest.raises(KeyProviderError, match=r"the folder of .* cannot be used: no[t ]"):
                put(path.parent / parent / "other", b"one")

            assert folder_failure(str(path.parent / parent / "other")) is None

    def test_folders_that_cannot_be_looked_at_are_not_trusted(self, path):
        """What keeps the folder from being checked is told."""
        path.symlink_to(path)

        assert "too many levels of symbolic links" in str(folder_failure(str(path / "other")))

    def test_a_lock_that_cannot_be_had_is_told_of(self, path, monkeypatch):
        """Without a lock nothing is changed."""
        import fcntl

        monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
        with pytest.raises(KeyProviderError, match="cannot be used: no locks available"):
            put(path, b"one")

        assert [] == list(path.parent.iterdir())

    def test_platforms_without_modes_are_refused(self, path, monkeypatch):
        """Where the modes of a folder say nothing, no folder is trusted."""
        monkeypatch.delattr(os, "geteuid")

        assert "use EnvironmentKeys" in str(folder_failure(str(path)))
