"""
What pyffx wrote is read, and what pyffx let pass is refused.
"""

import copy
import itertools
import pickle
import random
import string
import sys

import pyffx
import pytest

from privkit.ciphers import ffx
from privkit.ciphers.ffx import FFX
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import KEY_BYTES
from tests.vectors.files import read, spelled


def lenient(key, radix):
    """
    Return a cipher for the vectors of short keys and short strings.
    """
    return FFX(key, radix, min_key_size=1, min_domain_size=1)


class TestAgreement:
    def test_agrees_with_the_vectors(self, vectors):
        """
        All values of pyffx 0.3.0 come out, both ways. An integer is written with leading zeros.
        """
        cases = read(vectors / "pyffx" / "pyffx_values.json")["vectors"]
        for case in cases:
            alphabet = case.get("alphabet", string.digits)
            plain, cipher = (
                spelled(str(case[part]).zfill(case["length"]), alphabet)
                for part in ("plain", "cipher")
            )
            subject = lenient(bytes.fromhex(case["key_hex"]), len(alphabet))

            assert cipher == subject.encrypt(plain)
            assert plain == subject.decrypt(cipher)
        assert 27 == len(cases)

    @pytest.mark.parametrize(
        ("plain", "expected"), [("1234567890123456", "1243146738127647"), ("000000", "414032")]
    )
    def test_is_frozen(self, plain, expected):
        """
        Values that pyffx 0.3.0 wrote stay readable, whatever is installed.
        """
        subject = FFX(KEY_BYTES, 10)

        assert spelled(expected, string.digits) == subject.encrypt(spelled(plain, string.digits))
        assert spelled(plain, string.digits) == subject.decrypt(spelled(expected, string.digits))

    @pytest.mark.parametrize("radix", [2, 3, 10, 26, 62, 1000, 65_536])
    def test_agrees_with_the_library(self, radix):
        """
        In any radix and length, the result is pyffx's own.
        """
        source = random.Random(radix)
        original = pyffx.FFX(KEY_BYTES)
        subject = lenient(KEY_BYTES, radix)
        for length in range(2, 40, 3):
            numerals = [source.randrange(radix) for _ in range(length)]
            written = original.encrypt(radix, list(numerals))

            assert written == subject.encrypt(numerals)
            assert numerals == subject.decrypt(written)

    def test_is_a_permutation(self):
        """
        All strings of three numerals have different images.
        """
        subject = lenient(KEY_BYTES, 5)
        domain = set(itertools.product(range(5), repeat=3))

        assert domain == {tuple(subject.encrypt(one)) for one in domain}


class TestRefusals:
    @pytest.mark.parametrize("key", [b"", KEY_BYTES[:15], "sixteen letters...", None, 16])
    def test_short_keys(self, key):
        """
        A key is 16 bytes or more.
        """
        with pytest.raises(KeyMaterialError, match="at least 16 bytes"):
            FFX(key, 10)

    @pytest.mark.parametrize("radix", [1, 0, -1, 65_537, True, 10.0, "10", None])
    def test_radices(self, radix):
        """
        A radix is an integer from 2 to 65,536.
        """
        with pytest.raises(DomainError, match="a radix is an integer from 2 to 65,536"):
            FFX(KEY_BYTES, radix)

    @pytest.mark.parametrize("option", ["min_key_size", "min_domain_size"])
    @pytest.mark.parametrize("minimum", [0, -1, True, 1.0, "1"])
    def test_minima(self, option, minimum):
        """
        A minimum is an integer from 1.
        """
        with pytest.raises(DomainError, match="a minimum is an integer from 1"):
            FFX(KEY_BYTES, 10, **{option: minimum})

    @pytest.mark.parametrize("numerals", [[10] * 6, [-1] * 6, [1.0] * 6, ["1"] * 6, None, "123456"])
    @pytest.mark.parametrize("way", ["encrypt", "decrypt"])
    def test_other_numerals(self, numerals, way):
        """
        Where pyffx reduces a numeral that is too large and cannot undo that, it is refused.
        """
        with pytest.raises(DomainError, match="integers from 0 to 9"):
            getattr(FFX(KEY_BYTES, 10), way)(numerals)

    def test_few_values_are_read_and_not_written(self):
        """
        The floor is for writing. Of one numeral, pyffx makes a shift by a constant.
        """
        subject = FFX(KEY_BYTES, 10)

        assert 5 == len(subject.decrypt([1] * 5))
        with pytest.raises(DomainError, match="at least 6 numerals in radix 10") as caught:
            subject.encrypt([1] * 5)
        assert (6, 5) == (caught.value.minimum, caught.value.length)
        for numerals in ([], [1]):
            with pytest.raises(DomainError, match="at least 2 numerals"):
                subject.decrypt(numerals)

    def test_hosts_of_the_other_order(self, monkeypatch):
        """
        With pyffx, numbers are packed in the order of the host, which would give something else.
        """
        monkeypatch.setattr(sys, "byteorder", "big")

        with pytest.raises(DomainError, match="this host is big-endian"):
            FFX(KEY_BYTES, 10)

    def test_hosts_in_fips_mode(self, monkeypatch):
        """
        Encryption by HMAC-SHA-1 is no business of a host in FIPS mode.
        """
        monkeypatch.setattr("_hashlib.get_fips_mode", lambda: 1)

        with pytest.raises(DomainError, match="FIPS mode"):
            FFX(KEY_BYTES, 10)

    def test_python_without_openssl_has_no_fips_mode(self, monkeypatch):
        """
        Where there is nothing to ask, there is no such mode.
        """
        monkeypatch.setitem(sys.modules, "_hashlib", None)

        assert not ffx.fips_mode()


def test_shows_and_carries_no_key():
    """
    The cipher prints its radix and refuses to be pickled; pyffx's own does neither.
    """
    subject = FFX.from_secret(SecretBytes(KEY_BYTES), 10)

    assert "FFX(radix=10, redacted)" == repr(subject)
    for carry in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            carry(subject)
