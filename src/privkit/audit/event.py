"""
One line of the audit trail.
"""

import dataclasses
import json
from typing import Final, Literal

FORMAT: Final = 1
"""Frozen: readers tell layouts apart by this number."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """
    A request to reidentify, and what was decided. It names people who ask, never data subjects.

    Args:
        time: When it was decided: ISO 8601, UTC.

        actor: Who asked.

        purpose: What for.

        outcome: Whether the access rules let it pass.

        policy: The name of the policy.

        version: The version of the policy.

        fingerprint: The fingerprint of the policy, 64 hexadecimal characters.

        fields: The policy paths asked for.

        records: How many records were asked for; ``None`` for a stream whose end is not known.

        allow_compromised: Why compromised keys may resolve; ``None`` where they may not.
    """

    time: str
    actor: str
    purpose: str
    outcome: Literal["granted", "denied"]
    policy: str
    version: int
    fingerprint: str
    fields: tuple[str, ...]
    records: int | None
    allow_compromised: str | None = None

    def to_json(self) -> str:
        """
        Return the event as one line of JSON, without a line break.
        """
        parts = dataclasses.asdict(self)
        if self.allow_compromised is None:
            del parts["allow_compromised"]
        return json.dumps({"privkit-audit": FORMAT, **parts})
