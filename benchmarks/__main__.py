"""
Run all benchmarks, with peers in the same run: ``python -m benchmarks``.
"""

import os
import platform
import sys

from benchmarks import ciphers, formats, import_time, ip, keys, permutation, records, tokens

BENCHES = (import_time, ciphers, tokens, keys, formats, permutation, ip, records)


def main() -> int:
    """
    Print every table, and fail if a target is missed.
    """
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    missed = [bench.__name__ for bench in BENCHES if not bench.main()]
    print(f"\nmissed in {', '.join(missed)}" if missed else "\nall targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
