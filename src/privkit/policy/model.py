"""
Policies: which transform rules which field.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, final

from privkit.errors import PolicyError
from privkit.formats.text import plain_text
from privkit.keys import KeyProvider
from privkit.policy.checks import Unruled, check, refusal, suggest
from privkit.policy.options import options
from privkit.policy.paths import parse, render
from privkit.typing import JSON, Transform

if TYPE_CHECKING:
    from privkit.audit import AuditSink
    from privkit.authority import Access, Authority
    from privkit.policy.diff import Difference
    from privkit.policy.explain import Explanation
    from privkit.pseudonymizer import Pseudonymizer

FORMAT: Final = 1
"""Frozen: the number of the canonical form, from which the fingerprint is made."""


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
    def loads(cls, text: str, /, *, format: Literal["toml", "json", "yaml"]) -> "Policy":  # noqa: A002 - the word for it
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
        if isinstance(path, Enum) or path not in self.fields:
            raise PolicyError(
                f"policy '{self.name}' has no such field{suggest(str(path), self.fields)}",
                policy=self.name,
            )

    def scope(self, path: str, /) -> str:
        """
        Return whose values link with those of a field: its declared scope, or its own one.

        A rule that depends on another field has the scope of that field: all dates of a subject
        are shifted alike, in whichever fields they stand.

        Raises:
            PolicyError: If the policy has no such field.
        """
        self.require(path)
        rule = self.fields[path]
        return f"{self.name}.{rule.by or plain_text(path)}" if rule.scope is None else rule.scope

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

    def bind(
        self,
        keys: KeyProvider | None = None,
        *,
        keyset: str = "default",
        key_field: str | None = None,
    ) -> "Pseudonymizer":
        """
        Join the policy to keys, to protect. What comes back has no method that reveals.

        Args:
            keys: Where keys come from; nothing is fetched before the first use. May be left out
                if no rule is keyed.

            keyset: The name of the keyset.

            key_field: The name of a field that the policy does not rule: records come back with
                the id of the key that protected them under it. Format-preserving pseudonyms do
                not carry their key, so where records outlive a key this keeps them readable.

        Raises:
            PolicyError: If a rule is keyed and there is no provider, or the policy rules
                *key_field* or has no keyed rule.
        """
        from privkit.pseudonymizer import Pseudonymizer

        try:
            return Pseudonymizer(self, keys, keyset, key_field)
        finally:
            # A traceback can print locals, and somebody may pass a key for a provider.
            del keys, keyset

    def authority(
        self,
        keys: KeyProvider,
        *,
        access: "Access",
        audit: "AuditSink",
        keyset: str = "default",
        key_field: str | None = None,
    ) -> "Authority":
        """
        Join the policy to keys, to reveal: the only way back.

        Args:
            keys: Where keys come from; nothing is fetched before the first use.

            access: Who may reidentify, and for which purpose.

            audit: Where each request is written, granted or denied.

            keyset: The name of the keyset.

            key_field: Where records carry the id of the key that protected them; ``None`` if
                they do not.

        Raises:
            PolicyError: If an argument is not what it should be.
        """
        from privkit.authority import Authority

        try:
            return Authority(
                self, keys, access=access, audit=audit, keyset=keyset, key_field=key_field
            )
        finally:
            del keys, keyset

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
