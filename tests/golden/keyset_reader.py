"""
Keyset files read by another way: from the page about them, on hashlib, hmac and `cryptography`.

    python tests/golden/keyset_reader.py FILE    # the passphrase, or a key in hexadecimal, on stdin
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

CONTEXT = b"privkit keyset file 1"


def subkey(key, purpose, algorithm, size):
    """HKDF-SHA-256, RFC 5869, each part of the info string after its size in 8 bytes."""
    parts = [b"privkit subkey 1", purpose, b"", algorithm, struct.pack(">H", size)]
    info = struct.pack(">Q", len(parts))
    info += b"".join(struct.pack(">Q", len(part)) + part for part in parts)
    secret, block, output = hmac.digest(bytes(32), key, "sha256"), b"", b""
    while len(output) < size:
        block = hmac.digest(secret, block + info + bytes([len(output) // 32 + 1]), "sha256")
        output += block
    return output[:size]


def wrapping_key(seal, secret):
    """What the data key is encrypted under."""
    if seal["kind"] == "keys":
        return subkey(bytes.fromhex(secret), b"seal", b"AES-256-SIV", 64)
    n, r, p = (int(seal[name]) for name in "nrp")
    salt = base64.b64decode(seal["salt"])
    return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=p, maxmem=2**28, dklen=64)


def read(text, secret):
    """The keysets of a file."""
    file = json.loads(text)
    seal = file["header"]["seal"]
    wrapped, body = base64.b64decode(seal["wrapped"]), base64.b64decode(file["body"])
    data_key = AESSIV(wrapping_key(seal, secret)).decrypt(wrapped, [CONTEXT])
    header = text[len('{"header": ') : text.index(',\n "body": ')].encode()
    cipher = AESSIV(subkey(data_key, b"keyset file", b"AES-256-SIV", 64))
    document = json.loads(cipher.decrypt(body, [header]))
    assert document["privkit-keysets"] == file["header"]["privkit-keyset-file"] == 1
    return document["keysets"]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as opened:  # noqa: PTH123 - few imports
        json.dump(read(opened.read(), sys.stdin.read()), sys.stdout, indent=1)
