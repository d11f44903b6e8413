import dataclasses
import pickle

import pytest

from privkit.errors import DomainError
from privkit.formats.alphabet import ALPHANUMERIC, DIGITS, LETTERS, Alphabet, Script

GREEK = Alphabet("αβγδε")
LARGE = Alphabet("".join(map(chr, range(0x10000, 0x20000))))


class TestAlphabet:
    @pytest.mark.parametrize("symbols", ["", "a", "".join(map(chr, range(0xE000, 0x1E001)))])
    def test_refuses_too_few_and_too_many(self, symbols):
        """
        An alphabet has 2 to 65,536 symbols.
        """
        with pytest.raises(DomainError, match="2 to 65,536 symbols") as caught:
            Alphabet(symbols)

        assert (2, 65_536) == (caught.value.minimum, caught.value.maximum)

    @pytest.mark.parametrize("symbols", [None, 10, b"0123456789", ["0", "1"]])
    def test_refuses_what_is_no_text(self, symbols):
        """
        Symbols are given as one text.
        """
        with pytest.raises(DomainError, match="an alphabet is text"):
            Alphabet(symbols)

    def test_refuses_repetition(self):
        """
        No symbol stands for two numerals.
        """
        with pytest.raises(DomainError, match="each symbol once, got 2 again"):
            Alphabet("abcabd")

    @pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
    def test_refuses_half_a_character(self, code):
        """
        Half of a surrogate pair is no character.
        """
        with pytest.raises(DomainError, match="half of a surrogate pair"):
            Alphabet("ab" + chr(code))

    @pytest.mark.parametrize("symbols", ["\ud7ff\ue000", "\0\U0010ffff", "é\u0301"])
    def test_takes_any_other_character(self, symbols):
        """
        Every character of Unicode may be a symbol.
        """
        assert 2 == Alphabet(symbols).radix

    def test_is_a_value(self):
        """
        Alphabets are equal if they have the same symbols in the same order.
        """
        assert Alphabet("0123456789") == DIGITS
        assert Alphabet("9876543210") != DIGITS
        assert 1 == len({Alphabet("ab"), Alphabet("ab")})
        assert pickle.loads(pickle.dumps(DIGITS)) == DIGITS
        with pytest.raises(dataclasses.FrozenInstanceError):
            DIGITS.symbols = "ab"

    def test_ours_are_what_their_names_say(self):
        """
        Digits, the 26 letters and both cases of them beside the digits.
        """
        assert (10, 26, 62) == (DIGITS.radix, LETTERS.radix, ALPHANUMERIC.radix)
        assert all(one.symbols.isascii() and one.symbols.isalnum() for one in (LETTERS, DIGITS))
        assert list(ALPHANUMERIC.symbols) == sorted(ALPHANUMERIC.symbols)


class TestScript:
    @pytest.mark.parametrize("alphabet", [DIGITS, LETTERS, ALPHANUMERIC, GREEK, LARGE])
    def test_reads_what_it_writes(self, alphabet):
        """
        The numerals of a text are the places of its characters in the alphabet.
        """
        script = Script(alphabet)
        text = alphabet.symbols[-1] + alphabet.symbols

        assert [alphabet.radix - 1, *range(alphabet.radix)] == list(script.read(text))
        assert text == script.write([alphabet.radix - 1, *range(alphabet.radix)])

    @pytest.mark.parametrize(
        ("alphabet", "text", "picked"),
        [
            (DIGITS, "+49 (0)30/1234-5", "4903012345"),
            (DIGITS, "٤٢ ４２ ²³ 42", "42"),
            (DIGITS, "", ""),
            (LETTERS, "Ana-Lena ſK", "naena"),
            (GREEK, "αα, βγ; abc", "ααβγ"),
            (GREEK, "\ud800α", "α"),
        ],
    )
    def test_picks_what_is_in_the_alphabet(self, alphabet, text, picked):
        """
        Other characters, look-alikes among them, are passed over.
        """
        assert picked == Script(alphabet).pick(text)

    def test_knows_its_symbols(self):
        """
        A character is in it if it is a symbol.
        """
        script = Script(DIGITS)

        assert "7" in script
        assert "x" not in script
