"""
Several keys in one text, the primary first, with white space or commas between them.
"""

import re
from collections.abc import Sequence
from typing import Final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import text as grammar
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.typing import Secret

WORD: Final = re.compile(rb"[^\s,]+")


def words(text: Secret, /) -> list[SecretBytes]:
    """
    Return what stands between white space and commas.
    """
    return [SecretBytes(word) for word in WORD.findall(text.expose())]


def assemble(entries: Sequence[tuple[str, SecretBytes]], /) -> Keyset:
    """
    Make a keyset of the texts of keys, each with the place where it stands.

    Raises:
        KeyMaterialError: If a text is not a whole key, or two keys share an id, a tag or their
            material. The message names the place.
    """
    keys: list[Key] = []
    for place, text in entries:
        found = grammar.read(text)
        if isinstance(found, str):
            raise KeyMaterialError(f"{place}: {found}")
        keys.append(Key(found[0], found[1].expose()))
    return Keyset(keys[0], keys[1:])
