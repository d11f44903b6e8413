"""
Social Security numbers of the United States.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.spelling import read_text

TEXT: Final = re.compile("([0-9]{3})([- ]?)([0-9]{2})\\2([0-9]{4})")
BEAST: Final = 666
"""An area that was never assigned."""

AREAS: Final = 898
GROUPS: Final = 99
SERIALS: Final = 9999
PRINTED: Final = ((78, 5, 1120), (219, 9, 9999), (457, 55, 5462))
"""Numbers that stood on specimen cards and in advertisements. They are nobody's."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SSN:
    """
    Social Security numbers that could have been assigned.

    The area is none of 000, 666 and 900 to 999, the group is not 00 and the serial number not
    0000. Three numbers known from advertisements are refused and never come out. Text only: an
    integer would have lost its leading zeros.

    Args:
        last: How many of the last digits are kept, 0 or 4.

    Keeps:
        The serial number, which is the last four digits, if *last* is 4; the hyphens or blanks.

    Reveals:
        All that it keeps. The last four digits are what many services ask for.

    Domain:
        888,931,095, or some 88,900 beside the last four digits.

    Source:
        SSA, Program Operations Manual System, RM 10201.035 (invalid Social Security numbers).

    Raises:
        DomainError: If *last* is neither 0 nor 4.

    .. versionadded:: 0.1
    """

    last: Literal[0, 4] = 0

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "ssn"
    many_kept: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if type(self.last) is not int or self.last not in {0, 4}:
            raise DomainError("last is 0 or 4 digits")

    def parse(self, value: object, /) -> Parsed:
        """
        Take a number apart.

        Raises:
            DomainError: If it is no text of nine digits in groups of 3, 2 and 4, or could not have
                been assigned.
        """
        text = read_text(value, "a Social Security number")
        match = TEXT.fullmatch(text)
        if match is None:
            raise DomainError(
                "a Social Security number is 3, 2 and 4 digits, all with hyphens or blanks in "
                f"between or none, got {len(text)} characters",
                length=len(text),
            )
        area, group, serial = int(match[1]), int(match[3]), int(match[4])
        if area in {0, BEAST} or area > AREAS + 1 or not group or not serial:
            raise DomainError(
                "the area of a Social Security number is 001 to 899 without 666, its group not "
                "00, its serial number not 0000"
            )
        if (area, group, serial) in PRINTED:
            raise DomainError("this Social Security number is known from advertisements")
        serials = (serial,) if self.last else ()
        number = _count(area, group, serial, serials)
        size = AREAS * GROUPS * (1 if serials else SERIALS)
        left_out = _left_out(serials)
        return Parsed(
            number=number - sum(other < number for other in left_out),
            size=size - len(left_out),
            kept=match[4] if serials else "",
            spelling=match[2],
        )

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the number that keeps what *parsed* keeps.
        """
        serials = (int(parsed.kept),) if parsed.kept else ()
        for other in _left_out(serials):
            number += number >= other
        if serials:
            (serial,) = serials
        else:
            number, serial = divmod(number, SERIALS)
            serial += 1
        area, group = divmod(number, GROUPS)
        area += 1 + (area + 1 >= BEAST)
        separator = cast("str", parsed.spelling)
        return f"{area:03d}{separator}{group + 1:02d}{separator}{serial:04d}"


def _count(area: int, group: int, serial: int, serials: tuple[int, ...]) -> int:
    """
    Return how many numbers come before one, among all or among those with the same serial number.
    """
    number = (area - 1 - (area > BEAST)) * GROUPS + group - 1
    return number if serials else number * SERIALS + serial - 1


def _left_out(serials: tuple[int, ...]) -> list[int]:
    return [_count(*one, serials) for one in PRINTED if not serials or one[2] in serials]
