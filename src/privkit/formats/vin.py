"""
Vehicle identification numbers.
"""

import functools
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.places import DIGITS, rank, size, unrank
from privkit.formats.spelling import case_of, read_text

TEXT: Final = re.compile("[0-9A-HJ-NPR-Za-hj-npr-z]{17}")
LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
WORTH: Final = MappingProxyType(
    dict(zip(DIGITS, range(10), strict=True))
    | dict(
        zip(
            LETTERS,
            (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
            strict=True,
        )
    )
)
WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
CHECKS: Final = "0123456789X"
CHECK: Final = 8
"""Where the check digit stands, counted from 0."""

YEAR: Final = 9
"""Where the model year stands, counted from 0."""

MAKER: Final = 3
"""Characters of the world manufacturer identifier."""

YEAR_DIGITS: Final = "123456789"
YEAR_LETTERS: Final = "ABCDEFGHJKLMNPRSTVWXY"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VIN:
    """
    Vehicle identification numbers with the right check digit.

    Digits are replaced by digits and letters by letters, so that the serial number stays one. In
    North America and in China every number has a check digit; many European makers write something
    else in its place, and those numbers are refused.

    Args:
        wmi: Whether the first three characters are kept, which name the manufacturer.

    Keeps:
        The first three characters, if *wmi*; which characters are letters; their case, which is
        one for all.

    Reveals:
        All that it keeps. The kinds of the characters may narrow down the model.

    Domain:
        The product over the replaced characters of 10 for a digit and 23 for a letter, 9 and 21 at
        the model year: 9 * 10**12 or more beside the manufacturer.

    Source:
        49 CFR 565.15. ISO 3779:2009.

    Raises:
        DomainError: If *wmi* is neither true nor false.

    .. versionadded:: 0.1
    """

    wmi: bool = True

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "vin"
    many_kept: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if type(self.wmi) is not bool:
            raise DomainError(f"wmi is true or false, got {type(self.wmi).__name__}")

    def parse(self, value: object, /) -> Parsed:
        """
        Take a number apart.

        Raises:
            DomainError: If it is no text of 17 letters and digits without I, O and Q, its letters
                are of both cases, its model year is U, Z or 0, or its check digit is wrong.
        """
        text = read_text(value, "a VIN")
        if not TEXT.fullmatch(text):
            raise DomainError(
                f"a VIN is 17 letters and digits without I, O and Q, got {len(text)} characters",
                length=len(text),
            )
        rest = _free(text)
        lower = case_of(text, "a VIN") and not rest.isdigit()
        if text[CHECK] == "x" and not lower:
            raise DomainError("a VIN whose only letter is its check digit has it in upper case")
        text = text.upper()
        if text[YEAR] not in YEAR_DIGITS + YEAR_LETTERS:
            raise DomainError("the model year in a VIN, its 10th character, is not U, Z or 0")
        if text[CHECK] != check_digit(text):
            raise DomainError(
                "the check digit of the VIN, its 9th character, is wrong: where makers write none, "
                "take the format 'pattern'"
            )
        rest = _free(text)
        maker = rest[:MAKER] if self.wmi else ""
        kinds = "".join(["0" if character in DIGITS else "A" for character in rest[len(maker) :]])
        choices = _choices(kinds)
        return Parsed(
            number=rank(rest[len(maker) :], choices),
            size=size(choices),
            kept=f"{maker} {kinds}",
            spelling=lower,
        )

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the number that keeps what *parsed* keeps.
        """
        maker, kinds = parsed.kept.split(" ")
        rest = maker + unrank(number, _choices(kinds))
        text = f"{rest[:CHECK]}0{rest[CHECK:]}"
        text = f"{rest[:CHECK]}{check_digit(text)}{rest[CHECK:]}"
        return text.lower() if cast("bool", parsed.spelling) else text


def check_digit(text: str) -> str:
    """
    Return the check digit of a number, whatever stands in its place.
    """
    worths = [WORTH[character] for character in text]
    return CHECKS[
        sum(worth * weight for worth, weight in zip(worths, WEIGHTS, strict=True)) % len(CHECKS)
    ]


def _free(text: str) -> str:
    return text[:CHECK] + text[CHECK + 1 :]


@functools.lru_cache(maxsize=1024)
def _choices(kinds: str) -> list[str]:
    """
    Return what may stand for each of the last characters but the check digit.
    """
    choices = [DIGITS if kind == "0" else LETTERS for kind in kinds]
    year = len(kinds) - (len(WEIGHTS) - YEAR)
    choices[year] = YEAR_DIGITS if kinds[year] == "0" else YEAR_LETTERS
    return choices
