"""
Domain names with labels in other scripts, or in Punycode.

Source:
    IDNA: RFC 5890, section 2.3.2; RFC 5891, sections 4.2.3.2 and 4.4; RFC 5892, appendix A.
    Punycode: RFC 3492. Writing from right to left: RFC 5893, section 2.
"""

import re
from collections.abc import Sequence
from typing import Final
from unicodedata import bidirectional, category, normalize

from privkit.formats.dates import attempt

PREFIX: Final = "xn--"

BETWEEN: Final = re.compile("[-\u0375\u05f3\u05f4\u30fb]|(?<=[Ll])\u00b7(?=[Ll])")
"""Hyphens, and the marks of punctuation that some languages have inside words."""

NEUTRAL: Final = frozenset({"EN", "ES", "CS", "ET", "ON", "BN", "NSM"})
FROM_LEFT: Final = NEUTRAL | {"L"}
FROM_RIGHT: Final = NEUTRAL | {"R", "AL", "AN"}
ENDS: Final = frozenset({"L", "R", "AL", "EN", "AN"})


def is_foreign(label: str, /) -> bool:
    """
    Tell whether a label is in another script, or in Punycode.
    """
    return not label.isascii() or label[: len(PREFIX)].lower() == PREFIX


def in_ascii(labels: Sequence[str], /) -> str | None:
    """
    Return a domain name as the domain name system has it, or ``None`` if it can be none.

    Of a foreign label it asks for letters, marks and numbers, no mark first, and hyphens inside.
    What else IDNA asks for depends on the year's Unicode.
    """
    read = [_read(label) for label in labels]
    if not all(_is_readable(label) for label in read if not label.isascii()):
        return None
    if "" in read or not _are_in_order(read):
        return None
    return ".".join(map(_in_ascii, labels))


def _read(label: str) -> str:
    """
    Return a label as people read it, or nothing if it is Punycode that says nothing.
    """
    if not label.isascii() or not is_foreign(label):
        return label
    read = attempt(label[len(PREFIX) :].encode().decode, "punycode") or ""
    return "" if read.isascii() else read


def _in_ascii(label: str) -> str:
    if label.isascii():
        return label
    plain = normalize("NFKC", label).lower()
    return plain if plain.isascii() else f"{PREFIX}{plain.encode('punycode').decode()}"


def _is_readable(label: str) -> bool:
    plain = BETWEEN.sub("", label)
    return (
        label.strip("-") == label
        and category(label[0])[0] != "M"
        and all(category(character)[0] in "LMN" for character in plain)
    )


def _are_in_order(labels: Sequence[str]) -> bool:
    """
    Tell whether no label is written from right to left, or each can be read in one direction.
    """
    kinds = [[bidirectional(character) for character in label] for label in labels]
    if not any(kind in {"R", "AL", "AN"} for label in kinds for kind in label):
        return True
    return all(map(_has_direction, kinds))


def _has_direction(kinds: list[str]) -> bool:
    while kinds[-1] == "NSM":
        kinds = kinds[:-1]
    if kinds[0] not in {"L", "R", "AL"} or kinds[-1] not in ENDS:
        return False
    if kinds[0] == "L":
        return FROM_LEFT.issuperset(kinds)
    return FROM_RIGHT.issuperset(kinds) and not {"EN", "AN"}.issubset(kinds)
