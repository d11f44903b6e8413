"""
Keys from environment variables.
"""

import os
import re
from typing import Final, final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyNotFoundError, KeyProviderError
from privkit.keys import ring
from privkit.keys.keyset import Keyset
from privkit.keys.provider import DEFAULT, require_name
from privkit.keys.text import holds_key

VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]{0,126}")


@final
class EnvironmentKeys:
    """
    Read keysets from environment variables, at first use.

    A variable holds the texts that ``privkit keygen`` prints, the primary first, with white
    space or commas between them. What was read once is kept, so that a later change of the
    environment does not change pseudonyms in the middle of a run.

    It is pickled as the name of the variable, and read again where it is unpickled.

    Args:
        variable: Where the keyset ``default`` stands. The keyset ``billing`` stands in the
            variable of that name with ``_BILLING`` behind it.

    Raises:
        KeyProviderError: If *variable* is not the name of a variable.

    .. versionadded:: 0.1
    """

    __slots__ = ("_keysets", "_variable")

    def __init__(self, variable: str = "PRIVKIT_KEYS") -> None:
        complaint = _complaint(variable)
        if complaint is not None:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, variable
            raise KeyProviderError(complaint)
        self._variable = variable
        self._keysets: dict[str, Keyset] = {}

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keyset *name*, and read its variable if that was not done.

        Raises:
            KeyNotFoundError: If the variable is not set, or *name* is no name of a keyset.
            KeyMaterialError: If what the variable holds is not a list of keys.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del name
            raise
        if name not in self._keysets:
            # No lock, which a fork could copy in its locked state: of several first readers,
            # the one that stores its keyset first decides for all.
            self._keysets.setdefault(name, self._read(name))
        return self._keysets[name]

    def _read(self, name: str) -> Keyset:
        variable = self._variable if name == DEFAULT else f"{self._variable}_{name.upper()}"
        texts = ring.words(SecretBytes(os.environ.get(variable, "").encode("ascii", "replace")))
        if not texts:
            raise KeyNotFoundError(
                f"there is no keyset {name}: run 'privkit keygen' and set the environment "
                f"variable {variable} to the key that it prints",
                keyset=name,
                variable=variable,
            )
        return ring.assemble(
            [(f"key {n} of {variable}", text) for n, text in enumerate(texts, start=1)]
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnvironmentKeys):
            return NotImplemented
        return self._variable == other._variable

    def __hash__(self) -> int:
        return hash((EnvironmentKeys, self._variable))

    def __repr__(self) -> str:
        return f"EnvironmentKeys({self._variable!r})"

    def __reduce__(self) -> tuple[type["EnvironmentKeys"], tuple[str]]:
        return EnvironmentKeys, (self._variable,)


def _complaint(variable: object) -> str | None:
    if type(variable) is not str:
        return f"the name of an environment variable is str, got {type(variable).__name__}"
    if holds_key(variable):
        return "EnvironmentKeys takes the name of a variable, got what looks like a key"
    if not VARIABLE.fullmatch(variable):
        return (
            "the name of an environment variable is up to 127 letters, digits or underscores, not "
            f"starting with a digit, got {len(variable)} characters that are not"
        )
    return None
