"""
Subkeys: one for each purpose, scope and algorithm, so that no two uses share a key.

Source:
    HKDF with SHA-256: RFC 5869. The input key is uniform, so the salt is left empty
    (section 3.1), and the info string tells the uses apart (section 3.2).
"""

from typing import Final

from privkit.ciphers.prf import frame
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from privkit.typing import Secret

KEY_SIZE: Final = 32
LABEL: Final = b"privkit subkey 1"
"""Frozen: another label is another set of pseudonyms."""


def info(*, purpose: str, scope: str, algorithm: str, size: int) -> bytes:
    """
    Return what tells a subkey apart: other arguments, another info string.
    """
    names = [name_bytes(name) for name in (purpose, scope, algorithm)]
    return frame(LABEL, *names, size.to_bytes(2))


def name_bytes(name: str, /) -> bytes:
    """
    Return a purpose, a scope, an algorithm or a field in UTF-8.

    Raises:
        DomainError: If half of a surrogate pair is in it, which has no bytes.
    """
    # The error of Python repeats the text.
    try:
        return name.encode()
    except UnicodeEncodeError as error:
        position = error.start
    raise DomainError(
        f"character {position} of {len(name)} of a scope or another name of a subkey is half of "
        "a surrogate pair, which is no text",
        position=position,
    )


def derive(
    secret: Secret, *, purpose: str, scope: str, algorithm: str, size: int = 32
) -> SecretBytes:
    """
    Derive *size* bytes from a secret, for one purpose, scope and algorithm.

    Args:
        secret: 32 uniform bytes.

        purpose: What the subkey is for, such as ``"token"``.

        scope: Whose values may link, such as ``"patients.email"``.

        algorithm: The algorithm that will use it, such as ``"HMAC-SHA-256"``.

        size: Bytes wanted, at most 8,160.

    Raises:
        KeyMaterialError: If *secret* is not 32 bytes.

        DomainError: If a name holds half of a surrogate pair.
    """
    # Imported late: OpenSSL's bindings are most of the cost of importing privkit.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(secret.expose()) != KEY_SIZE:
        raise KeyMaterialError(f"a key is {KEY_SIZE} bytes, got {len(secret.expose())}")
    text = info(purpose=purpose, scope=scope, algorithm=algorithm, size=size)
    hkdf = HKDF(algorithm=SHA256(), length=size, salt=None, info=text)
    return SecretBytes(hkdf.derive(secret.expose()))
