"""
Keys, and the providers that fetch them. Nothing here knows a transform.
"""

from privkit.keys.environment import EnvironmentKeys
from privkit.keys.file import FileKeys
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.keys.provider import KeyProvider, resolve
from privkit.keys.static import StaticKeys
from privkit.keys.subkeys import Subkeys

__all__ = [
    "EnvironmentKeys",
    "FileKeys",
    "Key",
    "KeyProvider",
    "Keyset",
    "StaticKeys",
    "Subkeys",
    "resolve",
]
