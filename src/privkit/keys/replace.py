"""
Changing a small file so that it is whole at every moment, also when the power goes.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from privkit.errors import KeyProviderError, KeyUnavailableError

SUFFIX: Final = ".part"
FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)

OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@contextlib.contextmanager
def exclusive(path: str, /) -> Iterator[None]:
    """
    Keep other processes from changing *path*, which need not exist, during the block.

    The lock is on the folder, so that nothing is left behind. It goes with the process.

    Raises:
        KeyProviderError: If the folder cannot be locked, or others may change its names.
    """
    import fcntl

    complaint = None
    descriptor = -1
    try:
        descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_CLOEXEC)
        mode = os.fstat(descriptor).st_mode
        if mode & OTHERS_WRITE and not mode & stat.S_ISVTX:
            complaint = "others can replace files in it: run 'chmod go-w' on the folder"
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        complaint = reason(error)
    try:
        if complaint is not None:
            raise KeyProviderError(f"the folder of {path} cannot be used: {complaint}")
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def replace(path: str, content: bytes, /, *, check: Callable[[str], None]) -> None:
    """
    Give *path* another content, on disk when this returns. It is the user's alone, mode 0600.

    Whoever opens *path* finds what was there or what comes, whole. If this raises, what was there
    stays, but for a failure of the folder itself, of which the message tells.

    Args:
        path: The file, which need not exist. The caller holds `exclusive`.

        content: What is to be in it.

        check: Reads the file of the path it is given, before that takes the name *path*, and
            raises if it is not what it should be.

    Raises:
        KeyUnavailableError: If the disk fails or is full.
    """
    made = path + SUFFIX
    complaint = None
    try:
        # What a process left that was killed here. Nobody else writes: the folder is locked.
        Path(made).unlink(missing_ok=True)
        _write(made, content)
        check(made)
        Path(made).rename(path)
    except OSError as error:
        complaint = f"{path} cannot be written, and stays as it was: {reason(error)}"
    finally:
        with contextlib.suppress(OSError):
            Path(made).unlink(missing_ok=True)
    if complaint is None:
        complaint = _sync_folder(path)
    if complaint is not None:
        raise KeyUnavailableError(complaint)


def reason(error: OSError, /) -> str:
    """
    Return why the system refused, in its words.
    """
    return os.strerror(error.errno or errno.EIO).lower()


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
        return (
            f"{path} was changed, but its folder cannot be written, so a power cut may undo it: "
            f"{reason(error)}"
        )
    return None
