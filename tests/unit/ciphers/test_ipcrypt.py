import copy
import json
import os
import pickle
import random
import threading
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    ip_address,
)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.ciphers.cryptopan import CryptoPAn
from privkit.ciphers.ipcrypt import Deterministic, NonDeterministicX, PrefixPreserving
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import DIGITS, EMAIL, IP, KEY_BYTES, TEXT

HALF = KEY_BYTES[:16]
CIPHERS = (
    Deterministic(HALF),
    PrefixPreserving(KEY_BYTES),
    NonDeterministicX(KEY_BYTES),
    CryptoPAn(KEY_BYTES),
)
PERMUTATIONS = tuple(cipher for cipher in CIPHERS if not isinstance(cipher, NonDeterministicX))
SAME_VERSION = (CIPHERS[1], CIPHERS[3])
CANARY_IPV6 = "2001:db8:7c1a:94e3::b7f2"
BY_NAME = {
    "ipcrypt-deterministic": Deterministic,
    "ipcrypt-pfx": PrefixPreserving,
    "ipcrypt-ndx": NonDeterministicX,
}

ipv4 = st.integers(0, 2**32 - 1).map(IPv4Address)
# What is IPv4-mapped is IPv4 to ipcrypt, and has a test of its own.
ipv6 = st.integers(2**48, 2**128 - 1).map(IPv6Address)
addresses = ipv4 | ipv6


def name(cipher):
    return type(cipher).__name__


def common_prefix(one, other):
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()


def draft(vectors, variant):
    data = json.loads((vectors / "ip" / "ipcrypt_draft_vectors.json").read_text())
    return [vector for vector in data["vectors"] if vector["variant"] == variant]


class TestVectors:
    @pytest.mark.parametrize(
        ("variant", "count"), [("ipcrypt-deterministic", 3), ("ipcrypt-pfx", 16)]
    )
    def test_agrees_with_the_draft(self, vectors, variant, count):
        """
        Text enciphers and deciphers as in the draft's appendix.
        """
        found = draft(vectors, variant)

        assert count == len(found)
        for vector in found:
            cipher = BY_NAME[variant](bytes.fromhex(vector["key"]))

            assert vector["output"] == cipher.encrypt(vector["ip"])
            assert vector["ip"] == cipher.decrypt(vector["output"])

    def test_agrees_with_the_draft_on_tweaks(self, vectors):
        """
        The output of ipcrypt-ndx is the tweak and the block.
        """
        found = draft(vectors, "ipcrypt-ndx")

        assert 3 == len(found)
        for vector in found:
            cipher = NonDeterministicX(bytes.fromhex(vector["key"]))
            output = cipher.encrypt(vector["ip"], tweak=bytes.fromhex(vector["tweak"]))

            assert vector["output"] == output.hex()
            assert vector["ip"] == cipher.decrypt(output)


class TestForms:
    @pytest.mark.parametrize("cipher", PERMUTATIONS, ids=name)
    @given(address=addresses)
    def test_comes_back(self, cipher, address):
        """
        An object comes back as the object that it was, and its text as text.
        """
        pseudonym = cipher.encrypt(address)

        assert address == cipher.decrypt(pseudonym)
        assert str(address) == cipher.decrypt(cipher.encrypt(str(address)))
        assert str(pseudonym) == cipher.encrypt(str(address))

    @given(address=addresses)
    def test_comes_back_from_bytes(self, address):
        """
        32 bytes lead back to the address, as text.
        """
        cipher = CIPHERS[2]

        assert 32 == len(cipher.encrypt(address))
        assert str(address) == cipher.decrypt(cipher.encrypt(address))
        assert str(address) == cipher.decrypt(cipher.encrypt(str(address)))

    def test_draws_a_tweak(self):
        """
        Without a tweak, two outputs of one address share nothing.
        """
        one, other = CIPHERS[2].encrypt(IP), CIPHERS[2].encrypt(IP)

        assert one[:16] != other[:16]
        assert one[16:] != other[16:]

    @pytest.mark.parametrize("cipher", SAME_VERSION, ids=name)
    @given(address=addresses)
    def test_keeps_the_version(self, cipher, address):
        """
        IPv4 comes out as IPv4, and IPv6 as IPv6.
        """
        assert type(address) is type(cipher.encrypt(address))

    @pytest.mark.parametrize("cipher", PERMUTATIONS[:2], ids=name)
    def test_takes_mapped_addresses_for_ipv4(self, cipher):
        """
        To ipcrypt, an IPv4-mapped address is the IPv4 address, by which it comes back.
        """
        mapped = f"::ffff:{IP}"

        assert cipher.encrypt(IP) == cipher.encrypt(mapped)
        assert IP == cipher.decrypt(cipher.encrypt(mapped))

    def test_spells_mapped_addresses_alike(self):
        """
        Where an IPv4-mapped address comes out, it is spelled by RFC 5952, section 5.
        """
        cipher = CIPHERS[3]
        mapped = "::ffff:192.0.2.1"

        assert mapped == cipher.decrypt(cipher.encrypt(mapped))
        assert mapped == cipher.decrypt(cipher.encrypt("0:0:0:0:0:FFFF:C000:0201"))

    @pytest.mark.parametrize("cipher", PERMUTATIONS, ids=name)
    def test_reads_every_spelling(self, cipher):
        """
        Spellings of one address have one pseudonym.
        """
        assert cipher.encrypt("2001:db8::1") == cipher.encrypt("2001:0DB8:0:0:0:0:0:1")


class TestPrefixes:
    @pytest.mark.parametrize("cipher", SAME_VERSION, ids=name)
    @settings(max_examples=50)
    @given(data=st.data())
    def test_keeps_the_length_of_common_prefixes(self, cipher, data):
        """
        The pseudonyms of two addresses share as many leading bits as the addresses.
        """
        one = data.draw(addresses)
        bits = one.max_prefixlen
        shared = data.draw(st.integers(0, bits - 1))
        tail = data.draw(st.integers(0, 2 ** (bits - 1 - shared) - 1))
        number = int(one) >> bits - 1 - shared << bits - 1 - shared ^ 1 << bits - 1 - shared | tail
        # Another address in ::ffff:0:0/96 would be IPv4 to ipcrypt.
        other = type(one)(number) if bits == 32 else IPv6Address(number | 1 << 127)
        one = one if bits == 32 else IPv6Address(int(one) | 1 << 127)

        assert common_prefix(one, other) == common_prefix(
            cipher.encrypt(one), cipher.encrypt(other)
        )

    @pytest.mark.parametrize("cipher", SAME_VERSION, ids=name)
    def test_is_a_bijection_of_networks(self, cipher):
        """
        The 4,096 addresses of a /20 become the 4,096 addresses of a /20, in another order.
        """
        images = [cipher.encrypt(address) for address in IPv4Network("198.18.16.0/20")]
        network = IPv4Network((int(images[0]) & ~0xFFF, 20))

        assert set(network) == set(images)
        assert images != sorted(images)

    def test_is_injective_without_prefixes(self):
        """
        The 4,096 addresses of a /20 have as many pseudonyms, scattered over IPv6.
        """
        images = {CIPHERS[0].encrypt(address) for address in IPv4Network("198.18.16.0/20")}

        assert 4096 == len(images)
        assert 4096 == len({int(image) >> 64 for image in images})


class TestRefusals:
    @pytest.mark.parametrize("cipher", CIPHERS, ids=name)
    @pytest.mark.parametrize(
        "rubbish",
        [
            "",
            " ",
            TEXT,
            EMAIL,
            DIGITS,
            f" {IP}",
            f"{IP}\n",
            f"{IP}/32",
            f"{CANARY_IPV6}/64",
            f"{CANARY_IPV6}:1:2:3:4",
            "203.0.113.0177",
            "203.0.113.0xb1",
            "203.0.113",
            "203.0.113.277",
            "٢٠٣.0.113.177",
            "203.0.113.177".translate({46: "\uff0e"}),
            f"{CANARY_IPV6}" * 4000,
        ],
        ids=range(17),
    )
    def test_refuses_what_is_no_address(self, cipher, rubbish):
        """
        Text that is not one whole address is refused by its length.
        """
        with pytest.raises(DomainError, match=f"^a text of length {len(rubbish)} is not") as caught:
            cipher.encrypt(rubbish)

        assert len(rubbish) == caught.value.length
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("cipher", PERMUTATIONS, ids=name)
    def test_refuses_it_on_the_way_back(self, cipher):
        """
        What is no address is no pseudonym either.
        """
        with pytest.raises(DomainError, match="is not an IP address"):
            cipher.decrypt(TEXT)

    @pytest.mark.parametrize("cipher", CIPHERS, ids=name)
    @pytest.mark.parametrize(
        "zoned", [f"{CANARY_IPV6}%eth0", "fe80::1%eth0", IPv6Address(f"{CANARY_IPV6}%1")], ids=str
    )
    def test_refuses_zones(self, cipher, zoned):
        """
        An address with a zone is refused, because its pseudonym has no room for the zone.
        """
        with pytest.raises(DomainError, match="zone"):
            cipher.encrypt(zoned)

    @pytest.mark.parametrize("cipher", CIPHERS, ids=name)
    @pytest.mark.parametrize(
        ("other", "kind"),
        [
            (int(ip_address(IP)), "int"),
            (ip_address(IP).packed, "bytes"),
            (IPv4Interface(f"{IP}/24"), "IPv4Interface"),
            (IPv6Interface(f"{CANARY_IPV6}/64"), "IPv6Interface"),
            (None, "NoneType"),
            (True, "bool"),
        ],
        ids=str,
    )
    def test_refuses_other_types(self, cipher, other, kind):
        """
        Numbers, bytes, interfaces and null are refused by their type.
        """
        with pytest.raises(DomainError, match=f"got {kind}$"):
            cipher.encrypt(other)

    @pytest.mark.parametrize("size", [0, 15, 17, 32])
    def test_refuses_keys_of_another_size(self, size):
        """
        A key of AES-128 is 16 bytes.
        """
        with pytest.raises(KeyMaterialError, match=f"^the key is 16 bytes, got {size}$"):
            Deterministic((KEY_BYTES * 2)[:size])

    @pytest.mark.parametrize("kind", [PrefixPreserving, NonDeterministicX, CryptoPAn])
    @pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
    def test_refuses_double_keys_of_another_size(self, kind, size):
        """
        A double key is 32 bytes.
        """
        with pytest.raises(KeyMaterialError, match=f"^the key is 32 bytes, got {size}$"):
            kind((KEY_BYTES * 2)[:size])

    @pytest.mark.parametrize("kind", [PrefixPreserving, NonDeterministicX])
    def test_refuses_equal_halves(self, kind):
        """
        Two equal halves would cancel each other.
        """
        with pytest.raises(KeyMaterialError, match="halves of the key are equal"):
            kind(HALF * 2)

    @pytest.mark.parametrize(
        "kind", [Deterministic, PrefixPreserving, NonDeterministicX, CryptoPAn]
    )
    def test_refuses_keys_that_are_not_bytes(self, kind):
        """
        A key is bytes, neither text nor something mutable.
        """
        size = 16 if kind is Deterministic else 32

        with pytest.raises(KeyMaterialError, match=r"^a key is bytes, got bytearray$"):
            kind(bytearray(KEY_BYTES[:size]))
        with pytest.raises(KeyMaterialError, match=r"^a key is bytes, got str$"):
            kind(KEY_BYTES.hex()[:size])

    @pytest.mark.parametrize("tweak", [b"", bytes(8), bytes(17), TEXT, 16])
    def test_refuses_other_tweaks(self, tweak):
        """
        A tweak is 16 bytes.
        """
        with pytest.raises(DomainError, match=r"^a tweak is 16 bytes$"):
            CIPHERS[2].encrypt(IP, tweak=tweak)

    @pytest.mark.parametrize("data", [b"", bytes(24), bytes(33), IP, None])
    def test_refuses_other_outputs(self, data):
        """
        An enciphered address is 32 bytes.
        """
        with pytest.raises(DomainError, match=r"^an enciphered address is 32 bytes$"):
            CIPHERS[2].decrypt(data)


class TestSecrecy:
    @pytest.mark.parametrize("cipher", CIPHERS, ids=name)
    def test_prints_no_key(self, cipher):
        """
        The text of a cipher is its name.
        """
        assert f"{name(cipher)}(redacted)" == repr(cipher) == str(cipher)

    @pytest.mark.parametrize("cipher", CIPHERS, ids=name)
    def test_refuses_to_be_copied(self, cipher):
        """
        A cipher is neither pickled nor copied.
        """
        for copier in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"^key material cannot be pickled or copied$"):
                copier(cipher)

    @pytest.mark.parametrize(
        "kind", [Deterministic, PrefixPreserving, NonDeterministicX, CryptoPAn]
    )
    def test_takes_a_secret(self, kind):
        """
        The cipher of a secret is the cipher of its bytes.
        """
        material = HALF if kind is Deterministic else KEY_BYTES
        tweak = {"tweak": bytes(16)} if kind is NonDeterministicX else {}
        cipher = kind.from_secret(SecretBytes(material))

        assert kind(material).encrypt(IP, **tweak) == cipher.encrypt(IP, **tweak)


class TestThreads:
    @pytest.mark.parametrize("cipher", PERMUTATIONS, ids=name)
    def test_serves_threads(self, cipher):
        """
        Eight threads that share a cipher get what one gets.
        """
        numbers = random.Random(4).sample(range(2**32), 200)
        expected = [cipher.encrypt(IPv4Address(number)) for number in numbers]
        results = {}

        def work(index):
            images = [cipher.encrypt(IPv4Address(number)) for number in numbers]
            results[index] = images, [int(cipher.decrypt(image)) for image in images]

        threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [(expected, numbers)] * 8 == list(results.values())

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
    @pytest.mark.parametrize("cipher", PERMUTATIONS, ids=name)
    def test_survives_fork(self, cipher):
        """
        A forked child enciphers as its parent does, and the parent goes on.
        """
        expected = cipher.encrypt(IP)
        child = os.fork()
        if child == 0:
            os._exit(0 if cipher.encrypt(IP) == expected else 1)

        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert expected == cipher.encrypt(IP)
