"""
What others say that AES-SIV is.
"""

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.siv import AESSIV
from privkit.errors import TamperedError
from tests.vectors.files import cases


def check(case, associated, sealed):
    """
    Hold a case of Wycheproof against both directions.
    """
    cipher = AESSIV(SecretBytes(case["key"]))
    message = bytes.fromhex(case["msg"])
    if case["result"] == "invalid":
        with pytest.raises(TamperedError):
            cipher.decrypt(sealed, associated)
        return
    assert sealed == cipher.encrypt(message, associated), case["tcId"]
    assert message == cipher.decrypt(sealed, associated), case["tcId"]


def test_agrees_with_one_associated_string(vectors):
    """
    Valid vectors of RFC 5297 encrypt and decrypt exactly; invalid ones are tampered with.
    """
    found = list(cases(vectors / "aead_mac_kdf" / "aes_siv_cmac_test.json"))
    for case in found:
        check(case, [case["aad"]], bytes.fromhex(case["ct"]))

    assert 442 == len(found)


def test_agrees_with_a_nonce_as_the_last_associated_string(vectors):
    """
    The order of associated strings counts, and a nonce is the last one.
    """
    found = list(cases(vectors / "aead_mac_kdf" / "aead_aes_siv_cmac_test.json"))
    for case in found:
        check(case, [case["aad"], case["iv"]], case["tag"] + bytes.fromhex(case["ct"]))

    assert 900 == len(found)
