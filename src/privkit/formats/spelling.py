"""
How a value is written: what stands between its characters, and the case of its letters.
"""

from collections.abc import Container
from typing import Final, NamedTuple

from privkit.errors import DomainError
from privkit.formats.text import plain_text

MAX_LENGTH: Final = 100
"""Characters of a card number, an IBAN or an address with all its separators."""

SLOT: Final = "x"


class Grouped(NamedTuple):
    """
    The characters of a text, and a template with the separators and a slot for each of them.
    """

    characters: str
    template: str


def read_text(value: object, what: str) -> str:
    """
    Return a text as it is.

    Raises:
        DomainError: If *value* is no text, or longer than any of its kind.
    """
    if not isinstance(value, str):
        raise DomainError(f"{what} is text, got {type(value).__name__}")
    if len(value) > MAX_LENGTH:
        raise DomainError(
            f"{what} has at most {MAX_LENGTH} characters, got {len(value)}", maximum=MAX_LENGTH
        )
    return plain_text(value)


def split(text: str, separators: Container[str]) -> Grouped:
    """
    Take the separators out of a text.
    """
    characters = "".join([c for c in text if c not in separators])
    return Grouped(characters, "".join([c if c in separators else SLOT for c in text]))


def fill(template: str, characters: str) -> str:
    """
    Write characters into the slots of a template.
    """
    if len(template) == len(characters):
        return characters
    rest = iter(characters)
    return "".join([next(rest) if slot == SLOT else slot for slot in template])


def case_of(text: str, what: str) -> bool:
    """
    Tell whether the letters of a text are lower case. Without letters, they are.

    Raises:
        DomainError: If some are and some are not.
    """
    lower = text.lower()
    if text == lower:
        return True
    if text == text.upper():
        return False
    raise DomainError(f"the letters of {what} are all upper case or all lower case")
