"""
Keys that are fetched again and again, and used for a bounded time while that fails.
"""

import math
import os
import threading
import time
from collections.abc import Iterator
from itertools import repeat
from typing import Final, final

from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys.keyset import Keyset
from privkit.keys.provider import KeyProvider, Lease, require_name, resolve

PAUSE: Final = 16
"""After a failure the provider is left alone for a sixteenth of the time to live, ..."""

LONGEST_PAUSE: Final = 5.0
"""... at most this many seconds."""

MIN_USES: Final = 2
"""One half before keys are renewed, and one after."""


@final
class CachedKeys:
    """
    Renew the keysets of another provider, and bridge its outages for a while.

    A keyset is used for at most *ttl* seconds and *max_uses* times after it was fetched. When
    half of either is over, a thread fetches it again while callers go on with what they have: so
    a key that was promoted is used within half of *ttl*, without a restart. If that fails until
    either is used up, callers get `KeyUnavailableError`, and the provider is asked again at most
    a few times a minute. If the provider says that the keyset is gone or broken, it is not used
    any further.

    Time is that of a clock which nobody can set. Each process counts for itself, after a fork
    too. It is pickled as the provider and the limits.

    Args:
        provider: Where keysets come from. It should read again at each call: `KeysetFile` and
            `FileKeys` do, `EnvironmentKeys` has nothing else to read.

        ttl: Seconds.

        max_uses: How many values or records may be protected, or lookups made; ``None`` for any
            number.

    Raises:
        KeyProviderError: If *ttl* is not a positive number, or *max_uses* no number from 2 on.

    .. versionadded:: 0.1
    """

    __slots__ = ("_max_uses", "_places", "_provider", "_ttl")

    def __init__(
        self, provider: KeyProvider, /, *, ttl: float, max_uses: int | None = None
    ) -> None:
        complaint = _complaint(provider, ttl, max_uses)
        if complaint is not None:
            # Somebody passes a key in the place of a provider one day.
            del self, provider
            raise KeyProviderError(complaint)
        self._provider = provider
        self._ttl = ttl
        self._max_uses = max_uses
        self._places: dict[tuple[int, str], _Place] = {}

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keyset *name*, fetched at most *ttl* seconds ago.

        Raises:
            KeyUnavailableError: If it cannot be fetched, and none may still be used.
            KeyNotFoundError: If there is none of that name.
            KeyMaterialError: If its keys are broken.
        """
        try:
            return self.lease(name).keyset
        except KeyProviderError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del name
            raise

    def lease(self, name: str, /) -> Lease:
        """
        Return the keyset *name* for one use, and for more without asking again.

        Raises:
            KeyProviderError: As `keyset`.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, name
            raise
        # A lock that another thread holds during a fork stays closed in the child, so each
        # process has its own.
        place = self._places.setdefault((os.getpid(), name), _Place(name))
        held = place.held
        if held is None or not held.take():
            return self._fetched(place)
        if held.worn and place.begin():
            self._renew_aside(place)
        return held.lease

    def _fetched(self, place: "_Place") -> Lease:
        # One caller asks, and the others wait for what it gets.
        with place.lock:
            if place.held is not None and place.held.take():
                return place.held.lease
            if time.monotonic() >= place.pause_until:
                held = self._renew(place)
                if held is not None:
                    # What was fetched serves its caller, however slow the machine.
                    held.take()
                    return held.lease
            raise place.failure()

    def _renew_aside(self, place: "_Place") -> None:
        def renew() -> None:
            try:
                self._renew(place)
            finally:
                place.end()

        try:
            threading.Thread(target=renew, name="privkit keys", daemon=True).start()
        except RuntimeError:
            # No further thread is to be had: the next caller tries again.
            place.end()

    def _renew(self, place: "_Place") -> "_Held | None":
        """
        Ask the provider, note what it says, and return the keys if it has said some.
        """
        begun = time.monotonic()
        try:
            keyset = resolve(self._provider, place.name)
        except KeyProviderError as error:
            return place.note(error, begun, begun + min(self._ttl / PAUSE, LONGEST_PAUSE))
        return place.take_over(keyset, begun, self._ttl, self._max_uses)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CachedKeys):
            return NotImplemented
        return (self._provider, self._ttl, self._max_uses) == (
            other._provider,
            other._ttl,
            other._max_uses,
        )

    def __hash__(self) -> int:
        return hash((CachedKeys, self._ttl, self._max_uses))

    def __repr__(self) -> str:
        return (
            f"CachedKeys({type(self._provider).__name__}, ttl={self._ttl!r}, "
            f"max_uses={self._max_uses!r})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self._provider, self._ttl, self._max_uses)


@final
class _Held:
    """
    A keyset and what is left of it.
    """

    __slots__ = ("_expires", "_reserve", "_reserved", "lease")

    def __init__(self, keyset: Keyset, begun: float, ttl: float, max_uses: int | None) -> None:
        self._expires = begun + ttl
        self._reserved = False
        uses: Iterator[bool] = repeat(True)
        self._reserve: Iterator[bool] = repeat(True)
        if max_uses is not None:
            uses = repeat(True, max_uses // 2)
            self._reserve = repeat(True, max_uses - max_uses // 2)
        self.lease = Lease(keyset, begun + ttl / 2, uses)

    @property
    def worn(self) -> bool:
        """
        Whether half of the time or of the uses is over.
        """
        return self._reserved or time.monotonic() >= self.lease.until

    def take(self) -> bool:
        """
        Use the keyset once, if that may be.
        """
        if time.monotonic() >= self._expires:
            return False
        if next(self.lease.uses, False):
            return True
        self._reserved = True
        return next(self._reserve, False)


@final
class _Place:
    """
    What one process has of one keyset.
    """

    __slots__ = (
        "_asked",
        "_failure",
        "_renewing",
        "_telling",
        "held",
        "lock",
        "name",
        "pause_until",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.held: _Held | None = None
        self.pause_until = 0.0
        self._renewing = threading.Lock()
        self._telling = threading.Lock()
        # When what is held, or the word that ended it, was asked for.
        self._asked = 0.0
        self._failure: tuple[type[KeyProviderError], str] = (KeyUnavailableError, "")

    def begin(self) -> bool:
        """
        Claim the next renewal, unless another is under way or one has just failed.
        """
        return time.monotonic() >= self.pause_until and self._renewing.acquire(blocking=False)

    def end(self) -> None:
        """
        Let others claim a renewal.
        """
        self._renewing.release()

    def take_over(
        self, keyset: Keyset, begun: float, ttl: float, max_uses: int | None
    ) -> _Held | None:
        """
        Hold the keyset of a question that was asked at *begun*, and return what is held.
        """
        with self._telling:
            # A slow answer is of an earlier time than one that overtook it.
            if begun >= self._asked:
                before = self.held
                if before is not None and before.lease.keyset == keyset:
                    # What was bound to these keys stays bound.
                    keyset = before.lease.keyset
                self._asked = begun
                self.pause_until = 0.0
                self.held = _Held(keyset, begun, ttl, max_uses)
            return self.held

    def note(self, error: KeyProviderError, begun: float, pause_until: float) -> _Held | None:
        """
        Remember a failure, and drop the keyset if the provider says that it is gone or broken.

        Returns:
            What another question has brought, which was asked later.
        """
        final_word = isinstance(error, KeyNotFoundError | KeyMaterialError)
        with self._telling:
            if begun < self._asked:
                return self.held
            self._failure = (type(error) if final_word else KeyUnavailableError, str(error))
            self.pause_until = pause_until
            if final_word:
                self._asked = begun
                self.held = None
            return None

    def failure(self) -> KeyProviderError:
        """
        Return the last failure, as an error of its own for each caller.
        """
        kind, message = self._failure
        return kind(message)


def _complaint(provider: object, ttl: object, max_uses: object) -> str | None:
    if isinstance(provider, type) or not callable(getattr(provider, "keyset", None)):
        kind = provider.__name__ if isinstance(provider, type) else type(provider).__name__
        return f"CachedKeys takes a key provider, such as KeysetFile(...), got {kind}"
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl < math.inf:
        return "ttl is a number of seconds, larger than 0"
    if max_uses is not None and (type(max_uses) is not int or max_uses < MIN_USES):
        return f"max_uses is a whole number, at least {MIN_USES}, or None"
    return None


def _restored(provider: KeyProvider, ttl: float, max_uses: int | None) -> CachedKeys:
    return CachedKeys(provider, ttl=ttl, max_uses=max_uses)
