"""
Numbers without rounding: read from many types, and written without an exponent.
"""

import operator
import re
from datetime import date
from decimal import Decimal
from numbers import Integral, Real
from typing import Final, NoReturn, SupportsIndex, TypeAlias, cast

from privkit.errors import DomainError
from privkit.formats.dates import attempt
from privkit.formats.text import refuse_member

Number: TypeAlias = int | float | Decimal | str
"""A number, or its text. A file holds more digits in text than in a float."""

NUMBER: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")

MAX_DIGITS: Final = 400
"""Digits before the point, and after it: all that a float can have before it."""

LIMIT: Final = 10**MAX_DIGITS


def exact(value: object, what: str = "a value", /) -> tuple[int, int]:
    """
    Return a number as a fraction in lowest terms, the denominator larger than 0.

    A float counts as the shortest decimal that it prints as: 0.1 is one tenth.

    Args:
        value: An integer, a float, a decimal, a number of numpy, or the text of one.

        what: What the number is for, to name it in an error.

    Raises:
        DomainError: If *value* is a boolean or no number, is infinite, or has too many digits.
    """
    refuse_member(value)
    number: int | Decimal | None = None
    if isinstance(value, bool):
        _refuse(value, what)
    if isinstance(value, int | Integral):
        # numpy counts spans of time among the integers, and then refuses them here.
        number = attempt(operator.index, cast("SupportsIndex", value))
    elif isinstance(value, str):
        number = _parsed(value, what)
    elif isinstance(value, float):
        # Not str(): numpy's floats are floats with a repr of their own.
        number = Decimal(float.__repr__(value))
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, Real):
        number = attempt(Decimal, str(value))
    if number is None:
        _refuse(value, what)
    if isinstance(number, Decimal):
        _check(number, what)
    elif abs(number) >= LIMIT:
        _refuse_size(what)
    return number.as_integer_ratio()


def scaled(value: object, places: int, /) -> int:
    """
    Return a number in units of the *places*-th decimal place, rounded down.

    Raises:
        DomainError: As `exact`.
    """
    if type(value) is int and -LIMIT < value < LIMIT:
        return value * ten_to(places)
    numerator, denominator = exact(value)
    return numerator * ten_to(places) // denominator


def ten_to(places: int, /) -> int:
    """
    Return that power of ten. *places* is at least 0, so it is an integer.
    """
    power: int = 10**places
    return power


def places_of(value: object, what: str, /) -> int:
    """
    Return how many decimal places a number has.

    Raises:
        DomainError: As `exact`.
    """
    _, denominator = exact(value, what)
    places = 0
    while ten_to(places) % denominator:
        places += 1
    return places


def written(units: int, places: int, /) -> str:
    """
    Return *units* of the *places*-th decimal place as text, without needless zeros.
    """
    whole, part = divmod(abs(units), ten_to(places))
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{part:0{places}}".rstrip("0") if part else f"{sign}{whole}"


def plainest(value: object, what: str, /) -> int | float | str:
    """
    Return a number as an integer, else as a float, else as text, whichever first holds all of it.

    Equal numbers give equal results, and JSON can hold each.

    Raises:
        DomainError: As `exact`.
    """
    places = places_of(value, what)
    text = written(scaled(value, places), places)
    if not places:
        return int(text)
    nearest = float(text)
    return nearest if Decimal(repr(nearest)) == Decimal(text) else text


def _parsed(text: str, what: str) -> Decimal:
    if len(text) > 2 * MAX_DIGITS or not NUMBER.fullmatch(text):
        raise DomainError(
            f"{what} is a number such as 12 or -3.5, without leading zeros, blanks or separators "
            f"of thousands, got text of {len(text)} characters",
            length=len(text),
        )
    return Decimal(text)


def _check(number: Decimal, what: str) -> None:
    if not number.is_finite():
        raise DomainError(f"{what} is a finite number")
    exponent = cast("int", number.as_tuple().exponent)
    if exponent < -MAX_DIGITS or number.adjusted() >= MAX_DIGITS:
        _refuse_size(what)


def _refuse_size(what: str) -> NoReturn:
    raise DomainError(
        f"{what} has at most {MAX_DIGITS} digits before the point, and as many after it",
        maximum=MAX_DIGITS,
    )


def _refuse(value: object, what: str) -> NoReturn:
    kind = type(value).__name__
    cure = ": dates take unit=" if isinstance(value, date) else ""
    raise DomainError(f"{what} is a number, got {kind}{cure}", type=kind)
