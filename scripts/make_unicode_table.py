"""
Print `src/privkit/formats/unicode14.py`. Runs on Python 3.11, whose Unicode database is 14.0.

    python scripts/make_unicode_table.py > src/privkit/formats/unicode14.py
"""

import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator

WANTED = "14.0.0"

IGNORABLE = [
    0x034F,
    *range(0x115F, 0x1161),
    *range(0x17B4, 0x17B6),
    *range(0x180B, 0x1810),
    0x3164,
    *range(0xFE00, 0xFE10),
    0xFFA0,
    *range(0xE0100, 0xE01F0),
]
"""Default_Ignorable_Code_Point of DerivedCoreProperties-14.0.0.txt, without Cf and unassigned."""

HEADER = '''"""
Which characters Unicode 14.0 assigns, which of them cannot be seen, and which are white space.

Made by `scripts/make_unicode_table.py` from the Unicode Character Database 14.0.0. The tables are
part of the normalizations, so they stay as they are whatever Python runs them.

Source:
    UnicodeData.txt: all general categories but Cn and Cs; Cf. DerivedCoreProperties.txt:
    Default_Ignorable_Code_Point. White space is what Python 3.11 strips.
"""

from typing import Final
'''


def ranges(points: Iterable[int]) -> Iterator[str]:
    """
    Yield runs of code points as `first-last`, or `only`, in hexadecimal.
    """
    start = last = None
    for point in [*sorted(points), -1]:
        if last is not None and start is not None and point != last + 1:
            yield f"{start:x}" if start == last else f"{start:x}-{last:x}"
            start = None
        start = point if start is None else start
        last = point


def table(name: str, points: Iterable[int]) -> str:
    """
    Return one table as a line of Python that is broken at blanks.
    """
    lines = textwrap.wrap(" ".join(ranges(points)), 91, break_on_hyphens=False)
    if len(lines) == 1:
        return f'\n{name}: Final = "{lines[0]}"\n'
    body = "".join(f'    "{line} "\n' for line in lines[:-1])
    return f'\n{name}: Final = (\n{body}    "{lines[-1]}"\n)\n'


def main() -> int:
    """
    Print the module.
    """
    if unicodedata.unidata_version != WANTED:
        print(f"this needs a Python with Unicode {WANTED}", file=sys.stderr)
        return 1
    category = {point: unicodedata.category(chr(point)) for point in range(sys.maxunicode + 1)}
    assigned = [point for point, name in category.items() if name not in {"Cn", "Cs"}]
    unseen = {point for point, name in category.items() if name == "Cf"} | set(IGNORABLE)
    space = [point for point in category if chr(point).isspace()]
    print(
        HEADER + table("ASSIGNED", assigned) + table("UNSEEN", unseen) + table("SPACE", space),
        end="",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
