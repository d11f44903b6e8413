"""
The only way back from a pseudonym: asks who may, writes down who did, then reveals.

Inside one interpreter this is a guard rail and evidence, not isolation: code in the same process
can reach the keys. Where that matters, run the authority in a process of its own.
"""

import dataclasses
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import chain, count
from typing import NoReturn, Protocol, cast, final

from privkit.audit import AuditEvent, AuditSink
from privkit.errors import (
    AccessDeniedError,
    AuditError,
    IrreversibleError,
    PolicyError,
    PrivkitError,
)
from privkit.formats.values import bare_null, is_null
from privkit.keys import Key, KeyProvider
from privkit.policy.model import Policy
from privkit.policy.tree import OMIT, find, grow, walk
from privkit.pseudonymizer import Binding, clean
from privkit.transforms.encrypt import Encrypt, key_id_of
from privkit.transforms.redact import Keep
from privkit.typing import Record, Revealer, ReversibleTransform, Transform


class Access(Protocol):
    """
    The rules about who may reidentify what, and for which purpose.
    """

    def allows(self, *, actor: str, purpose: str, fields: tuple[str, ...]) -> bool:
        """
        Return ``True`` to grant the request. Anything else, also an error, denies it.
        """
        ...


@final
class AllowList:
    """
    Grant what is listed and nothing else.

    Args:
        purposes: Actors to the purposes each may reidentify for, such as
            ``{"dr.lee": ["treatment"]}``.

    Raises:
        PolicyError: If the list is not a mapping of texts to collections of texts.
    """

    __slots__ = ("_purposes",)

    def __init__(self, purposes: Mapping[str, Collection[str]], /) -> None:
        if not isinstance(purposes, Mapping):
            raise PolicyError(
                f"an allow-list maps actors to purposes, got {type(purposes).__name__}"
            )
        for granted in purposes.values():
            # A bare text would grant each of its letters.
            if isinstance(granted, str) or not isinstance(granted, Collection):
                raise PolicyError(
                    "an allow-list gives each actor a list of purposes, got "
                    f"{type(granted).__name__}"
                )
        if not all(isinstance(text, str) for text in chain(purposes, *purposes.values())):
            raise PolicyError("actors and purposes of an allow-list are texts")
        self._purposes = {actor: frozenset(granted) for actor, granted in purposes.items()}

    def allows(self, *, actor: str, purpose: str, fields: tuple[str, ...]) -> bool:  # noqa: ARG002 - a protocol's
        """
        Return whether *actor* is listed with *purpose*, for any fields.
        """
        return purpose in self._purposes.get(actor, ())

    def __repr__(self) -> str:
        return f"AllowList(actors={len(self._purposes)})"


@final
class Authority:
    """
    Reveals what a policy's reversible rules protected.

    Every request is decided by *access* and written to *audit* before any value is revealed;
    a request that cannot be written is refused. An authority cannot be pickled.

    Args:
        policy: The rules under which the records were protected.

        keys: Where keys come from. Nothing is fetched before the first use.

        access: Who may reidentify, and for which purpose.

        audit: Where each request is written, granted or denied.

        keyset: The name of the keyset.

        key_field: Where records carry the id of the key that protected them.
    """

    __slots__ = ("_access", "_audit", "_binding", "_revealers", "_root")

    def __init__(
        self,
        policy: Policy,
        keys: KeyProvider,
        *,
        access: Access,
        audit: AuditSink,
        keyset: str = "default",
        key_field: str | None = None,
    ) -> None:
        try:
            _check_parts(access, audit)
            self._binding = Binding(policy, keys, keyset, key_field)
        except PrivkitError:
            # A traceback can print locals: not an object without its parts, nor a key that
            # somebody passes for a provider or for a name.
            del self, keys, keyset
            raise
        self._access = access
        self._audit = audit
        self._root = grow({path: path for path in policy.fields})
        self._revealers: dict[tuple[str, Key], Revealer] = {}

    @property
    def policy(self) -> Policy:
        """
        The rules under which the records were protected.
        """
        return self._binding.policy

    def reidentify(
        self,
        record: Record,
        /,
        *,
        fields: Iterable[str] | None = None,
        actor: str,
        purpose: str,
        key_id: str | None = None,
        allow_compromised: str | None = None,
    ) -> dict[str, object]:
        """
        Return the revealed fields of one record, and only those.

        Format-preserving output is not authenticated: under a wrong key or policy it inverts to
        another plausible value. Compare the policy fingerprint and key id stored beside the data
        with your own first; ``Manifest.check`` does it.

        Args:
            record: A record as `Pseudonymizer.pseudonymize` returned it, or a part of one.

            fields: Policy paths to reveal. Default: all that reverse.

            actor: Who asks.

            purpose: What for.

            key_id: The key of the pseudonyms that do not carry one. Needed where the keyset has
                several live keys, and the record has no *key_field*.

            allow_compromised: Why keys that are compromised may resolve, in words. It stands in
                the audit event.

        Raises:
            PolicyError: If a field is not in the policy, or the key is not told.

            IrreversibleError: If a named field, or one it depends on, is one-way.

            AccessDeniedError: If the access rules refuse.

            AuditError: If the request cannot be written down.

            TamperedError: If an authenticated pseudonym was altered or is of another field.

            KeyNotFoundError: If no live key has the id.
        """
        try:
            request = self._granted(
                fields, actor, purpose, 1, key_id=key_id, allow_compromised=allow_compromised
            )
            return self._reveal(record, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = clean(error, "the record cannot be revealed:")
        # A traceback can print the locals of every frame it passed.
        del record
        raise failure

    def reidentify_all(
        self,
        records: Iterable[Record],
        /,
        *,
        fields: Iterable[str] | None = None,
        actor: str,
        purpose: str,
        key_id: str | None = None,
        allow_compromised: str | None = None,
    ) -> Iterator[dict[str, object]]:
        """
        Return an iterator over the revealed fields of many records: one request, one event.

        The request is decided and written when this is called, before the first record is read.

        Raises:
            PrivkitError: As `reidentify`; from the iterator with ``error.row`` counted from 1.
        """
        try:
            request = self._granted(
                fields, actor, purpose, None, key_id=key_id, allow_compromised=allow_compromised
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = clean(error, "the request cannot be decided:")
        else:
            # No frame of this module is left between two records, so none can show one.
            return map(partial(self._row, request), count(1), records)
        del records
        raise failure

    def _granted(
        self,
        fields: Iterable[str] | None,
        actor: str,
        purpose: str,
        records: int | None,
        *,
        key_id: str | None,
        allow_compromised: str | None,
    ) -> "_Request":
        wanted = self._wanted(fields)
        texts = {"actor": actor, "purpose": purpose}
        if allow_compromised is not None:
            texts["reason to allow compromised keys"] = allow_compromised
        for name, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise PolicyError(f"a request names its {name} in text")
        granted = self._asked(actor, purpose, wanted)
        self._write(
            AuditEvent(
                time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                actor=actor,
                purpose=purpose,
                outcome="granted" if granted else "denied",
                policy=self.policy.name,
                version=self.policy.version,
                fingerprint=self.policy.fingerprint,
                fields=wanted,
                records=records,
                allow_compromised=allow_compromised,
            )
        )
        if not granted:
            raise AccessDeniedError(
                "the access rules refuse this request: the actor is not listed with the purpose"
            )
        return _Request(frozenset(wanted), key_id, allow_compromised)

    def _wanted(self, fields: Iterable[str] | None) -> tuple[str, ...]:
        rules = self.policy.fields
        if fields is None:
            return tuple(path for path in rules if self._one_way(path) is None)
        if isinstance(fields, str):
            raise PolicyError("fields are a list of policy paths, got one text")
        # Whoever passes an iterator can read it once.
        fields = tuple(fields)
        for path in fields:
            self.policy.require(path)
            if (obstacle := self._one_way(path)) is not None:
                name = type(rules[obstacle]).__name__
                raise IrreversibleError(
                    f"field '{path}' cannot be revealed: {name} on '{obstacle}' does not reverse"
                )
        return fields

    def _one_way(self, path: str) -> str | None:
        """
        Return the field that keeps *path* from being revealed: itself, or one it depends on.
        """
        rule = self.policy.fields[path]
        if not rule.reversible:
            return path
        if rule.by is None or isinstance(self.policy.fields[rule.by], Keep):
            return None
        return self._one_way(rule.by)

    def _asked(self, actor: str, purpose: str, wanted: tuple[str, ...]) -> bool:
        try:
            return self._access.allows(actor=actor, purpose=purpose, fields=wanted) is True
        except Exception:  # noqa: BLE001 - rules that fail grant nothing
            return False

    def _write(self, event: AuditEvent) -> None:
        write = cast("Callable[[AuditEvent], object]", self._audit.write)
        try:
            answer = write(event)
        except AuditError:
            raise
        except Exception as error:  # noqa: BLE001 - named by its class below
            problem = type(error).__name__
        else:
            if answer is None:
                return
            # A coroutine that nobody awaits writes nothing.
            problem = f"the sink returned {type(answer).__name__}: write() stores before it returns"
            if isinstance(answer, Coroutine):
                answer.close()
        raise AuditError(f"the request cannot be written down: {problem}")

    def _row(self, request: "_Request", row: int, record: Record) -> dict[str, object]:
        try:
            return self._reveal(record, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = clean(error, "the record cannot be revealed:")
        failure.row = row
        del record
        raise failure

    def _reveal(self, record: Record, request: "_Request") -> dict[str, object]:
        companion = self._binding.key_field
        if request.key_id is None and companion is not None:
            request = dataclasses.replace(request, key_id=_companion(record, companion))
        result = _pruned(walk(record, self._root, _Reveal(self, record, request)))
        return {} if result is OMIT else cast("dict[str, object]", result)

    def _invert(self, path: str, value: object, record: Record, request: "_Request") -> object:
        if is_null(value):
            return bare_null(value)
        rule = self.policy.fields[path]
        by = None if rule.by is None else self._subject(rule.by, record, request)
        return self._revealer(path, rule, self._key(rule, value, request)).invert(value, by)

    def _subject(self, path: str, record: Record, request: "_Request") -> object:
        value = find(record, path)
        if is_null(value):
            raise PolicyError(f"depends on '{path}', which is missing or null in the record")
        if isinstance(self.policy.fields[path], Keep):
            return value
        return self._invert(path, value, record, request)

    def _key(self, rule: Transform, value: object, request: "_Request") -> Key:
        keyset = self._binding.keyset()
        allowed = request.allow_compromised
        if isinstance(rule, Encrypt):
            return keyset.get(key_id_of(value), allow_compromised=allowed)
        if request.key_id is not None:
            return keyset.get(request.key_id, allow_compromised=allowed)
        resolving = len(keyset.live) + (len(keyset.compromised) if allowed else 0)
        if resolving != 1:
            raise PolicyError(
                f"{type(rule).__name__} pseudonyms do not carry their key and the keyset has "
                f"{resolving} live ones: pass key_id=, from the manifest or the key_field",
                live=resolving,
            )
        return (*keyset.live, *keyset.compromised)[0]

    def _revealer(self, path: str, rule: Transform, key: Key) -> Revealer:
        revealer = self._revealers.get((path, key))
        if revealer is None:
            revealer = cast("ReversibleTransform", rule).bind_inverse(
                self._binding.subkeys(path, key)
            )
            self._revealers[path, key] = revealer
        return revealer

    def __reduce__(self) -> NoReturn:
        raise TypeError("an authority cannot be pickled or copied: make one where it is needed")

    def __repr__(self) -> str:
        return (
            f"Authority(policy='{self.policy.name}' version {self.policy.version}, "
            f"access={self._access!r})"
        )


def _companion(record: Record, name: str) -> str | None:
    held = record.get(name)
    # Each row of a table has the column, and those without a keyed value have nothing in it.
    return None if is_null(held) else cast("str", held)


def _check_parts(access: object, audit: object) -> None:
    if not callable(getattr(access, "allows", None)):
        raise PolicyError(
            f"access is decided by rules such as AllowList(...), got {type(access).__name__}"
        )
    if not callable(getattr(audit, "write", None)):
        raise PolicyError(
            f"requests are written to a sink such as JSONLinesAudit(...), got "
            f"{type(audit).__name__}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Revealed:
    value: object


@dataclasses.dataclass(frozen=True, slots=True)
class _Request:
    """
    What was granted.
    """

    wanted: frozenset[str]
    key_id: str | None
    allow_compromised: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Reveal:
    """
    The visitor of one record on its way back.
    """

    authority: Authority
    record: Record
    request: _Request

    def value(self, value: object, path: str, /) -> object:
        if path not in self.request.wanted:
            return None
        try:
            return _Revealed(
                self.authority._invert(path, value, self.record, self.request)  # noqa: SLF001
            )
        except PrivkitError as error:
            error.field = path
            raise

    def unruled(self, _value: object, _where: str, /) -> object:
        # Not left out, so that lists keep their length until they are pruned.
        return None


def _pruned(made: object) -> object:
    """
    Return what was revealed, without the containers in which nothing was.

    Lists keep their length, so that positions still tell which item is which.
    """
    if isinstance(made, _Revealed):
        return made.value
    if isinstance(made, dict):
        parts = {key: _pruned(part) for key, part in made.items()}
        return {key: part for key, part in parts.items() if part is not OMIT} or OMIT
    if not isinstance(made, list):
        return OMIT
    items = [_pruned(item) for item in made]
    if all(item is OMIT for item in items):
        return OMIT
    return [
        ([] if isinstance(part, list) else {}) if item is OMIT else item
        for part, item in zip(made, items, strict=True)
    ]
