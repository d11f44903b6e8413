"""
What the options of keyed transforms are checked for, once, at construction.
"""

from collections.abc import Collection

from privkit.errors import DomainError
from privkit.formats.text import is_own, refuse_member


def check_choice(name: str, value: object, choices: Collection[object], /) -> None:
    """
    Refuse an option that is none of its choices.

    Raises:
        DomainError: If *value* is not one of *choices*.
    """
    refuse_member(value)
    if value is not None and type(value) not in {str, int}:
        raise DomainError(f"{name} cannot be of type {type(value).__name__}")
    if value not in choices:
        listed = ", ".join(str(choice) for choice in choices if choice is not None)
        raise DomainError(f"{name} is one of: {listed}")


def check_integer(name: str, value: object, /, minimum: int, maximum: int | None = None) -> None:
    """
    Refuse an option that is no integer, or out of its range.

    Raises:
        DomainError: If *value* is not an integer from *minimum* to *maximum*.
    """
    if type(value) is not int:
        raise DomainError(f"{name} is an integer, got {type(value).__name__}")
    if maximum is None and value < minimum:
        raise DomainError(f"{name} is at least {minimum}, got {value}", minimum=minimum)
    if maximum is not None and not minimum <= value <= maximum:
        raise DomainError(
            f"{name} is {minimum} to {maximum}, got {value}", minimum=minimum, maximum=maximum
        )


def check_scope(scope: object, /) -> None:
    """
    Refuse a scope that could not be told from another by reading it.

    Raises:
        DomainError: If *scope* is neither ``None`` nor a name of printable characters.
    """
    if scope is not None and not (is_own(scope) and scope and scope.isprintable()):
        raise DomainError("scope is a name of one or more printable characters")


def check_reason(name: str, reason: object, /) -> None:
    """
    Refuse a reason that says nothing.

    Raises:
        DomainError: If *reason* is neither ``None`` nor printable text that is not blank.
    """
    if reason is not None and not (is_own(reason) and reason.strip() and reason.isprintable()):
        raise DomainError(f"{name} is a reason, in words on one line")
