"""Keys that are renewed: for how long they are used, by whom, and what an outage does."""

import copy
import gc
import pickle
import threading
import time

import pytest

from privkit import FormatPreserving, Policy, Token
from privkit.errors import (
    DomainError,
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import EnvironmentKeys, FileKeys, Key, Keyset, StaticKeys
from privkit.keys.cached import CachedKeys
from privkit.testing import FaultyKeys
from tests.canaries import EMAIL, KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.unit.ciphers.forks import in_child

OLD, FRESH = Key("k1", KEY_BYTES), Key("k2", OTHER_KEY_BYTES)
POLICY = Policy("patients", version=1, fields={"email": Token(), "mrn": FormatPreserving("digits")})
LONG, SHORT = 3600, 0.2


class Backend:
    """A provider whose answer a test sets, and which counts how often it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.calls = 0

    def keyset(self, _name):
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def until(true, seconds=10.0):
    """Wait until something holds, and say whether it does."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    return true()


class TestCache:
    def test_asks_once_while_fresh(self):
        """A keyset is fetched once for many lookups, each name for itself."""
        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG)

        assert {OLD.id} == {keys.keyset("default").primary.id for _ in range(100)}
        assert 1 == backend.calls
        keys.keyset("billing")
        assert 2 == backend.calls

    def test_does_nothing_before_its_first_use(self):
        """Making a cache and binding to it asks nobody."""
        backend = Backend(Keyset(OLD))
        POLICY.bind(CachedKeys(backend, ttl=LONG))

        assert 0 == backend.calls

    def test_picks_up_a_promoted_key(self):
        """After half of the time to live the keys are renewed aside, and bindings follow."""
        backend = Backend(Keyset(OLD))
        field = POLICY.bind(CachedKeys(backend, ttl=SHORT))["email"]
        before = field.apply(EMAIL)
        backend.answer = Keyset(FRESH, [OLD])

        assert until(lambda: field.apply(EMAIL) != before)
        assert before == field.candidates(EMAIL)[1]
        assert (FRESH.tag, OLD.tag) == tuple(map(Token().tag_of, field.candidates(EMAIL)))

    def test_renewing_never_keeps_callers_waiting(self):
        """While a slow provider is asked again, callers go on with what they have."""
        gate = threading.Event()
        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG, max_uses=4)
        keys.keyset("default")
        answer = backend.keyset
        backend.keyset = lambda name: gate.wait(20) and answer(name)
        served = [keys.keyset("default").primary for _ in range(3)]
        gate.set()

        assert [OLD] * 3 == served
        assert until(lambda: backend.calls == 2)

    def test_equal_keys_stay_bound(self):
        """A renewal that brings the same keys changes nothing, not even the object."""
        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG, max_uses=4)
        first = keys.keyset("default")
        backend.answer = Keyset(Key("k1", KEY_BYTES))
        for _ in range(3):
            keys.keyset("default")

        assert until(lambda: backend.calls == 2)
        assert first is keys.keyset("default")

    def test_other_material_under_one_id_is_another_key(self):
        """A binding never goes on with a key of which only the id stayed."""
        backend = Backend(Keyset(OLD))
        field = POLICY.bind(CachedKeys(backend, ttl=SHORT))["email"]
        before = field.apply(EMAIL)
        backend.answer = Keyset(Key("k1", OTHER_KEY_BYTES))

        assert until(lambda: field.apply(EMAIL) != before)


class TestOutage:
    def test_bridges_an_outage_and_no_more(self):
        """Cached keys serve until the time to live is over, and then callers are told."""
        backend = Backend(Keyset(OLD))
        field = POLICY.bind(CachedKeys(backend, ttl=SHORT))["email"]
        before, begun = field.apply(EMAIL), time.monotonic()
        backend.answer = KeyUnavailableError("the key server does not answer")
        served, failures = 0, []
        for _ in range(100_000):
            try:
                assert before == field.apply(EMAIL)
                served = time.monotonic()
            except KeyUnavailableError as error:
                failures.append(str(error))
        assert served - begun < SHORT + 0.1

        assert {"the key server does not answer"} == set(failures)
        assert backend.calls < len(failures) / 20

    def test_uses_are_counted(self):
        """After max_uses without a renewal, callers are told."""
        backend = Backend(Keyset(OLD))
        field = POLICY.bind(CachedKeys(backend, ttl=LONG, max_uses=10))["email"]
        field.apply(EMAIL)
        backend.answer = KeyUnavailableError("the key server does not answer")
        tokens = {field.apply(EMAIL) for _ in range(9)}
        with pytest.raises(KeyUnavailableError):
            field.apply(EMAIL)

        assert 1 == len(tokens)

    def test_recovers(self):
        """When the provider answers again, so does the cache."""
        backend = Backend(KeyUnavailableError("the key server does not answer"))
        keys = CachedKeys(backend, ttl=SHORT)
        with pytest.raises(KeyUnavailableError):
            keys.keyset("default")
        backend.answer = Keyset(OLD)

        def recovered():
            try:
                return OLD == keys.keyset("default").primary
            except KeyUnavailableError:
                return False

        assert until(recovered)

    def test_leaves_a_failing_provider_alone_for_a_while(self):
        """Many callers in an outage are one question."""
        backend = Backend(KeyUnavailableError("the key server does not answer"))
        keys = CachedKeys(backend, ttl=LONG)
        for _ in range(50):
            with pytest.raises(KeyUnavailableError):
                keys.keyset("default")

        assert 1 == backend.calls

    def test_foreign_errors_count_as_an_outage(self):
        """What a client library raises is an outage, by the name of its class alone."""
        keys = CachedKeys(FaultyKeys("raise", secret=TEXT), ttl=LONG)

        with pytest.raises(KeyUnavailableError, match="FaultyKeys raised BackendError"):
            keys.keyset("default")

    @pytest.mark.parametrize(
        "verdict", [KeyNotFoundError("no such keyset"), KeyMaterialError("a broken key")]
    )
    def test_a_verdict_ends_the_use_at_once(self, verdict):
        """Keys that the provider says are gone or broken are not used up first."""
        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG, max_uses=100)
        keys.keyset("default")
        backend.answer = verdict

        def refused():
            try:
                keys.keyset("default")
            except type(verdict):
                return True
            return False

        assert until(refused)
        assert backend.calls < 5

    def test_no_thread_is_no_failure(self, monkeypatch):
        """Where no further thread is to be had, callers go on until the keys are used up."""

        def exhausted(_thread):
            raise RuntimeError("can't start new thread")

        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG, max_uses=4)
        keys.keyset("default")
        monkeypatch.setattr(threading.Thread, "start", exhausted)
        served = [keys.keyset("default").primary for _ in range(5)]

        assert [OLD] * 5 == served
        assert 2 == backend.calls


class TestOvertaken:
    """An answer that comes so late that a later question was answered before it."""

    @pytest.mark.parametrize("late", [Keyset(OLD), KeyNotFoundError("no such keyset")])
    def test_a_later_answer_stands(self, late):
        """What a slow provider says at last changes nothing that it has said since."""
        gate, asked = threading.Event(), threading.Event()
        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG, max_uses=2)
        keys.keyset("default")
        answer = backend.keyset

        def slow(_name):
            asked.set()
            gate.wait(20)
            if isinstance(late, Exception):
                raise late
            return late

        backend.keyset = slow
        keys.keyset("default")
        assert asked.wait(20)
        backend.keyset, backend.answer = answer, Keyset(FRESH, [OLD])
        fresh = keys.keyset("default").primary
        gate.set()
        assert until(lambda: not any(t.name == "privkit keys" for t in threading.enumerate()))

        assert FRESH == fresh == keys.keyset("default").primary

    def test_a_later_word_stands(self):
        """Keys that were asked for before they were said to be gone are not used."""
        gate, asked = threading.Event(), threading.Event()
        backend = Backend(Keyset(OLD))
        keys = CachedKeys(backend, ttl=LONG, max_uses=2)
        keys.keyset("default")
        answer = backend.keyset

        def slow(_name):
            asked.set()
            gate.wait(20)
            return Keyset(OLD)

        backend.keyset = slow
        keys.keyset("default")
        assert asked.wait(20)
        backend.keyset, backend.answer = answer, KeyNotFoundError("no such keyset")
        with pytest.raises(KeyNotFoundError):
            keys.keyset("default")
        gate.set()
        assert until(lambda: not any(t.name == "privkit keys" for t in threading.enumerate()))

        with pytest.raises(KeyNotFoundError):
            keys.keyset("default")


class TestRecords:
    def test_a_record_is_under_one_key(self):
        """Whatever is renewed meanwhile, the fields of a record never mix keys."""
        backend = Backend(Keyset(OLD, [FRESH]))
        patients = POLICY.bind(CachedKeys(backend, ttl=0.001), key_field="key")
        of = {
            key.id: POLICY.bind(StaticKeys(key)).pseudonymize({"email": EMAIL, "mrn": "0042137"})
            for key in (OLD, FRESH)
        }
        seen = set()
        for turn in range(400):
            backend.answer = Keyset(*((FRESH, [OLD]) if turn % 2 else (OLD, [FRESH])))
            row = patients.pseudonymize({"email": EMAIL, "mrn": "0042137"})
            seen.add(row["key"])
            assert of[row.pop("key")] == row

        assert {"k1", "k2"} == seen

    def test_a_record_that_fails_tells_its_field(self):
        """Under renewed keys too, a value that does not fit is named by its field and rule."""
        patients = POLICY.bind(CachedKeys(StaticKeys(OLD), ttl=60))
        with pytest.raises(DomainError, match="fewer than 1,000,000 values") as caught:
            patients.pseudonymize({"email": EMAIL, "mrn": "42"})

        assert "mrn" == caught.value.field
        with pytest.raises(DomainError, match="fewer than 1,000,000 values"):
            patients["mrn"].apply_under(Keyset(OLD), "42")

    def test_candidates_follow_a_renewal(self):
        """Candidates that were made under a lease are made afresh when it is over."""
        backend = Backend(Keyset(OLD))
        field = POLICY.bind(CachedKeys(backend, ttl=SHORT))["email"]
        first = field.candidates(EMAIL)
        backend.answer = Keyset(FRESH, [OLD])

        assert first == field.candidates(EMAIL)
        assert until(lambda: len(field.candidates(EMAIL)) == 2)
        assert first[0] == field.candidates(EMAIL)[1]

    def test_a_pinned_one_stays(self):
        """What is pinned goes on with the keys of that moment."""
        backend = Backend(Keyset(OLD))
        patients = POLICY.bind(CachedKeys(backend, ttl=0.001), key_field="key")
        pinned = patients.pinned()
        backend.answer = Keyset(FRESH)

        assert until(lambda: patients.pseudonymize({"email": EMAIL})["key"] == "k2")
        assert "k1" == pinned.pseudonymize({"email": EMAIL})["key"]
        assert pinned is pinned.pinned()


class TestSharing:
    def test_threads_share_one_fetch(self):
        """Of many first callers one asks, and all get its answer."""
        keys = CachedKeys(FaultyKeys("slow", seconds=0.2), ttl=LONG)
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(keys.keyset("default"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 8 == len(found)
        assert 1 == len({id(keyset) for keyset in found})

    def test_a_forked_child_renews_for_itself(self):
        """A child made while a fetch is under way is not locked out."""
        gate = threading.Event()
        backend = Backend(Keyset(OLD))
        answer = backend.keyset
        backend.keyset = lambda name: gate.wait(20) and answer(name)
        keys = CachedKeys(backend, ttl=LONG)
        fetching = threading.Thread(target=keys.keyset, args=("default",))
        fetching.start()

        def work():
            gate.set()
            return keys.keyset("default").primary.id.encode()

        child = in_child(work)
        gate.set()
        fetching.join()

        assert b"k1" == child

    def test_is_pickled_as_provider_and_limits(self, monkeypatch):
        """A pickle has where keys come from and the limits, and no key."""
        monkeypatch.setenv("CLINIC_KEYS", OLD.to_text())
        keys = CachedKeys(EnvironmentKeys("CLINIC_KEYS"), ttl=60, max_uses=100)
        keys.keyset("default")
        copied = pickle.loads(pickle.dumps(keys))

        assert KEY_BYTES.hex().encode() not in pickle.dumps(keys)
        assert KEY_BYTES not in pickle.dumps(keys)
        assert keys == copied == copy.deepcopy(keys)
        assert hash(keys) == hash(copied)
        assert OLD == copied.keyset("default").primary
        assert keys != CachedKeys(EnvironmentKeys("CLINIC_KEYS"), ttl=61, max_uses=100)
        assert keys != "keys"

    def test_prints_no_key(self):
        """It prints as the class of the provider and the limits."""
        keys = CachedKeys(StaticKeys(OLD), ttl=60)
        lease = keys.lease("default")

        assert "CachedKeys(StaticKeys, ttl=60, max_uses=None)" == repr(keys)
        assert "Lease(Keyset(ids=['k1']))" == repr(lease)

    def test_keeps_no_plaintext(self):
        """No value stays reachable after it was protected."""
        field = POLICY.bind(CachedKeys(StaticKeys(FRESH, older=[OLD]), ttl=60))["email"]
        marks = [f"{EMAIL}{number}" for number in range(1000)]
        for mark in marks:
            field.apply(mark)
            field.candidates(mark)
        gc.collect()
        first = marks[0]
        holders = [each for each in gc.get_referrers(first) if each is not marks]

        assert [] == [type(each) for each in holders if type(each).__name__ != "frame"]


class TestRefusals:
    @pytest.mark.parametrize("ttl", [0, -1, True, "60", float("inf"), float("nan"), None])
    def test_ttl_is_positive(self, ttl):
        """A time to live is a finite number of seconds."""
        with pytest.raises(KeyProviderError, match="ttl is a number of seconds"):
            CachedKeys(StaticKeys(OLD), ttl=ttl)

    @pytest.mark.parametrize("max_uses", [0, 1, -1, True, 2.5, "9"])
    def test_max_uses_is_a_count(self, max_uses):
        """A number of uses is whole, and two at least."""
        with pytest.raises(KeyProviderError, match="max_uses is a whole number, at least 2"):
            CachedKeys(StaticKeys(OLD), ttl=1, max_uses=max_uses)

    @pytest.mark.parametrize("provider", [KEY_BYTES, TEXT, FileKeys, None])
    def test_takes_a_provider(self, provider):
        """What is no provider is named by its type alone."""
        with pytest.raises(KeyProviderError, match=r"takes a key provider, such as KeysetFile"):
            CachedKeys(provider, ttl=1)

    def test_names_are_checked(self):
        """A key in the place of a name is refused and not shown."""
        with pytest.raises(KeyNotFoundError, match="got what looks like a key"):
            CachedKeys(StaticKeys(OLD), ttl=1).keyset(OLD.to_text())
