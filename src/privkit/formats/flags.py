"""
What layouts of dates can tell that not every ``strftime`` writes, and no ``strptime`` reads.

Numbers without leading zeros, names in capitals, and a day padded by a blank: ``%-d``, ``%^b``,
``%e``. They are written here, so that they are the same on each platform.

Source:
    The flags ``-`` and ``^``: GNU C Library, strftime. ``%e``: ISO/IEC 9899:1999, 7.23.3.5.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

NUMBERS: Final = "dmyHIMSj"
NAMES: Final = "aAbBp"

FIELD: Final = re.compile("%(?:[-^]?[A-Za-z]|%)")
RUNNING_ON: Final = re.compile(f"%-[{NUMBERS}](?:[0-9]|%(?:-|[{NUMBERS}YfUWwuGVecxX]))")
"""A number without leading zeros before another digit, so that nobody can tell them apart."""


@lru_cache(maxsize=256)
def plain(layout: str, /) -> str:
    """
    Return the layout that ``strptime`` reads. It takes numbers with and without leading zeros.
    """
    return FIELD.sub(lambda field: _plain(field[0]), layout)


def runs_on(layout: str, /) -> bool:
    """
    Tell whether a number without leading zeros is followed by another digit.
    """
    return RUNNING_ON.search(layout.replace("%%", " ")) is not None


def written(layout: str, moment: datetime, /) -> str:
    """
    Write a moment.
    """
    if plain(layout) == layout:
        return moment.strftime(layout)
    return moment.strftime(FIELD.sub(lambda field: _filled(field[0], moment), layout))


def _plain(field: str) -> str:
    if field == "%e":
        return "%d"
    return f"%{field[2]}" if _is_flagged(field) else field


def _filled(field: str, moment: datetime) -> str:
    if field == "%e":
        return f"{moment.day:2d}"
    if not _is_flagged(field):
        return field
    text = moment.strftime(f"%{field[2]}")
    return str(int(text)) if field[1] == "-" else text.upper().replace("%", "%%")


def _is_flagged(field: str) -> bool:
    return (field[1] == "-" and field[2] in NUMBERS) or (field[1] == "^" and field[2] in NAMES)
