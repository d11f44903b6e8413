"""
What others say that HMAC with SHA-256 is.
"""

import pytest

from privkit.ciphers.prf import HMACSHA256
from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from tests.vectors.files import cases


def test_agrees_with_wycheproof(vectors):
    """
    Valid codes are computed exactly, invalid ones are not; keys that are not 32 bytes are refused.
    """
    found = list(cases(vectors / "aead_mac_kdf" / "hmac_sha256_test.json"))
    for case in found:
        secret, message = SecretBytes(case["key"]), bytes.fromhex(case["msg"])
        if len(case["key"]) != 32:
            with pytest.raises(KeyMaterialError):
                HMACSHA256(secret)
            continue
        code = HMACSHA256(secret).digest(message)[: len(case["tag"])]

        assert (case["result"] == "valid") == (case["tag"] == code), case["tcId"]

    assert 174 == len(found)
