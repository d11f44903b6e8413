"""
Keys as text: ``pk1_<id>_<64 hexadecimal>_<8 hexadecimal>``.

The last part is a checksum over the id and the key, so that a truncated paste or a mistyped
character is noticed before the key is used. It is there for accidents and stops no attacker.
"""

import hashlib
import hmac
import re
from typing import Final

from privkit.ciphers.prf import frame
from privkit.ciphers.secret import SecretBytes
from privkit.typing import Secret

CHECKSUM_LABEL: Final = b"privkit key 1"
CHECKSUM_SIZE: Final = 4

ID: Final = re.compile("[a-z0-9][a-z0-9-]{0,31}")
ID_RULE: Final = "1 to 32 lower-case letters, digits or hyphens, not starting with a hyphen"

TAG: Final = re.compile("[0-9a-f]{4}")

PREFIX: Final = b"pk1_"
TEXT: Final = re.compile(rb"pk1_([a-z0-9][a-z0-9-]{0,31})_([0-9a-f]{64})_([0-9a-f]{8})")
LIKELY: Final = re.compile(
    r"pk1_.*[0-9a-f]{16}|(?:\A|=)\s*[0-9a-f]{64}\s*\Z", re.DOTALL | re.IGNORECASE
)
"""A key or a part of it; or the bare material, alone or as the value of an option."""
SHAPE: Final = "pk1_<id>_<64 hexadecimal characters>_<8 hexadecimal characters>"


def is_id(value: object, /) -> bool:
    """
    Whether *value* may be the id of a key.
    """
    # A subclass may print as something else, and pseudonyms carry what is printed.
    return type(value) is str and ID.fullmatch(value) is not None


def is_tag(value: str, /) -> bool:
    """
    Whether *value* may be the tag of a key.
    """
    return TAG.fullmatch(value) is not None


def holds_key(text: str, /) -> bool:
    """
    Whether *text*, which should be a name or a path, may be a key, whole or in part.
    """
    return LIKELY.search(text) is not None


def checksum(key_id: str, secret: Secret, /) -> bytes:
    """
    Return the 4 bytes that tell a mistyped key from a whole one.
    """
    return hashlib.sha256(frame(CHECKSUM_LABEL, key_id.encode(), secret.expose())).digest()[
        :CHECKSUM_SIZE
    ]


def write(key_id: str, secret: Secret, /) -> str:
    """
    Return the text of a key.
    """
    return f"pk1_{key_id}_{secret.expose().hex()}_{checksum(key_id, secret).hex()}"


def read(text: Secret, /) -> tuple[str, SecretBytes] | str:
    """
    Return the id and the material that a key's text holds, or what is wrong with the text.

    It never raises, since its locals hold key bytes.
    """
    raw = text.expose().strip()
    match = TEXT.fullmatch(raw)
    if match is None:
        return f"{_complaint(raw)}; copy it whole, or run 'privkit keygen' to make a key"
    key_id = match[1].decode()
    secret = SecretBytes(bytes.fromhex(match[2].decode()))
    if not hmac.compare_digest(checksum(key_id, secret), bytes.fromhex(match[3].decode())):
        return (
            "the checksum of the key does not match, so a character of it was mistyped; "
            "copy it whole, or run 'privkit keygen' to make a key"
        )
    return key_id, secret


def _complaint(raw: bytes) -> str:
    if not raw:
        return "the text of a key is empty"
    if raw[:1] in b"'\"`":
        return "the text of a key stands without quotes"
    if not raw.startswith(PREFIX):
        return f"the text of a key starts with pk1_, got {len(raw)} characters that do not"
    if raw != raw.lower():
        return "the text of a key is lower case throughout, got upper case"
    return f"the text of a key is {SHAPE}, got {len(raw)} characters that are not"
