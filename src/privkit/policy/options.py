"""
The options of a transform as data, for policy files, fingerprints and comparisons.
"""

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

from privkit.errors import PolicyError
from privkit.typing import JSON

NUMBERED: Final = frozenset({"layout", "table"})
"""Options that are written even at their default: what is frozen for ever stands in the file."""


def options(transform: object, /, *, defaults: bool = False) -> dict[str, JSON]:
    """
    Return the options that differ from their defaults, and the numbered ones.

    Args:
        transform: A frozen dataclass, or an object that holds its options in ``__dict__``.

        defaults: Also return the options that do not differ.

    Raises:
        PolicyError: If an option has no form in a policy file, or the transform hides them.
    """
    if dataclasses.is_dataclass(transform):
        return {
            alias(transform, field.name): _data(getattr(transform, field.name))
            for field in dataclasses.fields(transform)
            if field.init and (defaults or _written(field, getattr(transform, field.name)))
        }
    if hasattr(transform, "__dict__"):
        return {name: _data(value) for name, value in vars(transform).items()}
    raise PolicyError(f"{type(transform).__name__} shows no options: make it a frozen dataclass")


def alias(held: object, name: str, /) -> str:
    """
    Return what pydantic reads an option by, which is also what the option is written by.

    Args:
        held: A dataclass, or an object of one.

        name: The option.
    """
    other = getattr(held, "__pydantic_config__", {}).get("alias_generator")
    return name if other is None else other(name) or name


def _written(field: "dataclasses.Field[object]", value: object) -> bool:
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if field.name in NUMBERED or default is dataclasses.MISSING:
        return True
    # 1 and True are equal, and different options.
    return type(default) is not type(value) or default != value


def _data(value: object) -> JSON:
    match value:
        case Enum():
            return _data(value.value)
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case Mapping():
            return {str(key): _data(held) for key, held in value.items()}
        case list() | tuple():
            return [_data(held) for held in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return _part(value)
        case _:
            raise PolicyError(
                f"an option of type {type(value).__name__} has no form in a policy file"
            )


def _part(held: object) -> JSON:
    chosen = options(held)
    # A format has a name: {name = "card", bin = 8}, and alone if all else is at its default.
    name = getattr(held, "name", None)
    if not isinstance(name, str):
        return chosen
    return {"name": name, **chosen} if chosen else name
