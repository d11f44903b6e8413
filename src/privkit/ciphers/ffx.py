"""
What pyffx 0.3.0 wrote, read again.

pyffx is no standard: it is neither FF1 nor FFX-A2, has no tweak, and agrees with nothing but
itself. It stands here for data that were protected with it.

Source:
    pyffx 0.3.0: an alternating Feistel network of ten rounds with HMAC-SHA-1, after the draft
    "The FFX Mode of Operation for Format-Preserving Encryption" (Bellare, Rogaway and Spies, 2010).
"""

import sys
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Final, NoReturn, Self, final

from privkit.ciphers.ff1 import MAX_RADIX, MIN_DOMAIN_SIZE, MIN_RADIX, shortest
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from privkit.typing import Secret

if TYPE_CHECKING:
    import pyffx

MIN_KEY_SIZE: Final = 16
MIN_LENGTH: Final = 2
"""Numerals. One numeral is shifted by a constant, whatever the key."""

ROUNDS: Final = 10


@final
class FFX:
    """
    Read and write what pyffx wrote under one key, with the checks that it leaves out.

    It authenticates nothing, and two columns of one length that share a key share their mapping.
    Choose `privkit.ciphers.ff1.FF1` for anything but data that are there already.

    Args:
        key: What was pyffx's key, at least *min_key_size* bytes.

        radix: How many numerals there are, 2 to 65,536: the symbols of pyffx's alphabet.

        min_key_size: Bytes that a key has at least. It may be lowered to read what was written
            under a key that was too short.

        min_domain_size: Strings are not written that are so short that there are fewer than this
            many. They are read all the same.

    Raises:
        KeyMaterialError: If the key is too short.

        DomainError: If *radix* or a minimum is out of range; or if the host's bytes stand in the
            other order, on which pyffx's results depend; or if it is in FIPS mode, which has no
            HMAC-SHA-1 for encryption.
    """

    __slots__ = ("_secret", "min_domain_size", "radix")

    def __init__(
        self,
        key: bytes,
        radix: int,
        *,
        min_key_size: int = MIN_KEY_SIZE,
        min_domain_size: int = MIN_DOMAIN_SIZE,
    ) -> None:
        secret = SecretBytes(key)
        del key
        self.radix: Final = radix
        self.min_domain_size: Final = min_domain_size
        self._secret = secret
        check_host()
        for minimum in (min_key_size, min_domain_size):
            if type(minimum) is not int or minimum < 1:
                raise DomainError("a minimum is an integer from 1", minimum=1)
        if not isinstance(secret.expose(), bytes) or len(secret) < min_key_size:
            raise KeyMaterialError(f"a key for pyffx is at least {min_key_size} bytes")
        if type(radix) is not int or not MIN_RADIX <= radix <= MAX_RADIX:
            raise DomainError(
                f"a radix is an integer from {MIN_RADIX} to {MAX_RADIX:,}",
                minimum=MIN_RADIX,
                maximum=MAX_RADIX,
            )

    @classmethod
    def from_secret(cls, secret: Secret, radix: int) -> Self:
        """
        Return the cipher under a key that is held in a secret.
        """
        return cls(secret.expose(), radix)

    def encrypt(self, numerals: Sequence[int]) -> list[int]:
        """
        Return what pyffx makes of a string.

        Args:
            numerals: Integers from 0 to *radix* - 1.

        Raises:
            DomainError: If a numeral is out of range, or the string is too short.
        """
        string = self._checked(numerals, shortest(self.radix, self.min_domain_size))
        return list(self._original().encrypt(self.radix, string))

    def decrypt(self, numerals: Sequence[int]) -> list[int]:
        """
        Return the string of which pyffx made *numerals*.

        Raises:
            DomainError: If a numeral is out of range, or there is only one.
        """
        string = self._checked(numerals, MIN_LENGTH)
        return list(self._original().decrypt(self.radix, string))

    def _original(self) -> "pyffx.FFX":
        import pyffx

        # It keeps its key in the open, so it lives no longer than the call.
        return pyffx.FFX(self._secret.expose(), rounds=ROUNDS)

    def _checked(self, numerals: Sequence[int], minimum: int) -> list[int]:
        checked: list[int] = []
        try:
            checked = list(map(index, numerals))
            valid = all(0 <= numeral < self.radix for numeral in checked)
        except TypeError:
            valid = False
        length = len(checked)
        del numerals
        if not valid:
            del checked
            raise DomainError(
                f"a string in radix {self.radix} is a sequence of integers from 0 to "
                f"{self.radix - 1}"
            )
        if length < minimum:
            del checked
            raise DomainError(
                f"at least {minimum} numerals in radix {self.radix} are needed, got {length}",
                minimum=minimum,
                length=length,
            )
        return checked

    def __repr__(self) -> str:
        return f"FFX(radix={self.radix}, redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


def check_host() -> None:
    """
    Refuse a host on which pyffx computes something else, or nothing.

    Raises:
        DomainError: If its bytes stand in the other order, or it is in FIPS mode.
    """
    if sys.byteorder != "little":
        raise DomainError(
            "pyffx's results depend on the order of bytes: this host is big-endian, and the data "
            "is read on a little-endian one"
        )
    if fips_mode():
        raise DomainError("pyffx encrypts by HMAC-SHA-1, which FIPS mode does not have")


def fips_mode() -> bool:
    """
    Tell whether Python's OpenSSL is in FIPS mode.
    """
    try:
        from _hashlib import get_fips_mode
    except ImportError:
        return False
    return bool(get_fips_mode())
