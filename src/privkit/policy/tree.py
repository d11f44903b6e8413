"""
Walking a record along the paths of a policy.

The walk knows where a rule applies, and nothing of keys: what a rule does to a value is the
business of the `Visitor`. Both directions use it, so that a value is looked for on the way back
exactly where it was put on the way out.

How a path is chosen:

* A literal column name matches first: a key ``visits[*].date`` of a flat record is the rule of
  that name, not a path.
* The longest path wins. A rule on a container rules every part that has no rule of its own.
* ``*`` rules the top-level fields that nothing else rules.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Final, Generic, Protocol, TypeVar

from privkit.errors import PolicyError, UnruledFieldError
from privkit.formats.values import bare_null, is_null
from privkit.policy.paths import Step, parse

RuleT = TypeVar("RuleT")
RuleT_contra = TypeVar("RuleT_contra", contravariant=True)

OMIT: Final = object()
"""What a visitor returns for a value that is to be left out."""

SHOWABLE: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9-]{0,39}")
"""Keys that name a field. Other keys of a record may be data themselves, and are not printed."""

DIGITS: Final = re.compile(r"[0-9]{4}")
MOST_SHOWN: Final = 20


class Visitor(Protocol[RuleT_contra]):
    """
    What to do where a rule meets a value.
    """

    def value(self, value: object, rule: RuleT_contra, /) -> object:
        """
        Return what stands in the result for a value, a whole container, or null; or `OMIT`.
        """
        ...

    def unruled(self, value: object, where: str, /) -> object:
        """
        Return what stands in the result for a value without a rule; or `OMIT`.
        """
        ...


@dataclasses.dataclass(slots=True)
class Node(Generic[RuleT]):
    """
    One place in a record, and the rules at and below it.
    """

    path: str = ""
    rule: RuleT | None = None
    keys: dict[str, "Node[RuleT]"] = dataclasses.field(default_factory=dict)
    each: "Node[RuleT] | None" = None
    literals: dict[str, RuleT] = dataclasses.field(default_factory=dict)
    other: RuleT | None = None


def grow(rules: Mapping[str, RuleT]) -> Node[RuleT]:
    """
    Build the tree of the rules of a policy, keyed by their paths.
    """
    root: Node[RuleT] = Node()
    for path, rule in rules.items():
        steps = parse(path)
        if steps == (Step.OTHER,):
            root.other = rule
            continue
        if len(steps) > 1:
            root.literals[path] = rule
        node = root
        for step in steps:
            node = _below(node, step)
        node.path, node.rule = path, rule
    return root


def _below(node: Node[RuleT], step: str | Step) -> Node[RuleT]:
    if isinstance(step, str):
        path = f"{node.path}.{step}" if node.path else step
        return node.keys.setdefault(step, Node(path))
    if node.each is None:
        node.each = Node(f"{node.path}[*]")
    return node.each


def walk(
    record: Mapping[str, object], root: Node[RuleT], visitor: Visitor[RuleT]
) -> dict[str, object]:
    """
    Build the result of a visit to every value of a record. The record is not changed.

    Raises:
        PolicyError: If the record is not a mapping of text keys, or a container stands where
            the policy expects another shape.
    """
    if not isinstance(record, Mapping):
        raise PolicyError(f"a record is a mapping, got {type(record).__name__}")
    return _keys(record, root, root.other, visitor)


def _keys(
    record: Mapping[str, object],
    node: Node[RuleT],
    inherited: RuleT | None,
    visitor: Visitor[RuleT],
) -> dict[str, object]:
    result = {}
    for position, (key, value) in enumerate(record.items()):
        if key in node.literals:
            made = visitor.value(value, node.literals[key])
        elif (child := node.keys.get(key)) is not None:
            made = _visit(value, child, inherited if node.path else None, visitor)
        elif not isinstance(key, str):
            raise PolicyError(
                f"the keys of a record are text, got {type(key).__name__} at position {position}"
                f"{_under(node)}"
            )
        elif inherited is not None:
            made = visitor.value(value, inherited)
        else:
            made = visitor.unruled(value, f"{_shown(key, position)}{_under(node)}")
        if made is not OMIT:
            result[key] = made
    return result


def _visit(
    value: object, node: Node[RuleT], inherited: RuleT | None, visitor: Visitor[RuleT]
) -> object:
    rule = inherited if node.rule is None else node.rule
    if rule is not None and not node.keys and node.each is None:
        return visitor.value(value, rule)
    if node.keys and isinstance(value, Mapping):
        return _keys(value, node, rule, visitor)
    if node.each is not None and isinstance(value, list | tuple):
        made = (_visit(item, node.each, rule, visitor) for item in value)
        return [item for item in made if item is not OMIT]
    if is_null(value):
        return bare_null(value) if rule is None else visitor.value(value, rule)
    wanted = [
        *(["a record"] if node.keys else []),
        *(["a list"] if node.each is not None else []),
    ]
    raise PolicyError(
        f"field '{node.path}' is {' or '.join(wanted)} in the policy, got {type(value).__name__}"
        f"{_advice(value, node)}"
    )


def _advice(value: object, node: Node[RuleT]) -> str:
    if isinstance(value, list | tuple):
        return f": write '{node.path}[*]' in its paths"
    return ""


def _under(node: Node[RuleT]) -> str:
    return f" of '{node.path}'" if node.path else ""


def _shown(key: str, position: int) -> str:
    if SHOWABLE.fullmatch(key) and not DIGITS.search(key):
        return f"'{key}'"
    return f"key {position + 1}"


def find(record: Mapping[str, object], path: str) -> object:
    """
    Return the value at a path without list steps, or ``None`` where there is none.
    """
    steps = parse(path)
    if len(steps) > 1 and path in record:
        return record[path]
    value: object = record
    for step in steps:
        if not isinstance(value, Mapping) or not isinstance(step, str):
            return None
        value = value.get(step)
    return value


def refuse(unruled: list[str]) -> None:
    """
    Raise if a walk met fields without a rule.
    """
    if unruled:
        shown = ", ".join(unruled[:MOST_SHOWN]) + (" …" if unruled[MOST_SHOWN:] else "")
        raise UnruledFieldError(
            f"no rule for [{shown}]: give each a rule, such as Redact() or Keep()",
            fields=tuple(unruled),
        )
