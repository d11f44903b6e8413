"""
Timing side by side: every contender runs in turn, several times over, and the median counts.

A machine is noisy. Interleaving lets the noise hit all contenders alike, so quote the ratios.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """
    One contender: what it is, values per second, and microseconds per value.
    """

    name: str
    per_second: float

    @property
    def microseconds(self) -> float:
        """
        Time per value.
        """
        return 1e6 / self.per_second


def race(
    contenders: Mapping[str, Callable[[], object]], *, values: int, repeats: int = 7
) -> dict[str, Row]:
    """
    Run each contender *repeats* times in turn, each run handling *values* values.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()
    for _ in range(repeats):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: Row(name, values / statistics.median(taken)) for name, taken in times.items()}


def show(title: str, rows: Mapping[str, Row]) -> None:
    """
    Print the rows as a table.
    """
    print(f"\n{title}")
    print(f"  {'':<44}{'values/s':>12}{'µs each':>10}")
    for row in rows.values():
        print(f"  {row.name:<44}{row.per_second:>12,.0f}{row.microseconds:>10.2f}")


def ratio(rows: Mapping[str, Row], ours: str, theirs: str, target: float) -> bool:
    """
    Print how many times faster *ours* is, beside the target, and return whether it is met.
    """
    times = rows[ours].per_second / rows[theirs].per_second
    met = times >= target
    print(f"  {ours} / {theirs}: {times:.2f} (at least {target:g}) {'met' if met else 'MISSED'}")
    return met
