"""
Parts for the tests of applications that use privkit.
"""

from privkit.testing.canaries import Canaries, Finding
from privkit.testing.keys import Fault, FaultyKeys

__all__ = [
    "Canaries",
    "Fault",
    "FaultyKeys",
    "Finding",
]
