"""
What `import privkit` costs over a bare interpreter, in fresh processes run in turn.

Names are imported at first use, so what an application pays lies between the two figures.
"""

import statistics
import subprocess
import sys
import time

LIMIT_MILLISECONDS = 60
RUNS = 30


def main() -> bool:
    """
    Print the time and return whether it is within the limit.
    """
    times: dict[str, list[float]] = {
        "pass": [],
        "import privkit": [],
        "from privkit import Policy, StaticKeys, Token": [],
        "from privkit import *": [],
    }
    for _ in range(RUNS):
        for code, taken in times.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            taken.append(1e3 * (time.perf_counter() - start))
    medians = {code: statistics.median(taken) for code, taken in times.items()}
    bare = medians.pop("pass")
    met = medians["import privkit"] - bare <= LIMIT_MILLISECONDS
    print("\nImport time (ms, median of fresh processes)")
    print(f"  bare Python: {bare:.1f}")
    for code, taken in medians.items():
        print(f"  {code}: {taken - bare:.1f} over bare")
    print(
        f"  import privkit is at most {LIMIT_MILLISECONDS} over bare: {'met' if met else 'MISSED'}"
    )
    return met


if __name__ == "__main__":
    main()
