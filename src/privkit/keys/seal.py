"""
What keeps the data key of a keyset file: a passphrase, the key of another provider, or a service.
"""

import contextlib
import os
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol, final

from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.siv import AESSIV
from privkit.errors import KeyMaterialError, KeyNotFoundError, KeyProviderError, TamperedError
from privkit.keys.file import path_complaint, read_private
from privkit.keys.key import Key
from privkit.keys.provider import DEFAULT, KeyProvider, require_name, resolve
from privkit.keys.text import holds_key
from privkit.typing import Secret

DATA_KEY_SIZE: Final = 32

SALT_SIZE: Final = 16
KEY_SIZE: Final = 64
"""Bytes of an AES-256-SIV key."""
COSTS: Final = [2**exponent for exponent in range(14, 21)]
"""What scrypt may cost: 128 * 8 bytes of memory times this, so 16 MiB to 1 GiB."""
BLOCK: Final = 8
PARALLEL: Final = 1
"""The parameters *r* and *p* of scrypt; none other are known here."""

MIN_PASSPHRASE: Final = 12
"""Characters. Whoever has the file can try passphrases; a generated one is longer."""
MAX_PASSPHRASE: Final = 4096

VARIABLE: Final = re.compile("[A-Z_][A-Z0-9_]{0,126}")
"""In upper case: other words may be the passphrase itself, and names are shown."""


class Seal(Protocol):
    """
    Wraps the data key of a keyset file, and unwraps it.

    Constructing a seal does no I/O. Both methods may block, and are safe to call from several
    threads.
    """

    @property
    def kind(self) -> str:
        """
        The word by which the header of a file names it, such as ``"aws-kms"``.
        """
        ...

    def wrap(self, data_key: Secret, context: bytes, /) -> Mapping[str, str]:
        """
        Return what the header keeps of a data key: texts that are no secret.

        Args:
            data_key: 32 bytes.

            context: What the key is for. Unwrapping under another context fails.

        Raises:
            KeyProviderError: If it cannot be wrapped.
        """
        ...

    def unwrap(self, header: Mapping[str, str], context: bytes, /) -> SecretBytes:
        """
        Return the data key, 32 bytes.

        Raises:
            KeyMaterialError: If the header was altered, or is of another key or context.

            KeyUnavailableError: If a service cannot be reached; retry.

            KeyProviderError: If the service refuses.
        """
        ...


@final
class Passphrase:
    """
    Wrap data keys under a passphrase.

    It takes where the passphrase comes from, never the passphrase itself: so neither the object
    nor its pickle holds a secret.

    Args:
        source: The name of an environment variable in upper case, a `pathlib.Path` of a private
            file whose first line it is, or a callable that returns it (it is not kept).

        cost: The cost of scrypt for files that are written, a power of two: 2**17 takes 128 MiB
            and about half a second. A file that is read tells its own.

    Source:
        scrypt: RFC 7914. Wrapping: AES-SIV, RFC 5297, with 256-bit halves. The passphrase is
        normalized to NFC, RFC 8265, section 4.2.2, since systems type accents differently.

    Raises:
        KeyProviderError: If *source* is none of these, or *cost* is not a power of two from 2**14
            to 2**20.

    .. versionadded:: 0.1
    """

    __slots__ = ("_cost", "_source")

    def __init__(self, source: str | Path | Callable[[], str], /, *, cost: int = 2**17) -> None:
        complaint = _source_complaint(source)
        if complaint is None and (type(cost) is not int or cost not in COSTS):
            complaint = f"the cost of scrypt is a power of two from {COSTS[0]} to {COSTS[-1]}"
        if complaint is not None:
            # Somebody passes the passphrase itself one day, and a traceback prints locals.
            del self, source, cost
            raise KeyProviderError(complaint)
        self._source = source
        self._cost = cost

    @property
    def kind(self) -> str:
        """
        The word by which the header of a file names it.
        """
        return "passphrase"

    def wrap(self, data_key: Secret, context: bytes, /) -> dict[str, str]:
        """
        Return the cost, the salt and the wrapped key.
        """
        salt = os.urandom(SALT_SIZE)
        key = _scrypt(self._passphrase(), salt, self._cost)
        wrapped = AESSIV(key).encrypt(data_key.expose(), [context])
        return {
            "n": str(self._cost),
            "r": str(BLOCK),
            "p": str(PARALLEL),
            "salt": to_text(salt),
            "wrapped": to_text(wrapped),
        }

    def unwrap(self, header: Mapping[str, str], context: bytes, /) -> SecretBytes:
        """
        Return the data key.

        Raises:
            KeyMaterialError: If the passphrase is another one, or the header was altered.

            KeyNotFoundError: If there is no passphrase where it should be.
        """
        asked = [text_of(header, name) for name in ("n", "r", "p")]
        costs = {str(cost): cost for cost in COSTS}
        if asked[0] not in costs or asked[1:] != [str(BLOCK), str(PARALLEL)]:
            raise KeyMaterialError(
                "the header asks for scrypt with parameters that are not allowed"
            )
        key = _scrypt(self._passphrase(), to_bytes(header, "salt"), costs[asked[0]])
        return _opened(AESSIV(key), header, context, "the passphrase is another one")

    def _passphrase(self) -> SecretBytes:
        found = _fetch(self._source)
        if isinstance(found, KeyProviderError):
            raise found
        length = len(found.expose().decode())
        if not MIN_PASSPHRASE <= length <= MAX_PASSPHRASE:
            raise KeyMaterialError(
                f"a passphrase has {MIN_PASSPHRASE} to {MAX_PASSPHRASE:,} characters, got {length}"
            )
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Passphrase):
            return NotImplemented
        return self._source == other._source

    def __hash__(self) -> int:
        return hash((Passphrase, self._source))

    def __repr__(self) -> str:
        return f"Passphrase({_place(self._source)})"


@final
class KeysSeal:
    """
    Wrap data keys under the primary key of another provider.

    Args:
        provider: Where the wrapping key comes from. Older keys of its keyset still unwrap.

        keyset: The name of its keyset.

        allow_compromised: Why a compromised key may unwrap, in words; ``None`` if it may not. The
            next change wraps the file under the primary.

    Source:
        Subkey: RFC 5869. Wrapping: AES-SIV, RFC 5297, with 256-bit halves.

    .. versionadded:: 0.1
    """

    __slots__ = ("_keyset", "_provider", "_reason")

    def __init__(
        self,
        provider: KeyProvider,
        /,
        *,
        keyset: str = DEFAULT,
        allow_compromised: str | None = None,
    ) -> None:
        try:
            require_name(keyset)
        except KeyNotFoundError:
            del self, provider, keyset
            raise
        self._provider = provider
        self._keyset = keyset
        self._reason = allow_compromised

    @property
    def kind(self) -> str:
        """
        The word by which the header of a file names it.
        """
        return "keys"

    def wrap(self, data_key: Secret, context: bytes, /) -> dict[str, str]:
        """
        Return the id of the wrapping key and the wrapped key.
        """
        key = resolve(self._provider, self._keyset).primary
        return {
            "key_id": key.id,
            "wrapped": to_text(_siv(key).encrypt(data_key.expose(), [context])),
        }

    def unwrap(self, header: Mapping[str, str], context: bytes, /) -> SecretBytes:
        """
        Return the data key.

        Raises:
            KeyMaterialError: If the wrapping key is another one, or the header was altered.

            KeyNotFoundError: If the provider does not have it.
        """
        keyset = resolve(self._provider, self._keyset)
        key = keyset.get(text_of(header, "key_id"), allow_compromised=self._reason)
        return _opened(_siv(key), header, context, f"key {key.id} is another one of that id")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeysSeal):
            return NotImplemented
        return (self._provider, self._keyset) == (other._provider, other._keyset)

    def __hash__(self) -> int:
        return hash((KeysSeal, self._keyset))

    def __repr__(self) -> str:
        return f"KeysSeal({type(self._provider).__name__}, keyset={self._keyset!r})"


def text_of(header: Mapping[str, str], name: str, /) -> str:
    """
    Return a part of a header.

    Raises:
        KeyMaterialError: If it is missing or no text.
    """
    part = header.get(name)
    if type(part) is not str:
        raise KeyMaterialError(f"the header of the keyset file lacks '{name}', or it was altered")
    return part


def to_text(content: bytes, /) -> str:
    """
    Return bytes as a header keeps them.
    """
    return b64encode(content).decode()


def to_bytes(header: Mapping[str, str], name: str, /) -> bytes:
    """
    Return the bytes that a part of a header stands for.

    Raises:
        KeyMaterialError: If it stands for none.
    """
    text = text_of(header, name)
    with contextlib.suppress(ValueError):
        content = b64decode(text, validate=True)
        # Of the last character some bits do not count: a text has one form here.
        if to_text(content) == text:
            return content
    raise KeyMaterialError(f"the header of the keyset file holds no base64 in '{name}'")


def _opened(cipher: AESSIV, header: Mapping[str, str], context: bytes, guess: str) -> SecretBytes:
    wrapped = to_bytes(header, "wrapped")
    data_key = None
    with contextlib.suppress(TamperedError):
        data_key = SecretBytes(cipher.decrypt(wrapped, [context]))
    if data_key is None or len(data_key) != DATA_KEY_SIZE:
        raise KeyMaterialError(
            f"the keyset file cannot be opened: {guess}, or the file was altered"
        )
    return data_key


def _siv(key: Key) -> AESSIV:
    return AESSIV(key.derive(purpose="seal", scope="", algorithm="AES-256-SIV", size=KEY_SIZE))


def _scrypt(passphrase: Secret, salt: bytes, cost: int) -> SecretBytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    kdf = Scrypt(salt=salt, length=KEY_SIZE, n=cost, r=BLOCK, p=PARALLEL)
    with contextlib.suppress(MemoryError):
        return SecretBytes(kdf.derive(passphrase.expose()))
    raise KeyProviderError(
        f"scrypt needs {128 * BLOCK * cost // 2**20} MiB of memory for the passphrase, which the "
        "process cannot have"
    )


def _source_complaint(source: object) -> str | None:
    if isinstance(source, Path):
        return path_complaint(source)
    if callable(source) or (
        type(source) is str and VARIABLE.fullmatch(source) and not holds_key(source)
    ):
        return None
    return (
        "a passphrase comes from the name of an environment variable in upper case, a Path or a "
        f"callable, got {type(source).__name__} that is none: never pass it itself"
    )


def _place(source: str | Path | Callable[[], str]) -> str:
    if isinstance(source, str | Path):
        return repr(str(source))
    return type(source).__name__


def _fetch(source: str | Path | Callable[[], str]) -> SecretBytes | KeyProviderError:
    """
    Return a passphrase, or what is wrong. It never raises, since its locals hold the passphrase.
    """
    if isinstance(source, str):
        text: object = os.environ.get(source)
        if not text:
            return KeyNotFoundError(
                f"there is no passphrase: set the environment variable {source} to it",
                variable=source,
            )
    elif isinstance(source, Path):
        content = read_private(os.fspath(source), "passphrase file", "write the passphrase to it")
        if isinstance(content, KeyProviderError):
            return content
        text = _decoded((content.expose().splitlines() or [b""])[0])
    else:
        try:
            text = source()
        except KeyProviderError as error:
            return error
        except Exception as error:  # noqa: BLE001 - its message may hold the passphrase
            return KeyProviderError(f"what returns the passphrase raised {type(error).__name__}")
    if type(text) is not str:
        return KeyMaterialError(f"a passphrase is text, got {type(text).__name__}")
    try:
        return SecretBytes(unicodedata.normalize("NFC", text).encode())
    except UnicodeEncodeError:
        return KeyMaterialError("a passphrase is text, got half of a surrogate pair in it")


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
