"""
FF1 on 16 digits beside libffx and pyffx, and beside what `FormatPreserving` adds to it.

libffx is FF1 as well and must agree; pyffx is a construction of its own.
"""

import secrets

import ffx
import pyffx

from benchmarks.measure import Row, race, ratio, show
from privkit.ciphers.ff1 import FF1
from privkit.keys import Key, Subkeys
from privkit.transforms.format_preserving import FormatPreserving

VALUES = 2_000
LENGTH = 16


def rows() -> dict[str, Row]:
    """
    Race the four, values per second each.
    """
    key = secrets.token_bytes(32)
    texts = [f"{secrets.randbelow(10**LENGTH):0{LENGTH}}" for _ in range(VALUES)]
    strings = [[int(digit) for digit in text] for text in texts]
    theirs = ffx.FF1(key, radix=10)
    other = pyffx.String(key, alphabet="0123456789", length=LENGTH)
    ours = FF1(key, 10)
    subkeys = Subkeys(Key.generate("bench"), field="card", scope="bench.card")
    bound = FormatPreserving("digits").bind(subkeys)

    def thin(value: str) -> object:
        return bound.apply(value)

    def run(function, values):
        def loop() -> None:
            for value in values:
                function(value)

        return loop

    if [int(digit) for digit in theirs.encrypt(texts[0])] != ours.encrypt(strings[0]):
        raise SystemExit("FF1 and libffx disagree")
    return race(
        {
            "libffx": run(theirs.encrypt, texts),
            "pyffx": run(other.encrypt, texts),
            "FF1": run(ours.encrypt, strings),
            "FormatPreserving": run(thin, texts),
        },
        values=VALUES,
        repeats=15,
    )


def main() -> bool:
    """
    Print the table and return whether the targets are met.
    """
    found = rows()
    show(f"Format-preserving encryption of {LENGTH} digits", found)
    return all(
        [
            ratio(found, "FF1", "libffx", 3),
            ratio(found, "FF1", "pyffx", 7),
            ratio(found, "FormatPreserving", "libffx", 2.5),
            ratio(found, "FormatPreserving", "pyffx", 5),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(not main())
