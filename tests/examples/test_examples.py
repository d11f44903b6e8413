"""
The examples run on the tables they are for.
"""

import csv
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from privkit.cli.main import main
from privkit.keys import Key
from privkit.policy.model import Policy
from tests.canaries import KEY_BYTES
from tests.needs import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
NAMES = [path.parent.name for path in sorted(EXAMPLES.glob("*/policy.toml"))]
ROWS = {"febrl": 5000, "chicago_childcare": 3337, "apache_log": 5000, "synthea_patients": 307}
DIRECT = {
    "febrl": ["rec_id", "given_name", "surname", "address_1", "address_2", "date_of_birth"],
    "chicago_childcare": [
        *("Site name", "Address", "Fax", "IDHS Provider ID", "Executive Director"),
        *("Eearly Head Start Fund", "NAEYC Valid Until", "Purple binder service type"),
    ],
    "apache_log": ["host", "query", "referrer", "agent"],
}
"""
Columns to search for in the bytes of the target. Numbers of seven digits are not among them: of
5,000 pseudonyms out of ten million, a few are somebody else's number by chance.
"""
TOO_COMMON = 7
"""Characters below which a value turns up by chance, or as a part of something else."""


def source_of(name, data, folder):
    """
    Return the table that an example is for, and the options that read it.
    """
    if name == "febrl":
        return data / "febrl" / "dataset4a.csv", ["--skip-initial-space"]
    if name == "chicago_childcare":
        return data / "chicago_childcare" / "csv_example_messy_input.csv", []
    if name == "synthea_patients":
        return data / "synthea_r4" / "patients.ndjson", []
    table = folder / "access.csv"
    script = EXAMPLES / "apache_log" / "apache_to_csv.py"
    log = data / "weblog" / "apache_access_first5000.log"
    done = subprocess.run(
        [sys.executable, str(script), str(log), str(table)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "" == done.stderr
    return table, []


def read(path, *, blanks=False):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, skipinitialspace=blanks))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.touch(0o600)
    path.write_text(Key("test", KEY_BYTES).to_text())
    return str(path)


@pytest.fixture(scope="module", params=NAMES)
def example(request, data, keys, tmp_path_factory):
    """
    An example that was run.
    """
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    source, options = source_of(name, data, folder)
    policy = EXAMPLES / name / "policy.toml"
    target = folder / f"out{source.suffix}"
    code = main(["apply", str(policy), str(source), str(target), "--keys", keys, *options])
    assert 0 == code
    return SimpleNamespace(
        name=name, source=source, target=target, policy=policy, blanks=bool(options)
    )


def test_each_example_is_tried():
    """
    No example is without its test, and each has its page.
    """
    assert set(ROWS) == set(NAMES)
    assert all((EXAMPLES / name / "README.md").exists() for name in NAMES)


def test_every_row_comes_out(example):
    """
    The target has as many records as the source.
    """
    manifest = json.loads(
        (example.target.parent / f"{example.target.name}.manifest.json").read_text()
    )
    rows = (
        len(example.target.read_text().splitlines())
        if example.name == "synthea_patients"
        else (len(read(example.target)))
    )

    assert ROWS[example.name] == rows == manifest["rows"]


def test_no_direct_identifier_comes_out(example):
    """
    What identifies a person directly is nowhere in the bytes of the target.
    """
    made = example.target.read_bytes()
    raw = sorted({value for value in direct(example) if len(value) >= TOO_COMMON})
    sample = raw[:: len(raw) // 1000 or 1]

    assert len(sample) > 100
    assert not [value for value in sample if value.encode() in made]


def patients(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def kept(example):
    """
    Return the columns that the policy keeps.
    """
    rules = Policy.load(example.policy).fields
    return {path for path, rule in rules.items() if rule.name == "keep"}


def direct(example):
    """
    Yield the values that identify somebody directly.
    """
    if example.name != "synthea_patients":
        rows = read(example.source, blanks=example.blanks)
        columns = kept(example)
        clear = {text for row in rows for path in columns for text in row[path].split()}
        for row in rows:
            values = (row[column].strip() for column in DIRECT[example.name])
            # Some sites are called like the neighborhood that they are in.
            yield from (value for value in values if not clear.issuperset(value.split()))
        return
    for line in example.source.read_text(encoding="utf-8").splitlines():
        patient = json.loads(line)
        yield patient["id"]
        yield patient["birthDate"]
        yield from (item["value"] for item in patient["identifier"])
        yield from (item["value"] for item in patient["telecom"])
        yield from (line for item in patient["address"] for line in item["line"])
        yield from (item["family"] for item in patient["name"])
        yield from (item["valueString"] for item in patient["extension"] if "valueString" in item)


def test_no_protected_cell_stays_as_it_is(example):
    """
    Column by column, a cell that is protected differs from what it was.
    """
    if example.name == "synthea_patients":
        for before, after in zip(patients(example.source), patients(example.target), strict=True):
            assert before["id"] != after["id"]
            assert before["birthDate"] != after["birthDate"]
            for part in ("identifier", "telecom"):
                assert not [
                    one["value"]
                    for one, other in zip(before[part], after[part], strict=True)
                    if one["value"] == other["value"]
                ]
        return
    clear = kept(example)
    same = {
        (column, number)
        for number, (before, after) in enumerate(
            zip(read(example.source, blanks=example.blanks), read(example.target), strict=True)
        )
        for column in after
        if column not in clear and before[column] and before[column] == after[column]
    }

    assert set() == same


def test_what_reverses_comes_back(example, keys, tmp_path):
    """
    Reidentified, each reversible field is what it was.
    """
    (tmp_path / "access.toml").write_text('"dr.lee" = ["treatment"]\n')
    back = tmp_path / f"back{example.target.suffix}"
    arguments = ["reidentify", str(example.policy), str(example.target), str(back), "--keys", keys]
    arguments += ["--access", str(tmp_path / "access.toml"), "--audit", str(tmp_path / "audit")]
    assert 0 == main([*arguments, "--actor", "dr.lee", "--purpose", "treatment"])
    if example.name == "synthea_patients":
        before, after = (
            [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            for path in (example.source, back)
        )

        assert [patient["identifier"] for patient in before] == (
            [patient["identifier"] for patient in after]
        )
        assert [patient["telecom"] for patient in before] == [
            patient["telecom"] for patient in after
        ]
        return
    rules = Policy.load(example.policy).fields
    reversible = [path for path, rule in rules.items() if rule.reversible]
    before, after = read(example.source, blanks=example.blanks), read(back)

    assert reversible
    assert [[row[path] for path in reversible] for row in before] == (
        [[row[path] for path in reversible] for row in after]
    )


def test_numbers_that_are_kept_keep_their_digits(data, keys, tmp_path):
    """
    A kept fraction of a patient comes out with all its digits.
    """
    source = data / "synthea_r4" / "patients.ndjson"
    policy = EXAMPLES / "synthea_patients" / "policy.toml"
    target = tmp_path / "out.ndjson"
    main(["apply", str(policy), str(source), str(target), "--keys", keys])

    def decimals(path):
        return [
            item["valueDecimal"]
            for line in path.read_text(encoding="utf-8").splitlines()
            for item in json.loads(line, parse_float=str)["extension"]
            if "valueDecimal" in item
        ]

    assert 614 == len(decimals(source))
    assert decimals(source) == decimals(target)


def test_two_files_join_on_pseudonyms(data, keys, tmp_path):
    """
    Two files under one policy and key match in the same pairs as in clear.
    """
    policy = str(EXAMPLES / "febrl" / "policy.toml")
    columns = ["given_name", "surname", "soc_sec_id"]
    pairs = []
    tables = []
    for name in ("dataset4a", "dataset4b"):
        rows = read(data / "febrl" / f"{name}.csv", blanks=True)
        source, target = tmp_path / f"{name}.csv", tmp_path / f"{name}.out.csv"
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        assert 0 == main(["apply", policy, str(source), str(target), "--keys", keys])
        tables.append((read(source), read(target)))
    for clear_or_made in (0, 1):
        left, right = (table[clear_or_made] for table in tables)
        where = {}
        for number, row in enumerate(left):
            where.setdefault(tuple(row[column] for column in columns), []).append(number)
        pairs.append(
            {
                (one, other)
                for other, row in enumerate(right)
                for one in where.get(tuple(row[column] for column in columns), ())
            }
        )

    assert len(pairs[0]) > 1000
    assert pairs[0] == pairs[1]


def test_lines_in_another_format_are_counted(tmp_path):
    """
    The script for logs says how many lines it left out.
    """
    (tmp_path / "log").write_text("no log line\n")
    done = subprocess.run(
        [
            *(sys.executable, str(EXAMPLES / "apache_log" / "apache_to_csv.py")),
            *(str(tmp_path / "log"), str(tmp_path / "out.csv")),
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "1 lines in another format were left out\n" == done.stderr
