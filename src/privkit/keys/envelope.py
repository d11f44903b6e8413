"""
The layout of a keyset file: a header that tells what keeps its data key, and the sealed content.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from typing import Final, cast

from privkit.ciphers import kdf
from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.siv import AESSIV
from privkit.errors import KeyMaterialError, TamperedError
from privkit.keys.seal import DATA_KEY_SIZE, Seal, to_bytes, to_text
from privkit.typing import Secret

FORMAT: Final = 1
"""Frozen: readers tell layouts apart by this number."""

CONTEXT: Final = b"privkit keyset file 1"
KIND: Final = re.compile("[a-z][a-z0-9-]{0,31}")

ALTERED: Final = "was altered; restore it from a backup"


def write(content: Secret, seal: Seal, /) -> bytes:
    """
    Return what a file holds: *content* under a fresh data key, and that key under *seal*.

    Raises:
        KeyProviderError: If the data key cannot be wrapped.
    """
    data_key = SecretBytes(os.urandom(DATA_KEY_SIZE))
    header = _header(seal.kind, seal.wrap(data_key, CONTEXT))
    body = _cipher(data_key).encrypt(content.expose(), [header.encode()])
    return f'{{"header": {header},\n "body": "{to_text(body)}"}}\n'.encode()


def read(raw: Secret, seal: Seal, /) -> SecretBytes | str:
    """
    Return the content of a file, or what is wrong with the file.

    Raises:
        KeyMaterialError: If the seal is another one, or the header was altered.
        KeyNotFoundError: If what opens the file is missing.
        KeyUnavailableError: If what opens the file cannot be reached.
    """
    parts = _parts(raw)
    if isinstance(parts, str):
        return parts
    kind, kept, body = parts
    if kind != seal.kind:
        return f"is sealed by {kind}, and is opened with {seal.kind}"
    data_key = seal.unwrap(dict(kept), CONTEXT)
    with contextlib.suppress(TamperedError):
        return SecretBytes(_cipher(data_key).decrypt(body, [_header(kind, kept).encode()]))
    return ALTERED


def _header(kind: str, kept: Mapping[str, str]) -> str:
    # Sorted and without choices, since it is authenticated as text.
    seal = {"kind": kind, **dict(sorted(kept.items()))}
    return json.dumps({"privkit-keyset-file": FORMAT, "seal": seal})


def _cipher(data_key: Secret) -> AESSIV:
    return AESSIV(
        kdf.derive(data_key, purpose="keyset file", scope="", algorithm="AES-256-SIV", size=64)
    )


def _parts(raw: Secret) -> tuple[str, dict[str, str], bytes] | str:
    """
    Return the kind of the seal, what it keeps, and the sealed content; or what is wrong.
    """
    try:
        parts = json.loads(raw.expose())
        layout, seal = parts["header"]["privkit-keyset-file"], parts["header"]["seal"]
        body = to_bytes(parts, "body")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, KeyMaterialError):
        return "is cut short, or is no keyset file; restore it from a backup"
    if layout != FORMAT or isinstance(layout, bool):
        return f"has another layout than {FORMAT}, the one known here"
    if type(seal) is not dict or not all(type(part) is str for part in seal.values()):
        return ALTERED
    kept = cast("dict[str, str]", seal)
    kind = kept.pop("kind", "")
    return (kind, kept, body) if KIND.fullmatch(kind) else ALTERED
