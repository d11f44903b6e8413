"""
AES-SIV: encryption that is authenticated and deterministic.

Source:
    RFC 5297.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, final

from privkit.ciphers.per_thread import PerThread
from privkit.errors import DomainError, KeyMaterialError, TamperedError
from privkit.typing import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import aead

KEY_SIZES: Final = (32, 48, 64)
SIV_SIZE: Final = 16
MAX_ASSOCIATED: Final = 126
"""Section 2.6: the plaintext is the last of at most 127 strings."""


@final
class AESSIV:
    """
    Encrypt byte strings under one key, bound to associated data.

    Equal plaintexts with equal associated data have equal ciphertexts, 16 bytes longer. Associated
    data is a list: ``[]`` and ``[b""]`` are different, and so are ``[b"ab"]`` and
    ``[b"a", b"b"]``. The key is not committed to, so a ciphertext says nothing about which key
    made it. Threads and forked processes may share one object.

    Args:
        secret: 32, 48 or 64 bytes; half of them are the AES key.

    Raises:
        KeyMaterialError: If the key has another size.
    """

    __slots__ = ("_thread",)

    def __init__(self, secret: Secret, /) -> None:
        if len(secret.expose()) not in KEY_SIZES:
            raise KeyMaterialError("an AES-SIV key is 32, 48 or 64 bytes")
        self._thread = PerThread(partial(_aes_siv, secret))

    def encrypt(self, plaintext: bytes, associated: Sequence[bytes] = (), /) -> bytes:
        """
        Return the synthetic IV and the ciphertext, in one string.

        Raises:
            DomainError: If there are more than 126 associated strings.
        """
        if len(associated) > MAX_ASSOCIATED:
            raise DomainError(f"AES-SIV takes {MAX_ASSOCIATED} strings, got {len(associated)}")
        return self._thread.cipher.encrypt(plaintext, list(associated))

    def decrypt(self, ciphertext: bytes, associated: Sequence[bytes] = (), /) -> bytes:
        """
        Return the plaintext, once it is proved that nothing was altered.

        Raises:
            TamperedError: If the ciphertext, the associated data or the key is another one.
        """
        from cryptography.exceptions import InvalidTag

        plaintext = None
        if len(ciphertext) >= SIV_SIZE and len(associated) <= MAX_ASSOCIATED:
            try:
                plaintext = self._thread.cipher.decrypt(ciphertext, list(associated))
            except InvalidTag:
                plaintext = None
        if plaintext is None:
            raise TamperedError("the ciphertext was altered, or belongs elsewhere")
        return plaintext

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("a cipher holds a key, so it cannot be pickled or copied")


def _aes_siv(secret: Secret) -> "aead.AESSIV":
    # Imported late: OpenSSL's bindings are most of the cost of importing privkit.
    from cryptography.hazmat.primitives.ciphers import aead

    return aead.AESSIV(secret.expose())
