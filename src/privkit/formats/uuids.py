"""
UUIDs.
"""

import functools
import re
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, cast, final
from uuid import UUID

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.places import HEX, HexPlaces
from privkit.formats.spelling import case_of, read_text
from privkit.formats.values import plain

TEXT: Final = re.compile(
    "(?P<prefix>[{]|[Uu][Rr][Nn]:[Uu][Uu][Ii][Dd]:)?"
    "(?P<digits>[0-9A-Fa-f]{8}(?P<hyphen>-?)[0-9A-Fa-f]{4}"
    "(?P=hyphen)[0-9A-Fa-f]{4}(?P=hyphen)[0-9A-Fa-f]{4}(?P=hyphen)[0-9A-Fa-f]{12})"
    "(?P<brace>[}]?)"
)

VERSION: Final = 12
"""Which hexadecimal digit names the version."""

VARIANT: Final = 16
"""Which hexadecimal digit names the variant, in its first one to three bits."""

VARIANTS: Final = ("0123", "4567", "89ab", "cd", "ef")
"""Digits that may stand for each other. The first two are one variant, whose first bit is 0."""


@final
@dataclass(frozen=True, slots=True)
class UUIDFormat:
    """
    UUIDs of one version and one variant.

    Text stays text and a `uuid.UUID` stays one. A time, a node or a hash that a version stands
    for is enciphered like the rest, so what comes out of a version 1 or 7 tells no time.

    Keeps:
        The version and the variant; whether there is a letter among the hexadecimal digits, and
        its case, which is one for all; hyphens, braces and ``urn:uuid:``.

    Reveals:
        All that it keeps. Of ten million random UUIDs, about four are without letters.

    Domain:
        Almost 2**122, and 2 * 10**30 for those without letters (versions 1 to 8, variant of RFC
        9562). Other variants keep their own bits and have half as many, or as many.

    Source:
        RFC 9562, sections 4, 4.1 and 4.2.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "uuid"
    many_kept: ClassVar[bool] = False

    def parse(self, value: object, /) -> Parsed:
        """
        Take a UUID apart.

        Raises:
            DomainError: If it is no `uuid.UUID` and no text of 32 hexadecimal digits, its hyphens
                stand elsewhere, or its letters are of both cases.
        """
        value = plain(value)
        spelling: _Spelling | None = None
        if isinstance(value, UUID):
            digits = value.hex
        else:
            text = read_text(value, "a UUID")
            match = TEXT.fullmatch(text)
            if match is None or (match["prefix"] == "{") != bool(match["brace"]):
                raise DomainError(
                    "a UUID is 32 hexadecimal digits, with hyphens after the 8th, 12th, 16th and "
                    f"20th or with none, got {len(text)} characters",
                    length=len(text),
                )
            lower = case_of(match["digits"], "a UUID")
            spelling = _Spelling(match["prefix"] or "", bool(match["hyphen"]), lower)
            digits = match["digits"].replace("-", "").lower()
        version = digits[VERSION]
        variant = next(group for group in VARIANTS if digits[VARIANT] in group)
        lettered = not digits.isdigit()
        places = _places(version, variant)
        return Parsed(
            number=places.rank(digits, lettered=lettered),
            size=places.size(lettered=lettered),
            kept=f"{version} {variant}{' letters' if lettered else ''}",
            spelling=spelling,
        )

    def render(self, parsed: Parsed, number: int, /) -> str | UUID:
        """
        Write the UUID that keeps what *parsed* keeps.
        """
        version, variant, *lettered = parsed.kept.split(" ")
        digits = _places(version, variant).unrank(number, lettered=bool(lettered))
        spelling = cast("_Spelling | None", parsed.spelling)
        return UUID(digits) if spelling is None else spelling.write(digits)


class _Spelling(NamedTuple):
    prefix: str
    hyphens: bool
    lower: bool

    def write(self, digits: str) -> str:
        digits = digits if self.lower else digits.upper()
        if self.hyphens:
            digits = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        return f"{self.prefix}{digits}{'}' if self.prefix == '{' else ''}"


@functools.cache
def _places(version: str, variant: str) -> HexPlaces:
    return HexPlaces([*[HEX] * VERSION, version, *[HEX] * 3, variant, *[HEX] * 15])
