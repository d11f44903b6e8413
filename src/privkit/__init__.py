"""
Pseudonymize personal data inside your own process, before a record is stored, logged or sent.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from privkit.transforms.network import IPAddress
    from privkit.transforms.redact import Drop, Keep, Redact
    from privkit.transforms.token import Token
    from privkit.transforms.truncate import Truncate
else:
    _HOMES = {
        "AllowList": "authority",
        "Alphabet": "formats.alphabet",
        "Authority": "authority",
        "BoundField": "pseudonymizer",
        "Bucket": "transforms.bucket",
        "Drop": "transforms.redact",
        "Encrypt": "transforms.encrypt",
        "EnvironmentKeys": "keys",
        "FileKeys": "keys",
        "FormatPreserving": "transforms.format_preserving",
        "IPAddress": "transforms.network",
        "JSONLinesAudit": "audit",
        "Keep": "transforms.redact",
        "Key": "keys",
        "Keyset": "keys",
        "Mask": "transforms.mask",
        "MemoryAudit": "audit",
        "Policy": "policy",
        "PrivkitError": "errors",
        "Pseudonymizer": "pseudonymizer",
        "Redact": "transforms.redact",
        "ShiftDate": "transforms.dates",
        "StaticKeys": "keys",
        "Token": "transforms.token",
        "Truncate": "transforms.truncate",
    }

    def __getattr__(name: str) -> object:
        """
        Import the room of a name when the name is first asked for.
        """
        if name not in _HOMES:
            raise AttributeError(f"module 'privkit' has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f"privkit.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return __all__


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
    "IPAddress",
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
