"""Regular expressions as numbered lists of strings."""

import itertools
import random
import re
import tracemalloc

import pytest

from privkit.errors import DomainError
from privkit.formats.automaton import Automaton, Builder, mask_of
from privkit.formats.pattern import compile_pattern

PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
SMALL = [
    (r"[ab]|c(d|e)*f?", 3),
    (r"(?i)ab?c{1,3}", 4),
    (r"[^a-z]x\d?", 3),
    (r"(foo|bar|foobar)(baz)?", 6),
    (r"^a+$", 4),
    (r"(a|ab)(c|bcd)(d*)", 4),
    (r"(?:ab){2,}?", 6),
    (r"[\w-]\s\S", 3),
    (r"[^\D5]x", 2),
    (r"x\W", 2),
    (r".é|..", 2),
    (r"[é-ü]|[a-ü]", 1),
    (r"[^é]", 1),
    (r"(?i:x)Y", 2),
    (r"(?i)(?-i:x)[y-z]", 2),
    (r"", 0),
    (r"a*b", 1),
    (r"((a*)*|b)*", 3),
    (r"(?i)[^a]", 1),
]


class TestPattern:
    @pytest.mark.parametrize(("pattern", "length"), SMALL)
    def test_numbers_every_match_once(self, pattern, length):
        """The strings of a length are those that `re.fullmatch` accepts, in order, from 0."""
        automaton = compile_pattern(pattern)
        count = automaton.count(length)
        texts = [automaton.unrank(number, length) for number in range(count)]
        matches = re.compile(pattern, re.ASCII).fullmatch

        assert sorted(set(texts)) == texts
        assert all(matches(text) for text in texts)
        assert list(range(count)) == [automaton.rank(text) for text in texts]
        if length <= 3:
            every = map("".join, itertools.product(PRINTABLE, repeat=length))
            assert count == sum(matches(text) is not None for text in every)

    def test_long_texts_come_back(self):
        """A number far beyond a machine word leads to its string and back."""
        automaton = compile_pattern(r"([A-Z]{2}[0-9]{3}-)*[a-f0-9]{12}")
        chance = random.Random(7)
        for _ in range(200):
            number = chance.randrange(automaton.count(60))
            text = automaton.unrank(number, 60)

            assert re.fullmatch(r"([A-Z]{2}[0-9]{3}-)*[a-f0-9]{12}", text)
            assert number == automaton.rank(text)

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [
            (r"(?=a)b", "look-around"),
            (r"(?<!a)b", "look-around"),
            (r"(a)\1", "back-references"),
            (r"(a)?(?(1)b|c)", "back-references"),
            (r"(?>a)", "atomic groups"),
            (r"a++", "possessive repetitions"),
            (r"a$b", "anchors"),
            (r"\bfoo", "anchors"),
            (r"(", "not a regular expression"),
            (r"[[a]", "not a regular expression"),
            ("(" * 1000, "not a regular expression"),
            ("(?u)a", "not a regular expression"),
            ("(" * 250 + "a" + ")" * 250, "nested too deeply"),
            ("(a|" * 250 + "b" + ")" * 250, "nested too deeply"),
            ("a" * 3000, "at most 2000 characters, got 3000"),
        ],
    )
    def test_what_is_not_regular_is_refused(self, pattern, reason):
        """A pattern that is no regular language, or cannot be read, is refused with a reason."""
        with pytest.raises(DomainError, match=reason):
            compile_pattern(pattern)

    @pytest.mark.parametrize(
        "pattern",
        [
            r"(a|b)*a(a|b){14}",
            r"(a?){900}a{900}",
            r"[a-z]{8000}",
            r"a{1,4294967290}",
            r"(.{0,50}x){0,40}",
            r"((a?){40}){40}",
            r"(" + "|".join(f"{chr(97 + i)}?" * 20 for i in range(26)) + "){4}",
        ],
    )
    def test_what_would_explode_is_refused(self, pattern):
        """A pattern with too many states is refused before it takes much memory."""
        tracemalloc.start()
        with pytest.raises(DomainError, match=r"the pattern (needs|takes)"):
            compile_pattern(pattern)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 256 * 2**20


class TestAutomaton:
    def test_text_outside_is_refused(self):
        """A text that does not match is refused without being shown."""
        automaton = compile_pattern(r"[A-Z]{2}[0-9]")
        for text in ("ABx", "AB"):
            with pytest.raises(DomainError) as caught:
                automaton.rank(text)

            assert f"the text of {len(text)} characters does not match the pattern" == str(
                caught.value
            )
        with pytest.raises(DomainError, match="has 6760 texts of 3 characters"):
            automaton.unrank(6760, 3)

    def test_nothing_is_accepted_by_an_empty_automaton(self):
        """The difference of a language with itself has no strings."""
        empty = compile_pattern("ab").minus(compile_pattern("a[b]"))

        assert () == empty.table
        assert 0 == empty.count(2)
        assert 1 == empty.either(compile_pattern("ab")).count(2)
        assert 0 == empty.both(compile_pattern("ab")).count(2)

    def test_set_operations_agree_with_sets(self):
        """Union, intersection and difference are those of the sets of strings."""
        one, two = compile_pattern(r"[a-d]{1,2}x?"), compile_pattern(r"[c-f][a-x]*")

        def strings(automaton, length):
            return {automaton.unrank(n, length) for n in range(automaton.count(length))}

        for length in (1, 2, 3):
            first, second = strings(one, length), strings(two, length)
            assert first | second == strings(one.either(two), length)
            assert first & second == strings(one.both(two), length)
            assert first - second == strings(one.minus(two), length)

    def test_counts_of_any_length_in_any_order(self):
        """Counting one length first changes nothing about the others."""
        automaton = compile_pattern("[ab]*")

        assert [2, 16, 1, 4] == [automaton.count(length) for length in (1, 4, 0, 2)]

    def test_is_minimal(self):
        """States that no string tells apart are one."""
        assert 3 == len(compile_pattern("ac|bc|[cd]c").table)

    def test_product_is_bounded(self):
        """A product with too many states is refused."""
        one = compile_pattern("(" + "a" * 71 + ")*")
        two = compile_pattern("(" + "a" * 73 + ")*")

        assert 71 * 73 > 5000
        with pytest.raises(DomainError, match="more than 5000 states"):
            one.both(two)

    def test_slow_construction_is_bounded(self):
        """A construction that takes too many steps is refused."""
        with pytest.raises(DomainError, match="takes too long"):
            compile_pattern("(a?){700}")

    def test_parts_compose(self):
        """A builder makes an automaton of parts, without a pattern."""
        builder = Builder()
        part = builder.sequence([builder.characters(mask_of("ab")), builder.characters(1 << 65)])
        made: Automaton = builder.automaton(part)

        assert ["aA", "bA"] == [made.unrank(number, 2) for number in range(made.count(2))]
