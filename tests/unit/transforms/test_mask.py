import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.transforms.mask import Mask
from tests.canaries import DIGITS

ONE = "one printable character and not a blank"


class TestMask:
    @pytest.mark.parametrize(
        ("rule", "value", "expected"),
        [
            (Mask(), "94110", "*****"),
            (Mask(keep_first=2), "94110", "94***"),
            (Mask(keep_last=2), "94110", "***10"),
            (Mask(keep_first=1, keep_last=1), "94110", "9***0"),
            (Mask(keep_last=4, character="•"), "4929 3184", "•••••3184"),
            (Mask(), "", ""),
            (Mask(keep_last=2, type="text"), 94110, "***10"),
        ],
    )
    def test_covers_all_but_the_ends(self, rule, value, expected):
        """
        Every character that is not kept is replaced, blanks too.
        """
        assert expected == rule.apply(value)

    @pytest.mark.parametrize("value", ["9", "94", "941"])
    def test_a_short_value_is_masked_whole(self, value):
        """
        A value that is not longer than what is kept shows nothing but its length.
        """
        assert "*" * len(value) == Mask(keep_first=1, keep_last=2).apply(value)

    @given(st.text(st.characters(exclude_characters="*")), st.integers(0, 9), st.integers(0, 9))
    def test_shows_what_is_kept_and_no_more(self, value, first, last):
        """
        The length stays, and the characters that show are the kept ones in their places.
        """
        masked = Mask(keep_first=first, keep_last=last).apply(value)
        shown = [place for place, character in enumerate(masked) if character != "*"]
        kept = [*range(first), *range(max(first, len(value) - last), len(value))]

        assert len(value) == len(masked)
        assert (kept if first + last < len(value) else []) == shown
        assert all(value[place] == masked[place] for place in shown)

    @pytest.mark.parametrize("value", [94110, 1.5, b"94110", [DIGITS]])
    def test_reads_text_alone(self, value):
        """
        Nothing but text is taken for text.
        """
        with pytest.raises(DomainError) as caught:
            Mask().apply(value)

        assert str(caught.value).startswith(f"Mask reads text, got {type(value).__name__}: ")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"keep_first": -1}, "keep_first is at least 0, got -1"),
            ({"keep_last": -1}, "keep_last is at least 0, got -1"),
            ({"keep_first": 1.0}, "keep_first is an integer, got float"),
            ({"keep_last": True}, "keep_last is an integer, got bool"),
            ({"character": 0}, "character is text, got int"),
            *(
                (
                    {"character": wrong},
                    f"character is {ONE}, got text of {len(wrong)}",
                )
                for wrong in ("", "**", " ", "\n", "\u00a0", "\u200b")
            ),
            ({"type": "date"}, "type is 'text', or left out"),
        ],
    )
    def test_refuses_wrong_parameters(self, arguments, message):
        """
        Mistakes in the rule show when it is declared.
        """
        with pytest.raises(DomainError) as caught:
            Mask(**arguments)

        assert message == str(caught.value)

    def test_is_a_value(self):
        """
        A rule is equal to its copies, hashable and one-way.
        """
        rule = Mask(keep_last=4)

        assert rule == pickle.loads(pickle.dumps(rule))
        assert hash(rule) == hash(Mask(keep_last=4))
        assert not rule.reversible
        assert not hasattr(rule, "invert")
