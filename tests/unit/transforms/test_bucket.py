import json
import pickle
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from privkit.errors import DomainError
from privkit.formats.calendar import UNITS
from privkit.transforms.bucket import Bucket
from tests.canaries import DATE, DIGITS, TEXT

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
DAY = date(2024, 5, 17)
NO_DATE = "is no date such as YYYY-MM-DD: declare its layout, such as format='%d/%m/%Y'"
WHOLE = "a layout of strptime with the year, the month and the day, such as '%d/%m/%Y'"

numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(-1e20, 1e20, allow_nan=False),
    st.decimals(-(10**9), 10**9, places=4),
)
widths = st.one_of(
    st.integers(1, 1000),
    st.decimals("0.001", 1000, places=3).filter(bool),
    st.sampled_from([0.1, 0.25, 0.3, 2.5, 1e-7]),
)


def exactly(number):
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def holds(label, number):
    """
    Tell whether a number lies inside a printed interval.
    """
    if label.startswith("<"):
        return number < Decimal(label[1:])
    if label.endswith("+"):
        return number >= Decimal(label[:-1])
    low, high = re.fullmatch(rf"\[({NUMBER}), ({NUMBER})\)", label).groups()
    return Decimal(low) <= number < Decimal(high)


class TestWidth:
    @pytest.mark.parametrize(
        ("width", "value", "expected"),
        [
            (5, 43, "[40, 45)"),
            (5, 45, "[45, 50)"),
            (5, 0, "[0, 5)"),
            (5, -1, "[-5, 0)"),
            (10, "37", "[30, 40)"),
            (10, "37.9", "[30, 40)"),
            (10, Decimal("39.999"), "[30, 40)"),
            (10, 39.999, "[30, 40)"),
            (10, np.int64(40), "[40, 50)"),
            (10, np.float32(40.5), "[40, 50)"),
            (0.1, 0.3, "[0.3, 0.4)"),
            (0.1, 0.1 + 0.2, "[0.3, 0.4)"),
            (0.1, 0.7, "[0.7, 0.8)"),
            (0.1, 0.95, "[0.9, 1)"),
            (2.5, 6, "[5, 7.5)"),
            ("0.000001", 0, "[0, 0.000001)"),
            (10**15, 10**16 + 1, "[10000000000000000, 11000000000000000)"),
        ],
    )
    def test_names_the_interval(self, width, value, expected):
        """
        A value lies in the multiple of the width that is at or below it, computed exactly.
        """
        assert expected == Bucket(width=width).apply(value)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (17, "<18"),
            (17.999, "<18"),
            (18, "[18, 20)"),
            (20, "[20, 25)"),
            (84, "[80, 85)"),
            (86.999, "[85, 87)"),
            (87, "87+"),
            (120, "87+"),
        ],
    )
    def test_what_is_cut_claims_no_more(self, value, expected):
        """
        Beside a bottom or top that is no multiple of the width lies what is left of an interval.
        """
        assert expected == Bucket(width=5, bottom=18, top=87).apply(value)

    @pytest.mark.parametrize(("value", "expected"), [(89, "[80, 90)"), (90, "90+"), (104, "90+")])
    def test_codes_the_top(self, value, expected):
        """
        Ages from 90 are one class, as the rule of HIPAA has it.
        """
        assert expected == Bucket(width=10, top=90).apply(value)

    def test_both_cuts_may_meet_in_one_interval(self):
        """
        An interval may be cut from both sides.
        """
        assert "[41, 43)" == Bucket(width=10, bottom=41, top=43).apply(42)

    @given(
        number=numbers,
        width=widths,
        bottom=numbers,
        top=numbers,
        cuts=st.tuples(st.booleans(), st.booleans()),
    )
    @example(number=0.3, width=0.1, bottom=0, top=0, cuts=(False, False))
    def test_every_number_is_inside_its_interval(self, number, width, bottom, top, cuts):
        """
        Whatever the parameters, the printed interval holds the value.
        """
        assume(exactly(bottom) < exactly(top) or not all(cuts))
        rule = Bucket(width=width, bottom=bottom if cuts[0] else None, top=top if cuts[1] else None)

        assert holds(rule.apply(number), exactly(number))

    @given(st.lists(st.integers(-40, 140), min_size=2), st.sampled_from([3, 5, 7, 2.5, "0.7"]))
    def test_every_number_is_inside_one_interval_only(self, values, width):
        """
        Of all labels that occur, one holds a value, and it is the value's own.
        """
        rule = Bucket(width=width, bottom=2, top=90)
        labels = {rule.apply(value) for value in values}

        for value in values:
            assert [rule.apply(value)] == [label for label in labels if holds(label, value)]


class TestEdges:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [(-1, "<0"), (0, "[0, 18)"), (17.5, "[0, 18)"), ("18", "[18, 65.5)"), (65.5, "65.5+")],
    )
    def test_names_the_interval(self, value, expected):
        """
        Edges bound intervals, and what lies outside them is open.
        """
        assert expected == Bucket(edges=(0, 18, 65.5)).apply(value)

    @pytest.mark.parametrize(
        ("value", "expected"), [(-1, "no age"), (0, "child"), (18, "adult"), (65, "senior")]
    )
    def test_labels_may_name_the_open_ends(self, value, expected):
        """
        With one label more than edges, everything has a name.
        """
        rule = Bucket(edges=(0, 18, 65), labels=("no age", "child", "adult", "senior"))

        assert expected == rule.apply(value)

    @pytest.mark.parametrize(("value", "expected"), [(0, "child"), (17, "child"), (18, "adult")])
    def test_labels_may_name_what_lies_between(self, value, expected):
        """
        With one label less than edges, the intervals between them have names.
        """
        assert expected == Bucket(edges=(0, 18, 65), labels=("child", "adult")).apply(value)

    @pytest.mark.parametrize(
        ("value", "where"), [(-1, "below the first edge"), (65, "at or above the last edge")]
    )
    def test_what_has_no_label_is_refused(self, value, where):
        """
        A value outside the edges is not given the name of a neighbour.
        """
        with pytest.raises(DomainError) as caught:
            Bucket(edges=(0, 18, 65), labels=("child", "adult")).apply(value)

        assert f"a value lies {where}, where there is no label: give 4 labels" == str(caught.value)

    @given(numbers, st.lists(numbers, min_size=2, max_size=9))
    def test_every_number_is_inside_its_interval(self, number, edges):
        """
        Whatever the edges, the printed interval holds the value.
        """
        edges = sorted({exactly(edge) for edge in edges})
        assume(len(edges) > 1)

        assert holds(Bucket(edges=edges).apply(number), exactly(number))


class TestDates:
    @pytest.mark.parametrize(
        ("unit", "width", "expected"),
        [
            ("day", 1, "2024-05-17"),
            ("day", 7, "[2024-05-13, 2024-05-20)"),
            ("week", 1, "2024-W20"),
            ("week", 2, "[2024-W20, 2024-W22)"),
            ("month", 1, "2024-05"),
            ("month", 3, "[2024-04, 2024-07)"),
            ("quarter", 1, "2024-Q2"),
            ("quarter", 2, "[2024-Q1, 2024-Q3)"),
            ("year", 1, "2024"),
            ("year", 5, "[2020, 2025)"),
            ("decade", 1, "2020s"),
            ("decade", 2, "[2020, 2040)"),
        ],
    )
    def test_names_the_interval(self, unit, width, expected):
        """
        A unit has its common name, and several of them are an interval.
        """
        assert expected == Bucket(unit=unit, width=width).apply(DAY)

    def test_a_unit_alone_is_one_unit_wide(self):
        """
        Without a width, intervals are one unit wide.
        """
        assert "2024-05" == Bucket(unit="month").apply(DAY)
        assert Bucket(unit="month") == Bucket(unit="month", width=1)
        assert repr(Bucket(unit="month")) == repr(Bucket(unit="month", width=Decimal("1.0")))

    @pytest.mark.parametrize(
        "value",
        [
            DAY,
            datetime(2024, 5, 17, 23, 59),
            datetime(2024, 5, 17, 23, 59, tzinfo=UTC),
            pd.Timestamp("2024-05-17T23:59:59.123456789"),
            "2024-05-17",
            "20240517",
            "2024-05-17T23:59:59-11:00",
            "2024-05-17 00:00",
        ],
    )
    def test_reads_dates_of_all_kinds(self, value):
        """
        Dates, datetimes and ISO text lie in the interval of their day as it is written.
        """
        assert "2024-05-17" == Bucket(unit="day").apply(value)

    def test_reads_a_declared_layout(self):
        """
        Text of another layout is read where it is declared.
        """
        rule = Bucket(unit="month", format="%d/%m/%Y")

        assert "2024-03" == rule.apply("04/03/2024")
        assert "2024-05" == rule.apply(DAY)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("04/03/2024", f"text of 10 characters {NO_DATE}"),
            ("20240230", f"text of 8 characters {NO_DATE}"),
            (1984, "a date is a date, a datetime or text, got int"),
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_date(self, value, message):
        """
        Text that is ambiguous, impossible days and numbers are refused.
        """
        with pytest.raises(DomainError) as caught:
            Bucket(unit="year").apply(value)

        assert message == str(caught.value)

    @pytest.mark.parametrize(
        ("unit", "width", "value", "expected"),
        [
            # On the boundary of a unit.
            ("year", 1, "1935-12-31", "<1936"),
            ("year", 1, "1936-01-01", "1936"),
            ("year", 1, "2009-12-31", "2009"),
            ("year", 1, "2010-01-01", "2010+"),
            ("month", 1, "1935-12-31", "<1936-01"),
            ("quarter", 1, "2010-02-03", "2010-Q1+"),
            ("day", 1, "2010-02-03", "2010-01-01+"),
            # A boundary of the unit inside an interval of several.
            ("year", 5, "1936-07-08", "[1936, 1940)"),
            ("decade", 1, "2010-07-08", "2010+"),
            ("year", 4, "2008-02-29", "[2008, 2010)"),
            # 1936-01-01 was a Wednesday, 2010-01-01 a Friday.
            ("week", 1, "1935-12-31", "<1936-01-01"),
            ("week", 1, "1936-01-02", "[1936-01-01, 1936-01-06)"),
            ("week", 1, "2009-12-31", "[2009-12-28, 2010-01-01)"),
            ("week", 1, "2010-01-01", "2010-01-01+"),
            ("decade", 1, "1936-07-08", "[1936-01-01, 1940-01-01)"),
        ],
    )
    def test_codes_bottom_and_top(self, unit, width, value, expected):
        """
        Ends are named by the unit where they begin one, and what they cut claims no more.
        """
        rule = Bucket(unit=unit, width=width, bottom="1936-01-01", top="2010-01-01")

        assert expected == rule.apply(value)

    def test_an_end_within_a_unit_is_named_by_its_day(self):
        """
        A year that is cut in June is no year.
        """
        rule = Bucket(unit="year", bottom="2010-06-15", top="2010-09-01")

        assert [
            "<2010-06-15",
            "[2010-06-15, 2010-09-01)",
            "2010-09-01+",
        ] == [rule.apply(day) for day in ("2010-06-14", "2010-06-15", "2010-12-31")]

    def test_an_interval_may_be_cut_by_units_from_both_sides(self):
        """
        Where both cuts begin a unit, units name what is left.
        """
        rule = Bucket(unit="decade", width=5, bottom="1960", top="1990")

        assert "[1960, 1990)" == rule.apply("1975-01-01")

    def test_a_cut_may_leave_the_beginning_of_an_interval(self):
        """
        A top within a unit leaves the days before it.
        """
        assert "[2010-01-01, 2010-06-15)" == Bucket(unit="year", top="2010-06-15").apply("20100101")

    @pytest.mark.parametrize(
        "given_top",
        ["2010-06-01", "20100601", "2010-06", date(2010, 6, 1)],
    )
    def test_bounds_have_one_form(self, given_top):
        """
        However a bound was written, equal rules are equal.
        """
        rule = Bucket(unit="month", top=given_top)

        assert Bucket(unit="month", top="2010-06-01") == rule
        assert "2010-06-01" == rule.top

    @pytest.mark.parametrize("unit", UNITS)
    @given(
        days=st.lists(st.dates(date(1900, 1, 1), date(2100, 1, 1)), min_size=2),
        width=st.integers(1, 9),
        bottom=st.dates(date(1900, 1, 1), date(1960, 1, 1)),
        top=st.dates(date(1961, 1, 1), date(2100, 1, 1)),
    )
    def test_intervals_are_as_ordered_as_days(self, unit, days, width, bottom, top):
        """
        A later day is in the same interval or in a later one, which no earlier day shares.
        """
        rule = Bucket(unit=unit, width=width, bottom=bottom, top=top)
        seen = []
        for day in sorted(days):
            label = rule.apply(day)
            if label not in seen:
                seen.append(label)

            assert label == seen[-1]

    @given(
        day=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
        width=st.integers(1, 9),
        unit=st.sampled_from(["day", "year"]),
        bottom=st.dates(date(1900, 1, 1), date(1960, 1, 1)),
    )
    def test_every_day_is_inside_its_interval(self, day, width, unit, bottom):
        """
        The printed interval of days or years holds the day.
        """
        label = Bucket(unit=unit, width=width, bottom=bottom).apply(day)
        ends = re.findall(r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2})?", label)
        low = high = ends[0]
        if len(ends) > 1:
            high = ends[1]

        if label.startswith("<"):
            assert day.isoformat() < low
        elif len(ends) > 1:
            assert low <= day.isoformat() < high
        else:
            assert day.isoformat().startswith(label)

    @pytest.mark.parametrize(("unit", "width"), [("day", 30), ("week", 4)])
    def test_an_interval_ends_within_the_calendar(self, unit, width):
        """
        The last days of the year 9999 have no interval whose end can be written.
        """
        with pytest.raises(DomainError, match="years 1 to 9999"):
            Bucket(unit=unit, width=width).apply(date.max)


class TestParameters:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "a bucket needs width, edges or unit"),
            ({"width": 0}, "width is larger than 0"),
            ({"width": -5}, "width is larger than 0"),
            ({"width": True}, "width is a number, got bool"),
            ({"width": float("inf")}, "width is a finite number"),
            ({"width": [5]}, "width is a number, got list"),
            ({"width": 5, "top": date(2024, 1, 1)}, "top is a number, got date: dates take unit="),
            ({"width": 5, "bottom": 9, "top": 9}, "bottom is below top"),
            ({"width": 5, "labels": ("a",)},
             "labels name the intervals of edges, and there are none"),
            ({"width": 5, "format": "%Y"}, "format is the layout of dates, and dates need unit"),
            ({"edges": (0, 18), "width": 5},
             "edges go without width, bottom and top: their ends are open"),
            ({"edges": (0, 18), "bottom": 5},
             "edges go without width, bottom and top: their ends are open"),
            ({"edges": (0, 18), "top": 5},
             "edges go without width, bottom and top: their ends are open"),
            ({"edges": 5}, "edges are a list, got int"),
            ({"edges": "05"}, "edges are a list, got str"),
            ({"edges": ()}, "edges are at least 2, got 0"),
            ({"edges": (5,)}, "edges are at least 2, got 1"),
            ({"edges": (0, 5, 5)}, "edges rise, but edge 3 is not above the one before"),
            ({"edges": (0, 5, 4)}, "edges rise, but edge 3 is not above the one before"),
            ({"edges": (0, None)}, "an edge is a number, got NoneType"),
            ({"edges": (0, 5), "labels": "ab"}, "labels are a list, got str"),
            ({"edges": (0, 5), "labels": ("a", "b")},
             "2 edges take 1 labels, or 3 with the open ends, got 2"),
            ({"edges": (0, 5), "labels": ("a", "b", "a")}, "labels differ from each other"),
            ({"edges": (0, 5), "labels": ("",)}, "a label is text of at least 1 character"),
            ({"edges": (0, 5), "labels": (1,)}, "a label is text of at least 1 character"),
            ({"unit": "hour"}, "unit is day, week, month, quarter, year, decade"),
            ({"unit": "year", "edges": (1, 2)},
             "edges are numbers: dates take unit, width, bottom and top"),
            ({"unit": "year", "width": 1.5}, "width is a whole number of years, at least 1"),
            ({"unit": "year", "width": 0}, "width is a whole number of years, at least 1"),
            ({"unit": "year", "labels": ("a",)},
             "labels name the intervals of edges, and there are none"),
            ({"unit": "year", "top": 2010}, "top is a date such as '2010-01-01' where unit is set"),
            ({"unit": "year", "top": "2010-13"},
             "top is a date such as '2010-01-01' where unit is set"),
            ({"unit": "year", "bottom": datetime(2010, 1, 1)},
             "bottom is a date such as '2010-01-01' where unit is set"),
            ({"unit": "year", "bottom": "2010-01-01T00:00"},
             "bottom is a date such as '2010-01-01' where unit is set"),
            ({"unit": "year", "bottom": "2010", "top": "2010"}, "bottom is below top"),
            ({"unit": "year", "format": "%m/%Y"},
             f"format is {WHOLE}"),
        ],
    )  # fmt: skip
    def test_refuses_what_does_not_fit_together(self, arguments, message):
        """
        Mistakes in the rule show when it is declared.
        """
        with pytest.raises(DomainError) as caught:
            Bucket(**arguments)

        assert message == str(caught.value)

    @pytest.mark.parametrize("value", [True, float("inf"), TEXT, DATE, [DIGITS], DAY, "012", ""])
    def test_refuses_what_is_no_number(self, value):
        """
        What has no place on the line of numbers is refused, in both divisions of it.
        """
        for rule in (Bucket(width=5), Bucket(edges=(0, 18))):
            with pytest.raises(DomainError):
                rule.apply(value)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"width": 10, "top": 90},
            {"width": 0.5, "bottom": -2.5},
            {"width": "0.1000000000000000000001"},
            {"edges": [0, 18.5, 65], "labels": ["child", "adult"]},
            {"unit": "year", "width": 5, "bottom": "1936-01-01", "top": "2010-01-01"},
            {"unit": "month", "format": "%d.%m.%Y"},
        ],
    )
    def test_survives_a_policy_file(self, parameters):
        """
        A rule read from JSON and written to JSON is the same, and so is its copy.
        """
        adapter = TypeAdapter(Bucket)
        rule = adapter.validate_json(json.dumps(parameters))
        written = adapter.dump_python(rule, mode="json", exclude_none=True)

        assert parameters == written
        assert rule == Bucket(**parameters) == pickle.loads(pickle.dumps(rule))
        assert hash(rule) == hash(Bucket(**parameters))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"width": 0.1}, {"width": Decimal("0.10")}),
            ({"width": 5, "top": 90}, {"width": 5.0, "top": "90"}),
            ({"edges": [0, 18]}, {"edges": (Decimal(0), "18.0")}),
            ({"unit": "year", "top": "2010"}, {"unit": "year", "top": date(2010, 1, 1)}),
        ],
    )
    def test_equal_rules_are_equal(self, one, other):
        """
        The types in which parameters are given make no difference.
        """
        assert Bucket(**one) == Bucket(**other)
        assert repr(Bucket(**one)) == repr(Bucket(**other))

    def test_is_one_way(self):
        """
        There is no way back from an interval.
        """
        assert not Bucket.reversible
        assert not hasattr(Bucket(width=5), "invert")
