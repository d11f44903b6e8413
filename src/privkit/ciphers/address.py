"""
IP addresses in and out of ciphers, and the AES contexts that those ciphers share.

Text comes out as RFC 5952 has it, the same on every version of Python.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, NoReturn, Self, TypeAlias, final, overload

from privkit.ciphers.per_thread import PerThread
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from privkit.typing import Secret

Address: TypeAlias = IPv4Address | IPv6Address

BLOCK: Final = 16
"""Bytes of a block of AES, of a key of AES-128, and of an IPv6 address."""

LONGEST: Final = 45
"""Characters of the longest spelling: six groups of four, and an IPv4 address."""

IPV4: Final = 0xFFFF
"""
The first 96 bits of ``::ffff:0:0/96``, the network that holds all of IPv4 (RFC 4291, section
2.5.5.2).
"""


def parse(address: object, /) -> Address:
    """
    Read text, or take an object of ``ipaddress`` as it is.

    Raises:
        DomainError: If it is neither, or not one whole address, or has a zone. Numbers are
            refused: from a small one, nobody can tell which version it is.
    """
    parsed: Address | None = None
    if isinstance(address, str):
        if len(address) <= LONGEST:
            try:
                parsed = IPv6Address(address) if ":" in address else IPv4Address(address)
            except ValueError:
                parsed = None
        if parsed is None:
            length = len(address)
            del address
            raise DomainError(f"a text of length {length} is not an IP address", length=length)
    elif type(address) is IPv4Address or type(address) is IPv6Address:
        parsed = address
    else:
        kind = type(address).__name__
        del address
        raise DomainError(f"an address is text, IPv4Address or IPv6Address, got {kind}", got=kind)
    if parsed.version == 6 and parsed.scope_id is not None:  # noqa: PLR2004 - the protocol
        del address, parsed
        raise DomainError("an address with a zone names an interface of one machine: cut it off")
    return parsed


def text(address: Address, /) -> str:
    """
    Spell an address by RFC 5952; IPv4-mapped ones end in four decimals (section 5).
    """
    number = int(address)
    if address.version == 6 and number >> 32 == IPV4:  # noqa: PLR2004 - the protocol
        return f"::ffff:{IPv4Address(number & 0xFFFF_FFFF)}"
    return str(address)


def widen(address: Address, /) -> int:
    """
    Return the number of an address in IPv6, where IPv4 is ``::ffff:0:0/96``.
    """
    return IPV4 << 32 | int(address) if address.version == 4 else int(address)  # noqa: PLR2004


def narrow(number: int, /) -> Address:
    """
    Return the address of a number in IPv6; what is IPv4-mapped becomes IPv4.
    """
    if number >> 32 == IPV4:
        return IPv4Address(number & 0xFFFF_FFFF)
    return IPv6Address(number)


def exactly(size: int, data: object, /, *, name: str) -> bytes:
    """
    Return *data* if it is that many bytes.

    Raises:
        DomainError: If it is not.
    """
    if isinstance(data, bytes) and len(data) == size:
        return data
    del data
    raise DomainError(f"{name} is {size} bytes", size=size)


def take(secret: Secret, size: int, /) -> Secret:
    """
    Return *secret* if it is *size* bytes.

    Raises:
        KeyMaterialError: If it is not.
    """
    if not isinstance(secret.expose(), bytes):
        raise KeyMaterialError(f"a key is bytes, got {type(secret.expose()).__name__}")
    if len(secret.expose()) != size:
        raise KeyMaterialError(f"the key is {size} bytes, got {len(secret.expose())}", size=size)
    return secret


def halves(secret: Secret, /) -> tuple[SecretBytes, SecretBytes]:
    """
    Split a key of 32 bytes into two keys of 16.

    Raises:
        KeyMaterialError: If it is not 32 bytes.
    """
    take(secret, 2 * BLOCK)
    return SecretBytes(secret.expose()[:BLOCK]), SecretBytes(secret.expose()[BLOCK:])


def unlike_halves(secret: Secret, /) -> tuple[SecretBytes, SecretBytes]:
    """
    Split a key of 32 bytes into two different keys of 16.

    Raises:
        KeyMaterialError: If it is not 32 bytes, or both halves are equal.
    """
    first, second = halves(secret)
    if first == second:
        raise KeyMaterialError("the two halves of the key are equal")
    return first, second


class Blocks(NamedTuple):
    """
    AES on whole blocks under one key, to and fro.
    """

    encrypt: Callable[[bytes], bytes]
    decrypt: Callable[[bytes], bytes]


def aes(secret: Secret, /) -> PerThread[Blocks]:
    """
    Return AES under a key, for each thread that asks.
    """
    return PerThread(partial(_blocks, secret))


def _blocks(secret: Secret) -> Blocks:
    # Imported late: OpenSSL's bindings are most of the cost of importing privkit.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    # ECB is the bare permutation. What is chained, and how, is the callers' own.
    cipher = Cipher(AES(secret.expose()), ECB())  # noqa: S305
    return Blocks(cipher.encryptor().update, cipher.decryptor().update)


class AddressCipher(ABC):
    """
    What all ciphers on addresses have in common: how they take a key, and never show it.
    """

    __slots__ = ()

    def __init__(self, key: bytes) -> None:
        secret = SecretBytes(key)
        del key
        self._schedule(secret)

    @classmethod
    def from_secret(cls, secret: Secret, /) -> Self:
        """
        Make the cipher of a secret, such as a subkey.
        """
        return cls(secret.expose())

    @abstractmethod
    def _schedule(self, secret: Secret, /) -> None:
        """
        Check the key, and make what is used of it.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


class AddressPermutation(AddressCipher):
    """
    A cipher from addresses to addresses: text for text, and an object for an object.
    """

    __slots__ = ()

    @overload
    def encrypt(self, address: str, /) -> str: ...
    @overload
    def encrypt(self, address: Address, /) -> Address: ...
    @final
    def encrypt(self, address: str | Address, /) -> str | Address:
        """
        Return the pseudonym of *address*, in the form in which it came.

        Raises:
            DomainError: If *address* is not an IP address.
        """
        result = self._encrypt(parse(address))
        return text(result) if isinstance(address, str) else result

    @overload
    def decrypt(self, address: str, /) -> str: ...
    @overload
    def decrypt(self, address: Address, /) -> Address: ...
    @final
    def decrypt(self, address: str | Address, /) -> str | Address:
        """
        Return the address whose pseudonym is *address*, in the form in which that came.

        Raises:
            DomainError: If *address* is not an IP address.
        """
        result = self._decrypt(parse(address))
        return text(result) if isinstance(address, str) else result

    @abstractmethod
    def _encrypt(self, address: Address, /) -> Address: ...

    @abstractmethod
    def _decrypt(self, address: Address, /) -> Address: ...
