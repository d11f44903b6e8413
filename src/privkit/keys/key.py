"""
One key.
"""

import hashlib
import os
from datetime import UTC, datetime
from typing import Final, NoReturn, final

from privkit.ciphers import kdf
from privkit.ciphers.ffx import MIN_KEY_SIZE
from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import text as grammar
from privkit.keys.weakness import KEY_SIZE, weakness

PYFFX: Final = "pyffx"
"""The algorithm that a key of pyffx's is for, as a transform asks for it."""

CURE: Final = "run 'privkit keygen' to make one"


@final
class Key:
    """
    Hold 32 random bytes under an id that may be printed, stored and sent.

    The bytes do not print, pickle, copy or appear among the locals of a traceback. They come
    out only as subkeys (`derive`) and as text (`to_text`). Equality takes the same time wherever
    two keys differ.

    Args:
        key_id: 1 to 32 lower-case letters, digits or hyphens. Pseudonyms and manifests carry it, so
            never give one id to two keys.

        material: 32 bytes drawn at random, as `Key.generate` and ``privkit keygen`` draw them.

    Source:
        Subkeys: HKDF with SHA-256, RFC 5869.

    Raises:
        KeyMaterialError: If *key_id* breaks its rule, or *material* is not 32 bytes or shows that
            nobody drew it at random: text, few distinct bytes, a sequence, a repetition, or a
            sample key that was published.

    .. versionadded:: 0.1
    """

    __slots__ = ("_algorithm", "_id", "_secret", "_tag")

    def __init__(self, key_id: str, material: bytes, /) -> None:
        secret = SecretBytes(material)
        # A traceback prints locals, and either argument may hold the key.
        del material
        complaint = _id_complaint(key_id)
        if complaint is not None:
            del self, key_id
            raise KeyMaterialError(complaint)
        self._id = key_id
        self._algorithm: str | None = None
        complaint = weakness(secret)
        if complaint is not None:
            raise KeyMaterialError(f"the material of key {self._id} {complaint}; {CURE}")
        self._secret = secret
        self._tag = (
            self.derive(purpose="tag", scope="", algorithm="HKDF-SHA-256", size=2).expose().hex()
        )

    @classmethod
    def generate(cls, key_id: str | None = None, /) -> "Key":
        """
        Draw a key from the operating system's generator.

        Args:
            key_id: Its id; ``None`` makes one of the day (UTC) and the tag: ``k2026-01-31-3fa9``.
        """
        if key_id is not None:
            return cls(key_id, os.urandom(KEY_SIZE))
        secret = SecretBytes(os.urandom(KEY_SIZE))
        day = f"k{datetime.now(tz=UTC):%Y-%m-%d}"
        return cls(f"{day}-{cls(day, secret.expose()).tag}", secret.expose())

    @classmethod
    def of_pyffx(cls, key_id: str, material: bytes, /) -> "Key":
        """
        Hold a key that pyffx was used with, to read what it wrote.

        It serves ``FormatPreserving(..., cipher="pyffx")`` and nothing else, as it is: there are
        no subkeys, so fields and scopes that share it share their mapping. It has no text either;
        it comes from where the application has kept it.

        Args:
            key_id: As for any key.

            material: pyffx's key, at least 16 bytes.

        Raises:
            KeyMaterialError: If *key_id* breaks its rule, or *material* is shorter or no bytes.
        """
        secret = SecretBytes(material)
        del material
        complaint = _id_complaint(key_id)
        if complaint is not None:
            del cls, key_id
            raise KeyMaterialError(complaint)
        if not isinstance(secret.expose(), bytes) or len(secret) < MIN_KEY_SIZE:
            raise KeyMaterialError(f"a key of pyffx is at least {MIN_KEY_SIZE} bytes")
        key = super().__new__(cls)
        key._id, key._secret, key._algorithm = key_id, secret, PYFFX
        # HKDF takes keys of one size.
        whole = SecretBytes(hashlib.sha256(secret.expose()).digest())
        tag = kdf.derive(whole, purpose="tag", scope="", algorithm=PYFFX, size=2)
        key._tag = tag.expose().hex()
        return key

    @classmethod
    def parse(cls, text: str, /) -> "Key":
        """
        Read a key from its text. White space around it is ignored.

        Raises:
            KeyMaterialError: If *text* is not a whole key: truncated, mistyped, quoted or in
                upper case.
        """
        sealed = _sealed(text)
        del text
        found = sealed if isinstance(sealed, str) else grammar.read(sealed)
        if isinstance(found, str):
            raise KeyMaterialError(found)
        return cls(found[0], found[1].expose())

    def to_text(self) -> str:
        """
        Return the key as text, for a secret store. Whoever reads the text has the key.

        Raises:
            KeyMaterialError: If it is a key of pyffx's.
        """
        if self._algorithm is not None:
            raise KeyMaterialError(f"key {self._id} is of {self._algorithm} and has no text")
        return grammar.write(self._id, self._secret)

    @property
    def id(self) -> str:
        """
        The name of the key, which is no secret.
        """
        return self._id

    @property
    def tag(self) -> str:
        """
        Four lower-case hexadecimal characters made from the material, which tokens carry.
        """
        return self._tag

    def derive(self, *, purpose: str, scope: str, algorithm: str, size: int = 32) -> SecretBytes:
        """
        Return *size* bytes that depend on the key and these names alone.

        Raises:
            KeyMaterialError: If it is a key of pyffx's, and they are for something else.
        """
        if self._algorithm is not None:
            if algorithm != self._algorithm:
                raise KeyMaterialError(
                    f"key {self._id} reads what {self._algorithm} wrote, and nothing else"
                )
            return self._secret
        return kdf.derive(
            self._secret, purpose=purpose, scope=scope, algorithm=algorithm, size=size
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return (
            self._secret == other._secret
            and self._id == other._id
            and self._algorithm == other._algorithm
        )

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"Key(id={self._id!r})"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("a Key cannot be pickled or copied; send the provider instead")


def _id_complaint(key_id: object) -> str | None:
    if grammar.is_id(key_id):
        return None
    given = f"{len(key_id)} characters" if type(key_id) is str else type(key_id).__name__
    return f"the id of a key is {grammar.ID_RULE}, got {given}"


def _sealed(text: object) -> SecretBytes | str:
    if isinstance(text, str):
        # What is not ASCII is no part of a key, so what replaces it does not matter.
        return SecretBytes(text.encode("ascii", "replace"))
    return f"the text of a key is str, got {type(text).__name__}"
