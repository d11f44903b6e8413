"""
MAC addresses.
"""

import functools
import re
from dataclasses import dataclass
from typing import ClassVar, Final, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.places import HEX, HexPlaces
from privkit.formats.spelling import case_of, fill, read_text, split

PAIR: Final = "[0-9A-Fa-f]{2}"
FOUR: Final = "[0-9A-Fa-f]{4}"
TEXT: Final = re.compile(
    f"(?:{PAIR}:){{5}}{PAIR}|(?:{PAIR}-){{5}}{PAIR}|(?:{FOUR}[.]){{2}}{FOUR}|[0-9A-Fa-f]{{12}}"
)
OUI: Final = 6
"""Hexadecimal digits of the organization's identifier."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MAC:
    """
    MAC addresses of 48 bits: ``01:23:45:67:89:ab``, or with hyphens, dots or nothing in between.

    Args:
        oui: Whether the first three octets are kept, which name the maker of the device. If not,
            only their two bits for groups and for local administration are.

    Keeps:
        The first three octets, or those two bits; whether there is a letter among the hexadecimal
        digits, and its case, which is one for all; the separators.

    Reveals:
        All that it keeps. A rare maker points at few devices.

    Domain:
        2**24 if there is a letter in the first three octets, else 2**24 - 10**6 with letters and
        10**6 without. Without the *oui*, almost 2**46, and 2 * 10**11 to 3 * 10**11 without
        letters.

    Source:
        IEEE 802-2014, clause 8 (EUI-48).

    Raises:
        DomainError: If *oui* is neither true nor false.

    .. versionadded:: 0.1
    """

    oui: bool = True

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "mac"
    many_kept: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if type(self.oui) is not bool:
            raise DomainError(f"oui is true or false, got {type(self.oui).__name__}")

    def parse(self, value: object, /) -> Parsed:
        """
        Take an address apart.

        Raises:
            DomainError: If it is no text of 12 hexadecimal digits with separators between all
                octets or none, or its letters are of both cases.
        """
        text = read_text(value, "a MAC address")
        if not TEXT.fullmatch(text):
            raise DomainError(
                "a MAC address is 12 hexadecimal digits, with one kind of separator or none, "
                f"got {len(text)} characters",
                length=len(text),
            )
        lower = case_of(text, "a MAC address")
        digits, template = split(text.lower(), ":-.")
        lettered = not digits.isdigit()
        # Digits that end in the same two bits: address of a group, administered locally.
        kept = digits[:OUI] if self.oui else HEX[int(digits[1], 16) % 4 :: 4]
        places = _places(kept)
        return Parsed(
            number=places.rank(digits, lettered=lettered),
            size=places.size(lettered=lettered),
            kept=f"{kept}{' letters' if lettered else ''}",
            spelling=(template, lower),
        )

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the address that keeps what *parsed* keeps.
        """
        kept, *lettered = parsed.kept.split(" ")
        template, lower = cast("tuple[str, bool]", parsed.spelling)
        digits = _places(kept).unrank(number, lettered=bool(lettered))
        return fill(template, digits if lower else digits.upper())


@functools.lru_cache(maxsize=1024)
def _places(kept: str) -> HexPlaces:
    """
    Return the addresses with an organization's identifier, or with the two bits it begins with.
    """
    return HexPlaces([*kept, *[HEX] * 6] if len(kept) == OUI else [HEX, kept, *[HEX] * 10])
