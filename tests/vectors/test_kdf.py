"""
What others say that HKDF with SHA-256 is.
"""

from tests.unit.ciphers.hkdf import hkdf
from tests.vectors.files import cases


def test_the_yardstick_agrees_with_wycheproof(vectors):
    """
    What the unit tests measure subkeys by is RFC 5869.
    """
    found = list(cases(vectors / "aead_mac_kdf" / "hkdf_sha256_test.json"))
    for case in found:
        output = hkdf(case["ikm"], salt=case["salt"], info=case["info"], size=case["size"])

        assert (case["result"] == "valid") == (case["okm"] == output), case["tcId"]

    assert 86 == len(found)
