"""
The record of every request to reidentify: who asked, for what purpose, and what was decided.
"""

from privkit.audit.event import AuditEvent
from privkit.audit.sinks import AuditSink, JSONLinesAudit, MemoryAudit

__all__ = ["AuditEvent", "AuditSink", "JSONLinesAudit", "MemoryAudit"]
