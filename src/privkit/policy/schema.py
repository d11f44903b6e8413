"""
A JSON Schema of policy files, for completion and checks in editors.

A schema cannot say everything: that a path parses, that ``by`` names a field, or that options fit
together is found when the policy is loaded.

Source:
    JSON Schema, draft 2020-12.
"""

from typing import Final, cast, get_args

from privkit.formats import registry
from privkit.formats.alphabet import Alphabet
from privkit.policy.checks import MAX_VERSION, NAME, Unruled
from privkit.policy.docstring import option_texts, summary
from privkit.policy.rules import adapter, rules
from privkit.transforms.format_preserving import FormatPreserving
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
    properties, required = _options(rules()[name], definitions)
    if rules()[name] is FormatPreserving:
        properties["format"] = {
            **_format(definitions),
            "description": option_texts(FormatPreserving).get("format", ""),
        }
    return _table({"rule": name}, summary(rules()[name]), properties, required)


def _format(definitions: Schema) -> Schema:
    """
    Return what stands for a format: its name, or a table.
    """
    bare: list[JSON] = [{"const": name} for name in registry.ALPHABETS]
    tables: list[JSON] = [_table({}, summary(Alphabet), *_options(Alphabet, definitions))]
    for name in registry.names():
        held = registry.find(name)
        if held is None:
            continue
        said = summary(held)
        properties, required = _options(held, definitions)
        tables.append(_table({"name": name}, said, properties, required))
        if not required:
            bare.append({"const": name, "description": said})
    return {"anyOf": [{"type": "string", "anyOf": bare}, *tables]}


def _options(held: type, definitions: Schema) -> tuple[Schema, list[JSON]]:
    """
    Return the schema of each option, and which are required.
    """
    found = cast("Schema", adapter(held).json_schema(ref_template="#/$defs/{model}"))
    definitions.update(cast("Schema", found.pop("$defs", {})))
    texts = option_texts(held)
    properties: Schema = {}
    for option, schema in cast("Schema", found.get("properties", {})).items():
        described = {**cast("Schema", schema), "description": texts.get(option, "")}
        described.pop("title", None)
        properties[option] = described
    return properties, cast("list[JSON]", found.get("required", []))


def _table(names: dict[str, str], said: str, properties: Schema, required: list[JSON]) -> Schema:
    return {
        "description": said,
        "type": "object",
        "required": [*names, *required],
        "additionalProperties": False,
        "properties": {**{key: {"const": name} for key, name in names.items()}, **properties},
    }
