import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from privkit.errors import DomainError
from privkit.formats.card import Card
from tests.canaries import DIGITS
from tests.unit.formats.laws import check_laws, check_refused, check_whole

VALID = DIGITS[:-1] + luhn.calc_check_digit(DIGITS[:-1])
CARDS = [Card(), Card(last=0), Card(bin=8), Card(bin=8, last=0)]
SEPARATORS = st.sampled_from(["", "", " ", "-", "  ", " - "])


@st.composite
def digits(draw, shortest=12):
    """
    Draw the digits of a card.
    """
    body = draw(st.text("0123456789", min_size=shortest - 1, max_size=18))
    return body + luhn.calc_check_digit(body)


@st.composite
def written(draw):
    """
    Draw a card number with separators.
    """
    number = draw(digits())
    gaps = [draw(SEPARATORS) for _ in number[1:]]
    return "".join(digit + gap for digit, gap in zip(number, [*gaps, ""], strict=True))


def shape(text):
    """
    Return a text with all digits alike.
    """
    return re.sub("[0-9]", "#", text)


class TestLaws:
    @given(written(), st.integers(0), st.sampled_from(CARDS))
    def test_cards_come_back_and_stay_valid(self, text, other, form):
        """
        What comes out has the right check digit, the kept digits and the same separators.
        """
        number = re.sub("[ -]", "", text)
        if form.bin == 8 and len(number) < 16:
            form = Card(last=form.last)
        out = check_laws(form, text, other)
        changed = re.sub("[ -]", "", out)

        assert luhn.is_valid(changed)
        assert shape(text) == shape(out)
        assert number[: form.bin] == changed[: form.bin]
        assert number[len(number) - form.last :] == changed[len(number) - form.last :]

    @given(digits(), st.integers(0))
    def test_integers_stay_integers(self, text, other):
        """
        A card number that is an integer comes out as one, of the same length.
        """
        number = int("4" + text[1:-1] + "0")
        number += int(luhn.calc_check_digit(str(number // 10)))
        out = check_laws(Card(), number, other)

        assert len(text) == len(str(out))
        assert luhn.is_valid(str(out))

    def test_text_and_integer_share_their_numbering(self):
        """
        A card has one number, whether it is text, an integer, or an integer of numpy's.
        """
        number, size, kept, _ = Card().parse(VALID)

        assert (number, size, kept) == Card().parse(int(VALID))[:3]
        assert (number, size, kept) == Card().parse(np.int64(int(VALID)))[:3]

    @pytest.mark.parametrize(
        ("form", "text", "size"),
        [
            (Card(), "500000000009", 10),
            (Card(), "3714 496353 98431", 10**4),
            (Card(bin=8), VALID, 10**3),
        ],
    )
    def test_the_whole_domain_is_numbered(self, form, text, size):
        """
        All valid numbers of one length with the same kept digits are there, each once.
        """
        every = check_whole(form, text)

        assert size == len(every)
        assert all(luhn.is_valid(re.sub("[ -]", "", one)) for one in every)

    def test_the_domain_is_what_the_digits_leave(self):
        """
        One of the replaced digits is decided by the others.
        """
        assert [10**5, 10**9, 10**3, 10**7] == [form.parse(VALID).size for form in CARDS]


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            DIGITS,
            DIGITS[:11],
            DIGITS + "0000",
            f" {VALID}",
            f"{VALID}\n",
            VALID.replace("9", "٩"),
            DIGITS.replace("3", "x"),
            VALID[:4] + " " * 100 + VALID[4:],
            "",
            int(DIGITS[:11]),
            10**19,
            -int(DIGITS),
            True,
            DIGITS.encode(),
        ],
        ids=range(14),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no card number is refused with a reason that holds no part of it.
        """
        check_refused(Card(), value)

    def test_endless_integers_are_refused(self):
        """
        An integer longer than Python writes at once is no card number.
        """
        with pytest.raises(DomainError, match="12 to 19 digits"):
            Card().parse(10**5000)

    def test_eight_digits_of_a_short_number_are_refused(self):
        """
        A card of 15 digits keeps six leading digits at most.
        """
        said = check_refused(Card(bin=8), "3714 496353 98431")

        assert "keep 6" in said

    @pytest.mark.parametrize(
        "options", [{"bin": 7}, {"bin": "6"}, {"last": 5}, {"last": False}, {"bin": 6.0}]
    )
    def test_other_options_are_refused(self, options):
        """
        The kept digits are 6 or 8, and 4 or none.
        """
        with pytest.raises(DomainError, match="digits"):
            Card(**options)


class TestVectors:
    def test_cards_of_other_projects(self, vectors):
        """
        Card numbers with the right check digit come back, and the others are refused.
        """
        found = json.loads((vectors / "formats" / "card_numbers.json").read_text("utf-8"))
        accepted = 0
        for case in found["card_validator"]["cases"]:
            number = re.sub("[ -]", "", case["number"])
            if luhn.is_valid(number) and 12 <= len(number) <= 19:
                out = check_laws(Card(), case["number"], 7)
                accepted += 1

                assert luhn.is_valid(re.sub("[ -]", "", out))
            else:
                check_refused(Card(), case["number"])

        assert 19 == accepted
        for number in found["stripe_test_cards"]["numbers"]:
            check_laws(Card(), number["number"], 3)
