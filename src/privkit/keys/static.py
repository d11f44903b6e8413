"""
Keys that the application already has.
"""

from collections.abc import Sequence
from typing import final

from privkit.errors import KeyMaterialError, KeyNotFoundError
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset, keys_complaint
from privkit.keys.provider import DEFAULT, require_name


@final
class StaticKeys:
    """
    Serve keys that are given at construction. It refuses to be pickled, since keys do.

    Args:
        primary: The key of every fresh pseudonym.

        older: Keys that still resolve what they made.

        name: The one keyset that is served.

    Raises:
        KeyMaterialError: If two keys share an id, a tag or their material.
        KeyNotFoundError: If *name* is no name of a keyset.

    .. versionadded:: 0.1
    """

    __slots__ = ("_ids", "_keyset", "_name")

    def __init__(self, primary: Key, *, older: Sequence[Key] = (), name: str = DEFAULT) -> None:
        complaint = keys_complaint(primary, older)
        if complaint is not None:
            # What stands in the place of a key may be its bytes, and a traceback prints locals.
            del self, primary, older, name
            raise KeyMaterialError(complaint)
        try:
            require_name(name)
        except KeyNotFoundError:
            del self, name
            raise
        # For a traceback that prints this object before it is whole.
        self._ids: tuple[str, ...] = ()
        self._keyset = Keyset(primary, older)
        self._ids = self._keyset.ids
        self._name = name

    @classmethod
    def of(cls, keyset: Keyset, /, *, name: str = DEFAULT) -> "StaticKeys":
        """
        Serve a keyset that was fetched elsewhere, as it is and from here on.

        Raises:
            KeyMaterialError: If *keyset* is none.
            KeyNotFoundError: If *name* is no name of a keyset.
        """
        if not isinstance(keyset, Keyset):
            given = type(keyset).__name__
            # What stands in the place of a keyset may be the bytes of a key.
            del keyset, name
            raise KeyMaterialError(f"StaticKeys serve a keyset, got {given}")
        try:
            require_name(name)
        except KeyNotFoundError:
            del name
            raise
        keys = super().__new__(cls)
        keys._keyset, keys._ids, keys._name = keyset, keyset.ids, name
        return keys

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keys, if *name* is theirs.

        Raises:
            KeyNotFoundError: If it is not.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            del name
            raise
        if name != self._name:
            raise KeyNotFoundError(
                f"there is no keyset {name}; these StaticKeys serve {self._name}"
            )
        return self._keyset

    def __repr__(self) -> str:
        return f"StaticKeys(ids={list(self._ids)!r})"
