import base64
import ipaddress
import json
import pickle
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from privkit import AllowList, IPAddress, Key, MemoryAudit, Policy, StaticKeys
from privkit.ciphers import cryptopan, ipcrypt
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError
from privkit.keys import Subkeys
from privkit.policy.rules import rules
from privkit.transforms.network import MODES, TruncateAddress
from privkit.typing import Technique
from tests.canaries import DIGITS, IP, KEY_BYTES, TEXT, VALUES

IP6 = VALUES["ip version 6"]
KEY = Key("2026-01", KEY_BYTES)
SUBKEYS = Subkeys(KEY, field="logs.client", scope="logs.client")
PERMUTATIONS = [mode for mode in MODES if mode != "random"]
PREFIXES = ["prefix", "crypto-pan"]
ADDRESSES = st.ip_addresses()


def common(one, two):
    """
    Return how many leading bits two addresses of one version share.
    """
    return one.max_prefixlen - (int(one) ^ int(two)).bit_length()


class Given:
    """
    Subkeys of which there is one, from a vector.
    """

    def __init__(self, key):
        self.key = key

    def derive(self, purpose, algorithm, *, size=32):
        """
        Return the key of the vector.
        """
        return SecretBytes(bytes.fromhex(self.key))


class TestIPAddress:
    @given(ADDRESSES, st.sampled_from(MODES), st.booleans())
    def test_addresses_come_back(self, address, mode, as_text):
        """
        What goes in comes back as the same type; out of random ones, as text.
        """
        assume(address.version == 4 or address.ipv4_mapped is None)
        rule = IPAddress(mode=mode)
        value = str(address) if as_text else address
        out = rule.bind(SUBKEYS).apply(value)
        back = rule.bind_inverse(SUBKEYS).invert(out)

        assert ip_address(str(value)) == ip_address(str(back))
        assert type(back) is (str if mode == "random" else type(value))
        if mode != "random":
            assert isinstance(out, str) == as_text
            ip_address(out)
        if mode in PREFIXES:
            assert address.version == ip_address(out).version

    @pytest.mark.parametrize("mode", PREFIXES)
    @given(data=st.data())
    def test_prefixes_are_kept_where_asked(self, mode, data):
        """
        Two addresses share as many leading bits afterwards as before.
        """
        version = data.draw(st.sampled_from([4, 6]))
        one, two = (data.draw(st.ip_addresses(v=version)) for _ in "ab")
        assume(not any(version == 6 and each.ipv4_mapped for each in (one, two)))
        apply = IPAddress(mode=mode).bind(SUBKEYS).apply

        assert common(one, two) == common(apply(one), apply(two))

    def test_networks_are_hidden_by_default(self):
        """
        Addresses of one network do not end up in one, and IPv4 comes out as IPv6.
        """
        out = [IPAddress().bind(SUBKEYS).apply(each) for each in ip_network("192.0.2.0/28")]

        assert {6} == {each.version for each in out}
        assert 16 == len({int(each) >> 96 for each in out})

    def test_random_ones_do_not_link(self):
        """
        One address has another pseudonym each time, which no spreadsheet takes for something else.
        """
        rule = IPAddress(mode="random")
        out = {rule.bind(SUBKEYS).apply(IP) for _ in range(50)}

        assert 50 == len(out)
        assert all(re.fullmatch("ipx[A-Za-z0-9_-]{43}", each) for each in out)
        assert {IP} == {rule.bind_inverse(SUBKEYS).invert(each) for each in out}

    def test_random_ones_agree_with_the_draft(self, vectors):
        """
        The text is base64url of the bytes that the draft has.
        """
        data = json.loads((vectors / "ip" / "ipcrypt_draft_vectors.json").read_text())
        vector = next(each for each in data["vectors"] if each["variant"] == "ipcrypt-ndx")

        body = base64.urlsafe_b64encode(bytes.fromhex(vector["output"])).decode().rstrip("=")

        assert vector["ip"] == IPAddress(mode="random").bind_inverse(Given(vector["key"])).invert(
            f"ipx{body}"
        )

    def test_each_cipher_has_a_key_of_its_own(self):
        """
        Subkeys differ by algorithm, and those of Crypto-PAn by version.
        """
        for mode, algorithm, size, cipher in (
            ("deterministic", "ipcrypt-deterministic", 16, ipcrypt.Deterministic),
            ("prefix", "ipcrypt-pfx", 32, ipcrypt.PrefixPreserving),
        ):
            key = KEY.derive(purpose="ip", scope="logs.client", algorithm=algorithm, size=size)
            bound = IPAddress(mode=mode).bind(SUBKEYS)

            assert [cipher.from_secret(key).encrypt(each) for each in (IP, IP6)] == [
                bound.apply(each) for each in (IP, IP6)
            ]
        bound = IPAddress(mode="crypto-pan").bind(SUBKEYS)
        for version, address in (("IPv4", IP), ("IPv6", IP6)):
            name = f"Crypto-PAn {version}"
            key = KEY.derive(purpose="ip", scope="logs.client", algorithm=name)

            assert cryptopan.CryptoPAn.from_secret(key).encrypt(address) == bound.apply(address)

    def test_versions_are_no_neighbours(self):
        """
        An IPv4 address and the IPv6 addresses that begin with its bits are enciphered apart.
        """
        apply = IPAddress(mode="crypto-pan").bind(SUBKEYS).apply
        shared = [
            int(apply(IPv4Address(number))) == int(apply(IPv6Address(number << 96))) >> 96
            for number in range(0xCB007100, 0xCB007140)
        ]

        assert not any(shared)

    @pytest.mark.parametrize("mode", PERMUTATIONS)
    def test_scopes_do_not_link(self, mode):
        """
        Another scope is another mapping.
        """
        other = Subkeys(KEY, field="logs.client", scope="logs.server")
        rule = IPAddress(mode=mode)

        assert rule.bind(SUBKEYS).apply(IP6) != rule.bind(other).apply(IP6)

    def test_spellings_of_one_address_are_one(self):
        """
        Leading zeros, capitals and IPv4-mapped forms make no difference.
        """
        for mode in ("deterministic", "prefix"):
            apply = IPAddress(mode=mode).bind(SUBKEYS).apply

            assert apply("2001:db8::a") == apply("2001:0DB8:0:0::000A")
            assert apply("192.0.2.1") == apply("::ffff:c000:201")

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize(
        "value",
        [TEXT, DIGITS, f"{IP}.1", f"{IP}/24", f" {IP}", f"{IP6}%eth0", "", int(IPv4Address(IP))],
        ids=range(8),
    )
    def test_other_values_are_refused(self, mode, value):
        """
        What is no address is refused, there and back, with a reason that holds no part of it.
        """
        rule = IPAddress(mode=mode)
        for call in (rule.bind(SUBKEYS).apply, rule.bind_inverse(SUBKEYS).invert):
            with pytest.raises(DomainError) as caught:
                call(value)

            assert str(value) not in f"{caught.value} {caught.value.facts}" or not value

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text[:-1],
            lambda text: f"{text}A",
            lambda text: f"tok{text[3:]}",
            lambda text: f"{text[:-1]}{chr(ord(text[-1]) + 1)}",
            lambda text: text.encode(),
            lambda text: f"{text[:-1]}!",
            lambda text: f"{text}\n",
        ],
        ids=range(7),
    )
    def test_other_texts_are_no_random_pseudonyms(self, change):
        """
        A text is read back only if it is written as `apply` writes it, to the last bit.
        """
        rule = IPAddress(mode="random")
        text = rule.bind(SUBKEYS).apply(IP)
        with pytest.raises(DomainError, match="43 characters"):
            rule.bind_inverse(SUBKEYS).invert(change(text))

    @pytest.mark.parametrize("options", [{"mode": "pfx"}, {"mode": None}, {"scope": ""}], ids=str)
    def test_other_options_are_refused(self, options):
        """
        Modes and scopes are checked at construction.
        """
        with pytest.raises(DomainError):
            IPAddress(**options)

    def test_says_what_it_does(self):
        """
        The facts depend on the mode.
        """
        assert [True, True, False, True] == [IPAddress(mode=mode).deterministic for mode in MODES]
        assert {Technique.RANDOMIZED_ENCRYPTION} == {IPAddress(mode="random").technique}
        assert {Technique.FORMAT_PRESERVING_ENCRYPTION} == {
            IPAddress(mode=mode).technique for mode in PERMUTATIONS
        }

    @pytest.mark.parametrize("mode", MODES)
    def test_shows_no_key(self, mode):
        """
        A bound rule prints the rule alone, and does not pickle.
        """
        rule = IPAddress(mode=mode)
        for bound in (rule.bind(SUBKEYS), rule.bind_inverse(SUBKEYS)):
            assert f"{type(bound).__name__}(rule={rule!r})" == repr(bound)
            with pytest.raises(TypeError, match="key material"):
                pickle.dumps(bound)

    @pytest.mark.parametrize("mode", MODES)
    def test_works_in_a_policy(self, mode):
        """
        A policy file names it, and an authority brings the address back.
        """
        fields = {"client": {"rule": "ip_address", "mode": mode}, "server": "truncate_address"}
        policy = Policy.loads(json.dumps({"name": "logs", "fields": fields}), format="json")
        keys = StaticKeys(KEY)
        row = policy.bind(keys).pseudonymize({"client": IP, "server": IP6})
        authority = policy.authority(
            keys, access=AllowList({"dr.lee": ["abuse"]}), audit=MemoryAudit()
        )

        assert {"client": IP} == authority.reidentify(row, actor="dr.lee", purpose="abuse")
        assert row["server"] == str(ip_network((IP6, 48), strict=False).network_address)
        assert ("nothing" == policy.explain().fields[0].links) == (mode == "random")
        assert {"ip_address", "truncate_address"} <= set(rules())


class TestTruncateAddress:
    @given(ADDRESSES, st.integers(0, 31), st.integers(0, 127), st.booleans())
    def test_keeps_the_network(self, address, ipv4, ipv6, as_text):
        """
        The result is the first address of the network, of the same version and type.
        """
        value = str(address) if as_text else address
        out = TruncateAddress(ipv4=ipv4, ipv6=ipv6).apply(value)
        bits = ipv4 if address.version == 4 else ipv6
        if address.version == 6 and address.ipv4_mapped:
            bits = 96 + ipv4

        assert type(value) is type(out)
        assert ip_network((address, bits), strict=False).network_address == ip_address(out)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("192.0.2.77", "192.0.2.0"),
            ("2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3::"),
            ("::ffff:192.0.2.77", "::ffff:192.0.2.0"),
            (IPv6Address("::ffff:192.0.2.77"), IPv6Address("::ffff:192.0.2.0")),
        ],
        ids=str,
    )
    def test_cuts_to_24_and_48_bits(self, value, expected):
        """
        The defaults are those in common use, and IPv4-mapped addresses are IPv4.
        """
        assert expected == TruncateAddress().apply(value)

    @pytest.mark.parametrize("value", [TEXT, f"{IP}/24", f"{IP6}%1", 1, ipaddress.ip_interface(IP)])
    def test_other_values_are_refused(self, value):
        """
        What is no address is refused.
        """
        with pytest.raises(DomainError):
            TruncateAddress().apply(value)

    @pytest.mark.parametrize(
        "options", [{"ipv4": 32}, {"ipv4": -1}, {"ipv6": 128}, {"ipv6": "48"}, {"ipv4": True}]
    )
    def test_other_options_are_refused(self, options):
        """
        At least the last bit goes.
        """
        with pytest.raises(DomainError):
            TruncateAddress(**options)
