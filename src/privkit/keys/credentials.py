"""
Keys from a credential of systemd.
"""

import os
import re
from pathlib import Path
from typing import Final, final

from privkit.errors import KeyNotFoundError, KeyProviderError
from privkit.keys import ring
from privkit.keys.file import read_private
from privkit.keys.keyset import Keyset
from privkit.keys.provider import DEFAULT, require_name
from privkit.keys.text import holds_key

VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd says where the credentials of a unit are."""

NAME: Final = re.compile("[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}")

MODES: Final = 0o640
"""
What a credential of root's may have: the bits of its group are the mask of the access list by
which systemd lets the user of the unit read it.
"""

CURE: Final = (
    "put LoadCredentialEncrypted={name}:/etc/credstore.encrypted/{name} under [Service] in the "
    "unit file, and restart the unit"
)


@final
class CredentialKeys:
    """
    Read keysets from a credential of the systemd unit, at each call: a binding asks once.

    The credential holds the texts that ``privkit keygen`` makes, one a line and the primary
    first; ``#`` starts a comment, and ``[billing]`` starts the keyset of that name. The unit has
    ``LoadCredential=`` or ``LoadCredentialEncrypted=``; systemd then sets
    ``CREDENTIALS_DIRECTORY``, and lets the user of the unit alone read the file.

    It is pickled as its name, and read again where it is unpickled.

    Args:
        name: The name of the credential: up to 128 letters, digits, underscores, points, hyphens
            and at signs, not starting with a point, a hyphen or an at sign.

    Source:
        systemd.exec(5), section "Credentials"; mode and access list as systemd sets them.

    Raises:
        KeyProviderError: If *name* breaks its rule.

    .. versionadded:: 0.1
    """

    __slots__ = ("_name",)

    def __init__(self, name: str = "privkit-keys", /) -> None:
        complaint = _complaint(name)
        if complaint is not None:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, name
            raise KeyProviderError(complaint)
        self._name = name

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keyset *name* as the credential has it.

        Raises:
            KeyNotFoundError: If the unit has no such credential, or that no such keyset.
            KeyMaterialError: If the credential is not a list of keys.
            KeyProviderError: If others can read or write the file, or the user cannot read it.
            KeyUnavailableError: If the device that holds the file fails.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del name
            raise
        path = Path(self._folder(), self._name)
        content = read_private(str(path), "credential", CURE.format(name=self._name), of_root=MODES)
        if isinstance(content, KeyProviderError):
            raise content
        found = ring.read(content, name, f"the credential {self._name}")
        if found is None:
            place = f" under a line [{name}]" if name != DEFAULT else ""
            raise KeyNotFoundError(
                f"there is no keyset {name} in the credential {self._name}: run 'privkit keygen', "
                f"add the key that it prints{place}, and restart the unit",
                keyset=name,
            )
        return found

    def _folder(self) -> Path:
        folder = os.environ.get(VARIABLE)
        if not folder:
            raise KeyNotFoundError(
                f"there are no credentials of systemd, since {VARIABLE} is not set: "
                f"{CURE.format(name=self._name)}",
                variable=VARIABLE,
            )
        if not (folder.isprintable() and Path(folder).is_absolute()):
            raise KeyProviderError(
                f"{VARIABLE} is an absolute path, which systemd sets; do not set it yourself"
            )
        return Path(folder)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CredentialKeys):
            return NotImplemented
        return self._name == other._name

    def __hash__(self) -> int:
        return hash((CredentialKeys, self._name))

    def __repr__(self) -> str:
        return f"CredentialKeys({self._name!r})"

    def __reduce__(self) -> tuple[type["CredentialKeys"], tuple[str]]:
        return CredentialKeys, (self._name,)


def _complaint(name: object) -> str | None:
    if type(name) is not str:
        return f"the name of a credential is str, got {type(name).__name__}"
    if holds_key(name):
        return "CredentialKeys takes the name of a credential, got what looks like a key"
    if not NAME.fullmatch(name):
        return (
            "the name of a credential is up to 128 letters, digits, underscores, points, hyphens "
            "and at signs, not starting with a point, a hyphen or an at sign, got "
            f"{len(name)} characters that are not"
        )
    return None
