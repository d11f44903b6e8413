"""
From the data of a policy file to a policy, or to all of its mistakes at once.

A policy file is input like any other. Whatever it holds, it ends in a policy or in a `PolicyError`
that quotes none of its values.
"""

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any, Final, cast

from privkit.errors import MissingExtraError, PolicyError, PrivkitError
from privkit.policy import yaml_file
from privkit.policy.checks import MAX_MISTAKES, Mistake, check, refusal, show
from privkit.policy.lines import Lines
from privkit.policy.model import Policy
from privkit.policy.parsing import MAX_SIZE, Format, content, parse
from privkit.policy.rules import adapter, rules
from privkit.policy.yaml_file import UnreadableError
from privkit.transforms.redact import Keep
from privkit.typing import JSON, Transform

FORMATS: Final[Mapping[str, Format]] = {
    ".toml": "toml",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}
PARTS: Final = ("name", "version", "unruled", "fields")
MISSING: Final = "is missing"
SCHEMA: Final = "$schema"
"""Where a JSON file names its schema for editors."""

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


def load(path: str | os.PathLike[str], /) -> Policy:
    """
    Read a policy file; its suffix tells the format.

    Raises:
        PolicyError: If the file cannot be read or is no policy.

        MissingExtraError: If the file is YAML and PyYAML is not installed.
    """
    if not isinstance(path, str | os.PathLike):
        raise PolicyError(f"the path of a policy file is text, got {type(path).__name__}")
    place = os.fspath(path)
    suffix = os.path.splitext(place)[1].lower()  # noqa: PTH122 - it may hold a null character
    if suffix not in FORMATS:
        raise PolicyError("the name of a policy file ends in .toml, .json, .yaml or .yml")
    what = f"the policy file {show(place, None)}"
    try:
        text = content(place)
    except UnreadableError as error:
        complaint = str(error)
    else:
        return _policy(text, FORMATS[suffix], what)
    raise PolicyError(f"{what} {complaint}", mistakes=(complaint,))


def loads(text: str, language: Format, /) -> Policy:
    """
    Read a policy from text.

    Raises:
        PolicyError: If the text is no policy.

        MissingExtraError: If it is YAML and PyYAML is not installed.
    """
    if language not in FORMATS.values():
        raise PolicyError("the format of a policy is 'toml', 'json' or 'yaml'")
    if not isinstance(text, str):
        raise PolicyError(f"the text of a policy is str, got {type(text).__name__}")
    if len(text) > MAX_SIZE:
        raise PolicyError(f"a policy has at most {MAX_SIZE:,} characters, got {len(text):,}")
    return _policy(text, language, "the policy")


def to_yaml(document: dict[str, JSON], /) -> str:
    """
    Write the parts of a policy as YAML.

    Raises:
        MissingExtraError: If PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtraError(yaml_file.PURPOSE, extra="yaml") from None
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return text


def _policy(text: str, language: Format, what: str) -> Policy:
    complaint = ""
    data: object = None
    try:
        data = parse(text, language)
    except UnreadableError as error:
        complaint = str(error)
    if not complaint and not isinstance(data, dict):
        complaint = f"it is a table with name, version and fields, got {_kind(data)}"
    if complaint:
        raise PolicyError(f"{what} cannot be read: {complaint}", mistakes=(complaint,))
    parts, mistakes = _read(cast("dict[str, object]", data), language)
    if mistakes:
        raise refusal(what, _located(mistakes, Lines(text)))
    return Policy(
        cast("str", parts["name"]),
        version=cast("int", parts["version"]),
        fields=cast("dict[str, Transform]", parts["fields"]),
        unruled=cast("Any", parts["unruled"]),
    )


def _located(mistakes: Iterable[Mistake], lines: Lines) -> list[Mistake]:
    """
    Return mistakes with their lines, in the order of the file.
    """
    placed = [
        dataclasses.replace(
            mistake,
            line=None
            if mistake.text == MISSING
            else lines.first(mistake.place, None if mistake.part else "fields"),
        )
        for mistake in mistakes
    ]
    return sorted(placed, key=lambda mistake: mistake.line or 0)


def _read(data: dict[str, object], language: Format) -> tuple[dict[str, object], list[Mistake]]:
    mistakes = [
        Mistake(
            part if SHOWABLE.fullmatch(part) else "?",
            f"a policy has no such part, only {', '.join(PARTS)}",
            part,
            PARTS,
            part=True,
        )
        for part in data
        if part not in {*PARTS, SCHEMA}
    ]
    parts = {"version": 1, "unruled": "error", **data}
    missing = [part for part in ("name", "fields") if part not in parts]
    mistakes += [Mistake(part, MISSING, part=True) for part in missing]
    given = parts.get("fields")
    if isinstance(given, dict):
        made: dict[str, object] = {}
        for path, declared in given.items():
            if len(mistakes) >= MAX_MISTAKES:
                return parts, mistakes
            # A stand-in for a broken rule lets the rest of the policy be checked.
            rule = _rule(path, declared, language)
            made[path] = Keep() if isinstance(rule, list) else rule
            mistakes += rule if isinstance(rule, list) else []
        parts["fields"] = made
    found = check(parts.get("name"), parts["version"], parts.get("fields"), parts["unruled"])
    return parts, mistakes + [one for one in found if not (one.part and one.place in missing)]


def _rule(path: str, declared: object, language: Format) -> Transform | list[Mistake]:
    if not isinstance(declared, str | dict):
        return [Mistake(path, f"a rule is its name, or a table with it, got {_kind(declared)}")]
    options: dict[str, object] = {"rule": declared} if isinstance(declared, str) else declared
    if "rule" not in options:
        return [Mistake(path, _without_rule(path, options, language))]
    name = options["rule"]
    if not isinstance(name, str):
        return [Mistake(path, f"rule is the name of a rule, got {_kind(name)}")]
    if name not in rules():
        known = tuple(rules())
        return [Mistake(path, f"there is no such rule, only {', '.join(known)}", name, known)]
    given = {option: value for option, value in options.items() if option != "rule"}
    return _transform(path, name, given)


def _without_rule(path: str, options: Mapping[str, object], language: Format) -> str:
    inner = next(iter(options), "")
    if language == "toml" and inner and isinstance(options[inner], str | dict):
        # TOML reads a dot outside of quotes as a table within a table.
        return f'a table has a rule = "…"; a path stands in quotes: "{show(path)}.{inner}"'
    return "a table has a rule, such as rule: token"


def _transform(path: str, rule: str, options: dict[str, object]) -> Transform | list[Mistake]:
    from pydantic import ValidationError

    text = json.dumps(options, default=_iso)
    try:
        return cast("Transform", adapter(rule).validate_json(text, strict=True))
    except ValidationError as error:
        # Its message and its input quote the file; type and place do not.
        found = error.errors(include_url=False, include_input=False)
    except PrivkitError as error:
        return [Mistake(path, str(error))]
    except Exception as error:  # noqa: BLE001 - a file is no reason to fail in another way
        return [Mistake(path, f"{rule} cannot take these options ({type(error).__name__})")]
    return list(_explained(path, rule, options, found))


def _explained(
    path: str, rule: str, options: Mapping[str, object], found: Iterable[Any]
) -> Iterator[Mistake]:
    known = tuple(field.name for field in dataclasses.fields(rules()[rule]) if field.init)
    wanted: dict[tuple[str, int | None], list[str]] = {}
    for one in found:
        option, *within = one["loc"]
        if option not in known:
            yield Mistake(path, f"{rule} has no option {_word(option)}", option, known)
        elif one["type"] == "missing" and not within:
            yield Mistake(path, f"option '{option}' is missing")
        else:
            item = within[0] if within and isinstance(within[0], int) else None
            wanted.setdefault((option, item), []).append(_expected(one))
    for (option, item), kinds in wanted.items():
        given: Any = options[option]
        place = f"option '{option}'"
        if item is not None:
            given = given[item]
            place = f"item {item + 1} of {place}"
        # Every whole number is a number.
        told = [kind for kind in kinds if kind != WHOLE or KINDS["float"] not in kinds]
        text = " or ".join(dict.fromkeys(told))
        word = given if isinstance(given, str) else ""
        yield Mistake(path, f"{place} is {text}, got {_kind(given)}", word, LITERAL.findall(text))


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


def _kind(value: object) -> str:
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
