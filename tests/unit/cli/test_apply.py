"""
``privkit apply`` and ``privkit reidentify``: what they write, and every way to fail.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from privkit.cli import progress
from privkit.cli.files import _terminable
from privkit.cli.main import main
from privkit.frames import files
from privkit.keys import Key
from tests.canaries import DIGITS, EMAIL, KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.needs import need

# Measuring coverage writes files of its own.
UNMEASURED = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
POLICY = """\
name = "people"
version = 1

[fields]
mrn = { rule = "format_preserving", format = "digits" }
email = { rule = "token", normalize = "email" }
name = "redact"
ward = "keep"
"""
TABLE = f"mrn,email,name,ward\n{DIGITS},{EMAIL},{TEXT},a\n1234567,,,b\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """
    A folder with a policy, a table, a key and access rules, in which the test runs.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVKIT_KEYS", raising=False)
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "in.csv").write_text(TABLE)
    (tmp_path / "access.toml").write_text('"dr.lee" = ["treatment"]\n')
    for name, material in (("keys", KEY_BYTES), ("other-keys", OTHER_KEY_BYTES)):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(Key("test", material).to_text())
    return tmp_path


def apply(*options, policy="policy.toml", source="in.csv", target="out.csv", keys="keys"):
    return main(["apply", policy, source, target, *(["--keys", keys] if keys else []), *options])


def reidentify(*options, keys="keys", fixed=("--actor", "dr.lee", "--purpose", "treatment")):
    return main(
        [
            *("reidentify", "policy.toml", "out.csv", "back.csv", "--keys", keys),
            *("--access", "access.toml", "--audit", "audit.jsonl", *fixed, *options),
        ]
    )


def check_failed(code, capsys, folder, sentence):
    """
    Make sure that a run failed with one sentence and without a file.
    """
    printed = capsys.readouterr()

    assert 0 != code
    assert "" == printed.out
    assert printed.err.startswith("privkit: ")
    assert sentence in printed.err
    assert 1 == printed.err.count("\n")
    assert not list(folder.glob("out*"))
    assert not list(folder.glob(".privkit*"))


class TestApply:
    def test_writes_a_file_and_its_manifest(self, folder, capsys):
        """
        A line tells what was written, and both files are there.
        """
        assert 0 == apply()
        assert "out.csv: 2 rows; manifest out.csv.manifest.json\n" == capsys.readouterr().out
        assert TEXT not in (folder / "out.csv").read_text()
        assert (
            "people" == json.loads((folder / "out.csv.manifest.json").read_text())["policy"]["name"]
        )

    def test_reads_keys_from_the_environment(self, folder, monkeypatch):
        """
        Without a key file, the variable holds the keys, of the keyset that is named.
        """
        monkeypatch.setenv("PRIVKIT_KEYS_BILLING", Key("billing", KEY_BYTES).to_text())

        assert 0 == apply("--keyset", "billing", keys=None)
        manifest = json.loads((folder / "out.csv.manifest.json").read_text())
        assert ("billing", "billing") == (manifest["key"]["keyset"], manifest["key"]["id"])

    def test_needs_no_key_without_keyed_rules(self, folder):
        """
        A policy without keyed rules runs without a key.
        """
        (folder / "policy.toml").write_text('name="p"\nversion=1\n[fields]\n"*"="redact"\n')

        assert 0 == apply(keys=None)

    def test_rehearses(self, folder, capsys):
        """
        A dry run explains the policy, says what it would write, and writes nothing.
        """
        assert 0 == apply("--dry-run")
        printed = capsys.readouterr().out
        assert "format_preserving" in printed
        assert printed.endswith(
            "dry run: 2 rows pass; out.csv and out.csv.manifest.json are not written\n"
        )
        assert not list(folder.glob("out*"))

    def test_replaces_by_force_alone(self, folder, capsys):
        """
        What is there stays, unless it is to be replaced.
        """
        (folder / "out.csv").write_text("mine")

        assert 1 == apply()
        assert "out.csv exists already: --force" in capsys.readouterr().err
        assert "mine" == (folder / "out.csv").read_text()
        assert 0 == apply("--force")

    @pytest.mark.parametrize(
        ("options", "source"),
        [
            (["--delimiter", ";"], "in.csv"),
            (["--delimiter", r"\t"], "in.csv"),
            (["--encoding", "utf-16"], "in.csv"),
            (["--skip-initial-space"], "in.csv"),
            (["--format", "csv"], "in.dat"),
            ([], "in.tsv"),
            (["--encoding", "cp1252"], "in.tsv"),
        ],
    )
    def test_reads_what_is_declared(self, options, source, folder):
        """
        Delimiter, encoding and format are as declared, or as the suffix says.
        """
        given = dict(zip(options[::2], options[1::2], strict=False))
        delimiter = "\t" if source == "in.tsv" else given.get("--delimiter", ",")
        delimiter = {r"\t": "\t"}.get(delimiter, delimiter)
        if "--skip-initial-space" in options:
            delimiter += " "
        text = TABLE.replace(",", delimiter)
        (folder / source).write_bytes(text.encode(given.get("--encoding", "utf-8")))

        assert 0 == apply(*options, source=source, target=f"out{source[2:]}")
        manifest = json.loads((folder / f"out{source[2:]}.manifest.json").read_text())
        assert delimiter[0] == manifest["file"]["delimiter"]

    @pytest.mark.parametrize("options", [[], ["--format", "json-lines"]])
    def test_reads_json_lines(self, options, folder):
        """
        A suffix or an option says that a file is JSON lines.
        """
        source = "in.txt" if options else "in.jsonl"
        (folder / source).write_text('{"mrn": "1234567", "ward": {"a": [1.50]}}\n')

        assert 0 == apply(*options, source=source, target="out.jsonl")
        assert '"ward":{"a":[1.50]}' in (folder / "out.jsonl").read_text()

    def test_rows_carry_their_key(self, folder):
        """
        With --key-field each row has the id of the key that protected it, in a column of its own.
        """
        assert 0 == apply("--key-field", "key")

        rows = [line.split(",") for line in (folder / "out.csv").read_text().splitlines()]
        assert ["mrn", "email", "name", "ward", "key"] == rows[0]
        assert ["test", "test"] == [row[-1] for row in rows[1:]]


class TestUsage:
    @pytest.mark.parametrize(
        ("options", "source", "sentence"),
        [
            (["--delimiter", "ab"], "in.csv", "a delimiter is one character"),
            (["--encoding", "klingon"], "in.csv", "not a text encoding"),
            (["--delimiter", ";"], "in.jsonl", "--delimiter: for CSV files alone"),
            (["--skip-initial-space"], "in.jsonl", "--skip-initial-space: for CSV files alone"),
            (["--format", "xml"], "in.csv", "invalid choice"),
        ],
    )
    def test_a_wrong_option_is_2(self, options, source, sentence, folder, capsys):
        """
        An option that cannot be is told before anything is read.
        """
        with pytest.raises(SystemExit) as caught:
            apply(*options, source=source)

        check_failed(caught.value.code, capsys, folder, sentence)
        assert 2 == caught.value.code

    @pytest.mark.parametrize(
        ("target", "options"),
        [("policy.toml", []), ("keys", []), ("./keys", []), ("access.toml", ["reidentify"])],
    )
    def test_a_file_in_use_is_spared(self, target, options, folder, capsys):
        """
        Not even by force is a policy, a key or a rule of access overwritten.
        """
        before = (folder / target).read_bytes()
        with pytest.raises(SystemExit) as caught:
            if options:
                main(
                    [
                        *("reidentify", "policy.toml", "out.csv", target, "--keys", "keys"),
                        *("--access", "access.toml", "--audit", "a", "--actor", "a"),
                        *("--purpose", "p", "--force"),
                    ]
                )
            apply("--force", target=target)

        check_failed(caught.value.code, capsys, folder, " are one file: give each its own name")
        assert 2 == caught.value.code
        assert before == (folder / target).read_bytes()

    @pytest.mark.parametrize(
        ("audit", "other"),
        [
            ("back.csv", "OUT"),
            ("BACK.csv", "OUT"),
            ("./x/../back.csv", "OUT"),
            ("link", "OUT"),
            ("back.csv.manifest.json", "the manifest of OUT"),
            ("out.csv", "IN"),
            ("out.csv.manifest.json", "the manifest of IN (--manifest)"),
            ("policy.toml", "the policy"),
            ("keys", "the key file (--keys)"),
            ("hard-link", "the key file (--keys)"),
            ("access.toml", "the access file (--access)"),
        ],
    )
    def test_an_audit_file_is_nothing_else(self, audit, other, folder, capsys):
        """
        The trail has a name of its own, also where the files are not there yet.
        """
        assert 0 == apply()
        (folder / "x").mkdir()
        (folder / "link").symlink_to("back.csv")
        os.link(folder / "keys", folder / "hard-link")
        before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(
                [
                    *("reidentify", "policy.toml", "out.csv", "back.csv", "--keys", "keys"),
                    *("--access", "access.toml", "--audit", audit, "--actor", "dr.lee"),
                    *("--purpose", "treatment", "--force"),
                ]
            )

        assert 2 == caught.value.code
        assert f"the audit file (--audit) and {other} are one file" in capsys.readouterr().err
        assert before == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def test_a_manifest_is_nothing_else(self, folder, capsys):
        """
        What stands beside OUT is not the policy.
        """
        (folder / "policy.toml").rename(folder / "out.csv.manifest.json")
        with pytest.raises(SystemExit) as caught:
            apply("--force", policy="out.csv.manifest.json")

        assert 2 == caught.value.code
        assert "the manifest of OUT and the policy are one file" in capsys.readouterr().err

    @pytest.mark.parametrize("place", ["policy", "source", "target", "keys"])
    @pytest.mark.parametrize("text", [Key("test", KEY_BYTES).to_text(), KEY_BYTES.hex()])
    def test_a_key_for_a_path_is_not_repeated(self, place, text, folder, capsys):
        """
        A key that is pasted where a path belongs is neither shown nor made a file of.
        """
        before = set(folder.iterdir())
        with pytest.raises(SystemExit) as caught:
            apply(**{place: text})
        printed = capsys.readouterr()

        assert 2 == caught.value.code
        assert "an argument looks like a key" in printed.err
        assert KEY_BYTES.hex() not in printed.out + printed.err
        assert before == set(folder.iterdir())


class TestFailures:
    def test_a_policy_mistake(self, folder, capsys):
        """
        A policy that does not cover a column is 2, and no file is made.
        """
        (folder / "policy.toml").write_text(POLICY.replace("ward", "wards"))
        code = apply()

        assert 2 == code
        check_failed(code, capsys, folder, "no rule for ['ward']")

    def test_a_policy_that_cannot_be_read(self, folder, capsys):
        """
        A policy file that is not there is 2.
        """
        code = apply(policy="missing.toml")

        assert 2 == code
        check_failed(code, capsys, folder, "missing.toml")

    def test_a_missing_key(self, folder, capsys):
        """
        Without a key, the sentence says how to make one.
        """
        check_failed(apply(keys=None), capsys, folder, "run 'privkit keygen'")

    def test_a_key_with_a_wrong_letter(self, folder, capsys):
        """
        A key that was mistyped is noticed before anything is written.
        """
        text = Key("test", KEY_BYTES).to_text()
        (folder / "keys").write_text(text[:-1] + ("0" if text[-1] != "0" else "1"))

        check_failed(apply(), capsys, folder, "the checksum of the key does not match")

    def test_a_bad_value(self, folder, capsys):
        """
        The row and the field are named, and nothing else.
        """
        (folder / "in.csv").write_text(f"{TABLE}{TEXT},{EMAIL},,\n")
        code = apply()

        assert 1 == code
        check_failed(code, capsys, folder, "row 3, field 'mrn': ")

    def test_bad_bytes(self, folder, capsys):
        """
        Bytes that are no text are told by their row.
        """
        (folder / "in.csv").write_bytes(f"{TABLE}{TEXT}".encode() + b"\xff\n")

        check_failed(apply(), capsys, folder, "row 3: the input is not text in utf-8")

    def test_a_short_row(self, folder, capsys):
        """
        A row of too few cells is told by its number.
        """
        (folder / "in.csv").write_text(f"{TABLE}{TEXT}\n")

        check_failed(apply(), capsys, folder, "row 3: the header has 4 columns, got 1 cells")

    def test_an_unreadable_input(self, folder, capsys):
        """
        An input that is not there is told by its name.
        """
        check_failed(
            apply(source="missing.csv"), capsys, folder, "missing.csv cannot be read: no such"
        )

    def test_an_input_that_is_the_output(self, folder, capsys):
        """
        A file is never written over itself.
        """
        with pytest.raises(SystemExit):
            apply("--force", target="in.csv")

        assert "OUT and IN are one file" in capsys.readouterr().err
        assert TABLE == (folder / "in.csv").read_text()

    def test_a_missing_extra(self, folder, capsys, monkeypatch):
        """
        A bar without its library names the command that installs it.
        """
        monkeypatch.setitem(sys.modules, "rich", None)

        check_failed(apply("--progress"), capsys, folder, "pip install 'privkit-sdk[progress]'")

    def test_a_full_disk_by_limit(self, folder):
        """
        A file that may not grow further leaves nothing behind.
        """
        with (folder / "in.csv").open("a") as file:
            file.writelines(f"{1234567 + n},,,{'x' * 100}\n" for n in range(2000))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "privkit", "apply", "policy.toml", "in.csv", "out.csv"),
                *("--keys", "keys"),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=UNMEASURED,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
        )

        assert (1, "") == (done.returncode, done.stdout)
        assert "privkit: out.csv cannot be written: file too large\n" == done.stderr
        assert not list(folder.glob("out*"))
        assert not list(folder.glob(".privkit*"))

    def test_a_full_disk(self, folder, capsys):
        """
        A disk without room leaves nothing behind.
        """
        disk = folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip("no right to mount a small disk; the limit of file sizes stands in for it")
        try:
            with (folder / "in.csv").open("a") as file:
                file.writelines(f"{1234567 + n},,,{'x' * 100}\n" for n in range(2000))
            code = apply(target="disk/out.csv")

            check_failed(code, capsys, folder, "cannot be written: no space left on device")
            assert [] == list(disk.iterdir())
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    def test_a_request_to_end_is_an_exit_like_any_other(self):
        """
        While files are written, SIGTERM ends the command by an exit, so that it cleans up.
        """
        before = signal.getsignal(signal.SIGTERM)
        with _terminable():
            stop = signal.getsignal(signal.SIGTERM)
            with pytest.raises(SystemExit) as caught:
                stop(signal.SIGTERM, None)

        assert 143 == caught.value.code
        assert before == signal.getsignal(signal.SIGTERM)

    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
    )
    def test_a_signal(self, number, code, folder):
        """
        A run that is asked to end leaves no file, no temporary file and no traceback.
        """
        os.mkfifo(folder / "in.fifo")
        command = [sys.executable, "-m", "privkit", "apply", "policy.toml", "in.fifo", "out.csv"]
        # A signal that interrupts the measuring of coverage can leave it locked.
        running = subprocess.Popen(
            [*command, "--keys", "keys", "--format", "csv"],
            stderr=subprocess.PIPE,
            text=True,
            env=UNMEASURED,
        )
        with (folder / "in.fifo").open("w") as file:
            file.write(TABLE)
            file.flush()
            deadline = time.monotonic() + 20
            while not list(folder.glob(".privkit*")) and time.monotonic() < deadline:
                time.sleep(0.01)
            running.send_signal(number)
            printed = running.communicate(timeout=20)[1]

        assert code == running.returncode
        assert "Traceback" not in printed
        assert not list(folder.glob("out*"))
        assert not list(folder.glob(".privkit*"))


class TestReidentify:
    @pytest.fixture(autouse=True)
    def made(self, folder, capsys):
        apply()
        capsys.readouterr()
        return folder / "out.csv"

    @pytest.mark.prints_canaries
    def test_puts_back_what_reverses(self, folder, capsys):
        """
        Reversible fields come back, and the request is in the trail.
        """
        assert 0 == reidentify()
        assert "back.csv: 2 rows, reidentified; the request is in audit.jsonl\n" == (
            capsys.readouterr().out
        )
        assert DIGITS in (folder / "back.csv").read_text()
        event = json.loads((folder / "audit.jsonl").read_text())
        assert ("dr.lee", "granted", ["mrn"]) == (event["actor"], event["outcome"], event["fields"])

    def test_of_one_field(self, folder):
        """
        Fields are named with commas between.
        """
        assert 0 == reidentify("--fields", "mrn")
        assert DIGITS in (folder / "back.csv").read_text()

    def test_of_a_field_that_does_not_reverse(self, folder, capsys):
        """
        A field that is one-way is 2.
        """
        assert 2 == reidentify("--fields", "mrn,email")
        assert "field 'email' cannot be revealed" in capsys.readouterr().err
        assert not (folder / "back.csv").exists()

    def test_with_the_wrong_key(self, folder, capsys):
        """
        A wrong key is noticed before anything is revealed or asked.
        """
        assert 1 == reidentify(keys="other-keys")
        assert "privkit: the wrong key: key test has the tag" in capsys.readouterr().err
        assert not (folder / "back.csv").exists()
        assert not (folder / "audit.jsonl").exists()

    def test_with_another_policy(self, folder, capsys):
        """
        A policy that was changed since is 2.
        """
        (folder / "policy.toml").write_text(POLICY.replace("version = 1", "version = 2"))

        assert 2 == reidentify()
        assert "the manifest is of policy 'people' version 1" in capsys.readouterr().err

    def test_of_a_file_that_was_cut(self, made, folder, capsys):
        """
        A file with other rows than the manifest says is not the file that was made.
        """
        made.write_text("".join(made.read_text().splitlines(keepends=True)[:-1]))

        assert 1 == reidentify()
        assert "the input has 1 rows and its manifest says 2: it was cut" in capsys.readouterr().err
        assert not (folder / "back.csv").exists()

    def test_by_who_may_not(self, folder, capsys):
        """
        A denied request leaves a line in the trail, and no file.
        """
        assert 1 == reidentify(fixed=("--actor", "dr.no", "--purpose", "treatment"))
        assert "the access rules refuse" in capsys.readouterr().err
        assert "denied" == json.loads((folder / "audit.jsonl").read_text())["outcome"]
        assert not (folder / "back.csv").exists()

    def test_with_a_manifest_elsewhere(self, folder):
        """
        A manifest may have been moved.
        """
        (folder / "out.csv.manifest.json").rename(folder / "m.json")

        assert 1 == reidentify()
        assert 0 == reidentify("--manifest", "m.json")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (
                b'"a" = []\n"dr.lee" = [',
                "access.toml cannot be read: the text is not TOML at line 2",
            ),
            (b"a = " + b"[" * 5000, "access.toml cannot be read: the text is not TOML"),
            (b'"dr.lee" = ["\xff"]', "the access file access.toml is not UTF-8"),
            (b"#" * 300_000, "the access file access.toml has more than 262,144 bytes"),
            (None, "the access file access.toml cannot be read: no such file"),
            (b'"dr.lee" = "treatment"', 'got text for actor 1, as in "dr.lee" = ["treatment"]'),
            (b'a = []\ndr.lee = ["treatment"]', "a table for actor 2: a name with a point stands"),
            (b'[dr]\nlee = ["treatment"]', "a table for actor 1: a name with a point stands"),
            (b'"dr.lee" = [["treatment"]]', "purposes as text in quotes, got a list of 1 for"),
            (b'"dr.lee" = ["treatment", 7]', "purposes as text in quotes, got a whole number for"),
        ],
    )
    def test_with_bad_access_rules(self, content, sentence, folder, capsys):
        """
        Rules that cannot be read grant nothing.
        """
        (folder / "access.toml").unlink()
        if content is not None:
            (folder / "access.toml").write_bytes(content)

        assert 2 == reidentify()
        assert sentence in capsys.readouterr().err
        assert not (folder / "back.csv").exists()


class TestProgress:
    @pytest.fixture(autouse=True)
    def often(self, monkeypatch):
        monkeypatch.setattr(files, "REPORT_EVERY", 1)

    def test_is_a_bar_on_demand(self, capsys):
        """
        The bar is on standard error, and counts rows.
        """
        need_rich()

        assert 0 == apply("--progress")
        assert "2 rows" in capsys.readouterr().err

    def test_is_a_line_where_somebody_watches(self, monkeypatch, capsys):
        """
        A terminal gets a line with the speed.
        """
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

        assert 0 == apply()
        printed = capsys.readouterr().err
        assert "\r1 rows, " in printed
        assert printed.endswith(" rows/s\n")

    def test_is_nothing_elsewhere(self, capsys):
        """
        A log file gets no progress.
        """
        assert 0 == apply()
        assert "" == capsys.readouterr().err

    def test_of_an_unknown_length_has_no_end(self, capsys):
        """
        A bar is shown where nobody knows how far it goes.
        """
        need_rich()
        with progress.reporting(bar=True) as report:
            report(1, None)

        assert "1 rows" in capsys.readouterr().err


def need_rich():
    """
    Skip without rich, which is an extra.
    """
    try:
        import rich.progress
    except ImportError:
        rich = None
    need(rich, "rich is not installed")


class TestMemory:
    @pytest.mark.parametrize("rows", [50_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
    def test_does_not_grow_with_the_file(self, rows, folder):
        """
        Twenty times the rows need no more than 8 MiB more.
        """
        # Not getrusage, which counts the memory of the program that started this one too.
        need(Path("/proc/self/status").exists(), "the peak of a process is read from /proc")
        code = """
import re, sys
from privkit.cli.main import main
code = main(["apply", "policy.toml", sys.argv[1], sys.argv[1] + ".out.csv"])
status = open("/proc/self/status").read()
print(re.search("VmHWM:[^0-9]+([0-9]+)", status)[1], file=sys.stderr)
sys.exit(code)
"""
        (folder / "policy.toml").write_text(
            'name = "p"\nversion = 1\n[fields]\na = { rule = "truncate", keep = 3 }\nb = "keep"\n'
        )
        peaks = []
        for size in (rows // 20, rows):
            source = folder / f"{size}.csv"
            with source.open("w") as file:
                file.write("a,b\n")
                file.writelines(f"{n:020},{n:020}\n" for n in range(size))
            done = subprocess.run(
                [sys.executable, "-c", code, str(source)],
                capture_output=True,
                text=True,
                check=True,
            )
            peaks.append(int(done.stderr))

        assert peaks[1] - peaks[0] < 8 * 1024
