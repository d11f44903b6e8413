"""
Several keys in one text, the primary first, with white space or commas between them.

Several keysets in one text, each after a line with its name in brackets.
"""

import re
from collections.abc import Sequence
from typing import Final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import text as grammar
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.keys.provider import DEFAULT, NAME
from privkit.typing import Secret

WORD: Final = re.compile(rb"[^\s,]+")

BOM: Final = b"\xef\xbb\xbf"
SECTION: Final = re.compile(rb"\[\s*([^\[\]\s]*)\s*\]")


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


def read(content: Secret, name: str, place: str, /) -> Keyset | None:
    """
    Return the keyset *name* of a text, or ``None`` if the text has no such keyset.

    Args:
        content: Keys in UTF-8, one a line; ``#`` starts a comment, and ``[billing]`` starts the
            keyset of that name.

        name: The keyset.

        place: Where the text stands, for messages.

    Raises:
        KeyMaterialError: If the text is none of that, or as `assemble`.
    """
    found = _sections(content)
    if isinstance(found, str):
        raise KeyMaterialError(f"{found} of {place}")
    entries = [(f"line {n} of {place}", text) for n, text in found.get(name, ())]
    return assemble(entries) if entries else None


def _sections(content: Secret, /) -> dict[str, list[tuple[int, SecretBytes]]] | str:
    """
    Return the texts of keys by keyset, each with its line, or what is wrong with a line.

    It never raises, since its locals hold key bytes.
    """
    raw = content.expose().removeprefix(BOM)
    if raw.startswith(b"{"):
        return "keys are expected, got a sealed keyset file (open it with KeysetFile) on line 1"
    found: dict[str, list[tuple[int, SecretBytes]]] = {DEFAULT: []}
    name = DEFAULT
    for number, line in enumerate(raw.splitlines(), start=1):
        if not _is_text(line):
            return f"text in UTF-8 is expected, got something else on line {number}"
        entry = line.partition(b"#")[0].strip()
        if not entry.startswith(b"["):
            found[name] += ((number, word) for word in words(SecretBytes(entry)))
            continue
        section = SECTION.fullmatch(entry)
        if section is None or not NAME.fullmatch(section[1].decode()):
            return (
                "the name of a keyset, like [billing], is a lower-case letter, then up to 62 "
                f"lower-case letters, digits or underscores, got something else on line {number}"
            )
        name = section[1].decode()
        if found.get(name):
            return f"a keyset stands in one place, got a second one on line {number}"
        found[name] = []
    return found


def _is_text(line: bytes) -> bool:
    try:
        return "\0" not in line.decode()
    except UnicodeDecodeError:
        return False
