"""
What is wrong with a policy: everything at once.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from itertools import islice
from typing import Final, Literal, get_args

from privkit.errors import PolicyError
from privkit.policy.options import options
from privkit.policy.paths import SURROGATE, Path, Step, parse, render
from privkit.typing import Transform

NAME: Final = re.compile("[a-z][a-z0-9_-]{0,62}")
MAX_VERSION: Final = 2**31 - 1

Unruled = Literal["error", "redact", "drop"]

FACTS: Final = (
    "name",
    "technique",
    "reversible",
    "deterministic",
    "injective",
    "keyed",
    "containers",
    "by",
    "scope",
)
"""What every transform says of itself."""

MAX_MISTAKES: Final = 100
"""Mistakes after which the search for more ends."""

COMPARED: Final = 200
"""Words among which the one that was meant is looked for."""

SHOWN: Final = 60
"""Characters of a path that a message shows."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One thing that is wrong with a policy.

    Args:
        place: The path of the field concerned, or the name of a part: ``version``.

        text: What is wrong, and how to cure it.

        word: What was written where one of a few words is known.

        known: Those words.

        line: The line of the file, counted from 1.

        part: Whether *place* is a part of the policy, and no field.
    """

    place: str
    text: str
    word: str = ""
    known: Iterable[str] = ()
    line: int | None = None
    part: bool = False

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}, "
        return f"{line}{show(self.place)}: {self.text}{suggest(self.word, self.known)}"


def check(name: object, version: object, fields: object, unruled: object) -> list[Mistake]:
    """
    Return everything that is wrong with the parts of a policy.
    """
    mistakes = []
    if type(name) is not str or not NAME.fullmatch(name):
        mistakes.append(
            Mistake(
                "name",
                "1 to 63 lower-case letters, digits, hyphens or underscores, the first a "
                f"letter; got {_shape(name)}",
                part=True,
            )
        )
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        mistakes.append(
            Mistake(
                "version",
                f"a whole number from 1 to {MAX_VERSION:,}, got {_shape(version)}",
                part=True,
            )
        )
    if type(unruled) is not str or unruled not in get_args(Unruled):
        mistakes.append(
            Mistake(
                "unruled",
                f"one of {', '.join(get_args(Unruled))}; got {_shape(unruled)}",
                part=True,
            )
        )
    if isinstance(fields, Mapping):
        mistakes += _check_fields(fields)
    else:
        mistakes.append(Mistake("fields", f"maps paths to rules, got {_shape(fields)}", part=True))
    return mistakes


def _check_fields(fields: Mapping[object, object]) -> list[Mistake]:
    if not fields:
        return [Mistake("fields", "at least one field has a rule, got none", part=True)]
    mistakes: list[Mistake] = []
    places: dict[Path, str] = {}
    rules: dict[str, Transform] = {}
    for path, rule in fields.items():
        if len(mistakes) >= MAX_MISTAKES:
            return mistakes
        if type(path) is not str:
            mistakes.append(Mistake("fields", f"a path is text, got {_kind(path)}", part=True))
            continue
        steps: Path = ()
        try:
            steps = parse(path)
        except PolicyError as error:
            column = show(render((path,)))
            mistakes.append(Mistake(path, f"{error}; a column of that name is {column}"))
        # A flat record's column called like a path has the rule of that path.
        literal = (path,) if len(steps) > 1 else steps
        taken = [place for place in (steps, literal) if place in places]
        if steps and taken:
            mistakes.append(Mistake(path, f"rules the same place as {show(places[taken[0]])}"))
        elif steps:
            places |= {steps: path, literal: path}
        wrong = _complaint(rule)
        if wrong is not None:
            mistakes.append(Mistake(path, wrong))
        elif steps:
            rules[render(steps)] = rule  # type: ignore[assignment]
    for path, transform in rules.items():
        if transform.by is not None:
            mistakes += _check_by(path, transform.by, rules)
    return mistakes


def _complaint(rule: object) -> str | None:
    if isinstance(rule, type):
        if hasattr(rule, "technique"):
            return f"a rule is a transform, got a class: write {rule.__name__}()"
        return "a rule is a transform such as Token(), got a class"
    missing = [name for name in FACTS if not hasattr(rule, name)]
    if not missing:
        wanted = ["bind"] if getattr(rule, "keyed", False) else ["apply"]
        wanted += ["bind_inverse"] if getattr(rule, "reversible", False) else []
        missing = [name for name in wanted if not callable(getattr(rule, name, None))]
    if len(missing) >= len(FACTS) - 1:
        return f"a rule is a transform such as Token(), got {type(rule).__name__}"
    if missing:
        return f"{type(rule).__name__} is no transform: it has no {', '.join(missing)}"
    for name in ("by", "scope"):
        # Scopes are made of both, and subkeys of scopes.
        text = getattr(rule, name)
        if text is not None and (type(text) is not str or SURROGATE.search(text)):
            got = "half a character" if type(text) is str else _kind(text)
            return f"'{name}' of {type(rule).__name__} is text or None, got {got}"
    try:
        json.dumps(options(rule), allow_nan=False)
    except PolicyError as error:
        return str(error)
    except (ValueError, TypeError, RecursionError):
        return f"an option of {type(rule).__name__} has no form in a policy file"
    return None


def _check_by(path: str, by: str, rules: Mapping[str, Transform]) -> Iterator[Mistake]:
    try:
        steps = parse(by)
    except PolicyError as error:
        yield Mistake(path, f"'by' is a path: {error}")
        return
    if by == path:
        yield Mistake(path, "'by' names another field, got the field itself")
    elif any(isinstance(step, Step) for step in steps):
        yield Mistake(path, "'by' names one field of the record, without [*] or *")
    elif by not in rules:
        yield Mistake(path, "'by' names a field that has a rule, got one without", by, rules)
    elif rules[by].by is not None:
        yield Mistake(path, f"'by' names {show(by)}, which depends on another field itself")


def refusal(what: str, mistakes: list[Mistake]) -> PolicyError:
    """
    Return the error that tells all mistakes of a policy at once.
    """
    lines = tuple(str(mistake) for mistake in mistakes[:MAX_MISTAKES])
    count = f"{len(lines)} mistake{'' if len(lines) == 1 else 's'}"
    if len(lines) == MAX_MISTAKES:
        count = f"at least {count}"
    return PolicyError(
        "\n".join([f"{what} has {count}", *(f"  {line}" for line in lines)]), mistakes=lines
    )


def show(path: str, length: int | None = SHOWN) -> str:
    """
    Return a path for a message: on one line, and of at most *length* characters.
    """
    line = path if path.isprintable() else json.dumps(path)
    return line if length is None or len(line) <= length else f"{line[:length]}…"


def suggest(word: str, known: Iterable[str]) -> str:
    """
    Return the question whether another word was meant, or nothing.
    """
    near = get_close_matches(word[:SHOWN], islice(known, COMPARED), n=1)
    return f": did you mean '{show(near[0])}'?" if near else ""


def _shape(value: object) -> str:
    match value:
        case str() if type(value) is str:
            return f"text of {len(value)} characters"
        case int() if type(value) is int:
            return "a number outside"
        case _:
            return _kind(value)


def _kind(value: object) -> str:
    """
    Return the name of a value's class, and what to do about a member of an enumeration.
    """
    advice = ": pass its .value" if isinstance(value, Enum) else ""
    return f"{type(value).__name__}{advice}"
