"""
The formats by their names: privkit's own, and those that an application adds.
"""

import importlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

from privkit.errors import DomainError
from privkit.formats.alphabet import ALPHANUMERIC, DIGITS, LETTERS, Alphabet
from privkit.formats.contract import Format

FormatClass = TypeVar("FormatClass", bound=type[Format])

NAME: Final = re.compile("[a-z][a-z0-9_]{0,31}")

ALPHABETS: Final[Mapping[str, Alphabet]] = MappingProxyType(
    {"digits": DIGITS, "letters": LETTERS, "alphanumeric": ALPHANUMERIC}
)

BUILT_IN: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "card": ("card", "Card"),
        "date": ("moments", "Date"),
        "datetime": ("moments", "DateTime"),
        "decimal": ("numbers", "DecimalFormat"),
        "email": ("email", "Email"),
        "iban": ("iban", "IBAN"),
        "integer": ("numbers", "Integer"),
        "ipv4": ("ip", "IPv4"),
        "ipv6": ("ip", "IPv6"),
        "mac": ("mac", "MAC"),
        "pattern": ("patterns", "Pattern"),
        "phone": ("phone", "Phone"),
        "ssn": ("ssn", "SSN"),
        "uuid": ("uuids", "UUIDFormat"),
        "vin": ("vin", "VIN"),
    }
)
"""Modules and classes. Each is imported when it is asked for."""

_registered: Final[dict[str, type[Format]]] = {}


def register(format_class: FormatClass, /) -> FormatClass:
    """
    Make a format known by its name, to `FormatPreserving` and to policy files.

    To be used as a decorator of the class, outermost. Whoever loads a policy that names the format
    imports the module first. The name goes into pseudonyms and fingerprints: it is for ever.

    Args:
        format_class: A frozen dataclass that meets `Format`.

    Raises:
        DomainError: If it does not, or its name is taken by another class.

    .. versionadded:: 0.1
    """
    complaint = _complaint(format_class)
    if complaint is not None:
        raise DomainError(complaint)
    taken = _registered.get(format_class.name)
    if format_class.name in {*ALPHABETS, *BUILT_IN} or not (
        taken is None or _place(taken) == _place(format_class)
    ):
        raise DomainError(f"there is another format of the name '{format_class.name}'")
    _registered[format_class.name] = format_class
    return format_class


def names() -> tuple[str, ...]:
    """
    Return the names of all formats in order, alphabets first.
    """
    return (*ALPHABETS, *sorted([*BUILT_IN, *_registered]))


def find(name: str, /) -> type[Format] | None:
    """
    Return the format of a name, or ``None``. Alphabets are none.
    """
    if name in BUILT_IN:
        module, held = BUILT_IN[name]
        found = getattr(importlib.import_module(f"privkit.formats.{module}"), held)
        return cast("type[Format]", found)
    return _registered.get(name)


def defaults(name: str, /) -> Format:
    """
    Return the format of a name with all options at their defaults.

    Raises:
        DomainError: If there is none of that name, or an option has no default.
    """
    found = find(name)
    if found is None:
        raise DomainError(
            f"format is one of {', '.join(names())}, an Alphabet(...), or another format: a "
            "regular expression is a Pattern(...) of privkit.formats.patterns"
        )
    missing = required(found)
    if missing:
        raise DomainError(
            f"the format '{name}' has no default for {', '.join(missing)}: "
            f"write {found.__name__}(...)"
        )
    return found()


def required(format_class: type[Format], /) -> tuple[str, ...]:
    """
    Return the options of a format that have no default.
    """
    return tuple(
        field.name
        for field in fields(cast("Any", format_class))
        if field.init and field.default is MISSING and field.default_factory is MISSING
    )


def check(form: object, /) -> None:
    """
    Refuse what is no format, or goes by a name that belongs to another.

    Raises:
        DomainError: If it is not the class that its name is registered for.
    """
    name = getattr(form, "name", None)
    if not isinstance(name, str) or find(name) is None:
        raise DomainError(
            f"format is one of {', '.join(names())}, an Alphabet, or another format that was "
            f"registered, got {type(form).__name__}"
        )
    if isinstance(form, type):
        raise DomainError(f"format is an object, got a class: write {form.__name__}()")
    if type(form) is not find(name):
        raise DomainError(f"{type(form).__name__} is not the format that is registered as '{name}'")


def _complaint(format_class: object) -> str | None:
    if not inspect.isclass(format_class):
        return f"a class of formats is registered, got {type(format_class).__name__}"
    held = cast("Any", format_class)
    missing = [fact for fact in ("name", "many_kept", "parse", "render") if not hasattr(held, fact)]
    if missing:
        return f"{held.__name__} is no format: it has no {', '.join(missing)}"
    if not isinstance(held.name, str) or not NAME.fullmatch(held.name):
        return (
            "the name of a format is 1 to 32 lower-case letters, digits or underscores, the first "
            "a letter"
        )
    # Its options are part of fingerprints, and what shares a policy shares it for good.
    parameters = getattr(held, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        return f"{held.__name__} is a frozen dataclass: @dataclass(frozen=True)"
    return None


def _place(held: type) -> tuple[str, str]:
    return held.__module__, held.__qualname__
