import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import Key, Keyset
from privkit.testing import FaultyKeys
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

KEYSET = Keyset(Key("k2", KEY_BYTES), [Key("k1", OTHER_KEY_BYTES)])


class TestFaults:
    def test_there_are_twelve(self):
        """Twelve ways of failing, sorted."""
        assert 12 == len(FaultyKeys.FAULTS)
        assert sorted(FaultyKeys.FAULTS) == list(FaultyKeys.FAULTS)

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            ("disabled", KeyNotFoundError),
            ("flaky", KeyUnavailableError),
            ("unavailable", KeyUnavailableError),
            ("wrong_length", KeyMaterialError),
        ],
    )
    def test_some_raise(self, fault, expected):
        """Some faults are errors that the contract allows."""
        with pytest.raises(expected):
            FaultyKeys(fault, keys=KEYSET).keyset("default")

    def test_one_raises_a_foreign_error(self):
        """The client's own error holds the secret."""
        with pytest.raises(Exception, match="hunter2") as caught:
            FaultyKeys("raise", secret="hunter2").keyset("default")

        assert "BackendError" == type(caught.value).__name__

    def test_one_hides_the_secret_in_a_cause(self):
        """The secret is in the cause, as client libraries have it."""
        with pytest.raises(KeyUnavailableError) as caught:
            FaultyKeys("unavailable", secret="hunter2").keyset("default")

        assert "hunter2" == str(caught.value.__cause__)

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [("none", None), ("empty", b""), ("wrong_type", KEYSET.primary.to_text())],
    )
    def test_some_return_something_else(self, fault, expected):
        """Some faults break the contract by what they return."""
        assert expected == FaultyKeys(fault, keys=KEYSET).keyset("default")

    @pytest.mark.parametrize(
        ("fault", "ids"),
        [
            ("partial", ("k2",)),
            ("slow", ("k2", "k1")),
            ("stale", ("k1",)),
            ("wrong_key", ("k2", "k1")),
        ],
    )
    def test_some_return_a_keyset(self, fault, ids):
        """Some faults show in the keyset alone."""
        found = FaultyKeys(fault, keys=KEYSET, seconds=0).keyset("default")

        assert ids == found.ids
        assert ("wrong_key" != fault) is all(key in KEYSET.live for key in found.live)

    def test_stale_keys_of_a_single_key_are_strange(self):
        """A keyset that was never rotated has no past, so its stale form is another key."""
        found = FaultyKeys("stale", keys=Keyset(KEYSET.primary)).keyset("default")

        assert ("fake-stale",) == found.ids

    def test_slow_waits(self):
        """The slow provider answers late."""
        keys = FaultyKeys("slow", keys=KEYSET, seconds=0.02)
        start = time.monotonic()
        keys.keyset("default")

        assert time.monotonic() - start >= 0.02

    def test_flaky_answers_every_other_call(self):
        """The flaky provider fails, answers, fails, answers."""
        keys = FaultyKeys("flaky", keys=KEYSET)
        answers = []
        for _ in range(4):
            try:
                answers.append(keys.keyset("default"))
            except KeyUnavailableError:
                answers.append(None)

        assert [None, KEYSET, None, KEYSET] == answers


class TestOptions:
    @pytest.mark.parametrize("fault", FaultyKeys.FAULTS)
    def test_begins_after_some_calls(self, fault):
        """Before its fault begins, each provider serves what it was given."""
        keys = FaultyKeys(fault, keys=KEYSET, after=2)

        assert [KEYSET, KEYSET] == [keys.keyset("default"), keys.keyset("billing")]
        assert 2 == keys.calls

    def test_counts_the_calls_of_threads(self):
        """No call is lost between threads."""
        keys = FaultyKeys("none")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: keys.keyset("default"), range(400)))

        assert 400 == keys.calls

    def test_draws_keys(self):
        """Without keys, it draws a keyset of two."""
        assert ("fake-2", "fake-1") == FaultyKeys("none", after=1).keyset("default").ids

    def test_prints_its_fault(self):
        """It prints as what it does wrong, and without the secret."""
        assert "FaultyKeys('raise')" == repr(FaultyKeys("raise", secret="hunter2"))

    def test_refuses_unknown_faults(self):
        """A mistyped fault is refused, so that no test passes by mistake."""
        with pytest.raises(KeyProviderError, match="a fault is one of disabled, empty"):
            FaultyKeys("rise")
