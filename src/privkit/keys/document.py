"""
Managed keysets as text, which is what a keyset file seals.

The layout is frozen: JSON with ``privkit-keysets`` as its number, one object a keyset.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

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


def read(content: Secret, /) -> dict[str, ManagedKeyset]:
    """
    Read what `write` wrote.

    Raises:
        KeyMaterialError: If *content* is no such text, is of a later layout, names a part twice,
            or tells a life that no key can have.
    """
    found = _read(content)
    if isinstance(found, str):
        raise KeyMaterialError(found)
    return found


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


def _read(content: Secret) -> dict[str, ManagedKeyset] | str:
    """
    Return the keysets, or what is wrong. It never raises, since its locals hold key bytes.
    """
    try:
        document = json.loads(content.expose(), object_pairs_hook=_once)
        layout = document["privkit-keysets"]
        if layout != FORMAT or isinstance(layout, bool):
            return f"the keysets have another layout than {FORMAT}, the one known here"
        return {
            name: _keyset(_typed(keyset, dict))
            for name, keyset in _typed(document["keysets"], dict).items()
            if _is_name(name)
        }
    except KeyMaterialError as error:
        return str(error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return "the keysets are incomplete, or one of their parts has the wrong form"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Of two primaries, JSON would take the last one.
    if len(dict(pairs)) < len(pairs):
        raise KeyMaterialError("a part of the keysets stands there twice, such as two primaries")
    return dict(pairs)


def _is_name(name: str) -> bool:
    if not NAME.fullmatch(name):
        raise TypeError(NAME.pattern)
    return True


def _keyset(part: dict[str, object]) -> ManagedKeyset:
    datasets = _typed(part["datasets"], dict)
    return ManagedKeyset(
        keys=tuple(_entry(_typed(entry, dict)) for entry in _typed(part["keys"], list)),
        primary_id=_typed(part["primary"], str),
        high_water=_time(part["high_water"]),
        datasets={
            name: tuple(_typed(key_id, str) for key_id in _typed(ids, list))
            for name, ids in datasets.items()
        },
    )


def _entry(part: dict[str, object]) -> ManagedKey:
    return ManagedKey(
        key_id=_typed(part["id"], str),
        tag=_typed(part["tag"], str),
        key=None if part["key"] is None else _key(SecretBytes(_typed(part["key"], str).encode())),
        until=None if part["until"] is None else _time(part["until"]),
        history=tuple(_change(_typed(change, dict)) for change in _typed(part["history"], list)),
    )


def _key(text: SecretBytes) -> Key:
    found = grammar.read(text)
    if isinstance(found, str):
        raise KeyMaterialError(found)
    return Key(found[0], found[1].expose())


def _change(part: dict[str, object]) -> Change:
    return Change(
        act=_typed(part["act"], str),
        state=KeyState(_typed(part["state"], str)),
        time=_time(part["time"]),
        reason=_typed(part["reason"], str),
    )


def _time(text: object) -> datetime:
    return datetime.strptime(_typed(text, str), TIME).replace(tzinfo=UTC)


def _typed(value: object, kind: type[T]) -> T:
    # A bool is an int to isinstance.
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value
