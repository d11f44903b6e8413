"""
More frozen format-preserving pseudonyms: every release makes and reads these.
"""

import hashlib
import json

import phonenumbers
import pytest
import schwifty
from stdnum import iban as stdnum_iban

from privkit.formats import iban, phone_table
from tests.golden.more_formats import subkeys, transform_of
from tests.needs import REPOSITORY

FILE = REPOSITORY / "tests" / "golden" / "more_formats.json"
DIGEST = "7a1492bb691ea40e820b43693ac7226a016f89d0a4e23443eef963ac82675443"
ROWS = json.loads(FILE.read_text("utf-8"))


def pairs_of(name):
    """
    The values of a format with all options at their defaults, and their pseudonyms.
    """
    return next(row["pairs"] for row in ROWS if row["rule"] == {"format": {"name": name}})


def test_the_file_is_frozen():
    """
    The pseudonyms are those that were released. Add to them in a file of its own.
    """
    assert DIGEST == hashlib.sha256(FILE.read_bytes()).hexdigest()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: json.dumps(row["rule"]))
def test_pseudonyms_are_what_they_were(row):
    """
    Each value still has its pseudonym, and each pseudonym gives its value.
    """
    rule = transform_of(row["rule"])
    protect, reveal = rule.bind(subkeys()).apply, rule.bind_inverse(subkeys()).invert
    for value, pseudonym in row["pairs"]:
        assert pseudonym == protect(value)
        assert value == reveal(pseudonym)


@pytest.mark.filterwarnings("ignore::schwifty.exceptions.NationalChecksumNotVerified")
def test_every_country_is_there():
    """
    There is an IBAN of each country of the table, and two validators take its pseudonym.
    """
    pairs = pairs_of("iban")

    assert set(iban._countries(1)) == {value[:2] for value, _ in pairs}
    for value, pseudonym in pairs:
        assert value[:2] == pseudonym[:2]
        assert stdnum_iban.is_valid(pseudonym) == stdnum_iban.is_valid(value)
        # Each German bank has a rule of its own.
        schwifty.IBAN(pseudonym, validate_bban=value[:2] != "DE")


def test_every_region_is_there():
    """
    There is a phone number of each region, and its pseudonym has its region and type.
    """
    regions = set()
    for pair in pairs_of("phone"):
        kinds = {
            (phonenumbers.region_code_for_number(read), phonenumbers.number_type(read))
            for read in map(phonenumbers.parse, pair)
        }
        regions.update(region for region, _ in kinds)

        assert 1 == len(kinds)
    # Several networks around the world share the name 001.
    assert regions == {
        found.region for code in phone_table._codes(1) for found in phone_table._languages(code, 1)
    }
