"""
The demonstration: one command, and a table that may be shared.
"""

import csv
import os
import shlex
import stat
import sys
from datetime import date

import pytest

from privkit.cli.demo import ROWS
from privkit.cli.main import main
from privkit.cli.people import COLUMNS, people
from privkit.keys import FileKeys


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """
    An empty folder, in which the test runs.
    """
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class TestDemo:
    def test_writes_both_tables_a_policy_and_a_key(self, folder):
        """
        After it, everything one needs to try further is in one folder.
        """
        assert 0 == main(["demo"])
        made = {path.name for path in (folder / "demo-output").iterdir()}
        assert {
            ".privkit-demo",
            "access.toml",
            "demo.key",
            "people.csv",
            "policy.toml",
            "pseudonymized.csv",
            "pseudonymized.csv.manifest.json",
        } == made
        assert ROWS == len(read(folder / "demo-output" / "pseudonymized.csv"))

    def test_shows_no_one_in_the_table_to_share(self, folder):
        """
        Names and addresses are gone, and people still come back more than once.
        """
        main(["demo"])
        before = read(folder / "demo-output" / "people.csv")
        after = (folder / "demo-output" / "pseudonymized.csv").read_text()

        assert not [row["email"] for row in before if row["email"] in after]
        assert not [row["name"] for row in before if row["name"] in after]
        assert len({row["mrn"] for row in before}) == len(
            {row["mrn"] for row in read(folder / "demo-output" / "pseudonymized.csv")}
        )

    def test_prints_before_and_after_in_columns(self, capsys, folder):
        """
        Five people stand side by side with what became of them, then the policy in words.
        """
        main(["demo"])
        printed = capsys.readouterr().out.splitlines()
        before = read(folder / "demo-output" / "people.csv")[:5]
        after = read(folder / "demo-output" / "pseudonymized.csv")[:5]
        start = next(line for line in printed if line.startswith("field "))
        columns = [start.index("before"), start.index("after")]
        shown = [line for line in printed if line.startswith("email ")][:5]

        assert [row["email"] for row in before] == (
            [line[columns[0] : columns[1]].strip() for line in shown]
        )
        assert [row["email"] for row in after] == [line[columns[1] :] for line in shown]
        assert any(line.startswith("policy people, version 1") for line in printed)

    def test_is_safe_to_run_twice(self, folder):
        """
        The second run goes over the first, with its key.
        """
        ids = []
        for _ in range(2):
            assert 0 == main(["demo", "d"])
            key = FileKeys(folder / "d" / "demo.key").keyset("default").primary
            ids.append(key.tag)
            mode = (folder / "d" / "demo.key").stat().st_mode
            assert 0o600 == stat.S_IMODE(mode)

        assert ids[0] == ids[1]

    def test_leaves_the_files_of_others_alone(self, folder, capsys):
        """
        A folder with anything in it, or a file in its place, is refused.
        """
        (folder / "mine").mkdir()
        (folder / "mine" / "policy.toml").write_text("mine")
        (folder / "file").write_text("mine")

        assert 1 == main(["demo", "mine"])
        assert 1 == main(["demo", "file"])
        assert 2 == capsys.readouterr().err.count("is not a demo's folder")
        assert "mine" == (folder / "mine" / "policy.toml").read_text()

    def test_keeps_what_somebody_changed(self, folder):
        """
        A second run keeps the policy, the access rules and the key.
        """
        main(["demo"])
        policy, key = folder / "demo-output" / "policy.toml", folder / "demo-output" / "demo.key"
        changed = policy.read_text().replace('ward = "keep"', 'ward = "redact"')
        policy.write_text(changed)
        before = key.read_text()

        assert 0 == main(["demo"])
        assert changed == policy.read_text()
        assert before == key.read_text()
        assert {""} == {row["ward"] for row in read(folder / "demo-output" / "pseudonymized.csv")}

    @pytest.mark.parametrize("found", ["/usr/bin/privkit", None])
    def test_says_what_to_try_next(self, capsys, folder, found, monkeypatch):
        """
        The commands that it prints run as they stand, whether `privkit` is on the path or not.
        """
        monkeypatch.setattr("shutil.which", lambda _name: found)
        main(["demo", "a folder"])
        text = capsys.readouterr().out.replace("\\\n", " ")
        start = ["privkit"] if found else [os.path.relpath(sys.executable), "-m", "privkit"]
        lines = [line.strip() for line in text.splitlines()]
        commands = [
            shlex.split(line)[len(start) :]
            for line in lines
            if line.startswith(f"{shlex.join(start)} ")
        ]

        assert [["reidentify"], ["apply"]] == [command[:1] for command in commands]
        assert [0, 0] == [main(command) for command in commands]
        before = [row["mrn"] for row in read(folder / "a folder" / "people.csv")]
        assert before == [row["mrn"] for row in read(folder / "a folder" / "reidentified.csv")]


class TestPeople:
    def test_are_the_same_for_everybody(self):
        """
        The table does not depend on when it is made.
        """
        assert list(people(50)) == list(people(50))

    def test_do_not_exist(self):
        """
        Addresses end in a domain for examples, and numbers are kept for fiction.
        """
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in people(ROWS)]

        assert {"mail.example"} == {row["email"].partition("@")[2] for row in rows}
        assert {"555 01"} == {row["phone"][7:13] for row in rows}

    def test_come_back(self):
        """
        A number is one person, with one name and day of birth, and some visit more than once.
        """
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in people(ROWS)]
        persons = {(row["mrn"], row["name"], row["born"], row["email"]) for row in rows}

        assert len({row["mrn"] for row in rows}) == len(persons) < ROWS
        assert all(date.fromisoformat(row["visit"]).year == 2025 for row in rows)
