"""
What changes from one policy to another, and which pseudonyms that breaks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from privkit.policy.explain import shown, written
from privkit.policy.options import options
from privkit.policy.table import table
from privkit.typing import Transform

if TYPE_CHECKING:
    from privkit.policy.model import Policy

HEADER: Final = ("field", "change", "what", "old results match")
WIDTHS: Final = (30, 7, 56, 17)

LIMITS: Final = frozenset({"max_length", "max_size", "small_domain", "legacy"})
"""Options that say which values are refused, and not what becomes of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    What changes about one field, or about the policy itself.

    Args:
        path: The field's path, or the part of the policy: ``name``, ``version``, ``unruled``.

        kind: Whether it is added, removed or changed.

        what: Each change in words, such as ``bits 128 -> 160``.

        matches: Whether a value gets the result that it got before. ``None`` where there is
            nothing to compare.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    what: tuple[str, ...]
    matches: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    What changes from one policy to another. It is false if nothing does.

    Args:
        policy: Changes of the parts other than the fields.

        fields: Changes of the fields: first those of the old policy, in its order, then those
            that are added.

    .. versionadded:: 0.1
    """

    policy: tuple[Change, ...]
    fields: tuple[Change, ...]

    @classmethod
    def between(cls, old: "Policy", new: "Policy", /) -> "Difference":
        """
        Compare two policies.
        """
        parts = [
            Change(path=part, kind="changed", what=(f"{before} -> {after}",), matches=None)
            for part, before, after in (
                ("name", old.name, new.name),
                ("version", old.version, new.version),
                ("unruled", old.unruled, new.unruled),
            )
            if before != after
        ]
        fields = [_field(old, new, path) for path in {**old.fields, **new.fields}]
        return cls(
            policy=tuple(parts), fields=tuple(change for change in fields if change is not None)
        )

    def __bool__(self) -> bool:
        return bool(self.policy or self.fields)

    def __str__(self) -> str:
        if not self:
            return "no difference"
        rows = [
            (
                change.path,
                change.kind,
                "; ".join(change.what),
                {None: "", True: "yes", False: "no"}[change.matches],
            )
            for change in (*self.policy, *self.fields)
        ]
        return table(HEADER, rows, WIDTHS)


def _field(old: "Policy", new: "Policy", path: str) -> Change | None:
    what: tuple[str, ...]
    if path not in new.fields:
        what = (_rule(old.fields[path]),)
        return Change(path=path, kind="removed", what=what, matches=None)
    if path not in old.fields:
        what = (_rule(new.fields[path]),)
        return Change(path=path, kind="added", what=what, matches=None)
    before, after = old.fields[path], new.fields[path]
    if before.name != after.name:
        what = (f"{_rule(before)} -> {_rule(after)}",)
        return Change(path=path, kind="changed", what=what, matches=False)
    changed = _options(before, after)
    was, becomes = old.scope(path), new.scope(path)
    if before.keyed and was != becomes:
        changed["scope"] = f"scope {was} -> {becomes}"
    # A scope that is declared to be what it was by default is the same.
    harmless = LIMITS if was != becomes else LIMITS | {"scope"}
    if not changed:
        return None
    return Change(
        path=path,
        kind="changed",
        what=tuple(changed.values()),
        matches=set(changed) <= harmless,
    )


def _options(before: Transform, after: Transform) -> dict[str, str]:
    was, becomes = options(before, defaults=True), options(after, defaults=True)
    return {
        option: f"{option} {shown(was.get(option))} -> {shown(becomes.get(option))}"
        for option in {**was, **becomes}
        if shown(was.get(option)) != shown(becomes.get(option))
    }


def _rule(rule: Transform) -> str:
    return " ".join([rule.name, *written(options(rule))])
