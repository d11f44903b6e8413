"""
Changing a small file so that it is whole at every moment, also when the power goes.
"""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from privkit.errors import KeyProviderError, KeyUnavailableError
from privkit.keys.file import platform_complaint

SUFFIX: Final = ".part"
FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)

OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

PATIENCE: Final = 60.0
"""Seconds to wait for the changes of other processes."""

UNSYNCED: Final = {errno.EBADF, errno.EINVAL}
"""What a folder answers on a file system where folders need not be synced."""

UNLINKED: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system answers that has no links."""


@contextlib.contextmanager
def exclusive(path: str, /) -> Iterator[None]:
    """
    Keep other processes and threads from changing *path*, which need not exist, during the block.

    The lock is on the folder, so that nothing is left behind. It goes with the process.

    Raises:
        KeyProviderError: If the folder cannot be locked, or others may change its names.
        KeyUnavailableError: If another process keeps the lock.
    """
    import fcntl

    descriptor = -1
    failure = None
    try:
        descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        complaint = _folder_complaint(os.fstat(descriptor))
        if complaint is not None:
            failure = _unusable(path, complaint)
        elif not _locked(descriptor):
            failure = KeyUnavailableError(
                f"another process keeps {path} locked for more than {PATIENCE:.0f} seconds: "
                "try again once it is done"
            )
    except OSError as error:
        failure = _unusable(path, reason(error))
    try:
        if failure is not None:
            raise failure
        yield
    finally:
        if descriptor >= 0:
            # A child that was forked meanwhile shares the lock, and would keep it.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            with contextlib.suppress(OSError):
                os.close(descriptor)


def folder_failure(path: str, /) -> KeyProviderError | None:
    """
    Return why the folder of *path* cannot be trusted; ``None`` if it can, or is not there.
    """
    complaint = platform_complaint()
    if complaint is not None:
        return KeyProviderError(complaint)
    try:
        complaint = _folder_complaint(Path(path).parent.stat())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        complaint = reason(error)
    return None if complaint is None else _unusable(path, complaint)


def replace(
    path: str, content: bytes, /, *, check: Callable[[str], None], fresh: bool = False
) -> None:
    """
    Give *path* another content, on disk when this returns. It is the user's alone, mode 0600.

    Whoever opens *path* finds what was there or what comes, whole. If this raises, what was there
    stays, but for a failure of the folder itself, of which the message tells.

    Args:
        path: The file. The caller holds `exclusive`.

        content: What is to be in it.

        check: Reads the file of the path it is given, before that takes the name *path*, and
            raises if it is not what it should be.

        fresh: Whether there is no such file yet. If one came meanwhile, it stays.

    Raises:
        KeyUnavailableError: If the disk fails or is full.
        KeyProviderError: If the content is there, and may be lost with the power.
    """
    made = path + SUFFIX
    complaint = None
    try:
        # What a process left that was killed here. Nobody else writes: the folder is locked.
        Path(made).unlink(missing_ok=True)
        _write(made, content)
        check(made)
        if not (fresh and _linked(made, path)):
            Path(made).rename(path)
    except OSError as error:
        complaint = f"{path} cannot be written, and stays as it was: {reason(error)}"
    finally:
        with contextlib.suppress(OSError):
            Path(made).unlink(missing_ok=True)
    if complaint is not None:
        raise KeyUnavailableError(complaint)
    complaint = _sync_folder(path)
    if complaint is not None:
        # Not KeyUnavailableError: whoever tries again would make the change twice.
        raise KeyProviderError(complaint)


def reason(error: OSError, /) -> str:
    """
    Return why the system refused, in its words.
    """
    return os.strerror(error.errno or errno.EIO).lower()


def _unusable(path: str, complaint: str) -> KeyProviderError:
    return KeyProviderError(f"the folder of {path} cannot be used: {complaint}")


def _folder_complaint(status: os.stat_result) -> str | None:
    if status.st_uid not in {os.geteuid(), 0}:
        return f"it belongs to another user, with user id {status.st_uid}"
    if status.st_mode & OTHERS_WRITE and not status.st_mode & stat.S_ISVTX:
        return "others can replace files in it: run 'chmod go-w' on the folder"
    return None


def _locked(descriptor: int) -> bool:
    """
    Lock a folder, unless another process keeps it for too long.
    """
    import fcntl

    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        else:
            return True


def _linked(made: str, path: str) -> bool:
    """
    Give a file its name, unless that is taken; or return that the file system has no links.
    """
    try:
        os.link(made, path)
    except OSError as error:
        number = error.errno or errno.EIO
    else:
        return True
    if number in UNLINKED:
        return False
    raise OSError(number, os.strerror(number))


def _write(made: str, content: bytes) -> None:
    descriptor = os.open(made, FLAGS | getattr(os, "O_CLOEXEC", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(path: str) -> str | None:
    # A name that is not in its folder on disk is lost with the power.
    try:
        descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in UNSYNCED:
            return None
        return (
            f"{path} was changed, but its folder cannot be written, so a power cut may undo it: "
            f"{reason(error)}"
        )
    return None
