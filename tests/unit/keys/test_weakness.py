import base64
import hashlib
import itertools
import os

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.keys.weakness import PASSWORDS, SAMPLES, weakness
from tests.canaries import KEYS

WEAK = {
    "empty": (b"", "got 0"),
    "short": (os.urandom(31), "got 31"),
    "long": (os.urandom(33), "got 33"),
    "a NUL too many": (os.urandom(32) + b"\0", "got 33"),
    "AES-128": (os.urandom(16), "got 16"),
    "zero": (bytes(32), "text"),
    "ones": (b"\xff" * 32, "distinct"),
    "two values": (b"\x00\xff" * 16, "distinct"),
    "AES-128 twice": (os.urandom(16) * 2, "distinct"),
    "AES-128 and zeros": (os.urandom(16) + bytes(16), "distinct"),
    "period of 20": ((bytes(range(0, 200, 10)) * 2)[:32], "got a"),
    "random, period of 24": ((os.urandom(24) * 2)[:32], "repetition"),
    "counting": (bytes(range(32)), "sequence"),
    "counting by 7": (bytes(7 * i % 256 for i in range(32)), "sequence"),
    "counting down": (bytes(range(255, 223, -1)), "sequence"),
    "RFC 5297": (bytes([*range(0x7F, 0x6F, -1), *range(0x40, 0x50)]), "sequence"),
    "RFC 2104": (b"\x0b" * 16 + bytes(16), "distinct"),
    "RFC 5869 A.1": (b"\x0b" * 22 + bytes(10), "distinct"),
    "RFC 4231 Jefe": (b"Jefe".ljust(32, b"\0"), "text"),
    "passphrase": (b"correct horse battery staple 123", "text"),
    "passphrase with a line end": (b"correct horse battery staple 12\n", "text"),
    "padded passphrase": (b"correct horse battery staple".ljust(32, b"\0"), "text"),
    "passphrase in UTF-8": ("пароль-пароль-42!".encode().ljust(32, b"."), "text"),
    "passphrase in UTF-16": ("correct horse 12".encode("utf-16-le"), "distinct"),
    "hex": (os.urandom(16).hex().encode(), "text"),
    "base64": (base64.b64encode(os.urandom(24)), "text"),
    "hashed password": (hashlib.sha256(b"password").digest(), "published"),
    "hash of nothing": (hashlib.sha256().digest(), "published"),
    "Fernet's sample": (
        base64.urlsafe_b64decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="),
        "published",
    ),
    "text": ("0" * 32, "is bytes, got str"),
    "bytearray": (bytearray(os.urandom(32)), "is bytes, got bytearray"),
    "nothing": (None, "is bytes, got NoneType"),
}


class TestWeakness:
    @pytest.mark.parametrize("name", WEAK)
    def test_weak_material_is_told(self, name):
        """Material that nobody drew at random is told, with the kind of weakness."""
        material, reason = WEAK[name]

        assert reason in weakness(SecretBytes(material))

    @pytest.mark.parametrize("sample", sorted(SAMPLES | PASSWORDS), ids=lambda s: s.hex()[:8])
    def test_published_samples_are_told(self, sample):
        """Every known sample is refused."""
        assert "is drawn at random, got a published sample" == weakness(SecretBytes(sample))

    def test_samples_have_the_size_of_keys(self):
        """A sample of another size would never match."""
        assert {32} == {len(sample) for sample in SAMPLES | PASSWORDS}

    def test_bytes_repeated_are_told(self):
        """Each period up to half the size is told, whatever is repeated."""
        unit = os.urandom(16)
        missed = [n for n in range(1, 17) if weakness(SecretBytes((unit[:n] * 32)[:32])) is None]

        assert [] == missed

    def test_sequences_are_told(self):
        """Each start with each step is told."""
        missed = [
            (start, step)
            for start, step in itertools.product(range(0, 256, 5), range(256))
            if weakness(SecretBytes(bytes((start + i * step) % 256 for i in range(32)))) is None
        ]

        assert [] == missed

    def test_random_material_passes(self):
        """
        Of 20,000 random keys, none is refused.

        By the bound in the module, this fails by chance less than once in 10**5 runs.
        """
        refused = [weakness(SecretBytes(os.urandom(32))) for _ in range(20_000)]

        assert {None} == set(refused)

    @pytest.mark.parametrize("name", KEYS)
    def test_keys_of_the_tests_pass(self, name):
        """The keys of these tests are as good as random ones."""
        assert weakness(SecretBytes(KEYS[name])) is None
