"""
Numbers of payment cards.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.spelling import fill, read_text, split
from privkit.formats.values import plain

CARD: Final = re.compile("[0-9](?:[ -]*[0-9]){11,18}")

LONGEST: Final = 19
"""Digits of a card number, by ISO/IEC 7812-1."""

SHORTEST_FOR_EIGHT: Final = 16
"""Digits of a card number of which eight leading ones may stay beside the last four."""

DOUBLED: Final = str.maketrans("0123456789", "0246813579")
"""The digit sum of twice each digit, as Luhn's algorithm has it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    Card numbers of 12 to 19 digits with the right check digit.

    Digits are replaced where they stand, so blanks and hyphens stay. Text stays text, and an
    integer stays an integer.

    Args:
        bin: How many leading digits are kept, 6 or 8. They name the brand and the issuer.

        last: How many of the last digits are kept, 4 or 0.

    Keeps:
        The leading digits, and with them the brand and the issuer; the last four, unless
        ``last=0``; the number of digits; the separators. Luhn's check digit is right.

    Reveals:
        All that it keeps. It is as much as PCI DSS FAQ 1091 lets a truncated number show: 6 and 4
        digits, or 8 and 4 from 16 digits up. Beside a truncation or a hash of the same card that
        shows other digits, it reveals more.

    Domain:
        10**(digits - *bin* - *last* - 1): Luhn's algorithm decides one digit. That is 10**5 for
        16 digits that keep 6 and 4, 10**3 for 8 and 4, and 10**9 for 6 and none.

    Source:
        ISO/IEC 7812-1:2017, Annex B (Luhn's algorithm). PCI SSC, FAQ 1091.

    Raises:
        DomainError: If *bin* is neither 6 nor 8, or *last* is neither 4 nor 0.

    .. versionadded:: 0.1
    """

    bin: Literal[6, 8] = 6
    last: Literal[4, 0] = 4

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "card"
    many_kept: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if type(self.bin) is not int or self.bin not in {6, 8}:
            raise DomainError("bin is 6 or 8 digits")
        if type(self.last) is not int or self.last not in {4, 0}:
            raise DomainError("last is 4 or 0 digits")

    def parse(self, value: object, /) -> Parsed:
        """
        Take a card number apart.

        Raises:
            DomainError: If it is no text of 12 to 19 digits with blanks or hyphens in between and
                no such integer, its check digit is wrong, or it is too short to keep 8 digits.
        """
        digits, template = _read(value)
        length = len(digits)
        if self.bin == 8 and length < SHORTEST_FOR_EIGHT:  # noqa: PLR2004 - an option's choice
            raise DomainError(
                f"a card number keeps 8 leading digits only from {SHORTEST_FOR_EIGHT} digits up, "
                f"got {length}: keep 6",
                length=length,
            )
        if luhn(digits):
            raise DomainError("the check digit of the card number is wrong", length=length)
        end = length - self.last
        first, middle, last = digits[: self.bin], digits[self.bin : end], digits[end:]
        return Parsed(
            number=int(middle[:-1]),
            size=10 ** (len(middle) - 1),
            kept=f"{length} {first} {last}",
            spelling=template,
        )

    def render(self, parsed: Parsed, number: int, /) -> str | int:
        """
        Write the card number that keeps what *parsed* keeps.
        """
        length, first, last = parsed.kept.split(" ")
        middle = f"{number:0{int(length) - len(first) - len(last) - 1}d}"
        # The last of the replaced digits makes the sum right. It stands where digits count once.
        solved = -luhn(f"{first}{middle}0{last}") % 10
        digits = f"{first}{middle}{solved}{last}"
        return fill(parsed.spelling, digits) if isinstance(parsed.spelling, str) else int(digits)


def _read(value: object) -> tuple[str, str | None]:
    """
    Return the digits of a card number, and the template of a text.
    """
    value = plain(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 10**11 <= value < 10**LONGEST:
            raise DomainError(f"a card number has 12 to {LONGEST} digits", maximum=LONGEST)
        return str(value), None
    text = read_text(value, "a card number")
    if not CARD.fullmatch(text):
        raise DomainError(
            f"a card number has 12 to {LONGEST} digits, with blanks or hyphens in between, "
            f"got {len(text)} characters",
            length=len(text),
        )
    return split(text, " -")


def luhn(digits: str) -> int:
    """
    Return Luhn's sum, modulo 10. It is 0 if the check digit is right.
    """
    single, double = digits[::-2].encode(), digits[-2::-2].translate(DOUBLED).encode()
    return (sum(single) + sum(double) - ord("0") * len(digits)) % 10
