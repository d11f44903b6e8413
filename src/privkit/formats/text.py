"""
Text as it is: not as a class of its own prints it.

A member of an enumeration of texts equals its value, and ``f"{member}"`` is something else. So is
whatever a subclass of ``str`` likes. Neither may decide what a pseudonym is made of.
"""

from enum import Enum
from typing import TypeGuard

from privkit.errors import DomainError


def refuse_member(value: object, /) -> None:
    """
    Refuse a member of an enumeration, also where it is text, a number or a date.

    Raises:
        DomainError: If *value* is one.
    """
    if isinstance(value, Enum):
        raise DomainError("an enumeration member is passed by its .value")


def is_own(text: object, /) -> TypeGuard[str]:
    """
    Tell whether an option is of the class ``str`` itself.

    Raises:
        DomainError: If it is a member of an enumeration.
    """
    refuse_member(text)
    return type(text) is str


def plain_text(text: str, /) -> str:
    """
    Return the characters of a value that is text, whatever its class prints.

    Raises:
        DomainError: If it is a member of an enumeration.
    """
    refuse_member(text)
    return str.__str__(text)
