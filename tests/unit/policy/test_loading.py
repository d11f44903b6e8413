"""
Policy files: what they may say, and how all their mistakes are told at once.
"""

import json
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import MissingExtraError, PolicyError
from privkit.formats.alphabet import Alphabet
from privkit.policy import Policy, declared, parsing
from privkit.policy.rules import rules
from privkit.transforms.bucket import Bucket
from privkit.transforms.dates import ShiftDate
from privkit.transforms.format_preserving import FormatPreserving
from privkit.transforms.redact import Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate
from tests.canaries import DIGITS, TEXT, VALUES

POLICY = Policy(
    "patients",
    version=3,
    unruled="drop",
    fields={
        "name": Redact(),
        "mrn": FormatPreserving("digits", keep_last=4),
        "code": FormatPreserving(Alphabet("0123456789ABCDEF")),
        "email": Token(normalize="email"),
        "age": Bucket(width=10, top=90),
        "score": Bucket(edges=(0, 0.5, 1), labels=("low", "high")),
        "born": Bucket(unit="year", bottom="1930-01-01"),
        "visits[*].date": ShiftDate(by="mrn"),
        "date of birth": Redact("none"),
        "zip": Truncate(3),
    },
)

TOML = """
# A policy
name = "patients"
version = 3
unruled = "drop"

[fields]
name = "redact"
mrn = { rule = "format_preserving", format = "digits", keep_last = 4 }
code = { rule = "format_preserving", format = { alphabet = "0123456789ABCDEF" } }
email = { rule = "token", normalize = "email" }
age = { rule = "bucket", width = 10, top = 90 }
score = { rule = "bucket", edges = [0, 0.5, 1], labels = ["low", "high"] }
born = { rule = "bucket", unit = "year", bottom = 1930-01-01 }
"visits[*].date" = { rule = "shift_date", by = "mrn" }
"date of birth" = { rule = "redact", label = "none" }

[fields.zip]
rule = "truncate"
keep = 3
"""

YAML = """
# A policy
name: patients
version: 3
unruled: drop
fields:
  name: redact
  mrn: {rule: format_preserving, format: digits, keep_last: 4}
  code: {rule: format_preserving, format: {alphabet: 0123456789ABCDEF}}
  email:
    rule: token
    normalize: email
  age: {rule: bucket, width: 10, top: 90}
  score:
    rule: bucket
    edges: [0, 0.5, 1]
    labels:
    - low
    - "high"
  born: {rule: bucket, unit: year, bottom: 1930-01-01}
  visits[*].date: {rule: shift_date, by: mrn}
  date of birth: {rule: redact, label: none}
  zip: {rule: truncate, keep: 3}
"""

MANY_MISTAKES = """\
# Nineteen mistakes
nam = "patients"
version = "3"
unruled = "eror"

[fields]
name = "redact"
email = { rule = "tokn" }
zip = { rule = "truncate", kep = 3 }
id = { rule = "token", bits = "many", encoding = "hx", scopes = "x" }
short = { rule = "token", bits = 80 }
patient.name = "redact"
"a..b" = "keep"
"date of birth" = 3
visit = { rule = "shift_date", by = "emial" }
code = { rule = "format_preserving", format = { alphabe = "01" } }
score = { rule = "bucket", edges = [1, true] }
deep = { keep = 3 }
wrong = { rule = 3 }
"""

TOLD = """\
the policy has 19 mistakes
  name: is missing
  line 2, nam: a policy has no such part, only name, version, unruled, fields: did you mean 'name'?
  line 3, version: a whole number from 1 to 2,147,483,647, got text of 1 characters
  line 4, unruled: one of error, redact, drop; got text of 4 characters
  line 8, email: there is no such rule, only {rules}: did you mean 'token'?
  line 9, zip: option 'keep' is missing
  line 9, zip: truncate has no option 'kep': did you mean 'keep'?
  line 10, id: token has no option 'scopes': did you mean 'scope'?
  line 10, id: option 'bits' is a whole number, got text
  line 10, id: option 'encoding' is 'hex' or 'uuid', got text: did you mean 'hex'?
  line 11, short: bits is 96 to 256, got 80
  line 12, patient: a table has a rule = "…"; a path stands in quotes: "patient.name"
  line 13, a..b: a key that is empty or holds one of . [ ] " * or a blank stands in quotes, \
not so at character 3 of 4; a column of that name is "a..b"
  line 14, date of birth: a rule is its name, or a table with it, got a whole number
  line 15, visit: 'by' names a field that has a rule, got one without: did you mean 'email'?
  line 16, code: option 'format' is a table with name or with alphabet, got a table: did you \
mean 'alphabet'?
  line 17, score: item 2 of option 'edges' is a number or text, got true
  line 18, deep: a table has a rule, such as rule: token
  line 19, wrong: rule is the name of a rule, got a whole number"""


def refused(text, language="toml"):
    """
    Return the message of the error that a text ends in.
    """
    with pytest.raises(PolicyError) as caught:
        Policy.loads(text, format=language)
    assert caught.value.mistakes
    assert caught.value.__context__ is None
    return str(caught.value)


class TestFormats:
    @pytest.mark.parametrize(
        ("language", "text"),
        [("toml", TOML), ("yaml", YAML), ("json", POLICY.to_json()), ("yaml", POLICY.to_yaml())],
        ids=["toml", "yaml", "to_json", "to_yaml"],
    )
    def test_all_say_the_same(self, language, text):
        """
        One policy, whatever language it is written in, also by `Policy` itself.
        """
        policy = Policy.loads(text, format=language)

        assert POLICY == policy
        assert POLICY.fingerprint == policy.fingerprint
        assert list(POLICY.fields) == list(policy.fields)

    @pytest.mark.parametrize(
        ("name", "text"),
        [("p.toml", TOML), ("p.json", POLICY.to_json()), ("p.yaml", YAML), ("P.YML", YAML)],
    )
    @pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "bom"])
    def test_suffix_tells_the_format(self, name, text, start, tmp_path):
        """
        A file is read by its suffix, with or without a byte order mark.
        """
        (tmp_path / name).write_text(start + text, "utf-8")

        assert POLICY == Policy.load(tmp_path / name)
        assert POLICY == Policy.load(str(tmp_path / name))

    def test_version_and_unruled_have_defaults(self):
        """
        A file may leave out what the constructor does, and may name its schema.
        """
        text = '{"$schema": "policy.schema.json", "name": "p", "fields": {"a": "keep"}}'

        assert Policy("p", fields={"a": Keep()}) == Policy.loads(text, format="json")

    def test_each_rule_has_its_name(self):
        """
        Every transform can be named in a file, without a list that somebody has to keep.
        """
        assert {
            "bucket",
            "drop",
            "encrypt",
            "format_preserving",
            "keep",
            "mask",
            "redact",
            "shift_date",
            "token",
            "truncate",
        } <= set(rules())

    @given(label=st.text(min_size=1), path=st.text(alphabet='ab .:#"\\-?é\n1', max_size=9))
    def test_whatever_is_written_is_read(self, label, path):
        """
        JSON and YAML bring every text back, also one that looks like something else.
        """
        rule = Redact(label) if label.isprintable() else Redact("x")
        policy = Policy("p", fields={json.dumps(path): rule})

        assert policy == Policy.loads(policy.to_json(), format="json")
        assert policy == Policy.loads(policy.to_yaml(), format="yaml")

    @pytest.mark.parametrize(
        "label", ["no", "012", "12:30:45", "1e3", "1.5", "~", "null", "true", "2024-05-06", "<<"]
    )
    def test_text_that_looks_like_a_number_stays_text(self, label):
        """
        What YAML 1.1 takes for a boolean, a number or a date is written so that it is none.
        """
        policy = Policy("p", fields={"a": Redact(label)})

        assert policy == Policy.loads(policy.to_yaml(), format="yaml")


class TestYAML:
    @pytest.mark.parametrize("label", ["no", "off", "Yes", "012", "0x1F", "1_000", "12:30:45",
                                       "1e3", ".inf", "2024-05-06", "<<", "none"])  # fmt: skip
    def test_surprises_are_text(self, label):
        """
        Only true, false, null and decimal numbers are something else than text.
        """
        text = f"name: p\nfields: {{a: {{rule: redact, label: {label}}}}}"

        assert Redact(label) == Policy.loads(text, format="yaml").fields["a"]

    @pytest.mark.parametrize(
        ("option", "kind"),
        [("true", "true"), ("~", "null"), ("", "null"), ("-1.5", "a number"), ("'1'", "text")],
    )
    def test_scalars_have_their_type(self, option, kind):
        """
        Booleans, nulls, numbers and quoted text are what they look like.
        """
        text = f"name: p\nfields: {{a: {{rule: truncate, keep: {option}}}}}"

        assert f"option 'keep' is a whole number, got {kind}" in refused(text, "yaml")

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("a: &x b", "no YAML anchors and aliases at line 1"),
            ("name: p\nfields: *x", "no YAML anchors and aliases at line 2"),
            ("a: &a [x]\nb: [*a, *a]", "no YAML anchors and aliases at line 1"),
            ("name: p\n---\nname: q", "one YAML document at line 2"),
            ("name: !!str p", "no YAML tags at line 1"),
            ("!!python/object/apply:os.system [ls]", "no YAML tags at line 1"),
            ("name: ! p", "no YAML tags at line 1"),
            ("name: p\nname: q", "a key stands twice in one table at line 2"),
            ("? [a]\n: b", "a key is text at line 1"),
            ("? &a b\n: c", "no YAML anchors and aliases at line 1"),
            ("[" * 40, "nested at most 16 deep at line 1"),
            ("a: [b", "the text is not YAML at line"),
            ("a\0b", "the text is not YAML"),
            ("\ud800", "the text is not YAML"),
            ('a: "\\UFFFFFFFF"', "the text is not YAML"),
            ("", "it is a table with name, version and fields, got null"),
            ("# nothing", "it is a table with name, version and fields, got null"),
            ("[]", "it is a table with name, version and fields, got a list of 0"),
        ],
    )
    def test_the_rest_of_the_language_is_refused(self, text, rule):
        """
        Anchors, aliases, tags, further documents, double keys and depth end in one sentence.
        """
        assert rule in refused(text, "yaml")

    def test_runs_without_the_parser_in_c(self, monkeypatch):
        """
        Where PyYAML was built without libyaml, its own parser serves.
        """
        yaml = pytest.importorskip("yaml")
        monkeypatch.delattr(yaml, "CSafeLoader")

        assert POLICY == Policy.loads(YAML, format="yaml")
        assert "the text is not YAML at line 1" in refused("a: b: c", "yaml")

    @pytest.mark.parametrize("use", [lambda: Policy.loads(YAML, format="yaml"), POLICY.to_yaml])
    def test_missing_extra_names_its_cure(self, use, monkeypatch):
        """
        Without PyYAML, reading and writing YAML say what to install.
        """
        monkeypatch.setitem(sys.modules, "yaml", None)

        with pytest.raises(MissingExtraError, match=r"pip install 'privkit-sdk\[yaml\]'"):
            use()


class TestTOMLAndJSON:
    @pytest.mark.parametrize(
        ("language", "text", "rule"),
        [
            ("toml", "name = ", "the text is not TOML at line 1"),
            ("toml", "\n\nname = 'p' x", "the text is not TOML at line 3"),
            ("toml", "name = 'p'\nname = 'q'", "the text is not TOML at line 2"),
            (
                "toml",
                '\nname = "\\d"',
                "TOML, where a text with backslashes stands in single quotes, at line 2",
            ),
            ("toml", "a = " + "[" * 9000, "the text is not TOML"),
            ("toml", "a = " + "1" * 5000, "the text is not TOML"),
            ("toml", "a." * 99 + "a = 1", "a line of TOML has at most 16 points: break it"),
            ("toml", "x = inf", "a number is finite"),
            ("toml", "[a.b.c.d.e.f.g.h]\ni.j.k.l.m.n.o.p.q = 1", "nested at most 16 deep"),
            ("json", "", "the text is not JSON at line 1"),
            ("json", '{\n"name"', "the text is not JSON at line 2"),
            ("json", "[" * 100_000, "the text is not JSON"),
            ("json", '{"a":' * 50_000, "the text is not JSON"),
            ("json", "[" * 20 + "]" * 20, "nested at most 16 deep"),
            ("json", "1" * 5000, "the text is not JSON"),
            ("json", '{"x": NaN}', "a number is finite"),
            ("json", '{"x": [-Infinity]}', "a number is finite"),
            ("json", '{"x": 1e999}', "a number is finite"),
            ("json", '{"a": {"b": 1,\n"b": 2}}', "a key stands twice in one table at line 2"),
            ("json", '{"\\ud800": 1}', "text holds half a character"),
            ("json", "null", "a table with name, version and fields, got null"),
            ("json", '"x"', "got text"),
            ("json", "1.5", "got a number"),
        ],
    )  # fmt: skip
    def test_strange_files_end_in_one_sentence(self, language, text, rule):
        """
        Broken, deep, huge and ambiguous files are refused with the line where one is known.
        """
        assert rule in refused(text, language)

    def test_points_of_numbers_do_not_count(self):
        """
        A list of edges may stand on one line, however many there are.
        """
        edges = [n / 2 for n in range(100)]
        text = f"name = 'p'\n[fields]\na = {{ rule = 'bucket', edges = {edges} }}"

        assert 100 == len(Policy.loads(text, format="toml").fields["a"].edges)
        assert "at most 16 points" in refused("a" + ".1" * 17 + " = 1")
        assert "at most 16 points" in refused("a" + ".1 " * 17 + "= 1")

    def test_format_is_one_of_three(self):
        """
        The format of a text is told, and not guessed.
        """
        with pytest.raises(PolicyError, match="is 'toml', 'json' or 'yaml'"):
            Policy.loads(TOML, format="ini")

    @pytest.mark.parametrize(
        ("text", "shape"), [(b"", "got bytes"), ("#" * 262_145, "got 262,145")]
    )
    def test_text_is_text_of_some_size(self, text, shape):
        """
        Bytes and texts beyond the limit are refused before they are parsed.
        """
        with pytest.raises(PolicyError, match=shape):
            Policy.loads(text, format="toml")


class TestFiles:
    def test_that_are_absent_are_refused(self, tmp_path):
        """
        The error names the file.
        """
        with pytest.raises(PolicyError, match=r"the policy file .*/p\.toml does not exist"):
            Policy.load(tmp_path / "p.toml")

    @pytest.mark.parametrize("name", ["policy", "policy.ini", b"policy.toml"])
    def test_of_unknown_format_are_refused(self, name):
        """
        The suffix is one of four.
        """
        if isinstance(name, bytes):
            name = type("BytesPath", (), {"__fspath__": lambda _self: b"policy.toml"})()

        with pytest.raises(PolicyError, match=r"ends in \.toml, \.json, \.yaml or \.yml"):
            Policy.load(name)

    def test_path_is_text(self):
        """
        A number is no path, although `open` would take it for one.
        """
        with pytest.raises(PolicyError, match="is text, got int"):
            Policy.load(0)

    def test_that_are_no_files_are_refused(self, tmp_path):
        """
        A folder and a pipe are no policies, and nobody waits for a pipe.
        """
        (tmp_path / "folder.toml").mkdir()
        os.mkfifo(tmp_path / "pipe.toml")

        for name in ("folder.toml", "pipe.toml"):
            with pytest.raises(PolicyError, match="cannot be read: it is not a regular file"):
                Policy.load(tmp_path / name)

    @pytest.mark.parametrize(
        ("content", "rule"),
        [(b'name = "\xff"', "is not UTF-8 at byte 9"), (b"#" * 262_145, "more than 262,144 bytes"),
         ("\u00e9".encode() * 200_000, "more than 262,144 bytes")],
    )  # fmt: skip
    def test_content_is_text_of_some_size(self, content, rule, tmp_path):
        """
        Bytes that are no UTF-8 are found by position, and huge files are not read.
        """
        (tmp_path / "p.toml").write_bytes(content)

        with pytest.raises(PolicyError, match=rule):
            Policy.load(tmp_path / "p.toml")

    def test_name_with_a_null_is_refused(self):
        """
        What no file system can hold is an error of ours, printed on one line.
        """
        with pytest.raises(PolicyError, match="has a null character in its name"):
            Policy.load("a\0b.toml")

    def test_that_cannot_be_opened_are_refused(self, tmp_path):
        """
        The reason of the operating system is told.
        """
        (tmp_path / "loop.toml").symlink_to("loop.toml")

        with pytest.raises(PolicyError, match=r"cannot be read: .*symbolic links"):
            Policy.load(tmp_path / "loop.toml")


class TestMistakes:
    def test_all_are_told_at_once(self):
        """
        Each line tells the line of the file, the field, what is wrong, and what was meant.
        """
        told = TOLD.format(rules=", ".join(rules()))

        assert told == refused(MANY_MISTAKES)

    def test_lines_of_json_and_yaml_are_found(self):
        """
        The line is told in every language, behind the word fields if a part has the same name.
        """
        json_text = '{"name": "p",\n "fields": {\n  "name": "kep",\n  "\\u00e9": "kep"}}'
        yaml_text = "name: p\nfields:\n  name: kep\n  visits[*].date: kep\n  'a b': kep"

        assert ["line 3, name", "line 4, é"] == [
            line.strip().partition(":")[0] for line in refused(json_text, "json").splitlines()[1:]
        ]
        assert ["line 3, name", "line 4, visits[*].date", "line 5, a b"] == [
            line.strip().partition(":")[0] for line in refused(yaml_text, "yaml").splitlines()[1:]
        ]

    def test_of_which_the_place_is_not_found_have_no_line(self):
        """
        Where a key is written in an unusual way, the mistake is told without a line.
        """
        text = 'name = "p"\n[fields]\n"\\U000000E9" = "kep"'

        assert "  é: there is no such rule" in refused(text)

    def test_broken_rule_is_still_a_field(self):
        """
        A field whose rule is wrong can be named by another, without a second mistake.
        """
        text = 'name = "p"\n[fields]\na = "kep"\nb = { rule = "shift_date", by = "a" }'

        assert "the policy has 1 mistake\n  line 3, a:" in refused(text)

    def test_missing_parts_are_told(self):
        """
        A file has a name and fields.
        """
        assert ["  name: is missing", "  fields: is missing"] == refused("").splitlines()[1:]

    @pytest.mark.parametrize("fields", ["3", '["a"]', "{}"])
    def test_fields_are_a_table(self, fields):
        """
        The fields are a table with something in it.
        """
        assert "fields: " in refused(f'{{"name": "p", "fields": {fields}}}', "json")

    def test_the_search_ends(self):
        """
        Of very many mistakes, the first hundred are told.
        """
        text = "name = 'p'\n[fields]\n" + "".join(f"f{n} = {n}\n" for n in range(5000))

        assert "the policy has at least 100 mistakes" == refused(text).splitlines()[0]

    def test_table_without_a_rule_in_yaml_needs_one(self):
        """
        The advice on quotes is for TOML alone.
        """
        text = "name: p\nfields: {a: {b: keep}}"

        assert "a table has a rule, such as rule: token" in refused(text, "yaml")

    def test_foreign_error_of_a_rule_is_named(self, monkeypatch):
        """
        Whatever a rule makes of its options, loading ends in a `PolicyError`.
        """

        class Broken:
            @staticmethod
            def validate_json(text, *, strict, context):
                raise ArithmeticError(text)

        monkeypatch.setattr(declared, "adapter", lambda _held: Broken)

        assert "a: keep cannot take these options (ArithmeticError)" in refused(
            'name = "p"\n[fields]\na = "keep"'
        )

    @pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
    def test_quote_nothing_of_the_file(self, value):
        """
        A value in the place of a name, a rule or an option is not in the error.
        """
        document = {
            "name": value,
            "version": value,
            "unruled": value,
            "fields": {
                "a": value,
                "b": [value],
                "c": {"rule": value},
                "d": {"rule": "token", "bits": value, "encoding": value, "prefix": value},
                "e": {"rule": "truncate", "keep": 3, "end": value},
                "f": {"rule": "bucket", "edges": [value, value], "labels": [value]},
                "g": {"rule": "shift_date", "by": value, "format": value},
                "h": {"rule": "format_preserving", "format": {"alphabet": value, "x": value}},
                "i": {"rule": "token", "normalize": value},
            },
        }

        assert value not in refused(json.dumps(document), "json")

    @pytest.mark.parametrize(
        ("word", "shown"),
        [("widht", "'widht'"), (TEXT, "of 22 characters"), (f"x{DIGITS}", "of 17")],
    )
    def test_unknown_options_are_named_if_they_are_names(self, word, shown):
        """
        A misspelt option is shown, and what may be data in the wrong place is not.
        """
        text = json.dumps({"name": "p", "fields": {"a": {"rule": "keep", word: 1}}})

        assert f"a: keep has no option {shown}" in refused(text, "json")

    def test_unknown_parts_are_named_if_they_are_names(self):
        """
        A misspelt part is shown, and what may be data in the wrong place is not.
        """
        text = json.dumps({"name": "p", TEXT: 1, "fields": {"a": "keep"}})

        assert "  ?: a policy has no such part" in refused(text, "json")

    def test_dates_of_toml_are_named_by_kind(self):
        """
        Only TOML has dates, and they are told from text.
        """
        text = 'name = "p"\n[fields]\na = 2024-05-06\nb = {rule = "token", bits = 07:30:00}'

        assert "a: a rule is its name, or a table with it, got a date or time" in refused(text)
        assert "b: option 'bits' is a whole number, got a date or time" in refused(text)


def test_limits_stand_in_the_reference():
    """
    The size and depth of a policy file are as documented.
    """
    assert (256 * 1024, 16, 16) == (parsing.MAX_SIZE, parsing.MAX_DEPTH, parsing.MAX_POINTS)
