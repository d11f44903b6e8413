"""
Pseudonymize personal data inside your own process, before a record is stored, logged or sent.
"""

from privkit.audit import JSONLinesAudit, MemoryAudit
from privkit.authority import AllowList, Authority
from privkit.errors import PrivkitError
from privkit.formats.alphabet import Alphabet
from privkit.keys import EnvironmentKeys, FileKeys, Key, Keyset, StaticKeys
from privkit.policy import Policy
from privkit.pseudonymizer import BoundField, Pseudonymizer
from privkit.transforms.bucket import Bucket
from privkit.transforms.dates import ShiftDate
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.format_preserving import FormatPreserving
from privkit.transforms.mask import Mask
from privkit.transforms.redact import Drop, Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate

__all__ = [
    "AllowList",
    "Alphabet",
    "Authority",
    "BoundField",
    "Bucket",
    "Drop",
    "Encrypt",
    "EnvironmentKeys",
    "FileKeys",
    "FormatPreserving",
    "JSONLinesAudit",
    "Keep",
    "Key",
    "Keyset",
    "Mask",
    "MemoryAudit",
    "Policy",
    "PrivkitError",
    "Pseudonymizer",
    "Redact",
    "ShiftDate",
    "StaticKeys",
    "Token",
    "Truncate",
]
