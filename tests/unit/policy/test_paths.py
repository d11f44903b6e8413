"""
The grammar of paths.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import PolicyError
from privkit.policy.paths import Step, parse, render

KEYS = st.text(max_size=12)
PATHS = st.lists(KEYS | st.just(Step.EACH), max_size=6).flatmap(
    lambda steps: KEYS.map(lambda first: (first, *steps))
)


class TestParse:
    @pytest.mark.parametrize(
        ("text", "steps"),
        [
            ("mrn", ("mrn",)),
            ("patient.address.zip", ("patient", "address", "zip")),
            ("visits[*].date", ("visits", Step.EACH, "date")),
            ("phones[*]", ("phones", Step.EACH)),
            ("a[*][*].b", ("a", Step.EACH, Step.EACH, "b")),
            ("*", (Step.OTHER,)),
            ('"*"', ("*",)),
            ('"date of birth"', ("date of birth",)),
            ('a."b.c".d', ("a", "b.c", "d")),
            (r'"say \"yes\"\\"', ('say "yes"\\',)),
            (r'"two\nlines"', ("two\nlines",)),
            (r'"\ud83d\ude00"', ("\U0001f600",)),
            ('""', ("",)),
            ("größe", ("größe",)),
            ("Zip/Postal", ("Zip/Postal",)),
        ],
    )
    def test_reads_the_grammar(self, text, steps):
        """
        Keys stand between points, list steps behind keys, and quotes hold anything.
        """
        assert steps == parse(text)

    @pytest.mark.parametrize("text", ["date of birth", "Site name", "Name (first)", "a  b"])
    def test_column_name_with_blanks_is_one_key(self, text):
        """
        A text that nothing but its blanks keeps from being a key is one.
        """
        assert (text,) == parse(text)

    @pytest.mark.parametrize(
        ("text", "position", "rule"),
        [
            ("", 1, "stands in quotes, not so at the end"),
            (" mrn", 1, "stands in quotes, not so at character 1 of 4"),
            ("mrn ", 4, "followed by . or [*], not so at character 4 of 4"),
            ("a.", 3, "stands in quotes, not so at the end"),
            ("a..b", 3, "stands in quotes"),
            ("[*].a", 1, "stands in quotes"),
            ("a[0].b", 2, "a list step is written [*]"),
            ("a[*]b", 5, "followed by . or [*]"),
            ("a.*", 3, "stands in quotes"),
            ("*.a", 1, "stands in quotes"),
            ("a b.c", 2, "followed by . or [*]"),
            ('"a', 1, "a quoted key is a JSON string"),
            (r'"\x"', 1, "a quoted key is a JSON string"),
            ('"a\nb"', 1, "a quoted key is a JSON string"),
            ('"a"b', 4, "followed by . or [*]"),
            ("a\nb", 2, "followed by . or [*]"),
            ("a\u202eb", 2, "followed by . or [*]"),
            (r'a."\ud800"', 3, "stands for half a character"),
        ],
    )
    def test_tells_where_a_path_breaks(self, text, position, rule):
        """
        The error tells the rule and the position, and not the path.
        """
        with pytest.raises(PolicyError) as caught:
            parse(text)

        assert rule in str(caught.value)
        assert (position, len(text)) == (caught.value.position, caught.value.length)

    @pytest.mark.parametrize(("text", "shape"), [(3, "got int"), ("a" * 1025, "got 1,025")])
    def test_refuses_what_is_no_path(self, text, shape):
        """
        A path is text of at most 1,024 characters.
        """
        with pytest.raises(PolicyError, match=shape):
            parse(text)

    @given(st.text(alphabet='ab.[]*" \\u0041\n\ud800é', max_size=20))
    def test_never_fails_in_another_way(self, text):
        """
        Any text is a path or a `PolicyError`.
        """
        try:
            steps = parse(text)
        except PolicyError:
            return

        assert steps == parse(render(steps))


class TestRender:
    @pytest.mark.parametrize(
        "text",
        ["*", '"*"', "a.b[*].c", "date of birth", 'a."b c"', '""', '"a.b"', r'"two\nlines"'],
    )
    def test_writes_the_shortest_form(self, text):
        """
        Quotes stand only where they are needed.
        """
        assert text == render(parse(text))

    @given(PATHS)
    def test_is_read_back(self, steps):
        """
        Whatever the keys hold, a path is read as it was written, and is printable on one line.
        """
        text = render(steps)

        assert steps == parse(text)
        assert 1 == len(text.splitlines() or [""])
