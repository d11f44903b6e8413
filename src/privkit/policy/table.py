"""
Plain-text tables for terminals, tickets and the eyes of whoever signs.
"""

import textwrap
from collections.abc import Iterable, Sequence

from privkit.policy.checks import show


def table(header: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """
    Return aligned columns, two blanks apart, in which long cells continue on the next line.

    Args:
        header: The names of the columns.

        rows: The cells.

        widths: The largest width of each column, in characters. A column is as narrow as its
            cells allow.
    """
    wrapped = [
        [_wrap(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows
    ]
    head = [[name] for name in header]
    sizes = [
        max(len(line) for row in [head, *wrapped] for line in row[column])
        for column in range(len(header))
    ]
    lines = [*_lines(head, sizes), "  ".join("-" * size for size in sizes)]
    for row in wrapped:
        lines += _lines(row, sizes)
    return "\n".join(lines)


def _wrap(cell: str, width: int) -> list[str]:
    return textwrap.wrap(show(cell, None), width, break_on_hyphens=False) or [""]


def _lines(row: Sequence[Sequence[str]], sizes: Sequence[int]) -> Iterable[str]:
    for number in range(max(len(cell) for cell in row)):
        cells = [cell[number] if number < len(cell) else "" for cell in row]
        yield "  ".join(cell.ljust(size) for cell, size in zip(cells, sizes, strict=True)).rstrip()
