"""
What `import privkit` costs over a bare interpreter, in fresh processes run in turn.
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
    times: dict[str, list[float]] = {"pass": [], "import privkit": []}
    for _ in range(RUNS):
        for code, taken in times.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            taken.append(1e3 * (time.perf_counter() - start))
    bare, full = (statistics.median(taken) for taken in times.values())
    met = full - bare <= LIMIT_MILLISECONDS
    print("\nImport time (ms, median of fresh processes)")
    print(f"  bare Python {bare:.1f}, with privkit {full:.1f}")
    print(
        f"  {full - bare:.1f} over bare (at most {LIMIT_MILLISECONDS}) {'met' if met else 'MISSED'}"
    )
    return met


if __name__ == "__main__":
    main()
