"""
The units of the calendar: days, weeks, months, quarters, years and decades, each kind numbered.

Source:
    ISO 8601-1:2019, section 5.2. Quarters and decades are written as is common: 2024-Q2, 2020s.
"""

from datetime import date, timedelta
from typing import Final, Literal, get_args

from privkit.errors import DomainError
from privkit.formats.dates import attempt

Unit = Literal["day", "week", "month", "quarter", "year", "decade"]

UNITS: Final[tuple[Unit, ...]] = get_args(Unit)


def number_of(unit: Unit, day: date, /) -> int:
    """
    Return the number of the unit that holds *day*.

    Days and weeks are counted from Monday, 0001-01-01; the others from the year 0.
    """
    match unit:
        case "day":
            return day.toordinal() - 1
        case "week":
            return (day.toordinal() - 1) // 7
        case "month":
            return day.year * 12 + day.month - 1
        case "quarter":
            return day.year * 4 + (day.month - 1) // 3
        case "year":
            return day.year
        case _:  # a decade
            return day.year // 10


def first_day(unit: Unit, number: int, /) -> date:
    """
    Return the first day of a unit.

    Raises:
        DomainError: If it lies outside the years 1 to 9999.
    """
    match unit:
        case "day":
            day = attempt(date.fromordinal, number + 1)
        case "week":
            day = attempt(date.fromordinal, number * 7 + 1)
        case "month":
            day = attempt(date, number // 12, number % 12 + 1, 1)
        case "quarter":
            day = attempt(date, number // 4, number % 4 * 3 + 1, 1)
        case "year":
            day = attempt(date, number, 1, 1)
        case _:  # a decade
            day = attempt(date, number * 10, 1, 1)
    if day is None:
        raise DomainError("a bucket of dates begins and ends in the years 1 to 9999")
    return day


def begins(unit: Unit, day: date, /) -> bool:
    """
    Tell whether *day* is the first of its unit.
    """
    return day == date.min or number_of(unit, day - timedelta(1)) != number_of(unit, day)


def name_of(unit: Unit, number: int, /) -> str:
    """
    Return the name of a unit, as a bound of an interval. A decade is named by its first year.

    Raises:
        DomainError: If a day or week lies outside the years 1 to 9999.
    """
    match unit:
        case "day":
            return first_day(unit, number).isoformat()
        case "week":
            week = first_day(unit, number).isocalendar()
            return f"{week.year:04}-W{week.week:02}"
        case "month":
            return f"{number // 12:04}-{number % 12 + 1:02}"
        case "quarter":
            return f"{number // 4:04}-Q{number % 4 + 1}"
        case "year":
            return f"{number:04}"
        case _:  # a decade
            return f"{number * 10:04}"
