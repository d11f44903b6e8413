"""
Frozen tokens and ciphertexts: every release makes and reads these.
"""

import datetime as dt
import hashlib
import json
import uuid
from decimal import Decimal
from functools import cache

import pytest

from privkit.keys import Key, Subkeys
from privkit.transforms.encrypt import Encrypt, key_id_of
from privkit.transforms.token import Token
from tests.golden import independent
from tests.needs import REPOSITORY

FILE = REPOSITORY / "tests" / "golden" / "vectors.json"
DIGEST = "e181e8352f07775dbb050c59e735dee4916519bca6e0e3ab5c87aa73ee0d4888"

READERS = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "boolean": lambda text: text == "true",
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "uuid": uuid.UUID,
    "bytes": bytes.fromhex,
    "float": float.fromhex,
}


@cache
def vectors():
    """
    The file as data.
    """
    return json.loads(FILE.read_text("utf-8"))


def value_of(vector):
    """
    The Python value that a vector describes.
    """
    if isinstance(vector, dict):
        return {key: value_of(item) for key, item in vector.items()}
    kind, *rest = vector
    if kind == "list":
        return [value_of(item) for item in rest]
    return None if kind == "null" else READERS[kind](rest[0])


def subkeys_of(vector, field="any"):
    """
    What the transform of a vector is bound to.
    """
    key = Key(vector["key"], bytes.fromhex(vectors()["keys"][vector["key"]]))
    return Subkeys(key, field=vector.get("field", field), scope=vector["scope"])


def test_the_file_is_frozen():
    """
    The vectors are those that were released. Add to them in a file of its own.
    """
    assert DIGEST == hashlib.sha256(FILE.read_bytes()).hexdigest()


def test_there_are_enough():
    """
    Each of the two has at least two hundred vectors, of every type.
    """
    for name in ("tokens", "ciphertexts"):
        singles = [row["value"] for row in vectors()[name] if isinstance(row["value"], list)]

        assert len(vectors()[name]) >= 200
        assert {value[0] for value in singles} >= set(independent.TAGS) - {"float", "null"}


def test_another_implementation_agrees():
    """
    A program that shares no line with privkit makes the same vectors.
    """
    assert json.loads(json.dumps(independent.vectors())) == vectors()


@pytest.mark.parametrize("options", [{}, {"bits": 96}, {"encoding": "uuid"}, {"normalize": "x"}])
def test_tokens_are_what_they_were(options):
    """
    Each value still has its token, and each token still shows its key.
    """
    kinds = set(options)
    rows = [row for row in vectors()["tokens"] if kinds & set(row["options"]) or not kinds]
    for row in rows:
        rule = Token(**row["options"])
        subkeys = subkeys_of(row)

        assert row["token"] == rule.bind(subkeys).apply(value_of(row["value"])), row
        if rule.encoding == "hex":
            assert subkeys.key_tag == rule.tag_of(row["token"])
    assert rows


def test_ciphertexts_are_what_they_were():
    """
    Each value still has its ciphertext.
    """
    for row in vectors()["ciphertexts"]:
        assert row["text"] == Encrypt().bind(subkeys_of(row)).apply(value_of(row["value"])), row


def test_ciphertexts_can_still_be_read():
    """
    Each ciphertext still gives its value, with its type.
    """
    for row in vectors()["ciphertexts"]:
        back = Encrypt().bind_inverse(subkeys_of(row)).invert(row["text"])

        assert repr(value_of(row["value"])) == repr(back), row
        assert row["key"] == key_id_of(row["text"])
