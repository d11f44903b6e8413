import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.formats.uuids import UUIDFormat
from tests.canaries import UUID
from tests.unit.formats.laws import check_laws, check_refused

FORM = UUIDFormat()
WAYS = {
    "hyphens": str,
    "upper case": lambda value: str(value).upper(),
    "no hyphens": lambda value: value.hex,
    "braces": lambda value: f"{{{value}}}",
    "braces, upper case, no hyphens": lambda value: f"{{{value.hex.upper()}}}",
    "urn": lambda value: value.urn,
    "urn, upper case": lambda value: f"URN:UUID:{value}".upper(),
    "object": lambda value: value,
}


class TestLaws:
    @given(st.uuids(allow_nil=True), st.integers(0), st.sampled_from(list(WAYS)))
    def test_uuids_come_back_and_keep_version_and_variant(self, value, other, way):
        """
        What comes out is a UUID of the same version, variant and spelling.
        """
        out = check_laws(FORM, WAYS[way](value), other)
        # The standard library reads ``urn:uuid:`` in lower case only.
        read = uuid.UUID(str(out).lower())

        assert value.variant == read.variant
        assert value.version == read.version
        assert value.hex[12] == read.hex[12]
        assert type(out)(WAYS[way](read)) == out if way != "object" else read == out

    @given(st.uuids(), st.sampled_from(list(WAYS)))
    def test_the_number_does_not_depend_on_the_spelling(self, value, way):
        """
        A UUID has one number, however it is written.
        """
        assert FORM.parse(value)[:3] == FORM.parse(WAYS[way](value))[:3]

    def test_digits_alone_stay_digits_alone(self):
        """
        Without a letter nothing shows the case, so no letter comes in; with one, one stays.
        """
        plain = FORM.parse("12345678-1234-4234-8234-123456789012")
        lettered = FORM.parse("A2345678-1234-4234-8234-123456789012")

        assert 2 * 10**30 == plain.size
        assert 2**122 - 2 * 10**30 == lettered.size
        assert "99999999-9999-4999-9999-999999999999" == FORM.render(plain, plain.size - 1)
        assert "00000000-0000-4000-8000-00000000000A" == FORM.render(lettered, 0)
        assert "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF" == FORM.render(lettered, lettered.size - 1)

    def test_nil_and_greatest_are_uuids_too(self):
        """
        A UUID of no known version keeps the digit in its place.
        """
        nil = check_laws(FORM, uuid.UUID(int=0), 5)
        greatest = check_laws(FORM, uuid.UUID(int=2**128 - 1), 5)

        assert "0" == nil.hex[12]
        assert ("f", "e") == (greatest.hex[12], greatest.hex[16])


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            UUID[:-1],
            UUID + "0",
            UUID.replace("-", "", 1),
            UUID.replace("8", "g"),
            UUID.replace("a", "A"),
            "{" + UUID,
            UUID + "}",
            f" {UUID}",
            f"{UUID}\n",
            f"[{UUID}]",
            "",
            int(UUID.replace("-", ""), 16),
            uuid.UUID(UUID).bytes,
        ],
        ids=range(13),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no UUID is refused with a reason that holds no part of it.
        """
        check_refused(FORM, value)
