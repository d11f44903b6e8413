"""
What it costs to look a key up: under a cache that renews it, and under three keys at once.
"""

import secrets

from benchmarks.measure import Row, race, ratio, show
from privkit.keys import Key, StaticKeys
from privkit.keys.cached import CachedKeys
from privkit.policy import Policy
from privkit.transforms.token import Token

VALUES = 20_000
CACHED = 1 / 1.1
"""A lookup in the cache adds at most a tenth to one token."""
CANDIDATES = 1 / 3.2
"""Candidates under three keys cost at most 3.2 tokens."""


def rows() -> dict[str, Row]:
    """
    Race them, values per second each.
    """
    texts = [f"{secrets.token_hex(6)}@example.org" for _ in range(VALUES)]
    keys = StaticKeys(Key.generate("k3"), older=[Key.generate("k2"), Key.generate("k1")])
    policy = Policy("bench", fields={"email": Token()})
    static = policy.bind(keys)["email"]
    cached = policy.bind(CachedKeys(keys, ttl=3600, max_uses=10**9))["email"]

    def run(function):
        def loop() -> None:
            for text in texts:
                function(text)

        return loop

    return race(
        {
            "one token": run(static.apply),
            "one token, under CachedKeys": run(cached.apply),
            "candidates, three live keys": run(static.candidates),
            "candidates, under CachedKeys": run(cached.candidates),
        },
        values=VALUES,
        repeats=31,
    )


def main() -> bool:
    """
    Print the table and the ratios, and return whether all targets are met.
    """
    table = rows()
    show("Keys, per token of an e-mail address", table)
    met = [
        ratio(table, "one token, under CachedKeys", "one token", CACHED),
        ratio(table, "candidates, three live keys", "one token", CANDIDATES),
    ]
    return all(met)


if __name__ == "__main__":
    raise SystemExit(not main())
