import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vininfo import Vin

from privkit.errors import DomainError
from privkit.formats.vin import LETTERS, VIN, check_digit
from tests.unit.formats.laws import check_laws, check_refused

SPECIMEN = "1M8GDM9AXKP042788"
ONES = "1" * 17


@st.composite
def numbers(draw):
    """
    Draw a number of an American maker with the right check digit.
    """
    maker = draw(st.sampled_from(["1M8", "1HG", "5YJ", "2T1", "111"]))
    body = draw(st.text(LETTERS + "0123456789", min_size=13, max_size=13))
    year = draw(st.sampled_from("ABCDEFGHJKLMNPRSTVWXY123456789"))
    text = f"{maker}{body[:5]}0{year}{body[6:]}"
    return text[:8] + check_digit(text) + text[9:]


def kinds(text):
    """
    Return which characters are digits, apart from the check digit.
    """
    return [character.isdigit() for character in text[:8] + text[9:]]


def is_valid(text):
    """
    Tell whether vininfo takes the check digit and the model year.
    """
    return Vin(text).verify_checksum(check_year=True)


class TestLaws:
    @given(numbers(), st.integers(0), st.booleans(), st.booleans())
    def test_numbers_come_back_and_stay_valid(self, text, other, wmi, lower):
        """
        What comes out has the right check digit, the same maker and letters in the same places.
        """
        text = text.lower() if lower and not text.replace("X", "").isdigit() else text
        out = check_laws(VIN(wmi=wmi), text, other)

        assert kinds(text) == kinds(out)
        assert re.fullmatch("[0-9A-HJ-NPR-Z]{17}", out.upper())
        assert out in {out.upper(), out.lower()}
        assert check_digit(out.upper()) == out[8].upper()
        if wmi:
            assert text[:3] == out[:3]
            assert is_valid(out)

    def test_the_check_digit_is_the_documented_one(self):
        """
        The specimen of the regulation, and seventeen ones, are right.
        """
        assert is_valid(SPECIMEN)
        assert "X" == check_digit(SPECIMEN)
        assert "1" == check_digit(ONES)

    @pytest.mark.parametrize(
        ("text", "size"),
        [(SPECIMEN, 23**4 * 10 * 21 * 23 * 10**6), (ONES, 10**5 * 9 * 10**7)],
    )
    def test_the_domain_is_what_the_kinds_of_characters_leave(self, text, size):
        """
        A digit stands for ten, a letter for 23, and at the model year for 9 and 21.
        """
        parsed = VIN().parse(text)
        ends = [VIN().render(parsed, number) for number in (*range(2000), size - 1)]

        assert size == parsed.size
        assert 2001 == len(set(ends))
        assert all(map(is_valid, ends))

    def test_numbers_without_letters_have_no_case(self):
        """
        Where the check digit is the only letter, it is in upper case.
        """
        text = "11111111X11111111"
        spare = next(
            candidate
            for digit in range(10**5)
            if check_digit(candidate := f"{text[:12]}{digit:05d}") == "X"
        )
        outs = {check_laws(VIN(), spare, other)[8] for other in range(200)}

        assert set("0123456789X") == outs
        assert "upper case" in check_refused(VIN(), spare.lower())


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            SPECIMEN[:-1],
            SPECIMEN + "0",
            SPECIMEN[:-1] + "9",
            SPECIMEN.replace("M", "I"),
            SPECIMEN.replace("M", "q"),
            SPECIMEN.replace("M", "m"),
            SPECIMEN[:9] + "U" + SPECIMEN[10:],
            SPECIMEN[:9] + "0" + SPECIMEN[10:],
            SPECIMEN.replace("1", "١"),
            f"{SPECIMEN}\n",
            "",
            11111111111111111,
        ],
    )
    def test_other_values_are_refused(self, value):
        """
        What is no VIN is refused with a reason that holds no part of it.
        """
        check_refused(VIN(), value)

    def test_the_option_is_a_boolean(self):
        """
        The maker is kept or not.
        """
        with pytest.raises(DomainError, match="true or false"):
            VIN(wmi=None)
