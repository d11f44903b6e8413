import json
import random
import re
import warnings

import pytest
import schwifty
from hypothesis import given
from hypothesis import strategies as st
from schwifty.exceptions import SchwiftyException
from stdnum import iban as stdnum_iban
from stdnum.iso7064 import mod_11_10

from privkit.errors import DomainError
from privkit.formats import iban
from privkit.formats.iban import IBAN
from privkit.formats.national import COMPUTED, WEIGHTED
from tests import canaries
from tests.unit.formats.laws import check_laws, check_refused, check_whole

FORMS = [IBAN(), IBAN(branch=True), IBAN(bank=False)]
COUNTRIES = iban._countries(1)

EXAMPLES = {
    "AL": "AL47 2121 1009 0000 0002 3569 8741",
    "BE": "BE68 5390 0754 7034",
    "BE known to python-stdnum": "BE48 3200 7018 4927",
    "CZ": "CZ65 0800 0000 1920 0014 5399",
    "EE": "EE38 2200 2210 2014 5685",
    "ES": "ES91 2100 0418 4502 0005 1332",
    "FI": "FI21 1234 5600 0007 85",
    "FR": "FR14 2004 1010 0505 0001 3M02 606",
    "GB": "GB29 NWBK 6016 1331 9268 19",
    "HR": "HR12 1001 0051 8630 0016 0",
    "HU": "HU42 1177 3016 1111 1018 0000 0000",
    "IS": "IS14 0159 2600 7654 5510 7303 39",
    "IT": "IT60 X054 2811 1010 0000 0123 456",
    "ME": "ME25 5050 0001 2345 6789 51",
    "MK": "MK07 2501 2000 0058 984",
    "MT": "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "MU": "MU17 BOMM 0101 1010 3030 0200 000M UR",
    "NO": "NO93 8601 1117 947",
    "PL": "PL61 1090 1014 0000 0712 1981 2874",
    "SC": "SC18 SSCB 1101 0000 0000 0000 1497 USD",
    "TN": "TN59 1000 6035 1835 9847 8831",
}
"""Specimens from the registry."""


def one_by_one(structure):
    """
    Return the kind of each character.
    """
    return re.sub("([0-9]+)([nac])", lambda part: int(part[1]) * part[2], structure)


def is_valid(text):
    """
    Tell whether schwifty takes an IBAN, with the national check digits it knows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            schwifty.IBAN(text, validate_bban=True)
        except SchwiftyException:
            return False
    return True


def check_stays_valid(form, text, other):
    """
    What comes out is valid wherever what went in is.
    """
    out = check_laws(form, text, other)

    assert stdnum_iban.is_valid(out, check_country=False) == stdnum_iban.is_valid(
        text, check_country=False
    )
    # A bank that is not kept may be none.
    if form.bank:
        assert stdnum_iban.is_valid(out) == stdnum_iban.is_valid(text)
    # Each German bank has a rule of its own, which schwifty looks up.
    if text[:2] != "DE":
        assert is_valid(out)
    return out


class TestLaws:
    @given(st.sampled_from(list(EXAMPLES.values())), st.integers(0), st.sampled_from(FORMS))
    def test_ibans_come_back_and_stay_valid(self, text, other, form):
        """
        What comes out is valid, of the same country, and grouped in the same way.
        """
        out = check_stays_valid(form, text, other)

        assert text[:2] == out[:2]
        assert [len(group) for group in text.split(" ")] == [len(g) for g in out.split(" ")]

    @given(st.sampled_from(list(EXAMPLES.values())), st.integers(0))
    def test_case_and_separators_stay(self, text, other):
        """
        Lower case stays lower case, hyphens stay, and the number does not depend on them.
        """
        written = text.lower().replace(" ", "-")
        plain = text.replace(" ", "")

        assert IBAN().parse(text)[:3] == IBAN().parse(written)[:3] == IBAN().parse(plain)[:3]
        assert check_laws(IBAN(), written, other).upper().replace("-", "") == check_laws(
            IBAN(), plain, other
        )

    @given(st.data(), st.sampled_from(sorted(COUNTRIES)), st.integers(0))
    def test_every_country_is_numbered(self, data, country, other):
        """
        In each country of the table, any account number of its structure comes back.
        """
        form = data.draw(st.sampled_from(FORMS))
        layout = iban._layout(1, country, form.bank, form.branch)
        chance = random.Random(other)
        bban = "".join(map(chance.choice, layout.choices))
        bban = bban if country != "NO" else "12" + bban[2:4] + "34" + bban[6:]
        kept = "".join([bban[place] for place in layout.kept])
        bban = layout.unrank(other % 1000, kept)
        if layout.computed:
            # The bank's own check digit is kept as it is, and must be right.
            places, compute = layout.computed
            right = list(bban)
            for place, character in zip(places, compute(bban), strict=True):
                right[place] = character
            bban = "".join(right)
        text = f"{country}{iban.check_98(bban + country)}{bban}"

        check_laws(form, text, other)

    @pytest.mark.parametrize("country", ["ES", "GB", "MU", "SC"])
    def test_what_is_kept_stays(self, country):
        """
        The bank, the branch and a currency stay where they are kept.
        """
        text = EXAMPLES[country].replace(" ", "")
        entry = COUNTRIES[country]
        form = IBAN(branch=True)
        out = check_laws(form, text, 12345)
        free = check_laws(IBAN(bank=False), text, form.parse(text).number + 1)

        assert text != out
        for part in entry.keys() & {"bank", "branch", "currency"}:
            start, end = entry[part]

            assert text[4 + start : 4 + end] == out[4 + start : 4 + end]
        if "currency" in entry:
            assert text[-3:] == free[-3:]

    def test_the_whole_domain_is_numbered(self, monkeypatch):
        """
        Of a country with short account numbers, all are there, each once.
        """
        made_up = {"XX": {"structure": "1a1c1n", "bank": [0, 1]}}
        monkeypatch.setattr(iban, "_countries", lambda _: made_up)
        iban._layout.cache_clear()
        bban = "K07"
        every = check_whole(IBAN(), f"XX{iban.check_98(bban + 'XX')}{bban}")
        iban._layout.cache_clear()

        assert 360 == len(every)
        assert all(one[4] == "K" and int(one[2:4]) in range(2, 99) for one in every)

    def test_norwegian_accounts_skip_what_has_rules_of_its_own(self):
        """
        No account of the group 00 comes out, and the domain is what the check digit leaves.
        """
        parsed = IBAN().parse(EXAMPLES["NO"])
        first = [IBAN().render(parsed, number) for number in range(2000)]

        assert 900_000 == parsed.size
        assert all(stdnum_iban.is_valid(one) for one in first)
        assert all(one.replace(" ", "")[8:10] != "00" for one in first)

    @given(st.integers(0), st.sampled_from(FORMS))
    def test_croatian_check_digits_are_right(self, other, form):
        """
        In Croatia the bank and the account each end in a check digit by ISO 7064 MOD 11-10.
        """
        out = check_laws(form, EXAMPLES["HR"], other).replace(" ", "")

        assert mod_11_10.is_valid(out[4:11])
        assert mod_11_10.is_valid(out[11:])


class TestTable:
    def test_structures_are_those_of_the_registry(self, vectors):
        """
        Each country of SWIFT's registry has its structure.
        """
        path = vectors / "formats" / "iban_registry_structure.json"
        registry = json.loads(path.read_text("utf-8"))
        # Some territories have the IBANs of another country, and none under their own code.
        own = {
            country: one_by_one(entry["bban_spec"].replace("!", ""))
            for country, entry in registry.items()
            if entry["iban_spec"].startswith(country)
        }

        assert len(own) > 80
        assert own == {country: one_by_one(COUNTRIES[country]["structure"]) for country in own}

    def test_rules_have_their_names(self):
        """
        Each rule in the table is known, and none is known for nothing.
        """
        named = {entry["check"] for entry in COUNTRIES.values() if "check" in entry}

        assert named == {*COMPUTED, *WEIGHTED}
        assert set() == {*COMPUTED} & {*WEIGHTED}

    def test_the_documented_countries_have_rules(self):
        """
        The documentation names the countries whose national check digits are right.
        """
        ruled = sorted(country for country in COUNTRIES if "check" in COUNTRIES[country])
        listed = " ".join(IBAN.__doc__.split()).split("That is so in ")[1].split(".")[0]

        assert f"{', '.join(ruled[:-1])} and {ruled[-1]}" == listed


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            canaries.IBAN[:-1] + "8",
            canaries.IBAN[:-1],
            canaries.IBAN + "0",
            f" {canaries.IBAN}",
            f"{canaries.IBAN}\n",
            canaries.IBAN.replace("D", "d"),
            canaries.IBAN.replace("DE", "XX"),
            canaries.IBAN[:8] + "A" + canaries.IBAN[9:],
            "GB12 BARC 2020 1530 093A 59",
            "GB29 1WBK 6016 1331 9268 19",
            "DE75_5121_0800_1245_1261_99",
            "BE41091811735141",
            "ES15 1234-1234-17 1234567890",
            "CZ65 0800 0000 1920 0014 5398",
            "NO23 8601 1117 946",
            "",
            "DE",
            DomainError,
            7551210800,
        ],
    )
    def test_other_values_are_refused(self, value):
        """
        What is no IBAN is refused with a reason that holds no part of it.
        """
        check_refused(IBAN(), value)

    @pytest.mark.parametrize("bban", ["86010017946", "00001117947", "86011117946"])
    def test_norwegian_accounts_with_other_rules_are_refused(self, bban):
        """
        Accounts of the group 00 or the bank 0000, and wrong check digits, are refused.
        """
        said = check_refused(IBAN(), f"NO{iban.check_98(bban + 'NO')}{bban}")

        assert "national" in said

    @pytest.mark.parametrize("check", ["00", "01", "99"])
    def test_check_digits_have_one_form(self, check):
        """
        Check digits that are right only modulo 97 are refused.
        """
        for account in range(400):
            bban = f"NWBK601613{account:08d}"
            if int(iban.check_98(f"{bban}GB")) % 97 == int(check) % 97:
                break
        else:
            pytest.fail("no account has these check digits")

        assert "check digits" in check_refused(IBAN(), f"GB{check}{bban}")

    @pytest.mark.parametrize(
        "options",
        [
            {"bank": 1},
            {"branch": None},
            {"bank": False, "branch": True},
            {"table": 2},
            {"table": True},
        ],
    )
    def test_other_options_are_refused(self, options):
        """
        Options are true or false, a branch needs its bank, and a table must exist.
        """
        with pytest.raises(DomainError):
            IBAN(**options)


class TestVectors:
    @pytest.mark.parametrize("form", FORMS, ids=["bank", "branch", "neither"])
    def test_ibans_of_other_projects(self, vectors, form):
        """
        Valid IBANs come back and stay valid, in the registry or not; the others are refused.
        """
        found = json.loads((vectors / "formats" / "iban_examples.json").read_text("utf-8"))
        valid = found["valid"] + found["valid_not_in_the_swift_registry"]
        for text in valid:
            for other in (0, 1, 10**9 + 7, 10**30 + 57, -1):
                check_stays_valid(form, text, other)
        for case in found["invalid"]:
            check_refused(form, case["iban"])

        assert (102, 12) == (len(valid), len(found["invalid"]))
