"""
``privkit apply`` and ``privkit reidentify``.
"""

import argparse
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, cast

from privkit.audit import JSONLinesAudit
from privkit.authority import AllowList
from privkit.cli.keys import provider
from privkit.cli.progress import reporting
from privkit.errors import DatasetError, PolicyError
from privkit.frames.csv_file import CSV
from privkit.frames.files import SUFFIXES, FileFormat, pseudonymize_file, reidentify_file
from privkit.frames.json_lines import JSONLines
from privkit.frames.text import reason
from privkit.policy.declared import kind_of
from privkit.policy.manifest import Manifest
from privkit.policy.model import Policy
from privkit.policy.parsing import MAX_SIZE, parse
from privkit.policy.yaml_file import UnreadableError

EXAMPLE: Final = '"dr.lee" = ["treatment"]'


def apply(options: argparse.Namespace) -> int:
    """
    Pseudonymize a file.
    """
    _spare(options)
    chosen = _format(options)
    policy = Policy.load(options.policy)
    keyed = any(rule.keyed for rule in policy.fields.values())
    pseudonymizer = policy.bind(
        provider(options.keys) if keyed else None,
        keyset=options.keyset,
        key_field=options.key_field,
    )
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
    options.manifest = options.manifest or str(Manifest.beside(Path(options.source)))
    _spare(options)
    policy = Policy.load(options.policy)
    manifest = Manifest.load(options.manifest)
    with _terminable(), reporting(bar=options.progress) as progress:
        rows = reidentify_file(
            policy,
            provider(options.keys),
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


READ: Final[Mapping[str, str]] = {
    "source": "IN",
    "policy": "the policy",
    "keys": "the key file (--keys)",
    "access": "the access file (--access)",
    "manifest": "the manifest of IN (--manifest)",
}
"""The options that name a file to read, and what a message calls it."""


def _spare(options: argparse.Namespace) -> None:
    """
    Refuse a file to write that is another file of the command as well.
    """
    read = [(name, getattr(options, option, None)) for option, name in READ.items()]
    written = [
        ("OUT", options.target),
        ("the manifest of OUT", str(Manifest.beside(Path(options.target)))),
        ("the audit file (--audit)", getattr(options, "audit", None)),
    ]
    for position, (name, path) in enumerate(written):
        for other_name, other in read + written[:position]:
            if path is not None and other is not None and _is_same(path, other):
                options.refuse(f"{name} and {other_name} are one file: give each its own name")


def _is_same(path: str, other: str) -> bool:
    if Path(path).exists() and Path(other).exists():
        return Path(path).samefile(other)
    # Of files yet to be made, a file system may hold names for one that differ in case alone.
    return os.path.realpath(path).casefold() == os.path.realpath(other).casefold()


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
    problem = None
    purposes: object = None
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
        if len(content) > MAX_SIZE:
            problem = f"has more than {MAX_SIZE:,} bytes"
        else:
            purposes = parse(content.decode("utf-8-sig"), "toml")
    except OSError as error:
        problem = f"cannot be read: {reason(error)}"
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    except UnreadableError as error:
        problem = f"cannot be read: {error}"
    problem = problem or _complaint(cast("dict[str, object]", purposes))
    if problem is not None:
        raise PolicyError(f"the access file {path} {problem}")
    return AllowList(cast("dict[str, list[str]]", purposes))


def _complaint(purposes: dict[str, object]) -> str | None:
    """
    Say why data is no list of who may, or ``None``.
    """
    for position, granted in enumerate(purposes.values(), start=1):
        if not isinstance(granted, list):
            # TOML reads a point outside of quotes as a table within a table.
            quotes = ": a name with a point stands in quotes" if isinstance(granted, dict) else ""
            return (
                f"gives each actor a list of purposes, got {kind_of(granted)} for actor "
                f"{position}{quotes}, as in {EXAMPLE}"
            )
        for purpose in granted:
            if not isinstance(purpose, str):
                return (
                    f"lists purposes as text in quotes, got {kind_of(purpose)} for actor {position}"
                )
    return None


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
