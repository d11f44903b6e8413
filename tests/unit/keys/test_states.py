"""The states of keys, against the table of SP 800-57 Part 1 Rev. 5, section 7."""

import pytest

from privkit.keys.states import LIVE, NEXT, KeyState

STATES = ["pre-active", "active", "suspended", "deactivated", "compromised", "destroyed"]
FOLLOW = {
    ("pre-active", "active"),
    ("pre-active", "compromised"),
    ("pre-active", "destroyed"),
    ("active", "suspended"),
    ("active", "deactivated"),
    ("active", "compromised"),
    ("suspended", "active"),
    ("suspended", "deactivated"),
    ("suspended", "compromised"),
    ("deactivated", "compromised"),
    ("deactivated", "destroyed"),
    ("compromised", "destroyed"),
}


class TestStates:
    def test_are_those_of_the_standard(self):
        """There are six states, written as the standard names them."""
        assert STATES == [str(state) for state in KeyState]

    @pytest.mark.parametrize("before", STATES)
    @pytest.mark.parametrize("after", STATES)
    def test_follow_one_another_as_in_the_standard(self, before, after):
        """Of the 36 pairs, 12 are steps; nothing leads out of destroyed."""
        assert ((before, after) in FOLLOW) == (KeyState(after) in NEXT[KeyState(before)])

    def test_three_resolve(self):
        """Active, suspended and deactivated keys resolve without further reason."""
        assert {"active", "suspended", "deactivated"} == LIVE
