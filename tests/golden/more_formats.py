"""
More format-preserving pseudonyms: of every country's IBANs, every region's phones, and options.

    python -m tests.golden.more_formats > tests/golden/more_formats.json

privkit prints the file. It is frozen as `formats.json` is, which it adds to.
"""

import hashlib
import json
import sys

from privkit.formats import iban, phone_table
from privkit.keys import Key, Subkeys
from privkit.policy import Policy
from tests.golden.formats import REASON
from tests.golden.independent import KEYS

KEY_ID = next(iter(KEYS))
SCOPE = "people.a"
COUNTRIES = iban._countries(1)
"""The table is frozen, so it may choose the values."""


def drawn(name, size):
    """A number below a size, that depends on a name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest() * 8) % size


def account(country):
    """An IBAN of a country."""
    layout = iban._layout(1, country, False, False)
    kept = "".join(layout.choices[place][0] for place in layout.kept)
    _, size = layout.rank(layout.unrank(0, kept), kept)
    bban = layout.unrank(drawn(country, size), kept)
    return f"{country}{iban.check_98(bban + country)}{bban}"


def numbers():
    """A phone number of each region, of the type and length of which there are most."""
    for code in phone_table._codes(1):
        most = {}
        for found in phone_table._languages(code, 1):
            for length in range(18):
                count = found.automaton.count(length)
                if count > most.get(found.region, (0, None, 0))[0]:
                    most[found.region] = count, found, length
        for count, found, length in most.values():
            number = drawn(f"{code} {found.region}", count)
            yield f"+{code}{found.automaton.unrank(number, length)}"


def named(name, **options):
    """A format with options, as a policy file has it."""
    return {"format": {"name": name, **options}}


def values():
    """Rules, and what is protected under each."""
    accounts = {country: account(country) for country in sorted(COUNTRIES)}
    yield named("iban"), list(accounts.values())
    yield named("iban", bank=False), list(accounts.values())
    yield (
        named("iban", branch=True),
        [accounts[country] for country in accounts if "branch" in COUNTRIES[country]],
    )
    yield named("phone"), sorted(numbers())
    yield (
        named("email", domain="encipher"),
        [
            "ana@example.org",
            "Ana.O@Clinic.Example.org",
            "!@a-1.co",
            "x@mail.bücher.de",
            "x.1@9x.xn--bcher-kva.de",
            "x1@clinic1.א.com",
        ],
    )
    yield named("pattern", expression="(a|ab)(c|bcd)?(d*)"), ["ab", "abcd", "acdd", "abbcdddd"]
    yield named("pattern", expression="(?i)MRN-?[0-9]{3,8}"), ["MRN-12345678", "mrn007"]
    yield (
        named("pattern", expression="[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"),
        ["SW1A 1AA", "M11AE", "EC1A1BB"],
    )
    yield named("pattern", expression=r"\w+[.-]?\d{2,4}|[^a-z]{3,}"), ["a_B-123", "A.99", "###"]
    yield (
        named("datetime"),
        ["2024-03-31T10+05:30", "20240331T1015Z", "2024-03-31t10:15:16,250-03:30"],
    )
    yield (
        named("datetime", format="%d/%b/%Y:%H:%M:%S %z"),
        ["29/Feb/1996:23:59:59 +0530", "01/Jan/2000:00:00:00 -0800"],
    )
    yield (
        named("date", format="%d %b %y", minimum="1970-01-01", maximum="2029-12-31"),
        ["29 Feb 96", "31 Dec 29"],
    )
    yield named("decimal"), [0, -7, 12345678, "12345678"]
    kept = [("digits", "4111 1111 1111 1111"), ("letters", "Xanthippe Q-X"), ("digits", "12345")]
    for alphabet, value in kept:
        yield {"format": alphabet, "keep_first": 2}, [value]
        yield {"format": alphabet, "keep_last": 1}, [value]
        yield {"format": alphabet, "keep_first": 1, "keep_last": 2}, [value]
    addresses = ["0.0.0.0", "203.0.113.177", "255.255.255.255", "::1", "2001:db8:7c1a:94e3::b7f2"]
    for mode in ("deterministic", "prefix", "crypto-pan"):
        yield {"rule": "ip_address", "mode": mode}, addresses


def transform_of(rule):
    """The transform that a rule declares."""
    declared = {"rule": "format_preserving", **rule}
    if "format" in rule:
        declared["small_domain"] = REASON
    document = json.dumps({"name": "p", "fields": {"a": declared}})
    return Policy.loads(document, format="json").fields["a"]


def subkeys():
    """What every rule is bound to."""
    return Subkeys(Key(KEY_ID, bytes.fromhex(KEYS[KEY_ID])), field="a", scope=SCOPE)


def rows():
    """Every value, protected by privkit."""
    for rule, held in values():
        bound = transform_of(rule).bind(subkeys())
        yield {"rule": rule, "pairs": [[value, bound.apply(value)] for value in held]}


if __name__ == "__main__":
    sys.stdout.write("[\n" + ",\n".join(f" {json.dumps(row)}" for row in rows()) + "\n]\n")
