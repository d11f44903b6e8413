"""
A table of people who do not exist.

Names are drawn from word lists, telephone numbers from those kept for fiction (555-01xx), and
addresses of mail end in the domain kept for examples (RFC 2606).
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SEED: Final = 1729
"""Fixed, so that everybody sees the same table."""

GIVEN: Final = _words("""
    Ada Ambrose Beatrix Casper Clementine Dorothea Edmund Elspeth Ferdinand Flora Gideon Harriet
    Hector Imogen Isadora Jasper Lavinia Leopold Mabel Magnus Nerys Octavia Orson Phoebe Quentin
    Rosalind Rufus Sabine Silas Tamsin Theodora Ulric Verity Winifred Yolanda Zebedee
""")
FAMILY: Final = _words("""
    Appleyard Birdwhistle Bramblecombe Candlewick Dewberry Elderflower Fernsby Gorsebush
    Hawksmoor Inkpen Jellicoe Kettleburn Larkspur Meadowcroft Nightingale Oatmarsh Pennywhistle
    Quickthorn Rookwood Silverlock Thistledown Underhay Violetta Willowmere Yarrow
""")
WARDS: Final = ("cardiology", "maternity", "neurology", "orthopaedics", "paediatrics")

COLUMNS: Final = ("mrn", "name", "email", "phone", "born", "zip", "visit", "ward")

OLDEST: Final = date(1928, 1, 1)
YOUNGEST: Final = date(2020, 12, 31)
FIRST_VISIT: Final = date(2025, 1, 1)
LAST_VISIT: Final = date(2025, 12, 31)


def people(rows: int) -> Iterator[tuple[str, ...]]:
    """
    Yield one row for each visit of a person to a clinic. Some people come more than once.
    """
    chance = random.Random(SEED)  # noqa: S311 - made-up data, the same for everybody
    known: list[tuple[str, ...]] = []
    for _ in range(rows):
        if not known or chance.random() < 0.75:  # noqa: PLR2004 - one visit in four is a return
            known.append(_person(chance, len(known)))
        person = chance.choice(known[-20:])
        visit = _day(chance, FIRST_VISIT, LAST_VISIT)
        yield *person, visit.isoformat(), chance.choice(WARDS)


def _person(chance: random.Random, number: int) -> tuple[str, ...]:
    given = chance.choice(GIVEN)
    family = chance.choice(FAMILY)
    return (
        f"{(number * 739_391 + 4_100_623) % 10_000_000:07}",
        f"{given} {family}",
        f"{given}.{family}{number}@mail.example".lower(),
        f"+1 {chance.randrange(201, 990)} 555 01{chance.randrange(100):02}",
        _day(chance, OLDEST, YOUNGEST).isoformat(),
        f"{chance.randrange(501, 99_950):05}",
    )


def _day(chance: random.Random, first: date, last: date) -> date:
    return first + timedelta(days=chance.randrange((last - first).days + 1))
