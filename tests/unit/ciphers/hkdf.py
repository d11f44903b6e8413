"""
RFC 5869 in six lines, as a yardstick.
"""

import hmac


def hkdf(key, *, salt=b"", info=b"", size=32):
    """
    Return *size* bytes of HKDF with SHA-256.
    """
    stem = hmac.digest(salt or bytes(32), key, "sha256")
    result = block = b""
    for number in range(1, 256):
        block = hmac.digest(stem, block + info + bytes([number]), "sha256")
        result += block
    return result[:size]
