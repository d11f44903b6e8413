"""
``privkit demo``: a table of invented people, and the table one may share.
"""

import argparse
import csv
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from privkit.cli.people import COLUMNS, people
from privkit.errors import DatasetError
from privkit.frames.files import pseudonymize_file
from privkit.keys import FileKeys
from privkit.keys.generate import generate, write_key_file
from privkit.policy.model import Policy

ROWS: Final = 200
SHOWN: Final = 5

MARKER: Final = ".privkit-demo"
"""Tells a folder of ours, whose files may be replaced, from one of somebody else."""

POLICY: Final = """\
# What happens to each column of people.csv. `privkit explain` says it in words.
name = "people"
version = 1

[fields]
mrn = { rule = "format_preserving", format = "digits" }
name = "redact"
email = { rule = "token", normalize = "email" }
phone = { rule = "format_preserving", format = "digits", keep_first = 4 }
born = { rule = "bucket", width = 10, unit = "year" }
zip = { rule = "truncate", keep = 3 }
visit = { rule = "shift_date", by = "mrn", max_days = 30 }
ward = "keep"
"""

ACCESS: Final = """\
# Who may reidentify, and for which purposes.
"dr.lee" = ["treatment"]
"""


def demo(options: argparse.Namespace) -> int:
    """
    Write the demonstration into a folder, and show it.
    """
    folder = Path(options.folder)
    _prepare(folder)
    raw, made = folder / "people.csv", folder / "pseudonymized.csv"
    policy_file, key_file = folder / "policy.toml", folder / "demo.key"
    with raw.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *people(ROWS)])
    # What somebody may have changed since the last run stays.
    for path, text in ((policy_file, POLICY), (folder / "access.toml", ACCESS)):
        if not path.exists():
            path.write_text(text, encoding="utf-8")
    if not key_file.exists():
        write_key_file(key_file, generate("demo"))

    policy = Policy.load(policy_file)
    pseudonymizer = policy.bind(FileKeys(key_file))
    manifest = pseudonymize_file(pseudonymizer, raw, made, overwrite=True)

    print(f"{manifest.rows} rows of {raw}, pseudonymized into {made}. The first {SHOWN}:\n")
    print(_table(_before_and_after(raw, made)))
    print(f"\nWhat {policy_file} does to each field:\n\n{policy.explain()}\n")
    print(_next_steps(folder))
    return 0


def _prepare(folder: Path) -> None:
    marker = folder / MARKER
    if folder.exists() and not marker.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder} exists and is not a demo's folder: name another one")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker.touch()


def _before_and_after(raw: Path, made: Path) -> list[tuple[str, str, str]]:
    table = [("field", "before", "after")]
    with (
        raw.open(encoding="utf-8", newline="") as old,
        made.open(encoding="utf-8", newline="") as new,
    ):
        pairs = zip(csv.DictReader(old), csv.DictReader(new), strict=True)
        for (before, after), _ in zip(pairs, range(SHOWN), strict=False):
            table += [("", "", ""), *((name, before[name], after[name]) for name in before)]
    return table


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _next_steps(folder: Path) -> str:
    def path(name: str) -> str:
        return shlex.quote(str(folder / name))

    # In a virtual environment that is not active, the command is not on the path.
    python = shlex.quote(os.path.relpath(sys.executable))
    run = "privkit" if shutil.which("privkit") else f"{python} -m privkit"
    return f"""\
Next:

  Bring back what reverses, as somebody who may:
    {run} reidentify {path("policy.toml")} {path("pseudonymized.csv")} \\
      {path("reidentified.csv")} --keys {path("demo.key")} --access {path("access.toml")} \\
      --audit {path("audit.jsonl")} --actor dr.lee --purpose treatment

  Change a rule in the policy and run it again:
    {run} apply {path("policy.toml")} {path("people.csv")} {path("pseudonymized.csv")} \\
      --keys {path("demo.key")} --force

  The key in {path("demo.key")} is for this demo alone. Make your own with: {run} keygen"""
