"""
Tokens beside HMAC-SHA-256 as the standard library has it.

`hmac.new(…).hexdigest()` is what most code does by hand; `hmac.digest` is the one call that is
quicker. Both get bytes, while `Token` gets text and encodes it.
"""

import hmac
import secrets

from benchmarks.measure import Row, race, ratio, show
from privkit.keys import Key, StaticKeys, Subkeys
from privkit.policy import Policy
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.token import Token

VALUES = 20_000
TARGET = 1.4


def rows() -> dict[str, Row]:
    """
    Race them, values per second each.
    """
    secret = secrets.token_bytes(32)
    texts = [f"{secrets.token_hex(6)}@example.org" for _ in range(VALUES)]
    encoded = [text.encode() for text in texts]
    key = Key.generate("bench")
    subkeys = Subkeys(key, field="email", scope="bench.email")
    policy = Policy("bench", fields={"email": Token()})
    field = policy.bind(StaticKeys(primary=key))["email"].apply
    token = Token().bind(subkeys).apply
    normalized = Token(normalize="email").bind(subkeys).apply
    encrypt = Encrypt().bind(subkeys).apply

    def by_hand() -> None:
        for value in encoded:
            hmac.new(secret, value, "sha256").hexdigest()

    def one_call() -> None:
        for value in encoded:
            hmac.digest(secret, value, "sha256").hex()

    def run(function):
        def loop() -> None:
            for text in texts:
                function(text)

        return loop

    return race(
        {
            "hmac.new": by_hand,
            "hmac.digest": one_call,
            "Token": run(token),
            "Token, through a policy's field": run(field),
            "Token(normalize='email')": run(normalized),
            "Encrypt": run(encrypt),
        },
        values=VALUES,
        repeats=15,
    )


def main() -> bool:
    """
    Print the table and the ratios, and return whether all targets are met.
    """
    table = rows()
    show("Tokens of e-mail addresses", table)
    met = [
        ratio(table, name, "hmac.new", TARGET)
        for name in ("Token", "Token, through a policy's field")
    ]
    return all(met)


if __name__ == "__main__":
    raise SystemExit(not main())
