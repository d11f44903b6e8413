"""
A permutation of few numbers without a table, as close to a random one as can be proved.

The sometimes-recurse shuffle with swap-or-not inside: each number is enciphered by itself, and
still an attacker who has all pairs but two cannot tell which of the two is which.

Source:
    Morris and Rogaway, "Sometimes-Recurse Shuffle: Almost-Random Permutations in Logarithmic
    Expected Time", EUROCRYPT 2014. Hoang, Morris and Rogaway, "An Enciphering Scheme Based on a
    Card Shuffle", CRYPTO 2012, on the group of k-bit strings under exclusive or. Cycle walking:
    Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.

The shuffle. Level k permutes n = 2**k positions by r = 448 rounds of swap-or-not. Round i takes a
string K from the key, and x becomes x ^ K or stays by one random bit for each pair {x, x ^ K}.
Then the lower half of the positions is permuted by level k - 1, and so on, until 2**10 positions
are permuted exactly, as `privkit.ciphers.permutation` does. A number leaves as soon as it is in
the upper half: it passes two levels on average. Of N numbers, up to 1,024 are permuted exactly;
for more, k is the bit length of N - 1, and the shuffle is repeated until the image is below N,
less than twice on average. Both keep a uniform permutation uniform.

The bound. Let q = n / 2. Take the positions of the upper half one after the other, and follow
each backwards through the rounds. Given K of all rounds and the ways of the first j of them, let
p be the distribution of the next over the m = n - j positions left to it, and s the sum of
(p(x) - 1/m)**2. In one round x meets any other of these positions with probability 1/n each, and
then both average, so the expected s is multiplied by 1 - m / 2n = (n + j) / 2n. From s <= 1, and
by Cauchy-Schwarz and Jensen, the total variation distance to uniform after r rounds is at most
sqrt(n) / 2 * ((n + j) / 2n)**(r / 2); the sum over j < q is at most the bound of CRYPTO 2012::

    2 n**1.5 / (r + 2) * ((q + n) / 2n)**(r/2 + 1)  =  2 n**1.5 / (r + 2) * (3/4)**(r/2 + 1)

If the upper half comes from uniform places, and what is left is permuted uniformly, the whole is
uniform. So distances of levels add up, and no attacker gains more than their sum, whatever the
N pairs are that he chooses, forwards or backwards (EUROCRYPT 2014). In eight rounds at a time,
the strings K are drawn until they are linearly independent: that has probability P, the product
of 1 - 2**(i - k) for i < 8, so the expected distance grows at most by 1 / P for each eight. With
that, the levels from 11 to 20, enough for 10**6 numbers, are together within 2**-70 of uniform,
and those up to 24 within 2**-64: for one context, and for q = N.

Why eight. The eight strings span 256 positions, which stay together for eight rounds. An
invertible matrix takes the strings to the last eight bits of the position; so one call of AES on
16 blocks gives all random bits that a number can need in these rounds. The matrices are of the
key, not of the context: the distance is on average over K, given K, and each context has bits of
its own, so contexts add up like levels. What remains rests on AES-256 and HMAC: 10**6 numbers of
one context need fewer than 2**23 blocks under one key, and because AES never gives a block twice,
these differ by less than 2**-83 from random ones.
"""

from array import array
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn, TypeAlias, final

from privkit.ciphers.permutation import (
    MAX_BITS,
    Draw,
    check_domain,
    check_number,
    distinct,
    key_stream,
    subkey,
)
from privkit.ciphers.prf import HMACSHA256
from privkit.ciphers.walk import walk
from privkit.typing import Secret

BASE: Final = 10
"""Up to 2**10 numbers are permuted by sorting as many keys."""

STEPS: Final = 56
"""Eight rounds each. Frozen, like all of this module: it decides which image a number has."""

SWAPS: Final = (1, 2, 4, 8, 16, 32, 64, 128)
SWAPS_BACK: Final = SWAPS[::-1]

COUNTERS: Final = (b"", *(bytes([i]) for i in range(16)))
"""
Last bytes of the 16 blocks that give the random bits of one step: a byte for each of 256
positions, a bit for each swap. What the blocks have in common is joined with them.
"""

Encipher: TypeAlias = Callable[[bytes], bytes]
Columns: TypeAlias = list[int]
"""An invertible matrix over two elements: the image of each bit, the last bit first."""


class Step(NamedTuple):
    """
    A matrix, as what it does to each byte of a position, and the number of the step.
    """

    low: "array[int]"
    middle: "array[int]"
    high: "array[int]"
    head: int
    """Level and step, where they stand in a block for AES. The last 24 bits are the position's."""


@final
class SometimesRecurse:
    """
    Permute the integers from 0 to ``size - 1``, by another permutation for each context.

    Choose it where there is another context at nearly each value, such as the kept digits of
    cards. Choose `privkit.ciphers.permutation.TableCache` where contexts come again. Up to 1,024
    numbers, both give the same images.

    A context costs nothing to set up; a size costs once, when its first number comes, some
    milliseconds for the matrices. One object serves all threads and forked processes.

    Args:
        secret: 32 uniform bytes.

    Raises:
        KeyMaterialError: If *secret* is not 32 bytes.
    """

    __slots__ = ("_mac", "_matrices", "_steps", "_steps_back")

    def __init__(self, secret: Secret, /) -> None:
        self._mac = HMACSHA256(secret)
        self._matrices: dict[int, list[Columns]] = {}
        self._steps: dict[int, list[Step]] = {}
        self._steps_back: dict[int, list[Step]] = {}

    def encrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the image of *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``, *size* is not from
                2 to 2**24, or *context* is not bytes.
        """
        check_domain(size, context, bits=MAX_BITS)
        check_number(number, size)
        if size <= 1 << BASE:
            keys = distinct(self._draw(b"table", size, context), size)
            return sum(map(keys[number].__gt__, keys))
        encipher = self._encipher(size, context)

        def shuffle(position: int) -> int:
            for level in range((size - 1).bit_length(), BASE, -1):
                steps = self._steps.get(level) or self._forwards(level)
                position = _mix(encipher, steps, position)
                if position >> level - 1:
                    return position
            keys = distinct(self._draw(b"base", size, context), 1 << BASE)
            return sum(map(keys[position].__gt__, keys))

        return walk(shuffle, number, size)

    def decrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the integer whose image is *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``, *size* is not from
                2 to 2**24, or *context* is not bytes.
        """
        check_domain(size, context, bits=MAX_BITS)
        check_number(number, size)
        if size <= 1 << BASE:
            keys = distinct(self._draw(b"table", size, context), size)
            return keys.index(sorted(keys)[number])
        encipher = self._encipher(size, context)

        def unshuffle(position: int) -> int:
            # How many bits an image has tells at which level it left.
            last = max(position.bit_length(), BASE + 1)
            if not position >> BASE:
                keys = distinct(self._draw(b"base", size, context), 1 << BASE)
                position = keys.index(sorted(keys)[position])
            for level in range(last, (size - 1).bit_length() + 1):
                steps = self._steps_back.get(level) or self._backwards(level)
                position = _unmix(encipher, steps, position)
            return position

        return walk(unshuffle, number, size)

    def _draw(self, purpose: bytes, size: int, context: bytes) -> Draw:
        return key_stream(subkey(self._mac, purpose, size, context))

    def _encipher(self, size: int, context: bytes) -> Encipher:
        # Imported late: OpenSSL's bindings are most of the cost of importing privkit.
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import ECB

        # A function from the number of a block to random bits: no two blocks are equal.
        aes = AES(subkey(self._mac, b"shuffle", size, context).expose())
        return Cipher(aes, ECB()).encryptor().update  # noqa: S305

    def _drawn(self, level: int) -> list[Columns]:
        matrices = self._matrices.get(level)
        if matrices is None:
            draw = key_stream(subkey(self._mac, b"matrices", level))
            matrices = [drawn_matrix(draw, level) for _ in range(STEPS)]
            self._matrices[level] = matrices
        return matrices

    def _forwards(self, level: int) -> list[Step]:
        steps = [_step(columns, level, i) for i, columns in enumerate(self._drawn(level))]
        self._steps[level] = steps
        return steps

    def _backwards(self, level: int) -> list[Step]:
        steps = [_step(inverse(columns), level, i) for i, columns in enumerate(self._drawn(level))]
        self._steps_back[level] = steps[::-1]
        return steps[::-1]

    def __repr__(self) -> str:
        return "SometimesRecurse(redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


def _mix(encipher: Encipher, steps: list[Step], position: int) -> int:
    """
    In each step, move a position by a matrix, and then swap it eight times or not.

    Bit i of a byte of the stream is round i's, and the byte is that of the pair's upper position.
    """
    for low, middle, high, head in steps:
        position = low[position & 255] ^ middle[position >> 8 & 255] ^ high[position >> 16]
        rest = position & ~255
        stream = encipher((head | rest >> 8).to_bytes(15).join(COUNTERS))
        last = position & 255
        for swap in SWAPS:
            if stream[last | swap] & swap:
                last ^= swap
        position = rest | last
    return position


def _unmix(encipher: Encipher, steps: list[Step], position: int) -> int:
    """
    Undo `_mix`, given the inverse matrices, the last first.
    """
    for low, middle, high, head in steps:
        rest = position & ~255
        stream = encipher((head | rest >> 8).to_bytes(15).join(COUNTERS))
        last = position & 255
        for swap in SWAPS_BACK:
            if stream[last | swap] & swap:
                last ^= swap
        position = rest | last
        position = low[position & 255] ^ middle[position >> 8 & 255] ^ high[position >> 16]
    return position


def _step(columns: Columns, level: int, number: int) -> Step:
    return Step(
        low=_sums(columns[:8]),
        middle=_sums(columns[8:16]),
        high=_sums(columns[16:]),
        head=level << 32 | number << 24,
    )


def _sums(columns: Columns) -> "array[int]":
    sums = [0]
    for column in columns:
        sums += [column ^ other for other in sums]
    return array("I", sums)


def drawn_matrix(draw: Draw, size: int, /) -> Columns:
    """
    Draw an invertible matrix of *size* rows, all of them equally likely.

    Each column is the first *size* bits of four bytes, and drawn again as long as those before it
    add up to it.
    """
    columns: Columns = []
    basis: dict[int, int] = {}
    while len(columns) < size:
        column = int.from_bytes(draw(4)) >> 32 - size
        rest = column
        while rest and rest.bit_length() in basis:
            rest ^= basis[rest.bit_length()]
        if rest:
            basis[rest.bit_length()] = rest
            columns.append(column)
    return columns


def inverse(columns: Columns, /) -> Columns:
    """
    Return the inverse of an invertible matrix, by Gauss and Jordan.
    """
    size = len(columns)
    pairs = [(column, 1 << i) for i, column in enumerate(columns)]
    for bit in range(size):
        pivot = next(i for i in range(bit, size) if pairs[i][0] >> bit & 1)
        pairs[bit], pairs[pivot] = pairs[pivot], pairs[bit]
        column, origin = pairs[bit]
        pairs = [
            (other ^ column, other_origin ^ origin) if i != bit and other >> bit & 1 else pair
            for i, pair in enumerate(pairs)
            for other, other_origin in (pair,)
        ]
    return [origin for _, origin in pairs]
