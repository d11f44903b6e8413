"""
The phone numbers of each region and type, as regular languages, from a frozen table.

libphonenumber tries the types of a region in a fixed order, and the regions of a calling code in a
fixed order, and takes the first that matches. So the numbers that it assigns to one region and
type are those that match, less those that match something earlier: a regular language again.

Source:
    libphonenumber's metadata and the order of ``PhoneNumberUtil.getNumberTypeHelper`` and
    ``getRegionCodeForNumberFromRegionList``, as ported by the library phonenumbers.
"""

import dataclasses
import functools
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any, Final

from privkit.errors import DomainError
from privkit.formats.automaton import Automaton
from privkit.formats.pattern import compile_pattern

TABLES: Final = (1,)
"""The tables privkit ships."""

EMPTY: Final = Automaton((), (), ())

ORDER: Final = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
"""Types in the order in which they are tried, before fixed lines and mobiles."""


@dataclasses.dataclass(frozen=True, slots=True)
class Numbers:
    """
    The national numbers of one type in one region.
    """

    region: str
    type: str
    automaton: Automaton
    zero: bool = False
    """They begin with a zero, and others of the region and type do not."""


@functools.cache
def _codes(table: int) -> dict[str, list[dict[str, Any]]]:
    text = resources.files("privkit.formats.tables").joinpath(f"phone_{table}.json").read_text()
    codes: dict[str, list[dict[str, Any]]] = json.loads(text)["codes"]
    return codes


def calling_code(digits: str, table: int) -> str:
    """
    Return the calling code that an international number begins with. No code begins another.

    Raises:
        DomainError: If it begins with none.
    """
    codes = _codes(table)
    for length in (2, 1, 3):
        if (code := digits[:length]) in codes:
            return code
    raise DomainError("the phone number begins with no calling code of the table", table=table)


def numbers(code: str, national: str, table: int) -> tuple[Numbers, int] | None:
    """
    Return the region and type that a national number belongs to, and which of those it is.

    ``None`` if it belongs to none.
    """
    for found in _beginning(code, national[:3], table):
        number = found.automaton.find(national)
        if number is not None:
            return found, number
    return None


@functools.cache
def _beginning(code: str, digits: str, table: int) -> tuple[Numbers, ...]:
    """
    Return what has numbers that begin with these digits.

    That is one to three languages instead of, for the calling code 1, over a hundred.
    """
    return tuple(found for found in _languages(code, table) if found.automaton.begins(digits))


@functools.cache
def _languages(code: str, table: int) -> tuple[Numbers, ...]:
    regions = _codes(table)[code]
    made = []
    earlier = EMPTY
    for entry in regions:
        types = _types(entry)
        chosen = _union(types.values())
        if entry["leading"] is not None:
            chosen = compile_pattern(f"(?:{entry['leading']})[0-9]*")
        for kind, automaton in types.items():
            # A region alone with its calling code is not asked for its leading digits.
            mine = automaton.both(chosen).minus(earlier) if len(regions) > 1 else automaton
            mine = mine.minus(_restripped(entry))
            # Behind a national prefix, a zero can make an international one: 0 and 0 are 00. So
            # numbers with and without are apart, and none is written in place of the other.
            with_zero = compile_pattern("0[0-9]*")
            zeros, others = mine.both(with_zero), mine.minus(with_zero)
            for part in (zeros, others):
                if part.table:
                    mixed = part is zeros and bool(others.table)
                    made.append(Numbers(entry["region"], kind, part, zero=mixed))
        earlier = earlier.either(chosen)
    return tuple(made)


def _types(entry: dict[str, Any]) -> dict[str, Automaton]:
    general = _described(entry["general"])
    kinds = {kind: _described(found).both(general) for kind, found in entry["kinds"].items()}
    types: dict[str, Automaton] = {}
    used = EMPTY
    for kind in ORDER:
        types[kind] = kinds.get(kind, EMPTY).minus(used)
        used = used.either(types[kind])
    fixed = kinds.get("fixed_line", EMPTY).minus(used)
    mobile = kinds.get("mobile", EMPTY).minus(used)
    if entry["same"]:
        return {**types, "fixed_line_or_mobile": fixed}
    return {
        **types,
        "fixed_line_or_mobile": fixed.both(mobile),
        "fixed_line": fixed.minus(mobile),
        "mobile": mobile.minus(fixed),
    }


def _restripped(entry: dict[str, Any]) -> Automaton:
    """
    Return the numbers that a parser would shorten again.

    What stands in them behind a national prefix is itself a number, so they cannot be written
    so that they are read as they are.
    """
    if entry["prefix"] is None or entry["transform"]:
        return EMPTY
    pattern = f"(?:{entry['prefix']})(?:{entry['general'][0]})"
    return compile_pattern(pattern).both(_described(entry["general"]))


def _described(found: list[Any]) -> Automaton:
    pattern, lengths = found
    counted = "|".join(f"[0-9]{{{length}}}" for length in lengths)
    return compile_pattern(pattern).both(compile_pattern(counted))


def _union(automata: Iterable[Automaton]) -> Automaton:
    return functools.reduce(Automaton.either, automata, EMPTY)
