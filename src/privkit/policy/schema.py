"""
A JSON Schema of policy files, for completion and checks in editors.

A schema cannot say everything: that a path parses, that ``by`` names a field, or that options fit
together is found when the policy is loaded.

Source:
    JSON Schema, draft 2020-12.
"""

from typing import Final, cast, get_args

from privkit.policy.checks import MAX_VERSION, NAME, Unruled
from privkit.policy.docstring import option_texts, summary
from privkit.policy.rules import adapter, rules
from privkit.typing import JSON

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, JSON]


def json_schema() -> Schema:
    """
    Return the JSON Schema of policy files.
    """
    definitions: Schema = {}
    bare: list[JSON] = []
    tables: list[JSON] = []
    for name in rules():
        own = _rule(name, definitions)
        definitions[name] = own
        tables.append({"$ref": f"#/$defs/{name}"})
        if own["required"] == ["rule"]:
            bare.append({"const": name, "description": own["description"]})
    rule: Schema = {
        "description": "A rule: its name, or a table with its name and its options.",
        "anyOf": [
            {"type": "string", "anyOf": bare},
            {
                "type": "object",
                "required": ["rule"],
                "properties": {"rule": {"enum": list(rules())}},
                "anyOf": tables,
            },
        ],
    }
    return {
        "$schema": DIALECT,
        "title": "privkit policy",
        "type": "object",
        "required": ["name", "fields"],
        "additionalProperties": False,
        "properties": {
            "$schema": {"type": "string"},
            "name": {
                "description": "The name of the policy, which is part of the default scopes.",
                "type": "string",
                "pattern": f"^{NAME.pattern}$",
            },
            "version": {
                "description": "Counted up by whoever changes the policy.",
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_VERSION,
                "default": 1,
            },
            "unruled": {
                "description": "What happens to a field without a rule.",
                "enum": list(get_args(Unruled)),
                "default": "error",
            },
            "fields": {
                "description": "Paths to rules. * rules the top-level fields that nothing else "
                "rules.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/$defs/rule"},
            },
        },
        "$defs": {"rule": rule, **definitions},
    }


def _rule(name: str, definitions: Schema) -> Schema:
    found = cast("Schema", adapter(name).json_schema(ref_template="#/$defs/{model}"))
    definitions.update(cast("Schema", found.pop("$defs", {})))
    texts = option_texts(rules()[name])
    properties: Schema = {
        "rule": {"const": name},
    }
    for option, schema in cast("Schema", found.get("properties", {})).items():
        described = {**cast("Schema", schema), "description": texts.get(option, "")}
        described.pop("title", None)
        properties[option] = described
    return {
        "description": summary(rules()[name]),
        "type": "object",
        "required": ["rule", *cast("list[JSON]", found.get("required", []))],
        "additionalProperties": False,
        "properties": properties,
    }
