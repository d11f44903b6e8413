"""
What others say that FF1 is.
"""

import pytest

from privkit.ciphers.ff1 import FF1
from privkit.errors import DomainError, KeyMaterialError, PrivkitError
from tests.vectors.files import cases, read, spelled

KEY = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94"
BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
TEN, NINETEEN = "0123456789", "0123456789abcdefghi"
TWEAK, OTHER_TWEAK = "39383736353433323130", "3737373770717273373737"

SAMPLES = [
    (1, 16, 10, "", TEN, "2433477484"),
    (2, 16, 10, TWEAK, TEN, "6124200773"),
    (3, 16, 36, OTHER_TWEAK, NINETEEN, "a9tv40mll9kdu509eum"),
    (4, 24, 10, "", TEN, "2830668132"),
    (5, 24, 10, TWEAK, TEN, "2496655549"),
    (6, 24, 36, OTHER_TWEAK, NINETEEN, "xbj3kv35jrawxv32ysr"),
    (7, 32, 10, "", TEN, "6657667009"),
    (8, 32, 10, TWEAK, TEN, "1001623463"),
    (9, 32, 36, OTHER_TWEAK, NINETEEN, "xs8a0azh2avyalyzuwd"),
]
WYCHEPROOF = {
    "aes_ff1_base10_test.json": 3845,
    "aes_ff1_base26_test.json": 3076,
    "aes_ff1_base36_test.json": 2854,
    "aes_ff1_base62_test.json": 2474,
    "aes_ff1_radix10_test.json": 3845,
    "aes_ff1_radix256_test.json": 2021,
    "aes_ff1_radix26_test.json": 3076,
    "aes_ff1_radix36_test.json": 2854,
    "aes_ff1_radix62_test.json": 2474,
    "aes_ff1_radix65536_test.json": 1049,
}
SMALL = 69


def numerals(case, name):
    """
    Return a string of a case as numerals, however its file writes it.
    """
    alphabet = case.get("alphabet")
    return case[name] if alphabet is None else spelled(case[name], alphabet)


def both_ways(cipher, plaintext, tweak):
    """
    Return a ciphertext, and what it decrypts to.
    """
    ciphertext = cipher.encrypt(plaintext, tweak)
    return ciphertext, cipher.decrypt(ciphertext, tweak)


@pytest.mark.parametrize(
    ("key_size", "radix", "tweak", "plaintext", "ciphertext"),
    [sample[1:] for sample in SAMPLES],
    ids=[f"sample {sample[0]}" for sample in SAMPLES],
)
def test_agrees_with_the_samples_of_the_standard(key_size, radix, tweak, plaintext, ciphertext):
    """
    NIST's nine samples of FF1 encrypt and decrypt exactly.
    """
    cipher = FF1(bytes.fromhex(KEY)[:key_size], radix)
    start, end = spelled(plaintext, BASE_36), spelled(ciphertext, BASE_36)

    assert (end, start) == both_ways(cipher, start, bytes.fromhex(tweak))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("nist_sp800_38g_samples.json", 9),
        ("other/peer_vectors.json", 9),
        ("other/voltage_ffx_vectors.json", 5),
    ],
)
def test_agrees_with_peers(vectors, name, count):
    """
    What other implementations are tested with, FF1 computes as well.
    """
    found = read(vectors / "ff1" / name)["vectors"]

    assert count == len(found)

    for case in found:
        start, end = (case.get(f"{text}_numerals", case[text]) for text in ("pt", "ct"))
        cipher = FF1(bytes.fromhex(case["key"]), case["radix"])

        assert (end, start) == both_ways(cipher, start, bytes.fromhex(case["tweak"]))


def test_agrees_with_acvp(vectors):
    """
    NIST's validation programme gets the answers it expects.
    """
    folder = vectors / "ff1" / "acvp"
    answers = {
        case["tcId"]: case
        for group in read(folder / "expectedResults.json")["testGroups"]
        for case in group["tests"]
    }
    asked = [
        group | case | answers[case["tcId"]]
        for group in read(folder / "prompt.json")["testGroups"]
        for case in group["tests"]
    ]

    assert 750 == len(asked)

    for case in asked:
        cipher = FF1(bytes.fromhex(case["key"]), case["radix"])
        tweak = bytes.fromhex(case["tweak"])[: case["tweakLen"] // 8]
        start, end = numerals(case, "pt"), numerals(case, "ct")

        assert (end, start) == both_ways(cipher, start, tweak), case["tcId"]


@pytest.mark.parametrize(("name", "count"), WYCHEPROOF.items(), ids=WYCHEPROOF)
def test_agrees_with_wycheproof(vectors, name, count):
    """
    Valid vectors encrypt and decrypt exactly; invalid ones are refused.
    """
    seen = 0
    for case in cases(vectors / "ff1" / "wycheproof" / name):
        seen += 1
        number = case["tcId"]
        floor = 100 if "SmallMessageSize" in case["flags"] else 1_000_000
        start, end = numerals(case, "msg"), numerals(case, "ct")
        if case["result"] == "invalid":
            with pytest.raises(PrivkitError):
                FF1(case["key"], case["radix"], min_domain_size=floor).encrypt(start, case["tweak"])
            continue
        cipher = FF1(case["key"], case["radix"], min_domain_size=floor)

        assert (end, start) == both_ways(cipher, start, case["tweak"]), number

    assert count == seen


@pytest.mark.parametrize("name", WYCHEPROOF)
def test_refuses_wrong_keys_and_numerals_by_name(vectors, name):
    """
    An invalid vector is refused for the reason that it is invalid for.
    """
    reasons = {
        "InvalidKeySize": KeyMaterialError,
        "InvalidMessageSize": DomainError,
        "InvalidPlaintext": DomainError,
    }
    for case in cases(vectors / "ff1" / "wycheproof" / name):
        if case["result"] == "invalid":
            reason = next(reasons[flag] for flag in case["flags"] if flag in reasons)
            for direction in ("encrypt", "decrypt"):
                with pytest.raises(reason):
                    cipher = FF1(case["key"], case["radix"])
                    getattr(cipher, direction)(numerals(case, "msg"), case["tweak"])


def test_refuses_small_domains_unless_asked(vectors):
    """
    Of all vectors, exactly the 69 valid ones below 1,000,000 values are refused by default.
    """
    listed = read(vectors / "ff1" / "small_domain.json")["files"]
    refused = 0
    for name in WYCHEPROOF:
        numbers = []
        for case in cases(vectors / "ff1" / "wycheproof" / name):
            string = numerals(case, "msg")
            if case["result"] == "valid" and case["radix"] ** len(string) < 1_000_000:
                numbers.append(case["tcId"])
                with pytest.raises(DomainError):
                    FF1(case["key"], case["radix"]).encrypt(string, case["tweak"])
        refused += len(numbers)

        assert listed[name]["valid_but_domain_below_1000000"] == numbers

    assert refused == SMALL
