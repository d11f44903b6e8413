import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import mac

from privkit.errors import DomainError
from privkit.formats.mac import MAC
from tests.canaries import VALUES
from tests.unit.formats.laws import check_laws, check_refused

CANARY = VALUES["mac address"]
WAYS = {
    "colons": lambda octets: octets.hex(":"),
    "hyphens": lambda octets: octets.hex("-"),
    "dots": lambda octets: octets.hex(".", 2),
    "nothing": lambda octets: octets.hex(),
}


class TestLaws:
    @given(
        st.binary(min_size=6, max_size=6),
        st.integers(0),
        st.sampled_from(list(WAYS)),
        st.booleans(),
        st.booleans(),
    )
    def test_addresses_come_back_and_stay_valid(self, octets, other, way, upper, oui):
        """
        What comes out is an address of the same maker, or at least of the same two bits.
        """
        text = WAYS[way](octets).upper() if upper else WAYS[way](octets)
        out = check_laws(MAC(oui=oui), text, other)
        changed = bytes.fromhex("".join(filter(str.isalnum, out)))
        colons = changed.hex(":")

        assert mac.is_valid(colons, validate_manufacturer=False)
        assert mac.is_multicast(octets.hex(":")) == mac.is_multicast(colons)
        assert octets[0] % 4 == changed[0] % 4
        assert not oui or octets[:3] == changed[:3]
        assert out == (WAYS[way](changed).upper() if upper else WAYS[way](changed))

    @given(st.binary(min_size=6, max_size=6), st.sampled_from(list(WAYS)))
    def test_the_number_does_not_depend_on_the_spelling(self, octets, way):
        """
        An address has one number, however it is written.
        """
        assert MAC().parse(octets.hex(":"))[:3] == MAC().parse(WAYS[way](octets).upper())[:3]

    def test_digits_alone_stay_digits_alone(self):
        """
        Without a letter nothing shows the case, so no letter comes in; with one, one stays.
        """
        plain = MAC().parse("00:11:22:33:44:55")
        lettered = MAC().parse("00:11:22:33:44:5F")
        maker = MAC().parse("0A:11:22:33:44:55")

        assert [10**6, 2**24 - 10**6, 2**24] == [one.size for one in (plain, lettered, maker)]
        assert "00:11:22:99:99:99" == MAC().render(plain, 10**6 - 1)
        assert "00:11:22:00:00:0A" == MAC().render(lettered, 0)
        assert "0A:11:22:00:00:00" == MAC().render(maker, 0)

    def test_without_the_maker_almost_all_is_replaced(self):
        """
        All bits but two are replaced.
        """
        assert 2**46 - 3 * 10**11 == MAC(oui=False).parse("00:11:22:33:44:5f").size
        assert 2 * 10**11 == MAC(oui=False).parse("02:11:22:33:44:55").size


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            CANARY[:-1],
            CANARY + ":00",
            CANARY.replace(":", "-", 1),
            CANARY.replace("e", "E"),
            CANARY.replace("5", "g"),
            f"{CANARY}\n",
            f" {CANARY}",
            "",
            bytes.fromhex(CANARY.replace(":", "")),
            104027234161400,
        ],
    )
    def test_other_values_are_refused(self, value):
        """
        What is no address is refused with a reason that holds no part of it.
        """
        check_refused(MAC(), value)

    def test_the_option_is_a_boolean(self):
        """
        The maker is kept or not.
        """
        with pytest.raises(DomainError, match="true or false"):
            MAC(oui=3)
