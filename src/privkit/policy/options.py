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
from privkit.typing import JSON, Transform

NUMBERED: Final = frozenset({"layout"})
"""Options that are written even at their default: what is frozen for ever stands in the file."""


def options(transform: Transform, /) -> dict[str, JSON]:
    """
    Return the options that differ from their defaults, and the numbered ones.

    Raises:
        PolicyError: If an option has no form in a policy file, or the transform hides them.
    """
    if dataclasses.is_dataclass(transform):
        return _fields(transform)
    if hasattr(transform, "__dict__"):
        return {name: _data(value) for name, value in vars(transform).items()}
    raise PolicyError(f"{type(transform).__name__} shows no options: make it a frozen dataclass")


def _fields(held: object) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for field in dataclasses.fields(held):  # type: ignore[arg-type]
        value = _data(getattr(held, field.name))
        if field.default_factory is not dataclasses.MISSING:
            default: object = field.default_factory()
        else:
            default = field.default
        # 1 and True are equal, and different options.
        left_out = default is not dataclasses.MISSING and repr(_data(default)) == repr(value)
        if field.init and (field.name in NUMBERED or not left_out):
            found[field.name] = value
    return found


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
            return dict(_fields(value))
        case _:
            raise PolicyError(
                f"an option of type {type(value).__name__} has no form in a policy file"
            )
