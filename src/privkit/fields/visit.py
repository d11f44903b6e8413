"""
One record, from the keys that its values are under to the one that protects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, cast
from uuid import UUID

from privkit.errors import DomainError, IrreversibleError, KeyNotFoundError, PolicyError
from privkit.errors import PrivkitError as Error
from privkit.fields.report import UNPLACED, Outcome
from privkit.formats.values import is_null
from privkit.keys import Key
from privkit.keys.text import is_id
from privkit.policy.model import Policy
from privkit.policy.tree import Node, find, walk
from privkit.pseudonymizer import Binding, clean
from privkit.transforms.encrypt import Encrypt, key_id_of
from privkit.transforms.token import Token
from privkit.typing import (
    KeyedTransform,
    Protector,
    Record,
    Revealer,
    ReversibleTransform,
    Transform,
)


class Translation(Protocol):
    """
    A mapping from the pseudonyms of older keys to those of the primary.
    """

    def translate(self, pseudonym: object, /) -> object:
        """
        Return the pseudonym of the same value under the primary, or ``None`` if none is known.
        """
        ...


Way: TypeAlias = "Translation | str | None"
"""How a field comes under the primary: a mapping, the path of a field that holds the same value
and reverses, or ``None`` where the field itself reverses."""


def names_its_key(rule: Transform, /) -> bool:
    """
    Tell whether the pseudonyms of a rule tell which key they are under.
    """
    return isinstance(rule, Encrypt) or (isinstance(rule, Token) and rule.encoding == "hex")


class Ring:
    """
    The keys of one run, and the rules joined to them.
    """

    __slots__ = ("_binding", "_keyset", "_protectors", "_reason", "_revealers", "_tags", "primary")

    def __init__(self, binding: Binding, allow_compromised: str | None) -> None:
        self._binding = binding
        self._keyset = binding.keyset()
        self._reason = allow_compromised
        self.primary = self._keyset.primary
        self._tags = {key.tag: key.id for key in self.keys}
        self._protectors: dict[tuple[str, str], Protector] = {}
        self._revealers: dict[tuple[str, str], Revealer] = {}

    @property
    def policy(self) -> Policy:
        """
        The rules.
        """
        return self._binding.policy

    @property
    def keys(self) -> tuple[Key, ...]:
        """
        Every key that may have made what is stored, the primary first.
        """
        return (*self._keyset.live, *self._keyset.compromised)

    def of_id(self, key_id: str) -> Key:
        """
        Return the key of an id.

        Raises:
            KeyNotFoundError: If none of that id resolves.
        """
        return self._keyset.get(key_id, allow_compromised=self._reason)

    def of_tag(self, tag: str) -> Key:
        """
        Return the key of a tag.

        Raises:
            KeyNotFoundError: If none of that tag resolves.
        """
        if tag not in self._tags:
            raise KeyNotFoundError("no key of the keyset has the tag of this pseudonym")
        return self.of_id(self._tags[tag])

    def protector(self, path: str, key: Key) -> Protector:
        """
        Return the rule of a field, ready to protect.
        """
        made = self._protectors.get((path, key.id))
        if made is None:
            rule = cast("KeyedTransform", self.policy.fields[path])
            made = rule.bind(self._binding.subkeys(path, key))
            self._protectors[path, key.id] = made
        return made

    def revealer(self, path: str, key: Key) -> Revealer:
        """
        Return the way back of the rule of a field.
        """
        made = self._revealers.get((path, key.id))
        if made is None:
            rule = cast("ReversibleTransform", self.policy.fields[path])
            made = rule.bind_inverse(self._binding.subkeys(path, key))
            self._revealers[path, key.id] = made
        return made


@dataclass(frozen=True, slots=True)
class Visited:
    """
    What a visit made of a record.

    Args:
        record: The record under the primary; ``None`` unless it changed.

        outcome: What became of it.

        error: Why it stays as it is, without a value.

        found: Field and id of the key of each value.
    """

    record: dict[str, object] | None
    outcome: Outcome
    error: Error | None
    found: list[tuple[str, str]]


def visit(
    record: Record,
    ring: Ring,
    *,
    root: Node[str],
    ways: Mapping[str, Way],
    key_field: str | None,
) -> Visited:
    """
    Bring a record under the primary: whole, or not at all. It is not changed itself.

    Args:
        record: Pseudonyms, and whatever stands beside them.

        ring: The keys.

        root: The tree of the policy's paths.

        ways: How each keyed field comes under the primary.

        key_field: The name under which the record holds the id of its key.
    """
    seen = _Visit(ring, ways)
    try:
        made = seen.record(record, root, key_field)
    except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
        made = None
        seen.note(clean(error, "the record cannot be re-keyed:"))
    if seen.failure is not None:
        return Visited(None, Outcome.FAILED, seen.failure, seen.found)
    if seen.untranslated is not None:
        return Visited(None, Outcome.QUARANTINED, seen.untranslated, seen.found)
    if not seen.changed:
        return Visited(None, Outcome.SKIPPED, None, seen.found)
    return Visited(made, Outcome.CHANGED, None, seen.found)


@dataclass(slots=True)
class _Visit:
    """
    The visitor of one record. It goes on after an error, to count all values.
    """

    ring: Ring
    ways: Mapping[str, Way]
    whole: Record = field(default_factory=dict)
    companion: object = None
    found: list[tuple[str, str]] = field(default_factory=list)
    failure: Error | None = None
    untranslated: Error | None = None
    changed: bool = False
    subjects: dict[str, object] = field(default_factory=dict)

    def record(self, record: Record, root: Node[str], key_field: str | None) -> dict[str, object]:
        if key_field is not None and isinstance(record, Mapping) and key_field in record:
            self.companion = record[key_field]
            self.whole = {key: value for key, value in record.items() if key != key_field}
        else:
            self.whole, key_field = record, None
        made = walk(self.whole, root, self)
        if key_field is None or is_null(self.companion):
            return made
        if not is_id(self.companion):
            raise DomainError(
                f"the companion field '{key_field}' holds ids of keys, got something else"
            )
        self.changed |= self.companion != self.ring.primary.id
        return {key: self.ring.primary.id if key == key_field else made[key] for key in record}

    def value(self, value: object, path: str, /) -> object:
        if path not in self.ways or is_null(value):
            return value
        self.found.append((path, UNPLACED))
        try:
            return self._turn(path, value)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = clean(error, f"{type(self.ring.policy.fields[path]).__name__} failed with")
        failure.field = path
        self.note(failure)
        return None

    def unruled(self, value: object, _where: str, /) -> object:
        return value

    def note(self, error: Error) -> None:
        """
        Remember the first error of each kind.
        """
        if isinstance(error, IrreversibleError):
            self.untranslated = self.untranslated or error
        else:
            self.failure = self.failure or error

    def _turn(self, path: str, value: object) -> object:
        ring, rule = self.ring, self.ring.policy.fields[path]
        key = self._key(path, value)
        if key.id == ring.primary.id:
            if rule.reversible:
                # What cannot be read is not under the primary, whatever it says.
                ring.revealer(path, key).invert(value, self._subject(rule.by))
            self.found[-1] = (path, key.id)
            return value
        self.found[-1] = (path, key.id)
        fresh = self._fresh(path, rule, value, key)
        self.changed = True
        return fresh

    def _fresh(self, path: str, rule: Transform, value: object, key: Key) -> object:
        ring, way = self.ring, self.ways[path]
        if way is None:
            by = self._subject(rule.by)
            plain = ring.revealer(path, key).invert(value, by)
            fresh = ring.protector(path, ring.primary).apply(plain, by)
            if ring.revealer(path, ring.primary).invert(fresh, by) != plain:
                raise DomainError("a value does not come back from under the primary as it was")
            return fresh
        # Databases have a type for UUIDs, and rules write text.
        text = str(value) if isinstance(value, UUID) else value
        if isinstance(way, str):
            plain = self._subject(way)
            if ring.protector(path, key).apply(plain) != text:
                raise IrreversibleError(f"'{way}' does not hold the value of this pseudonym")
            fresh = ring.protector(path, ring.primary).apply(plain)
        else:
            fresh = way.translate(text)
            if fresh is None:
                raise IrreversibleError("the map has no entry for this pseudonym: learn its value")
            if names_its_key(rule) and self._key(path, fresh).id != ring.primary.id:
                raise PolicyError("the map leads to a pseudonym of another key than the primary")
        return UUID(cast("str", fresh)) if isinstance(value, UUID) else fresh

    def _key(self, path: str, value: object) -> Key:
        rule = self.ring.policy.fields[path]
        if isinstance(rule, Encrypt):
            return self.ring.of_id(key_id_of(value))
        if isinstance(rule, Token) and rule.encoding == "hex":
            return self.ring.of_tag(rule.tag_of(cast("str", value)))
        if is_null(self.companion):
            raise KeyNotFoundError(
                f"{type(rule).__name__} does not carry its key, and the record names none"
            )
        return self.ring.of_id(cast("str", self.companion))

    def _subject(self, path: str | None) -> object:
        """
        Return the plaintext of a field that another one depends on.
        """
        if path is None:
            return None
        if path not in self.subjects:
            value = find(self.whole, path)
            if is_null(value):
                raise PolicyError(f"depends on '{path}', which is missing or null in the record")
            if path in self.ways:
                by = self._subject(self.ring.policy.fields[path].by)
                value = self.ring.revealer(path, self._key(path, value)).invert(value, by)
            self.subjects[path] = value
        return self.subjects[path]
