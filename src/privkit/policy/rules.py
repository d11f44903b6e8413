"""
The rules that a policy file can name: every transform in the folder of transforms.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from privkit import transforms

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@cache
def rules() -> Mapping[str, type]:
    """
    Return the transforms by the names that a policy file gives them.
    """
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(transforms.__path__, f"{transforms.__name__}."):
        for held in vars(importlib.import_module(module.name)).values():
            if isinstance(held, type) and dataclasses.is_dataclass(held):
                name = getattr(held, "name", None)
                if isinstance(name, str) and hasattr(held, "technique"):
                    found[name] = held
    return MappingProxyType(dict(sorted(found.items())))


@cache
def adapter(held: type, /) -> "TypeAdapter[Any]":
    """
    Return what reads the options of a transform or a format.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(held)
