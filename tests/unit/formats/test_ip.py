import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.ip import IPv4, IPv6, canonical
from tests.canaries import IP, VALUES
from tests.unit.formats.laws import check_laws, check_refused, check_whole

IP6 = VALUES["ip version 6"]


class TestIPv4:
    @given(st.ip_addresses(v=4), st.integers(0), st.integers(0, 31), st.booleans())
    def test_addresses_come_back_and_keep_their_prefix(self, value, other, prefix, text):
        """
        What comes out is an address with the same prefix.
        """
        out = check_laws(IPv4(prefix=prefix), str(value) if text else value, other)
        network = ipaddress.ip_network((value, prefix), strict=False)

        assert ipaddress.IPv4Address(out) in network
        assert IPv4().parse(value)[:3] == IPv4().parse(str(value))[:3]

    def test_the_whole_domain_is_numbered(self):
        """
        All addresses of a network are there, in order.
        """
        every = check_whole(IPv4(prefix=24), IP)

        assert list(map(str, ipaddress.ip_network(f"{IP}/24", strict=False))) == every
        assert 2**32 == IPv4().parse(IP).size

    @pytest.mark.parametrize(
        "value",
        [
            IP + ".1",
            IP[:-4],
            IP.replace("177", "256"),
            IP.replace(".0.", ".00."),
            IP.replace("113", "0113"),
            f"{IP}\n",
            f" {IP}",
            f"{IP}/24",
            "٢٠٣.0.113.177",
            IP6,
            "",
            int(ipaddress.IPv4Address(IP)),
            ipaddress.IPv6Address(IP6),
            ipaddress.ip_interface(f"{IP}/24"),
        ],
    )
    def test_other_values_are_refused(self, value):
        """
        What is no IPv4 address is refused with a reason that holds no part of it.
        """
        check_refused(IPv4(), value)

    @pytest.mark.parametrize("prefix", [-1, 32, True, "8", None])
    def test_other_prefixes_are_refused(self, prefix):
        """
        A prefix leaves at least one bit.
        """
        with pytest.raises(DomainError, match="prefix is"):
            IPv4(prefix=prefix)


class TestIPv6:
    @given(
        st.ip_addresses(v=6) | st.builds(ipaddress.IPv6Address, st.integers(0, 2**48)),
        st.integers(0),
        st.integers(0, 127),
        st.booleans(),
    )
    def test_addresses_come_back_and_keep_their_prefix(self, value, other, prefix, text):
        """
        What comes out is an address with the same prefix, in canonical text.
        """
        written = canonical(int(value)) if text else value
        out = check_laws(IPv6(prefix=prefix), written, other)
        network = ipaddress.ip_network((value, prefix), strict=False)

        assert ipaddress.IPv6Address(out) in network
        assert IPv6().parse(value)[:3] == IPv6().parse(canonical(int(value)))[:3]

    @given(st.lists(st.sampled_from([0, 0, 0, 1, 0xABCD]), min_size=8, max_size=8))
    def test_text_is_what_python_writes(self, groups):
        """
        The canonical text is that of ipaddress, except where newer ones write decimals.
        """
        number = int("".join(f"{group:04x}" for group in groups), 16)
        value = ipaddress.IPv6Address(number)

        assert value == ipaddress.IPv6Address(canonical(number))
        assert value.ipv4_mapped or str(value) == canonical(number)

    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (0, "::"),
            (1, "::1"),
            (1 << 112, "1::"),
            (0xFFFF_0102_0304, "::ffff:102:304"),
            (0x1_0000_0000_0000_0001_0000_0000_0001, "1::1:0:0:1"),
            (0x1_0000_0001_0001_0001_0001_0001_0001, "1:0:1:1:1:1:1:1"),
        ],
    )
    def test_the_first_of_the_longest_runs_is_shortened(self, number, text):
        """
        Only runs of two zeros and more are shortened, and one of them.
        """
        assert text == canonical(number)

    def test_the_whole_domain_is_numbered(self):
        """
        All addresses of a network are there, in order.
        """
        every = check_whole(IPv6(prefix=120), IP6)

        assert list(map(str, ipaddress.ip_network(f"{IP6}/120", strict=False))) == every
        assert 2**128 == IPv6().parse(IP6).size

    @pytest.mark.parametrize(
        "value",
        [
            IP6 + ":",
            IP6.upper(),
            IP6.replace("db8", "0db8"),
            IP6.replace("::", ":0:0:0:"),
            f"{IP6}%eth0",
            f"{IP6}\n",
            f"{IP6}/64",
            "::ffff:203.0.113.177",
            IP,
            "",
            int(ipaddress.IPv6Address(IP6)),
            ipaddress.IPv4Address(IP),
            ipaddress.IPv6Address(f"{IP6}%eth0"),
            ipaddress.ip_interface(f"{IP6}/64"),
        ],
    )
    def test_other_values_are_refused(self, value):
        """
        What is no IPv6 address in canonical form is refused with a reason that holds none of it.
        """
        check_refused(IPv6(), value)

    @pytest.mark.parametrize("prefix", [-1, 128, 64.0])
    def test_other_prefixes_are_refused(self, prefix):
        """
        A prefix leaves at least one bit.
        """
        with pytest.raises(DomainError, match="prefix is"):
            IPv6(prefix=prefix)
