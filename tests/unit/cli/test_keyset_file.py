import getpass
import json
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from privkit import Policy, Token
from privkit.cli.main import main
from privkit.keys import Key, Keyset
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import Passphrase
from privkit.policy.manifest import Manifest
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES

PASSPHRASE = "quiet lantern over the harbour"
OLD, FRESH = Key("k1", KEY_BYTES), Key("k2", OTHER_KEY_BYTES)


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Where a keyset file goes, and the passphrase in its variable."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PRIVKIT_PASSPHRASE", PASSPHRASE)
    return str(tmp_path / "clinic.pk")


@pytest.fixture
def file(path):
    """A keyset file of a primary and an older key, cheap to open."""
    made = KeysetFile(path, Passphrase("PRIVKIT_PASSPHRASE", cost=2**14))
    made.create(reason="first keys", adopt=Keyset(FRESH, [OLD]))
    return made


def run(*arguments):
    """Run a command."""
    return main(["keys", *arguments])


class TestChanges:
    def test_makes_a_file(self, path, capsys):
        """Create makes a file with one key, active and primary, and says what to do with it."""
        assert 0 == run("create", path, "--reason", "first keys", "--days", "none")

        printed = capsys.readouterr()
        made = KeysetFile(path, Passphrase("PRIVKIT_PASSPHRASE")).status()
        assert f"{path}: key {made.primary_id} of keyset default is active" in printed.out
        assert "back the file up" in printed.err
        assert made.keys[0].until is None

    def test_takes_keys_over(self, path, tmp_path, capsys):
        """Create adopts the keys of a key file: the primary, and those that resolve."""
        plain = tmp_path / "plain"
        plain.write_text(f"{FRESH.to_text()}\n{OLD.to_text()}\n")
        plain.chmod(0o600)
        code = run("create", path, "--reason", "moved", "--adopt", str(plain), "--days", "90")

        keyset = KeysetFile(path, Passphrase("PRIVKIT_PASSPHRASE")).keyset("default")
        assert 0 == code
        assert Keyset(FRESH, [OLD]) == keyset
        assert "key k2 of keyset default is active" in capsys.readouterr().out

    def test_stages_and_promotes(self, file, path, capsys):
        """A staged key resolves beside the primary, and protects once it is promoted."""
        assert 0 == run("stage", path, "--reason", "yearly", "--days", "30")
        staged = file.status().keys[-1]
        assert FRESH == file.keyset("default").primary
        assert 0 == run("promote", path, staged.key_id, "--reason", "yearly")

        assert staged.key_id == file.keyset("default").primary.id
        assert timedelta(days=30) == staged.until - staged.since
        assert "promote it once every process" in capsys.readouterr().err

    def test_destroys_after_a_dry_run(self, file, path, capsys):
        """A dry run refuses and changes nothing; destroy then erases the key and keeps its id."""
        assert 0 == run("destroy", path, "k1", "--reason", "re-keyed", "--dry-run")
        assert ("k2", "k1") == file.keyset("default").ids
        assert 0 == run("destroy", path, "k1", "--reason", "re-keyed")

        printed = capsys.readouterr().out
        assert "dry run: key k1 can be destroyed" in printed
        assert "key k1 of keyset default is destroyed" in printed
        assert ("k1",) == file.keyset("default").destroyed

    def test_records_what_needs_a_key(self, file, path, tmp_path, capsys):
        """A key that a recorded dataset needs is not destroyed before that is forgotten."""
        policy = Policy("patients", version=1, fields={"email": Token()})
        manifest = Manifest.of(policy, keyset="default", key=OLD, rows=1, format="csv", options={})
        companion = tmp_path / "manifest.json"
        companion.write_text(manifest.to_json())
        assert 0 == run("record", path, "patients.csv", "--manifest", str(companion))
        assert 0 == run("record", path, "visits", "--key", "k2")
        assert 1 == run("destroy", path, "k1", "--reason", "old", "--dry-run")
        assert "needed by 1 recorded datasets, among them patients.csv" in capsys.readouterr().err
        assert 0 == run("forget", path, "patients.csv")

        assert {"visits": ("k2",)} == file.status().datasets

    def test_a_manifest_without_a_key_needs_none(self, file, path, tmp_path, capsys):
        """A dataset made without a key is not recorded."""
        policy = Policy("p", version=1, fields={"a": Token()})
        made = Manifest.of(policy, keyset="default", key=None, rows=1, format="csv", options={})
        companion = tmp_path / "manifest.json"
        companion.write_text(made.to_json())

        assert 1 == run("record", path, "rows", "--manifest", str(companion))
        assert "names no key, so none is needed" in capsys.readouterr().err

    def test_writes_changes_to_an_audit_file(self, file, path, tmp_path):
        """With --audit a change is written down with its reason, and a refused one is not."""
        trail = tmp_path / "audit.jsonl"
        assert 0 == run("suspend", path, "k2", "--reason", "lost laptop", "--audit", str(trail))
        assert 1 == run("retire", path, "k2", "--reason", "primary", "--audit", str(trail))

        lines = [json.loads(line) for line in trail.read_text().splitlines()]
        assert [("suspend", "k2", "lost laptop")] == [
            (line["act"], line["key_id"], line["reason"]) for line in lines
        ]


class TestList:
    def test_shows_keys_and_datasets(self, file, path, capsys):
        """The list tells states, periods, the primary and what is recorded, and no key."""
        file.record("visits", ["k1", "k2"])
        assert 0 == run("list", path, "--history")

        printed = capsys.readouterr().out
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        assert "keyset default" in printed
        assert f"k1   deactivated  {today}" in printed
        assert "primary" in printed
        assert "dataset visits needs k1, k2" in printed
        assert "k2  promote: first keys" in printed

    def test_shows_one_keyset(self, file, path, capsys):
        """With --keyset one keyset is shown, and a key without a period has no end."""
        file.create(
            reason="other", keyset="billing", adopt=Keyset(Key("b1", THIRD_KEY_BYTES)), period=None
        )
        assert 0 == run("list", path, "--keyset", "billing")

        printed = capsys.readouterr().out
        assert "keyset billing" in printed
        assert "keyset default" not in printed
        assert "no end" in printed


class TestPassphrase:
    def test_comes_from_a_file(self, file, path, tmp_path, capsys):
        """The first line of a private file can be the passphrase."""
        held = tmp_path / "passphrase"
        held.write_text(f"{PASSPHRASE}\n")
        held.chmod(0o600)

        assert 0 == run("list", path, "--passphrase-file", str(held))
        assert "k2" in capsys.readouterr().out

    def test_comes_from_a_named_variable(self, file, path, monkeypatch, capsys):
        """Another variable can hold it, and one that is not set is named."""
        assert 1 == run("list", path, "--passphrase-env", "CLINIC_PASSPHRASE")
        monkeypatch.setenv("CLINIC_PASSPHRASE", PASSPHRASE)
        assert 0 == run("list", path, "--passphrase-env", "CLINIC_PASSPHRASE")

        assert "set the environment variable CLINIC_PASSPHRASE" in capsys.readouterr().err

    def test_is_asked_for_on_a_terminal(self, file, path, monkeypatch, capsys):
        """Without a variable, a person at a terminal is asked, once a command."""
        monkeypatch.delenv("PRIVKIT_PASSPHRASE")
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        questions = []
        monkeypatch.setattr(
            getpass, "getpass", lambda question: questions.append(question) or PASSPHRASE
        )

        assert 0 == run("compromise", path, "k1", "--reason", "lost laptop")
        assert ["passphrase: "] == questions
        assert "k1 of keyset default is compromised" in capsys.readouterr().out

    def test_is_asked_for_twice_where_a_file_is_made(self, path, monkeypatch, capsys):
        """Two passphrases that differ make no file."""
        monkeypatch.delenv("PRIVKIT_PASSPHRASE")
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        answers = iter([PASSPHRASE, "another passphrase"])
        monkeypatch.setattr(getpass, "getpass", lambda _question: next(answers))

        assert 1 == run("create", path, "--reason", "first")
        assert not os.path.lexists(path)
        assert "the two passphrases differ" in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "forever", "99999"])
def test_days_are_a_number(days, path, capsys):
    """A period is a number of days within a century, or none."""
    with pytest.raises(SystemExit) as stopped:
        run("stage", path, "--reason", "yearly", "--days", days)

    assert 2 == stopped.value.code
    assert "days are a number from 1 to 36524, or 'none'" in capsys.readouterr().err
