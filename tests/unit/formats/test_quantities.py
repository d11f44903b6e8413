from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.quantities import exact, places_of, plainest, scaled, written
from tests.canaries import DIGITS, TEXT

DECIMALS = st.decimals(-(10**30), 10**30, allow_nan=False, allow_infinity=False)


class TestExact:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (12, (12, 1)),
            (-7, (-7, 1)),
            (0.1, (1, 10)),
            (1e300, (10**300, 1)),
            (Decimal("2.50"), (5, 2)),
            ("2.50", (5, 2)),
            ("-0.5", (-1, 2)),
            ("+3", (3, 1)),
            ("1e3", (1000, 1)),
            ("1E-2", (1, 100)),
            (np.int8(5), (5, 1)),
            (np.uint64(2**63), (2**63, 1)),
            (np.float64(0.1), (1, 10)),
            (np.float32(0.1), (1, 10)),
            (np.float16(0.1), (1, 10)),
            (10**399, (10**399, 1)),
        ],
    )
    def test_reads_a_number(self, value, expected):
        """
        A number of any type is the fraction that it prints as.
        """
        assert expected == exact(value)

    @pytest.mark.parametrize(
        "value",
        [
            float("inf"),
            float("-inf"),
            float("nan"),
            np.float32("inf"),
            Decimal("inf"),
            Decimal("nan"),
            Decimal("snan"),
        ],
    )
    def test_refuses_what_is_not_finite(self, value):
        """
        Infinity lies in no interval.
        """
        with pytest.raises(DomainError) as caught:
            exact(value)

        assert "a value is a finite number" == str(caught.value)

    @pytest.mark.parametrize(
        "value",
        [True, np.True_, None, b"12", [12], 1j, Fraction(1, 3), np.timedelta64(5, "D"), object()],
        ids=lambda value: type(value).__name__,
    )
    def test_refuses_what_is_no_number(self, value):
        """
        Booleans, spans of time and fractions without a decimal are refused by their type.
        """
        with pytest.raises(DomainError) as caught:
            exact(value)

        assert f"a value is a number, got {type(value).__name__}" == str(caught.value)

    @pytest.mark.parametrize("value", [date(2024, 5, 6), datetime(2024, 5, 6, 7)])
    def test_leads_dates_to_their_unit(self, value):
        """
        A date where a number is wanted is told what it needs.
        """
        with pytest.raises(DomainError, match=r": dates take unit=$"):
            exact(value)

    @pytest.mark.parametrize(
        "text",
        ["", " 12", "12 ", "012", "1,000", "1_000", ".5", "5.", "0x10", "１２", "nan", "inf", "1e",
         "--1", "1e1000", "12\n", TEXT, "9" * 801],
    )  # fmt: skip
    def test_refuses_text_that_is_no_plain_number(self, text):
        """
        Text is a number only in the one plain notation.
        """
        with pytest.raises(DomainError) as caught:
            exact(text)

        assert str(caught.value).startswith("a value is a number such as 12 or -3.5")
        assert len(text) == caught.value.length

    @pytest.mark.parametrize(
        "value",
        [10**400, -(10**400), Decimal("1e400"), Decimal("1e999999"), Decimal("1e-401"), "1e400",
         "0.5e-400", Decimal("0e999999")],
        ids=range(8),
    )  # fmt: skip
    def test_bounds_the_work(self, value):
        """
        A number with a huge exponent is refused before it is written out.
        """
        with pytest.raises(DomainError) as caught:
            exact(value)

        assert "a value has at most 400 digits before the point, and as many after it" == str(
            caught.value
        )

    def test_names_what_the_number_is_for(self):
        """
        An error about a parameter names it.
        """
        with pytest.raises(DomainError, match=r"^width is a number, got list$"):
            exact([DIGITS], "width")


class TestScaled:
    @pytest.mark.parametrize(
        ("value", "places", "expected"),
        [
            (12, 0, 12),
            (12, 2, 1200),
            (0.3, 1, 3),
            (0.1 + 0.2, 1, 3),
            (0.35, 1, 3),
            (-0.35, 1, -4),
            ("-1", 0, -1),
            (Decimal("0.999"), 0, 0),
            (10**399, 0, 10**399),
        ],
    )
    def test_rounds_down(self, value, places, expected):
        """
        Units are whole, and what is left over counts for nothing, below zero too.
        """
        assert expected == scaled(value, places)

    def test_bounds_plain_integers(self):
        """
        The short way for integers has the same bound.
        """
        with pytest.raises(DomainError):
            scaled(10**400, 0)

    @given(DECIMALS)
    def test_writes_what_it_reads(self, number):
        """
        A decimal scaled by its own places is written as the same number.
        """
        places = places_of(number, "it")

        assert number == Decimal(written(scaled(number, places), places))


class TestPlainest:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (10, 10),
            (10.0, 10),
            ("10", 10),
            (Decimal("10.00"), 10),
            (0.1, 0.1),
            ("0.10", 0.1),
            (Decimal("0.1"), 0.1),
            (np.float32(0.1), 0.1),
            ("0.1000000000000000000001", "0.1000000000000000000001"),
            (Decimal("0.1000000000000000000001"), "0.1000000000000000000001"),
            (-0.0, 0),
        ],
    )
    def test_equal_numbers_have_one_form(self, value, expected):
        """
        A number is an integer, else a float, else text, and always one that JSON can hold.
        """
        plain = plainest(value, "it")

        assert (type(expected), expected) == (type(plain), plain)

    @given(DECIMALS)
    def test_loses_nothing(self, number):
        """
        The form of a number is read as the same number.
        """
        assert exact(number) == exact(plainest(number, "it"))
