"""
From the tables of a policy file to rules and their formats, or to all of their mistakes.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any, Final, cast

from privkit.errors import PrivkitError
from privkit.formats import registry
from privkit.formats.alphabet import Alphabet
from privkit.policy.checks import Mistake
from privkit.policy.options import alias
from privkit.policy.rules import adapter, rules
from privkit.transforms.format_preserving import FormatPreserving
from privkit.typing import Transform

SHOWABLE: Final = re.compile("[A-Za-z_][A-Za-z_0-9-]{0,39}")
LONG_NUMBER: Final = re.compile("[0-9]{4}")
LITERAL: Final = re.compile("'([^']*)'")
"""A word in the list of those that an option can be."""

WHOLE: Final = "a whole number"
KINDS: Final = {
    "int": WHOLE,
    "float": "a number",
    "decimal": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "dict": "a table",
    "dataclass": "a table",
    "model": "a table",
    "date": "a date",
    "datetime": "a date and time",
    "unexpected": "a table with known options",
}
"""First words of pydantic's error types to what a policy file calls it."""

STAND_IN: Final = "alphanumeric"
"""For a broken format, so that the other options of its rule are checked."""


def transform(path: str, rule: str, options: dict[str, object], /) -> Transform | list[Mistake]:
    """
    Return the transform that a rule and its options declare, or what is wrong with them.
    """
    held = rules()[rule]
    form: object = None
    wrong: list[Mistake] = []
    if held is FormatPreserving and "format" in options:
        form = _format(path, options["format"])
        if isinstance(form, list):
            wrong, form = form, STAND_IN
    made = _made(path, rule, held, options, form)
    if wrong:
        return [*wrong, *(made if isinstance(made, list) else [])]
    return cast("Transform | list[Mistake]", made)


def _format(path: str, declared: object) -> object:
    """
    Return a format, or a list of what is wrong with it.
    """
    table: dict[str, object] = declared if isinstance(declared, dict) else {"name": declared}
    if "name" not in table:
        if "alphabet" in table:
            return _made(path, "the format", Alphabet, table)
        text = f"option 'format' is a table with name or with alphabet, got {kind_of(declared)}"
        return [Mistake(path, text, next(iter(table), ""), ("name", "alphabet"))]
    name = table["name"]
    if not isinstance(name, str):
        text = "option 'format' is the name of a format, or a table with name or with alphabet"
        return [Mistake(path, f"{text}, got {kind_of(name)}")]
    given = {option: value for option, value in table.items() if option != "name"}
    if name in registry.ALPHABETS:
        if given:
            return [Mistake(path, f"the format {name} has no options of its own")]
        return name
    held = registry.find(name)
    if held is None:
        known = registry.names()
        return [Mistake(path, f"there is no such format, only {', '.join(known)}", name, known)]
    return _made(path, f"the format {name}", held, given)


def _made(
    path: str, what: str, held: type, options: Mapping[str, object], context: object = None
) -> object:
    """
    Return an object of a class made with these options, or a list of what is wrong with them.
    """
    from pydantic import ValidationError

    known = {alias(held, field.name): field for field in dataclasses.fields(held) if field.init}
    given = {option: value for option, value in options.items() if option in known}
    unknown = [option for option in options if option not in known]
    found: list[Any] = []
    mistakes: list[Mistake] = []
    made: object = None
    try:
        text = json.dumps(given, default=_iso)
        made = adapter(held).validate_json(text, strict=True, context=context)
    except ValidationError as error:
        # Its message and its input quote the file; type and place do not.
        found = error.errors(include_url=False, include_input=False)
        # A class that refuses its options by a ValueError says nothing of which: no place.
        mistakes = [_untakeable(path, what, one["ctx"]["error"]) for one in found if not one["loc"]]
        found = [one for one in found if one["loc"]]
    except PrivkitError as error:
        mistakes = [Mistake(path, str(error))]
    except Exception as error:  # noqa: BLE001 - a file is no reason to fail in another way
        mistakes = [_untakeable(path, what, error)]
    place = "" if held in rules().values() else f" of {what}"
    mistakes += _missing(path, place, found)
    mistakes += (
        Mistake(path, f"{what} has no option {_word(option)}", option, tuple(known))
        for option in unknown
    )
    mistakes += _explained(path, place, given, found)
    return mistakes or made


def _untakeable(path: str, what: str, error: Exception) -> Mistake:
    return Mistake(path, f"{what} cannot take these options ({type(error).__name__})")


def _missing(path: str, of: str, found: Iterable[Any]) -> Iterator[Mistake]:
    for one in found:
        if one["type"] == "missing" and len(one["loc"]) == 1:
            yield Mistake(path, f"option '{one['loc'][0]}'{of} is missing")


def _explained(
    path: str, of: str, options: Mapping[str, object], found: Iterable[Any]
) -> Iterator[Mistake]:
    wanted: dict[tuple[str, int | None], list[str]] = {}
    for one in found:
        option, *within = one["loc"]
        if one["type"] != "missing" or within:
            item = within[0] if within and isinstance(within[0], int) else None
            wanted.setdefault((option, item), []).append(_expected(one))
    for (option, item), kinds in wanted.items():
        given: Any = options[option]
        place = f"option '{option}'{of}"
        if item is not None:
            given = given[item]
            place = f"item {item + 1} of {place}"
        # Every whole number is a number.
        told = [kind for kind in kinds if kind != WHOLE or KINDS["float"] not in kinds]
        text = " or ".join(dict.fromkeys(told))
        word = given if isinstance(given, str) else ""
        yield Mistake(path, f"{place} is {text}, got {kind_of(given)}", word, LITERAL.findall(text))


def _expected(error: Any) -> str:
    kind: str = error["type"]
    if kind == "literal_error":
        return str(error["ctx"]["expected"])
    if kind == "missing":
        return f"a table with {error['loc'][-1]}"
    return KINDS.get(kind.partition("_")[0], "something else")


def _iso(value: object) -> str:
    # TOML alone has dates and times.
    return cast("date | time", value).isoformat()


def kind_of(value: object, /) -> str:
    """
    Return what a policy file calls a value.
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return WHOLE
        case float():
            return "a number"
        case str():
            return "text"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _word(word: str) -> str:
    """
    Return a word of the file for a message, unless it may be a secret in the wrong place.
    """
    if SHOWABLE.fullmatch(word) and not LONG_NUMBER.search(word):
        return f"'{word}'"
    return f"of {len(word)} characters"
