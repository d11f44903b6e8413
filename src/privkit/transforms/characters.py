"""
Pick the characters of an alphabet, encipher them, and put the text together again.
"""

from collections.abc import Callable, Sequence
from typing import Final, NoReturn, Protocol, TypeAlias, final

from privkit.ciphers.ff1 import FF1, MIN_DOMAIN_SIZE, shortest
from privkit.ciphers.ffx import FFX
from privkit.ciphers.numerals import number_of, numerals_of
from privkit.ciphers.permutation import Permutation
from privkit.errors import DomainError
from privkit.formats.alphabet import DIGITS, LETTERS, Alphabet, Script
from privkit.formats.text import plain_text

TO_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", LETTERS.symbols)
"""ASCII alone: ``str.lower`` makes a k of the Kelvin sign, which is not in the alphabet."""

MAX_INT_DIGITS: Final = 640
"""Digits that Python reads as an integer whatever limit it was started with."""

Crypt: TypeAlias = Callable[[Sequence[int], bytes], list[int]]


class NumeralCipher(Protocol):
    """
    What enciphers strings of numerals.
    """

    def encrypt(self, numerals: Sequence[int], tweak: bytes, /) -> list[int]:
        """
        Return as many numerals.
        """
        ...

    def decrypt(self, numerals: Sequence[int], tweak: bytes, /) -> list[int]:
        """
        Return the numerals that were encrypted.
        """
        ...


@final
class CharacterCipher:
    """
    Encipher the characters of a text that are in an alphabet. The others stay where they are.

    Args:
        alphabet: The characters.

        cipher: What enciphers their numerals, where there are 1,000,000 strings or more.

        small: What enciphers them where there are fewer; ``None`` refuses that.

        folds: Whether upper-case letters count as lower-case ones and stay upper-case.

        keep_first: How many characters of the alphabet stay in clear at the start.

        keep_last: How many characters of the alphabet stay in clear at the end.

        max_length: The longest text.
    """

    __slots__ = (
        "_cipher",
        "_direct",
        "_encrypt_number",
        "_folds",
        "_keep_first",
        "_keep_last",
        "_max_length",
        "_minimum",
        "_radix",
        "_script",
        "_small",
    )

    def __init__(
        self,
        alphabet: Alphabet,
        cipher: NumeralCipher,
        small: NumeralCipher | None,
        *,
        folds: bool,
        keep_first: int,
        keep_last: int,
        max_length: int,
    ) -> None:
        self._cipher = cipher
        self._small = small
        self._folds = folds
        self._keep_first = keep_first
        self._keep_last = keep_last
        self._max_length = max_length
        self._radix = alphabet.radix
        self._script = Script(alphabet)
        self._minimum = shortest(alphabet.radix)
        # Lengths of texts of digits that can go through as one integer.
        self._direct = range(0)
        if isinstance(cipher, FF1) and alphabet == DIGITS and not keep_first and not keep_last:
            self._direct = range(self._minimum, min(max_length, MAX_INT_DIGITS) + 1)
            self._encrypt_number = cipher.encrypt_number

    def encrypt(self, value: object, /) -> str:
        """
        Return the text that stands for *value*.

        Raises:
            DomainError: If it is no text, too long, or too short.
        """
        if type(value) is str:
            length = len(value)
            if length in self._direct and value.isdigit() and value.isascii():
                return f"{self._encrypt_number(int(value), length):0{length}}"
        small = None if self._small is None else self._small.encrypt
        return self._replace(value, self._cipher.encrypt, small)

    def decrypt(self, value: object, /) -> str:
        """
        Return the text for which *value* stands.

        Raises:
            DomainError: As `encrypt`.
        """
        small = None if self._small is None else self._small.decrypt
        return self._replace(value, self._cipher.decrypt, small)

    def _replace(self, value: object, crypt: Crypt, crypt_small: Crypt | None) -> str:
        if not isinstance(value, str):
            raise DomainError(
                f"FormatPreserving reads text, got {type(value).__name__}: declare the column as "
                "text, so that leading zeros are kept, or take the format 'integer'"
            )
        if len(value) > self._max_length:
            raise DomainError(
                f"a value has at most {self._max_length:,} characters, got {len(value):,}",
                maximum=self._max_length,
            )
        value = plain_text(value)
        folded = value.translate(TO_LOWER) if self._folds else value
        picked = self._script.pick(folded)
        start, end = self._keep_first, len(picked) - self._keep_last
        if end - start < self._minimum:
            if crypt_small is None:
                self._refuse_small(len(picked))
            if end <= start:
                self._refuse_empty(len(picked))
            crypt = crypt_small
        first, middle, last = picked[:start], picked[start:end], picked[end:]
        numerals = crypt(self._script.read(middle), _tweak(first, last))
        result = first + self._script.write(numerals) + last
        if len(picked) < len(value):
            rest = iter(result)
            result = "".join([next(rest) if c in self._script else c for c in folded])
        if folded != value:
            pairs = zip(result, value, folded, strict=True)
            result = "".join([new if old == low else new.upper() for new, old, low in pairs])
        return result

    def _refuse_small(self, length: int) -> NoReturn:
        kept = self._keep_first + self._keep_last
        raise DomainError(
            f"fewer than {MIN_DOMAIN_SIZE:,} values are possible: {self._minimum} characters of an "
            f"alphabet of {self._radix} are needed{self._beside()}, got {length}; use Token, "
            f"Encrypt or Truncate, {'keep fewer characters, ' if kept else ''}or accept it with "
            'small_domain="reason"',
            minimum=self._minimum + kept,
            length=length,
        )

    def _refuse_empty(self, length: int) -> NoReturn:
        raise DomainError(
            f"at least 1 character of an alphabet of {self._radix} is needed{self._beside()}, "
            f"got {length}",
            minimum=1 + self._keep_first + self._keep_last,
            length=length,
        )

    def _beside(self) -> str:
        kept = self._keep_first + self._keep_last
        return f" beside {kept} that are kept" if kept else ""

    def __repr__(self) -> str:
        return f"CharacterCipher(radix={self._radix}, redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("a cipher holds a key, so it cannot be pickled or copied")


@final
class FewNumerals:
    """
    Encipher short strings of numerals by a permutation of all strings of their length.

    Args:
        permutation: What permutes the numbers that the strings stand for.

        radix: How many numerals there are.
    """

    __slots__ = ("_permutation", "_radix")

    def __init__(self, permutation: Permutation, radix: int) -> None:
        self._permutation = permutation
        self._radix = radix

    def encrypt(self, numerals: Sequence[int], tweak: bytes, /) -> list[int]:
        """
        Return as many numerals.
        """
        return self._permute(self._permutation.encrypt, numerals, tweak)

    def decrypt(self, numerals: Sequence[int], tweak: bytes, /) -> list[int]:
        """
        Return the numerals that were encrypted.
        """
        return self._permute(self._permutation.decrypt, numerals, tweak)

    def _permute(
        self, permute: Callable[..., int], numerals: Sequence[int], tweak: bytes
    ) -> list[int]:
        length = len(numerals)
        number = permute(
            number_of(numerals, self._radix),
            size=self._radix**length,
            # No format has a name with a colon.
            context=f"alphabet: {self._radix} {length} ".encode() + tweak,
        )
        return numerals_of(number, self._radix, length)


@final
class WithoutTweak:
    """
    pyffx, which has no tweak: what is kept does not matter to what is not.
    """

    __slots__ = ("_cipher",)

    def __init__(self, cipher: FFX) -> None:
        self._cipher = cipher

    def encrypt(self, numerals: Sequence[int], _tweak: bytes, /) -> list[int]:
        """
        Return as many numerals.
        """
        return self._cipher.encrypt(numerals)

    def decrypt(self, numerals: Sequence[int], _tweak: bytes, /) -> list[int]:
        """
        Return the numerals that were encrypted.
        """
        return self._cipher.decrypt(numerals)


def _tweak(first: str, last: str) -> bytes:
    if not first and not last:
        return b""
    start = first.encode()
    return len(start).to_bytes(4) + start + last.encode()
