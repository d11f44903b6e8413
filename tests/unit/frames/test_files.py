"""
A file in, a file out, and nothing where a run fails.
"""

import csv
import dataclasses
import json
import os
import traceback
from pathlib import Path

import pytest

from privkit.audit import MemoryAudit
from privkit.authority import AllowList
from privkit.errors import (
    AccessDeniedError,
    DatasetError,
    DomainError,
    IrreversibleError,
    KeyMaterialError,
    KeyNotFoundError,
    PolicyError,
    PrivkitError,
    UnruledFieldError,
)
from privkit.frames import CSV, JSONLines, file_format, pseudonymize_file, reidentify_file
from privkit.frames import files as subject
from privkit.keys import Key, StaticKeys
from privkit.policy.manifest import Manifest
from privkit.policy.model import Policy
from privkit.testing import FaultyKeys
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.format_preserving import FormatPreserving
from privkit.transforms.redact import Drop, Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate
from tests.canaries import DIGITS, EMAIL, KEY_BYTES, OTHER_DIGITS, OTHER_KEY_BYTES, TEXT

POLICY = Policy(
    "people",
    fields={
        "mrn": FormatPreserving("digits"),
        "name": Encrypt(),
        "email": Token(normalize="email"),
        "zip": Truncate(3),
        "note": Redact(),
        "junk": Drop(),
        "ward": Keep(),
    },
)
HEADER = "mrn,name,email,zip,note,junk,ward"
ROWS = [
    {"mrn": DIGITS, "name": TEXT, "email": EMAIL, "zip": "94110", "note": TEXT, "ward": 'a "b"\nc'},
    {"mrn": OTHER_DIGITS, "ward": "é"},
    {},
]
NESTED = Policy(
    "patients",
    fields={
        "id": FormatPreserving("digits"),
        "name[*].family": Encrypt(),
        "name[*].given[*]": FormatPreserving("letters"),
        "name[*].use": Keep(),
        "score": Keep(),
        "tags[*]": Redact(),
        "extra": Encrypt(),
    },
)
PATIENT = {
    "id": DIGITS,
    "name": [
        {"use": "official", "family": TEXT, "given": ["Xanthippe", "Bartholomew"]},
        {"use": "old"},
        None,
    ],
    "score": 1,
    "tags": [TEXT, EMAIL],
    "extra": {"born": "1907-03-11"},
}

KEYS = StaticKeys(Key("test", KEY_BYTES))
OTHER_KEYS = StaticKeys(Key("test", OTHER_KEY_BYTES))
ACCESS = AllowList({"dr.lee": ["treatment"]})


def write_csv(path, rows=ROWS, header=HEADER, **options):
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, header.split(","), **options)
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path, encoding="utf-8", **options):
    with path.open(newline="", encoding=encoding) as file:
        return list(csv.DictReader(file, **options))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    write_csv(path)
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out.csv"


def protect(source, target, policy=POLICY, keys=KEYS, **options):
    return pseudonymize_file(policy.bind(keys), source, target, **options)


def reveal(source, target, policy=POLICY, keys=KEYS, **options):
    given = {
        "manifest": options.get("manifest") or Manifest.load(Manifest.beside(Path(source))),
        "access": ACCESS,
        "audit": MemoryAudit(),
        "actor": "dr.lee",
        "purpose": "treatment",
    }
    return reidentify_file(policy, keys, source, target, **given | options)


def check_refused(error, source, target, **options):
    """
    Return the error that a run ends with, which leaves the folder as it was.
    """
    before = {path: path.read_bytes() for path in source.parent.iterdir() if path.is_file()}
    with pytest.raises(error) as caught:
        protect(source, target, **options)
    after = {path: path.read_bytes() for path in source.parent.iterdir() if path.is_file()}

    assert before == after
    return caught.value


class TestPseudonymizing:
    def test_is_the_pseudonymizer_on_each_row(self, source, target):
        """
        A file comes out as its records would, with nulls as empty cells.
        """
        manifest = protect(source, target)
        bound = POLICY.bind(KEYS)
        expected = [
            bound.pseudonymize({name: row.get(name) for name in HEADER.split(",")}) for row in ROWS
        ]

        assert 3 == manifest.rows
        assert [{name: value or "" for name, value in row.items()} for row in expected] == (
            read_csv(target)
        )

    def test_keeps_the_order_of_columns_without_the_dropped_ones(self, source, target):
        """
        A dropped column leaves the header, and the others keep their places.
        """
        protect(source, target)

        assert "mrn,name,email,zip,note,ward" == target.read_text().splitlines()[0]

    def test_writes_the_manifest_it_returns(self, source, target):
        """
        The manifest stands beside the file.
        """
        assert protect(source, target) == Manifest.load(f"{target}.manifest.json")

    def test_keeps_delimiter_and_encoding(self, tmp_path):
        """
        The target is in the format of the source, and its manifest says so.
        """
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        write_csv(source, encoding="utf-16", delimiter=";")
        manifest = protect(source, target, format=CSV(delimiter=";", encoding="utf-16"))

        assert {"delimiter": ";", "encoding": "utf-16"} == manifest.options
        assert "é" == read_csv(target, encoding="utf-16", delimiter=";")[1]["ward"]

    def test_keeps_a_byte_order_mark(self, source, target):
        """
        A spreadsheet's mark is no part of the first name, and stands in the target again.
        """
        source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())
        manifest = protect(source, target)

        assert "utf-8-sig" == manifest.options["encoding"]
        assert target.read_bytes().startswith(b"\xef\xbb\xbfmrn,")

    def test_of_a_header_alone_is_a_header(self, source, target):
        """
        A table without rows stays a table.
        """
        write_csv(source, [])

        assert 0 == protect(source, target).rows
        assert b"mrn,name,email,zip,note,ward\n" == target.read_bytes()

    def test_runs_over_nested_records(self, tmp_path):
        """
        JSON lines are walked to their leaves, and numbers that are kept stay as they are.
        """
        source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        source.write_text('{"score": 1.10, "tags": ["x"]}\n{"id": "1234567", "score": 3}\n')
        protect(source, target, NESTED)
        first, second = target.read_text().splitlines()

        assert '{"score":1.10,"tags":[null]}' == first
        assert ["id", "score"] == list(json.loads(second))

    def test_needs_no_keys_for_rules_without(self, source, target):
        """
        A policy without keyed rules runs without keys, and its manifest names none.
        """
        manifest = protect(source, target, Policy("p", fields={"*": Redact()}), None)

        assert (None, None, None) == (manifest.keyset, manifest.key_id, manifest.key_tag)

    def test_rehearses_without_writing(self, source, target):
        """
        A dry run reads and protects everything, and makes no file.
        """
        manifest = protect(source, target, dry_run=True)

        assert 3 == manifest.rows
        assert [source] == list(source.parent.iterdir())

    def test_replaces_on_demand(self, source, target):
        """
        An earlier target is replaced if that is asked for.
        """
        target.write_text("mine")
        protect(source, target, overwrite=True)

        assert 3 == len(read_csv(target))

    def test_reports_progress(self, source, target, monkeypatch):
        """
        Every so many rows, and at the end, the run tells how far it is.
        """
        monkeypatch.setattr(subject, "REPORT_EVERY", 2)
        seen = []
        protect(source, target, progress=lambda *report: seen.append(report))

        assert [2, 3] == [rows for rows, _ in seen]
        assert 0 < seen[0][1] <= seen[1][1] == 1.0

    def test_reads_a_pipe(self, target, tmp_path, monkeypatch):
        """
        A source whose length nobody knows is read as well.
        """
        monkeypatch.setattr(subject, "REPORT_EVERY", 1)
        seen = []
        reading, writing = os.pipe()
        os.write(writing, b"ward\nx\n")
        os.close(writing)
        source = Path(f"/dev/fd/{reading}")
        protect(source, target, format=CSV(), progress=lambda *report: seen.append(report))
        os.close(reading)

        assert [(1, None), (1, 1.0)] == seen


class TestRefusing:
    def test_a_bad_value_is_told_by_row_and_field(self, source, target):
        """
        A value that does not fit its rule is told by its place, and nothing is written.
        """
        write_csv(source, [*ROWS, {"mrn": "12"}])
        error = check_refused(DomainError, source, target)

        assert (4, "mrn") == (error.row, error.field)

    def test_a_bad_row_is_told_by_its_number(self, source, target):
        """
        A row that is too short is told by its number.
        """
        source.write_text(f"{source.read_text()}{TEXT}\n")

        assert 4 == check_refused(DatasetError, source, target).row

    def test_undecodable_bytes_are_told_by_row(self, source, target):
        """
        Bytes that are no text are told by the row, and not shown.
        """
        source.write_bytes(b"ward\na\nb\n" + TEXT.encode() + b"\xff\n")

        assert 3 == check_refused(DatasetError, source, target).row

    def test_a_column_without_a_rule_is_refused_before_any_row(self, source, target):
        """
        The header alone tells that a column has no rule.
        """
        source.write_text("mrn,diagnosis\n12,x\n")
        error = check_refused(UnruledFieldError, source, target)

        assert error.row is None
        assert "'diagnosis'" in str(error)

    def test_a_file_without_a_header_shows_nobody(self, source, target):
        """
        Where no column has a rule, the first row may be a person's, and is not shown.
        """
        source.write_text("Quillfeather,Xanthippe\n")
        error = check_refused(UnruledFieldError, source, target)

        assert (
            "no rule for any of 2 columns: does the file begin with their names, and is this its "
            "delimiter (--delimiter)?"
        ) == str(error)

    def test_a_missing_key_is_refused_before_any_row(self, source, target):
        """
        Without a key there is no run.
        """
        error = check_refused(KeyNotFoundError, source, target, keys=FaultyKeys("disabled"))

        assert error.row is None

    def test_two_files_that_are_one(self, source, tmp_path):
        """
        A file is not written over itself, under whatever name.
        """
        link = tmp_path / "link.csv"
        os.link(source, link)
        for target in (source, link):
            error = check_refused(DatasetError, source, target, overwrite=True)

            assert "is the input as well" in str(error)

    def test_a_manifest_that_is_the_input(self, tmp_path):
        """
        Nor is its manifest.
        """
        source = tmp_path / "out.csv.manifest.json"
        write_csv(source)
        error = check_refused(
            DatasetError, source, tmp_path / "out.csv", overwrite=True, format=CSV()
        )

        assert "is the input as well" in str(error)

    def test_a_target_that_exists(self, source, target):
        """
        What is there stays.
        """
        target.write_text("mine")

        assert "exists already" in str(check_refused(DatasetError, source, target))

    def test_a_suffix_of_no_format(self, tmp_path):
        """
        A format is declared where a suffix does not tell it.
        """
        error = check_refused(DatasetError, tmp_path / "in.xlsx", tmp_path / "out.xlsx")

        assert "tells no format" in str(error)

    def test_a_suffix_of_another_format(self, source, tmp_path):
        """
        A target called like another format would not be what it is called.
        """
        error = check_refused(DatasetError, source, tmp_path / "out.jsonl")

        assert "the format of the input, csv, and its suffix says json-lines" in str(error)

    @pytest.mark.parametrize("name", ["missing.csv", "folder.csv"])
    def test_a_source_that_is_no_file(self, name, tmp_path, target):
        """
        A source that cannot be read is told by its name.
        """
        (tmp_path / "folder.csv").mkdir()

        assert name in str(check_refused(DatasetError, tmp_path / name, target))

    def test_a_source_that_fails_at_once(self, tmp_path, target):
        """
        A device may open and not be read.
        """
        source = tmp_path / "in.csv"
        source.symlink_to("/proc/self/mem")
        with pytest.raises(DatasetError, match="cannot be read: input/output error"):
            protect(source, target)

        assert not target.exists()

    def test_a_target_without_a_folder(self, source, tmp_path):
        """
        A folder is not made on the way.
        """
        error = check_refused(DatasetError, source, tmp_path / "missing" / "out.csv")

        assert "cannot be written: no such file or directory" in str(error)

    def test_a_defect_is_no_leak(self, source, target):
        """
        What nobody foresaw comes out by the name of its class.
        """

        def report(*_report):
            raise LookupError(TEXT)

        with pytest.raises(PrivkitError, match="LookupError") as caught:
            protect(source, target, progress=report)

        assert TEXT not in repr(caught.value)
        assert not target.exists()

    def test_an_interruption_leaves_nothing(self, source, target):
        """
        Whoever interrupts a run finds no half file.
        """

        def report(*_report):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            protect(source, target, progress=report)

        assert [source] == list(source.parent.iterdir())


class TestReidentifying:
    @pytest.fixture
    def made(self, source, target):
        protect(source, target)
        return target

    @pytest.fixture
    def back(self, tmp_path):
        return tmp_path / "back.csv"

    def test_puts_back_what_reverses(self, made, back):
        """
        Reversible fields come back, in the columns of the file, and the others stay.
        """
        assert 3 == reveal(made, back)
        for before, after in zip(ROWS, read_csv(back), strict=True):
            assert before.get("mrn", "") == after["mrn"]
            assert before.get("name", "") == after["name"]
            assert before.get("email", "") == "" or after["email"].startswith("tok")

    def test_is_one_event(self, made, back):
        """
        A run is one request, written once, and has no manifest.
        """
        audit = MemoryAudit()
        reveal(made, back, audit=audit)

        assert ["granted"] == [event.outcome for event in audit.events]
        assert not Manifest.beside(back).exists()

    def test_reveals_the_fields_asked_for(self, made, back):
        """
        A field that is not asked for stays a pseudonym.
        """
        reveal(made, back, fields=["mrn"])
        first = read_csv(back)[0]

        assert DIGITS == first["mrn"]
        assert first["name"].startswith("enc1.")

    def test_puts_back_the_leaves_of_nested_records(self, tmp_path):
        """
        Every reversible leaf stands again where it stood.
        """
        source, made, back = (tmp_path / f"{name}.jsonl" for name in ("in", "made", "back"))
        source.write_text(json.dumps(PATIENT))
        protect(source, made, NESTED)
        reveal(made, back, NESTED)

        assert PATIENT | {"tags": [None, None]} == json.loads(back.read_text())

    def test_keeps_what_reveals_nothing(self, tmp_path):
        """
        Items in which nothing is revealed come back as they were, whatever they are.
        """
        policy = Policy(
            "p", fields={"m[*][*]": Encrypt(), "n[*][*].x": Encrypt(), "n[*][*].y": Keep()}
        )
        record = {
            "m": [["a"], [], None, [None], [{}, []]],
            "n": [[{"x": 1}, {"y": 2}, {}], [{"y": 3}], [], None],
        }
        source, made, back = (tmp_path / f"{name}.jsonl" for name in ("in", "made", "back"))
        source.write_text(json.dumps(record))
        protect(source, made, policy)
        reveal(made, back, policy)

        assert record == json.loads(back.read_text())

    def test_of_other_rows_is_refused(self, made, back):
        """
        A file that was cut or extended is not the one that the manifest describes.
        """
        header, *rows = made.read_bytes().splitlines(keepends=True)
        for number, lines in ((2, rows[:-1]), (4, [*rows, rows[-1]])):
            # The note of the first row has a line of its own.
            made.write_bytes(header + b"".join(lines))
            with pytest.raises(DatasetError, match=f"has {number} rows and its manifest says 3"):
                reveal(made, back)

            assert not back.exists()

    def test_of_none_of_the_fields_is_refused(self, made, back, tmp_path):
        """
        A file without anything to reveal is not the one that the policy made.
        """
        manifest = Manifest.load(Manifest.beside(made))
        of_lines = dataclasses.replace(manifest, format="json-lines", options={})
        audit = MemoryAudit()
        made.write_bytes(b"email,ward,x\n" + b"a,b,c\n" * 3)
        with pytest.raises(DatasetError, match="none of the fields that are to be revealed"):
            reveal(made, back, audit=audit)

        made.write_bytes(b"name\n" + b",\n" * 3)
        with pytest.raises(DatasetError, match="is it the file that policy 'people' made"):
            reveal(made, back, fields=["mrn"], audit=audit)

        assert ((), False) == (audit.events, back.exists())
        source, lines = tmp_path / "made.jsonl", tmp_path / "back.jsonl"
        source.write_text('{"email":1}\n{}\n{}\n')
        with pytest.raises(DatasetError, match="none of the fields that are to be revealed"):
            reveal(source, lines, manifest=of_lines)

        assert not lines.exists()

    def test_of_no_records_is_no_record(self, source, target, back):
        """
        A file without records has none to reveal, and stays one.
        """
        write_csv(source, [])
        protect(source, target)

        assert 0 == reveal(target, back)

    def test_of_a_rule_for_all_others(self, source, target, back):
        """
        The rule of every other field rules columns that no path names, and no other.
        """
        policy = Policy("p", fields={"*": Encrypt(), "ward": Keep()})
        protect(source, target, policy)
        reveal(target, back, policy)

        assert source.read_text().count(TEXT) == back.read_text().count(TEXT)
        target.write_bytes(b"ward\n" + b"a\n" * 3)
        with pytest.raises(DatasetError, match="none of the fields"):
            reveal(target, back, policy, overwrite=True)

    @pytest.mark.parametrize(
        ("fields", "sentence"), [("mrn", "got one text"), (["x"], "no such field")]
    )
    def test_of_a_field_that_is_none(self, fields, sentence, made, back):
        """
        Fields are a list of paths of the policy.
        """
        with pytest.raises(PolicyError, match=sentence):
            reveal(made, back, fields=fields)

        assert not back.exists()

    def test_beside_a_manifest_is_refused(self, made, source, tmp_path):
        """
        Plaintext does not take the place of a pseudonymized file, whose manifest would stay.
        """
        other = tmp_path / "other.csv"
        protect(source, other)
        with pytest.raises(DatasetError, match="has a manifest, as pseudonymized data does"):
            reveal(made, other, overwrite=True)

        assert DIGITS not in other.read_text()

    def test_another_policy_is_refused(self, made, back):
        """
        A policy of another fingerprint would invert to plausible nonsense.
        """
        other = Policy("people", version=2, fields=POLICY.fields)
        with pytest.raises(PolicyError, match="the manifest is of policy 'people' version 1"):
            reveal(made, back, other)

        assert not back.exists()

    def test_a_wrong_key_is_refused(self, made, back):
        """
        Another key under the same id is noticed before anything is inverted.
        """
        audit = MemoryAudit()
        with pytest.raises(KeyMaterialError, match="the wrong key: key test has the tag"):
            reveal(made, back, keys=OTHER_KEYS, audit=audit)

        assert ((), False) == (audit.events, back.exists())

    def test_a_rotated_key_is_found(self, made, back):
        """
        The key of the file may have become an older one.
        """
        keys = StaticKeys(Key("later", OTHER_KEY_BYTES), older=[Key("test", KEY_BYTES)])
        reveal(made, back, keys=keys)

        assert DIGITS == read_csv(back)[0]["mrn"]

    def test_who_may_not_gets_nothing(self, made, back):
        """
        A denied request leaves no file, and no row in its error.
        """
        with pytest.raises(AccessDeniedError) as caught:
            reveal(made, back, actor="dr.no")

        assert (None, False) == (caught.value.row, back.exists())

    @pytest.mark.parametrize("policy", [Policy("p", fields={"*": Redact()}), POLICY])
    def test_what_is_one_way_stays(self, policy, source, target, back):
        """
        Neither a policy nor a field that does not reverse can be asked for.
        """
        protect(source, target, policy)
        with pytest.raises(IrreversibleError):
            reveal(target, back, policy, fields=None if policy.name == "p" else ["email"])

        assert not back.exists()

    def test_a_policy_of_tokens_does_not_reverse(self, source, target, back):
        """
        Where no rule reverses there is nothing to ask for.
        """
        policy = Policy("p", fields={"*": Token()})
        protect(source, target, policy)
        with pytest.raises(IrreversibleError, match="no rule of policy 'p' reverses"):
            reveal(target, back, policy)

        assert not back.exists()

    def test_an_altered_row_is_told_by_its_number(self, made, back):
        """
        A pseudonym that was damaged ends the run, by row and field.
        """
        made.write_bytes(made.read_bytes().replace(b"enc1.test.", b"enc1.test.AAAA"))
        with pytest.raises(PrivkitError) as caught:
            reveal(made, back)

        assert (1, "name", False) == (caught.value.row, caught.value.field, back.exists())

    def test_a_full_disk_is_a_sentence(self, made, tmp_path):
        """
        A folder that is not there cannot be written to.
        """
        with pytest.raises(DatasetError, match="cannot be written"):
            reveal(made, tmp_path / "missing" / "back.csv")

        assert not (tmp_path / "missing").exists()

    @pytest.mark.parametrize(
        "changes", [{"format": "parquet"}, {"format": "csv", "options": {"quote": "'"}}]
    )
    def test_a_format_of_another_time_is_refused(self, changes, made, back):
        """
        A manifest may describe a format that this version does not know.
        """
        manifest = Manifest.load(Manifest.beside(made))
        parts = {name: getattr(manifest, name) for name in Manifest.__slots__}
        with pytest.raises(DatasetError, match="a format not known here"):
            reveal(made, back, manifest=Manifest(**parts | changes))

        assert not back.exists()


@pytest.mark.parametrize("text", [Key("test", KEY_BYTES).to_text(), KEY_BYTES.hex()])
def test_a_key_for_a_path_is_not_shown(text, source, target):
    """
    A key that is passed where a path belongs is in no message and no traceback.
    """
    manifest = protect(source, target)
    calls = [
        lambda: protect(text, target, format=CSV()),
        lambda: protect(source, text),
        lambda: reveal(text, target, manifest=manifest),
        lambda: reveal(source, text, manifest=manifest),
        lambda: Manifest.load(text),
    ]
    for call in calls:
        with pytest.raises(DatasetError, match="got what looks like a key") as caught:
            call()

        assert KEY_BYTES.hex() not in str(caught.value)
    with pytest.raises(DatasetError) as caught:
        file_format(text)

    assert KEY_BYTES.hex() not in str(caught.value)


def test_lists_that_do_not_fit_are_refused():
    """
    Revealed items are not put back by guessing.
    """
    with pytest.raises(DatasetError, match="1 revealed items do not fit a list of 2"):
        subject._merged(["a", "b"], ["c"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", CSV()),
        ("a.TSV", CSV(delimiter="\t")),
        ("a.b.jsonl", JSONLines()),
        ("a.ndjson", JSONLines()),
    ],
)
def test_a_suffix_tells_the_format(name, expected):
    """
    A format is told by the end of a name, in whatever case.
    """
    assert expected == file_format(name)


@pytest.mark.parametrize("act", [protect, reveal])
def test_foreign_errors_stay_out_of_locals(act, source, target):
    """
    An error of a caller's own, raised half-way, shows in no local of the library.
    """

    def report(*_counts):
        raise ValueError(TEXT)

    if act is reveal:
        protect(source, source.with_name("made.csv"))
        source = source.with_name("made.csv")
    with pytest.raises(PrivkitError) as caught:
        act(source, target, progress=report)
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )

    assert TEXT not in shown.partition("src/privkit")[2]
    assert "ValueError" in str(caught.value)
    assert not target.exists()
