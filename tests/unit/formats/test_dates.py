import json
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.dates import (
    OUT_OF_RANGE,
    DateFormat,
    ISOText,
    attempt,
    dated_text,
    move,
    read_day,
    read_messy,
)
from tests.canaries import EMAIL, IBAN, PHONE, TEXT

DAY = date(2024, 1, 31)
BERLIN = ZoneInfo("Europe/Berlin")

ISO_TEXTS = [
    ("2024-01-31", "2023-02-28"),
    ("20240131", "20230228"),
    ("2024-01-31T10", "2023-02-28T10"),
    ("2024-01-31T10:49", "2023-02-28T10:49"),
    ("2024-01-31 10:49", "2023-02-28 10:49"),
    ("2024-01-31t10:49:41z", "2023-02-28t10:49:41z"),
    ("2024-01-31T10:49:41Z", "2023-02-28T10:49:41Z"),
    ("2024-01-31T10:49:41.5+01:00", "2023-02-28T10:49:41.5+01:00"),
    ("2024-01-31T10:49:41,123456789-0530", "2023-02-28T10:49:41,123456789-0530"),
    ("2024-01-31T23:59:60+14", "2023-02-28T23:59:60+14"),
    ("20240131T104941", "20230228T104941"),
    ("20240131T104941.25Z", "20230228T104941.25Z"),
    ("20240131T1049", "20230228T1049"),
    ("20240131 10:49:41", "20230228 10:49:41"),
]


class TestISOText:
    @pytest.mark.parametrize(("text", "expected"), ISO_TEXTS)
    def test_writes_another_date_in_its_place(self, text, expected):
        """
        The date is read, and all the rest of the text stays as it was.
        """
        read = ISOText.read(text)

        assert DAY == read.day
        assert text == read.write(DAY)
        assert expected == read.write(date(2023, 2, 28))

    def test_years_have_four_digits(self):
        """
        An early year is not shortened.
        """
        assert "0031-02-03" == ISOText.read("2024-01-31").write(date(31, 2, 3))

    @pytest.mark.parametrize(
        "text",
        ["", " 2024-01-31", "2024-01-31 ", "2024-01-31\n", "2024-1-31", "24-01-31", "2024-0131",
         "202401-31", "2024/01/31", "2024-02-30", "2024-13-01", "0000-01-01", "2024-01", "2024",
         "31012024", "12312024", "2024-01-31T", "2024-01-31T24:00", "2024-01-31T10:60",
         "2024-01-31T10:49:61", "2024-01-31T10:49:41.", "2024-01-31T1049:41", "2024-01-31Z",
         "2024-01-31T10:49+25:00", "2024-01-31T10:49 CET", "2024-W05-3", "２０２４-01-31",
         "2024-01-31T10:49:41." + "0" * 100],
    )  # fmt: skip
    def test_reads_nothing_else(self, text):
        """
        Text of any other layout, and days that do not exist, are not ISO dates.
        """
        assert ISOText.read(text) is None

    @given(st.datetimes(timezones=st.none() | st.just(UTC)))
    def test_reads_what_python_writes(self, moment):
        """
        The ISO text of every moment is read, and written again.
        """
        text = moment.isoformat()
        read = ISOText.read(text)

        assert moment.date() == read.day
        assert text == read.write(read.day)


RUNS_ON = (
    "format has no digit after a number without leading zeros: where the one ends, nobody can tell"
)


class TestDateFormat:
    @pytest.mark.parametrize(
        ("layout", "text"),
        [
            ("%d/%m/%Y", "31/01/2024"),
            ("%m/%d/%y", "01/31/24"),
            ("%d %b %Y, %H:%M:%S", "31 Jan 2024, 10:49:41"),
            ("%A %d %B %Y", "Wednesday 31 January 2024"),
            ("%Y%j", "2024031"),
            ("%G-W%V-%u", "2024-W05-3"),
            ("%Y-%m-%dT%H:%M:%S.%f%z", "2024-01-31T10:49:41.500000+0100"),
            ("on the %d.%m. of %Y", "on the 31.01. of 2024"),
            ("%-d/%-m/%Y", "31/1/2024"),
            ("%-m-%d-%y %-I:%M %p", "1-31-24 8:05 AM"),
            ("%d%^b%Y", "31JAN2024"),
            ("%^a %e %B %Y", "WED 31 January 2024"),
            ("%%-d %Y/%-j", "%-d 2024/31"),
        ],
    )
    def test_reads_and_writes(self, layout, text):
        """
        A text of the layout is read, and written again as it was.
        """
        declared = DateFormat(layout)
        read = declared.read(text)

        assert DAY == read.date()
        assert text == declared.write(read)

    @pytest.mark.parametrize("text", ["1/2/2024", "1/12/2024", "31/2/2008", "10/10/2024"])
    def test_numbers_without_leading_zeros_are_exact(self, text):
        """
        A number is written without zeros where the layout says so, and with them is refused.
        """
        if text != "31/2/2008":
            declared = DateFormat("%-d/%-m/%Y")

            assert text == declared.write(declared.read(text))
        with pytest.raises(DomainError, match="leading zeros, blanks and capital letters count"):
            DateFormat("%-d/%-m/%Y").read(f"0{text}")

    def test_a_day_may_be_padded_by_a_blank(self):
        """
        ``%e`` is what the command ``date`` writes.
        """
        declared = DateFormat("%b %e %Y")

        assert "Jan  2 1995" == declared.write(declared.read("Jan  2 1995"))
        with pytest.raises(DomainError, match="blanks"):
            declared.read("Jan 2 1995")

    @pytest.mark.parametrize(
        ("layout", "text"),
        [
            ("%d/%m/%Y", "1/2/2024"),
            ("%d%^b%Y", "31Jan2024"),
            ("%d/%m/%Y", "2024-01-31"),
            ("%d/%m/%Y", "31/02/2024"),
            ("%d/%m/%Y", "31/01/2024 "),
            ("%d/%m/%Y", "３１/01/2024"),
            ("%d %b %Y", "31 jan 2024"),
            ("%d  %m  %Y", "31 01 2024"),
            ("%Y-%m-%d %f", "2024-01-31 5"),
            ("%Y-%m-%d %z", "2024-01-31 +01:00"),
            ("%a %d %m %Y", "Mon 31 01 2024"),
            ("%d/%m/%Y", ""),
            ("%d/%m/%Y", "31/01/2024" * 11),
        ],
    )
    def test_refuses_what_would_be_written_otherwise(self, layout, text):
        """
        What strptime reads leniently would not come back as it was.
        """
        with pytest.raises(DomainError) as caught:
            DateFormat(layout).read(text)

        assert (
            f"text of {len(text)} characters does not match the declared format exactly: "
            "leading zeros, blanks and capital letters count, see %-d, %e and %^b"
        ) == str(caught.value)

    @pytest.mark.parametrize(
        "layout",
        ["%Y", "%m/%Y", "%d/%m", "%H:%M", "DD/MM/YYYY", "%", "%Q", "%Y-%m-%d %", "%c%", "%Y %W",
         "%Y-%Y-%m-%d", "%-e/%m/%Y", "%^d/%m/%Y", "%_d/%m/%Y",
         "%-", "\ud800%Y-%m-%d", "%Y-%m-%d\0"],
    )  # fmt: skip
    def test_refuses_layouts_without_a_whole_date(self, layout):
        """
        A layout that strptime cannot read, or that leaves a part of the date out, is no layout.
        """
        with pytest.raises(DomainError) as caught:
            DateFormat(layout)

        assert (
            "format is a layout of strptime with the year, the month and the day, such as "
            "'%d/%m/%Y'"
        ) == str(caught.value)

    @pytest.mark.parametrize(
        ("layout", "message"),
        [
            ("", "format has 1 to 100 characters, got 0"),
            ("%Y" * 51, "format has 1 to 100 characters, got 102"),
            (7, "format is text, got int"),
            *((layout, RUNS_ON) for layout in ("%-d%m%Y", "%Y-%m-%-d0", "%d.%-m%-y", "%-j%Y")),
            (
                "%Y-%m-%d %H:%M %Z",
                "format tells a time zone by its offset, %z: names are not read",
            ),
        ],
    )
    def test_refuses_what_it_cannot_read_for_certain(self, layout, message):
        """
        A layout is short, and tells no names of time zones: each machine knows others.
        """
        with pytest.raises(DomainError) as caught:
            DateFormat(layout)

        assert message == str(caught.value)

    def test_refuses_to_write_what_it_would_read_otherwise(self):
        """
        A two-digit year that would be read in another century is not written.
        """
        with pytest.raises(DomainError) as caught:
            DateFormat("%d/%m/%y").write(datetime(2070, 1, 31))

        assert OUT_OF_RANGE == str(caught.value)


class TestReadMessy:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("04/03/2024", "2024-04-03"),
            ("25/03/2024", "2024-03-25"),
            ("3rd of May 2001", "2001-05-03"),
            ("Wed 31 Jan 2024", "2024-01-31"),
            ("July 4, 1976 12:01:02 am", "1976-07-04T00:01:02"),
            ("31 Jan 2024 11:22", "2024-01-31T11:22:00"),
            ("31 Jan 2024 10am", "2024-01-31T10:00:00"),
            ("31 Jan 2024 10:49:41.5", "2024-01-31T10:49:41.500000"),
            ("31 Jan 2024 10:49:41 -03:00", "2024-01-31T10:49:41-03:00"),
            ("31 Jan 2024 10:49 GMT", "2024-01-31T10:49:00+00:00"),
            ("31 Jan 2024 10:49 UTC+3", "2024-01-31T10:49:00-03:00"),
            ("December.0031.30", "0031-12-30"),
            ("1/2/68", "2068-01-02"),
            ("1/2/69", "1969-01-02"),
        ],
    )
    def test_reads_a_whole_date(self, text, expected):
        """
        What people write is read month first, and comes out in ISO 8601.
        """
        read = read_messy(text)

        assert expected == read.write(read.day)
        assert read == ISOText.read(expected)

    def test_reads_the_texts_of_dateutil(self, vectors):
        """
        All texts in dateutil's own tests are read, as ISO text or as messy text.
        """
        cases = json.loads((vectors / "formats/date_strings.json").read_text("utf-8"))["cases"]
        misread = []
        for case in cases:
            iso = ISOText.read(case["text"])
            read = iso or read_messy(case["text"])
            moment = datetime.fromisoformat(case["expected"])
            time = moment.isoformat()[10:] if moment.time() != datetime.min.time() else ""
            if read.day != moment.date() or not (iso or read.rest in {time, "T00:00:00"}):
                misread.append(case["note"])

        assert 60 == len(cases)
        assert [] == misread

    @pytest.mark.parametrize(
        "text",
        ["10", "Sep", "2003", "Sep 2003", "Sep 10", "Thu", "Thu Sep 2003", "10:49", "Thu 10:49"],
    )
    def test_refuses_a_part_of_a_date(self, text):
        """
        Nothing is filled in: neither from today nor from anywhere else.
        """
        with pytest.raises(DomainError) as caught:
            read_messy(text)

        assert "a date has a year, a month and a day, and here one of them is missing" == str(
            caught.value
        )

    @pytest.mark.parametrize("text", ["31 Jan 2024 5m", "31 Jan 2024 7s"])
    def test_refuses_a_time_without_an_hour(self, text):
        """
        Minutes without an hour are no time of day.
        """
        with pytest.raises(DomainError) as caught:
            read_messy(text)

        assert "a time of day has an hour, and here it is missing" == str(caught.value)

    @pytest.mark.parametrize("text", ["31 Jan 2024 10:49 EST", "Thu Sep 25 10:36:28 BRST 2003"])
    def test_refuses_the_name_of_a_zone(self, text):
        """
        The name of a zone is neither guessed at, nor looked up on this machine, nor warned about.
        """
        with warnings.catch_warnings(record=True) as caught_warnings:
            warnings.simplefilter("always")
            with pytest.raises(DomainError) as caught:
                read_messy(text)

        assert "a time zone is read by its offset, and here is only its name" == str(caught.value)
        assert [] == caught_warnings

    @pytest.mark.parametrize("text", ["", " ", "x", "31/31/2024", "2024-02-30", "1 Jan 2024" * 11,
                                      TEXT, "31 Jan 2024 10:49 +99:99", "9" * 40])  # fmt: skip
    def test_refuses_what_is_no_date(self, text):
        """
        Text that cannot be read is told by its length.
        """
        with pytest.raises(DomainError) as caught:
            read_messy(text)

        assert f"text of {len(text)} characters is no date that can be read" == str(caught.value)

    @given(st.text(st.characters(codec="ascii"), max_size=30) | st.text(max_size=30))
    def test_raises_nothing_else(self, text):
        """
        Whatever the text, it is a date or a refusal.
        """
        try:
            read = read_messy(text)
        except DomainError:
            return

        assert isinstance(read.day, date)

    @pytest.mark.parametrize("value", [TEXT, PHONE, IBAN, EMAIL])
    def test_shows_no_canary(self, value):
        """
        An error holds no value, and no error of dateutil behind it.
        """
        with pytest.raises(DomainError) as caught:
            read_messy(value)

        assert caught.value.__context__ is None
        assert value not in repr(caught.value)


class TestReadDay:
    @pytest.mark.parametrize(
        "value",
        [
            DAY,
            datetime(2024, 1, 31, 23, 59, tzinfo=UTC),
            pd.Timestamp("2024-01-31T23:59", tz="Asia/Tokyo"),
            "2024-01-31",
            "20240131",
            "2024-01-31T23:59:59-12:00",
        ],
    )
    def test_takes_the_day_as_written(self, value):
        """
        The day of a moment is the one on the calendar beside the clock that it names.
        """
        day = read_day(value)

        assert DAY == day
        assert date is type(day)

    def test_reads_a_declared_layout(self):
        """
        With a layout, text is read in that layout alone.
        """
        layout = DateFormat("%d/%m/%Y")

        assert DAY == read_day("31/01/2024", layout)
        with pytest.raises(DomainError):
            read_day("2024-01-31", layout)

    @pytest.mark.parametrize("value", [20240131, 1.5, b"2024-01-31", True, [DAY]])
    def test_refuses_other_types(self, value):
        """
        A number is no date, whatever its digits.
        """
        with pytest.raises(DomainError) as caught:
            read_day(value)

        assert f"a date is a date, a datetime or text, got {type(value).__name__}" == str(
            caught.value
        )

    def test_takes_plain_text(self):
        """
        A subclass of str is read as text.
        """

        class Text(str):
            __slots__ = ()

        assert str is type(dated_text(Text("2024-01-31")))


class TestMove:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (date(2024, 2, 28), date(2024, 3, 1)),
            (datetime(2024, 2, 28, 10, 49, 41, 5), datetime(2024, 3, 1, 10, 49, 41, 5)),
            (
                datetime(2024, 2, 28, 10, tzinfo=timezone(timedelta(hours=5))),
                datetime(2024, 3, 1, 10, tzinfo=timezone(timedelta(hours=5))),
            ),
            (
                datetime(2024, 3, 30, 23, 30, tzinfo=BERLIN),
                datetime(2024, 4, 1, 23, 30, tzinfo=BERLIN),
            ),
            (
                pd.Timestamp("2024-02-28T10:49:41.123456789"),
                pd.Timestamp("2024-03-01T10:49:41.123456789"),
            ),
            (
                pd.Timestamp("2024-03-30T23:30", tz="Europe/Berlin"),
                pd.Timestamp("2024-04-01T23:30", tz="Europe/Berlin"),
            ),
        ],
    )
    def test_moves_by_days_of_the_calendar(self, value, expected):
        """
        The type, the clock on the wall and the zone stay, also where clocks are set.
        """
        moved = move(value, 2)

        assert expected == moved
        assert type(expected) is type(moved)
        assert value == move(moved, -2)

    @pytest.mark.parametrize("days", [-3, 4])
    def test_the_second_of_two_equal_hours_comes_back(self, days):
        """
        Which of two equal hours it was is not lost on the way, with either kind of datetime.
        """
        for value in (
            datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1),
            pd.Timestamp("2024-10-27T01:30Z").tz_convert("Europe/Berlin"),
        ):
            back = move(move(value, days), -days)

            assert (value, value.fold, value.utcoffset()) == (back, back.fold, back.utcoffset())

    def test_refuses_an_hour_that_clocks_skip(self):
        """
        A Timestamp that could not come back as it was is refused; a datetime can.
        """
        value = datetime(2024, 3, 30, 2, 30, tzinfo=BERLIN)
        with pytest.raises(DomainError) as caught:
            move(pd.Timestamp(value), 1)

        assert "a moved time falls where clocks are set forward: convert it to UTC" == str(
            caught.value
        )
        assert value == move(move(value, 1), -1)

    def test_refuses_what_only_its_zone_makes_too_late(self):
        """
        A Timestamp has its range in UTC, so that its zone can bring it over the edge.
        """
        value = pd.Timestamp("2262-04-10T23:00", tz="Etc/GMT+11").as_unit("ns")

        with pytest.raises(DomainError) as caught:
            move(value, 1)

        assert OUT_OF_RANGE == str(caught.value)

    @pytest.mark.parametrize(
        ("value", "days"),
        [
            (date.max, 1),
            (date.min, -1),
            (datetime.max, 1),
            (pd.Timestamp.max, 1),
            (pd.Timestamp.min, -1),
        ],
    )
    def test_refuses_what_the_type_cannot_hold(self, value, days):
        """
        There is no day outside the years of a type.
        """
        with pytest.raises(DomainError) as caught:
            move(value, days)

        assert OUT_OF_RANGE == str(caught.value)
        assert caught.value.__context__ is None


def test_a_failed_attempt_leaves_no_error_behind():
    """
    An error of a library is not seen again.
    """
    assert attempt(int, TEXT) is None
    assert 7 == attempt(int, "7")
