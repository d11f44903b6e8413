"""
Where keysets come from, and the one place that trusts no provider.
"""

import re
from collections.abc import Iterator
from typing import Final, Protocol, final

from privkit.errors import KeyNotFoundError, KeyProviderError, PrivkitError
from privkit.keys.keyset import Keyset
from privkit.keys.text import holds_key

DEFAULT: Final = "default"
NAME: Final = re.compile("[a-z][a-z0-9_]{0,62}")


class KeyProvider(Protocol):
    """
    Anything that hands out keysets by name.

    Constructing a provider does no I/O. `keyset` may block, and must be safe to call from
    several threads.
    """

    def keyset(self, name: str, /) -> Keyset:
        """
        Return every key of the keyset *name*: the primary, and those it replaced.

        Raises:
            KeyNotFoundError: If there is no keyset of that name.
            KeyUnavailableError: If the backend cannot be reached; retry.
        """
        ...


@final
class Lease:
    """
    A keyset that may be used for a while, and for a number of times.

    Attributes:
        keyset: The keys.

        until: The reading of ``time.monotonic()`` up to which it may be used without asking again.

        uses: Yields something true for each such use that is left, and is exhausted behind them.
    """

    __slots__ = ("keyset", "until", "uses")

    def __init__(self, keyset: Keyset, until: float, uses: Iterator[bool]) -> None:
        self.keyset = keyset
        self.until = until
        self.uses = uses

    def __repr__(self) -> str:
        return f"Lease({self.keyset!r})"


class RenewingKeys(KeyProvider, Protocol):
    """
    A provider whose keysets are to be asked for again and again, such as `CachedKeys`.
    """

    def lease(self, name: str, /) -> Lease:
        """
        Return the keyset *name* for one use, and for as many more as the lease allows.

        Raises:
            KeyProviderError: If no keys can be had, or none that may still be used.
        """
        ...


def require_name(name: str, /) -> None:
    """
    Refuse what is not the name of a keyset, before it reaches a path or a variable.

    It may be a key, so whoever calls this deletes the name before the error leaves.

    Raises:
        KeyNotFoundError: If *name* is not a lower-case letter and then up to 62 lower-case
            letters, digits or underscores.
    """
    complaint = _name_complaint(name)
    del name
    if complaint is not None:
        raise KeyNotFoundError(complaint)


def _name_complaint(name: object) -> str | None:
    if type(name) is not str:
        given = type(name).__name__
    elif holds_key(name):
        given = "what looks like a key"
    elif not NAME.fullmatch(name):
        given = f"{len(name)} characters"
    else:
        return None
    return (
        "the name of a keyset is a lower-case letter, then up to 62 lower-case letters, digits "
        f"or underscores, got {given}"
    )


def resolve(provider: KeyProvider, name: str, /) -> Keyset:
    """
    Ask a provider for a keyset, and hold it to its contract.

    A provider that never answers blocks its caller: set time limits in its client.

    Raises:
        KeyProviderError: If the provider raises anything of its own, or returns anything but a
            `Keyset`. Errors of privkit pass, without what caused them, which may hold a secret.
    """
    try:
        require_name(name)
    except KeyNotFoundError:
        del provider, name
        raise
    culprit = type(provider).__name__
    keyset: object = None
    failure: PrivkitError | None = None
    try:
        keyset = provider.keyset(name)
    except PrivkitError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - whatever a provider raises may hold a secret
        failure = KeyProviderError(f"the key provider {culprit} raised {type(error).__name__}")
    if isinstance(keyset, Keyset):
        return keyset
    if failure is None:
        failure = KeyProviderError(
            f"the key provider {culprit} returns a Keyset, got {type(keyset).__name__}"
        )
    # Either may show key bytes when a traceback prints locals, and so may the frames below.
    del keyset, provider
    failure.__cause__ = failure.__context__ = None
    raise failure.with_traceback(None)
