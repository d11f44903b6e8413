"""
Policies: which transform rules which field.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from difflib import get_close_matches
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, final, get_args

from privkit.errors import PolicyError
from privkit.keys import KeyProvider
from privkit.policy.options import options
from privkit.policy.paths import Path, Step, parse, render
from privkit.typing import JSON, Transform

if TYPE_CHECKING:
    from privkit.audit import AuditSink
    from privkit.authority import Access, Authority
    from privkit.policy.diff import Difference
    from privkit.policy.explain import Explanation
    from privkit.pseudonymizer import Pseudonymizer

FORMAT: Final = 1
"""Frozen: the number of the canonical form, from which the fingerprint is made."""

NAME: Final = re.compile("[a-z][a-z0-9_-]{0,62}")
MAX_VERSION: Final = 2**31 - 1

Unruled = Literal["error", "redact", "drop"]
Format = Literal["toml", "json", "yaml"]

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
    """

    place: str
    text: str
    word: str = ""
    known: Iterable[str] = ()
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}, "
        return f"{line}{show(self.place)}: {self.text}{suggest(self.word, self.known)}"


@final
@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Policy:
    """
    Say which transform rules which field.

    A policy is a value without secrets: it can be printed, compared, hashed, pickled, written to
    a file and read by whoever has to sign it. It does nothing until it is bound to keys.

    Two policies are equal if they rule the same fields alike; the order of fields makes no
    difference.

    Args:
        name: 1 to 63 lower-case letters, digits, hyphens or underscores, the first a letter. It
            is part of the default scopes, so another name gives other pseudonyms.

        version: Counted up by whoever changes the policy, from 1. It goes into manifests and
            audit events, and not into pseudonyms.

        fields: Paths to transforms. ``"*"`` rules the top-level fields that nothing else rules.

        unruled: What happens to a field without a rule: ``"error"`` refuses the record,
            ``"redact"`` writes null, ``"drop"`` leaves the field out.

    Raises:
        PolicyError: If anything about it is wrong. All mistakes are told at once, and stand in
            ``error.mistakes``.

    .. versionadded:: 0.1
    """

    name: str
    _: KW_ONLY
    version: int = 1
    fields: Mapping[str, Transform]
    unruled: Unruled = "error"
    _canonical: str = field(init=False)

    def __post_init__(self) -> None:
        mistakes = check(self.name, self.version, self.fields, self.unruled)
        if mistakes:
            raise refusal("the policy", mistakes)
        rules = {render(parse(path)): rule for path, rule in self.fields.items()}
        object.__setattr__(self, "fields", MappingProxyType(rules))
        document = {"privkit-policy": FORMAT, **self._document(short=False)}
        object.__setattr__(
            self,
            "_canonical",
            json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False),
        )

    def _document(self, *, short: bool) -> dict[str, JSON]:
        rules: dict[str, JSON] = {}
        for path, rule in self.fields.items():
            chosen = options(rule)
            rules[path] = rule.name if short and not chosen else {"rule": rule.name, **chosen}
        return {
            "name": self.name,
            "version": self.version,
            "unruled": self.unruled,
            "fields": rules,
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str], /) -> "Policy":
        """
        Read a policy file: TOML, JSON or, with the extra ``yaml``, YAML.

        Args:
            path: The file. Its suffix tells the format: .toml, .json, .yaml or .yml.

        Raises:
            PolicyError: If the file cannot be read or is no policy. All mistakes are told at
                once, each with its line, and stand in ``error.mistakes``.

            MissingExtraError: If the file is YAML and PyYAML is not installed.
        """
        from privkit.policy import loading

        return loading.load(path)

    @classmethod
    def loads(cls, text: str, /, *, format: Format) -> "Policy":  # noqa: A002 - the word for it
        """
        Read a policy from text.

        Args:
            text: The content of a policy file.

            format: The language of *text*.

        Raises:
            PolicyError, MissingExtraError: As `load`.
        """
        from privkit.policy import loading

        return loading.loads(text, format)

    def to_json(self) -> str:
        """
        Return the policy as a JSON file, which `load` reads.
        """
        return json.dumps(self._document(short=True), indent=2, ensure_ascii=False) + "\n"

    def to_yaml(self) -> str:
        """
        Return the policy as a YAML file, which `load` reads.

        Raises:
            MissingExtraError: If PyYAML is not installed.
        """
        from privkit.policy import loading

        return loading.to_yaml(self._document(short=True))

    @property
    def fingerprint(self) -> str:
        """
        SHA-256 of the canonical form, 64 hexadecimal characters.

        Policies have the same one exactly if they are equal.
        """
        return hashlib.sha256(self._canonical.encode("ascii")).hexdigest()

    def require(self, path: str, /) -> None:
        """
        Make sure that the policy has a field.

        Raises:
            PolicyError: If it has none of that path.
        """
        if path not in self.fields:
            raise PolicyError(
                f"policy '{self.name}' has no such field{suggest(str(path), self.fields)}",
                policy=self.name,
            )

    def scope(self, path: str, /) -> str:
        """
        Return whose values link with those of a field: its declared scope, or its own one.

        Raises:
            PolicyError: If the policy has no such field.
        """
        self.require(path)
        declared = self.fields[path].scope
        return f"{self.name}.{path}" if declared is None else declared

    def explain(self) -> "Explanation":
        """
        Return what the policy does to each field, as a table that prints.
        """
        from privkit.policy.explain import Explanation

        return Explanation.of(self)

    def diff(self, other: "Policy", /) -> "Difference":
        """
        Return what changes from this policy to another, as a table that prints.
        """
        from privkit.policy.diff import Difference

        return Difference.between(self, other)

    def bind(self, keys: KeyProvider | None = None, *, keyset: str = "default") -> "Pseudonymizer":
        """
        Join the policy to keys, to protect. What comes back has no method that reveals.

        Args:
            keys: Where keys come from; nothing is fetched before the first use. May be left out
                if no rule is keyed.

            keyset: The name of the keyset.

        Raises:
            PolicyError: If a rule is keyed and there is no provider.
        """
        from privkit.pseudonymizer import Pseudonymizer

        return Pseudonymizer(self, keys, keyset)

    def authority(
        self,
        keys: KeyProvider,
        *,
        access: "Access",
        audit: "AuditSink",
        keyset: str = "default",
    ) -> "Authority":
        """
        Join the policy to keys, to reveal: the only way back.

        Args:
            keys: Where keys come from; nothing is fetched before the first use.

            access: Who may reidentify, and for which purpose.

            audit: Where each request is written, granted or denied.

            keyset: The name of the keyset.

        Raises:
            PolicyError: If an argument is not what it should be.
        """
        from privkit.authority import Authority

        return Authority(self, keys, access=access, audit=audit, keyset=keyset)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Policy):
            return NotImplemented
        return self._canonical == other._canonical

    def __hash__(self) -> int:
        return hash(self._canonical)

    def __repr__(self) -> str:
        rules = ", ".join(f"{path!r}: {rule!r}" for path, rule in self.fields.items())
        rest = "" if self.unruled == "error" else f", unruled={self.unruled!r}"
        return f"Policy({self.name!r}, version={self.version}, fields={{{rules}}}{rest})"

    def __reduce__(self) -> tuple[object, ...]:
        # A mapping proxy cannot be pickled.
        return _restore, (self.name, self.version, dict(self.fields), self.unruled)


def _restore(name: str, version: int, fields: dict[str, Transform], unruled: Unruled) -> Policy:
    return Policy(name, version=version, fields=fields, unruled=unruled)


def check(name: object, version: object, fields: object, unruled: object) -> list[Mistake]:
    """
    Return everything that is wrong with the parts of a policy.
    """
    mistakes = []
    if not isinstance(name, str) or not NAME.fullmatch(name):
        mistakes.append(
            Mistake(
                "name",
                "1 to 63 lower-case letters, digits, hyphens or underscores, the first a "
                f"letter; got {_shape(name)}",
            )
        )
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        mistakes.append(
            Mistake("version", f"a whole number from 1 to {MAX_VERSION:,}, got {_shape(version)}")
        )
    if not isinstance(unruled, str) or unruled not in get_args(Unruled):
        mistakes.append(
            Mistake("unruled", f"one of {', '.join(get_args(Unruled))}; got {_shape(unruled)}")
        )
    if isinstance(fields, Mapping):
        mistakes += _check_fields(fields)
    else:
        mistakes.append(Mistake("fields", f"maps paths to rules, got {_shape(fields)}"))
    return mistakes


def _check_fields(fields: Mapping[object, object]) -> list[Mistake]:
    if not fields:
        return [Mistake("fields", "at least one field has a rule, got none")]
    mistakes: list[Mistake] = []
    places: dict[Path, str] = {}
    rules: dict[str, Transform] = {}
    for path, rule in fields.items():
        if len(mistakes) >= MAX_MISTAKES:
            return mistakes
        if not isinstance(path, str):
            mistakes.append(Mistake("fields", f"a path is text, got {type(path).__name__}"))
            continue
        steps: Path = ()
        try:
            steps = parse(path)
        except PolicyError as error:
            column = show(render((path,)))
            mistakes.append(Mistake(path, f"{error}; a column of that name is written {column}"))
        # A flat record's column called like a path has the rule of that path.
        for place in {steps, (path,)} if steps else ():
            if place in places:
                mistakes.append(Mistake(path, f"rules the same place as {show(places[place])}"))
            places[place] = path
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
        case str():
            return f"text of {len(value)} characters"
        case bool() | None:
            return type(value).__name__
        case int():
            return "a number outside"
        case _:
            return type(value).__name__
