from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.calendar import UNITS, begins, first_day, name_of, number_of

NAMES = [
    ("day", "2024-02-29", date(2024, 2, 29)),
    ("week", "2024-W09", date(2024, 2, 26)),
    ("month", "2024-02", date(2024, 2, 1)),
    ("quarter", "2024-Q1", date(2024, 1, 1)),
    ("year", "2024", date(2024, 1, 1)),
    ("decade", "2020", date(2020, 1, 1)),
]


@pytest.mark.parametrize(("unit", "name", "first"), NAMES)
def test_names_the_unit_of_a_day(unit, name, first):
    """
    Each unit has the name that ISO 8601 or common use gives it, and begins on its first day.
    """
    number = number_of(unit, date(2024, 2, 29))

    assert name == name_of(unit, number)
    assert first == first_day(unit, number)


@pytest.mark.parametrize(
    ("day", "name"),
    [(date(2021, 1, 3), "2020-W53"), (date(2018, 12, 31), "2019-W01"), (date.max, "9999-W52")],
)
def test_a_week_belongs_to_the_year_of_its_thursday(day, name):
    """
    Around New Year, the year of a week is not always that of the day.
    """
    assert name == name_of("week", number_of("week", day))


@pytest.mark.parametrize("unit", UNITS)
@given(day=st.dates(min_value=date(10, 1, 1)))
def test_units_lie_side_by_side(unit, day):
    """
    A day lies in one unit: from the first day of that one, and before that of the next.
    """
    number = number_of(unit, day)
    first = first_day(unit, number)

    assert first <= day
    assert begins(unit, first)
    assert begins(unit, day) == (first == day)
    assert number == number_of(unit, first)
    assert first == date(10, 1, 1) or number - 1 == number_of(unit, first - timedelta(1))


@pytest.mark.parametrize("unit", UNITS)
def test_the_first_day_of_all_begins_its_unit(unit):
    """
    There is no day before 0001-01-01 to compare it with.
    """
    assert begins(unit, date.min)


@pytest.mark.parametrize("unit", UNITS)
def test_refuses_what_lies_outside_the_calendar(unit):
    """
    A unit after the year 9999 has no first day.
    """
    with pytest.raises(DomainError) as caught:
        first_day(unit, number_of(unit, date.max) + 1)

    assert "a bucket of dates begins and ends in the years 1 to 9999" == str(caught.value)
