"""
One change in the life of a key, for an audit trail.
"""

import dataclasses
import json
from typing import Final, Protocol

FORMAT: Final = 1
"""Frozen: readers tell layouts apart by this number."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """
    A change that is about to be made to a keyset.

    Args:
        time: When: ISO 8601, UTC.

        act: What, such as ``"retire"``.

        keyset: The name of the keyset.

        key_id: The id of the key; ``None`` where no single key changes.

        reason: Why, in words.
    """

    time: str
    act: str
    keyset: str
    key_id: str | None
    reason: str

    def to_json(self) -> str:
        """
        Return the event as one line of JSON, without a line break.
        """
        return json.dumps({"privkit-key-audit": FORMAT, **dataclasses.asdict(self)})


class KeyAudit(Protocol):
    """
    Anything that keeps changes of keys, such as `privkit.audit.JSONLinesAudit`.
    """

    def write(self, event: KeyEvent, /) -> None:
        """
        Store *event* durably before returning; raise if that cannot be done.
        """
        ...
