"""
Every format through the transform: what goes in comes back, and what comes out is valid.
"""

import copy
import ipaddress
import json
import pickle
import re
import string
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from hmac import digest
from typing import ClassVar, NamedTuple
from uuid import UUID

import phonenumbers
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn
from stdnum.us import ssn as stdnum_ssn
from vininfo import Vin

from privkit import AllowList, Key, MemoryAudit, Policy, StaticKeys
from privkit.ciphers.ff1 import FF1
from privkit.errors import DomainError
from privkit.formats import iban, registry
from privkit.formats.alphabet import Alphabet
from privkit.formats.card import Card
from privkit.formats.contract import Parsed
from privkit.formats.email import Email
from privkit.formats.ip import IPv4, IPv6
from privkit.formats.mac import MAC
from privkit.formats.moments import Date, DateTime
from privkit.formats.numbers import DecimalFormat, Integer
from privkit.formats.patterns import Pattern
from privkit.formats.phone import Phone
from privkit.formats.registry import find, required
from privkit.formats.ssn import SSN
from privkit.formats.uuids import UUIDFormat
from privkit.formats.vin import VIN
from privkit.keys import Subkeys
from privkit.policy import manifest
from privkit.transforms.format_preserving import FormatPreserving
from tests.canaries import DATE, DIGITS, EMAIL, IBAN, IP, KEY_BYTES, OTHER_KEY_BYTES, PHONE, TEXT
from tests.canaries import UUID as ID
from tests.unit.ciphers.forks import in_child

KEY = Key("2026-01", KEY_BYTES)
SUBKEYS = Subkeys(KEY, field="people.a", scope="people.a")
OTHERS = {
    "scope": Subkeys(KEY, field="people.a", scope="people.b"),
    "key": Subkeys(Key("2026-01", OTHER_KEY_BYTES), field="people.a", scope="people.a"),
}
REASON = "a test of few values"
CARD = DIGITS[:15] + stdnum_luhn.calc_check_digit(DIGITS[:15])


def is_phone(value):
    """
    Tell whether libphonenumber finds a number valid.
    """
    return phonenumbers.is_valid_number(phonenumbers.parse(value, "DE"))


def is_card(value):
    """
    Tell whether the check digit of a card number is right.
    """
    return stdnum_luhn.is_valid(re.sub("[ -]", "", str(value)))


def is_email(value):
    """
    Return what email-validator finds in an address, or raise its error.
    """
    # Names such as .example are nobody's, which is why they stand here.
    return validate_email(value, check_deliverability=False, globally_deliverable=False)


SAMPLES = {
    "card": [
        (Card(last=0), CARD, is_card),
        (Card(), "4111-1111-1111-1111", is_card),
        (Card(bin=8), "4012888888881881", is_card),
        (Card(bin=6, last=0), 378282246310005, is_card),
    ],
    "date": [
        (Date(), DATE, date.fromisoformat),
        (Date(maximum="2001-01-01"), date(1996, 2, 29), lambda value: value.year <= 2001),
        (Date(format="%d/%m/%Y"), "29/02/1996", lambda value: datetime.strptime(value, "%d/%m/%Y")),
    ],
    "datetime": [
        (DateTime(), f"{DATE}T10:30:00+01:00", datetime.fromisoformat),
        (DateTime(), datetime(1996, 2, 29, 10, tzinfo=UTC), lambda value: value.tzinfo is UTC),
    ],
    "decimal": [
        (DecimalFormat(), Decimal("-1234567.80"), lambda value: value.is_finite()),
        (DecimalFormat(), "12.5", Decimal),
    ],
    "email": [
        (Email(), EMAIL, is_email),
        (Email(domain="encipher"), "Ana.O@Clinic.example.org", is_email),
        (Email(), "ana@example.org", is_email),
    ],
    "iban": [
        (iban.IBAN(), IBAN, stdnum_iban.is_valid),
        (iban.IBAN(bank=False), "gb82 west 1234 5698 7654 32", stdnum_iban.is_valid),
        (iban.IBAN(), "NO9386011117947", stdnum_iban.is_valid),
    ],
    "integer": [
        (Integer(), 742918365, lambda value: type(value) is int),
        (Integer(), "-742918365", int),
        (Integer(minimum=0, maximum=120), 43, lambda value: 0 <= value <= 120),
    ],
    "ipv4": [
        (IPv4(), IP, ipaddress.IPv4Address),
        (IPv4(prefix=24), ipaddress.IPv4Address(IP), ipaddress.IPv4Address),
    ],
    "ipv6": [
        (IPv6(), "2001:db8:7c1a:94e3::b7f2", ipaddress.IPv6Address),
        (IPv6(prefix=120), "2001:db8::17", ipaddress.IPv6Address),
    ],
    "mac": [
        (
            MAC(),
            "5e:9b:c4:07:d2:f8",
            lambda value: re.fullmatch("5e:9b:c4(:[0-9a-f]{2}){3}", value),
        ),
        (MAC(oui=False), "5E9BC407D2F8", re.compile("[0-9A-F]{12}").fullmatch),
    ],
    "pattern": [
        (Pattern("[A-Z]{2}[0-9]{7}"), "XK7420981", re.compile("[A-Z]{2}[0-9]{7}").fullmatch),
        (Pattern("(?i)MRN-[0-9]{3}"), "mrn-882", re.compile("(?i)MRN-[0-9]{3}").fullmatch),
    ],
    "phone": [
        (Phone(), PHONE, is_phone),
        (Phone(region="DE"), "(030) 901820", is_phone),
        (Phone(), "+1 212-555-0143 ext. 77", is_phone),
        (Phone(), "+247 62889", is_phone),
    ],
    "ssn": [
        (SSN(), "612-84-7093", stdnum_ssn.is_valid),
        (SSN(last=4), "612847093", stdnum_ssn.is_valid),
    ],
    "uuid": [
        (UUIDFormat(), ID, UUID),
        (UUIDFormat(), UUID(ID), lambda value: value.version == 4),
    ],
    "vin": [
        (VIN(), "1M8GDM9AXKP042788", lambda value: Vin(value).verify_checksum()),
        (VIN(wmi=False), "1m8gdm9axkp042788", lambda value: Vin(value.upper()).verify_checksum()),
    ],
}
CASES = [
    pytest.param(form, value, valid, id=f"{name} {number}")
    for name, cases in SAMPLES.items()
    for number, (form, value, valid) in enumerate(cases)
]
SMALL = [
    (Card(bin=8), "4012888888881881"),
    (Date(minimum="2024-01-01", maximum="2025-12-31", format="%-d %b %Y"), "29 Feb 2024"),
    (DateTime(minimum="2024-03-30", maximum="2024-04-02"), "2024-03-31T02+05:30"),
    (DecimalFormat(), "12.5"),
    (Email(), "a.B@example.org"),
    (Email(domain="encipher"), "!@a.bücher.de"),
    (Integer(minimum=0, maximum=120), 43),
    (Integer(), "-743"),
    (IPv4(prefix=24), IP),
    (IPv6(prefix=120), "2001:db8::17"),
    (Pattern("[A-Z][0-9]?[a-c]"), "X4b"),
    (Phone(), "+247 62889"),
]
"""Values with few that keep the same."""


def rule_of(form, **options):
    """
    Return the rule of a format, which takes small domains.
    """
    return FormatPreserving(form, small_domain=REASON, **options)


class Both(NamedTuple):
    """
    Both directions of one rule, so that examples share their tables.
    """

    bound: object
    inverse: object


@cache
def both_ways(form):
    """
    Bind the rule of a format both ways, once for all values.
    """
    return Both(rule_of(form).bind(SUBKEYS), rule_of(form).bind_inverse(SUBKEYS))


def framed(*parts):
    """
    The framing of byte strings, written down a second time.
    """
    sized = b"".join(len(part).to_bytes(8) + part for part in parts)
    return len(parts).to_bytes(8) + sized


def walked(number, size, context):
    """
    FF1 over two numerals and cycle walking, for up to 2**32 values, written down a second time.
    """
    secret = KEY.derive(purpose="fpe", scope="people.a", algorithm="FF1-AES-256 walking")
    radix = next(radix for radix in range(int(size**0.5), 65_537) if radix**2 >= size)
    cipher = FF1.from_secret(secret, radix)
    tweak = framed(size.to_bytes((size.bit_length() + 7) // 8), context)
    while True:
        first, second = cipher.encrypt(divmod(number, radix), tweak)
        number = first * radix + second
        if number < size:
            return number


def sorted_in(number, size, context):
    """
    The permutation of few numbers as a sorted list, written down a second time.
    """
    secret = KEY.derive(purpose="fpe", scope="people.a", algorithm="privkit permutation")
    info = framed(b"privkit permutation 1", b"table", size.to_bytes(8), context)
    stream = Cipher(AES(digest(secret.expose(), info, "sha256")), CTR(bytes(16))).encryptor()
    drawn = stream.update(bytes(8 * size))
    keys = [int.from_bytes(drawn[at : at + 8], "little") for at in range(0, 8 * size, 8)]
    return sorted(keys).index(keys[number])


class TestEveryFormat:
    def test_has_samples(self):
        """
        No format goes untested.
        """
        assert set(registry.BUILT_IN) == set(SAMPLES)

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    def test_comes_back_valid(self, form, value, valid):
        """
        The pseudonym is another valid value that keeps what is kept and is written alike.
        """
        rule = rule_of(form)
        pseudonym = rule.bind(SUBKEYS).apply(value)
        before, after = form.parse(value), form.parse(pseudonym)

        assert value == rule.bind_inverse(SUBKEYS).invert(pseudonym)
        assert value != pseudonym
        assert type(value) is type(pseudonym)
        assert valid(pseudonym)
        assert (before.size, before.kept) == (after.size, after.kept)
        # A phone number carries its own text along.
        assert form.name == "phone" or before.spelling == after.spelling

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    @given(number=st.integers(0, 2**128))
    @settings(max_examples=20, deadline=None)
    def test_any_value_comes_back_valid(self, form, value, valid, number):
        """
        So does any other value that keeps the same.
        """
        parsed = form.parse(value)
        value = form.render(parsed, number % parsed.size)
        both = both_ways(form)
        pseudonym = both.bound.apply(value)

        assert valid(pseudonym)
        assert value == both.inverse.invert(pseudonym)
        assert parsed[1:3] == form.parse(pseudonym)[1:3]

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    def test_differs_between_two_fields(self, form, value, valid):
        """
        One value in two fields of a record has two pseudonyms, unless they share a scope.
        """
        rules = {"a": rule_of(form), "b": rule_of(form), "c": rule_of(form, scope="people.a")}
        row = (
            Policy("people", fields=rules)
            .bind(StaticKeys(KEY))
            .pseudonymize(dict.fromkeys(rules, value))
        )

        assert all(map(valid, row.values()))
        assert row["a"] == row["c"] != row["b"]

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    def test_differs_by_scope_and_key(self, form, value, valid):
        """
        Another scope or key gives another valid pseudonym; another field of the scope does not.
        """
        rule = rule_of(form)
        field = Subkeys(KEY, field="people.b", scope="people.a")
        made = [rule.bind(its).apply(value) for its in (SUBKEYS, *OTHERS.values())]

        assert 3 == len(set(made))
        assert all(map(valid, made))
        assert made[0] == rule.bind(field).apply(value)

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    def test_is_refused_where_few_values_keep_the_same(self, form, value, valid):
        """
        Below 1,000,000 values, nothing is done without a reason.
        """
        size = form.parse(value).size
        rule = FormatPreserving(form)
        for act in (rule.bind(SUBKEYS).apply, rule.bind_inverse(SUBKEYS).invert):
            if size >= 1_000_000:
                assert valid(act(value))
                continue
            with pytest.raises(DomainError, match='accept it with small_domain="reason"') as caught:
                act(value)
            assert (1_000_000, size) == (caught.value.minimum, caught.value.size)

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    def test_a_reason_changes_no_pseudonym(self, form, value, valid):
        """
        Values of large domains have the pseudonym that they have without a reason.
        """
        if form.parse(value).size >= 1_000_000:
            pseudonym = rule_of(form).bind(SUBKEYS).apply(value)

            assert pseudonym == FormatPreserving(form).bind(SUBKEYS).apply(value)
            assert valid(pseudonym)

    @pytest.mark.parametrize(("form", "value"), SMALL)
    def test_permutes_the_whole_of_a_small_domain(self, form, value):
        """
        Over all values that keep the same, no pseudonym comes twice and none is missing.
        """
        parsed = form.parse(value)
        bound = rule_of(form).bind(SUBKEYS)
        inverse = rule_of(form).bind_inverse(SUBKEYS)
        domain = [form.render(parsed, number) for number in range(parsed.size)]
        images = [bound.apply(one) for one in domain]

        assert 2 <= parsed.size == len(set(domain))
        assert set(domain) == set(images)
        assert domain == list(map(inverse.invert, images))

    @pytest.mark.parametrize("name", SAMPLES)
    @pytest.mark.parametrize("value", ["", TEXT, b"4929318406217751", 1.5, True, [DIGITS], ()])
    def test_refuses_what_is_not_of_the_format(self, name, value):
        """
        What no format reads is refused, whatever its type.
        """
        with pytest.raises(DomainError):
            FormatPreserving(SAMPLES[name][0][0]).bind(SUBKEYS).apply(value)

    @pytest.mark.parametrize("name", [name for name in SAMPLES if not required(find(name))])
    def test_a_name_stands_for_the_defaults(self, name):
        """
        A name is shorthand for a format with nothing changed, and equal to it.
        """
        rule = FormatPreserving(name)

        assert registry.find(name)() == rule.format
        assert FormatPreserving(registry.find(name)()) == rule
        assert rule.alphabet is None
        assert 1 == len({rule, pickle.loads(pickle.dumps(rule)), copy.deepcopy(rule)})

    @pytest.mark.parametrize(("form", "value", "valid"), CASES)
    def test_goes_the_whole_way(self, form, value, valid):
        """
        A record is protected and revealed under a policy that was written to a file and read.
        """
        policy = Policy("people", fields={"a": rule_of(form)})
        policy = Policy.loads(policy.to_json(), format="json")
        keys = StaticKeys(KEY)
        row = policy.bind(keys).pseudonymize({"a": value})
        authority = policy.authority(keys, access=AllowList({"x": ["y"]}), audit=MemoryAudit())

        assert valid(row["a"])
        assert {"a": value} == authority.reidentify(row, actor="x", purpose="y")


class TestFrozen:
    """
    Pseudonyms composed from the ciphers and arithmetic alone. They are the same in every release.
    """

    @pytest.mark.parametrize("last", [0, 4])
    def test_cards(self, last):
        """
        The number of a card is what stands between the kept digits, but for the last of it.
        """
        end = 16 - last
        kept = f"card 0 16 {CARD[:6]} {CARD[end:]}".encode()
        rule = rule_of(Card(last=last))
        pseudonym = rule.bind(SUBKEYS).apply(CARD)

        assert stdnum_luhn.is_valid(pseudonym)
        if not last:
            assert f"{walked(int(CARD[6:15]), 10**9, kept):09}" == pseudonym[6:15]

    def test_cards_that_keep_eight_digits(self):
        """
        1,000 numbers are ordered by keys of 64 bits.
        """
        value = "4012888888881881"
        number = sorted_in(int(value[8:11]), 1000, b"card 0 16 40128888 1881")

        assert f"{number:03}" == rule_of(Card(bin=8)).bind(SUBKEYS).apply(value)[8:11]

    def test_integers(self):
        """
        The number of an integer of a width is its distance from the first.
        """
        number = walked(742918365 - 10**8, 9 * 10**8, b"integer 0 9")

        assert 10**8 + number == FormatPreserving("integer").bind(SUBKEYS).apply(742918365)

    def test_integers_of_a_range(self):
        """
        The number of an integer of a range is its distance from the least.
        """
        bound = rule_of(Integer(minimum=18, maximum=118)).bind(SUBKEYS)

        assert 18 + sorted_in(25, 101, b"integer 0 ") == bound.apply(43)

    def test_decimals(self):
        """
        The number of a decimal is its digits without the point; what is kept is its shape.
        """
        pseudonym = FormatPreserving("decimal").bind(SUBKEYS).apply("7429183.65")
        number = walked(742918365 - 10**8, 9 * 10**8, b"decimal 0  9 -2")

        assert f"{10**8 + number}" == pseudonym.replace(".", "")

    def test_addresses(self):
        """
        The number of an address is what stands behind the prefix.
        """
        address = ipaddress.IPv4Address(IP)
        image = FormatPreserving(IPv4(prefix=8)).bind(SUBKEYS).apply(address)
        number = walked(int(address) % 2**24, 2**24, b"ipv4 0 cb")

        assert (int(address) >> 24 << 24) + number == int(image)
        assert 113 == ipaddress.IPv4Address(IP).packed[2]
        image = rule_of(IPv4(prefix=24)).bind(SUBKEYS).apply(IP)

        assert f"203.0.113.{sorted_in(177, 256, b'ipv4 0 cb0071')}" == image

    def test_mac_addresses(self):
        """
        Where the maker's part has a letter, the number is the rest.
        """
        number = walked(0x07D2F8, 2**24, b"mac 0 5e9bc4 letters")

        assert f"{number:06x}" == FormatPreserving("mac").bind(SUBKEYS).apply("5e9bc407d2f8")[6:]

    def test_ibans(self):
        """
        The number of a German account is its account number; what is kept, its bank.
        """
        number = FormatPreserving("iban").bind(SUBKEYS).apply(IBAN)[12:]
        kept = f"iban 1 DE {IBAN[4:12]}".encode()
        secret = KEY.derive(purpose="fpe", scope="people.a", algorithm="FF1-AES-256 walking")
        # 10**10 is above 2**32: four numerals in radix 317.
        cipher = FF1.from_secret(secret, 317)
        expected = int(IBAN[12:])
        while True:
            numerals = [expected // 317**place % 317 for place in (3, 2, 1, 0)]
            made = cipher.encrypt(numerals, framed((10**10).to_bytes(5), kept))
            expected = sum(one * 317**place for one, place in zip(made, (3, 2, 1, 0), strict=True))
            if expected < 10**10:
                break

        assert f"{expected:010}" == number

    def test_few_characters(self):
        """
        The number of a short string is the one it stands for; what is kept is the tweak.
        """
        zips = FormatPreserving("digits", small_domain=REASON).bind(SUBKEYS)
        kept = FormatPreserving("digits", keep_first=2, small_domain=REASON).bind(SUBKEYS)

        assert f"{sorted_in(411, 1000, b'alphabet: 10 3 '):03}" == zips.apply("411")
        assert f"94{sorted_in(110, 1000, b'alphabet: 10 3 ' + bytes([0, 0, 0, 2]) + b'94'):03}" == (
            kept.apply("94110")
        )


class TestFewCharacters:
    @pytest.mark.parametrize(
        ("format_", "symbols", "length"),
        [
            ("digits", string.digits, 1),
            ("digits", string.digits, 3),
            ("letters", string.ascii_lowercase, 2),
            ("alphanumeric", string.digits + string.ascii_letters, 1),
            (Alphabet("01"), "01", 8),
        ],
    )
    def test_permutes_all_strings(self, format_, symbols, length):
        """
        Over all strings of a length, no pseudonym comes twice and none is missing.
        """
        rule = FormatPreserving(format_, small_domain=REASON)
        bound, inverse = rule.bind(SUBKEYS), rule.bind_inverse(SUBKEYS)
        domain = [""]
        for _ in range(length):
            domain = [text + symbol for text in domain for symbol in symbols]
        images = list(map(bound.apply, domain))

        assert set(domain) == set(images)
        assert domain == list(map(inverse.invert, images))

    @pytest.mark.parametrize("value", ["94110", "9-4-1-1-0", "00000"])
    @pytest.mark.parametrize(("first", "last"), [(0, 0), (2, 0), (0, 2), (2, 2)])
    def test_keeps_what_is_kept(self, value, first, last):
        """
        Kept characters and separators stay, and another kept part is another permutation.
        """
        rule = FormatPreserving("digits", keep_first=first, keep_last=last, small_domain=REASON)
        pseudonym = rule.bind(SUBKEYS).apply(value)
        digits, images = value.replace("-", ""), pseudonym.replace("-", "")

        assert value == rule.bind_inverse(SUBKEYS).invert(pseudonym)
        assert (digits[:first], digits[5 - last :]) == (images[:first], images[5 - last :])
        assert len(value) == len(pseudonym)

    def test_changes_no_pseudonym_of_a_longer_text(self):
        """
        From six digits up, FF1 does what it does without a reason.
        """
        for value in (DIGITS, "000000", "12-34-56"):
            pseudonym = FormatPreserving("digits").bind(SUBKEYS).apply(value)

            assert pseudonym == (
                FormatPreserving("digits", small_domain=REASON).bind(SUBKEYS).apply(value)
            )

    @pytest.mark.parametrize(("value", "first"), [("", 0), (TEXT, 0), ("12", 2), ("1", 2)])
    def test_refuses_a_single_value(self, value, first):
        """
        Where nothing is left to encrypt, no reason helps.
        """
        rule = FormatPreserving("digits", keep_first=first, small_domain=REASON)
        with pytest.raises(
            DomainError, match="at least 1 character of an alphabet of 10"
        ) as caught:
            rule.bind(SUBKEYS).apply(value)

        assert 1 + first == caught.value.minimum

    def test_may_be_as_short_as_a_character(self):
        """
        With a reason, the longest value may be shorter than a million values need.
        """
        assert (
            3 == FormatPreserving("digits", keep_last=2, max_length=3, small_domain="x").max_length
        )
        with pytest.raises(DomainError, match="max_length is at least 3"):
            FormatPreserving("digits", keep_last=2, max_length=2, small_domain=REASON)


@dataclass(frozen=True)
class Chosen:
    """
    A format of as many values as it is told, to see what becomes of odd ones.
    """

    size: int = 10**6
    odd: str = ""

    name: ClassVar[str] = "chosen"
    many_kept: ClassVar[bool] = False

    def parse(self, value, /):
        """
        Number a value by itself.
        """
        return Parsed(number=value, size=self.size, kept=self.odd)

    def render(self, parsed, number, /):
        """
        Write a number by itself.
        """
        return number


@pytest.fixture
def chosen(monkeypatch):
    """
    The format, registered for one test.
    """
    monkeypatch.setattr(registry, "_registered", {})
    return registry.register(Chosen)


class TestOwnFormats:
    def test_serve_like_any_other(self, chosen):
        """
        A registered format is known by name, in a policy and in its file.
        """
        policy = Policy("p", fields={"a": FormatPreserving(chosen(size=2**20))})
        bound = FormatPreserving("chosen").bind(SUBKEYS)

        assert 5 == FormatPreserving("chosen").bind_inverse(SUBKEYS).invert(bound.apply(5))
        assert policy == Policy.loads(policy.to_json(), format="json")
        assert {"name": "chosen", "size": 2**20} == (
            json.loads(policy.to_json())["fields"]["a"]["format"]
        )

    @pytest.mark.parametrize("size", [0, 1])
    def test_with_a_single_value_are_refused(self, chosen, size):
        """
        A value that can only stay as it is stays nothing.
        """
        with pytest.raises(DomainError, match="no other value keeps what this one keeps"):
            rule_of(chosen(size=size)).bind(SUBKEYS).apply(0)

    def test_with_two_values_are_permuted(self, chosen):
        """
        Two values are the fewest.
        """
        bound = rule_of(chosen(size=2)).bind(SUBKEYS)

        assert {0, 1} == {bound.apply(0), bound.apply(1)}

    def test_may_keep_anything(self, chosen):
        """
        What is kept may hold half a character, and still tells permutations apart.
        """
        images = {
            rule_of(chosen(odd=odd)).bind(SUBKEYS).apply(7) for odd in ("", "\ud800", "\ud801")
        }

        assert 3 == len(images)

    @pytest.mark.parametrize(("number", "size"), [(-1, 10**6), (10**6, 10**6), (7, 7)])
    def test_that_number_wrongly_are_refused(self, chosen, number, size):
        """
        A number outside of its own domain is not permuted.
        """
        with pytest.raises(DomainError, match="and less than the size"):
            rule_of(chosen(size=size)).bind(SUBKEYS).apply(number)


class TestOptions:
    @pytest.mark.parametrize("options", [{"keep_first": 1}, {"keep_last": 4}, {"max_length": 100}])
    def test_of_alphabets_are_refused(self, options):
        """
        A format says itself what it keeps and how long it is.
        """
        with pytest.raises(DomainError, match=r"is for alphabets: .* 'card'"):
            FormatPreserving("card", **options)

    @pytest.mark.parametrize("reason", ["", "  ", "two\nlines", 1, True, b"reason", []])
    @pytest.mark.parametrize("option", ["small_domain", "legacy"])
    def test_reasons_are_words(self, option, reason):
        """
        A reason is text that can be read.
        """
        with pytest.raises(DomainError, match=f"{option} is a reason, in words"):
            FormatPreserving("digits", cipher="pyffx", **{option: reason})

    def test_names_are_text(self):
        """
        A member of an enumeration may print as something else than its value.
        """

        class Name(StrEnum):
            DIGITS = "digits"

        with pytest.raises(DomainError, match="the name of a format is str, got Name"):
            FormatPreserving(Name.DIGITS)

    @pytest.mark.parametrize("name", [name for name in SAMPLES if required(find(name))])
    def test_names_stand_for_defaults(self, name):
        """
        Where an option has no default, a name is not enough.
        """
        with pytest.raises(DomainError, match=f"the format '{name}' has no default for"):
            FormatPreserving(name)

    @pytest.mark.parametrize("cipher", ["FF1", "", None, "ff3", 1])
    def test_ciphers_are_two(self, cipher):
        """
        A cipher is ff1 or pyffx.
        """
        with pytest.raises(DomainError, match=r"cipher (is one of: ff1, pyffx|cannot)"):
            FormatPreserving("digits", cipher=cipher)

    @pytest.mark.parametrize("form", [Chosen, Chosen(), object(), Parsed(0, 1), "chosen"])
    def test_formats_are_registered(self, form):
        """
        An object that is no format and a format that nobody registered are refused.
        """
        with pytest.raises(DomainError, match="format is one of digits"):
            FormatPreserving(form)

    def test_formats_are_objects(self):
        """
        A class is refused with the cure.
        """
        with pytest.raises(DomainError, match=r"got a class: write Card\(\)$"):
            FormatPreserving(Card)

    def test_names_belong_to_one_class(self):
        """
        A format that goes by the name of another is refused.
        """

        @dataclass(frozen=True)
        class Impostor(Chosen):
            """
            It calls itself a card.
            """

            name: ClassVar[str] = "card"

        with pytest.raises(DomainError, match="Impostor is not the format that is registered"):
            FormatPreserving(Impostor())

    def test_show_in_explanation_manifest_and_fingerprint(self):
        """
        Whoever signs a policy reads the reason, and a policy without it is another.
        """
        plain = Policy("p", fields={"a": FormatPreserving("card")})
        policy = Policy("p", fields={"a": rule_of(Card())})
        written = manifest.Manifest.of(
            policy, keyset="default", key=KEY, rows=1, format="csv", options={}
        )

        assert REASON == policy.explain().fields[0].small_domain
        assert all(word in str(policy.explain()) for word in REASON.split())
        assert REASON == written.fields["a"].small_domain
        assert written == manifest.Manifest.from_json(written.to_json())
        assert plain.fingerprint != policy.fingerprint
        assert plain.explain().fields[0].small_domain is None
        assert plain.diff(policy).fields[0].matches


class TestPhones:
    def test_of_every_region_come_back(self, vectors):
        """
        Region, type and length stay for each example of libphonenumber, few or many as there are.
        """
        examples = json.loads((vectors / "formats" / "phone_examples.json").read_text("utf-8"))
        rule = rule_of(Phone())
        bound, inverse = rule.bind(SUBKEYS), rule.bind_inverse(SUBKEYS)
        regions = set()
        for one in examples["numbers"]:
            value = one["e164"]
            if one["valid"] and rule.format.parse(value).size > 1:
                pseudonym = bound.apply(value)
                before, after = map(phonenumbers.parse, (value, pseudonym))
                regions.add(one["region"])

                assert value == inverse.invert(pseudonym)
                assert phonenumbers.is_valid_number(after)
                assert len(value) == len(pseudonym)
                assert phonenumbers.number_type(before) == phonenumbers.number_type(after)
                assert phonenumbers.region_code_for_number(before) == (
                    phonenumbers.region_code_for_number(after)
                )
        assert len(regions) >= 240


class TestBinding:
    @pytest.mark.parametrize("form", [Card(), Phone(), Integer(minimum=0, maximum=9)])
    def test_shows_and_pickles_no_key(self, form):
        """
        What is bound prints its rule alone and cannot be carried.
        """
        for way in (FormatPreserving.bind, FormatPreserving.bind_inverse):
            bound = way(rule_of(form), SUBKEYS)

            assert f"{type(bound).__name__}(rule={bound.rule!r})" == repr(bound)
            assert f"RankedCipher({form!r})" == repr(bound.cipher)
            for carry in (pickle.dumps, copy.deepcopy):
                with pytest.raises(TypeError, match="cannot be pickled or copied"):
                    carry(bound)

    def test_of_characters_shows_no_key(self):
        """
        The cipher of an alphabet prints as its radix.
        """
        bound = FormatPreserving("digits").bind(SUBKEYS)

        assert "CharacterCipher(radix=10, redacted)" == repr(bound.cipher)

    @pytest.mark.parametrize(
        ("form", "value"), [(Card(), CARD), (Integer(minimum=0, maximum=99_999), 94110)]
    )
    def test_serves_threads_and_children(self, form, value):
        """
        Threads and forked processes share one bound form.
        """
        bound = rule_of(form).bind(SUBKEYS)
        expected = rule_of(form).bind(SUBKEYS).apply(value)
        start = threading.Barrier(8)

        def work(_):
            start.wait()
            return bound.apply(value)

        with ThreadPoolExecutor(8) as pool:
            assert [expected] * 8 == list(pool.map(work, range(8)))
        assert str(expected).encode() == in_child(lambda: str(bound.apply(value)).encode())


ANY_INTEGER = both_ways(Integer())


@given(st.integers(-(10**30), 10**30))
@settings(max_examples=200, deadline=None)
def test_any_integer_comes_back(value):
    """
    Sign and number of digits are kept, from one digit up.
    """
    pseudonym = ANY_INTEGER.bound.apply(value)

    assert value == ANY_INTEGER.inverse.invert(pseudonym)
    assert (value < 0, len(str(value))) == (pseudonym < 0, len(str(pseudonym)))


@given(st.integers(0, 2**128 - 1), st.integers(0, 127))
@settings(max_examples=200, deadline=None)
def test_any_address_comes_back(number, prefix):
    """
    The prefix is kept, whatever it is.
    """
    rule = rule_of(IPv6(prefix=prefix))
    address = ipaddress.IPv6Address(number)
    pseudonym = rule.bind(SUBKEYS).apply(address)

    assert address == rule.bind_inverse(SUBKEYS).invert(pseudonym)
    assert number >> 128 - prefix == int(pseudonym) >> 128 - prefix
