import json
import re

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats.email import SYMBOLS, Email
from tests.canaries import EMAIL, TEXT
from tests.unit.formats.laws import check_laws, check_refused, check_whole

FORMS = [Email(), Email(domain="encipher")]
ATOM = f"[A-Za-z0-9{re.escape(SYMBOLS)}]"
LOCAL = st.from_regex(rf"{ATOM}{{1,9}}(\.{ATOM}{{1,5}}){{0,3}}", fullmatch=True)
LABEL = st.from_regex("[A-Za-z0-9]([A-Za-z0-9-]{0,9}[A-Za-z0-9])?", fullmatch=True)
DOMAIN = st.builds(
    lambda labels, last: ".".join([*labels, last]),
    st.lists(LABEL, min_size=1, max_size=4),
    st.sampled_from(
        ["com", "org", "de", "CO", "museum", "xn--jxalpdlp", "рф", "ישראל", "XN--4dbrk0ce"]
    ),
)


def is_valid(address):
    """
    Tell what email-validator thinks of an address, without looking it up.
    """
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


class TestLaws:
    @given(LOCAL, DOMAIN, st.integers(0), st.sampled_from(FORMS))
    def test_addresses_come_back_and_stay_valid(self, local, domain, other, form):
        """
        What comes out is valid, of the same length, and keeps signs, capitals and the domain.
        """
        address = f"{local}@{domain}"
        assume(is_valid(address))
        out = check_laws(form, address, other)
        signs = "[^A-Za-z0-9]" if re.search("[A-Za-z0-9]", local) else "[.@]"

        assert is_valid(out)
        assert len(address) == len(out)
        assert re.sub("[a-z0-9]", "x", re.sub("[A-Z]", "X", local)) == re.sub(
            "[a-z0-9]", "x", re.sub("[A-Z]", "X", out.rpartition("@")[0])
        ) or not re.search("[A-Za-z0-9]", local)
        assert re.findall(signs, local) == re.findall(signs, out.rpartition("@")[0])
        assert domain.rpartition(".")[2] == out.rpartition(".")[2]
        if form.domain == "keep":
            assert domain == out.rpartition("@")[2]

    def test_the_whole_domain_is_numbered(self):
        """
        All names of one length are there, each once: small letters and digits, or capitals.
        """
        assert 36**2 == len(check_whole(Email(), "a.b@example.org"))
        assert 36 * 26 == len(check_whole(Email(), "aB+@example.org"))
        assert 19**2 == len(check_whole(Email(), "!.!@example.org"))
        assert 36**2 == len(check_whole(Email(domain="encipher"), "a@b.org"))

    def test_one_host_has_one_numbering(self):
        """
        Capital letters of a kept domain make no difference, and small letters are no capitals.
        """
        first, second = Email().parse("ana@Example.ORG"), Email().parse("ana@example.org")

        assert first[:3] == second[:3]
        assert 26 * 36**2 == Email().parse("Ana@example.org").size

    def test_what_is_not_in_ascii_stays(self):
        """
        A label in another script, or in Punycode, is never replaced.
        """
        out = check_laws(Email(domain="encipher"), "ana@mail。bücher.xn--hxajbheg2az3al.gr", 7**20)

        assert is_valid(out)
        assert re.fullmatch("[a-z0-9]{3}@[a-z0-9]{4}。bücher.xn--hxajbheg2az3al.gr", out)

    @pytest.mark.parametrize(
        "domain",
        [
            "clinic1.א.com",
            "k.1ab.xn--jxalpdlp.org",
            "x-n.מים1",
            "a.مثال٣.com",
            "q9.שָׁ.org",
            "col·legi.cat",
            "צה״ל.com",
            "フ・ロ.jp",
            "ｘｎ.ｃｏｍ",
            "bücher.xn--fiqs8S",
        ],
    )
    def test_other_scripts_stay_valid(self, domain):
        """
        Beside labels of another script, also from right to left, the others stay valid.
        """
        address = f"x@{domain}"
        outs = {check_laws(FORMS[1], address, 7**number) for number in range(60)}

        assert is_valid(address)
        assert all(map(is_valid, outs))


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            TEXT,
            EMAIL.replace("@", "."),
            EMAIL.replace("@", "@@"),
            f".{EMAIL}",
            EMAIL.replace("@", ".@"),
            f"{EMAIL[:5]}..{EMAIL[5:]}",
            f'"{EMAIL.replace("@", chr(34) + "@")}',
            EMAIL.replace("x", "ξ"),
            f"{EMAIL}\n",
            f" {EMAIL}",
            f"{TEXT} <{EMAIL}>",
            f"{EMAIL.partition('@')[0]}@[192.0.2.1]",
            f"{EMAIL.partition('@')[0]}@quillfeather",
            f"{EMAIL}.",
            f"{EMAIL}.9",
            EMAIL.replace("@", "@-"),
            EMAIL.replace("@", "@ab--"),
            EMAIL.replace("@", "@bü-."),
            EMAIL.replace("@", "@bü\u200b."),
            EMAIL.replace("@", "@\u0301ü."),
            EMAIL.replace("@", "@a·b."),
            EMAIL.replace("@", f"@{'ü' * 60}."),
            EMAIL.replace("@", "@xn--a."),
            EMAIL.replace("@", "@xn--zz--zz."),
            EMAIL.replace("@", "@xn--zqa-."),
            EMAIL.replace("@", "@1א."),
            EMAIL.replace("@", "@1.א."),
            EMAIL.replace("@", "@אa."),
            EMAIL.replace("@", "@aא."),
            EMAIL.replace("@", "@א-1٣."),
            EMAIL.replace("@", "@ü..") + ".de",
            EMAIL.replace("@", "@ü.ab--c."),
            f"{EMAIL}.²",
            EMAIL.replace("@", f"@{'日本' * 13}." * 4),
            f"{'q' * 100}{EMAIL}" + f".{'ü' * 20}" * 4 + ".de",
            EMAIL.replace("@", f"@{'q' * 64}."),
            EMAIL.replace("@", "@" + "q." * 120),
            f"{'q' * 240}{EMAIL}",
            f"@{'quill.' * 42}feather",
            "",
            EMAIL.encode(),
        ],
        ids=range(41),
    )
    def test_other_values_are_refused(self, value):
        """
        What is no address of that kind is refused with a reason that holds no part of it.
        """
        for form in FORMS:
            check_refused(form, value)

    def test_other_options_are_refused(self):
        """
        The domain is kept or enciphered.
        """
        with pytest.raises(DomainError, match="domain is 'keep' or 'encipher'"):
            Email(domain="token")


class TestVectors:
    @pytest.mark.parametrize("form", FORMS, ids=lambda form: form.domain)
    def test_addresses_of_another_project(self, vectors, form):
        """
        Each address that email-validator accepts comes back and stays valid; others do not pass.
        """
        found = json.loads((vectors / "formats" / "email_addresses.json").read_text("utf-8"))
        accepted = [case["address"] for case in found["cases"] if is_valid(case["address"])]
        for address in accepted:
            for other in (1, 2**61 - 1, 3**400):
                assert is_valid(check_laws(form, address, other))
        passed = set()
        for case in found["cases"]:
            try:
                form.parse(case["address"])
            except DomainError:
                continue
            passed.add(case["address"])

        assert 22 == len(accepted)
        assert set(accepted) == passed
