"""
A policy joined to keys: it protects, and has no method that reveals.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from time import monotonic
from typing import Final, TypeAlias, cast, final

from privkit.errors import DomainError, PolicyError, PrivkitError
from privkit.formats.values import bare_null, is_null
from privkit.keys import Key, KeyProvider, Keyset, StaticKeys, Subkeys, resolve
from privkit.keys.provider import Lease, RenewingKeys, require_name
from privkit.policy.model import Policy
from privkit.policy.paths import Step, parse
from privkit.policy.tree import OMIT, find, grow, refuse, walk
from privkit.transforms.redact import Drop
from privkit.typing import KeyedTransform, Protector, Record, Technique, Transform

Direct: TypeAlias = Callable[[object], object]
"""What protects text, without the checks that other values need."""

NEVER: Final[Iterator[bool]] = iter(())


@final
class Binding:
    """
    A policy, a key provider and the name of a keyset.

    The keyset is fetched at first use, and of a provider that renews its keys at each use.

    Attributes:
        renews: Whether the provider hands out leases.

        key_field: The companion: where records carry the id of the key that protected them.
    """

    __slots__ = ("_keysets", "key_field", "keys", "keyset_name", "policy", "renews")

    def __init__(
        self,
        policy: Policy,
        keys: KeyProvider | None,
        keyset_name: str,
        key_field: str | None = None,
    ) -> None:
        try:
            require_name(keyset_name)
        except PrivkitError:
            del keys, keyset_name
            raise
        keyed = [path for path, rule in policy.fields.items() if rule.keyed]
        if keys is None and keyed:
            raise PolicyError(
                f"policy '{policy.name}' has {len(keyed)} keyed fields, so it is bound to a key "
                "provider, such as EnvironmentKeys()"
            )
        if keys is not None and (isinstance(keys, type) or not hasattr(keys, "keyset")):
            kind = keys.__name__ if isinstance(keys, type) else type(keys).__name__
            del keys
            raise PolicyError(
                f"keys come from a key provider, such as EnvironmentKeys(), got {kind}"
            )
        if key_field is not None:
            _check_key_field(key_field, policy, keyed)
        self.policy = policy
        self.keys = keys
        self.keyset_name = keyset_name
        self.key_field = key_field
        self.renews = callable(getattr(keys, "lease", None))
        self._keysets: dict[str, Keyset] = {}

    def lease(self) -> Lease:
        """
        Return the keyset for one use, and for as many more as the lease allows.

        Raises:
            KeyProviderError: If no keys can be had.
        """
        return cast("RenewingKeys", self.keys).lease(self.keyset_name)

    def keyset(self) -> Keyset:
        """
        Return the keyset. It is fetched once, unless the provider renews its keys.

        Raises:
            KeyProviderError: If the provider fails.
        """
        if self.renews:
            return self.lease().keyset
        if not self._keysets:
            # No lock, which a fork could leave closed for ever. Of threads that race, the first
            # decides for all.
            self._keysets.setdefault(
                self.keyset_name, resolve(cast("KeyProvider", self.keys), self.keyset_name)
            )
        return self._keysets[self.keyset_name]

    def subkeys(self, path: str, key: Key) -> Subkeys:
        """
        Return what the transform of a field gets of one key.
        """
        return Subkeys(key=key, field=path, scope=self.policy.scope(path))


@final
class BoundField:
    """
    One field of a policy, joined to keys. Threads and forked processes may share it.

    Attributes:
        path: The field's path in the policy.

        transform: Its rule.
    """

    __slots__ = ("_all", "_binding", "_bound", "_direct", "_leased", "path", "transform")

    def __init__(self, binding: Binding, path: str, transform: Transform) -> None:
        self._binding = binding
        self.path = path
        self.transform = transform
        self._bound: tuple[Keyset | None, dict[str, Protector]] = (None, {})
        self._direct: Direct | None = None
        self._leased: tuple[float, Iterator[bool], Direct] | None = None
        self._all: tuple[float | None, Iterator[bool], list[Direct]] | None = None

    def apply(self, value: object, /, *, by: object = None) -> object:
        """
        Return the pseudonym of one value under the primary key. A null stays as it is.

        Args:
            value: What the rule takes: text, a number, a date.

            by: The value of the field that the rule depends on, for rules with ``by``.

        Raises:
            DomainError: If the value does not fit the rule.

            PolicyError: If the rule depends on another field and *by* is missing.

            KeyProviderError: If no key can be had.
        """
        try:
            if type(value) is str:
                if self._direct is not None:
                    return self._direct(value)
                if self._leased is not None:
                    until, uses, direct = self._leased
                    if monotonic() < until and next(uses, False):
                        return direct(value)
            return self._apply(value, by)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = self._failure(error)
        # A traceback can print the locals of every frame it passed.
        del value, by
        raise failure

    def candidates(self, value: object, /, *, by: object = None) -> tuple[object, ...]:
        """
        Return the pseudonyms of one value under every live key, the primary's first.

        Looking for all of them finds a value that was protected before the key was rotated.

        Raises:
            DomainError, PolicyError, KeyProviderError: As `apply`.

            PolicyError: If the rule is random.
        """
        try:
            if type(value) is str and self._all is not None:
                until, uses, directs = self._all
                if until is None or (monotonic() < until and next(uses, False)):
                    found: tuple[object, ...] = ()
                    for direct in directs:
                        # Not a comprehension, which is a function of its own and costs a tenth.
                        found += (direct(value),)
                    return found
            return self._candidates(value, by)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = self._failure(error)
        del value, by
        raise failure

    def _candidates(self, value: object, by: object) -> tuple[object, ...]:
        if not self.transform.deterministic:
            raise PolicyError(
                f"{type(self.transform).__name__} gives another pseudonym each time, so there "
                "is none to look for"
            )
        if not self.transform.keyed:
            return (self._apply(value, by),)
        self._check(value, by)
        if is_null(value):
            return (bare_null(value),)
        return tuple(protector.apply(value, by) for protector in self._protectors())

    def apply_under(self, keyset: Keyset, value: object, /, *, by: object = None) -> object:
        """
        Return the pseudonym of one value under the primary key of a keyset of this binding.

        Raises:
            DomainError, PolicyError, KeyProviderError: As `apply`.
        """
        try:
            if self.transform.keyed:
                return self._protected(self._protector(keyset, keyset.primary), value, by)
            return self._apply(value, by)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = self._failure(error)
        del value, by
        raise failure

    def _apply(self, value: object, by: object) -> object:
        return self._protected(self._primary(), value, by)

    def _protected(self, protector: Protector, value: object, by: object) -> object:
        if type(value) is not str or self.transform.by is not None:
            self._check(value, by)
            if is_null(value):
                return bare_null(value)
        return protector.apply(value, by)

    def _check(self, value: object, by: object) -> None:
        if isinstance(value, dict | list | tuple | set) and not self.transform.containers:
            raise PolicyError(
                f"{type(self.transform).__name__} rules single values, got "
                f"{type(value).__name__} of {len(value)}: name its parts, such as "
                f"'{self.path}[*]'"
            )
        if self.transform.by is not None and not is_null(value) and is_null(by):
            raise PolicyError(
                f"{type(self.transform).__name__} depends on '{self.transform.by}', which is "
                "missing or null"
            )

    def _primary(self) -> Protector:
        """
        Return what protects, and note how text gets there without the checks of other values.
        """
        if not self.transform.keyed:
            protector = cast("Protector", self.transform)
        elif self._binding.renews:
            lease = self._binding.lease()
            protector = self._protector(lease.keyset, lease.keyset.primary)
            if self.transform.by is None:
                self._leased = lease.until, lease.uses, protector.apply
            return protector
        else:
            keyset = self._binding.keyset()
            protector = self._protector(keyset, keyset.primary)
        if self.transform.by is None:
            # Most values are text.
            self._direct = protector.apply
        return protector

    def _protectors(self) -> list[Protector]:
        """
        Return what protects under each live key, and note how text gets there.
        """
        until, uses = None, NEVER
        if self._binding.renews:
            lease = self._binding.lease()
            keyset, until, uses = lease.keyset, lease.until, lease.uses
        else:
            keyset = self._binding.keyset()
        protectors = [self._protector(keyset, key) for key in keyset.live]
        if self.transform.by is None:
            self._all = until, uses, [protector.apply for protector in protectors]
        return protectors

    def _protector(self, keyset: Keyset, key: Key) -> Protector:
        held, protectors = self._bound
        if held is not keyset:
            # One of a renewed keyset may have other material under the same id.
            protectors = {}
            self._bound = keyset, protectors
        found = protectors.get(key.id)
        return protectors.setdefault(key.id, self._bind(key)) if found is None else found

    def _bind(self, key: Key) -> Protector:
        return cast("KeyedTransform", self.transform).bind(self._binding.subkeys(self.path, key))

    def _failure(self, error: Exception) -> PrivkitError:
        policy = self._binding.policy
        rule = type(self.transform).__name__
        failure = clean(error, f"{rule} failed with")
        failure.field = self.path
        failure.__notes__ = [
            f"field '{self.path}', rule {rule}, policy '{policy.name}' version {policy.version}"
        ]
        return failure

    @property
    def reversible(self) -> bool:
        """
        Whether an `Authority` can bring the value back.
        """
        return self.transform.reversible

    @property
    def deterministic(self) -> bool:
        """
        Whether equal values have equal pseudonyms.
        """
        return self.transform.deterministic

    @property
    def injective(self) -> bool:
        """
        Whether different values have different pseudonyms.
        """
        return self.transform.injective

    @property
    def technique(self) -> Technique:
        """
        The class of the technique in ISO/IEC 20889.
        """
        return self.transform.technique

    @property
    def scope(self) -> str:
        """
        Whose values link with this field's.
        """
        return self._binding.policy.scope(self.path)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundField):
            return NotImplemented
        mine, theirs = self._binding, other._binding
        return (
            self.path == other.path
            and mine.policy == theirs.policy
            and mine.keyset_name == theirs.keyset_name
            and mine.keys is theirs.keys
        )

    def __hash__(self) -> int:
        return hash((self.path, self._binding.policy, self._binding.keyset_name))

    def __repr__(self) -> str:
        return f"BoundField({self._binding.policy.name}.{self.path}, {self.transform!r})"

    def __reduce__(self) -> tuple[object, ...]:
        binding = self._binding
        return _field, (
            binding.policy,
            binding.keys,
            binding.keyset_name,
            binding.key_field,
            self.path,
        )


@final
class Pseudonymizer:
    """
    Protects records as a policy says, with the keys of one keyset.

    Threads and forked processes may share it. It pickles as the policy and a reference to the
    keys; a provider that holds keys in memory refuses to be pickled.

    Args:
        policy: The rules.

        keys: Where keys come from. May be left out if no rule is keyed. Nothing is fetched
            before the first use.

        keyset: The name of the keyset.

        key_field: The name under which each record carries the id of the key that protected it.
    """

    __slots__ = ("_binding", "_fields", "_root")

    def __init__(
        self,
        policy: Policy,
        keys: KeyProvider | None = None,
        keyset: str = "default",
        key_field: str | None = None,
    ) -> None:
        try:
            self._binding = Binding(policy, keys, keyset, key_field)
        except PrivkitError:
            # A traceback can print locals: not an object without its parts, nor a key that
            # somebody passes for a provider or for a name.
            del self, keys, keyset
            raise
        self._fields = {
            path: BoundField(self._binding, path, rule) for path, rule in policy.fields.items()
        }
        self._root = grow(self._fields)

    @property
    def policy(self) -> Policy:
        """
        The rules.
        """
        return self._binding.policy

    @property
    def keyset(self) -> Keyset | None:
        """
        The keys in use, fetched if need be; ``None`` if it was bound without a provider.

        Raises:
            KeyProviderError: If the provider fails.
        """
        return None if self._binding.keys is None else self._binding.keyset()

    @property
    def keyset_name(self) -> str:
        """
        The name of the keyset.
        """
        return self._binding.keyset_name

    @property
    def key_id(self) -> str | None:
        """
        The id of the key that protects, fetched if need be; ``None`` if bound without a provider.

        Raises:
            KeyProviderError: If the provider fails, or no key may protect.
        """
        keyset = self.keyset
        return None if keyset is None else keyset.primary.id

    @property
    def key_field(self) -> str | None:
        """
        Where records carry the id of the key that protected them; ``None`` if they do not.
        """
        return self._binding.key_field

    def pinned(self) -> "Pseudonymizer":
        """
        Return one that goes on with the keys of this moment, whatever is renewed meanwhile.

        For a dataset that is to be under one key. It holds the keys, so it cannot be pickled.

        Raises:
            KeyProviderError: If the provider fails.
        """
        binding = self._binding
        if not binding.renews:
            return self
        keys = StaticKeys.of(binding.keyset(), name=binding.keyset_name)
        return Pseudonymizer(binding.policy, keys, binding.keyset_name, binding.key_field)

    @property
    def fields(self) -> tuple[BoundField, ...]:
        """
        The fields in the order of the policy.
        """
        return tuple(self._fields.values())

    def __getitem__(self, path: str, /) -> BoundField:
        """
        Return one field by its path in the policy.

        Raises:
            PolicyError: If the policy has no such field.
        """
        self.policy.require(path)
        return self._fields[path]

    def pseudonymize(self, record: Record, /) -> dict[str, object]:
        """
        Return a protected copy of a record: complete, or not at all.

        The record is not changed. Keys keep their order, missing fields stay missing, nulls
        stay null.

        Args:
            record: Field names to values, lists and records in turn.

        Raises:
            UnruledFieldError: If a field has no rule, unless the policy says otherwise.

            PolicyError: If the record has another shape than the policy's paths.

            DomainError: If a value does not fit its rule.

            KeyProviderError: If no key can be had.
        """
        try:
            return self._pseudonymize(record)
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = clean(error, "the record cannot be read:")
        # A traceback can print the locals of every frame it passed.
        del record
        raise failure

    def pseudonymize_all(self, records: Iterable[Record], /) -> Iterator[dict[str, object]]:
        """
        Return an iterator over protected copies of the records, made one at a time.

        Raises:
            PrivkitError: As `pseudonymize`, with ``error.row`` counted from 1.
        """
        # No frame of this module is left between two records, so none can show one.
        return map(self._row, count(1), records)

    def _row(self, row: int, record: Record) -> dict[str, object]:
        try:
            return self.pseudonymize(record)
        except PrivkitError as error:
            error.row = row
            del record
            raise

    def _pseudonymize(self, record: Record) -> dict[str, object]:
        binding = self._binding
        # All of a record is under one keyset, also if that is renewed meanwhile.
        renewed = binding.renews or binding.key_field is not None
        keyset = binding.keyset() if renewed and binding.keys is not None else None
        visit = _Protect(record, self.policy.unruled, keyset)
        if binding.key_field is not None and binding.key_field in record:
            raise PolicyError(
                f"the record has a field '{binding.key_field}' of its own, which is the key_field"
            )
        result = walk(record, self._root, visit)
        refuse(visit.missing)
        if binding.key_field is not None:
            result[binding.key_field] = cast("Keyset", keyset).primary.id
        return result

    def __repr__(self) -> str:
        return (
            f"Pseudonymizer(policy='{self.policy.name}' version {self.policy.version}, "
            f"keys={type(self._binding.keys).__name__}, keyset='{self.keyset_name}')"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return Pseudonymizer, (self.policy, self._binding.keys, self.keyset_name, self.key_field)


class _Protect:
    """
    The visitor of one record on its way out.
    """

    __slots__ = ("keyset", "missing", "record", "unruled_policy")

    def __init__(self, record: Record, unruled_policy: str, keyset: Keyset | None) -> None:
        self.record = record
        self.keyset = keyset
        self.unruled_policy = unruled_policy
        self.missing: list[str] = []

    def value(self, value: object, rule: BoundField, /) -> object:
        if isinstance(rule.transform, Drop):
            return OMIT
        path = rule.transform.by
        by = None if path is None else find(self.record, path)
        if self.keyset is None:
            return rule.apply(value, by=by)
        return rule.apply_under(self.keyset, value, by=by)

    def unruled(self, _value: object, where: str, /) -> object:
        if self.unruled_policy == "drop":
            return OMIT
        if self.unruled_policy == "error":
            self.missing.append(where)
        return None


def clean(error: Exception, lead: str) -> PrivkitError:
    """
    Return an error that can be raised without showing a value.

    It loses the frames it passed and the errors it came from. Of a foreign one, the name of its
    class is left.
    """
    if not isinstance(error, PrivkitError):
        return DomainError(f"{lead} {type(error).__name__}")
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _field(
    policy: Policy, keys: KeyProvider | None, keyset_name: str, key_field: str | None, path: str
) -> BoundField:
    return Pseudonymizer(policy, keys, keyset_name, key_field)[path]


def _check_key_field(key_field: object, policy: Policy, keyed: list[str]) -> None:
    if type(key_field) is not str or not key_field.isprintable() or not key_field:
        raise PolicyError("key_field is the name of a field: printable text, and not empty")
    other = policy.fields.get(Step.OTHER.value)
    ruled = any(key_field in {path, parse(path)[0]} for path in policy.fields)
    # An authority would take the id of a key for a value that such a rule made.
    if ruled or (other is not None and other.reversible):
        raise PolicyError(
            f"policy '{policy.name}' rules '{key_field}', so it cannot be the key_field as well"
        )
    if not keyed:
        raise PolicyError(f"policy '{policy.name}' has no keyed fields, so it needs no key_field")
