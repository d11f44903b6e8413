"""
Generalize numbers and dates to intervals.
"""

from bisect import bisect_right
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, Final, TypeVar, cast, final

from privkit.errors import DomainError
from privkit.formats.calendar import UNITS, Unit, begins, first_day, name_of, number_of
from privkit.formats.dates import DateFormat, ISOText, read_day
from privkit.formats.quantities import Number, exact, places_of, plainest, scaled, written
from privkit.formats.text import is_own, refuse_member
from privkit.typing import Technique

Ordered = TypeVar("Ordered", int, date)

MISSING_PARTS: Final = {len("2010"): "-01-01", len("2010-01"): "-01"}
"""What makes a whole date of the text of a year or a month, by its length."""


@final
@dataclass(frozen=True, slots=True)
class Bucket:
    """
    Replace a number or a date by the interval it lies in.

    One of *width*, *edges* and *unit* says how values are divided. An interval holds its lower
    end and not its upper end. Arithmetic is exact: 0.3 lies in ``"[0.3, 0.4)"`` at width 0.1.

    * ``Bucket(width=5)`` gives ``"[40, 45)"`` for 43. Intervals begin at multiples of the width.
    * ``Bucket(edges=(0, 18, 65))`` gives ``"<0"``, ``"[0, 18)"``, ``"[18, 65)"`` or ``"65+"``.
    * ``Bucket(unit="month")`` gives ``"2024-05"`` for a day in May 2024; other units give
      ``"2024-05-17"``, ``"2024-W20"``, ``"2024-Q2"``, ``"2024"`` and ``"2020s"``. With
      ``width=3`` it gives ``"[2024-04, 2024-07)"``: months, quarters, years and decades are
      divided from the year 0 on, days and weeks from Monday, 0001-01-01.

    Numbers are integers, decimals, finite floats, numpy's numbers, and text such as ``"-12.5"``
    without leading zeros. A float counts as the shortest decimal that it prints as. Dates are
    dates, datetimes and text in ISO 8601; their day is taken as written, whatever the offset.

    Args:
        width:
            The size of an interval in the value's own unit, or in *unit*s (then a whole number,
            and 1 if left out).

        edges:
            At least 2 numbers, each larger than the one before. They bound the intervals between
            them, one below and one above.

        labels:
            Names for the intervals of *edges*, lowest first. With one name more than edges, the
            open intervals below and above are the first and the last. With one name less, they
            have none, and a value in them is refused.

        bottom:
            Values below it share ``"<18"``. A number, or where *unit* is set a date, which as text
            may be ``"2010-06-15"``, ``"2010-06"`` or ``"2010"``.

        top:
            Values from it upwards share ``"90+"``. An interval that *bottom* or *top* cuts is
            printed as what is left of it.

        unit:
            Divides dates: ``"day"``, ``"week"`` (ISO, from Monday), ``"month"``, ``"quarter"``,
            ``"year"`` or ``"decade"``.

        format:
            The layout of dates in text, in the notation of ``datetime.strptime``. ``None`` reads
            ISO 8601, extended or basic.

    Preserves:
        The order of values in different intervals, unless labels hide it.

    Reveals:
        The interval. A rare one, alone or with other fields, can single a person out: intervals
        of a fixed width hold as few records as there happen to be.

    Reverses:
        Never.

    Source:
        Rounding, top and bottom coding: ISO/IEC 20889:2018. Weeks: ISO 8601-1:2019, 5.2.3.
        HIPAA Safe Harbor puts ages over 89 into one class, ``top=90``, and takes every element
        of such a person's dates that tells the age, the year too (45 CFR 164.514(b)(2)(i)(C)):
        ``unit="year"`` without *bottom* leaves it.

    Raises:
        DomainError: If not exactly one division is given, a number is not finite or not positive
            where it must be, edges do not rise, labels are too few, too many or equal, or
            *bottom* is not below *top*.

    .. versionadded:: 0.1
    """

    _: KW_ONLY
    width: Number | None = None
    edges: tuple[Number, ...] | None = None
    labels: tuple[str, ...] | None = None
    bottom: Number | date | None = None
    top: Number | date | None = None
    unit: Unit | None = None
    format: str | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "bucket"
    technique: ClassVar[Technique] = Technique.ROUNDING
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        if self.unit is not None:
            self._check_dates()
        elif self.edges is not None:
            self._check_edges()
        elif self.width is not None:
            self._check_numbers()
        else:
            raise DomainError("a bucket needs width, edges or unit")
        if self.labels is not None and self.edges is None:
            raise DomainError("labels name the intervals of edges, and there are none")
        if self.format is not None and self.unit is None:
            raise DomainError("format is the layout of dates, and dates need unit")

    def _check_numbers(self) -> None:
        for option in ("width", "bottom", "top"):
            given = getattr(self, option)
            if given is not None:
                self._set(option, plainest(given, option))
        if exact(self.width)[0] <= 0:
            raise DomainError("width is larger than 0")
        steps = _steps(self.width, self.bottom, self.top)
        _check_order(steps.bottom, steps.top)

    def _check_edges(self) -> None:
        if self.width is not None or self.bottom is not None or self.top is not None:
            raise DomainError("edges go without width, bottom and top: their ends are open")
        edges = tuple(plainest(edge, "an edge") for edge in _listed(self.edges, "edges"))
        self._set("edges", edges)
        if len(edges) < 2:  # noqa: PLR2004 - an interval has two ends
            raise DomainError(f"edges are at least 2, got {len(edges)}", minimum=2)
        bounds = _bounds(edges).bounds
        for position, (lower, upper) in enumerate(pairwise(bounds), 1):
            if upper <= lower:
                raise DomainError(
                    f"edges rise, but edge {position + 1} is not above the one before"
                )
        if self.labels is not None:
            self._check_labels(len(edges))

    def _check_labels(self, edges: int) -> None:
        labels = _listed(self.labels, "labels")
        for label in labels:
            if not is_own(label) or not label:
                raise DomainError("a label is text of at least 1 character")
        self._set("labels", labels)
        if len(labels) not in {edges - 1, edges + 1}:
            raise DomainError(
                f"{edges} edges take {edges - 1} labels, or {edges + 1} with the open ends, "
                f"got {len(labels)}"
            )
        if len(set(labels)) < len(labels):
            raise DomainError("labels differ from each other")

    def _check_dates(self) -> None:
        if not is_own(self.unit) or self.unit not in UNITS:
            raise DomainError(f"unit is {', '.join(UNITS)}")
        if self.edges is not None:
            raise DomainError("edges are numbers: dates take unit, width, bottom and top")
        if self.width is not None:
            self._set("width", plainest(self.width, "width"))
            if not isinstance(self.width, int) or self.width < 1:
                raise DomainError(f"width is a whole number of {self.unit}s, at least 1")
            if self.width == 1:
                self._set("width", None)
        for option in ("bottom", "top"):
            given = getattr(self, option)
            if given is not None:
                self._set(option, _boundary(given, option))
        if self.format is not None:
            DateFormat(self.format)
        periods = _periods(self.unit, self.width, self.bottom, self.top)
        _check_order(periods.bottom, periods.top)

    def _set(self, option: str, value: object) -> None:
        # Equal rules compare equal, however their numbers and dates were given.
        object.__setattr__(self, option, value)

    def apply(self, value: object, by: object = None, /) -> str:  # noqa: ARG002 - a protocol's
        """
        Return the interval of *value*, as text.

        Raises:
            DomainError: If *value* is no number, or no date where *unit* is set; if it is
                infinite, or in an open end that has no label.
        """
        if self.unit is not None:
            layout = None if self.format is None else _layout(self.format)
            day = read_day(value, layout)
            return _periods(self.unit, self.width, self.bottom, self.top).label(day)
        if self.edges is not None:
            return _bounds(self.edges).label(value, self.labels)
        return _steps(self.width, self.bottom, self.top).label(value)


@final
@dataclass(frozen=True, slots=True)
class Steps:
    """
    Intervals of one width, in units of a decimal place that holds all their ends.

    Every end is a whole number of units, so a value may be rounded down to one before it is
    compared.
    """

    width: int
    bottom: int | None
    top: int | None
    places: int

    def label(self, value: object) -> str:
        """
        Return the interval of a number.
        """
        units = scaled(value, self.places)
        if self.top is not None and units >= self.top:
            return f"{written(self.top, self.places)}+"
        if self.bottom is not None and units < self.bottom:
            return f"<{written(self.bottom, self.places)}"
        low = units // self.width * self.width
        high = low + self.width
        if self.bottom is not None:
            low = max(low, self.bottom)
        if self.top is not None:
            high = min(high, self.top)
        return f"[{written(low, self.places)}, {written(high, self.places)})"


@final
@dataclass(frozen=True, slots=True)
class Bounds:
    """
    Intervals between given ends, in units of a decimal place that holds them all.
    """

    bounds: tuple[int, ...]
    places: int

    def label(self, value: object, labels: tuple[str, ...] | None) -> str:
        """
        Return the interval of a number, or its name.
        """
        interval = bisect_right(self.bounds, scaled(value, self.places))
        if labels is None:
            return self._name(interval)
        if len(labels) > len(self.bounds):
            return labels[interval]
        if not 0 < interval < len(self.bounds):
            where = "below the first edge" if interval == 0 else "at or above the last edge"
            raise DomainError(
                f"a value lies {where}, where there is no label: give {len(self.bounds) + 1} labels"
            )
        return labels[interval - 1]

    def _name(self, interval: int) -> str:
        if interval == 0:
            return f"<{written(self.bounds[0], self.places)}"
        low = written(self.bounds[interval - 1], self.places)
        if interval == len(self.bounds):
            return f"{low}+"
        return f"[{low}, {written(self.bounds[interval], self.places)})"


@final
@dataclass(frozen=True, slots=True)
class Periods:
    """
    Intervals of one number of units of the calendar.
    """

    unit: Unit
    width: int
    bottom: date | None
    top: date | None

    def label(self, day: date) -> str:
        """
        Return the interval of a day.
        """
        if self.top is not None and day >= self.top:
            return f"{self._bound(self.top)}+"
        if self.bottom is not None and day < self.bottom:
            return f"<{self._bound(self.bottom)}"
        low = number_of(self.unit, day) // self.width * self.width
        high = low + self.width
        bottom = self.bottom if self.bottom is not None and self._cuts(self.bottom, low) else None
        top = self.top if self.top is not None and number_of(self.unit, self.top) < high else None
        if bottom is not None or top is not None:
            return self._rest(bottom, top, low, high)
        if self.width > 1:
            return f"[{name_of(self.unit, low)}, {name_of(self.unit, high)})"
        return name_of(self.unit, low) + ("s" if self.unit == "decade" else "")

    def _cuts(self, bottom: date, low: int) -> bool:
        number = number_of(self.unit, bottom)
        return number > low or (number == low and not begins(self.unit, bottom))

    def _rest(self, bottom: date | None, top: date | None, low: int, high: int) -> str:
        """
        Name what the bottom and the top leave of an interval: by unit where that is exact.
        """
        if all(cut is None or begins(self.unit, cut) for cut in (bottom, top)):
            low = low if bottom is None else number_of(self.unit, bottom)
            high = high if top is None else number_of(self.unit, top)
            return f"[{name_of(self.unit, low)}, {name_of(self.unit, high)})"
        first = bottom or first_day(self.unit, low)
        end = top or first_day(self.unit, high)
        return f"[{first.isoformat()}, {end.isoformat()})"

    def _bound(self, day: date) -> str:
        if begins(self.unit, day):
            return name_of(self.unit, number_of(self.unit, day))
        return day.isoformat()


# What follows depends on the rule alone, and is made once for it. No value enters these caches.


@lru_cache(maxsize=256)
def _steps(width: Number | None, bottom: object, top: object) -> Steps:
    given = [each for each in (width, bottom, top) if each is not None]
    places = max(places_of(each, "a bound") for each in given)
    return Steps(
        scaled(width, places),
        None if bottom is None else scaled(bottom, places),
        None if top is None else scaled(top, places),
        places,
    )


@lru_cache(maxsize=256)
def _bounds(edges: tuple[Number, ...]) -> Bounds:
    places = max(places_of(edge, "an edge") for edge in edges)
    return Bounds(tuple(scaled(edge, places) for edge in edges), places)


@lru_cache(maxsize=256)
def _periods(unit: Unit, width: object, bottom: object, top: object) -> Periods:
    return Periods(
        unit,
        1 if width is None else cast("int", width),
        None if bottom is None else read_day(bottom),
        None if top is None else read_day(top),
    )


@lru_cache(maxsize=256)
def _layout(text: str) -> DateFormat:
    return DateFormat(text)


def _boundary(given: object, option: str) -> str:
    """
    Return a bound as an ISO date: of a date, or of ISO text that may leave out day and month.
    """
    refuse_member(given)
    if isinstance(given, date) and not isinstance(given, datetime):
        return given.isoformat()
    if isinstance(given, str):
        iso = ISOText.read(given + MISSING_PARTS.get(len(given), ""))
        if iso is not None and not iso.rest:
            return iso.day.isoformat()
    raise DomainError(f"{option} is a date such as '2010-01-01' where unit is set")


def _check_order(bottom: Ordered | None, top: Ordered | None) -> None:
    if bottom is not None and top is not None and top <= bottom:
        raise DomainError("bottom is below top")


def _listed(given: object, option: str) -> tuple[object, ...]:
    if not isinstance(given, tuple | list):
        raise DomainError(f"{option} are a list, got {type(given).__name__}")
    return tuple(given)
