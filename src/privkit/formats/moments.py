"""
Dates and datetimes within a range.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, ClassVar, Final, NamedTuple, NoReturn, TypeAlias, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.dates import (
    DECLARE,
    OUT_OF_RANGE,
    DateFormat,
    ISOText,
    attempt,
    dated_text,
    refuse_layout,
)
from privkit.formats.flags import written
from privkit.formats.text import is_own, refuse_member
from privkit.formats.values import plain

FIRST_DAY: Final = date(1, 1, 2)
LAST_DAY: Final = date(9999, 12, 30)
"""A day less than Python's at either end, since an offset may lead to the day before or after."""

OUT_OF_CALENDAR: Final = "the datetime is out of the calendar, once it is moved to UTC"

MIDNIGHT: Final = datetime(2000, 1, 1)

DAY: Final = 86_400
HOUR: Final = 3_600
MINUTE: Final = 60
"""Seconds."""

UNITS: Final = {"hour": HOUR, "minute": MINUTE, "second": 1}
NAMES: Final = {seconds: name for name, seconds in UNITS.items()}

MICROSECOND_DIGITS: Final = 6
DIGITS_OF_UNIT: Final = {"s": 0, "ms": 3}
"""Of a second, in a pandas Timestamp. Those with more have microseconds here."""

TIME: Final = re.compile(
    "(?P<lead>[Tt ])(?P<hour>[0-9]{2})"
    "(?:(?P<colon>:?)(?P<minute>[0-9]{2})"
    "(?:(?P=colon)(?P<second>[0-9]{2})(?:(?P<point>[.,])(?P<fraction>[0-9]+))?)?)?"
    "(?P<offset>[Zz]|[+-].*)?"
)
"""What follows the date in ISO 8601, as `ISOText` has accepted it."""

PROBE: Final = datetime(2018, 12, 31, 16, 30, 59, 789_012, timezone(timedelta(hours=5, minutes=30)))
CUTS: Final = (
    (1, PROBE),
    (1, PROBE.replace(microsecond=0)),
    (MINUTE, PROBE.replace(second=0, microsecond=0)),
    (HOUR, PROBE.replace(minute=0, second=0, microsecond=0)),
)
"""Units of time, and what a layout reads that goes down to each of them."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """
    Dates of a range of days: any day of it stands for any other.

    A `datetime.date` stays one, a datetime or a pandas Timestamp at midnight stays one, and text
    keeps its layout.

    Args:
        minimum: The first day of the range, as YYYY-MM-DD.

        maximum: The last day of the range.

        format: How text is written, in the notation of ``datetime.strptime``, such as
            ``"%d/%m/%Y"``. Without it, text is YYYY-MM-DD or YYYYMMDD. ``%-d`` stands for a
            number without leading zeros, ``%^b`` for a name in capitals, ``%e`` for a day padded by
            a blank. What is written otherwise is refused. Names of months are those of the
            process's locale.

    Keeps:
        The type and the layout. Neither the weekday nor the distance to another date.

    Reveals:
        That the date lies in the range.

    Domain:
        The days of the range: 73,049 for the default one, 36,525 for a century with 25 leap days.
        Only a range of more than 2,737 years has 10**6.

    Source:
        The calendar: ISO 8601-1:2019, section 4.2.1 (proleptic Gregorian). Layouts: section
        5.2.2.1.

    Raises:
        DomainError: If an end of the range is no such date, the range is empty, or *format* is no
            layout of whole dates, or cannot write each day of the range.

    .. versionadded:: 0.1
    """

    minimum: str = "1900-01-01"
    maximum: str = "2099-12-31"
    format: str | None = None
    _first: int = field(init=False, repr=False, compare=False)
    _days: int = field(init=False, repr=False, compare=False)
    _layout: DateFormat | None = field(init=False, repr=False, compare=False)

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "date"
    many_kept: ClassVar[bool] = False

    def __post_init__(self) -> None:
        first, last = _range(self.minimum, self.maximum)
        layout = None if self.format is None else DateFormat(self.format)
        if layout is not None:
            _check_midnight(plain=not layout.tells("%z"))
            _check_ends(layout, (first, last), None)
        object.__setattr__(self, "_first", first.toordinal())
        object.__setattr__(self, "_days", (last - first).days + 1)
        object.__setattr__(self, "_layout", layout)

    def parse(self, value: object, /) -> Parsed:
        """
        Take a date apart.

        Raises:
            DomainError: If it is no date, no text of the layout, has a time of day, or is out of
                the range.
        """
        day, spelling = self._read(value)
        number = day.toordinal() - self._first
        if not 0 <= number < self._days:
            raise DomainError("the date is out of the declared range")
        return Parsed(number=number, size=self._days, spelling=spelling)

    def render(self, parsed: Parsed, number: int, /) -> date | str:
        """
        Write the date of this number.
        """
        day = date.fromordinal(self._first + number)
        spelling = cast("_DateSpelling", parsed.spelling)
        if spelling is None:
            return day
        if isinstance(spelling, bool):
            return ISOText(day, spelling, "").write(day)
        if isinstance(spelling, DateFormat):
            return spelling.write(datetime(day.year, day.month, day.day))
        moment = attempt(spelling.replace, year=day.year, month=day.month, day=day.day)
        if moment is None:
            # A Timestamp of nanoseconds ends in the year 2262.
            raise DomainError(OUT_OF_RANGE)
        return moment

    def _read(self, value: object) -> "tuple[date, _DateSpelling]":
        value = _plain(value)
        if isinstance(value, datetime):
            _check_midnight(plain=value == datetime(value.year, value.month, value.day))
            day = date(value.year, value.month, value.day)
            return day, value.replace(year=2000, month=1, day=1)
        if isinstance(value, date):
            return date(value.year, value.month, value.day), None
        text = dated_text(value)
        if self._layout is not None:
            moment = self._layout.read(text)
            _check_midnight(plain=moment == datetime(moment.year, moment.month, moment.day))
            return moment.date(), self._layout
        iso = ISOText.read(text)
        if iso is None:
            refuse_layout(text, DECLARE)
        _check_midnight(plain=not iso.rest)
        return iso.day, iso.extended


_DateSpelling: TypeAlias = bool | DateFormat | datetime | None
"""
Text with or without hyphens; text of a layout; a datetime at midnight, on any day; a date.
"""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DateTime:
    """
    Datetimes of a range of days: any moment of it stands for any other.

    A datetime stays one, with its time zone; a pandas Timestamp stays one, and text keeps its
    layout. What has an offset is counted in UTC, so a moment has one pseudonym, whichever offset
    it is written with; what has none is counted as the clock shows it. No result falls into an
    hour that clocks skip.

    Args:
        minimum: The first day of the range, as YYYY-MM-DD.

        maximum: The last day of the range, which counts as a whole.

        format: How text is written, in the notation of ``datetime.strptime``, such as
            ``"%d/%m/%Y %H:%M"``. Without it, text is in ISO 8601. ``%-d`` stands for a number
            without leading zeros, ``%^b`` for a name in capitals, ``%e`` for a day padded by a
            blank. What is written otherwise is refused. Names of months are those of the process's
            locale.

    Keeps:
        The type, the layout, the time zone or offset; the precision, from hours to decimals of a
        second; whether all decimals are zero.

    Reveals:
        All that it keeps, and that the moment lies in the range. A time zone tells a region, and
        an offset under daylight saving time the half of the year.

    Domain:
        The seconds of the range, 6.3 * 10**9 for the default one; its minutes or hours for text
        without seconds or minutes. With decimals, times 10**decimals - 1: those that are all zero
        are a domain of their own.

    Source:
        ISO 8601-1:2019, sections 5.3 and 5.4. Leap seconds are refused.

    Raises:
        DomainError: If an end of the range is no such date, the range is empty or reaches the
            first or last day that Python has, or *format* is no layout of whole dates with an
            hour at least, or cannot write each day of the range.

    .. versionadded:: 0.1
    """

    minimum: str = "1900-01-01"
    maximum: str = "2099-12-31"
    format: str | None = None
    _first: int = field(init=False, repr=False, compare=False)
    _seconds: int = field(init=False, repr=False, compare=False)
    _layout: "_Layout | None" = field(init=False, repr=False, compare=False)

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "datetime"
    many_kept: ClassVar[bool] = False

    def __post_init__(self) -> None:
        first, last = _range(self.minimum, self.maximum)
        if first < FIRST_DAY or last > LAST_DAY:
            raise DomainError("a range of datetimes is from 0001-01-02 to 9999-12-30 at most")
        layout = None if self.format is None else _Layout.of(DateFormat(self.format))
        if layout is not None:
            margin = timedelta(days=int(layout.zoned))
            zone = UTC if layout.zoned else None
            _check_ends(layout.dates, (first - margin, last + margin), zone)
        object.__setattr__(self, "_first", first.toordinal() * DAY)
        object.__setattr__(self, "_seconds", ((last - first).days + 1) * DAY)
        object.__setattr__(self, "_layout", layout)

    def parse(self, value: object, /) -> Parsed:
        """
        Take a datetime apart.

        Raises:
            DomainError: If it is no datetime, no text of the layout, has no time of day, or a leap
                second or nanoseconds, or is out of the range.
        """
        read = self._read(value)
        number = (read.seconds - self._first) // read.unit
        size = self._seconds // read.unit
        if not 0 <= number < size:
            raise DomainError("the datetime is out of the declared range")
        kept = NAMES[read.unit]
        part = int(read.fraction or "0")
        if part:
            digits = len(read.fraction)
            parts = 10**digits - 1
            number, size, kept = number * parts + part - 1, size * parts, f"{kept} {digits}"
        return Parsed(number=number, size=size, kept=kept, spelling=read.spelling)

    def render(self, parsed: Parsed, number: int, /) -> datetime | str:
        """
        Write the datetime that keeps what *parsed* keeps.
        """
        name, _, digits = parsed.kept.partition(" ")
        unit, fraction = UNITS[name], ""
        if digits:
            number, part = divmod(number, 10 ** int(digits) - 1)
            fraction = f"{part + 1:0{digits}d}"
        spelling = cast("_Spelling", parsed.spelling)
        # The clock shows whole units, so UTC may be off by a part of one.
        seconds = self._first + number * unit + -spelling.offset % unit
        return spelling.write(seconds, unit, fraction)

    def _read(self, value: object) -> "_Read":
        value = _plain(value)
        if isinstance(value, datetime):
            return _read_object(value)
        if isinstance(value, date):
            _refuse_day()
        text = dated_text(value)
        if self._layout is not None:
            return self._layout.read(text)
        iso = ISOText.read(text)
        if iso is None:
            refuse_layout(text, "declare its layout, such as format='%d/%m/%Y %H:%M'")
        return _read_iso(iso)


class _Read(NamedTuple):
    """
    A moment: seconds in UTC or on the clock, counted from the day before 0001-01-01.
    """

    seconds: int
    unit: int
    fraction: str
    spelling: "_Spelling"


class _ISOSpelling(NamedTuple):
    """
    How a moment is written in ISO 8601: all but its digits, and decimals that are all zero.
    """

    extended: bool
    lead: str
    colon: str
    point: str
    zeros: str
    zone: str
    offset: int

    def write(self, seconds: int, unit: int, fraction: str) -> str:
        days, rest = divmod(seconds + self.offset, DAY)
        text = f"{self.lead}{rest // HOUR:02d}"
        if unit <= MINUTE:
            text += f"{self.colon}{rest % HOUR // MINUTE:02d}"
        if unit == 1:
            text += f"{self.colon}{rest % MINUTE:02d}{self.point}{fraction or self.zeros}"
        day = date.fromordinal(days)
        return ISOText(day, self.extended, f"{text}{self.zone}").write(day)


class _LayoutSpelling(NamedTuple):
    """
    A declared layout, and the offset.
    """

    dates: DateFormat
    zone: tzinfo | None
    offset: int

    def write(self, seconds: int, _unit: int, fraction: str) -> str:
        moment = _clock(MIDNIGHT, seconds + self.offset, fraction)
        return self.dates.write(moment.replace(tzinfo=self.zone))


class _ObjectSpelling(NamedTuple):
    """
    A datetime on any day at midnight, for its class and without its zone; and the zone.
    """

    midnight: datetime
    zone: tzinfo | None
    offset: int = 0

    def write(self, seconds: int, _unit: int, fraction: str) -> datetime:
        moment = attempt(_clock, self.midnight, seconds, fraction)
        if moment is not None:
            moment = attempt(_in_unit_of, self.midnight, moment)
        if moment is not None and self.zone is not None:
            moment = attempt(moment.replace(tzinfo=UTC).astimezone, self.zone)
        if moment is None:
            # A Timestamp of nanoseconds ends in the year 2262.
            raise DomainError(OUT_OF_RANGE)
        return moment


_Spelling: TypeAlias = _ISOSpelling | _LayoutSpelling | _ObjectSpelling


@final
@dataclass(frozen=True, slots=True)
class _Layout:
    """
    A declared layout with a time of day.

    Attributes:
        dates: The layout.

        unit: Seconds of the finest unit that it tells.

        zoned: Whether it tells the offset.
    """

    dates: DateFormat
    unit: int
    zoned: bool

    @classmethod
    def of(cls, dates: DateFormat) -> "_Layout":
        read = dates.read(written(dates.text, PROBE))
        for unit, cut in CUTS:
            if read.replace(tzinfo=None) == cut.replace(tzinfo=None):
                return cls(dates, unit, zoned=read.tzinfo is not None)
        raise DomainError(
            "format is a layout with a time of day, from the hour down without a gap: for days "
            "alone take the format 'date'"
        )

    def read(self, text: str) -> _Read:
        moment = self.dates.read(text)
        offset = (moment.utcoffset() or timedelta()) // timedelta(seconds=1)
        spelling = _LayoutSpelling(self.dates, moment.tzinfo, offset)
        fraction = f"{moment.microsecond:06d}"
        return _Read(_seconds(moment) - offset, self.unit, fraction, spelling)


def _read_iso(iso: ISOText) -> _Read:
    match = TIME.fullmatch(iso.rest)
    if match is None:
        _refuse_day()
    found = match.groupdict(default="")
    unit = 1 if found["second"] else MINUTE if found["minute"] else HOUR
    second = int(found["second"] or "0")
    if second == MINUTE:
        raise DomainError("a leap second has no number")
    offset = _offset(found["offset"])
    fraction = found["fraction"]
    seconds = iso.day.toordinal() * DAY + int(found["hour"]) * HOUR
    seconds += int(found["minute"] or "0") * MINUTE + second - offset
    zeros = "" if fraction.strip("0") else fraction
    spelling = _ISOSpelling(
        extended=iso.extended,
        lead=found["lead"],
        colon=found["colon"],
        point=found["point"],
        zeros=zeros,
        zone=found["offset"],
        offset=offset,
    )
    return _Read(seconds, unit, fraction, spelling)


def _offset(text: str) -> int:
    """
    Return the seconds of an offset in ISO 8601: ``Z``, ``+01``, ``-0330``, ``+05:30``.
    """
    digits = text[1:].replace(":", "")
    if not digits:
        return 0
    seconds = int(digits[:2]) * HOUR + int(digits[2:] or "0") * MINUTE
    return -seconds if text[0] == "-" else seconds


def _read_object(value: datetime) -> _Read:
    if getattr(value, "nanosecond", 0):
        raise DomainError("a datetime counts whole microseconds: round the nanoseconds")
    zone = None if value.utcoffset() is None else value.tzinfo
    moment = value.replace(tzinfo=None)
    if zone is not None:
        utc = attempt(value.astimezone, UTC)
        if utc is None:
            raise DomainError(OUT_OF_CALENDAR)
        if utc.astimezone(zone).replace(tzinfo=None) != moment:
            raise DomainError("the clocks of the time zone skip this time")
        moment = utc
    digits = DIGITS_OF_UNIT.get(getattr(value, "unit", ""), MICROSECOND_DIGITS)
    fraction = f"{moment.microsecond:06d}"[:digits]
    midnight = value.replace(year=2000, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    if zone is not None:
        # In a zone the moment decides about the fold. Without one, it is as it was written.
        midnight = midnight.replace(tzinfo=None, fold=0)
    spelling = _ObjectSpelling(_in_unit_of(value, midnight), zone)
    return _Read(_seconds(moment), 1, fraction, spelling)


def _in_unit_of(other: datetime, moment: datetime) -> datetime:
    """
    Return a moment in the unit of another, if both are a pandas Timestamp: replacing changes it.
    """
    unit = getattr(other, "unit", None)
    return moment if unit is None else cast("datetime", cast("Any", moment).as_unit(unit))


def _seconds(moment: datetime) -> int:
    seconds = moment.hour * HOUR + moment.minute * MINUTE + moment.second
    return date(moment.year, moment.month, moment.day).toordinal() * DAY + seconds


def _clock(midnight: datetime, seconds: int, fraction: str) -> datetime:
    """
    Return a datetime of the class of *midnight*.
    """
    days, rest = divmod(seconds, DAY)
    day = date.fromordinal(days)
    return midnight.replace(
        year=day.year,
        month=day.month,
        day=day.day,
        hour=rest // HOUR,
        minute=rest % HOUR // MINUTE,
        second=rest % MINUTE,
        microsecond=int(fraction.ljust(MICROSECOND_DIGITS, "0")),
    )


def _plain(value: object) -> object:
    """
    Return Python's own value for one of numpy's. Timestamps keep their class.
    """
    if isinstance(value, str | date):
        refuse_member(value)
        return value
    return plain(value)


def _range(minimum: object, maximum: object) -> tuple[date, date]:
    ends = []
    for option, end in (("minimum", minimum), ("maximum", maximum)):
        iso = ISOText.read(end) if is_own(end) else None
        if iso is None or not iso.extended or iso.rest:
            raise DomainError(f"{option} is a date in text: YYYY-MM-DD")
        ends.append(iso.day)
    if ends[0] > ends[1]:
        raise DomainError("the minimum of a range is at most its maximum")
    return ends[0], ends[1]


def _check_ends(layout: DateFormat, ends: tuple[date, date], zone: tzinfo | None) -> None:
    for day in ends:
        moment = datetime(day.year, day.month, day.day, tzinfo=zone)
        if attempt(layout.write, moment) is None:
            raise DomainError(
                "the layout cannot write each day of the range: years of two digits reach from "
                "1969 to 2068, others from 1000, beside an offset a day less at either end"
            )


def _check_midnight(*, plain: bool) -> None:
    if not plain:
        raise DomainError(
            "a date has no time of day and no offset: such a field is of the format 'datetime'"
        )


def _refuse_day() -> NoReturn:
    raise DomainError("a datetime has a time of day: such a field is of the format 'date'")
