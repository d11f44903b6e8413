"""
Parts for the tests of applications that use privkit.
"""

from privkit.testing.canaries import Canaries, Finding
from privkit.testing.keys import Fault, FaultyKeys
from privkit.testing.provider_suite import KeyProviderSuite

__all__ = [
    "Canaries",
    "Fault",
    "FaultyKeys",
    "Finding",
    "KeyProviderSuite",
]
