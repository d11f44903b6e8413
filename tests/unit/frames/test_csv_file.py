"""
CSV as people write it.
"""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DatasetError
from privkit.frames.csv_file import CSV
from tests.canaries import TEXT


def opened(content):
    return io.BufferedReader(io.BytesIO(content))


def read(content, **options):
    """
    Return the header and the records of a file.
    """
    file = opened(content)
    reader = CSV(**options).detect(file).reader(file)
    return reader.header, list(reader)


def written(header, records, **options):
    """
    Return the bytes of a file.
    """
    file = io.BytesIO()
    writer = CSV(**options).writer(file, header)
    for record in records:
        writer.record(dict(zip(header, record, strict=True)))
    writer.finish()
    return file.getvalue()


def refusal(content, **options):
    """
    Return the sentence that refuses a file.
    """
    with pytest.raises(DatasetError) as caught:
        read(content, **options)
    return str(caught.value)


class TestReading:
    def test_an_empty_cell_is_null(self):
        """
        There is no difference between no text and no value, quoted or not.
        """
        assert [{"a": None, "b": None, "c": " "}] == read(b'a,b,c\n,"", \n')[1]

    def test_columns_are_literal(self):
        """
        A name is taken as it stands, with dots, brackets and blanks.
        """
        assert ("a.b", "visits[*].date", " c") == read(b"a.b,visits[*].date, c\n")[0]

    def test_initial_blanks_are_skipped_on_demand(self):
        """
        With the option, blanks after a delimiter belong to no cell and no name.
        """
        content = b"a, b\n1, 2\n"

        assert (("a", "b"), [{"a": "1", "b": "2"}]) == read(content, skip_initial_space=True)

    def test_quotes_hold_delimiters_quotes_and_lines(self):
        """
        A quoted cell is one cell.
        """
        assert [{"a": 'x,"y"\nz', "b": "1"}] == read(b'a,b\r\n"x,""y""\nz",1\r\n')[1]

    def test_blank_lines_are_no_rows(self):
        """
        A line without anything is skipped, before the header as well.
        """
        assert (("a",), [{"a": "1"}, {"a": "2"}]) == read(b"\na\n\n1\n\n2\n\n")

    @pytest.mark.parametrize(("delimiter", "encoding"), [(";", "cp1252"), ("\t", "utf-16")])
    def test_delimiter_and_encoding_are_declared(self, delimiter, encoding):
        """
        A file is read as its options say.
        """
        content = f"a{delimiter}b\nÄ{delimiter}ß\n".encode(encoding)
        records = read(content, delimiter=delimiter, encoding=encoding)[1]

        assert [{"a": "Ä", "b": "ß"}] == records

    def test_a_byte_order_mark_is_no_part_of_a_name(self):
        """
        Spreadsheets put a mark before the first name.
        """
        assert ("a",) == read(b"\xef\xbb\xbfa\n1\n")[0]

    def test_a_mark_of_another_encoding_is_data(self):
        """
        The bytes of the mark are three letters in an encoding that has such letters.
        """
        assert ("ï»¿a",) == read(b"\xef\xbb\xbfa\n", encoding="latin-1")[0]

    def test_a_long_cell_is_read(self):
        """
        A cell may be longer than the limit that Python sets by itself.
        """
        assert 200_000 == len(read(b"a\n" + b"x" * 200_000)[1][0]["a"])


class TestRefusing:
    def test_an_empty_file(self):
        """
        A file without a header is refused.
        """
        sentence = "the input is empty: a CSV file starts with the names of columns"

        assert [sentence] * 2 == [refusal(b""), refusal(b"\n\n")]

    def test_columns_of_one_name(self):
        """
        Two columns of one name would be one field; they are told by position.
        """
        assert "columns 1 and 3 have the same name" == refusal(f"{TEXT},b,{TEXT}\n".encode())

    @pytest.mark.parametrize("row", [b"1", b"1,2,3"])
    def test_ragged_rows(self, row):
        """
        A row with too few or too many cells is refused.
        """
        cells = row.count(b",") + 1

        assert f"the header has 2 columns, got {cells} cells" == refusal(b"a,b\n" + row)

    @pytest.mark.parametrize("row", [b'"1,2\n3,4', b'"1"x,2'])
    def test_quotes_that_do_not_match(self, row):
        """
        A quote that is never closed does not swallow the rest of the file.
        """
        assert refusal(b"a,b\n" + row).startswith("the quotes of a cell do not match, at line")

    @pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n"])
    def test_delimiters_that_cannot_be(self, delimiter):
        """
        A delimiter is one character with no other meaning.
        """
        with pytest.raises(DatasetError, match="a delimiter is one character"):
            CSV(delimiter=delimiter)

    @pytest.mark.parametrize("encoding", ["klingon", "base64", "undefined", "a\0b"])
    def test_encodings_that_cannot_be(self, encoding):
        """
        An encoding makes bytes of text.
        """
        with pytest.raises(DatasetError, match="not a text encoding"):
            CSV(encoding=encoding)

    def test_a_table_without_columns(self):
        """
        A policy that drops all columns leaves no table.
        """
        with pytest.raises(DatasetError, match="drops every column"):
            CSV().writer(io.BytesIO(), ())


class TestWriting:
    def test_nulls_are_empty_cells(self):
        """
        A null is nothing between delimiters, and a pair of quotes where it is the only cell.
        """
        assert b"a,b\n1,\n" == written(("a", "b"), [("1", None)])
        assert b'a\n""\n' == written(("a",), [(None,)])

    def test_options_are_those_of_reading(self):
        """
        The delimiter and the encoding stay.
        """
        expected = "a;b\n1;Ü\n".encode("utf-16")

        assert expected == written(("a", "b"), [("1", "Ü")], delimiter=";", encoding="utf-16")

    def test_a_byte_order_mark_is_kept(self):
        """
        A file that had the mark is written with it.
        """
        found = CSV().detect(opened(b"\xef\xbb\xbfa\n"))

        assert {"delimiter": ",", "encoding": "utf-8-sig"} == found.options
        assert b"\xef\xbb\xbfa\n" == written(("a",), [], **found.options)

    @given(
        st.lists(
            st.tuples(
                *[st.text(st.characters(codec="utf-8"), min_size=1) for _ in range(2)],
            )
        )
    )
    def test_what_is_written_is_read_back(self, records):
        """
        Any text survives, whatever ends of lines and quotes it holds.
        """
        made = written(("a", "b"), records)

        assert [dict(zip("ab", record, strict=True)) for record in records] == read(made)[1]


def test_the_limit_of_the_process_is_never_lowered():
    """
    Somebody else's higher limit of cells stays.
    """
    before = csv.field_size_limit(2**28)
    read(b"a\n")
    after = csv.field_size_limit(before)

    assert 2**28 == after
