"""
Permutations of few numbers: tables, the shuffle over 100,000 contexts, and FF1 with walking.

The first number of a size pays for the matrices of the shuffle; it is left out.
"""

import sys
import time

from benchmarks.measure import race, show
from privkit.ciphers.permutation import Table, TableCache
from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.shuffle import SometimesRecurse
from privkit.ciphers.walk import WalkingFF1

SECRET = SecretBytes(bytes(range(32)))
SIZES = (1_000, 1_025, 10_000, 100_000, 131_073, 1_000_000)
CONTEXTS = 100_000
VALUES = 500


def main() -> bool:
    """
    Print the tables and return whether the targets are met.
    """
    Table(SECRET, size=100_000)  # imports numpy
    rows = race({"Table of 1,000,000": lambda: Table(SECRET, size=1_000_000)}, values=1, repeats=5)
    show("Making a table (tables/s)", rows)
    seconds = 1 / rows["Table of 1,000,000"].per_second
    made = seconds <= 0.3
    print(f"  with numpy: {seconds:.3f} s (at most 0.3) {'met' if made else 'MISSED'}")
    numpy, sys.modules["numpy"] = sys.modules["numpy"], None
    start = time.perf_counter()
    Table(SECRET, size=1_000_000)
    print(f"  without numpy: {time.perf_counter() - start:.3f} s")
    sys.modules["numpy"] = numpy

    cache = TableCache(SECRET)
    shuffle = SometimesRecurse(SECRET)
    walking = WalkingFF1(SECRET)
    contexts = iter(range(sys.maxsize))
    contenders = {
        "TableCache, 1,000 numbers, one context": lambda: [
            cache.encrypt(n, size=1000, context=b"941") for n in range(VALUES)
        ],
        "FF1 with walking, 10**9 + 7 numbers": lambda: [
            walking.encrypt(n, size=10**9 + 7, context=b"941") for n in range(VALUES)
        ],
    }
    for size in SIZES:
        for name, call in (("there", shuffle.encrypt), ("back", shuffle.decrypt)):
            contenders[f"SometimesRecurse, {size:,} numbers, {name}"] = (
                lambda call=call, size=size: [
                    call(n * 7919 % size, size=size, context=b"%d" % next(contexts))
                    for n in range(VALUES)
                ]
            )
    rows = race(contenders, values=VALUES)
    show("One number at a time, a context each for the shuffle (numbers/s)", rows)
    slowest = min(row.per_second for name, row in rows.items() if "Recurse" in name)

    start = time.perf_counter()
    for n in range(CONTEXTS):
        shuffle.encrypt(n, size=CONTEXTS, context=b"411111%d" % n)
    rate = CONTEXTS / (time.perf_counter() - start)
    met = rate >= 2_000
    print(
        f"  over {CONTEXTS:,} contexts of {CONTEXTS:,} numbers: {rate:,.0f}/s (at least 2,000) "
        f"{'met' if met else 'MISSED'}; slowest size {slowest:,.0f}/s"
    )
    return made and met


if __name__ == "__main__":
    main()
