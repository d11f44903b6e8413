"""
Telephone numbers of every region that libphonenumber knows.
"""

import dataclasses
import re
import unicodedata
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.phone_table import TABLES, Numbers, calling_code, numbers
from privkit.formats.text import is_own, plain_text

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
REGION: Final = re.compile(r"[A-Z]{2}")
MAX_LENGTH: Final = 250
"""Characters of an input, as in libphonenumber."""


@final
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """
    Telephone numbers: region, type and length kept, the rest of the number enciphered.

    The output is valid by construction: it is a number that libphonenumber assigns to the same
    region and the same type. Digits are replaced where they stand, so separators, brackets and
    the way of writing stay. An extension is enciphered together with the number.

    Args:
        region: Two capital letters: the region that a number without ``+`` belongs to. Without
            it, such numbers are refused.

        table: The number of the table of regions and types. Tables never change.

    Keeps:
        The calling code, the region, the type (mobile, fixed line, toll free, …), the number of
        digits, the spelling, whether there is an extension and how long it is, and, in the few
        regions where numbers of one type begin with and without a zero, which of the two.

    Reveals:
        All that it keeps. Where a region has few numbers of a type, little is left to hide.

    Domain:
        The numbers of one region, type and length: from 1 to about 10**13. In many small regions
        and special services there are fewer than 10**6.

    Source:
        ITU-T E.164. Regions and types: libphonenumber, frozen in table 1 from phonenumbers
        9.0.43.

    Raises:
        DomainError: If *region* is not two capital letters, or there is no such table.
    """

    region: str | None = None
    table: int = 1

    name: ClassVar[str] = "phone"
    many_kept: ClassVar[bool] = False
    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}

    def __post_init__(self) -> None:
        if self.region is not None and not (is_own(self.region) and REGION.fullmatch(self.region)):
            raise DomainError("a region is two capital letters, such as DE")
        if type(self.table) is not int or self.table not in TABLES:
            raise DomainError(f"there is no phone table of this number, only {TABLES[0]}")

    def parse(self, value: object, /) -> Parsed:
        """
        Take a number apart.

        Raises:
            DomainError: If it is no text, cannot be read as a number, is valid in no region, or
                its digits do not stand in the text in one run.
        """
        if not isinstance(value, str):
            raise DomainError(f"a phone number is text, got {type(value).__name__}")
        value = plain_text(value)
        if E164.fullmatch(value):
            code = calling_code(value[1:], self.table)
            national = value[1 + len(code) :]
            found = numbers(code, national, self.table)
            if found is not None:
                return _parsed(found, (code, national, ""), value, len(code) + 1)
        return self._read(value)

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the number that keeps what *parsed* keeps.

        Raises:
            DomainError: If it cannot be written as the other was: it would be read as another.
        """
        spelling = cast("_Spelling", parsed.spelling)
        number, rest = divmod(number, 10**spelling.extension)
        digits = spelling.numbers.automaton.unrank(number, spelling.length)
        if spelling.extension:
            digits += f"{rest:0{spelling.extension}d}"
        text = spelling.write(digits)
        if not isinstance(spelling.places, int) and not self._reads(text, spelling.code, digits):
            del text, digits
            raise DomainError(
                "no other phone number can be written in this way: write it in international form"
            )
        return text

    def _reads(self, text: str, code: str, digits: str) -> bool:
        """
        Tell whether a text is read as a number: what no one can read back is lost.
        """
        read = _parser_reads(text, self.region)
        return (
            read is not None
            and str(read.country_code) == code
            and _national_digits(read) + (read.extension or "") == digits
        )

    def _read(self, text: str) -> Parsed:
        if len(text) > MAX_LENGTH:
            raise DomainError(f"a phone number has at most {MAX_LENGTH} characters")
        read = _parser_reads(text, self.region)
        if read is None:
            raise DomainError(
                "the text is no phone number"
                + (": without '+' it needs region=" if self.region is None else "")
            )
        code = str(read.country_code)
        national = _national_digits(read)
        extension = read.extension or ""
        found = numbers(code, national, self.table)
        if found is None:
            raise DomainError(
                f"the phone number is not valid in any region of its calling code (table "
                f"{self.table})",
                table=self.table,
            )
        places = [place for place, character in enumerate(text) if _digit(character) >= 0]
        digits = "".join(str(_digit(text[place])) for place in places)
        written = code, national, extension
        size = len(national) + len(extension)
        if digits.endswith(national + extension):
            return _parsed(found, written, text, tuple(places[-size:]))
        if text == _national_text(code, national):
            return _parsed(found, written, text, ())
        raise DomainError(
            "the digits of the phone number do not stand together at its end: write it in "
            "international form"
        )


class _Spelling(NamedTuple):
    """
    How a number is written: a text, and the places in it of the digits that are enciphered.

    A single number is the place from which all are. No places stand for the national form of a
    country in which it is no run of the same digits.
    """

    numbers: Numbers
    code: str
    length: int
    extension: int
    text: str
    places: int | tuple[int, ...]

    def write(self, digits: str) -> str:
        if isinstance(self.places, int):
            return self.text[: self.places] + digits
        if not self.places:
            return _national_text(self.code, digits)
        characters = list(self.text)
        for place, digit in zip(self.places, digits, strict=True):
            # Digits of another script stay in their script.
            characters[place] = chr(ord(characters[place]) - _digit(characters[place]) + int(digit))
        return "".join(characters)


def _parsed(
    found: tuple[Numbers, int],
    written: tuple[str, str, str],
    text: str,
    places: int | tuple[int, ...],
) -> Parsed:
    (language, number), (code, national, extension) = found, written
    length, more = len(national), len(extension)
    size = language.automaton.count(length)
    kept = f"{code} {language.region} {language.type} {length} {more}"
    if language.zero:
        kept += " 0"
    if more:
        number, size = number * 10**more + int(extension), size * 10**more
    # The text is needed for its separators alone, and goes no further than the result.
    return Parsed(number, size, kept, _Spelling(language, code, length, more, text, places))


def _digit(character: str) -> int:
    return unicodedata.digit(character, -1) if character.isdecimal() else -1


def _parser_reads(text: str, region: str | None) -> "PhoneNumber | None":
    import phonenumbers

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _national_digits(read: "PhoneNumber") -> str:
    import phonenumbers

    return phonenumbers.national_significant_number(read)


def _national_text(code: str, national: str) -> str:
    import phonenumbers

    read = phonenumbers.parse(f"+{code}{national}")
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.NATIONAL)
