"""
Files that appear whole or not at all.
"""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from privkit.errors import DatasetError


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
        self.file, self._made = self._open(target)

    def publish(self, companion: bytes | None) -> None:
        """
        Give the file its name, after its companion.

        Whoever sees the file finds its companion beside it. A file that is replaced goes first,
        so that it never stands beside the companion of another.

        Args:
            companion: The content of the companion; ``None`` for a file without one.
        """
        _settle(self.file)
        check(self._target, overwrite=self._overwrite)
        if companion is not None:
            check(self._companion, overwrite=self._overwrite)
            file, made = self._open(self._companion)
            file.write(companion)
            _settle(file)
            self._target.unlink(missing_ok=True)
            self._rename(made, self._companion)
        self._rename(self._made, self._target)
        _settle_folder(self._target.parent)
        self._strays.clear()

    def discard(self) -> None:
        """
        Leave no trace, unless the file was published.
        """
        with contextlib.suppress(OSError):
            self.file.close()
        for path in self._strays:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _open(self, path: Path) -> tuple[BinaryIO, Path]:
        # Only the user may read it, since pseudonymized data is still personal data.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".privkit-", suffix=".part")
        made = Path(name)
        self._strays.append(made)
        return os.fdopen(descriptor, "wb"), made

    def _rename(self, made: Path, path: Path) -> None:
        made.replace(path)
        # If a later step fails, the file goes by its final name.
        self._strays.append(path)


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


def _settle_folder(folder: Path) -> None:
    # A name that is not in its folder on disk is lost with the power.
    if os.name == "nt":  # pragma: no cover - Windows has no descriptors of folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
