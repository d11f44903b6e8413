"""
Numbered normalizations: what text means the same although it is written in another way.

A normalization is part of the pseudonyms that were made with it, so each is frozen under its
number, with the characters of Unicode 14.0. Characters that are younger are refused: Python
versions disagree about them.

Source:
    NFC, NFKC: Unicode Standard Annex 15. Case folding: The Unicode Standard, section 3.13.
    Both are stable for assigned characters: Unicode Character Encoding Stability Policies.
    Telephone numbers: ITU-T E.164, section 6.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final
from unicodedata import normalize as unicode_form

from privkit.errors import DomainError
from privkit.formats.text import is_own
from privkit.formats.unicode14 import ASSIGNED, SPACE, UNSEEN

MIN_PHONE_DIGITS: Final = 8
MAX_PHONE_DIGITS: Final = 15

ADDRESS: Final = re.compile("[^@<>,; ]+@[^@<>,; ]+")
TRUNK_ZERO: Final = re.compile(r"\( ?0 ?\)")
PHONE_SEPARATORS: Final = re.compile(r"[ ()/.\u2010-\u2015\u2212-]")
PHONE: Final = re.compile(f"[+][1-9][0-9]{{{MIN_PHONE_DIGITS - 1},{MAX_PHONE_DIGITS - 1}}}")


def resolve(name: str, /) -> str:
    """
    Return the full name of a normalization: without a number, the latest one is meant.

    Raises:
        DomainError: If there is no such normalization.
    """
    if is_own(name):
        full = name if "@" in name else LATEST.get(name, "")
        if full in NORMALIZATIONS:
            return full
    raise DomainError(
        f"a normalization is one of {', '.join(LATEST)}, or one with its number: "
        f"{', '.join(NORMALIZATIONS)}"
    )


def normalize(text: str, name: str, /) -> str:
    """
    Return *text* in its normal form. The normal form of a normal form is itself.

    Args:
        text: Any text.

        name: Such as ``"email@1"``; ``"email"`` means the latest number.

    Raises:
        DomainError: If there is no such normalization, or the text does not fit it.
    """
    return NORMALIZATIONS[resolve(name)](text)


def text_1(text: str, /) -> str:
    """
    Compose accents (NFC), remove what cannot be seen, and collapse white space.
    """
    if not text.isascii():
        stranger = _tables().stranger.search(text)
        if stranger is not None:
            raise DomainError(
                f"character {stranger.start()} of {len(text)} is not assigned in Unicode 14.0",
                position=stranger.start(),
            )
        text = unicode_form("NFC", _tables().unseen.sub("", text))
    return _tables().space.sub(" ", text).strip(" ")


def name_1(text: str, /) -> str:
    """
    As `text_1`, and let width, ligatures, other presentation forms and case make no difference.
    """
    text = text_1(text)
    if text.isascii():
        return text.lower()
    while True:
        folded = text_1(unicode_form("NFKC", text).casefold())
        if folded == text:
            return text
        text = folded


def email_1(text: str, /) -> str:
    """
    As `name_1`, of one address without a display name.

    The case of the part before the @ makes no difference either: that is what providers do,
    although RFC 5321, section 2.4, lets them do otherwise.
    """
    address = name_1(text)
    if not ADDRESS.fullmatch(address):
        raise DomainError(
            f"text of {len(text):,} characters is no e-mail address: one @ with text around it, "
            "no blanks and none of < > , ;",
            length=len(text),
        )
    return address


def phone_1(text: str, /) -> str:
    """
    Write an international number as + and its digits, as E.164 does.

    Blanks, hyphens, points, slashes and parentheses go, ``(0)`` goes with its zero, and a
    leading ``00`` becomes ``+``. National numbers are refused: they mean nothing without their
    country.
    """
    number = PHONE_SEPARATORS.sub("", TRUNK_ZERO.sub("", name_1(text)))
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not PHONE.fullmatch(number):
        raise DomainError(
            f"text of {len(text):,} characters is no international telephone number: + or 00, "
            f"the country and {MIN_PHONE_DIGITS} to {MAX_PHONE_DIGITS} digits in all",
            length=len(text),
        )
    return number


NORMALIZATIONS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"text@1": text_1, "name@1": name_1, "email@1": email_1, "phone@1": phone_1}
)

LATEST: Final[Mapping[str, str]] = MappingProxyType(
    {full.partition("@")[0]: full for full in NORMALIZATIONS}
)
"""Numbers stand in rising order, so the last one wins."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """
    The tables of Unicode 14.0 as patterns.
    """

    stranger: re.Pattern[str]
    unseen: re.Pattern[str]
    space: re.Pattern[str]


@cache
def _tables() -> _Tables:
    # Compiled at first use: most processes normalize nothing.
    return _Tables(
        stranger=re.compile(f"[^{_members(ASSIGNED)}]"),
        unseen=re.compile(f"[{_members(UNSEEN)}]+"),
        space=re.compile(f"[{_members(SPACE)}]+"),
    )


def _members(table: str) -> str:
    return "".join(
        "-".join(f"\\U{int(bound, 16):08x}" for bound in run.split("-")) for run in table.split()
    )
