"""
The JSON Schema of policy files agrees with what loads.
"""

import json

import pytest
from jsonschema import Draft202012Validator

from privkit.errors import PolicyError
from privkit.policy import Policy
from privkit.policy.rules import rules
from privkit.policy.schema import json_schema
from tests.unit.policy.test_loading import POLICY

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def file(rule, **parts):
    """
    Return a policy file with one field.
    """
    return {"name": "p", "fields": {"a": rule}, **parts}


def test_is_a_schema():
    """
    The schema is valid, and can be written.
    """
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA == json.loads(json.dumps(SCHEMA))


@pytest.mark.parametrize(
    "document",
    [
        json.loads(POLICY.to_json()),
        file("redact"),
        file({"rule": "redact"}),
        file({"rule": "redact", "label": None}),
        file({"rule": "truncate", "keep": 3, "end": "last"}),
        file({"rule": "format_preserving", "format": {"alphabet": "0123456789"}}),
        file({"rule": "bucket", "edges": [1, 2.5], "labels": ["x"]}),
        file("keep", version=2, unruled="drop"),
        {"$schema": "policy.schema.json", **file("keep")},
    ],
)
def test_accepts_what_loads(document):
    """
    A policy that loads has no squiggle in an editor.
    """
    Policy.loads(json.dumps(document), format="json")

    assert [] == [error.message for error in VALIDATOR.iter_errors(document)]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"fields": {"a": "keep"}},
        {"name": "p"},
        {"name": "p", "fields": {}},
        file("keep", name="Patients"),
        file("keep", version=0),
        file("keep", version="1"),
        file("keep", unruled="keep"),
        file("keep", field={}),
        file("tokn"),
        file(3),
        file({"keep": 3}),
        file({"rule": "tokn"}),
        file("truncate"),
        file({"rule": "truncate"}),
        file({"rule": "truncate", "keep": "3"}),
        file({"rule": "truncate", "keep": 3, "end": "middle"}),
        file({"rule": "token", "bit": 128}),
        file({"rule": "format_preserving", "format": "digit"}),
        file({"rule": "format_preserving", "format": {"symbols": "01"}}),
        file({"rule": "keep", "by": "a"}),
    ],
)
def test_refuses_what_does_not_load(document):
    """
    What an editor lets pass without a squiggle is no plain mistake.
    """
    with pytest.raises(PolicyError):
        Policy.loads(json.dumps(document), format="json")

    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize("name", rules())
def test_describes_each_rule_and_option(name):
    """
    Completion shows a sentence for each rule and for each of its options.
    """
    rule = SCHEMA["$defs"][name]

    assert rule["description"].endswith(".")
    assert [] == [
        option
        for option, schema in rule["properties"].items()
        if option != "rule" and not schema["description"]
    ]


def test_descriptions_are_plain_text():
    """
    The marks of docstrings do not show.
    """
    descriptions = [
        schema["description"]
        for name in rules()
        for option, schema in SCHEMA["$defs"][name]["properties"].items()
        if option != "rule"
    ]

    assert [] == [text for text in descriptions if "``" in text]
