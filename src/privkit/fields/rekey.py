"""
Re-keying: from the keys that values are under to the one that protects, losing nothing.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Final, NoReturn, Protocol, TypeAlias, cast, final

from privkit.audit import AuditSink
from privkit.authority import Access, Authority
from privkit.errors import PolicyError, PrivkitError
from privkit.fields.report import RekeyReport, Tally
from privkit.fields.token_map import TokenMap
from privkit.fields.visit import Ring, Visited, Way, names_its_key, visit
from privkit.keys import KeyProvider
from privkit.policy.model import Policy
from privkit.policy.paths import Step, parse
from privkit.policy.tree import grow
from privkit.pseudonymizer import Binding
from privkit.transforms.redact import Keep
from privkit.typing import Record

OnLeft: TypeAlias = Callable[[object, PrivkitError], object]
"""Is told of each record that stays as it is: where it stands, and why."""

EXAMPLE: Final = "privkit_key"


class DatasetKeys(Protocol):
    """
    A key provider that remembers which dataset needs which keys, such as `KeysetFile`.
    """

    def record(self, dataset: str, key_ids: Collection[str], /, *, keyset: str) -> None:
        """
        Write down which keys a dataset needs, in place of what was recorded of it.
        """
        ...


@final
class Rekey:
    """
    Bring records from the keys that they are under to the primary.

    Values that reverse are revealed under the key that made them and protected again under the
    primary, in memory. One-way values are translated. A record changes as a whole or stays as it
    is; what is wholly under the primary stays as it is too, so a run that was interrupted is run
    again, and a run that has nothing to do changes nothing.

    Which key made a value is never guessed: tokens and ciphertexts tell it, and of everything
    else the record does, under *key_field*.

    Since it reveals, it asks like an `Authority`: every run is one request, which *access*
    decides and *audit* has on record before the first value is revealed. It cannot be pickled.

    Args:
        policy: The rules under which the records were protected.

        keys: Where keys come from. Nothing is fetched before the first run; what is fetched then
            serves all runs.

        access: Who may reidentify, and for which purpose.

        audit: Where each run is written, granted or denied.

        actor: Who runs it.

        purpose: What for.

        key_field: The field of a record, outside the policy, that holds the id of its key. It is
            changed with the values.

        translations: One-way fields to how they come under the primary: a `TokenMap`; or the
            path of another field that reverses and holds the same value, with which the old
            pseudonym is compared first.

        keyset: The name of the keyset.

        dataset: What *keys* call the dataset. They are told which keys it needs: all of them
            when a run begins, the primary alone when it is proved that this is so.

        allow_compromised: Why values under compromised keys may be revealed, in words. It stands
            in the audit event.

    Raises:
        PolicyError: If a field would not come under the primary: it is one-way and has no
            translation, or its key cannot be told; or an argument is not what it should be.

    .. versionadded:: 0.1
    """

    __slots__ = (
        "_authority",
        "_binding",
        "_dataset",
        "_key_field",
        "_reason",
        "_request",
        "_reveals",
        "_ring",
        "_root",
        "_ways",
    )

    def __init__(
        self,
        policy: Policy,
        keys: KeyProvider,
        *,
        access: Access,
        audit: AuditSink,
        actor: str,
        purpose: str,
        key_field: str | None = None,
        translations: Mapping[str, TokenMap | str] | None = None,
        keyset: str = "default",
        dataset: str | None = None,
        allow_compromised: str | None = None,
    ) -> None:
        try:
            self._authority = Authority(policy, keys, access=access, audit=audit, keyset=keyset)
            self._binding = Binding(policy, keys, keyset)
            self._ways = _ways(policy, translations or {})
            _check_key_field(policy, key_field, self._ways)
            _check_dataset(dataset, keys)
        except PrivkitError:
            # A traceback can print locals: not an object without its parts, nor a key that
            # somebody passes for a provider or for a name.
            del self, keys, keyset
            raise
        self._reveals = [path for path in self._ways if policy.fields[path].reversible]
        self._request = {"actor": actor, "purpose": purpose}
        self._key_field = key_field
        self._dataset = dataset
        self._reason = allow_compromised
        self._root = grow({path: path for path in policy.fields})
        self._ring: Ring | None = None

    @property
    def policy(self) -> Policy:
        """
        The rules under which the records were protected.
        """
        return self._binding.policy

    @property
    def key_field(self) -> str | None:
        """
        The field of a record that holds the id of its key.
        """
        return self._key_field

    @property
    def reads(self) -> tuple[str, ...]:
        """
        The policy paths that a run reads: keyed ones, and those that they depend on.
        """
        sources = (way for way in self._ways.values() if isinstance(way, str))
        subjects = (self.policy.fields[path].by for path in self._ways)
        others = (path for path in (*sources, *subjects) if path is not None)
        return tuple(dict.fromkeys((*self._ways, *others)))

    @property
    def changes(self) -> tuple[str, ...]:
        """
        The policy paths that a run changes: the keyed ones.
        """
        return tuple(self._ways)

    def records(
        self, records: Iterable[Record], /, *, on_left: OnLeft | None = None
    ) -> "RekeyedRecords":
        """
        Return an iterator over the records under the primary, one for each, in order.

        The request is decided and written when this is called, before the first record is read.
        What cannot be brought under the primary comes out as it went in, and is counted. The
        iterator's ``report`` holds the counts so far.

        Args:
            records: Pseudonymized records. Fields outside the policy stay as they are.

            on_left: Called with the number of each record that stays under another key, counted
                from 1, and with the error that tells why.

        Raises:
            AccessDeniedError: If the access rules refuse.

            AuditError: If the request cannot be written down.

            PolicyError: If a map is of another field or primary.

            KeyProviderError: If no key can be had, or none may protect.
        """
        try:
            ring = self.begin(writes=True)
        except PrivkitError:
            # A traceback can print locals.
            del records
            raise
        tally = Tally()
        return RekeyedRecords(
            map(partial(self._row, ring, tally, on_left), count(1), records), tally, ring
        )

    def preview(
        self, records: Iterable[Record], /, *, on_left: OnLeft | None = None
    ) -> RekeyReport:
        """
        Do what `records` does, and return nothing but the counts.

        It reveals too, so it is a request of its own. The report is complete if there was at
        least one record, and nothing to change.

        Raises:
            PrivkitError: As `records`.
        """
        try:
            ring = self.begin(writes=False)
        except PrivkitError:
            del records
            raise
        tally = Tally()
        rows = map(partial(self._row, ring, tally, on_left), count(1), records)
        del records
        # No frame of this module is left between two records, so none can show one.
        deque(rows, maxlen=0)
        # A generator that was read before has no records, and proves nothing.
        complete = tally.clean and tally.rows > 0
        return tally.report(ring.primary.id, stored=False, complete=complete)

    def prove(self, records: Iterable[Record], /, *, on_left: OnLeft | None = None) -> RekeyReport:
        """
        Make sure that stored records are wholly under the primary, each value readable.

        It is `preview`, and if the report is complete, the *dataset* is recorded to need the
        primary alone. So pass every record of the dataset, as it is stored.

        Raises:
            PrivkitError: As `records`.
        """
        try:
            report = self.preview(records, on_left=on_left)
        except PrivkitError:
            del records
            raise
        if report.complete:
            self.release()
        return report

    def begin(self, *, writes: bool) -> Ring:
        """
        Ask for a run, and fetch the keys; for what brings records in and out of a store.

        Args:
            writes: Whether records may be stored, so that the dataset needs every key.

        Raises:
            PrivkitError: As `records`.
        """
        # One request of an authority, of which nothing is asked after that.
        self._authority.reidentify_all(
            (), fields=self._reveals, allow_compromised=self._reason, **self._request
        )
        if self._ring is None:
            ring = Ring(self._binding, self._reason)
            for path, way in self._ways.items():
                # What cannot be protected under the primary shows before the first record.
                ring.protector(path, ring.primary)
                if isinstance(way, TokenMap):
                    way.check(self.policy, path, ring.primary)
            self._ring = ring
        if writes:
            self._record([key.id for key in self._ring.keys])
        return self._ring

    def visit(self, record: Record, ring: Ring, /) -> Visited:
        """
        Bring one record under the primary; for what brings records in and out of a store.
        """
        return visit(record, ring, root=self._root, ways=self._ways, key_field=self._key_field)

    def release(self) -> None:
        """
        Record that the dataset needs the primary alone, after a pass has proved it.

        Raises:
            KeyProviderError: If that cannot be written.
        """
        self._record([cast("Ring", self._ring).primary.id])

    def _record(self, key_ids: list[str]) -> None:
        if self._dataset is not None:
            keys = cast("DatasetKeys", self._binding.keys)
            keys.record(self._dataset, key_ids, keyset=self._binding.keyset_name)

    def _row(
        self, ring: Ring, tally: Tally, on_left: OnLeft | None, row: int, record: Record
    ) -> dict[str, object]:
        seen = self.visit(record, ring)
        tally.count(seen.found, seen.outcome, seen.error)
        if seen.record is not None:
            return seen.record
        if seen.error is not None:
            seen.error.row = row
            try:
                tell(on_left, row, seen.error)
            except BaseException:
                # What a caller's function raises shows this frame.
                del record, seen
                raise
        return record if type(record) is dict else dict(record)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a re-keying cannot be pickled or copied: make one where it is needed")

    def __repr__(self) -> str:
        policy = self.policy
        return f"Rekey(policy='{policy.name}' version {policy.version}, fields={len(self._ways)})"


@final
class RekeyedRecords(Iterator[dict[str, object]]):
    """
    Records under the primary, one at a time, and what became of them.
    """

    __slots__ = ("_ring", "_rows", "_tally")

    def __init__(self, rows: Iterator[dict[str, object]], tally: Tally, ring: Ring) -> None:
        self._rows = rows
        self._tally = tally
        self._ring = ring

    def __iter__(self) -> "RekeyedRecords":
        return self

    def __next__(self) -> dict[str, object]:
        return next(self._rows)

    @property
    def report(self) -> RekeyReport:
        """
        The counts so far. It is never complete: `Rekey.prove` reads what was stored.
        """
        return self._tally.report(self._ring.primary.id, stored=True)

    def __repr__(self) -> str:
        return f"RekeyedRecords(rows={self._tally.rows})"


def tell(on_left: OnLeft | None, where: object, error: PrivkitError) -> None:
    """
    Tell a caller's function of a record that stays as it is.
    """
    if on_left is not None:
        on_left(where, error)


def _ways(policy: Policy, translations: Mapping[str, TokenMap | str]) -> dict[str, Way]:
    if not isinstance(translations, Mapping):
        raise PolicyError(
            f"translations map paths of one-way fields, got {type(translations).__name__}"
        )
    for path in translations:
        policy.require(path)
    ways: dict[str, Way] = {}
    for path, rule in policy.fields.items():
        if not rule.keyed:
            way = None
        elif rule.reversible:
            _check_subject(policy, path)
            way = None
        else:
            way = translations.get(path)
            _check_way(policy, path, way)
        if rule.keyed:
            ways[path] = way
        if way is None and path in translations:
            raise PolicyError(
                f"{type(rule).__name__} on '{path}' needs no translation: leave it out"
            )
    if not ways:
        raise PolicyError(
            f"no rule of policy '{policy.name}' has a key, so there is none to change"
        )
    return ways


def _check_way(policy: Policy, path: str, way: object) -> None:
    kind = type(policy.fields[path]).__name__
    if isinstance(way, TokenMap):
        return
    if not isinstance(way, str):
        raise PolicyError(
            f"{kind} on '{path}' does not reverse: give translations={{'{path}': TokenMap(…)}}, "
            "learned from plaintexts, or the path of a field that holds the same value and "
            "reverses"
        )
    if not policy.fields[path].deterministic:
        raise PolicyError(f"{kind} on '{path}' gives another pseudonym each time")
    _check_plain(policy, path, way, "is translated by")


def _check_subject(policy: Policy, path: str) -> None:
    by = policy.fields[path].by
    if by is not None:
        _check_plain(policy, path, by, "depends on")


def _check_plain(policy: Policy, path: str, source: str, how: str) -> None:
    """
    Make sure that the plaintext of a field can be had from the record.
    """
    policy.require(source)
    rule = policy.fields[source]
    if any(isinstance(step, Step) for step in parse(source)):
        raise PolicyError(f"'{path}' {how} one field of the record, without [*] or *")
    if not (rule.reversible or isinstance(rule, Keep)):
        raise PolicyError(
            f"'{path}' {how} '{source}', and {type(rule).__name__} does not reverse: protect the "
            "records again from their plaintexts"
        )


def _check_key_field(policy: Policy, key_field: object, ways: Mapping[str, Way]) -> None:
    silent = [path for path in ways if not names_its_key(policy.fields[path])]
    if key_field is None:
        if silent:
            kind = type(policy.fields[silent[0]]).__name__
            raise PolicyError(
                f"{kind} on '{silent[0]}' does not carry its key, like {len(silent)} fields in "
                f"all: keep its id beside the values and name it, key_field='{EXAMPLE}'",
                fields=tuple(silent),
            )
        return
    if type(key_field) is not str or not key_field:
        raise PolicyError(f"key_field is the name of a field, got {type(key_field).__name__}")
    if any(path == key_field or parse(path)[0] == key_field for path in policy.fields):
        raise PolicyError(
            "key_field is a field outside the policy, which holds ids of keys and nothing else"
        )


def _check_dataset(dataset: object, keys: object) -> None:
    if dataset is None:
        return
    if type(dataset) is not str or not dataset:
        raise PolicyError(f"dataset is a name in text, got {type(dataset).__name__}")
    if not callable(getattr(keys, "record", None)):
        raise PolicyError(
            f"{type(keys).__name__} records no datasets: pass a KeysetFile, or leave dataset out"
        )
