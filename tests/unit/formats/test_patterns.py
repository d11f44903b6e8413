import copy
import pickle
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats import automaton
from privkit.formats.patterns import Pattern
from tests.canaries import DIGITS, TEXT
from tests.unit.formats.laws import check_laws, check_refused, check_whole
from tests.unit.formats.patterns_corpus import PATTERNS

PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
CODE = Pattern(r"[A-Z]{2}-[0-9]{3}[a-z]?")


def matches(expression):
    """
    Return what the standard library thinks of a text.
    """
    return re.compile(expression, re.ASCII).fullmatch


class TestCorpus:
    def test_there_are_two_hundred_patterns(self):
        """
        The corpus holds at least 200 expressions, all different.
        """
        assert len({expression for _, expression, _ in PATTERNS}) >= 200

    @pytest.mark.parametrize(
        ("expression", "text"),
        [(expression, text) for _, expression, text in PATTERNS],
        ids=[name for name, _, _ in PATTERNS],
    )
    def test_ranks_and_unranks_exactly(self, expression, text):
        """
        Numbers and texts belong together one to one, in lexicographic order, and all match.
        """
        form = Pattern(expression)
        parsed = form.parse(text)
        chance = random.Random(text)
        numbers = sorted({0, parsed.size - 1, *(chance.randrange(parsed.size) for _ in range(30))})
        texts = [check_laws(form, text, number) for number in numbers]

        assert sorted(set(texts)) == texts
        assert all(matches(expression)(one) for one in texts)
        assert {len(text)} == set(map(len, texts))
        if parsed.size <= 2000:
            check_whole(form, text)

    @given(st.sampled_from([each[1] for each in PATTERNS]), st.data())
    @settings(max_examples=300)
    def test_what_another_generator_finds_has_a_number(self, expression, data):
        """
        A text that matches is reached, and others of its length are reached from it.
        """
        alphabet = st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])
        text = data.draw(st.from_regex(expression, fullmatch=True, alphabet=alphabet))
        if len(text) <= 256 and text.isprintable() and text.isascii():
            check_laws(Pattern(expression), text, data.draw(st.integers(0)))

    @given(st.sampled_from(PATTERNS), st.integers(0), st.sampled_from(PRINTABLE))
    def test_only_what_matches_has_a_number(self, pattern, place, character):
        """
        A text with one character replaced is refused exactly if `re.fullmatch` refuses it.
        """
        _, expression, text = pattern
        form, place = Pattern(expression), place % len(text)
        text = text[:place] + character + text[place + 1 :]
        if matches(expression)(text):
            assert text == form.render(form.parse(text), form.parse(text).number)
        else:
            with pytest.raises(DomainError, match="does not match the pattern"):
                form.parse(text)


class TestPattern:
    def test_one_length_is_one_domain(self):
        """
        Texts of one length share a numbering, and nothing else is kept.
        """
        assert (26**2 * 10**3, "6") == CODE.parse("AB-123")[1:3]
        assert (26**3 * 10**3, "7") == CODE.parse("AB-123x")[1:3]

    def test_is_a_value(self):
        """
        Two patterns of one expression are equal, and copies and pickles work like the original.
        """
        for other in (
            Pattern(CODE.expression),
            copy.copy(CODE),
            copy.deepcopy(CODE),
            pickle.loads(pickle.dumps(CODE)),
        ):
            assert CODE == other
            assert hash(CODE) == hash(other)
            assert CODE.parse("ZZ-999") == other.parse("ZZ-999")
        assert Pattern("[a-z]") != CODE
        assert f"Pattern(expression={CODE.expression!r})" == repr(CODE)

    @pytest.mark.parametrize(
        "value",
        [TEXT, DIGITS, "AB-12", "AB-123\n", "ＡB-123", "", "AB-123" * 50, 123, b"AB-123"],
        ids=range(9),
    )
    def test_other_values_are_refused(self, value):
        """
        What does not match is refused with a reason that holds no part of it.
        """
        check_refused(CODE, value)

    @pytest.mark.parametrize(
        ("expression", "reason"),
        [
            (7, "expression is text, got int"),
            (r"(?=a)b", "look-around"),
            (r"(a)\1", "back-references"),
            (r"(", "not a regular expression"),
            (r"[é-ü]", "matches no text of at most 256"),
            (r"a{257}", "matches no text of at most 256"),
            (r"a{257,}b?", "matches no text of at most 256"),
        ],
    )
    def test_other_expressions_are_refused(self, expression, reason):
        """
        An expression that is not regular, or that no text can match, is refused at construction.
        """
        with pytest.raises(DomainError, match=reason):
            Pattern(expression)

    @pytest.mark.parametrize("expression", [r"(a|b)*a(a|b){14}", r"(.{0,50}x){0,40}", r"(a?){700}"])
    def test_what_would_explode_is_refused(self, expression):
        """
        A pattern with too many states is refused before they are built.

        How much memory it takes is measured beside the automaton, and how long in the benchmarks.
        """
        with pytest.raises(DomainError, match=r"the pattern (needs|takes)") as caught:
            Pattern(expression)

        assert expression not in str(caught.value)

    def test_empty_text_can_match(self):
        """
        The text without characters is one of its own length.
        """
        assert (0, 1, "0", None) == Pattern("a*").parse("")

    def test_many_states_shorten_the_text(self):
        """
        The product of states and characters is bounded, so that the counts fit into memory.
        """
        form = Pattern("(a|b)*a(a|b){11}")
        check_laws(form, "ab" * 24 + "a" + "b" * 11, 12345)

        assert "at most 61 characters, got 62" in check_refused(form, "a" * 62)

    def test_texts_of_many_lengths_do_not_pile_up(self, monkeypatch):
        """
        What is kept between two texts stays within bounds, and texts still come back.
        """
        monkeypatch.setattr(automaton, "MAX_KEPT", 50)
        form = Pattern("[a-z]{1,256}")
        for length in range(1, 100, 7):
            check_laws(form, "x" * length, 26**length // 2)

        assert len(form._automaton._steps) <= 50
