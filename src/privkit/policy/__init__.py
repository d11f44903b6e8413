"""
Policies: which transform rules which field.
"""

from privkit.policy.model import Policy

__all__ = ["Policy"]
