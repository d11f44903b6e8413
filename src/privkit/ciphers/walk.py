"""
Permutations of any number of integers, by FF1 and cycle walking.

Source:
    Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 3: encipher
    in a larger domain, again and again, until the image is in the smaller one.
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final, NoReturn, final

from privkit.ciphers.ff1 import FF1, MAX_RADIX, MIN_DOMAIN_SIZE
from privkit.ciphers.permutation import check_domain, check_number
from privkit.ciphers.prf import frame
from privkit.typing import Secret

MAX_BITS: Final = 2**16
MAX_CIPHERS: Final = 64


def walk(permute: Callable[[int], int], number: int, size: int, /) -> int:
    """
    Permute *number*, which is below *size*, until the image is below *size*.

    It ends, because the cycle of *number* leads back to it, and it undoes itself when *permute*
    is replaced by its inverse.
    """
    number = permute(number)
    while number >= size:
        number = permute(number)
    return number


@final
class WalkingFF1:
    """
    Permute the integers from 0 to ``size - 1`` by FF1, by another permutation for each context.

    The walk takes 1.002 calls of FF1 on average where *size* is at most 2**32, 1.016 at most up
    to 2**64, and always less than 1.07. It tells by its time how many calls it took, and so an
    attacker who measures it learns that a number between was too large, but not which.

    Args:
        secret: 16, 24 or 32 uniform bytes, for AES-128, AES-192 or AES-256.

    Source:
        SP 800-38G, Algorithms 7 and 8, over strings of an even number of numerals. Size and
        context are the tweak.

    Raises:
        KeyMaterialError: If *secret* has another size.
    """

    __slots__ = ("_ciphers", "_secret")

    def __init__(self, secret: Secret, /) -> None:
        self._secret = secret
        self._ciphers: dict[int, FF1] = {2: FF1.from_secret(secret, 2)}

    def encrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the image of *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``, *size* is not from
                1,000,000 to 2**65536, or *context* is not bytes.
        """
        cipher, length, tweak = self._prepare(number, size, context)
        return walk(partial(cipher.encrypt_number, length=length, tweak=tweak), number, size)

    def decrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the integer whose image is *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``, *size* is not from
                1,000,000 to 2**65536, or *context* is not bytes.
        """
        cipher, length, tweak = self._prepare(number, size, context)
        return walk(partial(cipher.decrypt_number, length=length, tweak=tweak), number, size)

    def _prepare(self, number: int, size: int, context: bytes) -> tuple[FF1, int, bytes]:
        check_domain(size, context, minimum=MIN_DOMAIN_SIZE, bits=MAX_BITS)
        check_number(number, size)
        radix, length = grid(size)
        cipher = self._ciphers.get(radix)
        if cipher is None:
            if len(self._ciphers) >= MAX_CIPHERS:
                self._ciphers.clear()
            cipher = self._ciphers[radix] = FF1.from_secret(self._secret, radix)
        return cipher, length, frame(size.to_bytes((size.bit_length() + 7) // 8), context)

    def __repr__(self) -> str:
        return "WalkingFF1(redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


@lru_cache(maxsize=1024)
def grid(size: int, /) -> tuple[int, int]:
    """
    Return the smallest radix, and the shortest even length, whose strings are at least *size*.

    Both halves of a string are then equally long, as is best for a Feistel network. With n
    numerals in radix r there are fewer than ``size * (r / (r - 1))**n`` strings.
    """
    length = 2
    while MAX_RADIX**length < size:
        length += 2
    return bisect_left(range(MAX_RADIX + 1), size, key=lambda radix: radix**length), length
