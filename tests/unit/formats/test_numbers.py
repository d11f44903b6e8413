from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.numbers import DecimalFormat, Integer
from tests.canaries import DIGITS
from tests.unit.formats.laws import check_laws, check_refused, check_whole

FORM = DecimalFormat()
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda value: value or not value.is_signed()
)


class TestInteger:
    @given(st.integers(-(10**25), 10**25), st.integers(0), st.sampled_from([int, str]))
    def test_sign_and_digits_stay(self, value, other, kind):
        """
        An integer stays one, text stays text, and the sign and the number of digits stay.
        """
        out = check_laws(Integer(), kind(value), other)

        assert (value < 0) is (int(out) < 0)
        assert len(str(value)) == len(str(out))
        assert str(int(out)) == str(out)

    @given(
        st.integers(),
        st.integers(0, 10**30),
        st.integers(0),
        st.integers(0),
        st.sampled_from([int, str]),
    )
    def test_a_range_is_kept(self, minimum, width, value, other, kind):
        """
        Within a range, what comes out lies in it.
        """
        form = Integer(minimum=minimum, maximum=minimum + width)
        out = check_laws(form, kind(minimum + value % (width + 1)), other)

        assert minimum <= int(out) <= minimum + width

    @pytest.mark.parametrize(
        ("form", "value", "every"),
        [
            (Integer(), 7, range(10)),
            (Integer(), -7, [-n for n in range(1, 10)]),
            (Integer(), 0, range(10)),
            (Integer(), 42, range(10, 100)),
            (Integer(), -420, [-n for n in range(100, 1000)]),
            (Integer(), "0", map(str, range(10))),
            (Integer(minimum=-3, maximum=12), "0", map(str, range(-3, 13))),
            (Integer(minimum=5, maximum=5), 5, [5]),
        ],
    )
    def test_the_whole_domain_is_numbered(self, form, value, every):
        """
        All integers of the same sign and number of digits, or of the range, are there in order.
        """
        assert list(every) == check_whole(form, value)

    def test_integers_of_numpy_are_integers(self):
        """
        An integer has one number, whatever its type.
        """
        assert Integer().parse(int(DIGITS))[:3] == Integer().parse(np.int64(int(DIGITS)))[:3]
        assert Integer().parse(int(DIGITS))[:3] == Integer().parse(DIGITS)[:3]

    @pytest.mark.parametrize(
        "value",
        [
            f"0{DIGITS}",
            f"+{DIGITS}",
            f" {DIGITS}",
            f"{DIGITS}\n",
            f"{DIGITS}.0",
            "٤٩٢٩٣١٨٤",
            "-0",
            "-",
            "",
            "9" * 601,
            f"-{'9' * 600}",
            True,
            4929.5,
            Decimal(DIGITS),
            None,
        ],
        ids=range(15),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no integer is refused with a reason that holds no part of it.
        """
        check_refused(Integer(), value)

    @pytest.mark.parametrize("value", [10**600, -(10**600), 10**5000], ids=range(3))
    def test_endless_integers_are_refused(self, value):
        """
        An integer has as many digits as Python writes at once.
        """
        with pytest.raises(DomainError, match="600 digits"):
            Integer().parse(value)

    @pytest.mark.parametrize("value", [9, 101, "101", int(DIGITS)])
    def test_integers_out_of_the_range_are_refused(self, value):
        """
        What lies out of the range is refused with a reason that holds no part of it.
        """
        assert "range" in check_refused(Integer(minimum=10, maximum=100), value)

    @pytest.mark.parametrize(
        "options",
        [
            {"minimum": 1},
            {"maximum": 1},
            {"minimum": 2, "maximum": 1},
            {"minimum": "1", "maximum": 2},
            {"minimum": 0, "maximum": True},
            {"minimum": 0, "maximum": 10**600},
        ],
    )
    def test_other_ranges_are_refused(self, options):
        """
        A range has two ends, in order, that are integers.
        """
        with pytest.raises(DomainError, match=r"m(in|ax)imum"):
            Integer(**options)


class TestDecimal:
    @given(DECIMALS, st.integers(0))
    def test_decimals_keep_sign_and_exponent(self, value, other):
        """
        A decimal stays one, with its sign, its exponent and its digits before the point.
        """
        out = check_laws(FORM, value, other)

        assert value.as_tuple().exponent == out.as_tuple().exponent
        assert value.is_signed() is out.is_signed()
        assert str(FORM.render(FORM.parse(value), FORM.parse(value).number)) == str(value)
        assert max(value.adjusted(), value.as_tuple().exponent, 0) == max(
            out.adjusted(), out.as_tuple().exponent, 0
        )

    @given(st.from_regex("-?(0|[1-9][0-9]{0,20})([.][0-9]{1,20})?", fullmatch=True), st.integers(0))
    def test_texts_keep_their_shape(self, text, other):
        """
        A text keeps its sign, its length, and its point in the same place.
        """
        if text.startswith("-") and not Decimal(text):
            text = text[1:]
        out = check_laws(FORM, text, other)

        assert len(text) == len(out)
        assert text.find(".") == out.find(".")
        assert text.startswith("-") is out.startswith("-")
        assert FORM.parse(text)[:3] == FORM.parse(Decimal(text))[:3]

    @pytest.mark.parametrize(
        ("value", "every"),
        [
            ("1.5", [f"{n // 10}.{n % 10}" for n in range(100)]),
            ("-0.1", [f"-{n // 10}.{n % 10}" for n in range(1, 100)]),
            ("12", [str(n) for n in range(10, 100)]),
            ("-12.0", [f"-{n // 10}.{n % 10}" for n in range(100, 1000)]),
            (Decimal("7E+3"), [Decimal(f"{n}E+3") for n in range(10)]),
            (Decimal("0.0"), [Decimal(n).scaleb(-1) for n in range(100)]),
        ],
    )
    def test_the_whole_domain_is_numbered(self, value, every):
        """
        All decimals of the same sign and shape are there, in the order of their size.
        """
        assert list(map(str, every)) == list(map(str, check_whole(FORM, value)))

    @pytest.mark.parametrize(
        "value",
        [
            Decimal("-0.00"),
            "-0",
            "-0.00",
            Decimal("1E+601"),
            Decimal("1E-601"),
            Decimal("9" * 601),
            f"{DIGITS}.",
            f".{DIGITS}",
            f"0{DIGITS}.5",
            f"+{DIGITS}",
            f"{DIGITS}E5",
            f"{DIGITS},50",
            f"{DIGITS}\n",
            "0." + "4" * 600,
            4929.31840,
            10**600,
            True,
        ],
        ids=range(17),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no decimal is refused with a reason that holds no part of it.
        """
        check_refused(FORM, value)

    @given(st.integers(-(10**30), 10**30), st.integers(0))
    def test_integers_are_decimals_without_a_point(self, value, other):
        """
        An integer stays one, with its sign and its length, and is the same decimal as its text.
        """
        out = check_laws(FORM, value, other)

        assert len(str(value)) == len(str(out))
        assert FORM.parse(str(value))[:3] == FORM.parse(value)[:3] == FORM.parse(Decimal(value))[:3]

    def test_infinity_is_refused(self):
        """
        Infinity has no digits.
        """
        with pytest.raises(DomainError, match="finite"):
            FORM.parse(Decimal("Infinity"))
