"""
From the one-way pseudonyms of older keys to those of the primary.
"""

import contextlib
import json
import os
import shlex
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Final, NoReturn, Protocol, TypeVar, cast, final

from privkit.errors import DatasetError, PolicyError, PrivkitError
from privkit.formats.values import is_null
from privkit.keys import Key, KeyProvider
from privkit.keys.file import path_complaint, platform_complaint
from privkit.policy.model import Policy
from privkit.policy.options import options
from privkit.pseudonymizer import Binding, clean
from privkit.typing import KeyedTransform, Protector

LAYOUT: Final = 1
"""Frozen: readers tell layouts of the file apart by this number."""

BATCH: Final = 1000
"""Values between two commits."""

SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS about (layout INTEGER, field TEXT, tag TEXT)",
    "CREATE TABLE IF NOT EXISTS tokens (old TEXT PRIMARY KEY, fresh TEXT NOT NULL) WITHOUT ROWID",
)

Entry = tuple[str, str]
"""The pseudonyms of one value: under an older key, and under the primary."""

T = TypeVar("T")


@final
class TokenMap:
    """
    Lead from the one-way pseudonyms of older keys to those of the primary.

    It is learned from plaintexts while both keys live, and holds pseudonyms only. Whoever has it
    links what was made under the old keys with what is made under the primary: destroy it when
    the old keys are. It belongs to the thread that uses it.

    Args:
        policy: The rules.

        keys: Where keys come from. Nothing is fetched before the first value.

        field: The path of the one-way field. Other fields with the same rule and scope can use
            the same map.

        file: An SQLite file to keep it in, which is made with mode 0600; ``None`` keeps it in
            memory. Several processes may use one file.

        keyset: The name of the keyset.

        allow_compromised: Why pseudonyms under compromised keys may be made, in words. Without a
            reason they have no entries.

    Raises:
        PolicyError: If the field is not in the policy, reverses, needs no key, depends on
            another field, or has other pseudonyms each time.

    .. versionadded:: 0.1
    """

    __slots__ = ("_binding", "_field", "_pairs", "_path", "_primary", "_reason", "_store")

    def __init__(
        self,
        policy: Policy,
        keys: KeyProvider,
        field: str,
        /,
        *,
        file: str | os.PathLike[str] | None = None,
        keyset: str = "default",
        allow_compromised: str | None = None,
    ) -> None:
        complaint = None if file is None else path_complaint(file)
        try:
            if complaint is not None:
                raise PolicyError(complaint.replace("key file", "token map"))
            policy.require(field)
            _check_rule(policy, field)
            self._binding = Binding(policy, keys, keyset)
        except PrivkitError:
            # A traceback can print locals: not a key that somebody passes for one of these.
            del self, keys, field, file, keyset
            raise
        self._field = _shape(policy, field)
        self._path = field
        self._pairs: tuple[Protector, tuple[Protector, ...]] | None = None
        self._primary: Key | None = None
        self._reason = allow_compromised
        self._store: _Store = _Memory() if file is None else _File(os.fspath(file), self._field)

    def learn(self, values: Iterable[object], /) -> int:
        """
        Take up the pseudonyms of values under every key, and forget the values.

        Learning a value again changes nothing, so a run that ended early can begin anew.

        Args:
            values: Plaintexts. Nulls have no pseudonym.

        Returns:
            How many values were not null.

        Raises:
            DomainError: If a value does not fit the rule, with ``error.row`` counted from 1.
                Values up to a thousand before it are not taken up either.

            KeyProviderError: If no key can be had, or none may protect.

            DatasetError: If the file cannot be used, or leads to another primary.
        """
        try:
            self._prepare()
        except PrivkitError:
            # A traceback can print locals.
            del values
            raise
        # No frame of this module holds a value between two of them, so none can show one.
        entries = map(self._entries, count(1), values)
        del values
        learned = 0
        while batch := list(islice(entries, BATCH)):
            learned += sum(made is not None for made in batch)
            self._store.add(pair for made in batch if made is not None for pair in made)
        return learned

    def translate(self, pseudonym: object, /) -> str | None:
        """
        Return the pseudonym of the same value under the primary, or ``None`` if none is known.

        Raises:
            DatasetError: If the file cannot be used.
        """
        return self._store.find(pseudonym) if isinstance(pseudonym, str) else None

    def check(self, policy: Policy, path: str, primary: Key, /) -> None:
        """
        Make sure that the map is one for a field, and leads to the primary.

        Raises:
            PolicyError: If it is of another rule, scope or primary.

            KeyProviderError: If no key can be had.

            DatasetError: If the file cannot be used, or leads to another primary.
        """
        if _shape(policy, path) != self._field:
            raise PolicyError(
                f"the map for '{path}' is of '{self._path}', which has another rule or scope"
            )
        self._prepare()
        if primary != self._primary:
            raise PolicyError(
                f"the map for '{path}' leads to key {cast('Key', self._primary).id}, and the "
                f"primary is {primary.id}: make a map with the keys of today"
            )

    def __len__(self) -> int:
        """
        Return how many older pseudonyms have an entry.

        Raises:
            DatasetError: If the file cannot be used.
        """
        return self._store.size()

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """
        Close the file, if there is one. It is opened again when it is needed.
        """
        self._store.close()

    def destroy(self) -> None:
        """
        Forget all entries, and delete the file, if there is one.

        Disks and backups may keep what a deleted file held.

        Raises:
            DatasetError: If the file cannot be deleted.
        """
        self._store.destroy()

    def __enter__(self) -> "TokenMap":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TokenMap({self._binding.policy.name}.{self._path}, {self._store!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token map cannot be pickled or copied: name its file where it is needed")

    def _prepare(self) -> None:
        if self._pairs is not None:
            return
        binding = self._binding
        keyset = binding.keyset()
        primary = keyset.primary
        older = [key for key in keyset.live if key.id != primary.id]
        if self._reason is not None:
            older += keyset.compromised
        rule = cast("KeyedTransform", binding.policy.fields[self._path])
        fresh, *old = (rule.bind(binding.subkeys(self._path, key)) for key in (primary, *older))
        self._store.lead_to(primary)
        self._primary, self._pairs = primary, (fresh, tuple(old))

    def _entries(self, row: int, value: object) -> list[Entry] | None:
        if is_null(value):
            return None
        try:
            protector, older = cast("tuple[Protector, tuple[Protector, ...]]", self._pairs)
            fresh = cast("str", protector.apply(value))
            return [(cast("str", old.apply(value)), fresh) for old in older]
        except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
            failure = clean(error, "a value cannot be learned:")
        failure.field, failure.row = self._path, row
        del value
        raise failure


def _check_rule(policy: Policy, path: str) -> None:
    rule = policy.fields[path]
    kind = type(rule).__name__
    if not rule.keyed or rule.reversible:
        raise PolicyError(f"a map is for one-way fields that need a key, and {kind} is none")
    if not rule.deterministic:
        raise PolicyError(f"{kind} gives another pseudonym each time, so there is none to map")
    if rule.by is not None:
        raise PolicyError(f"{kind} depends on '{rule.by}', so its values alone do not tell")


def _shape(policy: Policy, path: str) -> str:
    """
    Return what two fields share whose values have the same pseudonyms.
    """
    rule = policy.fields[path]
    chosen = {name: option for name, option in options(rule).items() if name != "scope"}
    return json.dumps([rule.name, policy.scope(path), chosen], sort_keys=True)


class _Store(Protocol):
    """
    Where entries are kept.
    """

    def lead_to(self, primary: Key) -> None: ...

    def add(self, entries: Iterator[Entry]) -> None: ...

    def find(self, old: str) -> str | None: ...

    def size(self) -> int: ...

    def close(self) -> None: ...

    def destroy(self) -> None: ...


class _Memory:
    """
    Entries that are lost with the process.
    """

    def __init__(self) -> None:
        self._entries: dict[str, str] = {}

    def lead_to(self, primary: Key) -> None:
        pass

    def add(self, entries: Iterator[Entry]) -> None:
        self._entries.update(entries)

    def find(self, old: str) -> str | None:
        return self._entries.get(old)

    def size(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        pass

    def destroy(self) -> None:
        self._entries.clear()

    def __repr__(self) -> str:
        return f"{len(self._entries)} entries in memory"


class _File:
    """
    Entries in an SQLite file.
    """

    def __init__(self, path: str, field: str) -> None:
        self._path = path
        self._field = field
        self._open: sqlite3.Connection | None = None

    def lead_to(self, primary: Key) -> None:
        def lead(database: sqlite3.Connection) -> tuple[object, ...]:
            mine = (LAYOUT, self._field, primary.tag)
            found: tuple[object, ...] | None = database.execute(
                "SELECT layout, field, tag FROM about"
            ).fetchone()
            if found is None:
                database.execute("INSERT INTO about VALUES (?, ?, ?)", mine)
            return (*(found or mine), *mine)

        layout, field, tag, *mine = self._do(lead)
        if [layout, field, tag] != mine:
            other = "layout" if layout != LAYOUT else "field" if field != self._field else "primary"
            raise DatasetError(
                f"the token map {self._path} is of another {other} than this one: make a new one"
            )

    def add(self, entries: Iterator[Entry]) -> None:
        made = list(entries)
        self._do(
            lambda database: database.executemany(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?)", made
            )
        )

    def find(self, old: str) -> str | None:
        found = self._do(
            lambda database: database.execute(
                "SELECT fresh FROM tokens WHERE old = ?", (old,)
            ).fetchone(),
            writes=False,
        )
        return None if found is None else str(found[0])

    def size(self) -> int:
        return int(
            self._do(
                lambda database: database.execute("SELECT count(*) FROM tokens").fetchone(),
                writes=False,
            )[0]
        )

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def destroy(self) -> None:
        self.close()
        try:
            Path(self._path).unlink(missing_ok=True)
        except OSError as error:
            problem = (error.strerror or type(error).__name__).lower()
        else:
            return
        raise DatasetError(f"the token map {self._path} cannot be deleted: {problem}")

    def _do(self, act: Callable[[sqlite3.Connection], T], *, writes: bool = True) -> T:
        problem = None if self._open else _claim(self._path)
        if problem is not None:
            raise DatasetError(f"the token map {self._path} cannot be opened: {problem}")
        try:
            database = self._connection()
            if not writes:
                return act(database)
            database.execute("BEGIN IMMEDIATE")
            with database:
                return act(database)
        except sqlite3.Error as error:
            # Its text may hold what the file holds.
            problem = getattr(error, "sqlite_errorname", type(error).__name__)
            with contextlib.suppress(sqlite3.Error):
                self.close()
        raise DatasetError(f"the token map {self._path} cannot be used: {problem}")

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = sqlite3.connect(self._path, isolation_level=None)
            for statement in SCHEMA:
                self._open.execute(statement)
        return self._open

    def __repr__(self) -> str:
        return self._path


def _claim(path: str) -> str | None:
    """
    Make sure that a file is there, and is the user's alone; or say why it is not.
    """
    if platform_complaint() is not None:
        return "files have no modes of POSIX on this platform, so a map is kept in memory"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags, 0o600)
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    if not stat.S_ISREG(status.st_mode) or status.st_uid not in {os.geteuid(), 0}:
        return "it is no regular file of its user"
    if stat.S_IMODE(status.st_mode) & ~0o600:
        return f"others may read or write it: run chmod 600 {shlex.quote(path)}"
    return None
