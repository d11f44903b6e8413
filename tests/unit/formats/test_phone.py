"""Telephone numbers: taken apart, numbered, and valid by construction."""

import itertools
import json
import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.phone import Phone
from privkit.formats.phone_table import (
    _codes,
    _languages,
    _restripped,
    _types,
    _union,
    calling_code,
    numbers,
)
from tests.canaries import TEXT

LANGUAGES = [(code, found) for code in _codes(1) for found in _languages(code, 1)]
FORMS = ("e164", "international", "national", "rfc3966")


def kind(text, region=None):
    """Region and type of a number, as the library phonenumbers sees them."""
    read = phonenumbers.parse(text, region)
    return phonenumbers.region_code_for_number(read), phonenumbers.number_type(read)


class TestTable:
    def test_numbers_are_what_the_library_says(self):
        """Region and type of numbers drawn from every language are those of phonenumbers."""
        chance = random.Random(11)
        drawn = 0
        for code, found in LANGUAGES:
            for length in range(1, 18):
                for _ in range(min(found.automaton.count(length), 3)):
                    number = chance.randrange(found.automaton.count(length))
                    national = found.automaton.unrank(number, length)
                    read = phonenumbers.parse(f"+{code}{national}")
                    drawn += 1

                    assert national == phonenumbers.national_significant_number(read)
                    assert found.region == phonenumbers.region_code_for_number(read)
                    assert getattr(
                        phonenumbers.PhoneNumberType, found.type.upper()
                    ) == phonenumbers.number_type(read)
                    assert (found, number) == numbers(code, national, 1)
        assert drawn > 4_000

    @pytest.mark.parametrize(
        "codes", [("375", "7"), pytest.param(None, marks=pytest.mark.nightly, id="all")]
    )
    def test_left_out_numbers_cannot_be_written(self, codes):
        """A valid number that the table leaves out is one that phonenumbers reads as another."""
        chance = random.Random(12)
        seen = 0
        for code in codes or _codes(1):
            for entry in _codes(1)[code]:
                left_out = _union(_types(entry).values()).both(_restripped(entry))
                for length in range(1, 18):
                    for _ in range(min(left_out.count(length), 20)):
                        national = left_out.unrank(chance.randrange(left_out.count(length)), length)
                        read = phonenumbers.parse(f"+{code}{national}")
                        seen += 1

                        assert national != phonenumbers.national_significant_number(read)
        assert seen > 0

    def test_calling_codes_are_found(self):
        """A calling code is one to three digits; digits without one are refused."""
        assert ["1", "49", "880"] == [
            calling_code(digits, 1) for digits in ("12015550123", "4930123456", "8801234")
        ]
        with pytest.raises(DomainError, match="begins with no calling code"):
            calling_code("210123456", 1)


class TestExamples:
    def test_published_examples_come_back(self, vectors):
        """
        Every example of libphonenumber comes back in all four ways of writing.

        Another number in its place has its region, its type and its spelling.
        """
        examples = json.loads((vectors / "formats" / "phone_examples.json").read_text())["numbers"]
        chance = random.Random(13)
        for example, form in itertools.product(examples, FORMS):
            text, region = example[form], example["region"]
            phone = Phone(region=None if region == "001" else region)
            parsed = phone.parse(text)
            other = phone.render(parsed, chance.randrange(parsed.size))
            again = phone.parse(other)

            assert text == phone.render(parsed, parsed.number)
            assert (parsed.size, parsed.kept) == (again.size, again.kept)
            assert kind(text, region) == kind(other, region)
            assert other == phone.render(again, again.number)
        assert len(examples) >= 734


class TestSpelling:
    @pytest.mark.parametrize(
        ("text", "digits", "expected"),
        [
            ("+49 30 123456 ext. 12", 0, "+49 20 100123 ext. 45"),
            ("tel:+49-30-123456;ext=12", 0, "tel:+49-20-100123;ext=45"),
            ("(030) 12 34 56", 0, "(020) 11 23 45"),
            ("٠٣٠١٢٣٤٥٦", 0, "٠٢٠١١٢٣٤٥"),
            ("0049 30 123456", 0, "0049 20 112345"),
        ],
    )
    def test_digits_are_replaced_in_place(self, text, digits, expected):
        """Separators, script and prefixes stay; the national digits and the extension change."""
        phone = Phone(region="DE")
        parsed = phone.parse(text)

        assert expected == phone.render(parsed, 12345 + digits)
        assert text == phone.render(parsed, parsed.number)

    def test_one_number_is_one_number_however_written(self):
        """Spellings of one number have the same number and keep the same."""
        phone = Phone(region="DE")
        spelled = [phone.parse(text) for text in ("+4930123456", "030 123456", "+49 (30) 12-34-56")]

        assert "Parsed(size=" in repr(spelled[0])
        assert 1 == len({(parsed.number, parsed.kept, parsed.size) for parsed in spelled})

    def test_national_forms_read_back_where_zeros_are_mixed(self):
        """Behind a national prefix, a number never comes to begin with a zero, or ceases to."""
        chance = random.Random(14)
        mixed = {(code, found.region) for code, found in LANGUAGES if found.zero}
        tried = 0
        for code, found in LANGUAGES:
            if (code, found.region) not in mixed or found.region == "001":
                continue
            phone = Phone(region=found.region)
            for length in range(5, 13):
                count = found.automaton.count(length)
                for _ in range(min(count, 40)):
                    national = found.automaton.unrank(chance.randrange(count), length)
                    read = phonenumbers.parse(f"+{code}{national}")
                    text = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.NATIONAL)
                    try:
                        parsed = phone.parse(text)
                    except DomainError:
                        continue
                    other = phone.render(parsed, chance.randrange(parsed.size))
                    again = phone.parse(other)
                    tried += 1

                    assert text == phone.render(again, parsed.number)
                    assert parsed.kept == again.kept
        assert tried > 1_000

    def test_what_would_be_read_as_another_is_not_written(self):
        """A number that cannot be read back in the spelling of the first is refused."""
        phone = Phone(region="GA")
        zero = next(found for code, found in LANGUAGES if code == "241" and found.zero)
        parsed = phone.parse("011 81 00 71")
        astray = parsed._replace(spelling=parsed.spelling._replace(numbers=zero))
        with pytest.raises(DomainError, match="write it in international form"):
            phone.render(astray, 958_988)

        assert "011 81 00 71" == phone.render(parsed, parsed.number)

    def test_argentine_mobiles_are_written_the_national_way(self):
        """Where the national form is no run of the same digits, that form is kept as a whole."""
        phone = Phone(region="AR")
        parsed = phone.parse("011 15-2345-6789")

        assert "011 15-2345-6789" == phone.render(parsed, parsed.number)
        assert kind("011 15-2345-6789", "AR") == kind(phone.render(parsed, 5), "AR")

    @given(st.sampled_from(LANGUAGES), st.integers(0, 17), st.integers(min_value=0))
    def test_e164_comes_back(self, language, length, number):
        """What is written in E.164 comes back, and stays in E.164."""
        code, found = language
        count = found.automaton.count(length)
        if not count:
            return
        text = f"+{code}{found.automaton.unrank(number % count, length)}"
        parsed = Phone().parse(text)

        assert number % count == parsed.number
        assert text == Phone().render(parsed, parsed.number)


class TestRefusals:
    @pytest.mark.parametrize(
        ("phone", "value", "reason"),
        [
            (Phone(), 4930123456, "a phone number is text, got int"),
            (Phone(), TEXT, "the text is no phone number: without '+' it needs region="),
            (Phone(region="DE"), TEXT, "the text is no phone number"),
            (Phone(), "030 123456", "the text is no phone number: without '+' it needs region="),
            (Phone(), "+1 800 FLOWERS", "do not stand together at its end"),
            (Phone(), "+491", "the text is no phone number"),
            (Phone(), "+4912", "is not valid in any region"),
            (Phone(), "+49 30 123456" + " " * 300, "at most 250 characters"),
            (Phone(), "+210123456789", "begins with no calling code"),
            (Phone(), "+4901234", "is not valid in any region"),
            (Phone(region="DE"), "030 123456 / 030 123457", "is not valid in any region"),
        ],
    )
    def test_what_is_no_number_is_refused(self, phone, value, reason):
        """A value that is no valid number is refused, and the reason holds no part of it."""
        with pytest.raises(DomainError) as caught:
            phone.parse(value)

        assert reason in str(caught.value)
        assert str(value) not in str(caught.value)

    def test_options_are_checked(self):
        """A region is two capital letters, and a table one that is shipped."""
        with pytest.raises(DomainError, match="two capital letters"):
            Phone(region="Germany")
        with pytest.raises(DomainError, match="no phone table"):
            Phone(table=2)
