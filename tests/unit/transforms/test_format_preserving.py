import copy
import dataclasses
import pickle
import string
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.ciphers.ff1 import FF1
from privkit.errors import DomainError
from privkit.formats.alphabet import ALPHANUMERIC, DIGITS, LETTERS, Alphabet
from privkit.keys import Key, Subkeys
from privkit.transforms.format_preserving import FormatPreserving
from privkit.typing import Technique
from tests.canaries import DIGITS as CARD
from tests.canaries import EMAIL, KEY_BYTES, OTHER_KEY_BYTES, PHONE, TEXT, VALUES
from tests.unit.ciphers.forks import in_child

KEY = Key("2026-01", KEY_BYTES)
SUBKEYS = Subkeys(KEY, field="patients.mrn", scope="patients.mrn")
GREEK = Alphabet("αβγδεζηθικλμνξοπρστυφχψω")
CIPHER = FF1.from_secret(
    KEY.derive(purpose="fpe", scope="patients.mrn", algorithm="FF1-AES-256"), 10
)


def both_ways(rule, value, subkeys=SUBKEYS):
    """
    Return the pseudonym of a value, and what comes back from it.
    """
    pseudonym = rule.bind(subkeys).apply(value)
    return pseudonym, rule.bind_inverse(subkeys).invert(pseudonym)


def as_text(numerals):
    """
    Return numerals as decimal digits.
    """
    return "".join(map(str, numerals))


class TestConstruction:
    @pytest.mark.parametrize("format_", ["", "digit", "Digits", None, 10, ["digits"], b"digits"])
    def test_refuses_unknown_formats(self, format_):
        """
        A format is a name that is known, an alphabet, or an object of a format's class.
        """
        with pytest.raises(
            DomainError, match=r"digits, letters, alphanumeric, card, .*, an Alphab"
        ):
            FormatPreserving(format_)

    @pytest.mark.parametrize("option", ["keep_first", "keep_last"])
    @pytest.mark.parametrize("count", [-1, 1.0, "1", None, True])
    def test_refuses_counts_that_are_none(self, option, count):
        """
        A count is an integer from 0.
        """
        with pytest.raises(DomainError, match=f"{option} is"):
            FormatPreserving("digits", **{option: count})

    @pytest.mark.parametrize("scope", ["", 1, b"a"])
    def test_refuses_scopes_that_are_none(self, scope):
        """
        A scope is a name.
        """
        with pytest.raises(DomainError, match="scope is"):
            FormatPreserving("digits", scope=scope)

    @pytest.mark.parametrize(
        ("options", "least"),
        [({"format": "digits"}, 6), ({"format": "letters", "keep_first": 2, "keep_last": 3}, 10)],
    )
    def test_refuses_what_no_value_could_meet(self, options, least):
        """
        The longest value has room for the kept characters and a domain that is large enough.
        """
        assert least == FormatPreserving(**options, max_length=least).max_length
        with pytest.raises(DomainError, match=f"max_length is at least {least}"):
            FormatPreserving(**options, max_length=least - 1)

    def test_is_a_value(self):
        """
        A rule is compared, hashed, pickled and printed by its options, and is never changed.
        """
        rule = FormatPreserving(GREEK, keep_last=4)

        assert FormatPreserving(Alphabet(GREEK.symbols), keep_last=4) == rule
        assert FormatPreserving(GREEK) != rule
        assert 1 == len({rule, pickle.loads(pickle.dumps(rule)), copy.deepcopy(rule)})
        with pytest.raises(dataclasses.FrozenInstanceError):
            rule.keep_last = 0
        with pytest.raises(TypeError):
            FormatPreserving("digits", 4)

    def test_states_its_facts(self):
        """
        The facts are what a policy reads off the class.
        """
        assert "format_preserving" == FormatPreserving.name
        assert Technique.FORMAT_PRESERVING_ENCRYPTION is FormatPreserving.technique
        assert FormatPreserving.reversible
        assert FormatPreserving.deterministic
        assert FormatPreserving.injective
        assert FormatPreserving.keyed
        assert not FormatPreserving.containers
        assert FormatPreserving.by is None

    @pytest.mark.parametrize(
        ("format_", "alphabet"),
        [("digits", DIGITS), ("letters", LETTERS), ("alphanumeric", ALPHANUMERIC), (GREEK, GREEK)],
    )
    def test_names_are_alphabets(self, format_, alphabet):
        """
        Each name stands for an alphabet.
        """
        assert alphabet == FormatPreserving(format_).alphabet


class TestFrozen:
    """
    What a pseudonym is made of, computed from the cipher alone.
    """

    def test_without_kept_characters_the_tweak_is_empty(self):
        """
        Digits are FF1 over digits, leading zeros included.
        """
        for value in (CARD, "0000000042137945"):
            expected = as_text(CIPHER.encrypt(list(map(int, value))))

            assert expected == FormatPreserving("digits").bind(SUBKEYS).apply(value)

    @pytest.mark.parametrize(("first", "last"), [(6, 4), (6, 0), (0, 4)])
    def test_kept_characters_are_the_tweak(self, first, last):
        """
        The tweak is the size of the first part in four bytes, the first part and the last.
        """
        rule = FormatPreserving("digits", keep_first=first, keep_last=last)
        end = len(CARD) - last
        tweak = bytes([0, 0, 0, first]) + CARD[:first].encode() + CARD[end:].encode()
        middle = as_text(CIPHER.encrypt(list(map(int, CARD[first:end])), tweak))

        assert CARD[:first] + middle + CARD[end:] == rule.bind(SUBKEYS).apply(CARD)

    def test_is_frozen(self):
        """
        These pseudonyms are the same in every release.
        """
        expected = {
            FormatPreserving("digits"): ("4111-1111-1111-1111", "5118-5043-7872-4943"),
            FormatPreserving("digits", keep_first=6, keep_last=4): (
                "4111111111111111",
                "4111115802841111",
            ),
            FormatPreserving("letters", keep_first=1): ("McGregor-Łukasz", "MbPyyabl-Łrhoph"),
            FormatPreserving("alphanumeric"): ("AB-12/cd", "t3-r1/gV"),
            FormatPreserving(GREEK, keep_last=1): ("ελλάδα και", "δζηάοε σζι"),
        }

        assert expected == {
            rule: (value, rule.bind(SUBKEYS).apply(value)) for rule, (value, _) in expected.items()
        }


class TestApply:
    @pytest.mark.parametrize(
        ("format_", "value"),
        [
            ("digits", CARD),
            ("digits", "000000"),
            ("digits", PHONE),
            ("digits", "DE75512108001245126199"),
            ("digits", "٤٢ 123456 ４２"),
            ("letters", TEXT),
            ("letters", "McGREGOR of Łódź"),
            ("alphanumeric", EMAIL),
            ("alphanumeric", "QV71 ZXJ"),
            (GREEK, "ξανθιππη κουιλφεδερ"),
            (Alphabet("01"), "0110" * 8),
            (Alphabet("".join(map(chr, range(0x4E00, 0x9E00)))), "歐陽羽毛筆鵝翎"),
            (Alphabet("\U0001f600\U0001f601\U0001f602"), "\U0001f600\U0001f601" * 10),
            (LETTERS, "UPPER lower case"),
        ],
    )
    def test_keeps_the_format_and_comes_back(self, format_, value):
        """
        Length, alphabet and everything outside the alphabet stay; the value comes back.
        """
        rule = FormatPreserving(format_)
        pseudonym, back = both_ways(rule, value)
        folds = format_ == "letters"
        symbols = string.ascii_letters if folds else rule.alphabet.symbols

        assert value == back
        assert value != pseudonym
        assert [None if c in symbols else c for c in value] == [
            None if c in symbols else c for c in pseudonym
        ]

    @given(
        st.sampled_from([*VALUES.values(), "Ünïcode ﬁ İ ſ K 0123456789 abcdefghij"]),
        st.text(max_size=30),
        st.integers(0, 4),
        st.integers(0, 4),
    )
    @settings(max_examples=200, deadline=None)
    @pytest.mark.parametrize("format_", ["digits", "letters", "alphanumeric", GREEK])
    def test_comes_back_or_is_refused(self, format_, value, around, first, last):
        """
        Whatever stands between the characters of the alphabet, the value comes back.
        """
        value = around + value + around
        rule = FormatPreserving(format_, keep_first=first, keep_last=last)
        refusal = None
        try:
            pseudonym, back = both_ways(rule, value)
        except DomainError as error:
            pseudonym, back, refusal = value, value, error

        assert refusal is None or refusal.length < refusal.minimum
        assert value == back
        assert len(value) == len(pseudonym)

    def test_letters_keep_the_case_of_each_position(self):
        """
        The same letters in another case have the same pseudonym in that case.
        """
        bound = FormatPreserving("letters", keep_first=1).bind(SUBKEYS)
        lower = bound.apply("quillfeather")

        assert lower.islower()
        assert lower.upper() == bound.apply("QUILLFEATHER")
        assert lower.capitalize() == bound.apply("Quillfeather")

    def test_letters_pass_over_look_alikes(self):
        """
        The Kelvin sign and the long s are no letters of the 26, though their other case is.
        """
        kelvin, long_s = "\u212a", "\u017f"
        pseudonym, back = both_ways(FormatPreserving("letters"), f"abc{kelvin}DEF{long_s}")

        assert (kelvin, long_s) == (pseudonym[3], pseudonym[7])
        assert f"abc{kelvin}DEF{long_s}" == back

    @pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 0), (0, 4), (6, 4), (10, 0)])
    def test_keeps_both_ends(self, first, last):
        """
        Kept characters are counted in the alphabet, and stay.
        """
        rule = FormatPreserving("digits", keep_first=first, keep_last=last)
        pseudonym, back = both_ways(rule, "4929-3184-0621-7751")
        digits = pseudonym.replace("-", "")

        assert CARD[:first] == digits[:first]
        assert CARD[16 - last :] == digits[16 - last :]
        assert "4929-3184-0621-7751" == back

    def test_separators_make_no_difference(self):
        """
        A number with blanks or hyphens has the digits of the bare number's pseudonym.
        """
        bound = FormatPreserving("digits").bind(SUBKEYS)
        bare = bound.apply(CARD)

        for separator in "- ./":
            parts = [CARD[start : start + 4] for start in range(0, 16, 4)]

            assert bare == bound.apply(separator.join(parts)).replace(separator, "")

    def test_kept_characters_separate(self):
        """
        Two values that differ in a kept character alone differ in the encrypted ones as well.
        """
        bound = FormatPreserving("digits", keep_last=4).bind(SUBKEYS)
        one, other = (bound.apply(CARD[:12] + end)[:12] for end in ("7751", "7752"))

        assert one != other

    @pytest.mark.parametrize("length", [6, 7, 639, 640, 641, 1_500, 8_192])
    def test_takes_the_same_way_at_every_length(self, length):
        """
        The short way for digits gives what the cipher gives, and long values come back.
        """
        value = (CARD * 512)[:length]
        limit = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(640)
        try:
            pseudonym, back = both_ways(FormatPreserving("digits"), value)
        finally:
            sys.set_int_max_str_digits(limit)

        assert as_text(CIPHER.encrypt(list(map(int, value)))) == pseudonym
        assert value == back

    def test_reads_subclasses_of_text(self):
        """
        A subclass of str is the text that it holds, and plain text comes out.
        """

        class Text(str):
            __slots__ = ()

        bound = FormatPreserving("digits").bind(SUBKEYS)
        result = bound.apply(Text(CARD))

        assert bound.apply(CARD) == result
        assert str is type(result)


class TestRefusals:
    @pytest.mark.parametrize(
        "value", [42137, 4929318406217751.0, True, b"4929318406217751", ["4929318406217751"]]
    )
    @pytest.mark.parametrize("direction", ["apply", "invert"])
    def test_refuses_what_is_no_text(self, value, direction):
        """
        Numbers have lost their leading zeros, so they are refused with the cure.
        """
        rule = FormatPreserving("digits")
        bound = rule.bind(SUBKEYS) if direction == "apply" else rule.bind_inverse(SUBKEYS)
        with pytest.raises(DomainError, match="declare the column as text") as caught:
            getattr(bound, direction)(value)

        assert type(value).__name__ in str(caught.value)

    @pytest.mark.parametrize(
        ("format_", "value", "least"),
        [
            ("digits", "", 6),
            ("digits", "1", 6),
            ("digits", "94110", 6),
            ("digits", TEXT, 6),
            ("letters", "Anna", 5),
            ("alphanumeric", "a1b", 4),
            (Alphabet("ab"), "abba", 20),
        ],
    )
    @pytest.mark.parametrize("direction", ["apply", "invert"])
    def test_refuses_small_domains(self, format_, value, least, direction):
        """
        Below 1,000,000 possible values, the refusal names what to use instead.
        """
        rule = FormatPreserving(format_)
        bound = rule.bind(SUBKEYS) if direction == "apply" else rule.bind_inverse(SUBKEYS)
        with pytest.raises(DomainError, match=r"Token, Encrypt or Truncate, or accept") as caught:
            getattr(bound, direction)(value)

        assert "fewer than 1,000,000 values" in str(caught.value)
        assert least == caught.value.minimum

    @pytest.mark.parametrize(
        ("value", "options"),
        [
            ("378282246310005", {"keep_first": 6, "keep_last": 4}),
            ("612-84-7093", {"keep_last": 4}),
            ("123", {"keep_first": 6, "keep_last": 4}),
            ("", {"keep_first": 1}),
        ],
    )
    def test_refuses_small_domains_between_kept_characters(self, value, options):
        """
        What is kept does not count, and keeping less is one of the cures.
        """
        with pytest.raises(DomainError, match="keep fewer characters, or accept") as caught:
            FormatPreserving("digits", **options).bind(SUBKEYS).apply(value)

        assert 6 + sum(options.values()) == caught.value.minimum

    def test_takes_exactly_a_million(self):
        """
        A card number of 16 digits that keeps 6 and 4 is at the floor, and allowed.
        """
        pseudonym, back = both_ways(FormatPreserving("digits", keep_first=6, keep_last=4), CARD)

        assert CARD == back != pseudonym

    @pytest.mark.parametrize("character", ["1", "x", "é"])
    def test_refuses_values_that_are_too_long(self, character):
        """
        Above the longest length, a value is refused before anything is done with it.
        """
        bound = FormatPreserving("digits", max_length=100).bind(SUBKEYS)
        value = character * 20_000_000
        start = time.perf_counter()
        with pytest.raises(DomainError, match="at most 100 characters, got 20,000,000"):
            bound.apply(value)

        assert time.perf_counter() - start < 0.02
        assert 100 == len(bound.apply("1" * 100))
        with pytest.raises(DomainError, match="got 101"):
            bound.apply("1" * 101)


class TestBinding:
    def test_depends_on_key_and_scope_and_not_on_the_field(self):
        """
        Values link within one scope and one key, whatever the field is called.
        """
        rule = FormatPreserving("digits")
        other_field = Subkeys(KEY, field="visits.mrn", scope="patients.mrn")
        other_scope = Subkeys(KEY, field="patients.mrn", scope="visits.mrn")
        other_key = Subkeys(Key("2026-01", OTHER_KEY_BYTES), field="a", scope="patients.mrn")
        pseudonym = rule.bind(SUBKEYS).apply(CARD)

        assert pseudonym == rule.bind(other_field).apply(CARD)
        assert pseudonym != rule.bind(other_scope).apply(CARD)
        assert pseudonym != rule.bind(other_key).apply(CARD)

    def test_another_key_gives_another_plausible_value(self):
        """
        Nothing is authenticated: under a wrong key, a value comes back, and it is wrong.
        """
        rule = FormatPreserving("digits")
        other = Subkeys(Key("2026-01", OTHER_KEY_BYTES), field="a", scope="patients.mrn")
        back = rule.bind_inverse(other).invert(rule.bind(SUBKEYS).apply(CARD))

        assert CARD != back
        assert 16 == len(back)

    def test_what_protects_has_no_way_back(self):
        """
        The bound form has no method that reveals, and the inverse none that protects.
        """
        rule = FormatPreserving("digits")

        assert not hasattr(rule.bind(SUBKEYS), "invert")
        assert not hasattr(rule.bind_inverse(SUBKEYS), "apply")
        assert not hasattr(rule, "invert")

    @pytest.mark.parametrize("way", [FormatPreserving.bind, FormatPreserving.bind_inverse])
    def test_shows_and_pickles_no_key(self, way):
        """
        A bound form prints its rule alone, and holds a cipher that cannot be pickled.
        """
        bound = way(FormatPreserving("digits"), SUBKEYS)

        assert f"{type(bound).__name__}(rule={bound.rule!r})" == repr(bound)
        for carry in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                carry(bound)

    def test_serves_threads_and_children(self):
        """
        Threads and forked processes share one bound form.
        """
        bound = FormatPreserving("digits", keep_last=2).bind(SUBKEYS)
        values = [f"{number:016}" for number in range(500)]
        expected = [FormatPreserving("digits", keep_last=2).bind(SUBKEYS).apply(v) for v in values]
        start = threading.Barrier(8)

        def work(_):
            start.wait()
            return list(map(bound.apply, values))

        with ThreadPoolExecutor(8) as pool:
            assert [expected] * 8 == list(pool.map(work, range(8)))
        assert expected[0].encode() == in_child(lambda: bound.apply(values[0]).encode())
