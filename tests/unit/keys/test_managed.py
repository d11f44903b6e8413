"""The lives of keys: each operation from each state, and each life that no operation leads to."""

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from privkit.errors import KeyMaterialError, KeyNotFoundError, KeyProviderError
from privkit.keys import Key, Keyset
from privkit.keys.managed import LONGEST, MAX_TEXT, Change, ManagedKeyset, timestamp
from privkit.keys.states import KeyState
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES

K1, K2, K3 = Key("k1", KEY_BYTES), Key("k2", OTHER_KEY_BYTES), Key("k3", THIRD_KEY_BYTES)
STRAY = Key.generate("stray")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = timedelta(days=365)

PATHS = {
    "pre-active": [],
    "active": ["stage"],
    "suspended": ["stage", "suspend"],
    "deactivated": ["stage", "retire"],
    "compromised": ["compromise"],
    "destroyed": ["destroy"],
}
ALLOWED = {
    "stage": {"pre-active", "suspended"},
    "promote": {"active"},
    "suspend": {"active"},
    "retire": {"active", "suspended"},
    "compromise": {"pre-active", "active", "suspended", "deactivated"},
    "destroy": {"pre-active", "deactivated", "compromised"},
}


def started(*, period=YEAR):
    """A keyset of one key."""
    return ManagedKeyset.create(Keyset(K1), now=NOW, reason="start", period=period)


def walked(path, *, key=K2):
    """A keyset with another key that has lived through *path*."""
    managed = started().prepare(key, now=NOW, reason="prepare")
    for act in path:
        managed = getattr(managed, act)(key.id, now=NOW, reason=act)
    return managed


def same_tag():
    """Two keys of one tag."""
    seen = {}
    while True:
        key = Key.generate(f"k{len(seen)}")
        if key.tag in seen:
            return seen[key.tag], key
        seen[key.tag] = key


class TestCreate:
    def test_makes_an_active_primary(self):
        """The one key is active, was promoted, and protects until its period ends."""
        managed = started()

        assert KeyState.ACTIVE is managed.get("k1").state
        assert ["prepare", "stage", "promote"] == [c.act for c in managed.get("k1").history]
        assert Keyset(K1) == managed.keyset(NOW)
        assert NOW + YEAR == managed.get("k1").until

    def test_adopts_keys_in_their_states(self):
        """Older keys resolve what they made and compromised ones for a reason; none is lost."""
        adopted = Keyset(K1, [K2], compromised=[K3])
        managed = ManagedKeyset.create(adopted, now=NOW, reason="moved")

        assert adopted == managed.keyset(NOW)
        assert [KeyState.COMPROMISED, KeyState.DEACTIVATED, KeyState.ACTIVE] == [
            entry.state for entry in managed.keys
        ]

    def test_keeps_the_order_of_older_keys(self):
        """The keys of a key file resolve in the order they had there."""
        adopted = Keyset(K1, [K2, K3])

        assert adopted == ManagedKeyset.create(adopted, now=NOW, reason="moved").keyset(NOW)

    def test_refuses_a_primary_that_may_not_protect(self):
        """A keyset whose primary is out of use is not made the start of another."""
        with pytest.raises(KeyNotFoundError, match="no key may protect: it ended"):
            ManagedKeyset.create(Keyset(K1, obstacle="it ended"), now=NOW, reason="moved")

    def test_time_is_kept_in_utc_to_the_second(self):
        """What is in memory is what will be in the file."""
        now = datetime(2026, 1, 2, 5, 4, 5, 678, tzinfo=timezone(2 * timedelta(hours=1)))
        managed = ManagedKeyset.create(
            Keyset(K1), now=now, reason="start", period=timedelta(seconds=1, microseconds=1)
        )

        assert NOW == managed.high_water == managed.get("k1").since == timestamp(now)
        assert NOW + timedelta(seconds=1) == managed.get("k1").until


class TestSteps:
    @pytest.mark.parametrize("act", ALLOWED)
    @pytest.mark.parametrize("state", PATHS)
    def test_lead_from_the_states_they_are_for(self, act, state):
        """Each operation works from its states alone, and leaves time and reason behind."""
        managed = walked(PATHS[state])
        assert state == managed.get("k2").state
        if state in ALLOWED[act]:
            changed = getattr(managed, act)("k2", now=NOW + DAY, reason="because")

            assert (act, NOW + DAY, "because") == (
                changed.get("k2").history[-1].act,
                changed.get("k2").since,
                changed.get("k2").history[-1].reason,
            )
            assert NOW + DAY == changed.high_water
        else:
            with pytest.raises(KeyProviderError, match=f"key k2 is {state}"):
                getattr(managed, act)("k2", now=NOW + DAY, reason="because")

    def test_says_which_states_an_operation_is_for(self):
        """The refusal names the states and the one that is."""
        with pytest.raises(
            KeyProviderError,
            match="retire is for a key that is active or suspended, and key k2 is destroyed",
        ):
            walked(["destroy"]).retire("k2", now=NOW, reason="r")

    @pytest.mark.parametrize("act", ALLOWED)
    def test_need_a_key_that_is_there(self, act):
        """An id that no key has is named if it is one."""
        with pytest.raises(KeyNotFoundError, match="there is no key k9 among the keys k1"):
            getattr(started(), act)("k9", now=NOW, reason="r")
        with pytest.raises(KeyNotFoundError, match="no key of that id"):
            getattr(started(), act)("../k9", now=NOW, reason="r")

    @pytest.mark.parametrize("act", ["retire", "destroy"])
    def test_a_primary_is_replaced_first(self, act):
        """The primary does not end while it is the primary."""
        managed = started()
        if act == "destroy":
            managed = managed.compromise("k1", now=NOW, reason="lost")
        with pytest.raises(KeyProviderError, match="key k1 is the primary: promote another"):
            getattr(managed, act)("k1", now=NOW, reason="r")

    def test_a_primary_is_promoted_once(self):
        """To promote the primary would do nothing, so it is refused."""
        with pytest.raises(KeyProviderError, match="key k1 is the primary already"):
            started().promote("k1", now=NOW, reason="r")

    def test_destroying_erases_the_key(self):
        """The key is gone, its id and its tag are kept, and what it made says so."""
        managed = walked(["stage", "retire", "destroy"])

        assert managed.get("k2").key is None
        assert K2.tag == managed.get("k2").tag
        with pytest.raises(KeyNotFoundError, match="key k2 was destroyed"):
            managed.keyset(NOW).get("k2", allow_compromised="x")

    def test_nothing_is_changed_in_place(self):
        """An operation returns another keyset and leaves the one it was called on."""
        managed = started()
        managed.prepare(K2, now=NOW, reason="r")
        managed.suspend("k1", now=NOW, reason="r")

        assert started() == managed


class TestPrepare:
    def test_adds_a_key_that_does_nothing(self):
        """A prepared key neither protects nor resolves."""
        keyset = walked([]).keyset(NOW)

        assert ("k1",) == keyset.ids
        with pytest.raises(KeyNotFoundError, match="there is no key k2"):
            keyset.get("k2", allow_compromised="x")

    @pytest.mark.parametrize("path", [[], ["destroy"]])
    def test_no_id_is_given_twice(self, path):
        """The id of a key is taken, also when the key is destroyed."""
        with pytest.raises(KeyMaterialError, match="also from those of destroyed keys: k2"):
            walked(path).prepare(Key("k2", THIRD_KEY_BYTES), now=NOW, reason="again")

    def test_no_key_comes_back(self):
        """A destroyed key is known by its tag under another id as well."""
        with pytest.raises(KeyMaterialError, match="k2 and k9 are the same or share one"):
            walked(["destroy"]).prepare(Key("k9", OTHER_KEY_BYTES), now=NOW, reason="again")

    def test_tags_differ(self):
        """A key whose tag another has by chance is refused before the keyset is unreadable."""
        one, other = same_tag()
        managed = ManagedKeyset.create(Keyset(one), now=NOW, reason="start")
        with pytest.raises(KeyMaterialError, match="share one by chance: take another"):
            managed.prepare(other, now=NOW, reason="r")


class TestRoles:
    def test_the_primary_alone_protects(self):
        """A staged key resolves and does not protect; promoted, it does, and the other resolves."""
        staged = walked(["stage"])
        promoted = staged.promote("k2", now=NOW, reason="r")

        assert (K1, (K1, K2)) == (staged.keyset(NOW).primary, staged.keyset(NOW).live)
        assert (K2, (K2, K1)) == (promoted.keyset(NOW).primary, promoted.keyset(NOW).live)

    @pytest.mark.parametrize(("act", "live"), [("suspend", ("k1", "k2")), ("compromise", ("k2",))])
    def test_without_its_primary_nothing_protects(self, act, live):
        """A suspended primary resolves, a compromised one for a reason alone."""
        managed = getattr(walked(["stage"]), act)("k1", now=NOW, reason="lost")
        keyset = managed.keyset(NOW)

        assert live == keyset.ids
        assert K1 == keyset.get("k1", allow_compromised="to re-key")
        with pytest.raises(KeyNotFoundError, match=f"no key may protect.*k1, is {act[:7]}"):
            _ = keyset.primary

    def test_another_primary_protects_again(self):
        """Once another key is promoted, there is no obstacle."""
        managed = walked(["stage"]).compromise("k1", now=NOW, reason="lost")

        assert K2 == managed.promote("k2", now=NOW, reason="r").keyset(NOW).primary

    def test_a_suspended_primary_comes_back(self):
        """Staged again, it protects again, for what is left of its period."""
        managed = started().suspend("k1", now=NOW, reason="r").stage("k1", now=NOW, reason="r")

        assert K1 == managed.keyset(NOW).primary
        assert NOW + YEAR == managed.get("k1").until

    @pytest.mark.parametrize("reason", [None, "", "  ", True, b"x"])
    def test_compromised_keys_resolve_for_a_reason(self, reason):
        """A reason is in words."""
        keyset = walked(["compromise"]).keyset(NOW)
        with pytest.raises(KeyNotFoundError, match="is compromised, so it resolves for a stated"):
            keyset.get("k2", allow_compromised=reason)

        assert K2 == keyset.get("k2", allow_compromised="to re-key")


class TestPeriods:
    def test_an_ended_primary_does_not_protect(self):
        """At the end of its period a key protects no longer, and resolves."""
        managed = started()
        assert K1 == managed.keyset(NOW + YEAR - timedelta(seconds=1)).primary

        ended = managed.keyset(NOW + YEAR)
        assert ("k1",) == ended.ids
        with pytest.raises(KeyNotFoundError, match="the period of key k1 ended on 2027-01-02"):
            _ = ended.primary

    @pytest.mark.parametrize("back", [timedelta(seconds=1), DAY, 3650 * DAY])
    def test_a_clock_that_is_set_back_is_not_believed(self, back):
        """The latest time that was seen is gone by, so an ended key stays ended."""
        managed = started().record("d", ["k1"], now=NOW + YEAR)

        assert NOW + YEAR == managed.at(NOW + YEAR - back)
        with pytest.raises(KeyNotFoundError, match="ended on"):
            _ = managed.keyset(NOW + YEAR - back).primary

    def test_time_runs_on_while_the_clock_is_back(self):
        """A change made with a clock set back has the latest time seen."""
        managed = started().suspend("k1", now=NOW - 3650 * DAY, reason="r")

        assert NOW == managed.get("k1").since

    @pytest.mark.parametrize("act", ["stage", "promote"])
    def test_an_ended_key_becomes_nothing_again(self, act):
        """After its period a key is neither staged nor promoted."""
        managed = walked(["stage", "suspend"] if act == "stage" else ["stage"])
        with pytest.raises(
            KeyProviderError, match=r"the period of key k2 ended on .*: stage another"
        ):
            getattr(managed, act)("k2", now=NOW + 3 * YEAR, reason="r")

    def test_a_key_may_protect_for_ever(self):
        """Without a period there is no end, and no warning."""
        managed = started(period=None)

        assert K1 == managed.keyset(NOW + 100 * YEAR).primary
        assert managed.left(NOW + 100 * YEAR) is None

    @pytest.mark.parametrize(
        "period",
        [timedelta(0), -DAY, timedelta(milliseconds=999), LONGEST + DAY, timedelta.max, 30, "30"],
    )
    def test_a_period_is_a_span_of_time(self, period):
        """A period that ends at once, never or in no year is refused."""
        with pytest.raises(KeyProviderError, match="from one second to 36,524 days, or None"):
            started(period=period)

    def test_tells_what_is_left(self):
        """In the last fifth of its period the primary tells how long it still protects."""
        managed = started(period=100 * DAY)

        assert managed.left(NOW + 80 * DAY - timedelta(seconds=1)) is None
        assert 20 * DAY == managed.left(NOW + 80 * DAY)
        assert timedelta(seconds=1) == managed.left(NOW + 100 * DAY - timedelta(seconds=1))
        assert managed.left(NOW + 100 * DAY) is None
        assert managed.suspend("k1", now=NOW + 90 * DAY, reason="r").left(NOW + 90 * DAY) is None


class TestDatasets:
    def test_keep_their_keys(self):
        """A key that a recorded dataset needs is not destroyed before that is forgotten."""
        managed = walked(["stage", "retire"]).record("visits", ["k2", "k1", "k2"], now=NOW)
        assert {"visits": ("k1", "k2")} == managed.datasets
        with pytest.raises(KeyProviderError, match=r"needed by 1 recorded .* visits") as caught:
            managed.destroy("k2", now=NOW, reason="r")

        assert {"key_id": "k2", "datasets": ("visits",)} == caught.value.facts
        forgotten = managed.forget("visits", now=NOW).destroy("k2", now=NOW, reason="r")
        assert KeyState.DESTROYED is forgotten.get("k2").state

    def test_are_recorded_afresh(self):
        """A record replaces that of the same name."""
        managed = walked(["stage", "retire"]).record("visits", ["k2"], now=NOW)

        assert {"visits": ("k1",)} == managed.record("visits", ("k1",), now=NOW).datasets

    @pytest.mark.parametrize("ids", [[], (), "k1", ""])
    def test_need_keys(self, ids):
        """A record without a key, or with one id in the place of a list, is refused."""
        with pytest.raises(KeyProviderError, match="with a list of the ids of its keys"):
            started().record("visits", ids, now=NOW)

    def test_need_keys_that_are_there(self):
        """A key that never was, or is gone, is needed by nothing."""
        with pytest.raises(KeyNotFoundError, match="there is no key k9"):
            started().record("visits", ["k1", "k9"], now=NOW)
        with pytest.raises(KeyNotFoundError, match="key k2 was destroyed, so no dataset"):
            walked(["destroy"]).record("visits", ["k2"], now=NOW)

    def test_are_forgotten_once(self):
        """What is not recorded cannot be struck out."""
        with pytest.raises(KeyProviderError, match="no such dataset is recorded; 0 are"):
            started().forget("visits", now=NOW)


class TestTexts:
    @pytest.mark.parametrize(
        "text",
        [
            *("", "  ", "a\nb", "a\0b", "\x7f", "\ud800", "x" * (MAX_TEXT + 1), None, 7, b"r"),
            *(STRAY.to_text(), f"because {STRAY.to_text()[:40]}", STRAY.to_text()[10:74]),
        ],
        ids=lambda text: type(text).__name__,
    )
    def test_reasons_and_names_are_text_without_keys(self, text):
        """A reason is asked for, in words that can be printed, and none that hold a key."""
        with pytest.raises(KeyProviderError, match="the reason of a change is 1 to 500 printable"):
            ManagedKeyset.create(Keyset(K2), now=NOW, reason=text)
        with pytest.raises(KeyProviderError, match="the name of a dataset is 1 to 500 printable"):
            walked([], key=K3).record(text, ["k1"], now=NOW)

    def test_the_longest_reason_is_kept(self):
        """500 characters of any script are kept."""
        reason = "é" * MAX_TEXT

        assert reason == started().suspend("k1", now=NOW, reason=reason).keys[0].history[-1].reason


def edited(managed, **parts):
    """The keyset, with other parts in the life of its latest key."""
    latest = dataclasses.replace(managed.keys[-1], **parts)
    return dataclasses.replace(managed, keys=(*managed.keys[:-1], latest))


def change(act, state, time=NOW, reason="r"):
    """One change."""
    return Change(act=act, state=KeyState(state), time=time, reason=reason)


BORN = change("prepare", "pre-active")
STAGED = (BORN, change("stage", "active"))
PROMOTED = (*STAGED, change("promote", "active"))

LIVES = {
    "begins its life pre-active": [(), STAGED[1:], (change("prepare", "active"),)],
    "became active when it was active": [(*STAGED, STAGED[1])],
    "became active when it was pre-active": [(BORN, change("promote", "active"))],
    "became active when it was deactivated": [
        (*STAGED, change("retire", "deactivated"), STAGED[1])
    ],
    "became pre-active when it was pre-active": [(BORN, BORN)],
    "became destroyed when it was active": [(*PROMOTED, change("destroy", "destroyed"))],
    "became deactivated when it was active": [(*PROMOTED, change("destroy", "deactivated"))],
    "became suspended when it was active": [(*PROMOTED, change("pause", "suspended"))],
    "has a history out of order": [(*STAGED, change("promote", "active", NOW - DAY))],
    "later than the latest time seen": [(*STAGED, change("promote", "active", NOW + DAY))],
    "for a reason that is no text": [(*STAGED, change("promote", "active", reason=""))],
}


class TestContradictions:
    """A keyset that no sequence of operations leads to is refused, wherever it comes from."""

    @pytest.mark.parametrize(
        ("message", "history"),
        [(message, life) for message, lives in LIVES.items() for life in lives],
    )
    def test_lives(self, message, history):
        """A history is one that the operations make."""
        with pytest.raises(KeyMaterialError, match=f"key k1 .*{message}"):
            edited(started(), history=history)

    @pytest.mark.parametrize(
        ("managed", "parts", "message"),
        [
            (started(), {"until": NOW}, "became active after the end of its period"),
            (walked([]), {"until": NOW}, "has one and never was"),
            (started(), {"key": None}, "is destroyed and has its material"),
            (walked(["destroy"]), {"key": K2}, "is destroyed and has its material"),
            (started(), {"tag": "0000"}, "has the id or the tag of another"),
            (started(), {"key": K3}, "has the id or the tag of another"),
            (started(), {"tag": "XY"}, "has no id or no tag"),
            (walked(["destroy"]), {"key_id": "../k2\n"}, "has no id or no tag"),
        ],
    )
    def test_keys(self, managed, parts, message):
        """The parts of a key belong together."""
        with pytest.raises(KeyMaterialError, match=message):
            edited(managed, **parts)

    @pytest.mark.parametrize(
        ("managed", "primary", "message"),
        [
            (started(), "k9", "is the key that was promoted last"),
            (walked(["stage"]), "k2", "is the key that was promoted last"),
            (
                walked(["stage"]).promote("k2", now=NOW + DAY, reason="r"),
                "k1",
                "is the key that was promoted last",
            ),
            (
                walked(["stage", "promote"]).retire("k1", now=NOW, reason="r"),
                "k1",
                "the primary of a keyset, key k1, is deactivated",
            ),
        ],
    )
    def test_primaries(self, managed, primary, message):
        """The primary is the key that was promoted last, in a state that a primary can have."""
        with pytest.raises(KeyMaterialError, match=message):
            dataclasses.replace(managed, primary_id=primary)

    def test_there_is_a_primary(self):
        """A keyset without keys, or without one that was ever promoted, is none."""
        with pytest.raises(KeyMaterialError, match="is the key that was promoted last"):
            dataclasses.replace(started(), keys=())
        with pytest.raises(KeyMaterialError, match="is the key that was promoted last"):
            edited(started(), history=STAGED)

    def test_ids_differ(self):
        """Two keys of one id are refused."""
        managed = started()
        with pytest.raises(KeyMaterialError, match="the ids of a keyset differ"):
            dataclasses.replace(managed, keys=managed.keys * 2)

    @pytest.mark.parametrize(
        ("datasets", "message"),
        [
            ({"": ("k1",)}, "the name of a dataset is no text"),
            ({"a\nb": ("k1",)}, "the name of a dataset is no text"),
            ({"a": ()}, "needs keys of the keyset"),
            ({"a": ("k9",)}, "needs keys of the keyset"),
            ({"a": ("k1", "k1")}, "each named once"),
            ({"a": ("k2",)}, "not destroyed"),
        ],
    )
    def test_datasets(self, datasets, message):
        """A dataset has a name, and keys that are there."""
        with pytest.raises(KeyMaterialError, match=message):
            dataclasses.replace(walked(["destroy"]), datasets=datasets)


class TestLeaving:
    @pytest.mark.parametrize("leave", [pickle.dumps, copy.deepcopy, dataclasses.asdict])
    def test_keys_do_not_leave(self, leave):
        """What holds keys is not pickled, copied deeply or taken apart, and prints none."""
        with pytest.raises(TypeError):
            leave(started())

        assert "Key(id='k1')" in repr(started())
