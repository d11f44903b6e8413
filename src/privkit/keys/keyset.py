"""
The keys that serve one purpose at one time.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NoReturn, cast, final

from privkit.errors import KeyMaterialError, KeyNotFoundError
from privkit.keys.key import Key
from privkit.keys.text import is_id


@final
class Keyset:
    """
    Join the primary key, which alone protects, to the other keys that still resolve.

    Args:
        primary: The key of every fresh pseudonym. ``None`` if it resolves nothing either, being
            compromised or destroyed; *obstacle* then says so.

        older: Other keys that resolve: those that the primary replaced, latest first, and those
            that are staged to replace it.

        compromised: Keys that resolve for a stated reason only.

        destroyed: The ids of keys that are gone.

        obstacle: Why the primary may not protect, such as ``"key k1 is suspended"``; ``None`` if
            it may.

    Raises:
        KeyMaterialError: If two keys share an id, a tag or their material, anything but a key
            is given, or there is neither a primary nor an obstacle.

    .. versionadded:: 0.1
    """

    __slots__ = ("_first", "compromised", "destroyed", "obstacle", "older")

    older: tuple[Key, ...]
    compromised: tuple[Key, ...]
    destroyed: tuple[str, ...]
    obstacle: str | None

    def __init__(
        self,
        primary: Key | None,
        older: Sequence[Key] = (),
        *,
        compromised: Sequence[Key] = (),
        destroyed: Sequence[str] = (),
        obstacle: str | None = None,
    ) -> None:
        complaint = (
            keys_complaint(primary, older)
            if obstacle is None or primary is not None
            else _others_complaint("older", older)
        ) or _others_complaint("compromised", compromised)
        if complaint is not None:
            # What stands in the place of a key may be its bytes, and a traceback prints locals.
            del self, primary, older, compromised
            raise KeyMaterialError(complaint)
        self._first: Key | None
        object.__setattr__(self, "_first", primary)
        object.__setattr__(self, "older", tuple(older))
        object.__setattr__(self, "compromised", tuple(compromised))
        object.__setattr__(self, "destroyed", tuple(destroyed))
        object.__setattr__(self, "obstacle", obstacle)
        for one, other in combinations((*self.live, *self.compromised), 2):
            if one.id == other.id:
                raise KeyMaterialError(f"the ids of a keyset differ, got {one.id} twice")
            if one.tag == other.tag:
                raise KeyMaterialError(
                    f"the tags of a keyset differ, but keys {one.id} and {other.id} are the same "
                    "or share one by chance; run 'privkit keygen' to make another"
                )

    @property
    def primary(self) -> Key:
        """
        The one key that protects.

        Raises:
            KeyNotFoundError: If it may not: it is suspended, compromised or past its period.
        """
        if self.obstacle is not None:
            raise KeyNotFoundError(
                f"no key may protect: {self.obstacle}; stage and promote another "
                "('privkit keys stage', 'privkit keys promote')"
            )
        return cast("Key", self._first)

    @property
    def live(self) -> tuple[Key, ...]:
        """
        All keys that resolve without further reason, the primary first.
        """
        return self.older if self._first is None else (self._first, *self.older)

    @property
    def ids(self) -> tuple[str, ...]:
        """
        The ids of the live keys, the primary's first.
        """
        return tuple(key.id for key in self.live)

    def get(self, key_id: str, /, *, allow_compromised: str | None = None) -> Key:
        """
        Return the key of that id, if it resolves.

        Args:
            key_id: The id.

            allow_compromised: Why a compromised key may resolve this time, in words.

        Raises:
            KeyNotFoundError: If no key of that id resolves.
        """
        stated = type(allow_compromised) is str and allow_compromised.strip()
        keys = (*self.live, *self.compromised) if stated else self.live
        for key in keys:
            if key.id == key_id:
                return key
        # An id comes from data, where anything may stand in its place.
        shown = key_id if is_id(key_id) else "of that id"
        compromised = key_id in {key.id for key in self.compromised}
        destroyed = key_id in self.destroyed
        del key_id
        if compromised:
            raise KeyNotFoundError(
                f"key {shown} is compromised, so it resolves for a stated reason only: "
                "allow_compromised='…'"
            )
        if destroyed:
            raise KeyNotFoundError(f"key {shown} was destroyed, and what it made stays as it is")
        raise KeyNotFoundError(
            f"there is no key {shown} among the keys {', '.join(self.ids) or '(none)'}"
        )

    def _parts(self) -> tuple[object, ...]:
        return self._first, self.older, self.compromised, self.destroyed, self.obstacle

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keyset):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        del value
        raise AttributeError(f"a keyset does not change, so {name} cannot be set")

    def __repr__(self) -> str:
        return f"Keyset(ids={list(self.ids)!r})"


def keys_complaint(primary: object, older: object, /) -> str | None:
    """
    Say which type stands in the place of a key, or ``None``.
    """
    if not isinstance(older, (list, tuple)):
        return f"the older keys are a list or a tuple, got {type(older).__name__}"
    return _others_complaint("older", (primary, *cast("Sequence[object]", older)))


def _others_complaint(name: str, keys: object) -> str | None:
    if not isinstance(keys, (list, tuple)):
        return f"the {name} keys are a list or a tuple, got {type(keys).__name__}"
    others = cast("Sequence[object]", keys)
    strangers = (type(key).__name__ for key in others if not isinstance(key, Key))
    stranger = next(strangers, None)
    return None if stranger is None else f"a keyset holds keys, got {stranger}"
