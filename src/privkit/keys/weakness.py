"""
Reasons to refuse key material that nobody drew at random.

Together the rules refuse fewer than one in 10**9 random keys.
"""

import hashlib
from itertools import pairwise
from typing import Final, cast

from privkit.typing import Secret

KEY_SIZE: Final = 32

VARIETY: Final = 18
"""Random keys have fewer distinct bytes, or distinct steps, once in more than 10**10."""

PERIOD: Final = 24
"""The longest period looked for, in bytes: at least 8 bytes then repeat by chance."""

PADDING: Final = "\0 \t\r\n"

SAMPLES: Final = frozenset(
    bytes.fromhex(sample)
    for sample in (
        # SP 800-38A, section F.1.5.
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        # NIST's FF1 and FF3 samples for SP 800-38G.
        "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94",
        "ef4359d8d580aa4f7f036d6f04fc6a942b7e151628aed2a6abf7158809cf4f3c",
        # RFC 5869, sections A.1 to A.3: the PRKs.
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        # RFC 8439, sections 2.5.2 and A.5.
        "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
        "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
        # The Fernet specification.
        "730ff4c7af3d46923e8ed451ee813c87f790b0a226bc96a92de49b5e9c05e1ee",
        # NaCl's secretbox example.
        "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389",
    )
)

PASSWORDS: Final = frozenset(
    hashlib.sha256(password).digest()
    for password in (
        b"",
        b"123456",
        b"12345678",
        b"admin",
        b"changeme",
        b"default",
        b"hello",
        b"key",
        b"letmein",
        b"passphrase",
        b"password",
        b"pepper",
        b"privkit",
        b"qwerty",
        b"salt",
        b"secret",
        b"secret key",
        b"secret-key",
        b"secret_key",
        b"test",
    )
)
"""Hashing a password does not make it a key."""


def weakness(secret: Secret, /) -> str | None:
    """
    Say what is wrong with key material, or ``None``.

    It never raises, since its locals hold key bytes.
    """
    material = cast("object", secret.expose())
    if not isinstance(material, bytes):
        return f"is bytes, got {type(material).__name__}"
    if len(material) != KEY_SIZE:
        return f"is {KEY_SIZE} bytes, got {len(material)}"
    # Bytes that are no text become lone surrogates, which are not printable.
    if material.decode(errors="surrogateescape").strip(PADDING).isprintable():
        return "is drawn at random, got readable text"
    if len(set(material)) < VARIETY:
        return f"is drawn at random, got only {len(set(material))} distinct bytes"
    steps = {(after - before) % 256 for before, after in pairwise(material)}
    if len(steps) < VARIETY:
        return "is drawn at random, got a sequence"
    if any(material.startswith(material[period:]) for period in range(1, PERIOD + 1)):
        return "is drawn at random, got a repetition"
    if material in SAMPLES or material in PASSWORDS:
        return "is drawn at random, got a published sample"
    return None
