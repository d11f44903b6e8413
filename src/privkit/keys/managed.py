"""
A keyset with the life of each of its keys: which state, since when, why, and until when.

Every operation returns another keyset; nothing here reads a clock or a file.
"""

import dataclasses
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Final, final

from privkit.errors import KeyMaterialError, KeyNotFoundError, KeyProviderError
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.keys.states import LIVE, NEXT, KeyState
from privkit.keys.text import holds_key, is_id, is_tag

PERIOD: Final = timedelta(days=730)
"""How long a key protects unless told otherwise: at most two years, SP 800-57 Part 1, table 1."""

LONGEST: Final = timedelta(days=36_524)
"""The longest period, a century: an end in the year 10,000 could not be written down."""

WARN_IN: Final = 5
"""The last fifth of a period is the time to replace a key."""

MAX_TEXT: Final = 500
"""Characters of a reason or of the name of a dataset."""

RESULT: Final[Mapping[str, KeyState]] = {
    "prepare": KeyState.PRE_ACTIVE,
    "stage": KeyState.ACTIVE,
    "promote": KeyState.ACTIVE,
    "suspend": KeyState.SUSPENDED,
    "retire": KeyState.DEACTIVATED,
    "compromise": KeyState.COMPROMISED,
    "destroy": KeyState.DESTROYED,
}
"""What can be done to a key, and the state it is in afterwards."""

PRIMARY: Final = frozenset({KeyState.ACTIVE, KeyState.SUSPENDED, KeyState.COMPROMISED})
"""The states that a primary may be in."""


@final
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One change in the life of a key.

    Args:
        act: What was done, such as ``"retire"``.

        state: The state since then.

        time: When, in UTC, to the second.

        reason: Why, in words.
    """

    act: str
    state: KeyState
    time: datetime
    reason: str


@final
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ManagedKey:
    """
    A key and its life.

    Args:
        key_id: Its id, which outlives it.

        tag: Its tag, likewise.

        key: The key; ``None`` once it is destroyed.

        until: When it stops to protect, in UTC; ``None`` for never.

        history: All changes, oldest first.
    """

    key_id: str
    tag: str
    key: Key | None
    until: datetime | None
    history: tuple[Change, ...]

    @property
    def state(self) -> KeyState:
        """
        The state it is in.
        """
        return self.history[-1].state

    @property
    def since(self) -> datetime:
        """
        When it came into that state, or was promoted.
        """
        return self.history[-1].time

    def last(self, act: str, /) -> datetime | None:
        """
        Return when something was last done to it, such as ``"promote"``; ``None`` for never.
        """
        return next((change.time for change in reversed(self.history) if change.act == act), None)


@final
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ManagedKeyset:
    """
    Keys, each with its life, of which one is the primary.

    Args:
        keys: All that ever were, oldest first.

        primary_id: The one that protects, if it is active and its period has not ended.

        high_water: The latest time ever seen. A clock that was set back is not believed.

        datasets: What was recorded: the name of a dataset to the ids of the keys it needs.

    Raises:
        KeyMaterialError: If the parts contradict each other.

    .. versionadded:: 0.1
    """

    keys: tuple[ManagedKey, ...]
    primary_id: str
    high_water: datetime
    datasets: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        complaint = _complaint(self)
        if complaint is not None:
            raise KeyMaterialError(complaint)

    @classmethod
    def create(
        cls, adopted: Keyset, *, now: datetime, reason: str, period: timedelta | None = PERIOD
    ) -> "ManagedKeyset":
        """
        Return a keyset whose primary is active, and whose other keys resolve what they made.
        """
        now = timestamp(now)

        def lived(key: Key, *acts: str) -> ManagedKey:
            entry = _staged(_fresh(key, now, reason), now, reason, period)
            for act in acts:
                entry = _changed(entry, act, now, reason)
            return entry

        keys = (
            *(lived(key, "compromise") for key in reversed(adopted.compromised)),
            *(lived(key, "retire") for key in reversed(adopted.older)),
            lived(adopted.primary, "promote"),
        )
        return cls(keys=keys, primary_id=adopted.primary.id, high_water=now, datasets={})

    def prepare(self, key: Key, *, now: datetime, reason: str) -> "ManagedKeyset":
        """
        Add a key that does nothing yet.
        """
        now = self.at(now)
        return self._replace(now, keys=(*self.keys, _fresh(key, now, reason)))

    def stage(
        self, key_id: str, *, now: datetime, reason: str, period: timedelta | None = PERIOD
    ) -> "ManagedKeyset":
        """
        Make a key active that was prepared or suspended. It resolves, and does not protect yet.
        """
        entry, now = self._legal(key_id, "stage"), self.at(now)
        if entry.state is KeyState.PRE_ACTIVE:
            return self._with(_staged(entry, now, reason, period), now)
        if _ended(entry, now):
            raise KeyProviderError(f"{_end(entry)}: stage another one ('privkit keys stage')")
        return self._with(_changed(entry, "stage", now, reason), now)

    def promote(self, key_id: str, *, now: datetime, reason: str) -> "ManagedKeyset":
        """
        Make an active key the primary. The one before stays active, and resolves.
        """
        entry, now = self.get(key_id), self.at(now)
        if key_id == self.primary_id:
            raise KeyProviderError(f"key {key_id} is the primary already")
        if not _leads(entry.state, "promote"):
            raise KeyProviderError(
                f"only an active key becomes primary, and key {key_id} is {entry.state}: stage "
                "one first ('privkit keys stage')"
            )
        if _ended(entry, now):
            raise KeyProviderError(f"{_end(entry)}: stage another one ('privkit keys stage')")
        return self._with(_changed(entry, "promote", now, reason), now, primary_id=key_id)

    def retire(self, key_id: str, *, now: datetime, reason: str) -> "ManagedKeyset":
        """
        Deactivate a key: it resolves what it made, and never protects again.
        """
        return self._enter(key_id, "retire", now, reason)

    def suspend(self, key_id: str, *, now: datetime, reason: str) -> "ManagedKeyset":
        """
        Stop a key from protecting until it is staged again. If it is the primary, none protects.
        """
        return self._enter(key_id, "suspend", now, reason)

    def compromise(self, key_id: str, *, now: datetime, reason: str) -> "ManagedKeyset":
        """
        Let a key resolve for a stated reason only. If it is the primary, none protects.
        """
        return self._enter(key_id, "compromise", now, reason)

    def destroy(self, key_id: str, *, now: datetime, reason: str) -> "ManagedKeyset":
        """
        Erase a key that no recorded dataset needs. Its id and its history stay.
        """
        needed = tuple(name for name, ids in self.datasets.items() if key_id in ids)
        if needed:
            raise KeyProviderError(
                f"key {key_id} is needed by {len(needed)} recorded datasets, among them "
                f"{needed[0]}: re-key them first, or forget those that are gone",
                key_id=key_id,
                datasets=needed,
            )
        return self._enter(key_id, "destroy", now, reason)

    def record(self, dataset: str, key_ids: Collection[str], *, now: datetime) -> "ManagedKeyset":
        """
        Write down which keys a dataset needs, in place of what was recorded of it.
        """
        _check_text("the name of a dataset", dataset)
        if not key_ids or isinstance(key_ids, str):
            raise KeyProviderError("a dataset is recorded with a list of the ids of its keys")
        for key_id in key_ids:
            if self.get(key_id).key is None:
                raise KeyNotFoundError(f"key {key_id} was destroyed, so no dataset can need it")
        datasets = {**self.datasets, dataset: tuple(sorted(set(key_ids)))}
        return self._replace(self.at(now), datasets=datasets)

    def forget(self, dataset: str, *, now: datetime) -> "ManagedKeyset":
        """
        Strike a dataset that is gone from the record.
        """
        if dataset not in self.datasets:
            raise KeyProviderError(
                f"no such dataset is recorded; {len(self.datasets)} are ('privkit keys list')"
            )
        datasets = {name: ids for name, ids in self.datasets.items() if name != dataset}
        return self._replace(self.at(now), datasets=datasets)

    def at(self, now: datetime, /) -> datetime:
        """
        Return the time to go by: *now*, or the latest time ever seen if the clock was set back.
        """
        return max(timestamp(now), self.high_water)

    def left(self, now: datetime, /) -> timedelta | None:
        """
        Return how long the primary still protects, once most of its period is over.
        """
        primary = self.get(self.primary_id)
        if primary.until is None or primary.state is not KeyState.ACTIVE:
            return None
        begun = next(change.time for change in primary.history if change.act == "stage")
        left = primary.until - self.at(now)
        return left if timedelta(0) < left <= (primary.until - begun) / WARN_IN else None

    def get(self, key_id: str, /) -> ManagedKey:
        """
        Return a key and its life.

        Raises:
            KeyNotFoundError: If there never was a key of that id.
        """
        for entry in self.keys:
            if entry.key_id == key_id:
                return entry
        shown = key_id if is_id(key_id) else "of that id"
        del key_id
        ids = ", ".join(entry.key_id for entry in self.keys)
        raise KeyNotFoundError(f"there is no key {shown} among the keys {ids}")

    def keyset(self, now: datetime, /) -> Keyset:
        """
        Return what the keys may do at a time.
        """
        primary = self.get(self.primary_id)
        others = [entry for entry in reversed(self.keys) if entry is not primary]
        return Keyset(
            primary.key if primary.state in LIVE else None,
            _keys(others, LIVE),
            compromised=_keys([primary, *others], {KeyState.COMPROMISED}),
            destroyed=[entry.key_id for entry in self.keys if entry.key is None],
            obstacle=_obstacle(primary, self.at(now)),
        )

    def _legal(self, key_id: str, act: str) -> ManagedKey:
        entry = self.get(key_id)
        if not _leads(entry.state, act):
            froms = " or ".join(state for state in NEXT if _leads(state, act))
            raise KeyProviderError(
                f"{act} is for a key that is {froms}, and key {key_id} is {entry.state}"
            )
        return entry

    def _enter(self, key_id: str, act: str, now: datetime, reason: str) -> "ManagedKeyset":
        entry, now = self._legal(key_id, act), self.at(now)
        if key_id == self.primary_id and RESULT[act] not in PRIMARY:
            raise KeyProviderError(
                f"key {key_id} is the primary: promote another one first ('privkit keys promote')"
            )
        changed = _changed(entry, act, now, reason)
        if RESULT[act] is KeyState.DESTROYED:
            changed = dataclasses.replace(changed, key=None)
        return self._with(changed, now)

    def _with(self, entry: ManagedKey, now: datetime, **parts: object) -> "ManagedKeyset":
        keys = tuple(entry if entry.key_id == old.key_id else old for old in self.keys)
        return self._replace(now, keys=keys, **parts)

    def _replace(self, now: datetime, **parts: object) -> "ManagedKeyset":
        return dataclasses.replace(self, high_water=now, **parts)  # type: ignore[arg-type]


def timestamp(moment: datetime, /) -> datetime:
    """
    Return a moment as it is written down: in UTC, to the second.
    """
    return moment.astimezone(UTC).replace(microsecond=0)


def _keys(entries: Collection[ManagedKey], states: Collection[KeyState]) -> list[Key]:
    return [entry.key for entry in entries if entry.key is not None and entry.state in states]


def _fresh(key: Key, now: datetime, reason: str) -> ManagedKey:
    return ManagedKey(
        key_id=key.id,
        tag=key.tag,
        key=key,
        until=None,
        history=(_change("prepare", now, reason),),
    )


def _staged(entry: ManagedKey, now: datetime, reason: str, period: timedelta | None) -> ManagedKey:
    until = None
    if period is not None:
        if not isinstance(period, timedelta) or not timedelta(seconds=1) <= period <= LONGEST:
            raise KeyProviderError(
                f"the period of a key is a timedelta from one second to {LONGEST.days:,} days, "
                "or None"
            )
        until = timestamp(now + period)
    return dataclasses.replace(_changed(entry, "stage", now, reason), until=until)


def _changed(entry: ManagedKey, act: str, now: datetime, reason: str) -> ManagedKey:
    return dataclasses.replace(entry, history=(*entry.history, _change(act, now, reason)))


def _change(act: str, now: datetime, reason: str) -> Change:
    _check_text("the reason of a change", reason)
    return Change(act=act, state=RESULT[act], time=now, reason=reason)


def _leads(state: KeyState, act: str) -> bool:
    # To be promoted is no change of state.
    return state is KeyState.ACTIVE if act == "promote" else RESULT[act] in NEXT[state]


def _check_text(name: str, text: object) -> None:
    if not _is_text(text):
        del text
        raise KeyProviderError(f"{name} is 1 to {MAX_TEXT} printable characters that hold no key")


def _is_text(text: object) -> bool:
    if type(text) is not str or len(text) > MAX_TEXT:
        return False
    return bool(text.strip()) and text.isprintable() and not holds_key(text)


def _ended(entry: ManagedKey, now: datetime) -> bool:
    return entry.until is not None and now >= entry.until


def _end(entry: ManagedKey) -> str:
    return f"the period of key {entry.key_id} ended on {entry.until:%Y-%m-%d}"


def _obstacle(primary: ManagedKey, now: datetime) -> str | None:
    if primary.state is not KeyState.ACTIVE:
        return f"the primary, key {primary.key_id}, is {primary.state}"
    return _end(primary) if _ended(primary, now) else None


def _complaint(keyset: ManagedKeyset) -> str | None:
    """
    Say what no sequence of operations leads to, or ``None``.
    """
    for entry in keyset.keys:
        # First of all, since messages show ids.
        if not is_id(entry.key_id) or not is_tag(entry.tag):
            return "a key of the keyset has no id or no tag"
        complaint = _life_complaint(entry, keyset.high_water)
        if complaint is not None:
            return f"key {entry.key_id} {complaint}"
    for one, other in combinations(keyset.keys, 2):
        if one.key_id == other.key_id:
            return f"the ids of a keyset differ, also from those of destroyed keys: {one.key_id}"
        if one.tag == other.tag:
            return (
                f"the tags of a keyset differ, also from those of destroyed keys, but keys "
                f"{one.key_id} and {other.key_id} are the same or share one by chance: take another"
            )
    return _primary_complaint(keyset) or _datasets_complaint(keyset)


def _life_complaint(entry: ManagedKey, high_water: datetime) -> str | None:
    history = entry.history
    if not history or (history[0].act, history[0].state) != ("prepare", KeyState.PRE_ACTIVE):
        return "begins its life pre-active"
    for before, after in pairwise(history):
        if RESULT.get(after.act) is not after.state or not _leads(before.state, after.act):
            return f"became {after.state} when it was {before.state}"
        if after.time < before.time:
            return "has a history out of order"
    if history[-1].time > high_water:
        return "has a history later than the latest time seen"
    if not all(_is_text(change.reason) for change in history):
        return "changed for a reason that is no text"
    if entry.until is not None:
        begins = [change.time for change in history if change.state is KeyState.ACTIVE]
        if not begins or max(begins) >= entry.until:
            return "became active after the end of its period, or has one and never was"
    if (entry.key is None) != (entry.state is KeyState.DESTROYED):
        return "is destroyed and has its material, or the other way round"
    if entry.key is not None and (entry.key.id, entry.key.tag) != (entry.key_id, entry.tag):
        return "has the id or the tag of another"
    return None


def _primary_complaint(keyset: ManagedKeyset) -> str | None:
    states = {entry.key_id: entry.state for entry in keyset.keys}
    promoted = {entry.key_id: entry.last("promote") for entry in keyset.keys}
    latest = max((time for time in promoted.values() if time is not None), default=None)
    # Two may have been promoted within one second.
    if latest is None or promoted.get(keyset.primary_id) != latest:
        return "the primary of a keyset is the key that was promoted last"
    if states[keyset.primary_id] not in PRIMARY:
        return f"the primary of a keyset, key {keyset.primary_id}, is {states[keyset.primary_id]}"
    return None


def _datasets_complaint(keyset: ManagedKeyset) -> str | None:
    held = {entry.key_id for entry in keyset.keys if entry.key is not None}
    for name, ids in keyset.datasets.items():
        if not _is_text(name):
            return "the name of a dataset is no text"
        if not ids or tuple(sorted(set(ids))) != ids or not held.issuperset(ids):
            return "a dataset needs keys of the keyset that are not destroyed, each named once"
    return None
