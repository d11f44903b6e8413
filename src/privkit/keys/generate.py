"""
Making keys, and the files they are kept in.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from privkit.errors import KeyProviderError
from privkit.keys.file import path_complaint, platform_complaint
from privkit.keys.key import Key

generate: Final = Key.generate


def write_key_file(path: str | os.PathLike[str], key: Key, /) -> None:
    """
    Write a key to a file that is made for it, readable by the user alone.

    The file is on the disk when this returns, and is not there when it raises.

    Raises:
        KeyProviderError: If there is a file already (no key is ever overwritten), or the file
            cannot be written.
    """
    complaint = path_complaint(path)
    if complaint is not None:
        del path
        raise KeyProviderError(complaint)
    complaint = platform_complaint()
    if complaint is not None:
        raise KeyProviderError(complaint)
    made = False
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        made = True
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(key.to_text().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path)
    except FileExistsError:
        complaint = f"there is a file {os.fspath(path)} already, and keys are never overwritten"
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        complaint = f"the key file {os.fspath(path)} cannot be written: {reason}"
    if complaint is not None:
        if made:
            with suppress(OSError):
                Path(path).unlink()
        raise KeyProviderError(complaint)


def _sync_folder(path: str | os.PathLike[str]) -> None:
    descriptor = os.open(Path(path).parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
