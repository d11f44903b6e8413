"""
From the data of a policy file to a policy, or to all of its mistakes at once.

A policy file is input like any other. Whatever it holds, it ends in a policy or in a `PolicyError`
that quotes none of its values.
"""

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from privkit.errors import MissingExtraError, PolicyError
from privkit.policy import yaml_file
from privkit.policy.checks import MAX_MISTAKES, Mistake, check, refusal, show
from privkit.policy.declared import SHOWABLE, kind_of, transform
from privkit.policy.lines import Lines
from privkit.policy.model import Policy
from privkit.policy.parsing import MAX_SIZE, Format, content, parse
from privkit.policy.rules import rules
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
        complaint = f"it is a table with name, version and fields, got {kind_of(data)}"
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
        return [Mistake(path, f"a rule is its name, or a table with it, got {kind_of(declared)}")]
    options: dict[str, object] = {"rule": declared} if isinstance(declared, str) else declared
    if "rule" not in options:
        return [Mistake(path, _without_rule(path, options, language))]
    name = options["rule"]
    if not isinstance(name, str):
        return [Mistake(path, f"rule is the name of a rule, got {kind_of(name)}")]
    if name not in rules():
        known = tuple(rules())
        return [Mistake(path, f"there is no such rule, only {', '.join(known)}", name, known)]
    given = {option: value for option, value in options.items() if option != "rule"}
    return transform(path, name, given)


def _without_rule(path: str, options: Mapping[str, object], language: Format) -> str:
    inner = next(iter(options), "")
    if language == "toml" and inner and isinstance(options[inner], str | dict):
        # TOML reads a dot outside of quotes as a table within a table.
        return f'a table has a rule = "…"; a path stands in quotes: "{show(path)}.{inner}"'
    return "a table has a rule, such as rule: token"
