"""
Tokens and ciphertexts by another way: from the documents, on hmac, CMAC and AES, without privkit.

    python -m tests.golden.independent > tests/golden/vectors.json

The printed file is frozen. It is made again only to add to it: what stands in it has been used to
make pseudonyms, so a difference is a fault of the code and never of the file.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
import struct
import sys
import uuid

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

KEYS = {
    "golden-1": hashlib.sha256(b"privkit golden key 1").hexdigest(),
    "2026-01": hashlib.sha256(b"privkit golden key 2").hexdigest(),
}
TAGS = {
    "text": "t",
    "integer": "i",
    "decimal": "m",
    "boolean": "b",
    "date": "d",
    "datetime": "z",
    "uuid": "u",
    "bytes": "x",
    "float": "f",
    "null": "n",
}


def hkdf(key, info, size):
    """RFC 5869 with SHA-256 and an empty salt."""
    secret = hmac.digest(bytes(32), key, "sha256")
    block, output = b"", b""
    for counter in range(1, 4):
        block = hmac.digest(secret, block + info + bytes([counter]), "sha256")
        output += block
    return output[:size]


def subkey(key, purpose, scope, algorithm, size):
    """Each part of the info string after its size in 8 bytes, and their number before all."""
    parts = [b"privkit subkey 1", purpose.encode(), scope.encode(), algorithm.encode()]
    parts.append(struct.pack(">H", size))
    info = struct.pack(">Q", len(parts))
    for part in parts:
        info += struct.pack(">Q", len(part)) + part
    return hkdf(key, info, size)


def key_tag(key):
    """Four hexadecimal characters."""
    return subkey(key, "tag", "", "HKDF-SHA-256", 2).hex()


def plain_bytes(kind, text):
    """What the types that have one written form are written as."""
    if kind == "uuid":
        return uuid.UUID(text).bytes
    if kind == "bytes":
        return bytes.fromhex(text)
    if kind == "boolean":
        return {"true": b"1", "false": b"0"}[text]
    if kind == "float":
        return struct.pack(">d", float.fromhex(text))
    return text.encode()


def canonical(kind, text):
    """The message of a token, without its type."""
    if kind == "decimal":
        digits, _, exponent = text.lower().partition("e")
        whole, _, places = digits.partition(".")
        sign, figures = ("-" if whole[:1] == "-" else ""), whole.lstrip("-") + places
        power = int(exponent or 0) - len(places)
        while figures.endswith("0"):
            figures, power = figures[:-1], power + 1
        figures = figures.lstrip("0")
        return f"{sign}{figures}e{power}".encode() if figures else b"0"
    if kind == "datetime":
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").encode()
        return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00").encode()
    return plain_bytes(kind, text)


def token(key, scope, kind, text, *, bits=128, prefix="tok", encoding="hex"):
    """Layout 1 of a token."""
    secret = subkey(key, "token", scope, "HMAC-SHA-256", 32)
    code = hmac.digest(secret, TAGS[kind].encode() + canonical(kind, text), "sha256")
    if encoding == "uuid":
        octets = bytearray(code[:16])
        octets[6] = octets[6] & 0x0F | 0x80
        octets[8] = octets[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(octets)))
    return prefix + key_tag(key) + code.hex()[: bits // 4]


def exact(value):
    """A value with its type: single ones are [type, text], lists ["list", …], records {…}."""
    if isinstance(value, dict):
        parts = [part for key, item in value.items() for part in (["text", key], item)]
        return b"o" + b"".join(framed(exact(part)) for part in parts)
    kind, *rest = value
    if kind == "list":
        return b"l" + b"".join(framed(exact(part)) for part in rest)
    return TAGS[kind].encode() + (plain_bytes(kind, rest[0]) if rest else b"")


def framed(part):
    """A part after its size in 4 bytes."""
    return struct.pack(">I", len(part)) + part


def cmac(key, data):
    """SP 800-38B."""
    context = CMAC(algorithms.AES(key))
    context.update(data)
    return context.finalize()


def xor(one, other):
    """Of equal length."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def double(block):
    """RFC 5297, section 2.3."""
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number = number & (1 << 128) - 1 ^ 0x87
    return number.to_bytes(16, "big")


def aes_siv(key, associated, plaintext):
    """RFC 5297, sections 2.4 and 2.6, for plaintexts of at least 16 bytes."""
    mac_key, ctr_key = key[: len(key) // 2], key[len(key) // 2 :]
    state = cmac(mac_key, bytes(16))
    for part in associated:
        state = xor(double(state), cmac(mac_key, part))
    siv = cmac(mac_key, plaintext[:-16] + xor(plaintext[-16:], state))
    mask = int.from_bytes(b"\xff" * 8 + b"\x7f\xff\xff\xff" * 2, "big")
    counter = (int.from_bytes(siv, "big") & mask).to_bytes(16, "big")
    encryptor = Cipher(algorithms.AES(ctr_key), modes.CTR(counter)).encryptor()
    return siv + encryptor.update(plaintext) + encryptor.finalize()


def ciphertext(key_id, key, field, scope, value):
    """Layout 1 of an encrypted value."""
    secret = subkey(key, "encrypt", scope, "AES-256-SIV", 64)
    data = exact(value) + b"\x80"
    data += bytes(-len(data) % 16)
    associated = [b"privkit enc 1", field.encode(), scope.encode(), key_id.encode()]
    body = base64.urlsafe_b64encode(aes_siv(secret, associated, data)).decode()
    return f"enc1.{key_id}.{body.rstrip('=')}"


def singles():
    """Single values: their type and how they are written."""
    yield from (["text", text] for text in ("", " ", "a", "nan", "tok", "enc1.k.A", "\0", "\x80"))
    yield from (["text", "x" * length] for length in range(1, 50))
    yield from (
        ["text", text] for text in ("é", "e\u0301", "Ξανθίππη", "歐陽羽毛", "👩‍👩‍👧", "\U0010fffd")
    )
    yield from (
        ["integer", str(number)] for number in (0, 1, -1, 42, 2**31, 2**63, -(2**64), 10**99)
    )
    yield from (["integer", str(7**power)] for power in range(2, 40))
    yield from (
        ["decimal", text] for text in ("0", "1", "-1", "1.5", "1.50", "-0.001", "1E+3", "0.00")
    )
    yield from (["decimal", f"{number}.{number:02}"] for number in range(10, 50))
    yield from (["boolean", text] for text in ("true", "false"))
    yield from (["date", text] for text in ("0001-01-01", "1907-03-11", "2000-02-29", "9999-12-31"))
    yield from (["date", f"2024-{month:02}-{day:02}"] for month in range(1, 13) for day in (1, 28))
    yield from (
        ["datetime", text]
        for text in (
            "1907-03-11T00:00:00",
            "2024-05-06T10:11:12.345678",
            "2024-05-06T10:11:12+00:00",
            "2024-05-06T10:11:12.500000+02:00",
            "2024-05-06T10:11:12-11:30",
            "9999-12-31T23:59:59.999999",
        )
    )
    yield from (["uuid", str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{n}.example"))] for n in range(20))
    yield from (["bytes", bytes(range(length)).hex()] for length in range(20))


NORMALIZED = [
    ("text@1", "  Ana \u00a0Garci\u0301a\u200b ", "Ana García"),
    ("text@1", "\ufeffＡnna", "Ａnna"),
    ("name@1", "ANA  GARCI\u0301A", "ana garcía"),
    ("name@1", "ﬁsher", "fisher"),
    ("name@1", "Straße", "strasse"),
    ("name@1", "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
    ("name@1", "İpek", "i\u0307pek"),
    ("email@1", " Ana.Garcia@Example.ORG", "ana.garcia@example.org"),
    ("email@1", "ana\uff20example.org", "ana@example.org"),
    ("phone@1", "0049 (0)30 / 90 18-20", "+4930901820"),
    ("phone@1", "+1 (212) 555\u20110100", "+12125550100"),
]
"""Name, text, and its normal form as a reader of the documents would write it."""

COMPOUND = [
    ["list"],
    {},
    ["list", ["null"], ["boolean", "true"], ["list", ["list"]]],
    {"b": ["integer", "1"], "a": ["float", (1.0).hex()], "": {}},
    {"name": ["text", "Ana"], "seen": ["list", ["date", "2024-05-06"], ["null"]]},
    {"ü": ["decimal", "1.50"], "id": ["uuid", "8a6e0804-2bd0-4672-b79d-d97027f9071a"]},
    ["list", *(["integer", str(number)] for number in range(40))],
    *(["float", number.hex()] for number in (0.0, -0.0, 1.0, 0.1, -1.5e300, 5e-324)),
]


def vectors():
    """All vectors as data for JSON."""
    tokens, ciphertexts = [], []
    values = list(singles())
    for number, (kind, text) in enumerate(values):
        key_id = list(KEYS)[number % 2]
        scope = ["patients.email", "s", "orders.kunde.straße"][number % 3]
        options = [
            {},
            {"bits": 96},
            {"bits": 256, "prefix": "pat"},
            {"encoding": "uuid"},
            {"bits": 160},
        ][number % 5]
        expected = token(bytes.fromhex(KEYS[key_id]), scope, kind, text, **options)
        tokens.append(
            {
                "key": key_id,
                "scope": scope,
                "options": options,
                "value": [kind, text],
                "token": expected,
            }
        )
    for name, text, normal in NORMALIZED:
        tokens.append(
            {
                "key": "golden-1",
                "scope": "s",
                "options": {"normalize": name},
                "value": ["text", text],
                "token": token(bytes.fromhex(KEYS["golden-1"]), "s", "text", normal),
            }
        )
    for number, value in enumerate(values + COMPOUND):
        key_id = list(KEYS)[number % 2]
        field = ["email", "visits[*].note", "straße"][number % 3]
        scope = [f"patients.{field}", "s"][number % 2]
        expected = ciphertext(key_id, bytes.fromhex(KEYS[key_id]), field, scope, value)
        ciphertexts.append(
            {"key": key_id, "field": field, "scope": scope, "value": value, "text": expected}
        )
    return {"keys": KEYS, "tokens": tokens, "ciphertexts": ciphertexts}


def main():
    """Print the vectors, one a line."""
    data = vectors()
    lines = [f' "keys": {json.dumps(data["keys"])}']
    for name in ("tokens", "ciphertexts"):
        rows = ",\n".join(f"  {json.dumps(row)}" for row in data[name])
        lines.append(f' "{name}": [\n{rows}\n ]')
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
