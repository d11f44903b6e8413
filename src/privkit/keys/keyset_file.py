"""
A file of sealed keysets: a key provider, and the place where keys live, change and end.
"""

import contextlib
import json
import logging
import os
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, cast, final

from privkit.ciphers import kdf
from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.siv import AESSIV
from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    TamperedError,
)
from privkit.keys import document
from privkit.keys.event import KeyAudit, KeyEvent
from privkit.keys.file import path_complaint, platform_complaint, read_private
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.keys.managed import PERIOD, ManagedKeyset, timestamp
from privkit.keys.provider import DEFAULT, require_name
from privkit.keys.replace import exclusive, replace
from privkit.keys.seal import DATA_KEY_SIZE, Seal, to_bytes, to_text
from privkit.typing import Secret

FORMAT: Final = 1
"""Frozen: readers tell layouts apart by this number."""

CONTEXT: Final = b"privkit keyset file 1"
KIND: Final = re.compile("[a-z][a-z0-9-]{0,31}")
CREATE: Final = "make it with KeysetFile.create() or 'privkit keys create {path}'"

Keysets = dict[str, ManagedKeyset]


@final
class KeysetFile:
    """
    Serve the keysets of a sealed file, and change them.

    The file is encrypted under a data key that is fresh with each change and wrapped by *seal*.
    It is of mode 0600, replaced as a whole and on disk before a change returns. Changes of
    several processes follow one another. A key that ends its period stops to protect, also if
    the clock is set back behind a time that the file has seen. An older copy of the file, put in
    its place, is not noticed.

    It is read at each call: a binding asks once, and `CachedKeys` asks again. It is pickled as
    path and seal.

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
        KeyProviderError: If *path* is not printable text.

    .. versionadded:: 0.1
    """

    __slots__ = ("_audit", "_path", "_seal", "_seen", "_warned")

    def __init__(
        self, path: str | os.PathLike[str], seal: Seal, /, *, audit: KeyAudit | None = None
    ) -> None:
        complaint = path_complaint(path)
        if complaint is not None:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, path, seal
            raise KeyProviderError(complaint)
        self._path = os.fspath(path)
        self._seal = seal
        self._audit = audit
        self._seen = datetime.min.replace(tzinfo=UTC)
        self._warned: dict[str, str] = {}

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

    def status(self, name: str = DEFAULT, /) -> ManagedKeyset:
        """
        Return a keyset with the lives of its keys.

        Raises:
            PrivkitError: As `keyset`.
        """
        _check_name(name)
        return self._of(self._read(self._path), name)

    def names(self) -> tuple[str, ...]:
        """
        Return the names of the keysets in the file.

        Raises:
            PrivkitError: As `keyset`.
        """
        return tuple(self._read(self._path))

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

            adopt: Keys that were kept in another place: the primary, and others that resolve
                what they made; ``None`` draws one key.

            period: How long the primary protects; ``None`` for ever.

        Returns:
            The id of the primary.

        Raises:
            KeyProviderError: If there is a keyset of that name, and as `keyset`.
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

    def promote(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Make an active key the primary, which alone protects. The one before still resolves.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state, or its period ended.
        """
        self._move(ManagedKeyset.promote, key_id, reason, keyset)

    def retire(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Deactivate a key: it resolves what it made, and never protects again.

        Raises:
            PrivkitError: As `keyset`; if the key is the primary, or in another state.
        """
        self._move(ManagedKeyset.retire, key_id, reason, keyset)

    def suspend(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Stop a key from protecting until it is staged again. If it is the primary, none protects.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state.
        """
        self._move(ManagedKeyset.suspend, key_id, reason, keyset)

    def compromise(self, key_id: str, /, *, reason: str, keyset: str = DEFAULT) -> None:
        """
        Let a key resolve for a stated reason only. If it is the primary, none protects.

        Raises:
            PrivkitError: As `keyset`; if the key is in another state.
        """
        self._move(ManagedKeyset.compromise, key_id, reason, keyset)

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

        self._change("record", keyset, None, "a dataset needs keys", record)

    def forget(self, dataset: str, /, *, keyset: str = DEFAULT) -> None:
        """
        Strike a dataset that is gone from the record.

        Raises:
            PrivkitError: As `keyset`; if no such dataset is recorded.
        """

        def forget(keysets: Keysets, now: datetime) -> ManagedKeyset:
            return self._of(keysets, keyset).forget(dataset, now=now)

        self._change("forget", keyset, None, "a dataset is gone", forget)

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
        _check_name(name)
        complaint = platform_complaint()
        if complaint is not None:
            raise KeyProviderError(complaint)
        with exclusive(self._path):
            fresh = act == "create" and not os.path.lexists(self._path)
            keysets = {} if fresh else self._read(self._path)
            now = self._now()
            keysets[name] = edit(keysets, now)
            if dry_run:
                return
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
            self._write(keysets)

    def _write(self, keysets: Keysets) -> None:
        content = document.write(keysets)
        data_key = SecretBytes(os.urandom(DATA_KEY_SIZE))
        header = _header(self._seal.kind, self._seal.wrap(data_key, CONTEXT))
        body = _cipher(data_key).encrypt(content.expose(), [header.encode()])
        text = f'{{"header": {header},\n "body": "{to_text(body)}"}}\n'

        def check(path: str) -> None:
            if document.write(self._read(path)) != content:
                raise KeyMaterialError(
                    f"the seal {self._seal.kind} does not give back what it took, so "
                    f"{self._path} stays as it was"
                )

        replace(self._path, text.encode(), check=check)

    def _read(self, path: str) -> Keysets:
        raw = read_private(path, "keyset file", CREATE)
        if isinstance(raw, KeyProviderError):
            raise raw
        parts = _parts(raw)
        if isinstance(parts, str):
            raise KeyMaterialError(f"the keyset file {path} {parts}")
        header, body = parts
        if header["kind"] != self._seal.kind:
            raise KeyMaterialError(
                f"the keyset file {path} is sealed by {header['kind']}, and is opened with "
                f"{self._seal.kind}"
            )
        data_key = self._seal.unwrap(header, CONTEXT)
        kind, kept = header.pop("kind"), header
        content = None
        with contextlib.suppress(TamperedError):
            associated = [_header(kind, kept).encode()]
            content = SecretBytes(_cipher(data_key).decrypt(body, associated))
        if content is None:
            raise KeyMaterialError(f"the keyset file {path} was altered; restore it from a backup")
        return document.read(content)

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
        return KeysetFile, (self._path, self._seal)


class _Step(Protocol):
    """
    A change of one key, as `ManagedKeyset` has it.
    """

    __name__: str

    def __call__(
        self, managed: ManagedKeyset, key_id: str, /, *, now: datetime, reason: str
    ) -> ManagedKeyset: ...


def _check_name(name: str) -> None:
    try:
        require_name(name)
    except KeyNotFoundError:
        # Somebody passes the key itself one day, and a traceback prints locals.
        del name
        raise


def _header(kind: str, kept: Mapping[str, str]) -> str:
    parts = {"privkit-keyset-file": FORMAT, "seal": {"kind": kind, **dict(sorted(kept.items()))}}
    return json.dumps(parts)


def _cipher(data_key: Secret) -> AESSIV:
    return AESSIV(
        kdf.derive(data_key, purpose="keyset file", scope="", algorithm="AES-256-SIV", size=64)
    )


def _parts(raw: Secret) -> tuple[dict[str, str], bytes] | str:
    """
    Return what the seal keeps and the sealed content, or what is wrong with the file.
    """
    try:
        parts = json.loads(raw.expose())
        layout = parts["header"]["privkit-keyset-file"]
        seal = dict(parts["header"]["seal"])
        body = to_bytes(parts, "body")
        texts = all(type(part) is str for part in seal.values())
        known = layout == FORMAT and not isinstance(layout, bool)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, KeyMaterialError):
        return "is cut short, or is no keyset file; restore it from a backup"
    if not known:
        return f"has another layout than {FORMAT}, the one known here"
    if not texts or not KIND.fullmatch(seal.get("kind", "")):
        return "was altered; restore it from a backup"
    return seal, body
