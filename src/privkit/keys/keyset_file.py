"""
A file of sealed keysets: a key provider, and the place where keys live, change and end.
"""

import contextlib
import functools
import logging
import os
import traceback
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn, ParamSpec, Protocol, TypeVar, cast, final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    AuditError,
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    PrivkitError,
)
from privkit.keys import document, envelope
from privkit.keys.event import KeyAudit, KeyEvent
from privkit.keys.file import path_complaint, platform_complaint, read_private
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.keys.managed import PERIOD, ManagedKeyset, timestamp
from privkit.keys.provider import DEFAULT, require_name
from privkit.keys.replace import SUFFIX, exclusive, folder_failure, replace
from privkit.keys.seal import Seal

MAX_SIZE: Final = 2**24
"""Bytes of a file, beyond which it is refused, before it is written as well as when it is read."""

CREATE: Final = "make it with KeysetFile.create() or 'privkit keys create {path}'"

Keysets = dict[str, ManagedKeyset]

P = ParamSpec("P")
R = TypeVar("R")


def quiet(method: Callable[P, R]) -> Callable[P, R]:
    """
    Let errors of privkit out with no local variable in reach: an argument may be a key one day.
    """

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except PrivkitError as error:
            failure = error
        del args, kwargs
        # What an error of a client came from may hold secrets as well.
        failure.__cause__ = failure.__context__ = None
        traceback.clear_frames(failure.__traceback__)
        raise failure

    return call


@final
class KeysetFile:
    """
    Serve the keysets of a sealed file, and change them.

    The file is encrypted under a data key that is fresh with each change and wrapped by *seal*.
    It is of mode 0600, replaced as a whole and on disk before a change returns. Changes of
    several processes follow one another. A key that ends its period stops to protect, also if
    the clock is set back behind a time that the file has seen. An older copy of the file, put in
    its place, is not noticed.

    It is read at each call: a binding asks once, and `CachedKeys` asks again. It is pickled and
    copied as path and seal: the copy of one that has an audit serves keys and changes none.

    Args:
        path: The file. A symbolic link in its place is refused, and so is a folder in which
            others can replace files.

        seal: What wraps the data key, such as `Passphrase`.

        audit: Where each change is written before it is made; ``None`` leaves it to the history
            in the file.

    Source:
        States: NIST SP 800-57 Part 1 Rev. 5, section 7. Encryption: AES-SIV, RFC 5297, with
        256-bit halves, the header as associated data. Subkey: RFC 5869.

    Raises:
        KeyProviderError: If *path* is not printable text or ends in ``.part``, or *seal* is none.

    .. versionadded:: 0.1
    """

    __slots__ = ("_audit", "_path", "_seal", "_seen", "_warned")

    def __init__(
        self, path: str | os.PathLike[str], seal: Seal, /, *, audit: KeyAudit | None = None
    ) -> None:
        complaint = path_complaint(path) or _seal_complaint(seal)
        if complaint is None and os.fspath(path).endswith(SUFFIX):
            complaint = f"the path of a keyset file does not end in {SUFFIX}: its drafts do"
        if complaint is not None:
            # Somebody passes a key or a passphrase itself one day, and a traceback prints locals.
            del self, path, seal
            raise KeyProviderError(complaint)
        self._path = os.fspath(path)
        self._seal = seal
        self._audit = audit
        self._seen = datetime.min.replace(tzinfo=UTC)
        self._warned: dict[str, str] = {}

    @quiet
    def keyset(self, name: str, /) -> Keyset:
        """
        Return what the keys of the keyset *name* may do at this time.

        Raises:
            KeyNotFoundError: If there is no such file or keyset, or what opens it is missing.
            KeyMaterialError: If the file was altered or cut, or the seal is another one.
            KeyProviderError: If others can read or write the file, or the user cannot read it.
            KeyUnavailableError: If what opens it cannot be reached.
        """
        managed, now = self.status(name), self._now()
        left = managed.left(now)
        if left is not None and self._warned.get(name) != managed.primary_id:
            # Once a key, since CachedKeys asks again and again.
            self._warned[name] = managed.primary_id
            logging.getLogger("privkit.keys").warning(
                "key %s of keyset %s protects for %d more days: stage and promote another",
                managed.primary_id,
                name,
                left.days,
            )
        return managed.keyset(now)

    @quiet
    def status(self, name: str = DEFAULT, /) -> ManagedKeyset:
        """
        Return a keyset with the lives of its keys.

        Raises:
            PrivkitError: As `keyset`.
        """
        require_name(name)
        return self._of(self._read(self._path), name)

    @quiet
    def names(self) -> tuple[str, ...]:
        """
        Return the names of the keysets in the file.

        Raises:
            PrivkitError: As `keyset`.
        """
        return tuple(self._read(self._path))

    @quiet
    def create(
        self,
        *,
        reason: str,
        keyset: str = DEFAULT,
        adopt: Keyset | None = None,
        period: timedelta | None = PERIOD,
    ) -> str:
        """
        Make a keyset, and the file if there is none.

        Args:
            reason: Why, in words.

            keyset: The name of the keyset.

            adopt: Keys that were kept in another place: the primary, others that resolve what
                they made, and compromised ones; ``None`` draws one key.

            period: How long the primary protects; ``None`` for ever.

        Returns:
            The id of the primary.

        Raises:
            PrivkitError: As `keyset`; if there is a keyset of that name.
        """
        adopted = Keyset(Key.generate()) if adopt is None else adopt

        def create(keysets: Keysets, now: datetime) -> ManagedKeyset:
            if keyset in keysets:
                raise KeyProviderError(
                    f"there is a keyset {keyset} in {self._path} already, and keys are never "
                    "overwritten: stage another key instead"
                )
            return ManagedKeyset.create(adopted, now=now, reason=reason, period=period)

        self._change("create", keyset, adopted.primary.id, reason, create)
        return adopted.primary.id

    @quiet
    def prepare(self, key: Key | None = None, *, reason: str, keyset: str = DEFAULT) -> str:
        """
        Add a key that does nothing until it is staged, and return its id.

        Args:
            key: The key, such as one that was kept in another place; ``None`` draws one.

            reason: Why, in words.

            keyset: The name of the keyset.

        Raises:
            PrivkitError: As `keyset`; if another key has the id or the tag.
        """
        drawn = Key.generate() if key is None else key

        def prepare(keysets: Keysets, now: datetime) -> ManagedKeyset:
            return self._of(keysets, keyset).prepare(drawn, now=now, reason=reason)

        self._change("prepare", keyset, drawn.id, reason, prepare)
        return drawn.id

    @quiet
    def stage(
        self,
        key_id: str | None = None,
        *,
        reason: str,
        keyset: str = DEFAULT,
        period: timedelta | None = PERIOD,
    ) -> str:
        """
        Make a key active: it resolves everywhere before anything is protected with it.

        Args:
            key_id: A key that was prepared or suspended; ``None`` draws one.

            reason: Why, in words.

            keyset: The name of the keyset.

            period: How long a key that was never active before protects; ``None`` for ever.

        Returns:
            The id of the key.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state.
        """
        drawn = Key.generate() if key_id is None else None
        staged = drawn.id if drawn is not None else cast("str", key_id)

        def stage(keysets: Keysets, now: datetime) -> ManagedKeyset:
            managed = self._of(keysets, keyset)
            if drawn is not None:
                managed = managed.prepare(drawn, now=now, reason=reason)
            return managed.stage(staged, now=now, reason=reason, period=period)

        self._change("stage", keyset, staged, reason, stage)
        return staged

    @quiet
    def promote(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Make an active key the primary, which alone protects. The one before still resolves.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state, or its period ended.
        """
        self._move(ManagedKeyset.promote, key_id, reason, keyset)

    @quiet
    def retire(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Deactivate a key: it resolves what it made, and never protects again.

        Raises:
            PrivkitError: As `keyset`; if the key is the primary, or in another state.
        """
        self._move(ManagedKeyset.retire, key_id, reason, keyset)

    @quiet
    def suspend(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Stop a key from protecting until it is staged again. If it is the primary, none protects.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state.
        """
        self._move(ManagedKeyset.suspend, key_id, reason, keyset)

    @quiet
    def compromise(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Let a key resolve for a stated reason only. If it is the primary, none protects.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state.
        """
        self._move(ManagedKeyset.compromise, key_id, reason, keyset)

    @quiet
    def destroy(
        self, key_id: str, /, *, reason: str, keyset: str = DEFAULT, dry_run: bool = False
    ) -> None:
        """
        Erase a key. Copies of the file, such as backups, still hold it.

        Args:
            key_id: Its id, which is never given again.

            reason: Why, in words.

            keyset: The name of the keyset.

            dry_run: Whether to refuse what would be refused, and change nothing.

        Raises:
            PrivkitError: As `keyset`; if a recorded dataset needs the key, or it is the primary
                or in another state.
        """
        self._move(ManagedKeyset.destroy, key_id, reason, keyset, dry_run=dry_run)

    @quiet
    def record(self, dataset: str, key_ids: Collection[str], /, *, keyset: str = DEFAULT) -> None:
        """
        Write down which keys a dataset needs, in place of what was recorded of it.

        Args:
            dataset: What people call it, such as a path or the name of a table. No value of a
                person.

            key_ids: The ids of the keys, such as that of its manifest.

            keyset: The name of the keyset.

        Raises:
            PrivkitError: As `keyset`; if a key is not there or was destroyed.
        """
        ids = key_ids if isinstance(key_ids, str) else tuple(key_ids)

        def record(keysets: Keysets, now: datetime) -> ManagedKeyset:
            return self._of(keysets, keyset).record(dataset, ids, now=now)

        named = ", ".join(map(str, ids))
        self._change("record", keyset, None, f"dataset {dataset} needs {named}", record)

    @quiet
    def forget(self, dataset: str, /, *, keyset: str = DEFAULT) -> None:
        """
        Strike a dataset that is gone from the record.

        Raises:
            PrivkitError: As `keyset`; if no such dataset is recorded.
        """

        def forget(keysets: Keysets, now: datetime) -> ManagedKeyset:
            return self._of(keysets, keyset).forget(dataset, now=now)

        self._change("forget", keyset, None, f"dataset {dataset} is gone", forget)

    def _move(
        self, step: "_Step", key_id: str, reason: str, keyset: str, *, dry_run: bool = False
    ) -> None:
        def move(keysets: Keysets, now: datetime) -> ManagedKeyset:
            return step(self._of(keysets, keyset), key_id, now=now, reason=reason)

        self._change(step.__name__, keyset, key_id, reason, move, dry_run=dry_run)

    def _change(
        self,
        act: str,
        name: str,
        key_id: str | None,
        reason: str,
        edit: Callable[[Keysets, datetime], ManagedKeyset],
        *,
        dry_run: bool = False,
    ) -> None:
        """
        Read the file, change a keyset, and write the file: all of it or nothing.
        """
        require_name(name)
        complaint = platform_complaint()
        if complaint is not None:
            raise KeyProviderError(complaint)
        with exclusive(self._path):
            raw = self._raw(self._path)
            # Only a file that is not there is made, never one that cannot be looked at.
            fresh = act == "create" and isinstance(raw, KeyNotFoundError)
            keysets = {} if fresh else self._opened(raw)
            keysets[name] = edit(keysets, self._now())
            if dry_run:
                return
            content = document.write(keysets)
            sealed = envelope.write(content, self._seal)
            if len(sealed) > MAX_SIZE:
                raise KeyMaterialError(
                    f"the keyset file {self._path} is at most {MAX_SIZE} bytes, so it stays as it "
                    "was: forget datasets that are gone"
                )
            if self._audit is not None:
                self._audit.write(
                    KeyEvent(
                        time=keysets[name].high_water.isoformat(),
                        act=act,
                        keyset=name,
                        key_id=key_id,
                        reason=reason,
                    )
                )

            def check(path: str) -> None:
                kept = None
                with contextlib.suppress(KeyMaterialError):
                    kept = document.write(self._read(path))
                if kept != content:
                    raise KeyMaterialError(
                        f"the seal {self._seal.kind} does not give back what it took, so "
                        f"{self._path} stays as it was"
                    )

            replace(self._path, sealed, check=check, fresh=fresh)

    def _read(self, path: str) -> Keysets:
        return self._opened(self._raw(path))

    def _raw(self, path: str) -> SecretBytes | KeyProviderError:
        return folder_failure(path) or read_private(path, "keyset file", CREATE, most=MAX_SIZE)

    def _opened(self, raw: SecretBytes | KeyProviderError) -> Keysets:
        if isinstance(raw, KeyProviderError):
            raise raw
        content = envelope.read(raw, self._seal)
        found = content if isinstance(content, str) else document.read(content)
        if isinstance(found, str):
            raise KeyMaterialError(f"the keyset file {self._path} {found}")
        return found

    def _of(self, keysets: Keysets, name: str) -> ManagedKeyset:
        if name in keysets:
            return keysets[name]
        raise KeyNotFoundError(
            f"there is no keyset {name} in the keyset file {self._path}; it has "
            f"{', '.join(keysets)}",
            keyset=name,
            path=self._path,
        )

    def _now(self) -> datetime:
        self._seen = max(self._seen, timestamp(datetime.now(UTC)))
        return self._seen

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeysetFile):
            return NotImplemented
        return (self._path, self._seal) == (other._path, other._seal)

    def __hash__(self) -> int:
        return hash((KeysetFile, self._path))

    def __repr__(self) -> str:
        return f"KeysetFile({self._path!r}, {self._seal!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _copy, (self._path, self._seal, self._audit is not None)


class _LostAudit:
    """
    Stands for an audit that stayed where the copy was made.
    """

    def write(self, _event: KeyEvent, /) -> NoReturn:
        raise AuditError(
            "a copy of a KeysetFile comes without its audit, so it changes no keys: make one with "
            "audit=…"
        )


def _copy(path: str, seal: Seal, audited: bool, /) -> KeysetFile:  # noqa: FBT001 - of a pickle
    return KeysetFile(path, seal, audit=_LostAudit() if audited else None)


class _Step(Protocol):
    """
    A change of one key, as `ManagedKeyset` has it.
    """

    __name__: str

    def __call__(
        self, managed: ManagedKeyset, key_id: str, /, *, now: datetime, reason: str
    ) -> ManagedKeyset: ...


def _seal_complaint(seal: object) -> str | None:
    if all(callable(getattr(seal, name, None)) for name in ("wrap", "unwrap")):
        return None
    return (
        "a keyset file is opened by a seal, such as Passphrase('PRIVKIT_PASSPHRASE'), got "
        f"{type(seal).__name__}"
    )
