"""
What a key may do at a time of its life, after NIST SP 800-57 Part 1 Revision 5, section 7.

::

    pre-active ──► active ◄──► suspended
        │            │  └────────┐ │
        │            ▼           ▼ ▼
        │       deactivated ◄────┘ │
        │            │             │
        └──► compromised ◄─────────┘      (from every state but destroyed)
                     │
                     ▼
                destroyed                 (from pre-active, deactivated, compromised)
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class KeyState(StrEnum):
    """
    A state of a key. Only an active key protects, and of several the primary alone.
    """

    PRE_ACTIVE = "pre-active"
    """It exists and does nothing yet."""

    ACTIVE = "active"
    """It resolves, and protects if it is the primary."""

    SUSPENDED = "suspended"
    """It resolves, and may become active again."""

    DEACTIVATED = "deactivated"
    """It resolves what it made, and never protects again."""

    COMPROMISED = "compromised"
    """Somebody else may have it. It resolves for a stated reason only."""

    DESTROYED = "destroyed"
    """It is gone, and its id is never given again."""


LIVE: Final = frozenset({KeyState.ACTIVE, KeyState.SUSPENDED, KeyState.DEACTIVATED})
"""The states of keys that resolve without further reason."""

NEXT: Final[Mapping[KeyState, frozenset[KeyState]]] = {
    KeyState.PRE_ACTIVE: frozenset({KeyState.ACTIVE, KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.ACTIVE: frozenset({KeyState.SUSPENDED, KeyState.DEACTIVATED, KeyState.COMPROMISED}),
    KeyState.SUSPENDED: frozenset({KeyState.ACTIVE, KeyState.DEACTIVATED, KeyState.COMPROMISED}),
    KeyState.DEACTIVATED: frozenset({KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.COMPROMISED: frozenset({KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset(),
}
"""Which state may follow which."""
