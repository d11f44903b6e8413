"""
The ``privkit`` command.

Exit codes: 0, done; 1, the run failed, or ``diff`` found a difference; 2, the command or the policy
is wrong. A failure is one sentence on standard error, and never shows a value.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn, TypeAlias, cast

from privkit.errors import PolicyError, PrivkitError

DONE: Final = 0
FAILED: Final = 1
MISTAKEN: Final = 2
INTERRUPTED: Final = 130

PERIOD: Final = timedelta(days=730)
MAX_DAYS: Final = 36_525

ROOT: Final = Path(__file__).parents[1]


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001 - has no other name


class _Parser(argparse.ArgumentParser):
    """
    A parser whose complaint is one line.
    """

    def error(self, message: str) -> NoReturn:
        print(f"privkit: {message}; see '{self.prog} --help'", file=sys.stderr)
        self.exit(MISTAKEN)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command, and return its exit code.

    Args:
        arguments: What follows the name of the command; ``None`` for those of the process.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a name is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _options(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(options)
        sys.stdout.flush()
    except PrivkitError as error:
        print(f"privkit: {_sentence(error)}", file=sys.stderr)
        return MISTAKEN if isinstance(error, PolicyError) else _failed(options)
    except KeyboardInterrupt:
        print("privkit: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough. Nothing is left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        print(f"privkit: {_place(error)}{_reason(error)}", file=sys.stderr)
        return _failed(options)
    except Exception as error:  # noqa: BLE001 - its message may hold a value
        print(f"privkit: {_defect(error)}", file=sys.stderr)
        return _failed(options)
    return code


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    from privkit.keys.text import holds_key

    parser = _parser()
    if any(map(holds_key, arguments)):
        # Before anything can show it, or make a file of that name.
        parser.error("an argument looks like a key, and keys come from PRIVKIT_KEYS or a file")
    return parser.parse_args(arguments)


def _failed(options: argparse.Namespace) -> int:
    # Like diff, where 1 says that the files differ.
    return MISTAKEN if options.command == "diff" else FAILED


def _sentence(error: PrivkitError) -> str:
    row = None if error.row is None else f"row {error.row}"
    field = None if error.field is None else f"field '{error.field}'"
    place = ", ".join(part for part in (row, field) if part is not None)
    return f"{place}: {error}" if place else str(error)


def _place(error: OSError) -> str:
    return "" if error.filename is None else f"{error.filename}: "


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _defect(error: Exception) -> str:
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(ROOT):
            place = f" at {path.relative_to(ROOT).as_posix()}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return f"a defect of privkit itself: {type(error).__name__}{place}"


def _run(options: argparse.Namespace) -> int:
    # The libraries of a command are imported when it runs: the others start without them.
    match options.command:
        case "keygen":
            from privkit.cli.keys import keygen

            return keygen(options)
        case "keys":
            from privkit.cli.keyset_file import keys

            return keys(options)
        case "explain" | "diff" | "schema":
            from privkit.cli import policies

            commands = {
                "explain": policies.explain,
                "diff": policies.diff,
                "schema": policies.schema,
            }
            return commands[options.command](options)
        case "apply" | "reidentify":
            from privkit.cli import files

            return (files.apply if options.command == "apply" else files.reidentify)(options)
        case _:
            from privkit.cli.demo import demo

            return demo(options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="privkit",
        allow_abbrev=False,
        description="Pseudonymize personal data by a policy.",
        epilog="Exit codes: 0 done; 1 the run failed; 2 the command or the policy is wrong.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_keygen, _keys, _explain, _diff, _apply, _reidentify, _schema, _demo):
        add(commands)
    return parser


def _add(commands: _Commands, name: str, purpose: str) -> argparse.ArgumentParser:
    description = f"{purpose[0].upper()}{purpose[1:]}."
    parser = commands.add_parser(name, help=purpose, description=description, allow_abbrev=False)
    parser.set_defaults(refuse=parser.error)
    return parser


def _keygen(commands: _Commands) -> None:
    parser = _add(commands, "keygen", "make a key")
    parser.add_argument("--out", metavar="FILE", help="write it to a file only you can read")
    parser.add_argument("--id", metavar="ID", help="its id; default: the day and four characters")


ACTS: Final = {
    "list": "show keys, states and the datasets that need them",
    "create": "make a keyset, and the file if there is none",
    "stage": "make a key active: it resolves, and does not protect yet",
    "promote": "make an active key the primary, which alone protects",
    "retire": "let a key resolve what it made, and never protect again",
    "suspend": "stop a key from protecting until it is staged again",
    "compromise": "let a key resolve for a stated reason only",
    "destroy": "erase a key that no recorded dataset needs",
    "record": "write down which key a dataset needs",
    "forget": "strike a dataset that is gone from the record",
}


def _keys(commands: _Commands) -> None:
    group = _add(commands, "keys", "show a keyset file, or change it")
    # Subparsers are of the class of their parser, which argparse does not tell.
    acts = cast("_Commands", group.add_subparsers(dest="act", required=True, metavar="ACT"))
    for act, purpose in ACTS.items():
        parser = _add(acts, act, purpose)
        parser.add_argument("file", metavar="FILE", help="a keyset file")
        if act in {"promote", "retire", "suspend", "compromise", "destroy"}:
            parser.add_argument("key", metavar="KEY", help="the id of the key")
        elif act == "stage":
            parser.add_argument(
                "key", metavar="KEY", nargs="?", help="one that is suspended; default: a fresh one"
            )
        elif act in {"record", "forget"}:
            parser.add_argument("dataset", metavar="NAME", help="what you call the dataset")
        if act == "record":
            needed = parser.add_mutually_exclusive_group(required=True)
            needed.add_argument(
                "--manifest", metavar="FILE", help="the manifest that names the key"
            )
            needed.add_argument("--key", metavar="KEY", help="the id of the key")
        elif act not in {"list", "forget"}:
            parser.add_argument("--reason", metavar="TEXT", required=True, help="why, in words")
        if act == "list":
            parser.add_argument("--history", action="store_true", help="show all changes as well")
        if act == "destroy":
            parser.add_argument(
                "--dry-run", action="store_true", help="say whether it would be, and change nothing"
            )
        if act == "create":
            parser.add_argument(
                "--adopt", metavar="KEYS", help="a key file whose keys it takes over"
            )
        if act in {"create", "stage"}:
            parser.add_argument(
                "--days",
                metavar="N",
                type=_days,
                default=PERIOD,
                dest="period",
                help="how long a fresh key protects, or 'none'; default: 730",
            )
        _add_passphrase(parser)


def _days(text: str) -> timedelta | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < MAX_DAYS):
        raise argparse.ArgumentTypeError(f"days are a number from 1 to {MAX_DAYS - 1}, or 'none'")
    return timedelta(days=int(text))


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keyset", metavar="NAME", help="the keyset; default: default")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--passphrase-env", metavar="NAME", help="the variable that holds the passphrase"
    )
    place.add_argument(
        "--passphrase-file", metavar="PATH", help="the file whose first line is the passphrase"
    )
    parser.add_argument("--audit", metavar="PATH", help="where a change is written first")


def _explain(commands: _Commands) -> None:
    parser = _add(commands, "explain", "say what a policy does to each field")
    parser.add_argument("policy", metavar="POLICY", help="a policy file: TOML, JSON or YAML")


def _diff(commands: _Commands) -> None:
    parser = _add(commands, "diff", "say how two policies differ; exit code 1 if they do")
    parser.add_argument("old", metavar="OLD", help="a policy file")
    parser.add_argument("new", metavar="NEW", help="another")


def _apply(commands: _Commands) -> None:
    parser = _add(commands, "apply", "pseudonymize a file of records")
    parser.add_argument("policy", metavar="POLICY", help="a policy file")
    parser.add_argument("source", metavar="IN", help="a CSV or JSON lines file")
    parser.add_argument("target", metavar="OUT", help="the file to make, in the format of IN")
    _add_keys(parser)
    parser.add_argument(
        "--keyset", metavar="NAME", default="default", help="the keyset; default: %(default)s"
    )
    parser.add_argument(
        "--key-field", metavar="NAME", help="a field to add: the id of the key of each record"
    )
    parser.add_argument(
        "--format", choices=("csv", "json-lines"), help="of IN; default: what its suffix says"
    )
    parser.add_argument("--delimiter", metavar="CHARACTER", help=r"of CSV; \t is a tab")
    parser.add_argument("--encoding", metavar="NAME", help="of CSV; default: utf-8")
    parser.add_argument(
        "--skip-initial-space", action="store_true", help="ignore blanks that follow a delimiter"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="protect every record and write nothing"
    )
    _add_run(parser)


def _reidentify(commands: _Commands) -> None:
    parser = _add(commands, "reidentify", "put back what a policy's reversible rules protected")
    parser.add_argument("policy", metavar="POLICY", help="the policy that made IN")
    parser.add_argument("source", metavar="IN", help="a pseudonymized file")
    parser.add_argument("target", metavar="OUT", help="the file to make")
    parser.add_argument(
        "--manifest", metavar="FILE", help="what was done to IN; default: IN.manifest.json"
    )
    parser.add_argument("--actor", required=True, help="who asks")
    parser.add_argument("--purpose", required=True, help="what for")
    parser.add_argument(
        "--access",
        metavar="FILE",
        required=True,
        help='who may, in TOML: "dr.lee" = ["treatment"]',
    )
    parser.add_argument(
        "--audit", metavar="FILE", required=True, help="where the request is written first"
    )
    parser.add_argument("--fields", metavar="A,B", help="default: all that reverse")
    _add_keys(parser)
    _add_run(parser)


def _schema(commands: _Commands) -> None:
    _add(commands, "schema", "print the JSON Schema of policy files, for editors")


def _demo(commands: _Commands) -> None:
    parser = _add(commands, "demo", "make a table of invented people and pseudonymize it")
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default="demo-output",
        help="where to; default: %(default)s",
    )


def _add_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keys", metavar="FILE", help="a key file; default: the variable PRIVKIT_KEYS"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--progress", action="store_true", help="show a bar; needs the extra 'progress'"
    )
