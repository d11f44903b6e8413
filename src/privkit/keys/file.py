"""
Keys from a file that nobody else can read.
"""

import errno
import os
import shlex
import stat
from typing import Final, cast, final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import ring
from privkit.keys.keyset import Keyset
from privkit.keys.provider import DEFAULT, require_name
from privkit.keys.text import holds_key

MAX_SIZE: Final = 2**20
"""Bytes of a file, beyond which it is refused."""

ALONE: Final = 0o600
"""The bits of a mode that let nobody but the owner in."""

KEYGEN: Final = "run 'privkit keygen --out {path}'"


@final
class FileKeys:
    """
    Read keysets from a file, at each call: a binding asks once, at first use.

    The file is a regular one of mode 0600 or stricter, and belongs to the user or to root. It
    holds the texts that ``privkit keygen`` makes, one a line and the primary first; ``#``
    starts a comment, and ``[billing]`` starts the keyset of that name. Windows has no such modes,
    so the file is refused there.

    It is pickled as its path, and read again where it is unpickled.

    Args:
        path: The file. A symbolic link in the place of the file is refused; links among the
            folders above it are followed.

    Raises:
        KeyProviderError: If *path* is not printable text.

    .. versionadded:: 0.1
    """

    __slots__ = ("_path",)

    def __init__(self, path: str | os.PathLike[str], /) -> None:
        complaint = path_complaint(path)
        if complaint is not None:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, path
            raise KeyProviderError(complaint)
        self._path = os.fspath(path)

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keyset *name* as the file has it.

        Raises:
            KeyNotFoundError: If there is no such file or keyset.
            KeyMaterialError: If the file is not a list of keys.
            KeyProviderError: If others can read or write the file, or the user cannot read it.
            KeyUnavailableError: If the device that holds the file fails.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del name
            raise
        content = read_private(self._path, "key file", KEYGEN)
        if isinstance(content, KeyProviderError):
            raise content
        found = ring.read(content, name, f"the key file {self._path}")
        if found is None:
            place = f" under a line [{name}]" if name != DEFAULT else ""
            raise KeyNotFoundError(
                f"there is no keyset {name} in the key file {self._path}: run 'privkit keygen' "
                f"and add the key that it prints{place}",
                keyset=name,
                path=self._path,
            )
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileKeys):
            return NotImplemented
        return self._path == other._path

    def __hash__(self) -> int:
        return hash((FileKeys, self._path))

    def __repr__(self) -> str:
        return f"FileKeys({self._path!r})"

    def __reduce__(self) -> tuple[type["FileKeys"], tuple[str]]:
        return FileKeys, (self._path,)


def path_complaint(path: object, /) -> str | None:
    """
    Say why *path* cannot be the path of a key file, or ``None``.
    """
    text = path
    if isinstance(path, os.PathLike):
        text = os.fspath(cast("os.PathLike[str]", path))
    if type(text) is not str:
        return f"the path of a key file is str or PathLike, got {type(text).__name__}"
    if holds_key(text):
        return "the path of a key file is asked for, got what looks like a key"
    if not text or not text.isprintable():
        return "the path of a key file is printable and not empty"
    return None


def platform_complaint() -> str | None:
    """
    Say why this platform cannot keep a key file from other users, or ``None``.
    """
    if hasattr(os, "O_NOFOLLOW") and hasattr(os, "geteuid"):
        return None
    return "key files need the file modes of POSIX, which this platform lacks; use EnvironmentKeys"


def read_private(
    path: str, what: str, cure: str, /, *, most: int = MAX_SIZE, of_root: int = ALONE
) -> SecretBytes | KeyProviderError:
    """
    Return the content of a file that nobody else can read, or why it is not to be had.

    Args:
        path: The file.

        what: What messages call it, such as ``"key file"``.

        cure: What to do where there is none; ``{path}`` stands for the quoted path.

        most: Bytes, beyond which it is refused.

        of_root: The bits of a mode that a file of root's may have.
    """
    complaint = platform_complaint()
    if complaint is not None:
        return KeyProviderError(complaint)
    name = f"{what} {path}"
    # O_NONBLOCK: opening a pipe would wait for its writer.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags)
        try:
            complaint = _status_complaint(name, path, os.fstat(descriptor), of_root)
            if complaint is not None:
                return KeyProviderError(complaint)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = SecretBytes(file.read(most + 1))
        finally:
            os.close(descriptor)
    except OSError as error:
        return _failure(name, path, cure, error.errno or errno.EIO)
    if len(content) > most:
        return KeyMaterialError(f"the {name} is at most {most} bytes, got more")
    return content


def _failure(name: str, path: str, cure: str, number: int) -> KeyProviderError:
    if number in {errno.ENOENT, errno.ENOTDIR}:
        return KeyNotFoundError(
            f"there is no {name}: {cure.format(path=shlex.quote(path))}",
            path=path,
        )
    # FreeBSD says EMLINK.
    if number in {errno.ELOOP, errno.EMLINK}:
        return KeyProviderError(f"the {name} is a regular file, got a symbolic link")
    if number in {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG}:
        return KeyProviderError(f"the {name} cannot be opened: {os.strerror(number).lower()}")
    return KeyUnavailableError(f"the {name} cannot be read: {os.strerror(number).lower()}")


def _status_complaint(name: str, path: str, status: os.stat_result, of_root: int) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return f"the {name} is a regular file, got something else"
    if status.st_uid not in {os.geteuid(), 0}:
        return f"the {name} belongs to its user or to root, got user id {status.st_uid}"
    if stat.S_IMODE(status.st_mode) & ~(ALONE if status.st_uid else of_root):
        return (
            f"the {name} is for its user alone, got mode "
            f"{stat.S_IMODE(status.st_mode):04o}: run 'chmod 600 {shlex.quote(path)}'"
        )
    return None
