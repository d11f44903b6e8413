"""
Authenticated encryption of any value, the same every time.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import ClassVar, Final, final

from privkit.ciphers.kdf import name_bytes
from privkit.ciphers.siv import AESSIV
from privkit.errors import DomainError, TamperedError
from privkit.formats.exact import Exact, dump, load
from privkit.transforms.checks import check_choice, check_integer, check_scope
from privkit.typing import Subkeys, Technique

LABEL: Final = b"privkit enc 1"
"""Frozen: with another label nothing decrypts."""

TEXT: Final = re.compile(r"enc1\.([a-z0-9][a-z0-9-]{0,31})\.([A-Za-z0-9_-]+)")
KEY_SIZE: Final = 64
BLOCK_SIZE: Final = 16
PADDING_MARK: Final = b"\x80"
LAYOUTS: Final = (1,)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypt:
    """
    Replace a value, a list or a record by its ciphertext, which the key turns back.

    Choose it for what must come back exactly and need not keep its shape. Choose `Token` for what
    need not come back, and `FormatPreserving` for what must keep its shape.

    The ciphertext is text: ``enc1.<key id>.<base64url>``. It belongs to its field, scope and key;
    altered, or moved to another field, it is refused. Two fields of one scope share their key,
    but not their ciphertexts.

    Args:
        scope:
            Whose key is used. Defaults to ``<policy>.<field>``.

        max_size:
            The longest value, in bytes.

        layout:
            The number of the ciphertext's layout, which is frozen.

    Preserves:
        Equality, within one field, scope and key: the same value has the same ciphertext. A
        record in another order of keys is another value. What comes back has its type: any JSON
        value, date, datetime (with its offset, not the name of its zone), Decimal, UUID, bytes.

    Reveals:
        Which records share a value, how often each value occurs, the length of the value in
        steps of 16 bytes, and the id of the key.

    Reverses:
        With the key. A ciphertext that was altered, or comes from another field, scope or key,
        gives an error and no value.

    Source:
        AES-SIV with a key of 512 bits: RFC 5297. Padding: ISO/IEC 7816-4, that is, method 2 of
        ISO/IEC 9797-1. Subkey: RFC 5869. base64url: RFC 4648, section 5, without padding.

    Raises:
        DomainError: If *scope* is empty, or *max_size* is less than 1 byte.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}

    name: ClassVar[str] = "encrypt"
    technique: ClassVar[Technique] = Technique.DETERMINISTIC_ENCRYPTION
    reversible: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = True
    keyed: ClassVar[bool] = True
    containers: ClassVar[bool] = True
    by: ClassVar[str | None] = None

    scope: str | None = None
    max_size: int = 1_048_576
    layout: int = 1

    def __post_init__(self) -> None:
        check_scope(self.scope)
        check_integer("max_size", self.max_size, 1)
        check_choice("layout", self.layout, LAYOUTS)

    def bind(self, subkeys: Subkeys, /) -> "BoundEncrypt":
        """
        Join the rule to a key.
        """
        return BoundEncrypt(
            rule=self,
            key_id=subkeys.key_id,
            cipher=_cipher(subkeys),
            associated=_associated(subkeys),
        )

    def bind_inverse(self, subkeys: Subkeys, /) -> "BoundDecrypt":
        """
        Join the way back to a key.
        """
        return BoundDecrypt(
            key_id=subkeys.key_id, cipher=_cipher(subkeys), associated=_associated(subkeys)
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundEncrypt:
    """
    An `Encrypt` joined to a key. Threads and forked processes may share it.
    """

    rule: Encrypt
    key_id: str
    cipher: AESSIV = field(repr=False)
    associated: tuple[bytes, ...] = field(repr=False)

    def apply(self, value: object, by: object = None, /) -> str:  # noqa: ARG002 - a protocol's
        """
        Return the ciphertext of a value.

        Raises:
            DomainError: If the value is longer than the rule allows, or would not come back as
                it was: a NaN, an infinity, a tuple, a key that is not text, an object.
        """
        padded = pad(dump(value, max_size=self.rule.max_size))
        body = base64.urlsafe_b64encode(self.cipher.encrypt(padded, self.associated))
        return f"enc1.{self.key_id}.{body.decode().rstrip('=')}"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundDecrypt:
    """
    The way back of an `Encrypt`. Threads and forked processes may share it.
    """

    key_id: str
    cipher: AESSIV = field(repr=False)
    associated: tuple[bytes, ...] = field(repr=False)

    def invert(self, value: object, by: object = None, /) -> Exact:  # noqa: ARG002 - a protocol's
        """
        Return the value that was encrypted.

        Raises:
            DomainError: If *value* has not the form of a ciphertext.

            TamperedError: If it was altered, or belongs to another field, scope or key.
        """
        key_id, body = _split(value)
        if key_id != self.key_id:
            raise TamperedError(f"the ciphertext is not one of key '{self.key_id}'")
        try:
            ciphertext = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except binascii.Error:
            ciphertext = b""
        # Bits that do not count could otherwise be altered: RFC 4648, section 3.5.
        if base64.urlsafe_b64encode(ciphertext).decode().rstrip("=") != body:
            raise TamperedError("the ciphertext was altered")
        return load(unpad(self.cipher.decrypt(ciphertext, self.associated)))


def key_id_of(text: object, /) -> str:
    """
    Return the id of the key that a ciphertext says it was made with.

    Nothing is proved by that before the ciphertext is decrypted.

    Raises:
        DomainError: If *text* has not the form of a ciphertext.
    """
    return _split(text)[0]


def pad(data: bytes, /) -> bytes:
    """
    Append a bit and zeros up to a multiple of 16 bytes, so that near lengths look alike.
    """
    marked = data + PADDING_MARK
    return marked + bytes(-len(marked) % BLOCK_SIZE)


def unpad(data: bytes, /) -> bytes:
    """
    Return what was padded.

    Raises:
        DomainError: If *data* was not padded.
    """
    marked = data.rstrip(b"\0")
    if len(data) % BLOCK_SIZE or marked[-1:] != PADDING_MARK:
        raise DomainError("the plaintext is not padded")
    return marked[:-1]


def _split(text: object) -> tuple[str, str]:
    match = TEXT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise DomainError("a ciphertext is text of the form enc1.<key id>.<base64url>")
    return match[1], match[2]


def _cipher(subkeys: Subkeys) -> AESSIV:
    return AESSIV(subkeys.derive("encrypt", "AES-256-SIV", size=KEY_SIZE))


def _associated(subkeys: Subkeys) -> tuple[bytes, ...]:
    return (LABEL, *map(name_bytes, (subkeys.field, subkeys.scope, subkeys.key_id)))
