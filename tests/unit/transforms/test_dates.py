import copy
import json
import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from privkit.errors import DomainError
from privkit.formats.dates import OUT_OF_RANGE
from privkit.keys import Key
from privkit.keys.subkeys import Subkeys
from privkit.transforms.dates import ShiftDate
from tests.canaries import DATE, DIGITS, KEY_BYTES, OTHER_KEY_BYTES

KEY = Key("k1", KEY_BYTES)
SUBKEYS = Subkeys(KEY, field="visit", scope="patients.visit")
DAY = date(2024, 1, 31)

RULE = ShiftDate(by="mrn")
BOUND = RULE.bind(SUBKEYS)
INVERSE = RULE.bind_inverse(SUBKEYS)

safe_days = st.dates(date(2, 1, 1), date(9998, 1, 1))
safe_moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1))
subjects = st.text(max_size=20) | st.integers()


def shift(bound, by, day=DAY):
    return (bound.apply(day, by) - day).days


class TestTheShift:
    def test_is_frozen(self):
        """
        The shift of a subject never changes: another one would move all dates anew.
        """
        # Made with the standard library's hmac alone: HKDF (RFC 5869) by hand, HMAC, modulo 360.
        assert [118, 83, 30, -20] == [
            shift(BOUND, subject) for subject in ("42", "0042137", "", "ä")
        ]

    def test_is_one_for_all_dates_of_a_subject(self):
        """
        Dates, moments and texts of one subject move together.
        """
        days = shift(BOUND, "42")

        assert date(1999, 9, 9) + timedelta(days) == BOUND.apply(date(1999, 9, 9), "42")
        assert (date(1999, 9, 9) + timedelta(days)).isoformat() == BOUND.apply("1999-09-09", "42")
        assert datetime(1999, 9, 9, 7) + timedelta(days) == BOUND.apply(
            datetime(1999, 9, 9, 7), "42"
        )

    def test_is_one_for_all_spellings_of_a_number(self):
        """
        A subject's number is one in every type that it may be read in.
        """
        spellings = ["42", 42, np.int64(42), Decimal(42)]

        assert 1 == len({shift(BOUND, spelling) for spelling in spellings})

    def test_differs_by_subject_key_and_scope(self):
        """
        Another subject, key or scope is another shift, as a rule.
        """
        others = [
            BOUND,
            RULE.bind(Subkeys(Key("k1", OTHER_KEY_BYTES), field="visit", scope="patients.visit")),
            RULE.bind(Subkeys(KEY, field="visit", scope="patients.birth")),
        ]
        shifts = [tuple(shift(bound, number) for number in range(20)) for bound in others]

        assert 3 == len(set(shifts))
        assert all(len(set(each)) > 10 for each in shifts)

    def test_depends_on_the_scope_and_not_on_the_field(self):
        """
        Two fields of one scope move together.
        """
        other = RULE.bind(Subkeys(KEY, field="birth", scope="patients.visit"))

        assert [shift(BOUND, n) for n in range(9)] == [shift(other, n) for n in range(9)]

    @pytest.mark.parametrize("max_days", [1, 3, 14])
    def test_takes_every_value_but_zero(self, max_days):
        """
        All shifts up to the largest occur, about equally often, and no date stays where it was.
        """
        bound = ShiftDate(by="mrn", max_days=max_days).bind(SUBKEYS)
        seen = Counter(shift(bound, number) for number in range(2000))
        expected = 2000 / (2 * max_days)

        assert {*range(-max_days, 0), *range(1, max_days + 1)} == set(seen)
        # The subjects and the key are fixed, so this cannot fail by chance.
        assert sum((n - expected) ** 2 / expected for n in seen.values()) < 4 * max_days + 12

    @pytest.mark.parametrize("by", [None, float("nan"), pd.NA])
    def test_needs_a_subject(self, by):
        """
        Without a subject there is no shift, and the error names the field.
        """
        for call in (BOUND.apply, INVERSE.invert):
            with pytest.raises(DomainError) as caught:
                call(DAY, by)

            assert "ShiftDate depends on 'mrn', which is missing" == str(caught.value)

    @pytest.mark.parametrize("by", [42.0, True, [DIGITS], {"a": DIGITS}])
    def test_refuses_what_identifies_nobody(self, by):
        """
        Floats, booleans and containers are no identifiers.
        """
        with pytest.raises(DomainError):
            BOUND.apply(DAY, by)

    @pytest.mark.parametrize("by", [UUID(int=7), date(2024, 1, 1)])
    def test_reads_a_subject_by_its_text(self, by):
        """
        A subject that is no text counts as its canonical text.
        """
        assert shift(BOUND, str(by)) == shift(BOUND, by)


class TestLayouts:
    @pytest.mark.parametrize(
        "text",
        [
            "{:%Y-%m-%d}",
            "{:%Y%m%d}",
            "{:%Y-%m-%d}T10:49",
            "{:%Y-%m-%d} 10:49:41",
            "{:%Y-%m-%d}T10:49:41.123456789Z",
            "{:%Y-%m-%d}T10:49:41+05:30",
            "{:%Y%m%d}T104941Z",
        ],
    )
    def test_iso_text_keeps_its_layout(self, text):
        """
        Only the date in a text changes.
        """
        moved = DAY + timedelta(shift(BOUND, "42"))

        assert text.format(moved) == BOUND.apply(text.format(DAY), "42")
        assert text.format(DAY) == INVERSE.invert(text.format(moved), "42")

    @pytest.mark.parametrize("layout", ["%d/%m/%Y", "%m/%d/%y", "%A, %d %B %Y", "%Y-%j %H:%M"])
    def test_a_declared_layout_is_kept(self, layout):
        """
        Text of a declared layout comes back in it, and its weekday is that of the moved date.
        """
        rule = ShiftDate(by="mrn", format=layout)
        moved = datetime(2024, 1, 31) + timedelta(shift(BOUND, "42"))

        assert moved.strftime(layout) == rule.bind(SUBKEYS).apply(DAY.strftime(layout), "42")
        assert DAY.strftime(layout) == rule.bind_inverse(SUBKEYS).invert(
            moved.strftime(layout), "42"
        )

    def test_a_declared_layout_is_the_only_one(self):
        """
        ISO text is refused where another layout is declared.
        """
        with pytest.raises(DomainError):
            ShiftDate(by="mrn", format="%d/%m/%Y").bind(SUBKEYS).apply("2024-01-31", "42")

    @pytest.mark.parametrize("text", ["03/04/2024", "3 Apr 2024", "2024-1-3", "", DATE[2:]])
    def test_other_text_is_refused_with_advice(self, text):
        """
        Nobody can tell what 03/04/2024 is, so the rule must.
        """
        with pytest.raises(DomainError) as caught:
            BOUND.apply(text, "42")

        assert (
            f"text of {len(text)} characters is no date such as YYYY-MM-DD: declare its layout, "
            "such as format='%d/%m/%Y', or set messy=True"
        ) == str(caught.value)

    @pytest.mark.parametrize("value", [20240131, 1.5, True, b"2024-01-31"])
    def test_other_types_are_refused(self, value):
        """
        A number is no date, whatever its digits.
        """
        with pytest.raises(DomainError, match="a date is a date, a datetime or text"):
            BOUND.apply(value, "42")

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (DAY, date),
            (datetime(2024, 1, 31, 10, 49, tzinfo=UTC), datetime),
            (pd.Timestamp("2024-01-31T10:49:41.123456789"), pd.Timestamp),
            (pd.Timestamp("2024-01-31T10:49:41.123456789", tz="Europe/Berlin"), pd.Timestamp),
        ],
    )
    def test_objects_keep_their_type(self, value, kind):
        """
        A date stays a date, a Timestamp stays one to the nanosecond, and the clock stays.
        """
        moved = BOUND.apply(value, "42")

        assert kind is type(moved)
        assert value == INVERSE.invert(moved, "42")
        if kind is not date:
            assert str(value.time()) == str(moved.time())
            assert value.tzinfo == moved.tzinfo


class TestMessy:
    RULE = ShiftDate(by="mrn", messy=True)

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("04/03/2024", "2024-04-03"),
            ("25/03/2024", "2024-03-25"),
            ("3rd of May 2001", "2001-05-03"),
            ("Jan 1 1999 11:23:34.5", "1999-01-01T11:23:34.500000"),
            ("2024-01-31 10:49", "2024-01-31 10:49"),
            ("20240131", "20240131"),
        ],
    )
    def test_writes_iso(self, text, written):
        """
        Messy text is written in ISO 8601, and comes back so; ISO text keeps its layout.
        """
        moved = self.RULE.bind(SUBKEYS).apply(text, "42")

        assert BOUND.apply(written, "42") == moved
        assert written == self.RULE.bind_inverse(SUBKEYS).invert(moved, "42")

    @pytest.mark.parametrize("text", ["10", "Sep", "Sep 2003", "no date", ""])
    def test_refuses_a_part_of_a_date(self, text):
        """
        Nothing is filled in.
        """
        with pytest.raises(DomainError):
            self.RULE.bind(SUBKEYS).apply(text, "42")

    def test_is_strict_on_the_way_back(self):
        """
        What this rule cannot have written is not reversed.
        """
        with pytest.raises(DomainError) as caught:
            self.RULE.bind_inverse(SUBKEYS).invert("04/03/2024", "42")

        assert (
            "text of 10 characters is no date such as YYYY-MM-DD: shifted dates are in ISO 8601 or "
            "in the declared format"
        ) == str(caught.value)


class TestProperties:
    @given(safe_days | safe_moments | safe_days.map(str) | safe_moments.map(str), subjects)
    def test_comes_back(self, value, by):
        """
        With the key and the subject, the date is what it was.

        Blind to a shift of nothing: the shift takes every value but zero, above.
        """
        assert value == INVERSE.invert(BOUND.apply(value, by), by)
        assert value != BOUND.apply(value, by)

    @given(safe_days, safe_days, subjects)
    def test_keeps_intervals(self, one, other, by):
        """
        The time between two dates of a subject is the same before and after.
        """
        assert other - one == BOUND.apply(other, by) - BOUND.apply(one, by)

    @given(safe_moments, safe_moments, subjects)
    def test_keeps_intervals_of_text(self, one, other, by):
        """
        The time between two moments of a subject is the same before and after, as text too.
        """
        first, second = (
            datetime.fromisoformat(BOUND.apply(moment.isoformat(), by)) for moment in (one, other)
        )

        assert other - one == second - first

    @given(safe_days, subjects, st.sampled_from([1, 7, 180, 700]))
    def test_stays_within_the_largest_shift(self, day, by, max_days):
        """
        No date moves further than the rule says.
        """
        moved = (
            ShiftDate(by="mrn", max_days=max_days).bind(SUBKEYS).apply(max(day, date(4, 1, 1)), by)
        )

        assert 1 <= abs((moved - max(day, date(4, 1, 1))).days) <= max_days


class TestRange:
    def test_refuses_to_leave_the_calendar(self):
        """
        A date that would leave the years 1 to 9999 is refused, whatever its type.
        """
        backwards = next(n for n in range(99) if shift(BOUND, n) < 0)
        forwards = next(n for n in range(99) if shift(BOUND, n) > 0)
        for by, values in (
            (backwards, [date.min, datetime.min, "0001-01-01", "00010101T10:49"]),
            (forwards, [date.max, datetime.max, "9999-12-31", "99991231T10:49", pd.Timestamp.max]),
        ):
            for value in values:
                with pytest.raises(DomainError) as caught:
                    BOUND.apply(value, by)

                assert OUT_OF_RANGE == str(caught.value)

    def test_refuses_to_leave_a_layout(self):
        """
        A two-digit year that would come back in another century is refused.
        """
        forwards = next(n for n in range(99) if shift(BOUND, n) > 0)
        bound = ShiftDate(by="mrn", format="%d/%m/%y").bind(SUBKEYS)

        with pytest.raises(DomainError) as caught:
            bound.apply("31/12/68", forwards)

        assert OUT_OF_RANGE == str(caught.value)


class TestDeclaration:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"by": ""}, "by is the path of the field that tells whose date it is"),
            ({"by": 7}, "by is the path of the field that tells whose date it is"),
            ({"by": None}, "by is the path of the field that tells whose date it is"),
            ({"scope": 7}, "scope is a name of one or more printable characters"),
            ({"max_days": 0}, "max_days is 1 to 36,525, got 0"),
            ({"max_days": 36_526}, "max_days is 1 to 36,525, got 36526"),
            ({"max_days": True}, "max_days is an integer, got bool"),
            ({"max_days": 7.0}, "max_days is an integer, got float"),
            ({"messy": "yes"}, "messy is true or false, got str"),
            ({"format": 7}, "format is text, got int"),
            (
                {"format": "%d/%m/%Y", "messy": True},
                "a declared format is strict: give format or messy, not both",
            ),
        ],
    )
    def test_refuses_wrong_parameters(self, arguments, message):
        """
        Mistakes in the rule show when it is declared.
        """
        with pytest.raises(DomainError) as caught:
            ShiftDate(**{"by": "mrn", **arguments})

        assert message == str(caught.value)

    def test_refuses_a_layout_without_a_whole_date(self):
        """
        A layout of months cannot be moved by days.
        """
        with pytest.raises(DomainError, match="with the year, the month and the day"):
            ShiftDate(by="mrn", format="%m/%Y")

    def test_needs_to_know_whose_date_it_is(self):
        """
        There is no shift without a field that it depends on.
        """
        with pytest.raises(TypeError):
            ShiftDate()

    @pytest.mark.parametrize(
        "parameters",
        [
            {"by": "mrn"},
            {"by": "patient.mrn", "max_days": 30, "scope": "study"},
            {"by": "mrn", "format": "%d/%m/%Y"},
            {"by": "mrn", "messy": True},
        ],
    )
    def test_is_a_value(self, parameters):
        """
        A rule is equal to its copies and to what a policy file says, and hashable.
        """
        rule = TypeAdapter(ShiftDate).validate_json(json.dumps(parameters))

        assert ShiftDate(**parameters) == rule
        assert rule == pickle.loads(pickle.dumps(rule)) == copy.deepcopy(rule)
        assert hash(rule) == hash(ShiftDate(**parameters))

    def test_each_direction_knows_only_its_own(self):
        """
        What protects cannot reveal.
        """
        assert not hasattr(BOUND, "invert")
        assert not hasattr(INVERSE, "apply")

    def test_threads_share_it(self):
        """
        Eight threads at once get the shifts that one gets alone.
        """
        numbers = list(range(400))
        alone = [BOUND.apply(DAY, number) for number in numbers]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda number: BOUND.apply(DAY, number), numbers))

        assert alone == together
