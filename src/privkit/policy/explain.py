"""
What a policy does to each field, as a table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from privkit.policy.docstring import first_sentence
from privkit.policy.options import options
from privkit.policy.table import table
from privkit.typing import JSON, Technique, Transform

if TYPE_CHECKING:
    from privkit.policy.model import Policy

HEADER: Final = ("field", "rule", "technique (ISO/IEC 20889)", "back", "links with", "reveals")
WIDTHS: Final = (20, 19, 26, 4, 20, 21)
"""With two blanks between, 120 characters."""

UNRULED: Final = {
    "error": "A field without a rule is an error.",
    "redact": "A field without a rule becomes null.",
    "drop": "A field without a rule is left out.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedField:
    """
    What a policy does to one field.

    Args:
        path: The field's path in the policy.

        rule: The name of the transform, as in a policy file.

        options: Those that differ from their defaults, and the numbered ones.

        technique: The class of the technique in ISO/IEC 20889.

        reversible: Whether an `Authority` can bring the value back.

        links: What the pseudonyms of the field can be linked with.

        preserves: What of the value survives.

        reveals: What a reader of the result learns.

        small_domain: Why it is acceptable that few values are possible; ``None`` where that is
            refused.

        legacy: Why what pyffx wrote is still written; ``None`` where it is not.
    """

    path: str
    rule: str
    options: Mapping[str, JSON]
    technique: Technique
    reversible: bool
    links: str
    preserves: str
    reveals: str
    small_domain: str | None
    legacy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    What a policy does to each field. As text, it is a table of at most 120 columns.

    Args:
        policy: The name of the policy.

        version: The version of the policy.

        fingerprint: The fingerprint of the policy.

        unruled: What happens to a field without a rule.

        fields: The fields in the order of the policy.

    .. versionadded:: 0.1
    """

    policy: str
    version: int
    fingerprint: str
    unruled: str
    fields: tuple[ExplainedField, ...]

    @classmethod
    def of(cls, policy: "Policy", /) -> "Explanation":
        """
        Explain a policy.
        """
        return cls(
            policy=policy.name,
            version=policy.version,
            fingerprint=policy.fingerprint,
            unruled=policy.unruled,
            fields=tuple(_field(policy, path, rule) for path, rule in policy.fields.items()),
        )

    def __str__(self) -> str:
        rows = [
            (
                field.path,
                " ".join([field.rule, *written(field.options)]),
                field.technique.value,
                "yes" if field.reversible else "no",
                field.links,
                field.reveals,
            )
            for field in self.fields
        ]
        title = (
            f"policy {self.policy}, version {self.version}, fingerprint {self.fingerprint[:16]}…"
        )
        return "\n".join([title, UNRULED[self.unruled], "", table(HEADER, rows, WIDTHS)])


def written(chosen: Mapping[str, JSON], /) -> list[str]:
    """
    Return options for a table: ``normalize=email@1``.
    """
    return [f"{name}={shown(value)}" for name, value in chosen.items()]


def shown(value: JSON, /) -> str:
    """
    Return the value of an option for a table.
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field(policy: "Policy", path: str, rule: Transform) -> ExplainedField:
    return ExplainedField(
        path=path,
        rule=rule.name,
        options=options(rule),
        technique=rule.technique,
        reversible=rule.reversible,
        links=_links(policy, path, rule),
        preserves=first_sentence(type(rule), "Preserves"),
        reveals=_reveals(rule),
        small_domain=getattr(rule, "small_domain", None),
        legacy=getattr(rule, "legacy", None),
    )


def _reveals(rule: Transform) -> str:
    # What a format keeps in clear is what a reader has to know before anything else.
    kept = first_sentence(type(getattr(rule, "format", None)), "Keeps")
    said = first_sentence(type(rule), "Reveals")
    if not kept:
        return said
    # After the first clause, the rule says the same of every format.
    return f"In clear: {kept[:1].lower()}{kept[1:]} {said.partition(';')[0]}."


def _links(policy: "Policy", path: str, rule: Transform) -> str:
    if rule.technique is Technique.LOCAL_SUPPRESSION:
        return "nothing"
    if rule.technique is Technique.NONE:
        return "the value elsewhere"
    if not rule.keyed:
        return "the value elsewhere, coarsely"
    if not rule.deterministic:
        return "nothing"
    if rule.technique is Technique.DETERMINISTIC_ENCRYPTION:
        # The path of the field is authenticated with the value.
        return f"itself, in scope {policy.scope(path)}"
    subject = "" if rule.by is None else f", for one {rule.by}"
    joined = [
        other
        for other, its in policy.fields.items()
        if other != path
        and policy.scope(other) == policy.scope(path)
        and (its.name, options(its)) == (rule.name, options(rule))
    ]
    others = f", so with {', '.join(joined)}" if joined else ""
    return f"scope {policy.scope(path)}{others}{subject}"
