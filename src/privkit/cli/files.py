"""
``privkit apply`` and ``privkit reidentify``.
"""

import argparse
import contextlib
import dataclasses
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from privkit.audit import JSONLinesAudit
from privkit.authority import AllowList
from privkit.cli.progress import reporting
from privkit.errors import DatasetError, PolicyError
from privkit.frames.csv_file import CSV
from privkit.frames.files import SUFFIXES, FileFormat, pseudonymize_file, reidentify_file
from privkit.frames.json_lines import JSONLines
from privkit.keys import EnvironmentKeys, FileKeys, KeyProvider
from privkit.policy.manifest import Manifest
from privkit.policy.model import Policy


def apply(options: argparse.Namespace) -> int:
    """
    Pseudonymize a file.
    """
    _spare(options, "policy", "keys")
    chosen = _format(options)
    policy = Policy.load(options.policy)
    keyed = any(rule.keyed for rule in policy.fields.values())
    pseudonymizer = policy.bind(_keys(options) if keyed else None, keyset=options.keyset)
    with _terminable(), reporting(bar=options.progress) as progress:
        manifest = pseudonymize_file(
            pseudonymizer,
            options.source,
            options.target,
            format=chosen,
            overwrite=options.force,
            dry_run=options.dry_run,
            progress=progress,
        )
    beside = Manifest.beside(Path(options.target))
    if options.dry_run:
        print(policy.explain())
        print(f"dry run: {manifest.rows} rows pass; {options.target} and {beside} are not written")
    else:
        print(f"{options.target}: {manifest.rows} rows; manifest {beside}")
    return 0


def reidentify(options: argparse.Namespace) -> int:
    """
    Put back what reverses.
    """
    _spare(options, "policy", "keys", "manifest", "access", "audit")
    policy = Policy.load(options.policy)
    manifest = Manifest.load(options.manifest or Manifest.beside(Path(options.source)))
    with _terminable(), reporting(bar=options.progress) as progress:
        rows = reidentify_file(
            policy,
            _keys(options),
            options.source,
            options.target,
            manifest=manifest,
            access=_access(Path(options.access)),
            audit=JSONLinesAudit(options.audit),
            actor=options.actor,
            purpose=options.purpose,
            fields=None if options.fields is None else options.fields.split(","),
            overwrite=options.force,
            progress=progress,
        )
    print(f"{options.target}: {rows} rows, reidentified; the request is in {options.audit}")
    return 0


def _spare(options: argparse.Namespace, *names: str) -> None:
    """
    Refuse an output that is one of the files the command is told to use.
    """
    target = Path(options.target)
    for name in names:
        path = getattr(options, name)
        if path is not None and target.exists() and Path(path).exists() and target.samefile(path):
            options.refuse(f"OUT is the {name} file as well")


def _keys(options: argparse.Namespace) -> KeyProvider:
    return EnvironmentKeys() if options.keys is None else FileKeys(options.keys)


def _format(options: argparse.Namespace) -> FileFormat | None:
    """
    Return the format that the options declare, or ``None`` if the suffix decides.
    """
    of_csv = {
        name: value
        for name in ("delimiter", "encoding", "skip_initial_space")
        if (value := getattr(options, name))
    }
    if options.format is None and not of_csv:
        return None
    told = SUFFIXES.get(Path(options.source).suffix.lower(), CSV())
    if options.format not in {None, told.name}:
        told = CSV() if options.format == CSV.name else JSONLines()
    if isinstance(told, CSV):
        return _declared(told, of_csv, options.refuse)
    if of_csv:
        options.refuse(f"{', '.join(map(_flag, of_csv))}: for CSV files alone")
    return told


def _declared(told: CSV, of_csv: dict[str, str | bool], refuse: Callable[[str], NoReturn]) -> CSV:
    if of_csv.get("delimiter") == r"\t":
        of_csv["delimiter"] = "\t"
    try:
        return dataclasses.replace(told, **of_csv)  # type: ignore[arg-type]
    except DatasetError as error:
        problem = str(error)
    refuse(problem)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _access(path: Path) -> AllowList:
    try:
        with path.open("rb") as file:
            purposes = tomllib.load(file)
    except ValueError:
        purposes = None
    if purposes is None:
        raise PolicyError(f"the access file {path} is not TOML")
    return AllowList(purposes)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """
    Let a polite request to end clean up like an interruption from the keyboard.
    """

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
