"""
The intervals of a bucket, and their names.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import cast, final

from privkit.errors import DomainError
from privkit.formats.calendar import Unit, begins, first_day, name_of, number_of
from privkit.formats.dates import DateFormat, read_day
from privkit.formats.quantities import Number, places_of, scaled, written


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
def steps(width: Number | None, bottom: object, top: object) -> Steps:
    """
    Return intervals of one width.
    """
    given = [each for each in (width, bottom, top) if each is not None]
    places = max(places_of(each, "a bound") for each in given)
    return Steps(
        scaled(width, places),
        None if bottom is None else scaled(bottom, places),
        None if top is None else scaled(top, places),
        places,
    )


@lru_cache(maxsize=256)
def bounds(edges: tuple[Number, ...]) -> Bounds:
    """
    Return the intervals between numbers.
    """
    places = max(places_of(edge, "an edge") for edge in edges)
    return Bounds(tuple(scaled(edge, places) for edge in edges), places)


@lru_cache(maxsize=256)
def periods(unit: Unit, width: object, bottom: object, top: object) -> Periods:
    """
    Return intervals of units of the calendar.
    """
    return Periods(
        unit,
        1 if width is None else cast("int", width),
        None if bottom is None else read_day(bottom),
        None if top is None else read_day(top),
    )


@lru_cache(maxsize=256)
def layout(text: str) -> DateFormat:
    """
    Return a layout of dates, read.
    """
    return DateFormat(text)
