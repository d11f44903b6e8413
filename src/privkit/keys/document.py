"""
Managed keysets as text, which is what a keyset file seals.

The layout is frozen: JSON with ``privkit-keysets`` as its number, one object a keyset.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypedDict, TypeVar

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import text as grammar
from privkit.keys.key import Key
from privkit.keys.managed import Change, ManagedKey, ManagedKeyset
from privkit.keys.provider import NAME
from privkit.keys.states import KeyState
from privkit.typing import Secret

FORMAT: Final = 1
"""Frozen: readers tell layouts apart by this number."""

TIME: Final = "%Y-%m-%dT%H:%M:%SZ"

T = TypeVar("T")


def write(keysets: Mapping[str, ManagedKeyset], /) -> SecretBytes:
    """
    Return managed keysets as text. It holds the keys.
    """
    document = {
        "privkit-keysets": FORMAT,
        "keysets": {
            name: {
                "primary": keyset.primary_id,
                "high_water": keyset.high_water.strftime(TIME),
                "keys": [_written(entry) for entry in keyset.keys],
                "datasets": {dataset: list(ids) for dataset, ids in keyset.datasets.items()},
            }
            for name, keyset in keysets.items()
        },
    }
    return SecretBytes(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def read(content: Secret, /) -> dict[str, ManagedKeyset] | str:
    """
    Read what `write` wrote, or say what is wrong.

    That is if *content* is no such text, is of another layout, names a part twice, or tells a
    life that no key can have.
    """
    found = _read(content)
    if isinstance(found, str):
        return found
    try:
        return {name: ManagedKeyset(**parts) for name, parts in found.items()}
    except KeyMaterialError as error:
        return f"holds keysets that contradict themselves: {error}"


def _written(entry: ManagedKey) -> dict[str, object]:
    return {
        "id": entry.key_id,
        "tag": entry.tag,
        "key": None if entry.key is None else entry.key.to_text(),
        "until": None if entry.until is None else entry.until.strftime(TIME),
        "history": [
            {
                "act": change.act,
                "state": change.state.value,
                "time": change.time.strftime(TIME),
                "reason": change.reason,
            }
            for change in entry.history
        ],
    }


class _WrongError(ValueError):
    """
    Tells what is wrong. None of privkit's own, since the frames on its way hold key bytes.
    """


class _Parts(TypedDict):
    keys: tuple[ManagedKey, ...]
    primary_id: str
    high_water: datetime
    datasets: dict[str, tuple[str, ...]]


def _read(content: Secret) -> dict[str, _Parts] | str:
    """
    Return what each keyset is made of, or what is wrong. It never raises.
    """
    try:
        document = json.loads(content.expose(), object_pairs_hook=_once)
        layout = document["privkit-keysets"]
        if layout != FORMAT or isinstance(layout, bool):
            return f"holds keysets of another layout than {FORMAT}, the one known here"
        keysets = _typed(_parts(document, "privkit-keysets", "keysets")["keysets"], dict)
        if not keysets or not all(map(NAME.fullmatch, keysets)):
            return "holds no keysets, or one without a name"
        return {name: _keyset(keyset) for name, keyset in keysets.items()}
    except (_WrongError, KeyMaterialError) as error:
        return f"holds keysets that contradict themselves: {error}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "holds keysets that are incomplete, or have a part of the wrong form"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Of two primaries, JSON would take the last one.
    if len(dict(pairs)) < len(pairs):
        raise _WrongError("a part of them stands there twice, such as two primaries")
    return dict(pairs)


def _keyset(value: object) -> _Parts:
    part = _parts(value, "primary", "high_water", "keys", "datasets")
    return {
        "keys": tuple(map(_entry, _typed(part["keys"], list))),
        "primary_id": _typed(part["primary"], str),
        "high_water": _time(part["high_water"]),
        "datasets": {
            name: tuple(_typed(key_id, str) for key_id in _typed(ids, list))
            for name, ids in _typed(part["datasets"], dict).items()
        },
    }


def _entry(value: object) -> ManagedKey:
    part = _parts(value, "id", "tag", "key", "until", "history")
    return ManagedKey(
        key_id=_typed(part["id"], str),
        tag=_typed(part["tag"], str),
        key=None if part["key"] is None else _key(SecretBytes(_typed(part["key"], str).encode())),
        until=None if part["until"] is None else _time(part["until"]),
        history=tuple(map(_change, _typed(part["history"], list))),
    )


def _key(text: SecretBytes) -> Key:
    found = grammar.read(text)
    if isinstance(found, str):
        raise _WrongError(found)
    return Key(found[0], found[1].expose())


def _change(value: object) -> Change:
    part = _parts(value, "act", "state", "time", "reason")
    return Change(
        act=_typed(part["act"], str),
        state=KeyState(_typed(part["state"], str)),
        time=_time(part["time"]),
        reason=_typed(part["reason"], str),
    )


def _time(text: object) -> datetime:
    return datetime.strptime(_typed(text, str), TIME).replace(tzinfo=UTC)


def _parts(value: object, *names: str) -> dict[str, object]:
    part = _typed(value, dict)
    # What is not known would be lost at the next change.
    if set(part) != set(names):
        raise KeyError(*names)
    return part


def _typed(value: object, kind: type[T]) -> T:
    # A bool is an int to isinstance.
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value
