import datetime as dt
import enum
import struct
import sys
import time
import uuid
from decimal import Decimal
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats import values
from privkit.formats.values import TAGS, TYPES, bare_null, encode, is_null, plain
from tests.canaries import DATE, DIGITS, TEXT, UUID

NULLS = {
    "None": None,
    "float nan": float("nan"),
    "numpy float64 nan": np.float64("nan"),
    "numpy float32 nan": np.float32("nan"),
    "Decimal NaN": Decimal("NaN"),
    "Decimal -NaN": Decimal("-NaN"),
    "float nan with other bits": struct.unpack(">d", bytes.fromhex("fff8000000001234"))[0],
    "pandas NaT": pd.NaT,
    "pandas NA": pd.NA,
    "numpy datetime64 NaT": np.datetime64("NaT"),
    "numpy timedelta64 NaT": np.timedelta64("NaT"),
    "pandas column with a gap": pd.Series([1, None])[1],
    "pandas nullable integers": pd.Series([1, None], dtype="Int64")[1],
    "pandas text": pd.Series(["a", None], dtype="string")[1],
    "pandas dates": pd.Series(["2024-05-06", None]).pipe(pd.to_datetime)[1],
    "polars null": pl.Series([1, None])[1],
    "pyarrow null": pa.array([1, None])[1].as_py(),
}

DATA = {
    "empty text": "",
    "a blank": " ",
    "text that reads nan": "nan",
    "text that reads None": "None",
    "zero": 0,
    "False": False,
    "a float": 1.5,
    "infinity": float("inf"),
    "a Decimal": Decimal(0),
    "a NaN with digits": Decimal(f"NaN{DIGITS}"),
    "a NaN that signals": Decimal("sNaN"),
    "a NaN that signals digits": Decimal(f"sNaN{DIGITS}"),
    "a numpy float": np.float32(0),
    "a numpy date": np.datetime64("2024-05-06"),
    "a numpy integer": np.int64(0),
    "a list": [],
    "a list of None": [None],
    "an array of nan": np.array([float("nan")]),
    "a date": dt.date(2024, 5, 6),
}

REPRESENTATIONS = {
    "text 42": "42",
    "int 42": 42,
    "numpy 42": np.int64(42),
    "Decimal 42": Decimal(42),
    "Decimal 42.00": Decimal("42.00"),
    "float 42.0": 42.0,
    "text 42.0": "42.0",
    "text 042": "042",
    "bytes 42": b"42",
    "True": True,
    "text True": "True",
    "date": dt.date(2024, 5, 6),
    "text date": "2024-05-06",
    "timestamp": pd.Timestamp("2024-05-06"),
    "UUID": uuid.UUID(UUID),
    "text UUID": UUID.upper(),
}
"""More than twelve, each in its row and its column of the matrix."""

NUMBERS = {"text 42", "int 42", "numpy 42", "Decimal 42", "Decimal 42.00", "text 42.0"}
ALONE = {
    "text 42",
    "text 42.0",
    "text 042",
    "bytes 42",
    "True",
    "text True",
    "date",
    "text date",
    "timestamp",
    "UUID",
    "text UUID",
}
MATRIX = {
    None: [
        {"int 42", "numpy 42"},
        {"Decimal 42", "Decimal 42.00"},
        *({name} for name in ALONE),
    ],
    "text": [
        {"text 42", "int 42", "numpy 42", "Decimal 42"},
        {"Decimal 42.00"},
        {"text 42.0"},
        {"text 042"},
        {"text True"},
        {"date", "text date"},
        {"timestamp"},
        {"UUID"},
        {"text UUID"},
    ],
    "integer": [{"text 42", "int 42", "numpy 42"}],
    "decimal": [NUMBERS],
    "boolean": [{"True", "text True"}],
    "date": [{"date", "text date", "timestamp"}],
    "datetime": [{"timestamp"}],
    "uuid": [{"UUID", "text UUID"}],
    "bytes": [{"bytes 42"}],
}
"""Declared type to the groups that are one value; what is in no group is refused."""


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Name(enum.StrEnum):
    ANA = "ana"


class Text(str):
    __slots__ = ()

    def encode(self, *_):
        return b"something else"


class Moment(dt.datetime):
    pass


class Day(dt.date):
    pass


class Id(uuid.UUID):
    pass


class Cents(int):
    def __str__(self):
        return "0.42"


class TestIsNull:
    @pytest.mark.parametrize("name", NULLS)
    def test_missing_values_are_null(self, name):
        """What a library calls missing is null."""
        assert is_null(NULLS[name])

    @pytest.mark.parametrize("name", DATA)
    def test_all_other_values_are_data(self, name):
        """Empty text, blanks, zero, and text that reads like a null, are data."""
        assert not is_null(DATA[name])

    def test_needs_no_library(self, monkeypatch):
        """Without pandas and numpy, no value is asked about theirs."""
        monkeypatch.delitem(sys.modules, "pandas")
        monkeypatch.delitem(sys.modules, "numpy")

        assert is_null(None)
        assert not is_null(object())

    @pytest.mark.parametrize("name", NULLS)
    def test_a_bare_null_carries_nothing(self, name):
        """What comes back in the place of a null is null, of no class or bits of its own."""
        null = bare_null(NULLS[name])

        assert is_null(null)
        if isinstance(null, float):
            assert (float, struct.pack(">d", float("nan"))) == (type(null), struct.pack(">d", null))
        elif isinstance(null, Decimal):
            assert "Decimal('NaN')" == repr(null)
        else:
            assert NULLS[name] is null

    @pytest.mark.parametrize("name", NULLS)
    def test_a_null_has_no_bytes(self, name):
        """A null that reaches the encoding is refused, so that it is no popular person."""
        with pytest.raises(DomainError, match="a null has no pseudonym: it stays null"):
            encode(NULLS[name])


class TestTypeMatrix:
    @pytest.mark.parametrize("declared", MATRIX)
    def test_values_are_one_only_where_declared(self, declared):
        """Of each pair of representations, both have one byte string only as the matrix says."""
        groups = MATRIX[declared]
        accepted = set().union(*groups)
        found = {}
        for name, value in REPRESENTATIONS.items():
            try:
                found[name] = encode(value, declared)
            except DomainError:
                continue
        expected = {
            (one, other): any({one, other} <= group for group in groups)
            for one, other in product(accepted, accepted)
        }

        assert accepted == set(found)
        assert expected == {(x, y): found[x] == found[y] for x, y in product(found, found)}

    @pytest.mark.parametrize("declared", TYPES)
    def test_the_first_byte_is_the_type(self, declared):
        """Types do not share a first byte, so values of two types do not collide."""
        value = next(iter(REPRESENTATIONS[min(group)] for group in MATRIX[declared]))

        assert TAGS[declared] == encode(value, declared)[:1]
        assert len(TYPES) == len(set(TAGS.values()))


class TestEncode:
    @pytest.mark.parametrize(
        ("value", "declared", "expected"),
        [
            ("", None, b"t"),
            (" ", None, b"t "),
            ("é", None, b"t\xc3\xa9"),
            (np.str_("a"), None, b"ta"),
            (Text("a"), None, b"ta"),
            (-7, None, b"i-7"),
            (Cents(42), None, b"i42"),
            (np.uint8(7), None, b"i7"),
            ("+7", "integer", b"i7"),
            ("-0", "integer", b"i0"),
            (True, None, b"b1"),
            (np.bool_(False), None, b"b0"),
            ("FALSE", "boolean", b"b0"),
            (Decimal("-1.50"), None, b"m-15e-1"),
            (Decimal("1E+3"), None, b"m1e3"),
            ("1000", "decimal", b"m1e3"),
            ("1.0E3", "decimal", b"m1e3"),
            (Decimal("-0.00"), None, b"m0"),
            (Decimal("1E+3"), "text", b"t1000"),
            (b"\x00\xff", None, b"x\x00\xff"),
            (bytearray(b"a"), None, b"xa"),
            (memoryview(b"a"), None, b"xa"),
            (np.bytes_(b"a"), None, b"xa"),
            (uuid.UUID(UUID), None, b"u" + uuid.UUID(UUID).bytes),
            (Id(UUID), None, b"u" + uuid.UUID(UUID).bytes),
            (UUID.replace("-", ""), "uuid", b"u" + uuid.UUID(UUID).bytes),
            (uuid.UUID(UUID), "text", b"t" + UUID.encode()),
            (dt.date(1907, 3, 11), None, b"d1907-03-11"),
            (Day(1907, 3, 11), None, b"d1907-03-11"),
            (np.datetime64("1907-03-11"), None, b"d1907-03-11"),
            (np.datetime64("1907-03"), None, b"d1907-03-01"),
            (np.datetime64("1907-03-11T04:05:06.789"), None, b"z1907-03-11T04:05:06.789000"),
            (dt.datetime(1907, 3, 11), "date", b"d1907-03-11"),
            (dt.datetime(1907, 3, 11, 4, 5), None, b"z1907-03-11T04:05:00.000000"),
            (Moment(1907, 3, 11, 4, 5), None, b"z1907-03-11T04:05:00.000000"),
            (dt.datetime(1907, 3, 11, 4, 5), "text", b"t1907-03-11T04:05:00"),
            ("1907-03-11 04:05", "datetime", b"z1907-03-11T04:05:00.000000"),
            ("1907-03-11T04:05:06.7", "datetime", b"z1907-03-11T04:05:06.700000"),
            ("1907-03-11T04:05:06.123456000", "datetime", b"z1907-03-11T04:05:06.123456"),
            ("1907-03-11T04:05Z", "datetime", b"z1907-03-11T04:05:00.000000+00:00"),
            ("1907-03-11T06:05+0200", "datetime", b"z1907-03-11T04:05:00.000000+00:00"),
            (
                pd.Timestamp("2024-05-06 10:00", tz="Europe/Berlin"),
                None,
                b"z2024-05-06T08:00:00.000000+00:00",
            ),
        ],
    )
    def test_each_value_has_its_bytes(self, value, declared, expected):
        """The bytes are frozen: with others, the same persons had other tokens."""
        assert expected == encode(value, declared)

    @pytest.mark.parametrize("value", [42.0, np.float64(42), np.float32(42), np.longdouble(42)])
    @pytest.mark.parametrize("declared", [None, *TYPES])
    def test_floats_are_refused_with_advice(self, value, declared):
        """A float may be an identifier that a missing cell has spoilt, so it is no identifier."""
        with pytest.raises(DomainError, match="cast the column to Int64, to text or to Decimal"):
            encode(value, declared)

    @pytest.mark.parametrize("member", [Colour.RED, Number.ONE, Name.ANA])
    def test_enumerations_are_refused(self, member):
        """An enumeration member may mean its name or its value, so nobody guesses."""
        with pytest.raises(DomainError, match=r"passed by its \.value"):
            encode(member)

    @pytest.mark.parametrize(
        "value",
        [[1], (1,), {"a": 1}, {1}, np.array([1]), np.array(1), object(), 1j, Fraction(1), len],
    )
    @pytest.mark.parametrize("declared", [None, "text"])
    def test_containers_and_objects_are_refused(self, value, declared):
        """What is no single value of a known type is refused by the name of its class."""
        with pytest.raises(DomainError, match=f"^{type(value).__name__} is no value of type"):
            encode(value, declared)

    @pytest.mark.parametrize(
        ("value", "declared"),
        [
            *((text, "integer") for text in ("", "042", " 42", "42 ", "4 2", "4_2", "4,2", "42.")),
            *((text, "integer") for text in ("٤٢", "４２", "0x2a", "1e3", "--1", "42\n", TEXT)),
            *((text, "integer") for text in ("9" * 601, "9" * 5000)),
            *((text, "decimal") for text in ("", "1.", ".1", "01.5", "1,5", "1 000", "1e1000")),
            *((text, "decimal") for text in ("NaN", "Infinity", "１.5", "1\n", DATE, "1" * 700)),
            *((text, "boolean") for text in ("", "1", "0", "yes", "t", "ｔｒｕｅ", " true")),
            *((text, "date") for text in ("", "1907-02-30", "19070311", "1907-3-11", "1907-W10-1")),
            *((text, "date") for text in ("11.03.1907", "1907-03-11T00:00:00", "１907-03-11")),
            *((text, "datetime") for text in ("", DATE, "1907-03-11T25:00", "1907-03-11T04")),
            *((text, "datetime") for text in ("1907-03-11T04:05:06.1234567", "1907-03-11 04:05 Z")),
            *((text, "datetime") for text in ("0001-01-01T00:00+02:00", "9999-12-31T23:59-02:00")),
            *((text, "uuid") for text in ("", UUID[:-1], f"{{{UUID}}}", UUID.replace("-", "", 1))),
            *((text, "bytes") for text in ("", "00")),
            *((value, "text") for value in (b"a", True, np.bool_(True))),
            *((value, "integer") for value in (True, Decimal(42), b"42", dt.date(1907, 3, 11))),
            *((value, "decimal") for value in (True, b"42")),
            *((value, "boolean") for value in (0, 1, b"1", Decimal(1))),
            *((value, "date") for value in (19070311, dt.datetime(1907, 3, 11, 1))),
            (dt.datetime(1907, 3, 11, tzinfo=dt.UTC), "date"),
            *((value, "datetime") for value in (dt.date(1907, 3, 11), 0)),
            *((value, "uuid") for value in (uuid.UUID(UUID).int, uuid.UUID(UUID).bytes)),
            *(
                (value, None)
                for value in (Decimal("Infinity"), Decimal("1E2001"), Decimal("1E-2001"))
            ),
            *(
                (Decimal(f"{nan}{DIGITS}"), declared)
                for nan in ("NaN", "sNaN", "-NaN")
                for declared in (None, *TYPES)
            ),
            *((value, None) for value in (10**600, -(10**600), Decimal(10**600))),
            *((value, "decimal") for value in (10**600, Decimal("-Infinity"))),
            *((value, "text") for value in (10**600, Decimal("Infinity"), Decimal("1E9999"))),
            (np.datetime64("1907-03-11T04:05:06.123456789"), None),
            (np.datetime64("12024-05-06"), None),
            (pd.Timestamp(1), None),
            (dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))), None),
        ],
    )
    def test_what_does_not_fit_is_refused(self, value, declared):
        """A value that its declared type cannot read, or only by a guess, is refused."""
        with pytest.raises(DomainError) as caught:
            encode(value, declared)

        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("text", ["\ud800", f"{TEXT}\udfff"])
    @pytest.mark.parametrize("declared", [None, "text"])
    def test_half_a_surrogate_pair_is_refused(self, text, declared):
        """A lone surrogate has no UTF-8; the error says where it stands and no more."""
        with pytest.raises(DomainError, match="half of a surrogate pair") as caught:
            encode(text, declared)

        assert len(text) - 1 == caught.value.position
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("declared", [None, "datetime"])
    @pytest.mark.parametrize("machine", ["Asia/Kolkata", "America/Lima"])
    def test_a_zone_without_an_offset_is_none(self, declared, machine, monkeypatch):
        """A datetime whose zone tells no offset is one without, in the time of no machine."""

        class Nowhere(dt.tzinfo):
            def utcoffset(self, _):
                return None

        monkeypatch.setenv("TZ", machine)
        time.tzset()
        moment = dt.datetime(1907, 3, 11, 4, 5)
        try:
            found = encode(moment.replace(tzinfo=Nowhere()), declared)
        finally:
            monkeypatch.undo()
            time.tzset()

        assert encode(moment, declared) == found

    def test_integers_of_the_greatest_size_are_read(self):
        """The limit holds both ways: as a number and as text."""
        number = 10**600 - 1

        assert encode(number) == encode(str(number), "integer")
        assert encode(-number) == encode(str(-number)[:600], "integer")[:1] + str(-number).encode()

    def test_leading_zeros_are_sent_to_text(self):
        """The error names the type that takes identifiers with leading zeros."""
        with pytest.raises(DomainError, match="of type 'text'"):
            encode(f"00{DIGITS}", "integer")

    def test_needs_no_numpy(self, monkeypatch):
        """Without numpy, an unknown object is refused like any other."""
        monkeypatch.delitem(sys.modules, "numpy")

        with pytest.raises(DomainError, match=r"^object is no value"):
            encode(object())

    def test_plain_leaves_the_classes_of_libraries_behind(self):
        """What comes out of `plain` is of Python's own class, whatever came in."""
        given_values = [np.int8(1), np.str_("a"), Cents(1), Day(1, 1, 1), Moment(1, 1, 1), Id(UUID)]

        assert [int, str, int, dt.date, dt.datetime, uuid.UUID] == [
            type(plain(value)) for value in given_values
        ]


SCALARS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.uuids(),
    st.binary(),
)


@settings(deadline=None, max_examples=500)
@given(SCALARS, SCALARS)
def test_two_values_have_one_encoding_only_if_they_are_equal(one, other):
    """
    The encoding is injective over values with their types.
    """
    same = values.TYPE_OF[type(one)] == values.TYPE_OF[type(other)] and one == other

    assert same == (encode(one) == encode(other))


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=3)))
def test_a_number_and_its_text_are_one_value_once_declared(number):
    """
    What a CSV file holds of a column reads as the column itself.
    """
    declared = "integer" if isinstance(number, int) else "decimal"

    assert encode(number, declared) == encode(str(number), declared)
    assert encode(number, "text") == encode(format(number, "f" if declared == "decimal" else "d"))
