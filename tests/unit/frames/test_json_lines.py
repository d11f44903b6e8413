"""
JSON lines, with every number as it was.
"""

import io
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DatasetError
from privkit.frames.json_lines import JSONLines, encode
from tests.canaries import DIGITS, TEXT


def read(content):
    file = io.BufferedReader(io.BytesIO(content))
    return list(JSONLines().detect(file).reader(file))


def written(*records):
    file = io.BytesIO()
    writer = JSONLines().writer(file, None)
    for record in records:
        writer.record(record)
    writer.finish()
    return file.getvalue()


def refusal(content):
    """
    Return the sentence that refuses a file.
    """
    with pytest.raises(DatasetError) as caught:
        read(content)
    return str(caught.value)


class TestReading:
    def test_each_line_is_a_record(self):
        """
        Records nest, and blank lines are skipped.
        """
        assert [{"a": [{"b": None}]}, {}] == read(b'{"a": [{"b": null}]}\n\n  \r\n{}')

    def test_a_byte_order_mark_is_dropped(self):
        """
        RFC 8259 lets a reader ignore the mark, before the first line alone.
        """
        assert [{"a": 1}] == read(b'\xef\xbb\xbf{"a": 1}\n')
        assert refusal(b'{}\n\xef\xbb\xbf{"a": 1}\n').startswith("the line is not JSON")

    def test_a_separator_of_lines_in_text_is_text(self):
        """
        Only a line feed ends a line: U+2028 and its like stand in text as they are.
        """
        assert [{"a": "x\u2028y\x85z"}] == read('{"a": "x\u2028y\x85z"}\n'.encode())

    def test_whole_numbers_stay_whole(self):
        """
        No digit of a long number is lost.
        """
        assert [{"a": 12345678901234567890, "b": Decimal("1.0")}] == read(
            b'{"a": 12345678901234567890, "b": 1.0}'
        )


class TestRefusing:
    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ('{"a": "%s}', "the line is not JSON, from character 31 on"),
            ('"%s"', "a line holds one record, as a JSON object, got str"),
            ('[{"a": "%s"}]', "a line holds one record, as a JSON object, got list"),
            ('{"a": "%s", "a": 1}', "an object of 2 names has a name twice"),
            ('{"b": {"a": "%s", "a": 1}}', "an object of 2 names has a name twice"),
            ('{"b": "%s", "a": NaN}', "NaN and infinity are no JSON numbers"),
            ('{"b": "%s", "a": -Infinity}', "NaN and infinity are no JSON numbers"),
            ('{"b": "%s", "a": 1e401}', "a number is at most ten to the power of 400"),
            ('{"b": "%s", "a": 1e-401}', "a number is at most ten to the power of 400"),
            (
                '{"b": "%s", "a": 1e99999999999999999999}',
                "a number of the line has too many digits",
            ),
            ('{"b": "%s", "a": ' + "9" * 5000 + "}", "a number of the line has too many digits"),
            ('{"b": "%s", "a": ' + "[" * 10**5 + "}", "the record is nested too deep"),
        ],
    )
    def test_bad_lines(self, line, sentence):
        """
        What is not one JSON object is refused in a sentence that quotes nothing of it.
        """
        assert sentence == refusal(f"{line}\n".replace("%s", TEXT).encode())


class TestWriting:
    def test_text_is_not_escaped(self):
        """
        Letters of any script stand as themselves, in UTF-8.
        """
        assert '{"名":"Zdeněk\\n"}\n'.encode() == written({"名": "Zdeněk\n"})

    def test_a_value_without_a_form_is_refused(self):
        """
        JSON has no dates, and a key is never shown for a value.
        """
        with pytest.raises(DatasetError, match="a value of type date has no form in JSON"):
            written({"a": date(1907, 3, 11)})

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN")])
    def test_a_number_that_is_none_is_refused(self, number):
        """
        JSON has no NaN and no infinity.
        """
        with pytest.raises(DatasetError, match="has no form in JSON"):
            written({"a": number})

    def test_half_a_surrogate_pair_is_refused(self):
        """
        A lone surrogate, which JSON can escape, has no bytes in UTF-8.
        """
        with pytest.raises(DatasetError, match="cannot be written in utf-8"):
            written(*read(b'{"a": "\\ud800"}'))

    def test_endless_nesting_is_refused(self):
        """
        A record that holds itself ends in a sentence.
        """
        record = {}
        record["a"] = record
        with pytest.raises(DatasetError, match="nested too deep"):
            written(record)

    @pytest.mark.parametrize(
        "number", ["1.10", "0.0", "-0.0", "1E+5", "12.3400", "1E-7", "7", "-3", "0", "-0", "[-0]"]
    )
    def test_numbers_come_out_as_they_went_in(self, number):
        """
        A number keeps its value and its digits.
        """
        line = f'{{"a":{number}}}\n'.encode()

        assert line == written(*read(line))

    def test_floats_of_transforms_are_written(self):
        """
        A float has its shortest digits.
        """
        assert "[0.1,true,null]" == encode([0.1, True, None])

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
            lambda parts: (
                st.lists(parts) | st.dictionaries(st.text(st.characters(codec="utf-8")), parts)
            ),
        )
    )
    def test_is_what_the_standard_library_reads(self, value):
        """
        Any JSON value is written so that another reader gets the same, in the same order.
        """
        line = encode(value)

        assert value == json.loads(line)
        assert json.dumps(value, ensure_ascii=False, separators=(",", ":")) == line


def test_no_option_describes_the_file():
    """
    JSON lines have no variants.
    """
    assert {} == JSONLines().options
    assert DIGITS not in repr(JSONLines())
