"""
How far a run is, on standard error.
"""

import contextlib
import sys
import time
from collections.abc import Iterator

from privkit.errors import MissingExtraError
from privkit.frames.files import Progress


@contextlib.contextmanager
def reporting(*, bar: bool) -> Iterator[Progress | None]:
    """
    Offer a function to report to: a bar if asked for, else a line where somebody watches.

    Raises:
        MissingExtraError: If a bar is asked for and rich is not installed.
    """
    if bar:
        with _bar() as report:
            yield report
    elif sys.stderr.isatty():
        yield _line()
    else:
        yield None


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    try:
        from rich import progress as rich
        from rich.console import Console
    except ImportError:
        raise MissingExtraError("a progress bar", extra="progress") from None

    columns = (
        rich.TextColumn("{task.fields[rows]} rows"),
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=None, rows="0")

        def report(rows: int, part: float | None) -> None:
            total = None if part is None else 1.0
            shown.update(task, total=total, completed=part or 0.0, rows=f"{rows:,}")

        yield report


def _line() -> Progress:
    start = time.monotonic()

    def report(rows: int, part: float | None) -> None:
        speed = rows / max(time.monotonic() - start, 1e-6)
        end = "\n" if part == 1.0 else ""
        print(f"\r{rows:,} rows, {speed:,.0f} rows/s", end=end, file=sys.stderr, flush=True)

    return report
