"""
The keys that serve one purpose at one time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import cast, final

from privkit.errors import KeyMaterialError, KeyNotFoundError
from privkit.keys.key import Key
from privkit.keys.text import is_id


@final
@dataclass(frozen=True, slots=True, init=False)
class Keyset:
    """
    Join the primary key, which alone protects, to the keys it replaced.

    Args:
        primary: The key of every fresh pseudonym.

        older: Keys that still resolve what they made, latest first.

    Raises:
        KeyMaterialError: If two keys share an id, a tag or their material, or anything but a key
            is given.

    .. versionadded:: 0.1
    """

    primary: Key
    older: tuple[Key, ...]

    def __init__(self, primary: Key, older: Sequence[Key] = ()) -> None:
        complaint = keys_complaint(primary, older)
        if complaint is not None:
            # What stands in the place of a key may be its bytes, and a traceback prints locals.
            del self, primary, older
            raise KeyMaterialError(complaint)
        object.__setattr__(self, "primary", primary)
        object.__setattr__(self, "older", tuple(older))
        for one, other in combinations(self.live, 2):
            if one.id == other.id:
                raise KeyMaterialError(f"the ids of a keyset differ, got {one.id} twice")
            if one.tag == other.tag:
                raise KeyMaterialError(
                    f"the tags of a keyset differ, but keys {one.id} and {other.id} are the same "
                    "or share one by chance; run 'privkit keygen' to make another"
                )

    @property
    def live(self) -> tuple[Key, ...]:
        """
        All keys that resolve, the primary first.
        """
        return (self.primary, *self.older)

    @property
    def ids(self) -> tuple[str, ...]:
        """
        The ids of the live keys, the primary's first.
        """
        return tuple(key.id for key in self.live)

    def get(self, key_id: str, /) -> Key:
        """
        Return the live key of that id.

        Raises:
            KeyNotFoundError: If there is none.
        """
        for key in self.live:
            if key.id == key_id:
                return key
        # An id comes from data, where anything may stand in its place.
        shown = key_id if is_id(key_id) else "of that id"
        del key_id
        raise KeyNotFoundError(f"there is no key {shown} among the keys {', '.join(self.ids)}")

    def __repr__(self) -> str:
        return f"Keyset(ids={list(self.ids)!r})"


def keys_complaint(primary: object, older: object, /) -> str | None:
    """
    Say which type stands in the place of a key, or ``None``.
    """
    if not isinstance(older, (list, tuple)):
        return f"the older keys are a list or a tuple, got {type(older).__name__}"
    keys = (primary, *cast("Sequence[object]", older))
    strangers = (type(key).__name__ for key in keys if not isinstance(key, Key))
    stranger = next(strangers, None)
    return None if stranger is None else f"a keyset holds keys, got {stranger}"
