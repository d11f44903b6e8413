import copy
import json
import pickle
from collections import OrderedDict
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.transforms.redact import MAX_DEPTH, Drop, Keep, Redact
from tests.canaries import TEXT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def nested(depth):
    value = TEXT
    for _ in range(depth):
        value = [value]
    return value


class TestRedact:
    @pytest.mark.parametrize("value", [TEXT, "", 7, [TEXT], {"name": TEXT}])
    def test_writes_null(self, value):
        """
        Whatever the value, null stands in its place.
        """
        assert Redact().apply(value) is None

    @pytest.mark.parametrize("value", [TEXT, "", 7, [TEXT], {"name": TEXT}])
    def test_writes_its_label(self, value):
        """
        Whatever the value, the label stands in its place.
        """
        assert "[redacted]" == Redact("[redacted]").apply(value)

    @pytest.mark.parametrize(
        ("label", "message"),
        [
            (7, "a label is text, got int"),
            ("", "a label has at least 1 character; leave it out to write null"),
        ],
    )
    def test_refuses_what_is_no_label(self, label, message):
        """
        A label is text that can be seen.
        """
        with pytest.raises(DomainError) as caught:
            Redact(label)

        assert message == str(caught.value)


class TestDrop:
    def test_returns_nothing(self):
        """
        Nothing is left of a value.
        """
        assert Drop().apply({"name": TEXT}) is None


class TestKeep:
    @given(JSON)
    def test_keeps_what_json_holds(self, value):
        """
        The value comes out equal, byte by byte of its JSON.
        """
        assert json.dumps(value) == json.dumps(Keep().apply(value))

    def test_shares_no_container_with_its_input(self):
        """
        A change of the result does not reach the input.
        """
        given_value = {"a": [1, {"b": [2]}], "c": {3}, "d": bytearray(b"4")}
        before = copy.deepcopy(given_value)
        kept = Keep().apply(given_value)

        kept["a"][1]["b"].append(TEXT)
        kept["c"].add(TEXT)

        assert before == given_value
        assert b"4" == kept["d"]
        assert kept["d"] is not given_value["d"]

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ((1, [2]), (1, [2])),
            (frozenset({1}), frozenset({1})),
            (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
            (MappingProxyType({"a": 1}), {"a": 1}),
            (b"raw", b"raw"),
        ],
    )
    def test_keeps_the_kind_of_a_container(self, value, expected):
        """
        Tuples and sets stay what they are, and every record is a dict in the order it had.
        """
        kept = Keep().apply(value)

        assert expected == kept
        assert type(expected) is type(kept)
        assert list(expected) == list(kept)

    def test_copies_deep_containers(self):
        """
        Containers are copied to a depth that no real record reaches.
        """
        assert nested(MAX_DEPTH) == Keep().apply(nested(MAX_DEPTH))

    def test_refuses_containers_without_end(self):
        """
        A list that holds itself is refused in place of overflowing the stack.
        """
        endless = [TEXT]
        endless.append(endless)

        for value in (endless, nested(MAX_DEPTH + 2)):
            with pytest.raises(DomainError) as caught:
                Keep().apply(value)

            assert "a kept value is nested at most 100 deep" == str(caught.value)


@pytest.mark.parametrize("rule", [Redact(), Redact("x"), Drop(), Keep()], ids=repr)
def test_is_a_value(rule):
    """
    A rule is equal to its copies, hashable, immutable, one-way, and may rule containers.
    """
    assert rule == pickle.loads(pickle.dumps(rule))
    assert hash(rule) == hash(copy.deepcopy(rule))
    assert rule.containers
    assert not rule.reversible
    assert not hasattr(rule, "invert")
    assert (rule.by, rule.scope) == (None, None)
    with pytest.raises((AttributeError, TypeError)):
        rule.keyed = True
