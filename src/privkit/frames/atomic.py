"""
Files that appear whole or not at all.
"""

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from privkit.errors import DatasetError

SETTLED: Final = {0, errno.EBADF, errno.EINVAL}
"""What a folder answers that is on disk, or on a file system where folders need not be synced."""


class Staged:
    """
    A file on its way: it has its name once `publish` returns, and leaves no trace otherwise.

    Attributes:
        file: Where the content goes.
    """

    def __init__(self, target: Path, companion: Path, *, overwrite: bool) -> None:
        self._target = target
        self._companion = companion
        self._overwrite = overwrite
        self._strays: list[Path] = []
        self._own: set[tuple[int, int]] = set()
        self.file, self._made = self._open(target)

    def publish(self, companion: bytes | None) -> None:
        """
        Give the file its name, after its companion; or leave what was there, if that fails.

        Whoever sees the file finds its companion beside it. A file that is replaced is set aside
        first, so that it never stands beside the companion of another. It is deleted last. What
        a power cut keeps from going on or back is in a file ``.privkit-….old``.

        Args:
            companion: The content of the companion; ``None`` for a file without one.

        Raises:
            DatasetError: If a name was taken meanwhile.
        """
        _settle(self.file)
        parts = [(self._made, self._target)]
        if companion is not None:
            file, made = self._open(self._companion)
            file.write(companion)
            _settle(file)
            parts.insert(0, (made, self._companion))
        with _folder(self._target.parent) as settle, contextlib.ExitStack() as undo:
            self._check(alone=companion is None)
            asides = []
            if self._overwrite:
                asides = [self._set_aside(path, undo) for _, path in reversed(parts)]
            for made, path in parts:
                undo.callback(self._take_back, path)
                if not self._name(made, path):
                    raise DatasetError(f"{path} exists already: another run made it meanwhile")
            settle()
            undo.pop_all()
        self._strays += asides

    def discard(self) -> None:
        """
        Leave no trace, but of what was published.
        """
        with contextlib.suppress(OSError):
            self.file.close()
        for path in self._strays:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _check(self, *, alone: bool) -> None:
        check(self._target, overwrite=self._overwrite)
        if alone and os.path.lexists(self._companion):
            raise DatasetError(f"{self._companion} belongs to another file: choose another name")
        check(self._companion, overwrite=self._overwrite)

    def _open(self, path: Path) -> tuple[BinaryIO, Path]:
        # Only the user may read it, since pseudonymized data is still personal data.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".privkit-", suffix=".part")
        made = Path(name)
        self._strays.append(made)
        self._own.add(_identity(os.fstat(descriptor)))
        return os.fdopen(descriptor, "wb"), made

    def _name(self, made: Path, path: Path) -> bool:
        """
        Give a file a name, unless that is taken. What has the name already is not touched.
        """
        try:
            os.link(made, path)
        except FileExistsError:
            return False
        except OSError:
            pass
        else:
            return True
        # A file system without links. Other runs wait for this one, since the folder is locked.
        if os.path.lexists(path):
            return False
        made.rename(path)
        return True

    def _take_back(self, path: Path) -> None:
        # An interruption can come between a step and its note, so the file itself tells.
        with contextlib.suppress(OSError):
            if _identity(path.lstat()) in self._own:
                path.unlink()

    def _set_aside(self, path: Path, undo: contextlib.ExitStack) -> Path:
        aside = path.with_name(f".privkit-{secrets.token_hex(8)}.old")
        undo.callback(self._put_back, aside, path)
        with contextlib.suppress(FileNotFoundError):
            path.rename(aside)
        return aside

    def _put_back(self, aside: Path, path: Path) -> None:
        with contextlib.suppress(OSError):
            if aside.exists() and self._name(aside, path):
                aside.unlink(missing_ok=True)


@contextlib.contextmanager
def staged(target: Path, companion: Path, *, overwrite: bool) -> Iterator[Staged]:
    """
    Open a file that stands under its name only if the block ends well.

    Args:
        target: The file. Others than its user cannot read it.

        companion: The name of the file that belongs to it.

        overwrite: Whether both may exist, and are replaced.

    Raises:
        DatasetError: If either exists and may not, or is no regular file.
    """
    check(target, overwrite=overwrite)
    check(companion, overwrite=overwrite)
    stage = Staged(target, companion, overwrite=overwrite)
    try:
        yield stage
    finally:
        stage.discard()


class Rehearsal:
    """
    Stands in for `Staged` where nothing is to be written.

    Attributes:
        file: Takes the content and forgets it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def publish(self, _companion: bytes | None) -> None:
        """
        Do nothing.
        """


@contextlib.contextmanager
def rehearsed(target: Path, companion: Path, *, overwrite: bool) -> Iterator[Rehearsal]:
    """
    Refuse what `staged` refuses, and write nothing.

    Raises:
        DatasetError: If *target* or *companion* exists and may not, or is no regular file.
    """
    check(target, overwrite=overwrite)
    check(companion, overwrite=overwrite)
    with Path(os.devnull).open("wb") as file:
        yield Rehearsal(file)


def check(path: Path, *, overwrite: bool) -> None:
    """
    Refuse a name that is taken.

    Raises:
        DatasetError: If there is something of that name that may not be replaced.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise DatasetError(f"{path} exists and is not a regular file")
    if not overwrite:
        raise DatasetError(f"{path} exists already: --force (overwrite=True) replaces it")


def _settle(file: BinaryIO) -> None:
    with file:
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Callable[[], None]]:
    """
    Keep other runs from publishing in a folder, and offer a function that settles its names.
    """
    if os.name == "nt":  # pragma: no cover - Windows has no descriptors of folders
        yield lambda: None
        return
    import fcntl

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Of two runs that replace one pair, each could leave a half. Not every network can lock.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield lambda: _settle_folder(descriptor)
    finally:
        os.close(descriptor)


def _settle_folder(descriptor: int) -> None:
    # A name that is not in its folder on disk is lost with the power.
    problem = 0
    try:
        os.fsync(descriptor)
    except OSError as error:
        problem = error.errno or errno.EIO
    if problem not in SETTLED:
        raise DatasetError(f"the folder cannot be written: {os.strerror(problem).lower()}")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
