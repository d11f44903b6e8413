"""
Reading policy files: TOML, JSON and YAML, and all mistakes of a file at once.

A policy file is input like any other: it may be huge, nested ten thousand deep or cut in half.
Whatever it is, reading it ends in a policy or in a `PolicyError` that quotes none of its values.
"""

import dataclasses
import errno
import json
import math
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any, Final, cast

from privkit.errors import MissingExtraError, PolicyError, PrivkitError
from privkit.policy import yaml_file
from privkit.policy.model import MAX_MISTAKES, Format, Mistake, Policy, check, refusal, show
from privkit.policy.paths import SURROGATE
from privkit.policy.rules import adapter, rules
from privkit.policy.yaml_file import Refusal
from privkit.transforms.redact import Keep
from privkit.typing import JSON, Transform

MAX_SIZE: Final = 256 * 1024
"""Bytes of a policy file."""

MAX_POINTS: Final = 32
"""Points in a line of TOML. Python's parser takes time and memory in the square of a dotted key."""

MAX_DEPTH: Final = 16
"""Tables and lists within each other."""

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
PLACE: Final = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
TOKEN: Final = re.compile(
    r"""(?:"((?:[^"\\\n]|\\.)*+)"?|'([^'\n]*+)'?|([^\s"'=:\[\]{},.#][^"'=:\[\]{},.#\n]*+))"""
    r"""[ \t]*+([=:.\]]?)"""
)
"""A key, and behind it what makes it one. What is no key is consumed: the search is linear."""

YAML_KEY: Final = re.compile(r"^[ \t-]*+([^\s\"'#{\[][^:\n]*+):", re.MULTILINE)

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
    text = _content(place)
    return _policy(text, FORMATS[suffix], f"the policy file {place}")


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


def _content(path: str) -> str:
    problem = None
    content = b""
    text = ""
    try:
        # A pipe would otherwise block until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:  # noqa: PTH123 - it is a handle
            if stat.S_ISREG(os.fstat(handle).st_mode):
                content = file.read(MAX_SIZE + 1)
            else:
                problem = "is not a regular file"
    except OSError as error:
        if error.errno == errno.ENOENT:
            problem = "does not exist"
        else:
            problem = f"cannot be read: {(error.strerror or type(error).__name__).lower()}"
    except ValueError:
        problem = "has a null character in its name"
    if len(content) > MAX_SIZE:
        problem = f"has more than {MAX_SIZE:,} bytes"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = problem or f"is not UTF-8 at byte {error.start + 1}"
    if problem is not None:
        raise PolicyError(f"the policy file {path} {problem}")
    return text


def _policy(text: str, language: Format, what: str) -> Policy:
    complaint = None
    data: object = None
    try:
        data = _parse(text, language)
    except Refusal as error:
        complaint = error
    if complaint is not None:
        line = "" if complaint.line is None else f" at line {complaint.line}"
        raise PolicyError(
            f"{what} cannot be read: {complaint.rule}{line}",
            mistakes=(f"{complaint.rule}{line}",),
        )
    if not isinstance(data, dict):
        raise PolicyError(
            f"{what} is a table with name, version and fields, got {_kind(data)}",
            mistakes=(f"a table with name, version and fields, got {_kind(data)}",),
        )
    parts, mistakes = _read(data, language)
    if mistakes:
        lines = _Lines(text)
        located = [lines.locate(mistake) for mistake in mistakes]
        raise refusal(what, sorted(located, key=lambda mistake: mistake.line or 0))
    return Policy(
        cast("str", parts["name"]),
        version=cast("int", parts["version"]),
        fields=cast("dict[str, Transform]", parts["fields"]),
        unruled=cast("Any", parts["unruled"]),
    )


def _parse(text: str, language: Format) -> object:
    match language:
        case "toml":
            data = _toml(text)
        case "json":
            data = _json(text)
        case "yaml":
            data = yaml_file.read(text, MAX_DEPTH)
    _check_data(data)
    return data


def _toml(text: str) -> object:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_POINTS:
            raise Refusal(f"a line of TOML has at most {MAX_POINTS} points: break it", number)
    place = None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The rest of the message may quote the file.
        place = PLACE.search(str(error))
    except (ValueError, RecursionError):
        pass
    raise Refusal("the text is not TOML", int(place[1]) if place else None)


def _json(text: str) -> object:
    twice: list[str] = []

    def table(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return found

    line = None
    data: object = None
    failed = False
    try:
        data = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        failed, line = True, error.lineno
    except (ValueError, RecursionError):
        failed = True
    if failed:
        raise Refusal("the text is not JSON", line)
    if twice:
        raise Refusal("a key stands twice in one table", _Lines(text).last(twice[0]))
    return data


def _check_data(data: object) -> None:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        following: list[object] = []
        for held in level:
            if isinstance(held, float) and not math.isfinite(held):
                raise Refusal("a number is finite")
            if isinstance(held, str) and SURROGATE.search(held):
                raise Refusal("text holds half a character")
            if isinstance(held, dict):
                following += [*held, *held.values()]
            elif isinstance(held, list):
                following += held
        level = following
    if level:
        raise Refusal(f"a policy file is nested at most {MAX_DEPTH} deep")


def _read(data: dict[str, object], language: Format) -> tuple[dict[str, object], list[Mistake]]:
    mistakes = [
        Mistake(part, f"a policy has no such part, only {', '.join(PARTS)}", part, PARTS)
        for part in data
        if part not in {*PARTS, SCHEMA}
    ]
    parts = {"version": 1, "unruled": "error", **data}
    missing = [part for part in ("name", "fields") if part not in parts]
    mistakes += [Mistake(part, MISSING) for part in missing]
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
    return parts, mistakes + [one for one in found if one.place not in missing]


def _rule(path: str, declared: object, language: Format) -> Transform | list[Mistake]:
    if not isinstance(declared, str | dict):
        return [Mistake(path, f"a rule is its name, or a table with it, got {_kind(declared)}")]
    options = {"rule": declared} if isinstance(declared, str) else declared
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
    match error["type"], error["loc"]:
        case "literal_error", _:
            return str(error["ctx"]["expected"])
        case "missing", (*_, name):
            return f"a table with {name}"
        case kind, _:
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


class _Lines:
    """
    Where the keys of a file stand.
    """

    def __init__(self, text: str) -> None:
        self.found: dict[str, list[int]] = {}
        self.start = 0
        keys = [
            (match.start(), _unquoted(match[1]) if match[1] is not None else match[2] or match[3])
            for match in TOKEN.finditer(text)
            if match[4]
        ]
        keys += [(match.start(1), match[1]) for match in YAML_KEY.finditer(text)]
        line = at = 0
        for position, key in sorted(keys):
            line += text.count("\n", at, position)
            at = position
            self.found.setdefault((key or "").strip(), []).append(line + 1)
        self.start = self.found.get("fields", [1])[0]

    def locate(self, mistake: Mistake) -> Mistake:
        """
        Return a mistake with the line that it is on, where one is found.
        """
        lines = self.found.get(mistake.place, [])
        if mistake.text == MISSING:
            lines = []
        elif mistake.place not in PARTS:
            lines = [line for line in lines if line >= self.start] or lines
        return dataclasses.replace(mistake, line=lines[0] if lines else None)

    def last(self, key: str) -> int | None:
        """
        Return the last line on which a key stands.
        """
        return self.found.get(key, [None])[-1]


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
