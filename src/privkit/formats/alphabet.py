"""
Alphabets: characters in an order, each standing for a numeral.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, final

from privkit.errors import DomainError
from privkit.formats.text import is_own

MIN_RADIX: Final = 2
MAX_RADIX: Final = 2**16
SURROGATES: Final = range(0xD800, 0xE000)


@final
@dataclass(frozen=True, slots=True)
class Alphabet:
    """
    The characters that a text is made of. Their order counts: another order is another mapping.

    Args:
        symbols: 2 to 65,536 different Unicode characters. A letter with an accent can be written
            in two ways, so normalize text before it meets an alphabet that has some.

    Raises:
        DomainError: If there are too few or too many, one stands there twice, or one is half of
            a surrogate pair.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "strict": True,
        # A policy file says format = {alphabet = "0123"}.
        "alias_generator": {"symbols": "alphabet"}.get,
    }

    symbols: str

    def __post_init__(self) -> None:
        if not is_own(self.symbols):
            raise DomainError(f"an alphabet is text, got {type(self.symbols).__name__}")
        if not MIN_RADIX <= self.radix <= MAX_RADIX:
            raise DomainError(
                f"an alphabet has {MIN_RADIX} to {MAX_RADIX:,} symbols, got {self.radix:,}",
                minimum=MIN_RADIX,
                maximum=MAX_RADIX,
            )
        repeated = self.radix - len(set(self.symbols))
        if repeated:
            raise DomainError(f"an alphabet has each symbol once, got {repeated} again")
        if any(ord(symbol) in SURROGATES for symbol in self.symbols):
            raise DomainError("a symbol is a whole character, got half of a surrogate pair")

    @property
    def radix(self) -> int:
        """
        How many symbols there are.
        """
        return len(self.symbols)


DIGITS: Final = Alphabet("0123456789")
LETTERS: Final = Alphabet("abcdefghijklmnopqrstuvwxyz")
ALPHANUMERIC: Final = Alphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@final
class Script:
    """
    Read and write text over an alphabet: text to numerals, and numerals to text.

    Args:
        alphabet: Its symbols, in the order of their numerals.
    """

    __slots__ = ("_numerals", "_symbols", "_to_numerals", "_to_text")

    def __init__(self, alphabet: Alphabet, /) -> None:
        symbols = alphabet.symbols
        self._symbols = symbols
        self._numerals = {symbol: numeral for numeral, symbol in enumerate(symbols)}
        self._to_numerals = self._to_text = b""
        if symbols.isascii():
            # Bytes are translated all at once, many times faster than one by one.
            codes = symbols.encode()
            self._to_numerals = bytes(max(codes.find(code), 0) for code in range(256))
            self._to_text = codes.ljust(256)

    def __contains__(self, character: str) -> bool:
        return character in self._numerals

    def pick(self, text: str, /) -> str:
        """
        Return the characters of a text that are in the alphabet.
        """
        return "".join(filter(self._numerals.__contains__, text))

    def read(self, text: str, /) -> Sequence[int]:
        """
        Return the numeral of each character, all of which are in the alphabet.
        """
        if self._to_numerals:
            return text.encode().translate(self._to_numerals)
        return [self._numerals[character] for character in text]

    def write(self, numerals: Sequence[int], /) -> str:
        """
        Return the character of each numeral, all of which are below the radix.
        """
        if self._to_text:
            return bytes(numerals).translate(self._to_text).decode()
        return "".join([self._symbols[numeral] for numeral in numerals])
