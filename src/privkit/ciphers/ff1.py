"""
FF1: encryption of strings of numerals into strings of the same length and radix.

Source:
    NIST SP 800-38G (March 2016), section 5.1, Algorithms 6 to 8. It asks for at least 100
    possible strings. The second public draft of its first revision (3 February 2025) asks for
    1,000,000.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from operator import index
from typing import Final, NamedTuple, NoReturn, Self, TypeAlias, final

from privkit.ciphers.numerals import number_of, numerals_of
from privkit.ciphers.per_thread import PerThread
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from privkit.typing import Secret

KEY_SIZES: Final = (16, 24, 32)
BLOCK_SIZE: Final = 16
ROUNDS: Final = 10
MIN_RADIX: Final = 2
MAX_RADIX: Final = 2**16
LIMIT: Final = 2**32
"""Numerals of a string, and bytes of a tweak, are fewer."""

MIN_DOMAIN_SIZE: Final = 1_000_000
LEAST_DOMAIN_SIZE: Final = 100
MAX_SHAPES: Final = 256

PRF: TypeAlias = Callable[[bytes], bytes]
"""From whole blocks to whole blocks. AES itself is one, on each block of its own."""

Round: TypeAlias = tuple[int, int]
"""What half of the string is xored into, so that it is Q; and the modulus."""


def half_bytes(radix: int, length: int) -> int:
    """
    Bytes that hold any *length*-numeral number in *radix*.

    Source:
        SP 800-38G, Algorithm 7, step 3. Computed on integers: the standard's logarithm is exact
        there and would not be here.
    """
    largest: int = radix**length - 1
    return (largest.bit_length() + 7) // 8


def shortest(radix: int, min_domain_size: int = MIN_DOMAIN_SIZE) -> int:
    """
    Numerals that a string needs at least, so that there are *min_domain_size* such strings.

    Source:
        SP 800-38G, section 5.1: minlen, which is never below 2.
    """
    length = 2
    while radix**length < min_domain_size:
        length += 1
    return length


class Shape(NamedTuple):
    """
    What the rounds owe to the length of the string and of the tweak, but to no content.

    Q is the tweak, padding, the number of the round and half of the string. Only its last blocks,
    those that the number and the half lie in, differ from round to round: *width* bytes.
    """

    rounds: list[Round]
    """For an all-zero tweak."""

    split: int
    """Where a string, as a number, is split into halves."""

    state: int
    """AES(P): the state of the CBC-MAC before Q."""

    padding: int
    lead: int
    """Bytes of Q before the last blocks."""

    width: int
    number_bits: int
    """Bits of Q after the tweak and the padding."""

    extra: int
    """Blocks of S beyond R."""

    shift: int
    """Bits of these blocks beyond the d bytes that count."""


@final
class FF1:
    """
    Encrypt strings of numerals under one AES key.

    It authenticates nothing: under another key or tweak, or of other numerals, `decrypt` returns
    another string of the same shape. Threads and forked processes may share it.

    Args:
        key: 16, 24 or 32 bytes, for AES-128, AES-192 or AES-256.

        radix: How many numerals there are, 2 to 65,536.

        min_domain_size: Strings are refused that are so short that there are fewer than this
            many, at least 100. Below the default, an attacker with enough examples can win.

    Source:
        SP 800-38G, Algorithms 7 and 8. Both halves stay integers throughout, and what is constant
        is computed once: section 6 permits any equivalent sequence of steps.

    Raises:
        KeyMaterialError: If the key has another size.

        DomainError: If *radix* or *min_domain_size* is out of range.
    """

    __slots__ = ("_shapes", "_thread", "_valid", "min_domain_size", "radix")

    def __init__(self, key: bytes, radix: int, *, min_domain_size: int = MIN_DOMAIN_SIZE) -> None:
        secret = SecretBytes(key)
        del key
        self.radix: Final = radix
        self.min_domain_size: Final = min_domain_size
        if not isinstance(secret.expose(), bytes) or len(secret) not in KEY_SIZES:
            raise KeyMaterialError("an AES key is 16, 24 or 32 bytes")
        if type(radix) is not int or not MIN_RADIX <= radix <= MAX_RADIX:
            raise DomainError(
                f"a radix is an integer from {MIN_RADIX} to {MAX_RADIX:,}",
                minimum=MIN_RADIX,
                maximum=MAX_RADIX,
            )
        if type(min_domain_size) is not int or min_domain_size < LEAST_DOMAIN_SIZE:
            raise DomainError(
                f"a minimum domain size is an integer from {LEAST_DOMAIN_SIZE}",
                minimum=LEAST_DOMAIN_SIZE,
            )
        self._valid = bytes(range(min(radix, 256)))
        self._thread = PerThread(partial(_aes, secret))
        self._shapes: dict[tuple[int, int], Shape] = {}

    @classmethod
    def from_secret(
        cls, secret: Secret, radix: int, *, min_domain_size: int = MIN_DOMAIN_SIZE
    ) -> Self:
        """
        Return the cipher under a key that is held in a secret.
        """
        return cls(secret.expose(), radix, min_domain_size=min_domain_size)

    def encrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """
        Return the encrypted string: as many numerals, in the same radix.

        Args:
            numerals: Integers from 0 to *radix* - 1.

            tweak: Any bytes. They are public, and the same are needed to decrypt.

        Raises:
            DomainError: If a numeral is out of range, or the string is too short.
        """
        string = self._checked(numerals, tweak)
        length = len(string)
        x = self.encrypt_number(number_of(string, self.radix), length, tweak)
        return numerals_of(x, self.radix, length)

    def decrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """
        Return the string whose encryption under the same tweak is *numerals*.

        Raises:
            DomainError: If a numeral is out of range, or the string is too short.
        """
        string = self._checked(numerals, tweak)
        length = len(string)
        x = self.decrypt_number(number_of(string, self.radix), length, tweak)
        return numerals_of(x, self.radix, length)

    def encrypt_number(self, x: int, length: int, tweak: bytes = b"") -> int:
        """
        Encrypt a string given as the number that it stands for, with nothing checked but *length*.

        Args:
            x: From 0 to ``radix**length - 1``.

            length: How many numerals the string has, leading zeros included.

            tweak: Any bytes.

        Raises:
            DomainError: If *length* is too short.
        """
        rounds, split, prf, width, shift = self._rounds(length, tweak)
        from_bytes = int.from_bytes
        a, b = divmod(x, split)  # Step 2
        for constant, modulus in rounds:  # Step 6
            y = from_bytes(prf((constant ^ b).to_bytes(width))) >> shift
            a, b = b, (a + y) % modulus
        return a * split + b

    def decrypt_number(self, x: int, length: int, tweak: bytes = b"") -> int:
        """
        Undo `encrypt_number`.
        """
        rounds, split, prf, width, shift = self._rounds(length, tweak)
        from_bytes = int.from_bytes
        a, b = divmod(x, split)
        for constant, modulus in reversed(rounds):
            y = from_bytes(prf((constant ^ a).to_bytes(width))) >> shift
            a, b = (b - y) % modulus, a
        return a * split + b

    def _rounds(self, length: int, tweak: bytes) -> tuple[list[Round], int, PRF, int, int]:
        shape = self._shapes.get((length, len(tweak))) or self._shape(length, len(tweak))
        rounds, split, state, padding, lead, width, number_bits, extra, shift = shape
        encipher = self._thread.cipher
        if tweak:
            # Its whole blocks go into the CBC-MAC once. What is left shares a block with a half.
            blocks = tweak + bytes(padding)
            mask = int.from_bytes(blocks[lead:]) << number_bits
            state ^= int.from_bytes(cbc_mac(encipher, blocks[:lead], state))
            mask ^= state << 8 * (width - BLOCK_SIZE)
            rounds = [(constant ^ mask, modulus) for constant, modulus in rounds]
        if extra or width > BLOCK_SIZE:
            return rounds, split, partial(stretched_mac, encipher, extra), width, shift
        return rounds, split, encipher, width, shift

    def _shape(self, length: int, tweak_size: int) -> Shape:
        radix = self.radix
        minimum = shortest(radix, self.min_domain_size)
        if length < minimum:
            raise DomainError(
                f"{length} numerals in radix {radix} have fewer than {self.min_domain_size:,} "
                f"possible values: at least {minimum} are needed",
                length=length,
                minimum=minimum,
            )
        if max(length, tweak_size) >= LIMIT:
            raise DomainError("a string and a tweak are shorter than 2**32")
        u = length // 2  # Step 1
        v = length - u
        b = half_bytes(radix, v)  # Step 3
        d = 4 * ((b + 3) // 4) + 4  # Step 4
        p = (  # Step 5
            b"\x01\x02\x01"
            + radix.to_bytes(3)
            + bytes((ROUNDS, u % 256))
            + length.to_bytes(4)
            + tweak_size.to_bytes(4)
        )
        state = int.from_bytes(self._thread.cipher(p))
        padding = (-tweak_size - b - 1) % BLOCK_SIZE  # Step 6.i
        width = b + BLOCK_SIZE - b % BLOCK_SIZE
        extra = (d - 1) // BLOCK_SIZE
        split = radix**v
        moduli = cycle((radix**u, split))  # Step 6.v
        constant = state << 8 * (width - BLOCK_SIZE)
        shape = Shape(
            rounds=[(constant ^ i << 8 * b, next(moduli)) for i in range(ROUNDS)],
            split=split,
            state=state,
            padding=padding,
            lead=tweak_size + padding + 1 + b - width,
            width=width,
            number_bits=8 * (b + 1),
            extra=extra,
            shift=8 * (BLOCK_SIZE * (1 + extra) - d),
        )
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        # Both lengths are in P, so both are in the key.
        self._shapes[length, tweak_size] = shape
        return shape

    def _checked(self, string: Sequence[int], tweak: bytes) -> Sequence[int]:
        if not isinstance(tweak, bytes):
            raise DomainError(f"a tweak is bytes, got {type(tweak).__name__}")
        checked: Sequence[int] = ()
        try:
            if self.radix <= len(self._valid):
                checked = bytes(list(string))
                valid = not checked.translate(None, self._valid)
            else:
                checked = list(map(index, string))
                valid = not checked or (0 <= min(checked) and max(checked) < self.radix)
        except (TypeError, ValueError):
            valid = False
        if not valid:
            kind = type(string).__name__
            del string, checked
            raise DomainError(
                f"a string in radix {self.radix} is a sequence of integers from 0 to "
                f"{self.radix - 1}, got a {kind} with something else"
            )
        return checked

    def __repr__(self) -> str:
        return f"FF1(radix={self.radix}, min_domain_size={self.min_domain_size})"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("a cipher holds a key, so it cannot be pickled or copied")


def _aes(secret: SecretBytes) -> PRF:
    # Imported late: OpenSSL's bindings are most of the cost of importing privkit.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    # One block is one call: the chaining, where there is any, is FF1's own.
    return Cipher(AES(secret.expose()), ECB()).encryptor().update  # noqa: S305


def cbc_mac(encipher: PRF, blocks: bytes, state: int = 0) -> bytes:
    """
    Return the CBC-MAC of whole blocks.

    Source:
        SP 800-38G, Algorithm 6: PRF(X).
    """
    for start in range(0, len(blocks), BLOCK_SIZE):
        state ^= int.from_bytes(blocks[start : start + BLOCK_SIZE])
        state = int.from_bytes(encipher(state.to_bytes(BLOCK_SIZE)))
    return state.to_bytes(BLOCK_SIZE)


def stretched_mac(encipher: PRF, extra: int, blocks: bytes) -> bytes:
    """
    Return the CBC-MAC of whole blocks, with *extra* blocks that are made from it.

    Source:
        SP 800-38G, Algorithm 7, steps 6.ii and 6.iii.
    """
    r = cbc_mac(encipher, blocks)
    stem = int.from_bytes(r)
    return r + encipher(b"".join((stem ^ j).to_bytes(BLOCK_SIZE) for j in range(1, extra + 1)))
