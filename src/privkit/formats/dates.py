"""
Dates in the layouts in which people write them: read the date, and write another in its place.

Three readers, from strict to lenient:

* `ISOText`: ISO 8601, extended or basic. All but the date part is kept as it was written.
* `DateFormat`: a declared layout in the notation of ``strptime``.
* `read_messy`: what python-dateutil reads, as long as it is a whole date.

Source:
    ISO 8601-1:2019, sections 5.2.2 (calendar date), 5.3 (time of day) and 5.4 (both). Weeks:
    section 5.2.3. Years have four digits.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final, NoReturn, ParamSpec, TypeVar, cast, final

from privkit.errors import DomainError
from privkit.formats.flags import plain, runs_on, written
from privkit.formats.text import is_own, plain_text, refuse_member

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
DayT = TypeVar("DayT", bound=date)

MAX_LENGTH: Final = 100
"""Characters of a date with all that may surround it."""

ISO: Final = re.compile(
    r"(?P<year>[0-9]{4})(?P<hyphen>-?)(?P<month>[0-9]{2})(?P=hyphen)(?P<day>[0-9]{2})"
    r"(?P<rest>(?:[Tt ](?:[01][0-9]|2[0-3])"
    r"(?::[0-5][0-9](?::(?:[0-5][0-9]|60)(?:[.,][0-9]+)?)?"
    r"|[0-5][0-9](?:(?:[0-5][0-9]|60)(?:[.,][0-9]+)?)?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?)"
)

PROBES: Final = (
    datetime(1987, 2, 3, 4, 5, 6, 789012, UTC),
    datetime(1987, 2, 4, 4, 5, 6, 789012, UTC),
    datetime(2018, 12, 31, 16, 30, 59, 0, UTC),
)
"""What a declared format must be able to tell apart."""

MISSING: Final = (datetime(2000, 1, 1), datetime(2005, 7, 17, 11, 22, 33, 444444))
"""
What python-dateutil puts where a text says nothing. Two readings differ where something was
missing. The days are more than a week apart, so that the name of a weekday cannot make them meet.
"""

CENTURY: Final = 100
PIVOT: Final = 69
"""Years of two digits below it are of this century: POSIX, ``strptime``, ``%y``."""

DECLARE: Final = "declare its layout, such as format='%d/%m/%Y'"
OUT_OF_RANGE: Final = "a moved date lies in the years 1 to 9999, and within its type and layout"


@final
@dataclass(frozen=True, slots=True)
class ISOText:
    """
    A date in ISO 8601, and what follows it.

    Attributes:
        day: The date.

        extended: Whether it is written with hyphens.

        rest: The separator, time of day, fraction and offset, as they were written.
    """

    day: date
    extended: bool
    rest: str

    @classmethod
    def read(cls, text: str, /) -> "ISOText | None":
        """
        Read a text, or return ``None`` if it is not an ISO date or datetime.
        """
        match = ISO.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if match is None:
            return None
        day = attempt(date, int(match["year"]), int(match["month"]), int(match["day"]))
        if day is None:
            return None
        return cls(day, bool(match["hyphen"]), match["rest"])

    def write(self, day: date, /) -> str:
        """
        Return the text with *day* in place of its date.
        """
        hyphen = "-" if self.extended else ""
        return f"{day.year:04}{hyphen}{day.month:02}{hyphen}{day.day:02}{self.rest}"


@final
@dataclass(frozen=True, slots=True)
class DateFormat:
    """
    A declared layout of dates, such as ``"%d/%m/%Y"``.

    Args:
        text: The layout, in the notation of ``datetime.strptime``, and with ``%-d`` for a number
            without leading zeros, ``%^b`` for a name in capitals, ``%e`` for a day padded by a
            blank. Names of months and days are read and written in the locale of the process.

    Raises:
        DomainError: If it is no such layout, or does not hold a whole date.
    """

    text: str

    def __post_init__(self) -> None:
        if not is_own(self.text):
            raise DomainError(f"format is text, got {type(self.text).__name__}")
        if not 0 < len(self.text) <= MAX_LENGTH:
            raise DomainError(
                f"format has 1 to {MAX_LENGTH} characters, got {len(self.text)}",
                maximum=MAX_LENGTH,
            )
        if self.tells("%Z"):
            raise DomainError("format tells a time zone by its offset, %z: names are not read")
        if runs_on(self.text):
            raise DomainError(
                "format has no digit after a number without leading zeros: where the one ends, "
                "nobody can tell"
            )
        for probe in PROBES:
            text = attempt(written, self.text, probe)
            read = None if text is None else attempt(datetime.strptime, text, plain(self.text))
            if read is None or read.date() != probe.date():
                raise DomainError(
                    "format is a layout of strptime with the year, the month and the day, such as "
                    "'%d/%m/%Y'"
                )

    def tells(self, field: str, /) -> bool:
        """
        Tell whether the layout has a field, such as ``%z``.
        """
        return field in self.text.replace("%%", "")

    def read(self, text: str, /) -> datetime:
        """
        Read a text that the layout writes in exactly this way.

        Raises:
            DomainError: If it is not such a text.
        """
        fits = len(text) <= MAX_LENGTH
        read = attempt(datetime.strptime, text, plain(self.text)) if fits else None
        if read is None or attempt(written, self.text, read) != text:
            raise DomainError(
                f"text of {len(text)} characters does not match the declared format exactly: "
                "leading zeros, blanks and capital letters count, see %-d, %e and %^b",
                length=len(text),
            )
        return read

    def write(self, moment: datetime, /) -> str:
        """
        Write a moment so that it can be read again.

        Raises:
            DomainError: If the layout cannot hold it, such as a two-digit year outside 1969 to
                2068.
        """
        text = attempt(written, self.text, moment)
        if text is None or attempt(datetime.strptime, text, plain(self.text)) != moment:
            raise DomainError(OUT_OF_RANGE)
        return text


def read_messy(text: str, /) -> ISOText:
    """
    Read what python-dateutil reads, and return it in ISO 8601.

    A date of numbers alone is read month first, unless that is impossible: 04/03/2024 is the
    third of April, 25/03/2024 the twenty-fifth of March. Years of two digits lie in 1969 to 2068,
    as ``strptime`` has it, and do not depend on today's date. UTC+3 means what it does in POSIX:
    three hours behind, -03:00.

    Raises:
        DomainError: If it cannot be read, is not a whole date, or has a time zone that only its
            name tells.
    """
    zones: set[str] = set()
    first, second = (_lenient(text, missing, zones) for missing in MISSING)
    if first is None or second is None:
        raise DomainError(
            f"text of {len(text)} characters is no date that can be read", length=len(text)
        )
    if first.date() != second.date():
        raise DomainError("a date has a year, a month and a day, and here one of them is missing")
    if zones:
        raise DomainError("a time zone is read by its offset, and here is only its name")
    if first.hour == second.hour:
        return ISOText(first.date(), True, first.isoformat()[10:])
    if second.time() != MISSING[1].time():
        raise DomainError("a time of day has an hour, and here it is missing")
    return ISOText(first.date(), True, "")


def _lenient(text: str, missing: datetime, zones: set[str]) -> datetime | None:
    # Imported late: dateutil is needed by few.
    from dateutil.parser import parse, parserinfo

    class Info(parserinfo):
        """
        The words of dateutil, without its look at the clock.
        """

        def convertyear(self, year: int, century_specified: bool = False) -> int:  # noqa: FBT001, FBT002 - theirs
            if year >= CENTURY or century_specified:
                return year
            return year + (2000 if year < PIVOT else 1900)

    def zone(name: str | None, offset: int | None) -> tzinfo | None:
        # Without this, dateutil looks up names in the zone of the machine, and warns with the
        # text of those that it does not know.
        if offset is not None:
            return timezone(timedelta(seconds=offset))
        if name is not None:
            zones.add(name)
        return None

    if len(text) > MAX_LENGTH:
        return None
    return attempt(parse, text, Info(), default=missing, tzinfos=zone)


def read_day(value: object, layout: DateFormat | None = None, /) -> date:
    """
    Return the day of a date, a datetime or a text, as it is written: offsets are not applied.

    Args:
        value: Not null.

        layout: How text is written; ``None`` reads ISO 8601.

    Raises:
        DomainError: If *value* is none of these, or is text of another layout.
    """
    refuse_member(value)
    if isinstance(value, datetime):
        return date(value.year, value.month, value.day)
    if isinstance(value, date):
        return value
    text = dated_text(value)
    if layout is not None:
        return layout.read(text).date()
    iso = ISOText.read(text)
    if iso is None:
        refuse_layout(text, DECLARE)
    return iso.day


def dated_text(value: object, /) -> str:
    """
    Return text as it is.

    Raises:
        DomainError: If *value* is not text, or a member of an enumeration.
    """
    if not isinstance(value, str):
        kind = type(value).__name__
        raise DomainError(f"a date is a date, a datetime or text, got {kind}", type=kind)
    return plain_text(value)


def refuse_layout(text: str, advice: str, /) -> NoReturn:
    """
    Refuse a text that is not in ISO 8601, whose day and month could be taken for each other.

    Raises:
        DomainError: Always.
    """
    raise DomainError(
        f"text of {len(text)} characters is no date such as YYYY-MM-DD: {advice}",
        length=len(text),
    )


def move(value: DayT, days: int, /) -> DayT:
    """
    Return a date or datetime of the same type, *days* later on the calendar.

    The clock on the wall stays: hours, their fractions, the time zone, and which of two equal
    hours it is when clocks are set back.

    Raises:
        DomainError: If the type cannot hold the result.
    """
    if not isinstance(value, datetime):
        moved = attempt(operator.add, value, timedelta(days))
        if moved is None:
            raise DomainError(OUT_OF_RANGE)
        return cast("DayT", moved)
    # Without its zone, a pandas Timestamp moves by days of the calendar, not by 24 hours each.
    clock = attempt(operator.add, value.replace(tzinfo=None), timedelta(days))
    if clock is None:
        raise DomainError(OUT_OF_RANGE)
    moment = attempt(clock.replace, tzinfo=value.tzinfo, fold=value.fold)
    if moment is None:
        raise DomainError(OUT_OF_RANGE)
    if moment.replace(tzinfo=None) != clock:
        # pandas cannot hold a time that its zone skips: it would come back as another one.
        raise DomainError("a moved time falls where clocks are set forward: convert it to UTC")
    return cast("DayT", moment)


def attempt(
    call: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result | None:
    """
    Return what a call returns, or ``None`` if it raises: such errors repeat what they were given.
    """
    try:
        return call(*args, **kwargs)
    except Exception:  # noqa: BLE001 - dateutil raises many kinds, each with the value in it
        return None
