import copy
import enum
import json
import pickle
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.dates import ISOText
from privkit.formats.flags import plain, written
from privkit.formats.moments import Date, DateTime
from tests.canaries import DATE, DIGITS, TEXT
from tests.unit.formats.laws import check_laws, check_refused, check_whole

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
DAYS = st.dates(FIRST, LAST)
BERLIN, CHATHAM, MONROVIA = map(ZoneInfo, ("Europe/Berlin", "Pacific/Chatham", "Africa/Monrovia"))
ZONES = st.sampled_from([None, UTC, BERLIN, CHATHAM, MONROVIA, timezone(timedelta(hours=-9.5))])
LAYOUTS = [
    "%d/%m/%Y",
    "%m-%d-%y",
    "%Y%j",
    "%a, %d %b %Y",
    "%G-W%V-%u",
    "%-d.%-m.%Y",
    "%d%^b%Y",
    "%b %e, %y",
]
CLOCKS = [
    ("%d.%m.%Y %H:%M:%S", "second"),
    ("%Y-%m-%d %I:%M %p", "minute"),
    ("%d/%m/%Y %H", "hour"),
    ("%d/%b/%Y:%H:%M:%S %z", "second"),
    ("%Y%m%dT%H%z", "hour"),
    ("%y%m%d%H%M%S.%f", "second 6"),
    ("%-m/%-d/%y %-I:%M %p", "minute"),
]
NARROW = {"minimum": "1970-01-02", "maximum": "2068-12-30"}


DECLARED = {
    "%a %b %d %H:%M:%S %Y": ["Thu Sep 25 10:36:28 2003"],
    "%a %b %e %H:%M:%S %Y": ["Mon Jan  2 04:24:27 1995"],
    "%a %b %d %Y": ["Thu Sep 25 2003"],
    "%Y%m%d%H%M": ["199709020908"],
    "%Y%m%d%H%M%S": ["19970902090807"],
    "%m-%d-%Y": ["09-25-2003", "10-09-2003"],
    "%d-%m-%Y": ["25-09-2003"],
    "%m-%d-%y": ["10-09-03"],
    "%Y.%m.%d": ["2003.09.25"],
    "%d.%m.%Y": ["25.09.2003"],
    "%m.%d.%y": ["10.09.03"],
    "%d/%m/%Y": ["25/09/2003"],
    "%m/%d/%y": ["10/09/03"],
    "%Y %m %d": ["2003 09 25"],
    "%d %m %y": ["25 09 03"],
    "%y %d %b": ["03 25 Sep"],
    "%a, %B %d, '%y": ["Wed, July 10, '96"],
    "%B %-d, %Y": ["July 4, 1976"],
    "%-m %-d %Y": ["7 4 1976"],
    "%-d %b %Y": ["4 Jul 1976"],
    "%-m-%-d-%y": ["7-4-76"],
    "%-H:%M:%S on %B %-d, %Y": ["0:01:02 on July 4, 1976"],
    "%d.%m.%y %H:%M": ["04.04.95 00:22"],
    "%y%m%d %H%M%S": ["950404 122212"],
    "%d%^b%Y": ["13NOV2017"],
}
"""Layouts of dates in the vectors."""


class NoOffset(tzinfo):
    """
    A zone that tells no offset.
    """

    def utcoffset(self, when):
        return None


@st.composite
def moments(draw):
    """
    Draw a datetime that clocks show, well within the range.
    """
    zone = draw(ZONES)
    moment = draw(st.datetimes(datetime(1900, 1, 3), datetime(2099, 12, 29)))
    moment = moment.replace(microsecond=draw(st.sampled_from([0, 0, 1, 500_000, 999_999])))
    return moment if zone is None else moment.replace(tzinfo=UTC).astimezone(zone)


@st.composite
def iso(draw):
    """
    Draw a datetime in ISO 8601.
    """
    day = draw(st.dates(FIRST + timedelta(1), LAST - timedelta(1)))
    colon = draw(st.sampled_from(["", ":"]))
    clock = [f"{draw(st.integers(0, limit)):02}" for limit in (23, 59, 59)]
    units = draw(st.integers(1, 3))
    text = draw(st.sampled_from(["T", "t", " "])) + colon.join(clock[:units])
    if units == 3:
        text += draw(st.sampled_from(["", ".5", ",000", ".000001", ".120000000"]))
    text += draw(st.sampled_from(["", "Z", "z", "+00:00", "-0330", "+14", "-12:00", "+05:45"]))
    return ISOText(day, draw(st.booleans()), text).write(day)


def shape(text):
    """
    Return a text with all digits alike.
    """
    return re.sub("[0-9]", "#", text)


class TestDate:
    @given(DAYS, st.integers(0), st.sampled_from([date.isoformat, "%Y%m%d", None]))
    def test_dates_come_back_and_stay_dates(self, day, other, layout):
        """
        What comes out is a date of the range, of the same type and layout.
        """
        value = day.strftime(layout) if isinstance(layout, str) else layout(day) if layout else day
        out = check_laws(Date(), value, other)
        back = date.fromisoformat(out) if layout else out

        assert FIRST <= back <= LAST
        assert (back - FIRST).days == other % 73_049

    @given(st.dates(date(1970, 1, 1), date(2068, 12, 31)), st.integers(0), st.sampled_from(LAYOUTS))
    def test_declared_layouts_are_kept(self, day, other, layout):
        """
        What comes out is read by ``strptime`` with the declared layout.
        """
        form = Date(format=layout, minimum="1969-01-01", maximum="2068-12-31")
        text = written(layout, datetime(day.year, day.month, day.day))
        out = check_laws(form, text, other)
        read = datetime.strptime(out, plain(layout)).date()

        assert timedelta(other % form.parse(out).size) == read - date(1969, 1, 1)

    @given(DAYS, st.integers(0), st.sampled_from(["s", "ms", "us", "ns"]))
    def test_midnights_stay_midnights(self, day, other, unit):
        """
        A column of days that is a column of timestamps stays one.
        """
        midnight = datetime(day.year, day.month, day.day)
        stamp = pd.Timestamp(midnight).as_unit(unit)
        out = check_laws(Date(), stamp, other)

        assert unit == out.unit
        assert check_laws(Date(), midnight, other) == out == out.normalize()
        assert Date().parse(day)[:3] == Date().parse(stamp)[:3]
        assert Date().parse(day) == Date().parse(np.datetime64(day))

    def test_the_whole_domain_is_numbered(self):
        """
        All days of a century are there in order, and leap days among them.
        """
        century = Date(minimum="1901-01-01", maximum="2000-12-31")
        every = check_whole(century, "1999-12-31")

        assert 36_525 == len(every)
        assert sorted(every) == every
        assert 25 == sum(day.endswith("-02-29") for day in every)
        assert ["1900-03-01"] == [
            Date(minimum="1900-02-28", maximum="1900-03-02").render(
                Date(minimum="1900-02-28", maximum="1900-03-02").parse("1900-02-28"), 1
            )
        ]

    def test_the_range_may_be_all_days_there_are(self):
        """
        The days of Python's calendar are a domain of more than a million.
        """
        form = Date(minimum="0001-01-01", maximum="9999-12-31")

        assert 3_652_059 == form.parse(date.max).size
        assert "0001-01-01" == check_laws(form, "9999-12-31", 0)

    @pytest.mark.parametrize(
        "value",
        [
            TEXT,
            DIGITS,
            DATE.replace("19", "17"),
            f"{DATE} 00:00",
            f"{DATE}\n",
            f" {DATE}",
            DATE.replace("03", "3"),
            DATE.replace("03", "13"),
            "",
            date(1899, 12, 31),
            date(2100, 1, 1),
            datetime(1907, 3, 11, 1),
            datetime(1907, 3, 11, tzinfo=UTC),
            pd.Timestamp("1907-03-11 00:00:00.000000001"),
            19070311,
            True,
        ],
        ids=range(16),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no date of the range is refused with a reason that holds no part of it.
        """
        check_refused(Date(), value)

    def test_a_time_of_day_in_a_layout_is_refused(self):
        """
        A declared layout may hold a time of day, as long as it is midnight.
        """
        form = Date(format="%Y-%m-%d %H:%M")
        check_laws(form, f"{DATE} 00:00", 5)

        assert "'datetime'" in check_refused(form, f"{DATE} 10:30")

    def test_timestamps_of_nanoseconds_end_early(self):
        """
        A day that a column of nanoseconds cannot hold is refused when it would be written.
        """
        form = Date(maximum="2400-01-01")
        parsed = form.parse(pd.Timestamp("2000-01-01").as_unit("ns"))

        with pytest.raises(DomainError, match="within its type"):
            form.render(parsed, parsed.size - 1)


class TestDateTime:
    @given(moments(), st.integers(0), st.sampled_from([None, "s", "ms", "us", "ns"]))
    def test_datetimes_come_back_with_their_zone(self, moment, other, unit):
        """
        What comes out is a moment that exists, of the same type, zone and precision.
        """
        value = moment
        if unit is not None:
            value = pd.Timestamp(moment.replace(tzinfo=None)).as_unit(unit)
            if moment.tzinfo is not None:
                value = pd.Timestamp(moment).as_unit(unit)
        out = check_laws(DateTime(), value, other)

        assert value.tzinfo == out.tzinfo
        assert bool(value.microsecond) == bool(out.microsecond)
        assert out == out.astimezone(UTC).astimezone(out.tzinfo) if out.tzinfo else True
        assert unit is None or unit == out.unit

    @given(iso(), st.integers(0))
    def test_iso_text_keeps_its_layout(self, text, other):
        """
        What comes out is ISO 8601 with the same separators, precision and offset.
        """
        out = check_laws(DateTime(), text, other)
        read = ISOText.read(out)

        assert FIRST - timedelta(1) <= read.day <= LAST + timedelta(1)
        assert shape(text) == shape(out)
        assert (
            re.search("(?:[Zz]|[-+][0-9:]+)?$", text[10:])[0]
            == out[len(out) - len(re.search("(?:[Zz]|[-+][0-9:]+)?$", text[10:])[0]) :]
        )

    @given(st.datetimes(datetime(1971, 1, 1), datetime(2068, 1, 1)), st.integers(0))
    def test_declared_layouts_are_kept(self, moment, other):
        """
        What comes out is read by ``strptime``, at the precision that the layout tells.
        """
        for layout, kept in CLOCKS:
            form = DateTime(format=layout, **NARROW)
            text = written(layout, moment.replace(tzinfo=timezone(timedelta(hours=5.5))))
            out = check_laws(form, text, other)

            assert out == written(layout, datetime.strptime(out, plain(layout)))
            assert kept == form.parse(text).kept or (not moment.microsecond and "6" in kept)

    @given(moments())
    def test_a_moment_has_one_number(self, moment):
        """
        Text, a datetime and a timestamp are one moment, and so are those of two offsets.
        """
        expected = DateTime().parse(moment)[:3]

        assert expected == DateTime().parse(pd.Timestamp(moment))[:3]
        if moment.utcoffset() is None or not moment.utcoffset() % timedelta(minutes=1):
            assert expected == DateTime().parse(moment.isoformat())[:3]
        if moment.tzinfo is None:
            assert expected == DateTime().parse(np.datetime64(moment))[:3]
        else:
            assert expected == DateTime().parse(moment.astimezone(UTC))[:3]

    @pytest.mark.parametrize(
        ("value", "size"),
        [
            ("2024-02-28T10", 72),
            ("2024-02-28T10+05:30", 72),
            ("2024-02-28 1030-0330", 72 * 60),
            ("2024-02-28T10:30:00Z", 72 * 3600),
            ("2024-02-28T10:30:00.0", 72 * 3600),
            ("2024-02-28T10:30:00.1", 72 * 3600 * 9),
            (datetime(2024, 2, 28, 10, tzinfo=BERLIN), 72 * 3600),
            (datetime(2024, 2, 28, 0, 0, 0, 1), 72 * 3600 * 999_999),
            (pd.Timestamp("2024-02-28T10:00:00.001").as_unit("ms"), 72 * 3600 * 999),
        ],
        ids=str,
    )
    def test_the_domain_is_what_the_precision_leaves(self, value, size):
        """
        Units of the range times decimals that are not all zero; a leap day is a day.
        """
        form = DateTime(minimum="2024-02-28", maximum="2024-03-01")
        if size < 10_000:
            check_whole(form, value)

        assert size == form.parse(value).size
        assert "2024-02-29" in str(form.render(form.parse(value), size // 2))

    def test_no_hour_that_clocks_skip(self):
        """
        Where clocks are set forward no result falls, and where they are set back both hours do.
        """
        day = datetime(2024, 10, 27, 12, tzinfo=BERLIN)
        back = DateTime(minimum="2024-10-27", maximum="2024-10-27")
        every = [back.render(back.parse(day), hour * 3600) for hour in range(24)]

        assert {0, 1} == {each.fold for each in every if each.hour == 2}
        assert [hour * 3600 for hour in range(24)] == [back.parse(each).number for each in every]

        forth = DateTime(minimum="2024-03-31", maximum="2024-03-31")
        day = datetime(2024, 3, 31, 12, tzinfo=BERLIN)

        assert 2 not in {forth.render(forth.parse(day), hour * 3600).hour for hour in range(22)}
        assert "skip this time" in check_refused(forth, day.replace(hour=2, minute=30))

    def test_a_zone_without_an_offset_is_none(self):
        """
        Such a zone is not kept, and the clock is read as it stands.
        """
        value = datetime(2024, 1, 2, 3, tzinfo=NoOffset())

        assert DateTime().parse(value) == DateTime().parse(value.replace(tzinfo=None))

    def test_the_edges_of_the_calendar(self):
        """
        The widest range leaves room for every offset, and beyond it all is refused.
        """
        form = DateTime(minimum="0001-01-02", maximum="9999-12-30")
        for text in ("9999-12-30T23:00:00-23:59", "0001-01-02T00:00:00+23:59"):
            check_refused(form, text)
        low, high = "0001-01-02T00:00:00", "9999-12-30T23:59:59"

        assert low == check_laws(form, high, 0)
        assert high == check_laws(form, low, form.parse(low).size - 1)
        for zone in ("+23:59", "-23:59"):
            check_laws(form, f"2000-01-01T00:00:00{zone}", 0)
            check_laws(form, f"2000-01-01T00:00:00{zone}", form.parse(low).size - 1)

    @pytest.mark.parametrize(
        "value",
        [
            TEXT,
            DATE,
            date(1907, 3, 11),
            f"{DATE}T10:30:60",
            f"{DATE}T24:00",
            f"{DATE}T10:30\n",
            f"{DATE}T10:30 Europe/Berlin",
            DATE.replace("19", "17") + "T10:30",
            "2099-12-31T23:30-01:00",
            "1900-01-01T00:30+01:00",
            datetime(1899, 12, 31, 23, 59),
            datetime(2100, 1, 1),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
            pd.Timestamp("1997-03-11 00:00:00.000000001"),
            "",
            1.5e9,
            DATE.encode(),
        ],
        ids=range(17),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no datetime of the range is refused with a reason that holds no part of it.
        """
        check_refused(DateTime(), value)

    def test_members_of_enumerations_are_refused(self):
        """
        A member of an enumeration of texts is passed by its value.
        """
        member = enum.Enum("Days", {"ONE": DATE}, type=str).ONE
        for form in (Date(), DateTime()):
            assert ".value" in check_refused(form, member)

    def test_timestamps_of_nanoseconds_end_early(self):
        """
        A moment that a column of nanoseconds cannot hold is refused when it would be written.
        """
        form = DateTime(maximum="2400-01-01")
        parsed = form.parse(pd.Timestamp("2000-01-01 10:00").as_unit("ns"))

        with pytest.raises(DomainError, match="within its type"):
            form.render(parsed, parsed.size - 1)


class TestOptions:
    @pytest.mark.parametrize("form", [Date(), DateTime(format="%d/%m/%Y %H:%M")], ids=repr)
    def test_a_format_is_a_value(self, form):
        """
        Formats of the same options are equal, print their options, and pickle.
        """
        for other in (copy.deepcopy(form), pickle.loads(pickle.dumps(form))):
            assert form == other
            assert hash(form) == hash(other)
        assert form != type(form)(minimum="1900-01-02")
        assert f"format={form.format!r})" in repr(form)
        assert "_first" not in repr(form)

    @pytest.mark.parametrize("held", [Date, DateTime])
    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"minimum": "1.1.2000"}, "minimum is a date in text: YYYY-MM-DD"),
            ({"minimum": "20000101"}, "minimum is a date"),
            ({"minimum": "2000-01-01T00:00"}, "minimum is a date"),
            ({"maximum": date(2000, 1, 1)}, "maximum is a date"),
            ({"maximum": "2000-02-30"}, "maximum is a date"),
            ({"minimum": "2000-01-02", "maximum": "2000-01-01"}, "at most its maximum"),
            ({"format": "%d/%m"}, "layout of strptime"),
            ({"format": 7}, "format is text"),
            ({"format": "%d/%m/%y %H:%M"}, "1969 to 2068"),
            ({"format": "%d/%m/%Y %H:%M", "minimum": "0998-01-01"}, "others from 1000"),
            ({"format": "%d/%m/%Y %H:%M %Z"}, "names are not read"),
        ],
        ids=str,
    )
    def test_other_options_are_refused(self, held, options, reason):
        """
        What is no range or no layout of the range is refused at construction.
        """
        with pytest.raises(DomainError, match=reason):
            held(**options)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"minimum": "0001-01-01"}, "from 0001-01-02"),
            ({"maximum": "9999-12-31"}, "to 9999-12-30"),
            ({"format": "%d/%m/%Y"}, "time of day"),
            ({"format": "%d/%m/%Y %I:%M"}, "time of day"),
            ({"format": "%d/%m/%Y %H.%S"}, "time of day"),
            ({"format": "%y%m%d %H%z", **NARROW, "maximum": "2068-12-31"}, "1969 to 2068"),
        ],
        ids=str,
    )
    def test_other_options_of_datetimes_are_refused(self, options, reason):
        """
        A layout of datetimes tells the hour at least, and the range leaves room for offsets.
        """
        with pytest.raises(DomainError, match=reason):
            DateTime(**options)

    def test_dates_have_no_offset(self):
        """
        A layout with an offset is none of dates, and a percent sign before a z is.
        """
        with pytest.raises(DomainError, match="no offset: such a field is of the format 'datetime"):
            Date(format="%d/%m/%Y%z")

        assert "29/02/1996%z" == check_laws(Date(format="%d/%m/%Y%%z"), "29/02/1996%z", 35_122)


class TestVectors:
    def test_dates_of_another_project(self, vectors):
        """
        Every date and datetime in ISO 8601 comes back in its layout, as the right format.
        """
        found = json.loads((vectors / "formats" / "date_strings.json").read_text("utf-8"))
        counts = {Date: 0, DateTime: 0}
        for case in found["cases"]:
            iso_text = ISOText.read(case["text"])
            if iso_text is None:
                for form in (Date(), DateTime()):
                    with pytest.raises(DomainError, match="no date such as"):
                        form.parse(case["text"])
                continue
            held, other = (DateTime, Date) if iso_text.rest else (Date, DateTime)
            out = check_laws(held(minimum="0001-01-02"), case["text"], 10**9)
            check_refused(other(), case["text"])
            counts[held] += 1

            assert shape(case["text"]) == shape(out)
        assert min(counts.values()) >= 2

    def test_declared_dates_of_another_project(self, vectors):
        """
        Dates in other layouts come back once the layout is declared, and are read as what they are.
        """
        found = json.loads((vectors / "formats" / "date_strings.json").read_text("utf-8"))
        known = {case["text"]: datetime.fromisoformat(case["expected"]) for case in found["cases"]}
        for layout, texts in DECLARED.items():
            for text in texts:
                moment = known[text]
                held = DateTime if re.search("%-?[HI]", layout) else Date
                form = held(format=layout, minimum="1970-01-02", maximum="2068-12-30")
                out = check_laws(form, text, 10**9 + 7)

                assert moment == datetime.strptime(text, plain(layout))
                assert out == written(layout, datetime.strptime(out, plain(layout)))


class Nowhere(tzinfo):
    """
    A zone that tells no offset.
    """

    def utcoffset(self, _moment, /):
        return None

    def dst(self, _moment, /):
        return None


@pytest.mark.parametrize(
    "value",
    [
        datetime(2024, 5, 5, 1, 2, 3, fold=1),
        datetime(2024, 5, 5, 1, 2, 3),
        datetime(2024, 5, 5, 1, 2, 3, tzinfo=Nowhere(), fold=1),
    ],
)
def test_a_time_of_no_zone_keeps_fold_and_zone(value):
    """
    A datetime that has no offset comes back with the fold and the zone that it had.
    """
    parsed = DateTime().parse(value)
    made, back = (DateTime().render(parsed, number) for number in (7, parsed.number))

    assert (value.fold, value.tzinfo) == (made.fold, made.tzinfo)
    assert (value, value.fold, value.tzinfo) == (back, back.fold, back.tzinfo)
    assert 7 == DateTime().parse(made).number
