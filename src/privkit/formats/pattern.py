"""
Text that matches a regular expression: its strings of one length, numbered.

Python's own parser reads the expression, so that it means what it means to `re.fullmatch`.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from privkit.errors import DomainError
from privkit.formats.automaton import UNIVERSE, Automaton, Builder, mask_of

MAX_TEXT: Final = 2_000
"""Characters of an expression."""

CATEGORIES: Final = {
    "CATEGORY_DIGIT": mask_of("0123456789"),
    "CATEGORY_WORD": mask_of("0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    "CATEGORY_SPACE": mask_of(" "),
}
"""What ``\\d``, ``\\w`` and ``\\s`` stand for among printable ASCII characters."""

REFUSED: Final = {
    "ASSERT": "look-around",
    "ASSERT_NOT": "look-around",
    "GROUPREF": "back-references",
    "GROUPREF_EXISTS": "back-references",
    "ATOMIC_GROUP": "atomic groups",
    "POSSESSIVE_REPEAT": "possessive repetitions",
    "AT": "anchors other than '^' at the start and '$' at the end",
}


def compile_pattern(text: str) -> Automaton:
    r"""
    Return the automaton of the printable ASCII strings that a regular expression matches whole.

    Args:
        text: A regular expression in Python's syntax, without look-around, back-references,
            atomic groups and possessive repetitions. ``\d``, ``\w`` and ``\s`` are ASCII.
            Flags may stand in front: ``(?i)``.

    Raises:
        DomainError: If it cannot be read, uses what is refused, or its automaton explodes.
    """
    if len(text) > MAX_TEXT:
        raise DomainError(f"a pattern has at most {MAX_TEXT} characters, got {len(text)}")
    items, flags = _parse(text)
    # A whole match begins and ends at the ends of the text, so these anchors say nothing.
    if items and _is_anchor(items[0], "AT_BEGINNING"):
        del items[0]
    if items and _is_anchor(items[-1], "AT_END"):
        del items[-1]
    builder = Builder()
    part = _nested(builder, items, flags)
    if part is None:
        raise DomainError("the pattern is nested too deeply")
    return builder.automaton(part)


Item: TypeAlias = tuple[Any, Any]
"""An operation and its arguments, as Python's parser gives them."""

Part: TypeAlias = tuple[int, int]


def _parse(text: str) -> tuple[list[Item], int]:
    import warnings
    from re import _parser  # type: ignore[attr-defined]

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = _parser.parse(text, re.ASCII)
    except (re.error, ValueError, RecursionError, OverflowError, Warning):
        # Flags that contradict each other are a ValueError.
        parsed = None
    if parsed is None:
        raise DomainError("the pattern is not a regular expression that Python can read")
    return list(parsed), parsed.state.flags


def _is_anchor(item: Item, name: str) -> bool:
    return bool(item[0].name == "AT" and item[1].name == name)


def _nested(builder: Builder, items: Iterable[Item], flags: int) -> Part | None:
    """
    Return the whole as a part, or ``None`` if its parts are nested deeper than Python can go.
    """
    try:
        return _sequence(builder, items, flags)
    except RecursionError:
        return None


def _sequence(builder: Builder, items: Iterable[Item], flags: int) -> Part:
    return builder.sequence(_part(builder, item, flags) for item in items)


def _part(builder: Builder, item: Item, flags: int) -> Part:
    name, argument = item[0].name, item[1]
    if name == "SUBPATTERN":
        _, added, removed, inner = argument
        return _sequence(builder, inner, (flags | added) & ~removed)
    if name == "BRANCH":
        return builder.either(_sequence(builder, inner, flags) for inner in argument[1])
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = argument
        # The parser writes "no limit" as a constant of its own.
        limit = None if getattr(most, "name", "") == "MAXREPEAT" else most
        return builder.repeat(lambda: _sequence(builder, inner, flags), least, limit)
    if name in REFUSED:
        raise DomainError(f"a pattern has no {REFUSED[name]}")
    return builder.characters(_characters(name, argument, flags) & UNIVERSE)


def _characters(name: str, argument: Any, flags: int) -> int:
    if name == "ANY":
        return UNIVERSE
    if name == "LITERAL":
        return _cases(_code(argument), flags)
    if name == "NOT_LITERAL":
        return UNIVERSE & ~_cases(_code(argument), flags)
    if name == "CATEGORY":
        # "CATEGORY_NOT_DIGIT" is what is not in "CATEGORY_DIGIT".
        kind = argument.name.replace("NOT_", "")
        return UNIVERSE & ~CATEGORIES[kind] if kind != argument.name else CATEGORIES[kind]
    if name == "RANGE":
        low, high = argument
        return _cases(sum(1 << code for code in range(low, min(high, 127) + 1)), flags)
    # What is left is a set: its members, the first of which may turn it round.
    negated = argument[0][0].name == "NEGATE"
    mask = 0
    for member in argument[negated:]:
        mask |= _characters(member[0].name, member[1], flags)
    return UNIVERSE & ~mask if negated else mask


def _code(code: int) -> int:
    return (1 << code) & UNIVERSE


def _cases(mask: int, flags: int) -> int:
    if not flags & re.IGNORECASE:
        return mask
    letters = [chr(code) for code in range(128) if mask >> code & 1]
    return mask | mask_of(c.lower() for c in letters) | mask_of(c.upper() for c in letters)
