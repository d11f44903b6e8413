"""
Whatever stands in a policy file, reading it ends in a policy or in a `PolicyError`, and soon.

Files are made from good ones: cut, doubled, and sprinkled with what the three languages have to
offer. Blind to mutations that no fragment here leads to.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privkit.errors import PolicyError
from privkit.policy import Policy
from privkit.policy.rules import rules
from tests.needs import need

TOML = """name = "p"
version = 2
unruled = "drop"
[fields]
a = "redact"
"b[*].c" = { rule = "shift_date", by = "m", max_days = 9 }
m = { rule = "format_preserving", format = { alphabet = "0123456789" } }
d = { rule = "bucket", edges = [1, 2.5, "3"], labels = ["x", "y"] }
e = { rule = "bucket", unit = "month", top = 2024-05-06 }
[fields.z]
rule = "token"
bits = 96
"""
YAML = """name: p
version: 2
unruled: drop
fields:
  a: redact
  b[*].c: {rule: shift_date, by: m, max_days: 9}
  m: {rule: format_preserving, format: {alphabet: "0123456789"}}
  d:
    rule: bucket
    edges: [1, 2.5, "3"]
    labels:
    - x
    - y
  e: {rule: bucket, unit: month, top: 2024-05-06}
  z: {rule: token, bits: 96}
"""
JSON = json.dumps(
    {
        "name": "p",
        "version": 2,
        "unruled": "drop",
        "fields": {
            "a": "redact",
            "b[*].c": {"rule": "shift_date", "by": "m", "max_days": 9},
            "m": {"rule": "format_preserving", "format": {"alphabet": "0123456789"}},
            "d": {"rule": "bucket", "edges": [1, 2.5, "3"], "labels": ["x", "y"]},
            "e": {"rule": "bucket", "unit": "month", "top": "2024-05-06"},
            "z": {"rule": "token", "bits": 96},
        },
    },
    indent=1,
)
SEEDS = {"toml": TOML, "yaml": YAML, "json": JSON}
FRAGMENTS = [
    *"{}[]()<>\"'=:,.*&!|>%@`#?~-+_\\/$^;0123456789",
    *" \t\n\r\0\x1b\x7f\x85\u2028\ufeff\ud800é\U0001f600",
    *("&a ", "*a", "<<: *a", "!!binary ", "!!python/name:x", "---\n", "...\n", "%YAML 1.1\n"),
    *("null", "true", "no", "NaN", "Infinity", "-inf", "nan", "1e999", "-0", "0x1F", "0o7", "1_0"),
    *("12:30:45", "2024-05-06", "2024-13-99", "07:61:00", "9" * 400, "1e-400", "0.1", "1.5"),
    *(
        '"""',
        "'''",
        "[[",
        "]]",
        "[[fields]]\n",
        "[fields]\n",
        "a.b.c",
        '"\\ud800"',
        '"\\U00110000"',
    ),
    *("rule", "token", "redact", "by", "scope", "width", "edges", "labels", "format", "symbols"),
    *("fields", "name", "version", "unruled", "normalize", "encoding", "layout", "unit", "top"),
]
EDITS = st.lists(
    st.tuples(
        st.integers(0, 600), st.integers(0, 12), st.sampled_from(FRAGMENTS), st.integers(1, 3)
    ),
    min_size=1,
    max_size=6,
)


def mutate(text, edits):
    """
    Return a text with some of its characters replaced by fragments.
    """
    for place, length, fragment, times in edits:
        start = place % (len(text) + 1)
        text = text[:start] + fragment * times + text[start + length :]
    return text


def read(language, text):
    """
    Return whether a text is a policy; any error but ours comes out.
    """
    try:
        policy = Policy.loads(text, format=language)
    except PolicyError:
        return False
    assert policy == Policy.loads(policy.to_json(), format="json")
    return True


@pytest.mark.parametrize("language", SEEDS)
def test_the_seeds_are_policies(language):
    """
    What is mutated is a policy, the same one in each language.
    """
    assert Policy.loads(JSON, format="json") == Policy.loads(SEEDS[language], format=language)


@pytest.mark.parametrize("language", SEEDS)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=EDITS)
def test_mutated_files_end_in_a_policy_or_our_error(language, edits):
    """
    No edit of a policy file leads to a foreign error.
    """
    assert read(language, mutate(SEEDS[language], edits)) in {True, False}


@pytest.mark.nightly
@pytest.mark.parametrize("language", SEEDS)
@settings(max_examples=333_334, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=EDITS)
def test_a_million_mutated_files_end_in_a_policy_or_our_error(language, edits):
    """
    No edit of a policy file leads to a foreign error, in a million of them.
    """
    assert read(language, mutate(SEEDS[language], edits)) in {True, False}


@given(st.text(max_size=40), st.sampled_from(sorted(SEEDS)))
def test_any_text_ends_in_a_policy_or_our_error(text, language):
    """
    Text that never was a policy file is refused like one that was.
    """
    assert not read(language, text)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([*FRAGMENTS, "2024-05-06", "%d/%m/%Y", "1", "a", "email@1", 0, 3, 10**40])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["alphabet", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@st.composite
def any_rules(draw):
    """
    Draw a rule with up to three of its own options, each of any value.
    """
    name = draw(st.sampled_from(sorted(rules())))
    known = [field.name for field in dataclasses.fields(rules()[name]) if field.init]
    chosen = draw(st.lists(st.sampled_from([*known, "by"]), max_size=3, unique=True))
    return {"rule": name, **{option: draw(VALUES) for option in chosen}}


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=st.dictionaries(st.sampled_from(["a", "b.c", "*"]), any_rules() | VALUES, min_size=1))
def test_any_options_end_in_a_policy_or_our_error(fields):
    """
    No value of an option leads to a foreign error, and none is a foreign error in disguise.
    """
    text = json.dumps({"name": "p", "fields": fields})
    try:
        Policy.loads(text, format="json")
    except PolicyError as error:
        told = str(error)
    else:
        told = ""

    assert "cannot take these options" not in told


@pytest.fixture(scope="module")
def hostile():
    """
    How each hostile file was read, in a process of its own.
    """
    script = Path(__file__).with_name("hostile.py")
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def test_hostile_files_end_in_a_policy_or_our_error(hostile):
    """
    No construct of the three languages leads to a foreign error, at any size that is read.
    """
    assert [] == [name for name, was in hostile["files"].items() if was["foreign"]]
    assert 25 < len(hostile["files"])


def test_hostile_files_end_soon(hostile):
    """
    No file of the largest size takes time in the square of its size.

    The limit is ten times what a small machine needs for the slowest: what takes the square
    of the size takes a thousand times as long.
    """
    assert [] == [name for name, was in hostile["files"].items() if was["seconds"] > 10]


def test_hostile_files_take_little_memory(hostile):
    """
    The process that read them all had at most 256 MiB at its peak.
    """
    need(hostile["peak_size"], "the peak of a process is read from /proc")

    assert 256 * 2**20 > hostile["peak_size"]
