"""
The command as a whole: what it prints, and its exit codes.
"""

import io
import json
import os
import runpy
import subprocess
import sys

import pytest

from privkit.cli import main as subject
from privkit.cli.main import main
from privkit.errors import DomainError, PolicyError
from privkit.keys import FileKeys, Key
from tests.canaries import KEY_BYTES, TEXT

# Measuring coverage imports modules of its own, and writes files of its own.
UNMEASURED = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
POLICY = 'name = "p"\nversion = 1\n[fields]\nname = "redact"\n'


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return str(path)


def failing(monkeypatch, error):
    """
    Let every command end in an error.
    """

    def run(_options):
        raise error

    monkeypatch.setattr(subject, "_run", run)


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ([], "the following arguments are required: COMMAND; see 'privkit --help'"),
            (["explain"], "the following arguments are required: POLICY; see 'privkit explain"),
            (["explain", "a", "b"], "unrecognized arguments: b; see 'privkit --help'"),
            (["demo", "--fo", "x"], "unrecognized arguments: --fo"),
        ],
    )
    def test_a_mistake_is_one_line(self, arguments, sentence, capsys):
        """
        A command that is wrong gets one line that says where to look, and exit code 2.
        """
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        printed = capsys.readouterr().err

        assert 2 == caught.value.code
        assert printed.startswith(f"privkit: {sentence}")
        assert 1 == printed.count("\n")

    def test_a_key_among_the_arguments_is_not_repeated(self, capsys):
        """
        A key that was pasted in the wrong place does not land in a terminal's log.
        """
        with pytest.raises(SystemExit):
            main(["explain", "policy.toml", Key("test", KEY_BYTES).to_text()])

        assert "an argument looks like a key" in capsys.readouterr().err

    def test_help_tells_the_exit_codes(self, capsys):
        """
        The help of the command says what its exit codes mean.
        """
        with pytest.raises(SystemExit) as caught:
            main(["--help"])

        assert not caught.value.code
        assert "Exit codes: 0 done; 1 the run failed; 2" in capsys.readouterr().out

    def test_help_loads_no_library(self):
        """
        Asking for help does not wait for imports.
        """
        code = """
import sys
from privkit.cli.main import main
try:
    main(["apply", "--help"])
except SystemExit:
    pass
heavy = {"cryptography", "pydantic", "csv", "tomllib", "rich"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env=UNMEASURED
        )

        assert b"[]\n" == done.stderr


class TestFailures:
    @pytest.mark.parametrize(
        ("command", "error", "code"),
        [
            ("schema", DomainError("too short"), 1),
            ("schema", PolicyError("contradictory"), 2),
            ("diff", DomainError("too short"), 2),
        ],
    )
    def test_have_their_exit_codes(self, command, error, code, monkeypatch, capsys):
        """
        A wrong policy is 2, another failure 1; with diff, where 1 has a meaning, any trouble is 2.
        """
        failing(monkeypatch, error)
        arguments = ["a", "b"] if command == "diff" else []

        assert code == main([command, *arguments])
        assert f"privkit: {error}\n" == capsys.readouterr().err

    @pytest.mark.parametrize(
        ("row", "field", "place"),
        [(17, "mrn", "row 17, field 'mrn': "), (17, None, "row 17: "), (None, "a", "field 'a': ")],
    )
    def test_tell_the_place(self, row, field, place, monkeypatch, capsys):
        """
        The row and the field stand before the sentence.
        """
        error = DomainError("too short")
        error.row, error.field = row, field
        failing(monkeypatch, error)
        main(["schema"])

        assert f"privkit: {place}too short\n" == capsys.readouterr().err

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (OSError(28, "No space left on device"), "no space left on device"),
            (PermissionError(13, "Permission denied", "/x"), "/x: permission denied"),
            (OSError(), "oserror"),
        ],
    )
    def test_of_the_system_are_sentences(self, error, sentence, monkeypatch, capsys):
        """
        What the operating system refuses is told in its words.
        """
        failing(monkeypatch, error)

        assert 1 == main(["schema"])
        assert f"privkit: {sentence}\n" == capsys.readouterr().err

    def test_nobody_foresaw_show_no_value(self, monkeypatch, capsys):
        """
        A defect is told by its class and its place in privkit, without its message.
        """
        failing(monkeypatch, LookupError(TEXT))

        assert 1 == main(["schema"])
        printed = capsys.readouterr().err
        assert printed.startswith("privkit: a defect of privkit itself: LookupError at cli/main.py")

    def test_an_interruption_is_130(self, monkeypatch, capsys):
        """
        Whoever presses Ctrl-C gets a line and no traceback.
        """
        failing(monkeypatch, KeyboardInterrupt())

        assert 130 == main(["schema"])
        assert "privkit: interrupted\n" == capsys.readouterr().err

    def test_a_reader_that_goes_away_is_no_traceback(self):
        """
        A pipe that is closed ends the command quietly.
        """
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "privkit", "schema"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)

        assert (1, b"") == (done.returncode, done.stderr)


class TestKeygen:
    @pytest.mark.prints_canaries
    def test_prints_the_key_alone(self, capsys):
        """
        Standard output is the key, to be piped into a store; the cure is on standard error.
        """
        assert 0 == main(["keygen", "--id", "2026-01"])
        printed = capsys.readouterr()

        assert "2026-01" == Key.parse(printed.out).id
        assert "PRIVKIT_KEYS" in printed.err
        assert printed.out.strip() not in printed.err

    def test_writes_a_file_for_the_user_alone(self, tmp_path, capsys):
        """
        A key file is one that FileKeys reads, and the key is not printed.
        """
        path = tmp_path / "keys"

        assert 0 == main(["keygen", "--out", str(path)])
        printed = capsys.readouterr()
        key = FileKeys(path).keyset("default").primary
        assert ("", True) == (printed.out, f"--keys {path}" in printed.err)
        assert key.id in printed.err

    def test_never_overwrites(self, tmp_path, capsys):
        """
        A file that exists is left alone.
        """
        path = tmp_path / "keys"
        path.write_text("mine")

        assert 1 == main(["keygen", "--out", str(path)])
        assert "keys are never overwritten" in capsys.readouterr().err

    def test_refuses_a_bad_id(self, capsys):
        """
        An id that breaks its rule is a failure in a sentence.
        """
        assert 1 == main(["keygen", "--id", "Not An Id"])
        assert capsys.readouterr().err.startswith("privkit: the id of a key is")


class TestPolicies:
    def test_explain_prints_a_table(self, policy, capsys):
        """
        Each field stands with what is done to it.
        """
        assert 0 == main(["explain", policy])
        assert "suppression" in capsys.readouterr().out

    def test_explain_refuses_a_mistake(self, tmp_path, capsys):
        """
        A policy with mistakes is 2, and all of them are told.
        """
        path = tmp_path / "policy.toml"
        path.write_text('name = "p"\nversion = 1\n[fields]\na = "tokn"\nb = "kep"\n')

        assert 2 == main(["explain", str(path)])
        assert "2 mistakes" in capsys.readouterr().err

    def test_diff_is_like_diff(self, policy, tmp_path, capsys):
        """
        The same policy is 0 and silent, another one 1 with its changes, a missing one 2.
        """
        other = tmp_path / "other.toml"
        other.write_text(POLICY.replace("redact", "keep"))

        assert 0 == main(["diff", policy, policy])
        assert "" == capsys.readouterr().out
        assert 1 == main(["diff", policy, str(other)])
        assert "redact -> keep" in capsys.readouterr().out
        assert 2 == main(["diff", policy, str(tmp_path / "missing.toml")])

    def test_schema_is_json(self, capsys):
        """
        The schema can be piped into a file.
        """
        assert 0 == main(["schema"])
        assert "object" == json.loads(capsys.readouterr().out)["type"]


class TestStreams:
    def test_a_terminal_of_few_letters_is_no_failure(self, tmp_path, monkeypatch):
        """
        A name that the terminal cannot show is escaped.
        """
        path = tmp_path / "policy.toml"
        path.write_text(POLICY.replace("name =", '"名" =').replace('"名" = "p"', 'name = "p"'))
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", out)

        assert 0 == main(["explain", str(path)])
        assert b"\\u540d" in out.buffer.getvalue()

    def test_output_may_go_anywhere(self, policy, monkeypatch):
        """
        Standard output need not be a file.
        """
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)

        assert 0 == main(["explain", policy])
        assert out.getvalue()


def test_is_run_as_a_module(monkeypatch, capsys):
    """
    ``python -m privkit`` is the command.
    """
    monkeypatch.setattr(sys, "argv", ["privkit", "schema"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("privkit", run_name="__main__")

    assert 0 == caught.value.code
    assert capsys.readouterr().out


def test_is_not_run_by_an_import(capsys):
    """
    Importing the module runs nothing.
    """
    runpy.run_module("privkit.__main__", run_name="imported")

    assert "" == capsys.readouterr().out
