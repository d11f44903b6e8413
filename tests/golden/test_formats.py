"""
Frozen format-preserving pseudonyms: every release makes and reads these.
"""

import hashlib
import json
from functools import cache

import pytest

from privkit.formats import registry
from privkit.keys import Key, Subkeys
from privkit.policy import Policy
from tests.golden.formats import REASON, follows, options_of
from tests.golden.independent import KEYS
from tests.needs import REPOSITORY

FILE = REPOSITORY / "tests" / "golden" / "formats.json"
DIGEST = "d4ed019b755fc272e84fa6aef23fa8a32f25db28c8db06e36019cde29069ab49"
SECOND_WAY = 294
"""Rows that can be computed in two ways. Phones and the shuffle have tests of their own."""


@cache
def rows():
    """
    The file as data.
    """
    return json.loads(FILE.read_text("utf-8"))


@cache
def rule_of(form):
    """
    The rule of a row, read as a policy file would have it.
    """
    rule = {"rule": "format_preserving", "format": json.loads(form), "small_domain": REASON}
    document = json.dumps({"name": "p", "fields": {"a": rule}})
    return Policy.loads(document, format="json").fields["a"]


def subkeys_of(row):
    """
    What the rule of a row is bound to.
    """
    key = Key(row["key"], bytes.fromhex(KEYS[row["key"]]))
    return Subkeys(key, field="any", scope=row["scope"])


def test_the_file_is_frozen():
    """
    The pseudonyms are those that were released. Add to them in a file of its own.
    """
    assert DIGEST == hashlib.sha256(FILE.read_bytes()).hexdigest()


def test_every_format_is_there():
    """
    There are at least two hundred, of every format that privkit has.
    """
    assert len(rows()) >= 200
    assert {*registry.names(), "alphabet"} == {options_of(row["format"])[0] for row in rows()}


def test_another_implementation_agrees():
    """
    Numberings, FF1 and tables that were written down a second time make the same pseudonyms.
    """
    verdicts = [follows(row) for row in rows()]

    assert False not in verdicts
    assert SECOND_WAY == verdicts.count(True)


@pytest.mark.parametrize("name", [*registry.ALPHABETS, "alphabet", *registry.BUILT_IN])
def test_pseudonyms_are_what_they_were(name):
    """
    Each value still has its pseudonym, and each pseudonym gives its value.
    """
    for row in rows():
        if options_of(row["format"])[0] == name:
            rule, subkeys = rule_of(json.dumps(row["format"])), subkeys_of(row)

            assert row["pseudonym"] == rule.bind(subkeys).apply(row["value"]), row
            assert row["value"] == rule.bind_inverse(subkeys).invert(row["pseudonym"]), row
