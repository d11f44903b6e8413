"""
``privkit keys``: the life of keys in a keyset file.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from privkit.audit import JSONLinesAudit
from privkit.ciphers.secret import SecretBytes
from privkit.cli.keys import provider
from privkit.errors import KeyMaterialError, KeyProviderError
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.managed import ManagedKey, ManagedKeyset
from privkit.keys.provider import DEFAULT, resolve
from privkit.keys.seal import Passphrase
from privkit.policy.manifest import Manifest

VARIABLE: Final = "PRIVKIT_PASSPHRASE"

MINUTE: Final = "%Y-%m-%d %H:%M"

HINTS: Final = {
    "create": "back the file up, and keep the passphrase apart from it",
    "prepare": "it does nothing until it is staged",
    "stage": "promote it once every process that reads protected data has the file",
    "promote": "it protects from here on, in processes that read the file again",
    "retire": "it resolves what it made, and protects nothing",
    "suspend": "it resolves; stage it to let it protect again",
    "compromise": "it resolves for a stated reason only: re-key what it protected",
    "destroy": "backups of the file still hold it: delete them when their time has come",
}


def keys(options: argparse.Namespace) -> int:
    """
    Show a keyset file, or change it.
    """
    file = _opened(options)
    match options.act:
        case "list":
            for name in file.names() if options.keyset is None else [options.keyset]:
                print(_shown(name, file.status(name), history=options.history))
            return 0
        case "record":
            file.record(options.dataset, _needed(options), keyset=_keyset(options))
            print(f"{options.file}: {options.dataset} is recorded")
            return 0
        case "forget":
            file.forget(options.dataset, keyset=_keyset(options))
            print(f"{options.file}: {options.dataset} is struck from the record")
            return 0
        case "create":
            key_id = _create(file, options)
        case "stage":
            key_id = file.stage(
                options.key, reason=options.reason, keyset=_keyset(options), period=options.period
            )
        case "destroy":
            key_id = options.key
            file.destroy(
                key_id, reason=options.reason, keyset=_keyset(options), dry_run=options.dry_run
            )
            if options.dry_run:
                print(f"dry run: key {key_id} can be destroyed; {options.file} is not written")
                return 0
        case act:
            key_id = options.key
            getattr(file, act)(key_id, reason=options.reason, keyset=_keyset(options))
    state = file.status(_keyset(options)).get(key_id).state
    print(f"{options.file}: key {key_id} of keyset {_keyset(options)} is {state}")
    print(f"privkit: {HINTS[options.act]}", file=sys.stderr)
    return 0


def _opened(options: argparse.Namespace) -> KeysetFile:
    source: str | Path = VARIABLE if options.passphrase_env is None else options.passphrase_env
    seal = Passphrase(source)
    if options.passphrase_file is not None:
        seal = Passphrase(Path(options.passphrase_file))
    elif options.passphrase_env is None and VARIABLE not in os.environ and sys.stdin.isatty():
        seal = Passphrase(_asking(confirm=options.act == "create"))
    audit = None if options.audit is None else JSONLinesAudit(options.audit)
    return KeysetFile(options.file, seal, audit=audit)


def _asking(*, confirm: bool) -> Callable[[], str]:
    """
    Return what asks for a passphrase once, and twice where a file is made with it.
    """
    asked: list[SecretBytes] = []

    def ask() -> str:
        if not asked:
            typed = SecretBytes(getpass.getpass("passphrase: ").encode())
            if confirm and typed != SecretBytes(getpass.getpass("the same again: ").encode()):
                raise KeyMaterialError("the two passphrases differ")
            asked.append(typed)
        return asked[0].expose().decode()

    return ask


def _keyset(options: argparse.Namespace) -> str:
    return cast("str", options.keyset or DEFAULT)


def _create(file: KeysetFile, options: argparse.Namespace) -> str:
    adopted = None
    if options.adopt is not None:
        adopted = resolve(provider(options.adopt), _keyset(options))
    return file.create(
        reason=options.reason, keyset=_keyset(options), adopt=adopted, period=options.period
    )


def _needed(options: argparse.Namespace) -> list[str]:
    if options.key is not None:
        return [options.key]
    manifest = Manifest.load(options.manifest)
    if manifest.key_id is None:
        raise KeyProviderError(f"the manifest {options.manifest} names no key, so none is needed")
    return [manifest.key_id]


def _shown(name: str, managed: ManagedKeyset, *, history: bool) -> str:
    rows = [("key", "state", "since", "protects until", "")]
    rows += [_row(entry, managed) for entry in managed.keys]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"keyset {name}"]
    lines += ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += [
        f"  dataset {dataset} needs {', '.join(ids)}" for dataset, ids in managed.datasets.items()
    ]
    if history:
        lines += [
            f"  {change.time:{MINUTE}}  {entry.key_id}  {change.act}: {change.reason}"
            for entry in managed.keys
            for change in entry.history
        ]
    return "\n".join(lines)


def _row(entry: ManagedKey, managed: ManagedKeyset) -> tuple[str, str, str, str, str]:
    return (
        entry.key_id,
        entry.state.value,
        f"{entry.since:{MINUTE}}",
        "no end" if entry.until is None else f"{entry.until:%Y-%m-%d}",
        "primary" if entry.key_id == managed.primary_id else "",
    )
