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

    def to_json(self) -> str:
        """
        Return the event as one line of JSON, without a line break.
        """
        return json.dumps({"privkit-audit": FORMAT, **dataclasses.asdict(self)})
