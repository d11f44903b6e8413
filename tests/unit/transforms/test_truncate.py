import pickle
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.transforms.truncate import Truncate
from tests.canaries import DIGITS, TEXT


class TestTruncate:
    @pytest.mark.parametrize(
        ("rule", "value", "expected"),
        [
            (Truncate(3), "94110", "941"),
            (Truncate(3, end="first"), "94110", "941"),
            (Truncate(3, end="last"), "94110", "110"),
            (Truncate(1), "ab", "a"),
            (Truncate(2), "\N{MATHEMATICAL BOLD CAPITAL A}bc", "\N{MATHEMATICAL BOLD CAPITAL A}b"),
            (Truncate(1), "e\N{COMBINING ACUTE ACCENT}", "e"),
        ],
    )
    def test_keeps_one_end(self, rule, value, expected):
        """
        The first or last characters survive, counted in code points.
        """
        assert expected == rule.apply(value)

    @pytest.mark.parametrize("end", ["first", "last"])
    @pytest.mark.parametrize("value", ["", "9", "94", "941"])
    def test_a_short_value_is_not_shown_whole(self, end, value):
        """
        A value without a rest to drop becomes empty text.
        """
        assert "" == Truncate(3, end=end).apply(value)

    @given(st.text(), st.integers(1, 20), st.sampled_from(["first", "last"]))
    def test_never_shows_a_whole_value(self, value, keep, end):
        """
        At least one character is always lost.
        """
        kept = Truncate(keep, end=end).apply(value)

        assert len(kept) in {0, keep}
        assert len(kept) < max(len(value), 1)
        assert value.startswith(kept) if end == "first" else value.endswith(kept)

    @pytest.mark.parametrize(
        "value", [94110, True, 94110.0, b"94110", date(2024, 1, 31), Decimal(94110), ["94110"]]
    )
    def test_reads_text_alone(self, value):
        """
        Nothing but text is taken for text, and the error names the cure.
        """
        with pytest.raises(DomainError) as caught:
            Truncate(3).apply(value)

        assert (
            f"Truncate reads text, got {type(value).__name__}: declare type='text' to read it by "
            "its canonical text"
        ) == str(caught.value)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("94110", "9411"),
            (94110, "9411"),
            (np.int64(94110), "9411"),
            (Decimal("94.110"), "94.1"),
            (date(2024, 1, 31), "2024"),
        ],
    )
    def test_reads_canonical_text_where_declared(self, value, expected):
        """
        With a declared type, numbers and dates are read as they are commonly written.
        """
        assert expected == Truncate(4, type="text").apply(value)

    @pytest.mark.parametrize("value", [True, 94110.5, [DIGITS], {"a": DIGITS}])
    def test_refuses_what_has_no_canonical_text(self, value):
        """
        A float, a boolean or a container is no text, declared or not.
        """
        with pytest.raises(DomainError):
            Truncate(3, type="text").apply(value)

    def test_returns_plain_text(self):
        """
        A subclass of str does not survive, nor what it may carry.
        """

        class Name(str):
            __slots__ = ("secret",)

        assert str is type(Truncate(3).apply(Name(TEXT)))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"keep": 0}, "keep is at least 1, got 0"),
            ({"keep": -1}, "keep is at least 1, got -1"),
            ({"keep": True}, "keep is an integer, got bool"),
            ({"keep": "3"}, "keep is an integer, got str"),
            ({"keep": 3, "end": "middle"}, "end is 'first' or 'last'"),
            ({"keep": 3, "type": "integer"}, "type is 'text', or left out"),
        ],
    )
    def test_refuses_wrong_parameters(self, arguments, message):
        """
        Mistakes in the rule show when it is declared.
        """
        with pytest.raises(DomainError) as caught:
            Truncate(**arguments)

        assert message == str(caught.value)

    def test_is_a_value(self):
        """
        A rule is equal to its copies, hashable and one-way.
        """
        rule = Truncate(3, end="last")

        assert rule == pickle.loads(pickle.dumps(rule))
        assert hash(rule) == hash(Truncate(3, end="last"))
        assert Truncate(3) != rule
        assert not rule.reversible
        assert not hasattr(rule, "invert")
