"""
How values are read: what counts as null, and one byte string for each value of each type.

A value that is read with a declared type has one byte string, whatever file or library it came
from: the integer 42, numpy's 42 and the text ``"42"`` are one value once they are declared
integers. Without a declared type the Python type decides, and the last of the three is another.
"""

import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType, ModuleType
from typing import Any, Final, Literal, NoReturn, SupportsIndex, TypeAlias, TypeVar, cast, get_args
from uuid import UUID

from privkit.errors import DomainError
from privkit.formats.text import plain_text, refuse_member

ValueType = Literal["text", "integer", "decimal", "boolean", "date", "datetime", "uuid", "bytes"]

Plain: TypeAlias = str | int | Decimal | date | UUID | bytes
"""Python's own classes, none of them subclassed but int by bool and date by datetime."""

Given = TypeVar("Given")
Result = TypeVar("Result")

TYPES: Final[tuple[ValueType, ...]] = get_args(ValueType)

TYPE_OF: Final[Mapping[type, ValueType]] = MappingProxyType(
    {
        str: "text",
        int: "integer",
        Decimal: "decimal",
        bool: "boolean",
        date: "date",
        datetime: "datetime",
        UUID: "uuid",
        bytes: "bytes",
    }
)

AS_THEY_ARE: Final = frozenset(TYPE_OF) - {Decimal}
"""Classes whose values are plain for certain. A Decimal may be a NaN."""

TAGS: Final[Mapping[ValueType, bytes]] = MappingProxyType(
    {
        "text": b"t",
        "integer": b"i",
        "decimal": b"m",
        "boolean": b"b",
        "date": b"d",
        "datetime": b"z",
        "uuid": b"u",
        "bytes": b"x",
    }
)
"""Frozen: another tag is another set of pseudonyms."""

MAX_DIGITS: Final = 600
"""Of an integer or a decimal. Python can be told to read and write no more than 640."""

MAX_INTEGER: Final = 10**MAX_DIGITS - 1
MAX_EXPONENT: Final = 2_000
"""Of a decimal, either way: such numbers can still be written out."""

INTEGER: Final = re.compile("[+-]?(?:0|[1-9][0-9]*)")
DECIMAL: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"0{0,3}(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
UUID_TEXT: Final = re.compile(
    "[0-9A-Fa-f]{8}(-?)[0-9A-Fa-f]{4}(?:\\1[0-9A-Fa-f]{4}){2}\\1[0-9A-Fa-f]{12}"
)


def is_null(value: object, /) -> bool:
    """
    Tell whether *value* is missing: None, a NaN, pandas' NaT and NA, numpy's NaT.

    Empty text, blanks and zero are data, and so is a Decimal that is a NaN and carries digits or
    signals: they can be an identifier. The bits of a float's NaN are what its maker left there.
    """
    if value is None:
        return True
    if isinstance(value, str | int):
        return False
    if isinstance(value, float):
        return value != value  # noqa: PLR0124 - only NaN differs from itself
    if isinstance(value, Decimal):
        return value.is_qnan() and not value.as_tuple().digits
    # Whoever holds such a value has imported its library, so it need not be imported here.
    pandas = sys.modules.get("pandas")
    if pandas and any(value is getattr(pandas, name, None) for name in ("NaT", "NA")):
        return True
    numpy = numpy_of(value)
    if numpy is None:
        return False
    if isinstance(value, numpy.datetime64 | numpy.timedelta64):
        return bool(numpy.isnat(value))
    return isinstance(value, numpy.floating) and bool(numpy.isnan(value))


def bare_null(value: object, /) -> object:
    """
    Return a null without what it may carry: a NaN of a float has 52 bits to spare.

    Args:
        value: Null.
    """
    if isinstance(value, Decimal):
        return Decimal("NaN")
    numpy = numpy_of(value)
    if isinstance(value, float) or (numpy is not None and isinstance(value, numpy.floating)):
        return math.nan
    return value


def encode(value: object, declared: ValueType | None = None, /) -> bytes:
    """
    Return the one byte string of a value: a byte for its type, then its canonical form.

    Two values have one byte string only if they are equal and of one type.

    Args:
        value: Not null.

        declared: How to read the value. ``None`` lets the Python type decide.

    Raises:
        DomainError: If the value is null, a float or a container, or cannot be read as declared.
    """
    value = plain(value)
    declared = declared or TYPE_OF[type(value)]
    return TAGS[declared] + READERS[declared](value)


def plain(value: object, /) -> Plain:
    """
    Return a value as one of Python's own types: numpy's integers as int, timestamps as datetime.

    Raises:
        DomainError: If the value is null, a float, a container, or of any other type.
    """
    if type(value) in AS_THEY_ARE:
        return cast("Plain", value)
    refuse_member(value)
    if is_null(value):
        raise DomainError("a null has no pseudonym: it stays null")
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Decimal):
        return Decimal(value)
    if isinstance(value, datetime):
        return _plain_datetime(value)
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, UUID):
        return value if type(value) is UUID else UUID(int=value.int)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, int) or (hasattr(value, "__index__") and not hasattr(value, "__len__")):
        return int(operator.index(cast("SupportsIndex", value)))
    return _plain_numpy(value)


def _plain_datetime(value: datetime) -> datetime:
    if getattr(value, "nanosecond", 0):
        raise DomainError("a datetime counts whole microseconds: round the nanoseconds")
    return datetime(
        value.year,
        value.month,
        value.day,
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        tzinfo=value.tzinfo,
        fold=value.fold,
    )


def _plain_numpy(value: object) -> Plain:
    numpy = numpy_of(value)
    if numpy is not None and isinstance(value, numpy.bool_):
        return bool(value)
    if numpy is not None and isinstance(value, numpy.datetime64):
        moment: Any = value
        unit = "D" if numpy.datetime_data(moment.dtype)[0] in "YMWD" else "us"
        in_unit = moment.astype(f"datetime64[{unit}]")
        if in_unit != moment:
            raise DomainError("a datetime counts whole microseconds: round the nanoseconds")
        if not isinstance(in_unit.item(), date):
            raise DomainError("a datetime lies in the years 1 to 9999")
        return cast("date", in_unit.item())
    kind = type(value).__name__
    if isinstance(value, float) or (numpy is not None and isinstance(value, numpy.floating)):
        raise DomainError(
            "a float is no identifier, since one missing cell turns 42 into 42.0: cast the "
            "column to Int64, to text or to Decimal",
            type=kind,
        )
    raise DomainError(f"{kind} is no value of type {', '.join(TYPES)}", type=kind)


def numpy_of(value: object, /) -> ModuleType | None:
    """
    Return numpy if *value* is one of its scalars or arrays, without importing it.
    """
    numpy = sys.modules.get("numpy")
    return numpy if type(value).__module__ == "numpy" else None


def _refuse(value: Plain, declared: ValueType) -> NoReturn:
    kind = TYPE_OF[type(value)]
    raise DomainError(f"a value of type {kind} cannot be read as {declared}", type=kind)


def _misfit(text: str, grammar: str) -> NoReturn:
    raise DomainError(f"text of {len(text):,} characters is no {grammar}", length=len(text))


def _text(value: Plain) -> bytes:
    """
    Numbers, dates and UUIDs are read as text in the form in which they are commonly written.
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool | bytes):
        _refuse(value, "text")
    elif isinstance(value, int):
        return _integer(value)
    elif isinstance(value, Decimal):
        _decimal(value)
        text = format(value, "f")
    elif isinstance(value, date):
        text = value.isoformat()
    else:
        text = str(value)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        position = error.start
    raise DomainError(
        f"character {position} of {len(text)} is half of a surrogate pair, which is no text",
        position=position,
    )


def _integer(value: Plain) -> bytes:
    if isinstance(value, str):
        if len(value) > MAX_DIGITS or not INTEGER.fullmatch(value):
            _misfit(
                value,
                f"integer: at most {MAX_DIGITS} digits, without leading zeros, blanks or a point; "
                "identifiers that need them are of type 'text'",
            )
        return b"%d" % int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(value, "integer")
    if abs(value) > MAX_INTEGER:
        raise DomainError(f"an integer has at most {MAX_DIGITS} digits", maximum=MAX_DIGITS)
    return b"%d" % value


def _decimal(value: Plain) -> bytes:
    """
    Write the significant digits and a power of ten, so that 1, 1.0 and 1E0 are one number.
    """
    if isinstance(value, str):
        if len(value) > MAX_DIGITS or not DECIMAL.fullmatch(value):
            _misfit(
                value,
                f"decimal: at most {MAX_DIGITS} digits and one point, without leading zeros, "
                "blanks or separators of thousands",
            )
        value = Decimal(value)
    elif not isinstance(value, Decimal):
        value = (
            Decimal(_integer(value).decode()) if type(value) is int else _refuse(value, "decimal")
        )
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise DomainError("a decimal is a finite number")
    if len(digits) > MAX_DIGITS or abs(exponent) > MAX_EXPONENT:
        raise DomainError(
            f"a decimal has at most {MAX_DIGITS} digits and an exponent of {MAX_EXPONENT:,}",
            maximum=MAX_DIGITS,
        )
    figures = "".join(map(str, digits))
    significant = figures.rstrip("0")
    if not significant:
        return b"0"
    power = exponent + len(figures) - len(significant)
    return f"{'-' * sign}{significant}e{power}".encode()


def _boolean(value: Plain) -> bytes:
    if isinstance(value, str):
        words = {"true": True, "false": False}
        if value.lower() not in words:
            _misfit(value, "boolean: it is true or false, in capitals or not")
        value = words[value.lower()]
    if not isinstance(value, bool):
        _refuse(value, "boolean")
    return b"1" if value else b"0"


def _date(value: Plain) -> bytes:
    if isinstance(value, str):
        day = _parsed(date.fromisoformat, value) if DATE.fullmatch(value) else None
        if day is None:
            _misfit(value, "date: YYYY-MM-DD")
        return day.isoformat().encode()
    if not isinstance(value, date):
        _refuse(value, "date")
    if isinstance(value, datetime):
        if value != datetime(value.year, value.month, value.day):
            raise DomainError(
                "a date has no time of day and no offset: such a field is of type 'datetime'"
            )
        value = value.date()
    return value.isoformat().encode()


def _datetime(value: Plain) -> bytes:
    """
    Moments with an offset are written in UTC; those without keep their own kind.
    """
    if isinstance(value, str):
        moment = _moment(value)
        if moment is None:
            _misfit(
                value,
                "datetime: YYYY-MM-DDThh:mm, then as needed seconds, at most 6 decimals, an offset",
            )
    elif isinstance(value, datetime):
        moment = value
    else:
        _refuse(value, "datetime")
    # A zone that tells no offset is none: astimezone() would take the machine's in its place.
    if moment.utcoffset() is not None:
        moment = _parsed(moment.astimezone, UTC)
        if moment is None:
            raise DomainError("a datetime lies in the years 1 to 9999 of UTC")
    return moment.isoformat(timespec="microseconds").encode()


def _moment(text: str) -> datetime | None:
    match = DATETIME.fullmatch(text)
    return match and _parsed(datetime.fromisoformat, f"{match[1]}T{match[2]}{match[3] or ''}")


def _uuid(value: Plain) -> bytes:
    if isinstance(value, str):
        if not UUID_TEXT.fullmatch(value):
            _misfit(value, "uuid: 32 hexadecimal digits, in groups of 8-4-4-4-12 or in one")
        value = UUID(value)
    if not isinstance(value, UUID):
        _refuse(value, "uuid")
    return value.bytes


def _bytes(value: Plain) -> bytes:
    if not isinstance(value, bytes):
        _refuse(value, "bytes")
    return value


def _parsed(parse: Callable[[Given], Result], given: Given) -> Result | None:
    # The errors of these functions repeat what they were given.
    try:
        return parse(given)
    except (ValueError, OverflowError):
        return None


READERS: Final[Mapping[ValueType, Callable[[Plain], bytes]]] = MappingProxyType(
    {
        "text": _text,
        "integer": _integer,
        "decimal": _decimal,
        "boolean": _boolean,
        "date": _date,
        "datetime": _datetime,
        "uuid": _uuid,
        "bytes": _bytes,
    }
)
