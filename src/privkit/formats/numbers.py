"""
Integers and decimals.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.values import MAX_DIGITS, plain

INTEGER: Final = re.compile("-?(?:0|[1-9][0-9]*)")
DECIMAL: Final = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")
BOUND: Final = 10**MAX_DIGITS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """
    Integers of the same sign and number of digits, or of a range.

    An integer stays one, and text stays text. Text has no leading zeros: a number with them is a
    name written in digits, for which there is the format ``digits``.

    Args:
        minimum: The least integer of the range. Without a range, the number of digits is kept.

        maximum: The greatest integer of the range.

    Keeps:
        The type. Without a range, the sign and the number of digits. Within a range, neither.

    Reveals:
        All that it keeps: without a range, the order of magnitude.

    Domain:
        maximum - minimum + 1, or 9 * 10**(digits - 1). Of one digit there are 10, or 9 negative.

    Source:
        None.

    Raises:
        DomainError: If only one end of the range is given, an end is no integer of at most 600
            digits, or the range is empty.

    .. versionadded:: 0.1
    """

    minimum: int | None = None
    maximum: int | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "integer"
    many_kept: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for option, end in (("minimum", self.minimum), ("maximum", self.maximum)):
            if end is not None and type(end) is not int:
                raise DomainError(f"{option} is an integer, got {type(end).__name__}")
            if end is not None and abs(end) >= BOUND:
                raise DomainError(f"{option} has at most {MAX_DIGITS} digits")
        if (self.minimum is None) != (self.maximum is None):
            raise DomainError("a range has both a minimum and a maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise DomainError("the minimum of a range is at most its maximum")

    def parse(self, value: object, /) -> Parsed:
        """
        Take an integer apart.

        Raises:
            DomainError: If it is no integer, no text of one without leading zeros, or out of the
                range.
        """
        value = plain(value)
        if isinstance(value, str):
            if len(value) > MAX_DIGITS or not INTEGER.fullmatch(value) or value == "-0":
                raise DomainError(
                    "an integer is digits without leading zeros, after '-' if it is negative, got "
                    f"{len(value)} characters: where leading zeros count, take the format 'digits'",
                    length=len(value),
                )
            integer = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            integer = value
        else:
            raise DomainError(f"an integer is an int or text, got {type(value).__name__}")
        if abs(integer) >= BOUND:
            raise DomainError(f"an integer has at most {MAX_DIGITS} digits", maximum=MAX_DIGITS)
        spelling = type(value)
        if self.minimum is not None and self.maximum is not None:
            if not self.minimum <= integer <= self.maximum:
                raise DomainError("the integer is out of the declared range")
            size = self.maximum - self.minimum + 1
            return Parsed(number=integer - self.minimum, size=size, spelling=spelling)
        digits = len(str(abs(integer)))
        first, size = _of_width(digits, 1, negative=integer < 0)
        return Parsed(
            number=abs(integer) - first,
            size=size,
            kept=f"{'-' if integer < 0 else ''}{digits}",
            spelling=spelling,
        )

    def render(self, parsed: Parsed, number: int, /) -> int | str:
        """
        Write the integer that keeps what *parsed* keeps.
        """
        if self.minimum is not None:
            integer = self.minimum + number
        else:
            kept = int(parsed.kept)
            first, _ = _of_width(abs(kept), 1, negative=kept < 0)
            integer = -(first + number) if kept < 0 else first + number
        return str(integer) if parsed.spelling is str else integer


@final
@dataclass(frozen=True, slots=True)
class DecimalFormat:
    """
    Decimals of the same sign, the same number of digits before the point and the same after it.

    A `decimal.Decimal` stays one and keeps its exponent, so ``1.50`` stays apart from ``1.5``.
    Text stays text, and an integer stays one: it is a decimal without a point. Floats are refused:
    cast them to a decimal or to text.

    Keeps:
        The type, the sign and the number of digits before and after the point.

    Reveals:
        All that it keeps, and with it the order of magnitude.

    Domain:
        9 * 10**(digits - 1), where *digits* counts those before and after the point. With one digit
        before the point, 10**digits, or one less if negative.

    Source:
        Exponents: General Decimal Arithmetic Specification 1.70, as in Python's decimal.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "decimal"
    many_kept: ClassVar[bool] = False

    def parse(self, value: object, /) -> Parsed:
        """
        Take a decimal apart.

        Raises:
            DomainError: If it is neither an integer, a finite decimal nor text of one without
                leading zeros and exponent, is a negative zero, or has more than 600 digits.
        """
        value = plain(value)
        if isinstance(value, Decimal):
            parts = _parts_of_decimal(value)
        elif isinstance(value, str):
            parts = _parts_of_text(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            parts = _parts_of_integer(value)
        else:
            raise DomainError(f"a decimal is a Decimal, an int or text, got {type(value).__name__}")
        if parts.negative and not parts.coefficient:
            raise DomainError("a negative zero is no decimal: drop its sign")
        width = max(len(str(parts.coefficient)), 1 - parts.exponent)
        if width > MAX_DIGITS or abs(parts.exponent) > MAX_DIGITS:
            raise DomainError(f"a decimal has at most {MAX_DIGITS} digits", maximum=MAX_DIGITS)
        before = width + min(parts.exponent, 0)
        first, size = _of_width(width, width - before + 1, negative=parts.negative)
        return Parsed(
            number=parts.coefficient - first,
            size=size,
            kept=f"{'-' if parts.negative else ''} {width} {parts.exponent}",
            spelling=type(value),
        )

    def render(self, parsed: Parsed, number: int, /) -> Decimal | int | str:
        """
        Write the decimal that keeps what *parsed* keeps.
        """
        sign, width, exponent = parsed.kept.split(" ")
        after = -min(int(exponent), 0)
        first, _ = _of_width(int(width), after + 1, negative=bool(sign))
        digits = f"{first + number:0{after + 1}d}"
        if parsed.spelling is int:
            return int(f"{sign}{digits}")
        if parsed.spelling is Decimal:
            return Decimal((len(sign), tuple(map(int, digits)), int(exponent)))
        point = len(digits) - after
        return f"{sign}{digits[:point]}{'.' if after else ''}{digits[point:]}"


class _Parts(NamedTuple):
    negative: bool
    coefficient: int
    exponent: int


def _parts_of_decimal(value: Decimal) -> _Parts:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise DomainError("a decimal is finite")
    if len(digits) > MAX_DIGITS:
        raise DomainError(f"a decimal has at most {MAX_DIGITS} digits", maximum=MAX_DIGITS)
    return _Parts(bool(sign), int("".join(map(str, digits))), exponent)


def _parts_of_integer(value: int) -> _Parts:
    if abs(value) >= BOUND:
        raise DomainError(f"a decimal has at most {MAX_DIGITS} digits", maximum=MAX_DIGITS)
    return _Parts(value < 0, abs(value), 0)


def _parts_of_text(text: str) -> _Parts:
    match = DECIMAL.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if match is None:
        raise DomainError(
            "a decimal is digits without leading zeros, a point and digits, after '-' if it is "
            f"negative, got {len(text)} characters",
            length=len(text),
        )
    sign, whole, fraction = match.group(1), match.group(2), cast("str | None", match.group(3)) or ""
    return _Parts(bool(sign), int(whole + fraction), -len(fraction))


def _of_width(width: int, least: int, *, negative: bool) -> tuple[int, int]:
    """
    Return the first and the number of non-negative integers of *width* digits.

    At the *least* width, all shorter ones belong to it. Zero has no negative.
    """
    first = 10 ** (width - 1) if width > least else int(negative)
    return first, 10**width - first
