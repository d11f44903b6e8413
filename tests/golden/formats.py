"""
Format-preserving pseudonyms checked by another way: from the documents, on hmac and AES.

    python -m tests.golden.formats > tests/golden/formats.json

privkit prints the file, and `follows` says of each row whether its pseudonym is the right one,
with numberings, FF1 and tables written down a second time. The file is frozen, as `vectors.json`
is: it is made again only to add to it.
"""

import hmac
import json
import sys
from datetime import date
from ipaddress import ip_address
from math import prod

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from privkit.keys import Key, Subkeys
from privkit.policy import Policy
from tests.golden.independent import KEYS, subkey

DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
HEX = "0123456789abcdef"
VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
REASON = "frozen examples"


def framed(*parts):
    """Their number, then each part after its size, in 8 bytes."""
    return len(parts).to_bytes(8, "big") + b"".join(
        len(part).to_bytes(8, "big") + part for part in parts
    )


def ff1(key, radix, numerals, tweak):
    """SP 800-38G, Algorithm 7, step by step."""
    n, t = len(numerals), len(tweak)
    u = n // 2
    v = n - u
    a, b = list(numerals[:u]), list(numerals[u:])
    size = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * -(-size // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10):
        q = (
            tweak
            + bytes((-t - size - 1) % 16)
            + bytes([i])
            + number(b, radix).to_bytes(size, "big")
        )
        r = cbc_mac(key, p + q)
        s = r
        for j in range(1, -(-d // 16)):
            mask = int.from_bytes(r, "big") ^ j
            s += cbc_mac(key, mask.to_bytes(16, "big"))
        m = u if i % 2 == 0 else v
        c = (number(a, radix) + int.from_bytes(s[:d], "big")) % radix**m
        a, b = b, [c // radix**place % radix for place in range(m - 1, -1, -1)]
    return a + b


def cbc_mac(key, blocks):
    """SP 800-38G, Algorithm 6."""
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(blocks)[-16:]


def number(numerals, radix):
    """What a string of numerals stands for."""
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def permuted(key, scope, value, size, context, *, shuffled=False):
    """The image of a number: FF1 with cycle walking from 1,000,000 on, a sorted list below."""
    if size < 10**6:
        if shuffled and size > 1024:
            return None
        secret = subkey(key, "fpe", scope, "privkit permutation", 32)
        info = framed(b"privkit permutation 1", b"table", size.to_bytes(8, "big"), context)
        cipher = Cipher(algorithms.AES(hmac.digest(secret, info, "sha256")), modes.CTR(bytes(16)))
        stream = cipher.encryptor().update(bytes(8 * size))
        keys = [int.from_bytes(stream[8 * n : 8 * n + 8], "little") for n in range(size)]
        return sum(other < keys[value] for other in keys)
    secret = subkey(key, "fpe", scope, "FF1-AES-256 walking", 32)
    tweak = framed(size.to_bytes((size.bit_length() + 7) // 8, "big"), context)
    length = 2
    while 65536**length < size:
        length += 2
    low, radix = 1, 65536
    while radix - low > 1:
        middle = (low + radix) // 2
        low, radix = (low, middle) if middle**length >= size else (middle, radix)
    while True:
        numerals = [value // radix**place % radix for place in range(length - 1, -1, -1)]
        value = number(ff1(secret, radix, numerals, tweak), radix)
        if value < size:
            return value


def mixed(text, choices):
    """The number of a text with a choice of characters at each place, and how many there are."""
    value, size = 0, 1
    for character, choice in zip(text, choices, strict=True):
        value = value * len(choice) + choice.index(character)
        size *= len(choice)
    return value, size


def of_card(value, *, bin=6, last=4):  # noqa: A002 - the option's name
    """Kept: the length and both ends. Numbered: what stands between, but for its last digit."""
    digits = "".join(filter(str.isdigit, str(value)))
    total = sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(reversed(digits)))
    assert total % 10 == 0
    end = len(digits) - last
    middle = digits[bin : end - 1]
    return f"{len(digits)} {digits[:bin]} {digits[end:]}", int(middle), 10 ** len(middle)


def of_integer(value, *, minimum=None, maximum=None):
    """Kept: sign and width. Numbered: from the first of the width, or of the range."""
    value = int(value)
    if minimum is not None:
        return "", value - minimum, maximum - minimum + 1
    width = len(str(abs(value)))
    first = int(value < 0) if width == 1 else 10 ** (width - 1)
    sign = "-" if value < 0 else ""
    return f"{sign}{width}", abs(value) - first, 10**width - first


def of_date(value, *, minimum="1900-01-01", maximum="2099-12-31"):
    """Numbered: days from the first."""
    first, day, last = (date.fromisoformat(text).toordinal() for text in (minimum, value, maximum))
    return "", day - first, last - first + 1


def of_decimal(value):
    """Kept: sign, digits and the exponent. Numbered: the digits, from the first of the shape."""
    sign = "-" if value[0] == "-" else ""
    whole, _, places = value.removeprefix("-").partition(".")
    width, first = len(whole + places), 10 ** (len(whole + places) - 1)
    if len(whole) == 1:
        first = int(bool(sign))
    return f"{sign} {width} {-len(places)}", int(whole + places) - first, 10**width - first


def of_address(value, *, prefix=0):
    """Kept: the prefix, in hexadecimal. Numbered: the rest."""
    address = ip_address(value)
    rest = address.max_prefixlen - prefix
    return f"{int(address) >> rest:x}", int(address) % 2**rest, 2**rest


def of_hexadecimal(digits, choices, kept):
    """Strings with a letter, and strings of digits alone, have numberings of their own."""
    plain = [choice.rstrip("abcdef") for choice in choices]
    if digits.isdigit():
        return kept, *mixed(digits, plain)
    value, size = mixed(digits, choices)
    # Strings of digits alone that come before it: those that differ up to its first letter.
    before = 0
    for place, (character, choice) in enumerate(zip(digits, plain, strict=True)):
        smaller = choice.index(character) if character in choice else len(choice)
        before += smaller * prod(map(len, plain[place + 1 :]))
        if character not in choice:
            break
    return f"{kept} letters", value - before, size - prod(map(len, plain))


def of_mac(value, *, oui=True):
    """Kept: the organization, or what its first octet ends in; whether there is a letter."""
    digits = "".join(filter(HEX.__contains__, value.lower()))
    if oui:
        return of_hexadecimal(digits, [*digits[:6], *[HEX] * 6], digits[:6])
    second = HEX[int(digits[1], 16) % 4 :: 4]
    return of_hexadecimal(digits, [HEX, second, *[HEX] * 10], second)


def of_uuid(value):
    """Kept: version and variant; whether there is a letter."""
    digits = "".join(filter(HEX.__contains__, value.lower()))
    variant = next(group for group in ("0123", "4567", "89ab", "cd", "ef") if digits[16] in group)
    choices = [*[HEX] * 12, digits[12], *[HEX] * 3, variant, *[HEX] * 15]
    return of_hexadecimal(digits, choices, f"{digits[12]} {variant}")


def of_ssn(value, *, last=0):
    """Numbered: those that could have been assigned, in order, but for three."""
    digits = "".join(filter(str.isdigit, value))
    printed = ("078051120", "219099999", "457555462")

    def position(text):
        area, group, serial = int(text[:3]), int(text[3:5]), int(text[5:])
        pairs = (area - 1 - (area > 666)) * 99 + group - 1
        return pairs if last else pairs * 9999 + serial - 1

    gone = [position(one) for one in printed if not last or one[5:] == digits[5:]]
    place = position(digits)
    size = 898 * 99 * (1 if last else 9999) - len(gone)
    kept = digits[5:] if last else ""
    return kept, place - sum(one < place for one in gone), size


def of_vin(value, *, wmi=True):
    """Kept: the maker, and which characters are letters. Numbered: the others but the check."""
    rest = value.upper()[:8] + value.upper()[9:]
    maker = rest[:3] if wmi else ""
    choices = [DIGITS if character in DIGITS else VIN_LETTERS for character in rest]
    choices[8] = "123456789" if rest[8] in DIGITS else "ABCDEFGHJKLMNPRSTVWXY"
    kinds = "".join("0" if c in DIGITS else "A" for c in rest[len(maker) :])
    return f"{maker} {kinds}", *mixed(rest[len(maker) :], choices[len(maker) :])


def of_iban(value, *, bank=True):
    """Germany alone. Kept: the bank. Numbered: digits."""
    text = value.replace(" ", "").upper()
    digits = text[4:]
    moved = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    assert text[:2] == "DE"
    assert int(moved) % 97 == 1
    kept = digits[:8] if bank else ""
    return f"DE {kept}", int(digits[len(kept) :]), 10 ** (18 - len(kept))


def of_email(value):
    """Kept: the domain in small letters, what is no letter or digit, and where capitals stand."""
    local, _, domain = value.rpartition("@")
    kept = "".join("<" if c in DIGITS + LOWER else ">" if c in UPPER else c for c in local)
    replaced = [c for c in local if c.isalnum()]
    choices = [UPPER if c in UPPER else DIGITS + LOWER for c in replaced]
    return f"{kept}@{domain.lower()}", *mixed(replaced, choices)


def of_pattern(value, *, expression):
    """Two expressions alone. Kept: the length."""
    groups = {
        "[A-Z]{2}[0-9]{7}": [UPPER] * 2 + [DIGITS] * 7,
        "K[0-9a-c]{3}": ["K"] + [DIGITS + "abc"] * 3,
    }
    return f"{len(value)}", *mixed(value, groups[expression])


NUMBERINGS = {
    "card": of_card,
    "date": of_date,
    "decimal": of_decimal,
    "email": of_email,
    "iban": of_iban,
    "integer": of_integer,
    "ipv4": of_address,
    "ipv6": of_address,
    "mac": of_mac,
    "pattern": of_pattern,
    "ssn": of_ssn,
    "uuid": of_uuid,
    "vin": of_vin,
}
"""Formats to their numberings: what is kept, the number, how many there are. Phones have none."""

SHUFFLED = {"card", "email", "iban", "ipv4", "ipv6", "ssn"}
"""Formats of which nearly each value keeps something else. Their own bound stands in a proof."""


ALPHABETS = {
    "digits": DIGITS,
    "letters": LOWER,
    "alphanumeric": DIGITS + UPPER + LOWER,
}


def written_in(symbols, row):
    """Whether the strings over an alphabet are right: FF1 on numerals, or a sorted list."""
    key = bytes.fromhex(KEYS[row["key"]])
    radix = len(symbols)
    numerals, image = ([symbols.index(c) for c in row[part]] for part in ("value", "pseudonym"))
    if radix ** len(numerals) >= 10**6:
        secret = subkey(key, "fpe", row["scope"], "FF1-AES-256", 32)
        return image == ff1(secret, radix, numerals, b"")
    size = radix ** len(numerals)
    context = f"alphabet: {radix} {len(numerals)} ".encode()
    place = permuted(key, row["scope"], number(numerals, radix), size, context)
    return number(image, radix) == place


def options_of(form):
    """The name of a format in a policy file, and its options but the number of a table."""
    if isinstance(form, str):
        return form, {}
    if "alphabet" in form:
        return "alphabet", form
    return form["name"], {
        option: value for option, value in form.items() if option not in {"name", "table"}
    }


def follows(row):
    """
    Tell whether a pseudonym is the right one, or ``None`` if there is no second way to know.
    """
    name, options = options_of(row["format"])
    if "format" in options:
        return None
    if name == "alphabet" or name in ALPHABETS:
        return written_in(ALPHABETS.get(name) or options["alphabet"], row)
    if name not in NUMBERINGS:
        return None
    kept, place, size = NUMBERINGS[name](row["value"], **options)
    kept_after, place_after, size_after = NUMBERINGS[name](row["pseudonym"], **options)
    context = f"{name} {1 if name == 'iban' else 0} {kept}".encode()
    key = bytes.fromhex(KEYS[row["key"]])
    image = permuted(key, row["scope"], place, size, context, shuffled=name in SHUFFLED)
    if image is None:
        return None
    return (kept_after, place_after, size_after) == (kept, image, size)


VALUES = [
    ("digits", ["4111111111111111", "000000", "94110", "7", "0" * 40]),
    ("letters", ["xanthippe", "zz", "a"]),
    ("alphanumeric", ["Xk7420981pL", "aZ9", "0"]),
    ({"alphabet": "αβγδεζηθικλμνξοπρστυφχψω"}, ["ξανθιππη", "ωα"]),
    ({"alphabet": "01"}, ["01" * 30, "0110"]),
    ("card", ["4111 1111 1111 1111", "378282246310005", "5555-5555-5555-4444", 6011111111111117]),
    ({"name": "card", "last": 0}, ["4012888888881881", 30569309025904, "6304000000000000"]),
    ({"name": "card", "bin": 8}, ["4012888888881881", "4222222222222220"]),
    ({"name": "card", "bin": 8, "last": 0}, ["4111111111111111", "6200000000000005"]),
    ("date", ["1907-03-11", "1900-01-01", "2099-12-31", "19960229"]),
    ({"name": "date", "minimum": "1990-01-01", "maximum": "1992-09-26"}, ["1990-01-01"]),
    ({"name": "date", "format": "%d/%m/%Y"}, ["29/02/1996"]),
    ("datetime", ["1907-03-11T10:30:00+01:00", "1996-02-29T23:59:59.500Z", "2024-05-06 07:08"]),
    ({"name": "datetime", "format": "%d.%m.%Y %H:%M"}, ["29.02.1996 12:34"]),
    ("decimal", ["0", "-1", "1.5", "0.00", "-0.05", "12.50", "1234567.89", "-99999999.9"]),
    (
        "email",
        ["ana@example.org", "A.Lima+x@Example.ORG", "x_y-1@a.example", "quite.a.long.name@e.de"],
    ),
    ("iban", ["DE89370400440532013000", "de75 5121 0800 1245 1261 99"]),
    ({"name": "iban", "bank": False}, ["DE89370400440532013000", "DE75512108001245126199"]),
    ("integer", [0, 7, -7, 42, -42, 123456, "9007199254740993517", -(10**20), 10**40]),
    ({"name": "integer", "minimum": -5, "maximum": 120}, [0, "43", 120, -5]),
    ({"name": "integer", "minimum": 1, "maximum": 10**9}, [1, 10**9, "500"]),
    ("ipv4", ["0.0.0.0", "203.0.113.177", "10.211.47.193", "255.255.255.255"]),
    ({"name": "ipv4", "prefix": 8}, ["10.0.0.1", "192.168.1.1"]),
    ({"name": "ipv4", "prefix": 24}, ["203.0.113.177", "203.0.113.0", "198.51.100.7"]),
    ("ipv6", ["::", "::1", "2001:db8:7c1a:94e3::b7f2", "fe80::1"]),
    ({"name": "ipv6", "prefix": 48}, ["2001:db8:7c1a:94e3::b7f2", "2001:db8:7c1a::"]),
    ({"name": "ipv6", "prefix": 120}, ["2001:db8::17", "2001:db8::ff"]),
    ("mac", ["5e:9b:c4:07:d2:f8", "00-00-5E-00-53-AF", "0123.4567.89ab", "010203040506"]),
    ({"name": "mac", "oui": False}, ["5e:9b:c4:07:d2:f8", "01:02:03:04:05:06"]),
    (
        {"name": "pattern", "expression": "[A-Z]{2}[0-9]{7}"},
        ["XK7420981", "AA0000000", "ZZ9999999"],
    ),
    ({"name": "pattern", "expression": "K[0-9a-c]{3}"}, ["K000", "K12c", "Kccc"]),
    (
        "phone",
        ["+49 1575 3804916", "+12125550143", "+44 20 7946 0958", "+24762889", "+39 06 698 12345"],
    ),
    ({"name": "phone", "region": "DE"}, ["030 901820", "+1 212-555-0143 ext. 77"]),
    ("ssn", ["612-84-7093", "001010001", "899 99 9999", "667-01-0001"]),
    ({"name": "ssn", "last": 4}, ["612-84-7093", "078-05-1121"]),
    (
        "uuid",
        [
            "8a6e0804-2bd0-4672-b79d-d97027f9071a",
            "00000000000000000000000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "12345678-1234-4234-8234-123456789012",
        ],
    ),
    ("vin", ["1M8GDM9AXKP042788", "11111111111111111", "1m8gdm9axkp042788"]),
    ({"name": "vin", "wmi": False}, ["1M8GDM9AXKP042788"]),
]


def rows():
    """Every value under two keys and two scopes, protected by privkit."""
    for turn in range(3):
        key_id = list(KEYS)[turn % 2]
        scope = ("people.a", "orders.kunde.straße")[turn // 2]
        for form, values in VALUES:
            rule = {"rule": "format_preserving", "format": form, "small_domain": REASON}
            policy = Policy.loads(json.dumps({"name": "p", "fields": {"a": rule}}), format="json")
            key = Key(key_id, bytes.fromhex(KEYS[key_id]))
            bound = policy.fields["a"].bind(Subkeys(key, field="a", scope=scope))
            for value in values:
                yield {
                    "key": key_id,
                    "scope": scope,
                    "format": form,
                    "value": value,
                    "pseudonym": bound.apply(value),
                }


if __name__ == "__main__":
    sys.stdout.write("[\n" + ",\n".join(f" {json.dumps(row)}" for row in rows()) + "\n]\n")
