import sys

import pytest

from privkit.ciphers.numerals import CHUNK, number_of, numerals_of

RADICES = [2, 3, 8, 10, 16, 26, 36, 37, 62, 256, 257, 65_536]


@pytest.fixture
def least_int_digits():
    """
    Python with the least limit of digits that it can be given.
    """
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(sys.int_info.str_digits_check_threshold)
    yield
    sys.set_int_max_str_digits(before)


def string_of(radix, length):
    """
    Return numerals that differ, as a reader would have checked them.
    """
    string = [(position * position + 1) % radix for position in range(length)]
    return bytes(string) if radix <= 256 else string


@pytest.mark.parametrize("radix", RADICES)
@pytest.mark.parametrize("length", [1, 2, 7, CHUNK - 1, CHUNK, CHUNK + 1, 3_001])
@pytest.mark.usefixtures("least_int_digits")
def test_numbers_are_what_the_standard_says(radix, length):
    """
    NUM and STR of SP 800-38G, Algorithms 1 and 3, whatever the radix and the length.
    """
    string = string_of(radix, length)
    expected = 0
    for numeral in string:
        expected = expected * radix + numeral

    assert expected == number_of(string, radix)
    assert list(string) == numerals_of(expected, radix, length)


@pytest.mark.parametrize("nothing", [b"", []])
def test_nothing_stands_for_zero(nothing):
    """
    A string without numerals stands for 0.
    """
    assert 0 == number_of(nothing, 10)


def test_reads_lists_of_a_small_radix():
    """
    A list stands for the same number as bytes.
    """
    assert 1207 == number_of([1, 2, 0, 7], 10) == number_of(b"\1\2\0\7", 10)


def test_writes_leading_zeros():
    """
    A string keeps its length.
    """
    assert [0, 0, 4, 2] == numerals_of(42, 10, 4)
    assert [0, 0, 1, 6] == numerals_of(42, 36, 4)


def test_chunks_stay_below_the_limit_of_python():
    """
    One chunk is converted under any limit that Python accepts.
    """
    assert CHUNK <= sys.int_info.str_digits_check_threshold
