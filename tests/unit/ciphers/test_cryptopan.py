import json

import pytest

from privkit.ciphers.cryptopan import CryptoPAn
from tests.canaries import IP, KEY_BYTES


def sets(vectors):
    return json.loads((vectors / "ip" / "cryptopan_vectors.json").read_text())["sets"]


class TestVectors:
    @pytest.mark.parametrize(("version", "count"), [("ipv4", 80), ("ipv6", 2)])
    def test_agrees_with_others(self, vectors, version, count):
        """
        Addresses encipher and decipher as in the reference implementation and its ports.
        """
        seen = 0
        for group in sets(vectors):
            cipher = CryptoPAn(bytes.fromhex(group["key"]))
            for vector in group.get(version, ()):
                seen += 1

                assert vector["output"] == cipher.encrypt(vector["ip"])
                assert vector["ip"] == cipher.decrypt(vector["output"])

        assert count == seen

    def test_agrees_with_the_sample_trace(self, vectors):
        """
        The trace of Crypto-PAn 1.0 comes out as it was sanitized.
        """
        cipher = CryptoPAn(bytes.fromhex(sets(vectors)[0]["key"]))
        raw, sanitized = (
            [
                line.split("\t")[2].strip()
                for line in (vectors / "ip" / f"cryptopan_sample_trace_{kind}.dat")
                .read_text()
                .splitlines()
            ]
            for kind in ("raw", "sanitized")
        )

        assert 100 == len(raw)
        assert sanitized == [cipher.encrypt(address) for address in raw]


class TestCryptoPAn:
    def test_depends_on_both_halves(self):
        """
        Another key of AES or another pad gives other addresses; equal halves are allowed.
        """
        same, first, second = KEY_BYTES[:16], KEY_BYTES[16:], bytes(16)
        images = {
            CryptoPAn(key).encrypt(IP)
            for key in (same + same, same + first, same + second, first + same)
        }

        assert 4 == len(images)

    def test_enciphers_ipv4_like_the_first_bits_of_ipv6(self):
        """
        IPv4 and the IPv6 addresses that begin with it share the bits that they have in common.
        """
        cipher = CryptoPAn(KEY_BYTES)
        short = cipher.encrypt("198.51.100.7").split(".")
        groups = cipher.encrypt("c633:6407::1").split(":")[:2]

        assert bytes(map(int, short)) == bytes.fromhex("".join(g.zfill(4) for g in groups))
