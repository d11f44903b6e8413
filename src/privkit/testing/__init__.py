"""
Parts for the tests of applications that use privkit.
"""

from privkit.testing.canaries import Canaries, Finding
from privkit.testing.keys import FAULTS, Fault, FaultyKeys

__all__ = [
    "FAULTS",
    "Canaries",
    "Fault",
    "FaultyKeys",
    "Finding",
]
