"""
A key provider that fails on purpose.
"""

import threading
import time
from typing import ClassVar, Final, Literal, cast, final, get_args

from privkit.errors import KeyNotFoundError, KeyProviderError, KeyUnavailableError
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset

Fault = Literal[
    "disabled",
    "empty",
    "flaky",
    "none",
    "partial",
    "raise",
    "slow",
    "stale",
    "unavailable",
    "wrong_key",
    "wrong_length",
    "wrong_type",
]
"""
What `FaultyKeys` does:

* ``disabled``: raises `KeyNotFoundError`, as for a key that was disabled.
* ``empty``: returns ``b""``.
* ``flaky``: raises `KeyUnavailableError` on every other call, the first one included.
* ``none``: returns ``None``.
* ``partial``: returns the primary without the keys it replaced.
* ``raise``: raises an error of its own, with a secret in its message.
* ``slow``: returns the right keyset, late.
* ``stale``: returns the keyset as it was before its last rotation.
* ``unavailable``: raises `KeyUnavailableError`, caused by an error with a secret in its message.
* ``wrong_key``: returns other material under the same ids.
* ``wrong_length``: makes a key of half the size.
* ``wrong_type``: returns the text of the key in place of a keyset.
"""


class BackendError(Exception):
    """
    An error of a client library, which shows more than it should.
    """


@final
class FaultyKeys:
    """
    Stand in for a key provider that breaks. It is a fake, for tests.

    Args:
        fault: What it does wrong; one of ``FaultyKeys.FAULTS``.

        keys: The right keyset; ``None`` draws one with one older key.

        after: Calls that get the right keyset before the fault begins.

        secret: What the messages of foreign errors hold, to be searched for afterwards.

        seconds: How long ``slow`` waits.

    Raises:
        KeyProviderError: If *fault* is unknown.

    .. versionadded:: 0.1
    """

    FAULTS: ClassVar[tuple[Fault, ...]] = get_args(Fault)
    """All it can do."""

    def __init__(
        self,
        fault: Fault,
        *,
        keys: Keyset | None = None,
        after: int = 0,
        secret: str = "a secret that must not leak",  # noqa: S107 - a marker to search for
        seconds: float = 0.05,
    ) -> None:
        self.fault: Final = fault
        if fault not in self.FAULTS:
            raise KeyProviderError(f"a fault is one of {', '.join(self.FAULTS)}")
        self.keys: Final = keys or Keyset(Key.generate("fake-2"), [Key.generate("fake-1")])
        self.after: Final = after
        self.secret: Final = secret
        self.seconds: Final = seconds
        self.calls = 0
        self._lock = threading.Lock()

    def keyset(self, name: str, /) -> Keyset:  # noqa: ARG002 - every name fails alike
        """
        Return the right keyset at first, and then do the fault.
        """
        with self._lock:
            self.calls += 1
            number = self.calls - self.after
        if number <= 0:
            return self.keys
        return cast("Keyset", self._fail(number))

    def _fail(self, number: int) -> object:  # noqa: PLR0912 - one branch a fault
        match self.fault:
            case "disabled":
                raise KeyNotFoundError(f"the key {self.keys.primary.id} is disabled")
            case "empty":
                return b""
            case "flaky":
                if number % 2:
                    raise KeyUnavailableError("the key server does not answer")
                return self.keys
            case "none":
                return None
            case "partial":
                return Keyset(self.keys.primary)
            case "raise":
                raise BackendError(self.secret)
            case "slow":
                time.sleep(self.seconds)
                return self.keys
            case "stale":
                before = self.keys.older or (Key.generate("fake-stale"),)
                return Keyset(before[0], before[1:])
            case "unavailable":
                raise KeyUnavailableError("the key server does not answer") from BackendError(
                    self.secret
                )
            case "wrong_key":
                wrong = [Key.generate(key_id) for key_id in self.keys.ids]
                return Keyset(wrong[0], wrong[1:])
            case "wrong_length":
                return Keyset(Key(self.keys.primary.id, bytes(16)))
            case _:  # wrong_type
                return self.keys.primary.to_text()

    def __repr__(self) -> str:
        return f"FaultyKeys({self.fault!r})"
