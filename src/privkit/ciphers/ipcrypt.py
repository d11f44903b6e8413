"""
ipcrypt: IP addresses to IP addresses, or to bytes, by AES-128.

Source:
    draft-denis-ipcrypt-12, "Methods for IP Address Encryption and Obfuscation". Of its four
    modes, ipcrypt-nd is left out: KIASU-BC needs the inside of AES, which no library opens.
    An IPv4-mapped IPv6 address is the IPv4 address, there and here, so it comes back as IPv4.
"""

import os
from typing import Final, final

from privkit.ciphers.address import (
    BLOCK,
    IPV4,
    Address,
    AddressCipher,
    AddressPermutation,
    aes,
    exactly,
    narrow,
    parse,
    take,
    text,
    unlike_halves,
    widen,
)
from privkit.typing import Secret

LAST_BITS: Final = bytes(48 + (byte & 1) for byte in range(256))
"""Maps a byte to its last bit, as the digit 0 or 1."""


@final
class Deterministic(AddressPermutation):
    """
    Encipher an address to an IPv6 address, equal ones to equal ones.

    Args:
        key: 16 uniform bytes.

    Preserves:
        Equality. Not the version: IPv4 comes out as IPv6.

    Reveals:
        Which records share an address, and how often each occurs.

    Reverses:
        With the key. Nothing is authenticated: another key gives another address.

    Source:
        draft-denis-ipcrypt-12, ipcrypt-deterministic: one block of AES-128 (FIPS 197).

    Raises:
        KeyMaterialError: If *key* is not 16 bytes.

    .. versionadded:: 0.1
    """

    __slots__ = ("_aes",)

    def _schedule(self, secret: Secret, /) -> None:
        self._aes = aes(take(secret, BLOCK))

    def _encrypt(self, address: Address, /) -> Address:
        block = widen(address).to_bytes(BLOCK)
        return narrow(int.from_bytes(self._aes.cipher.encrypt(block)))

    def _decrypt(self, address: Address, /) -> Address:
        block = widen(address).to_bytes(BLOCK)
        return narrow(int.from_bytes(self._aes.cipher.decrypt(block)))


@final
class PrefixPreserving(AddressPermutation):
    """
    Encipher an address to one of its version, equal prefixes to equal prefixes.

    Args:
        key: 32 uniform bytes.

    Preserves:
        The version, and for any two addresses of one version the length of their common prefix.

    Reveals:
        Which addresses are neighbours. Whoever knows one address of a network knows the network
        of all its neighbours; whoever can have addresses enciphered learns them bit by bit.

    Reverses:
        With the key. Nothing is authenticated: another key gives another address.

    Source:
        draft-denis-ipcrypt-12, ipcrypt-pfx: for each bit, the last bit of the sum of two
        permutations (AES-128, FIPS 197) of the bits before it.

    Raises:
        KeyMaterialError: If *key* is not 32 bytes, or its halves are equal.

    .. versionadded:: 0.1
    """

    __slots__ = ("_first", "_second")

    def _schedule(self, secret: Secret, /) -> None:
        first, second = unlike_halves(secret)
        self._first = aes(first)
        self._second = aes(second)

    def _encrypt(self, address: Address, /) -> Address:
        number, bits = _enciphered(address)
        # A prefix is padded by a 1 on its left. All are of the address itself, so one call of
        # AES under each key takes them all.
        padded = 1 << 128 | number
        prefixes = b"".join([(padded >> shift).to_bytes(BLOCK) for shift in range(bits, 0, -1)])
        return narrow(number ^ int(self._last_bits(prefixes), 2))

    def _decrypt(self, address: Address, /) -> Address:
        number, bits = _enciphered(address)
        # Each bit that is found belongs to the prefix of the next.
        prefix = (1 << 128 | number) >> bits
        for shift in range(bits - 1, -1, -1):
            bit = number >> shift & 1 ^ int(self._last_bits(prefix.to_bytes(BLOCK)))
            prefix = prefix << 1 | bit
        return narrow(prefix - (1 << 128))

    def _last_bits(self, blocks: bytes, /) -> bytes:
        first = int.from_bytes(self._first.cipher.encrypt(blocks)[BLOCK - 1 :: BLOCK])
        second = int.from_bytes(self._second.cipher.encrypt(blocks)[BLOCK - 1 :: BLOCK])
        return (first ^ second).to_bytes(len(blocks) // BLOCK).translate(LAST_BITS)


@final
class NonDeterministicX(AddressCipher):
    """
    Encipher an address to 32 bytes, each time to others.

    Args:
        key: 32 uniform bytes.

    Preserves:
        Nothing.

    Reveals:
        Nothing, as long as tweaks do not repeat. Drawn at random, two of 2**48 repeat with a
        chance below 2**-32.

    Reverses:
        With the key. Nothing is authenticated: altered bytes give another address.

    Source:
        draft-denis-ipcrypt-12, ipcrypt-ndx: one block of AES-128 in XTS (IEEE 1619,
        NIST SP 800-38E), whose halves of the key must differ (FIPS 140-3 IG C.I).

    Raises:
        KeyMaterialError: If *key* is not 32 bytes, or its halves are equal.

    .. versionadded:: 0.1
    """

    __slots__ = ("_data", "_tweaks")

    def _schedule(self, secret: Secret, /) -> None:
        first, second = unlike_halves(secret)
        self._data = aes(first)
        self._tweaks = aes(second)

    def encrypt(self, address: str | Address, /, *, tweak: bytes | None = None) -> bytes:
        """
        Return the tweak and the enciphered address, 16 bytes each.

        Args:
            tweak: 16 bytes; ``None`` draws them, which is right outside of tests.

        Raises:
            DomainError: If *address* is not an IP address, or *tweak* is not 16 bytes.
        """
        tweak = exactly(BLOCK, os.urandom(BLOCK) if tweak is None else tweak, name="a tweak")
        block = widen(parse(address))
        mask = int.from_bytes(self._tweaks.cipher.encrypt(tweak))
        masked = self._data.cipher.encrypt((block ^ mask).to_bytes(BLOCK))
        return tweak + (int.from_bytes(masked) ^ mask).to_bytes(BLOCK)

    def decrypt(self, data: bytes, /) -> str:
        """
        Return the address, as text: the bytes do not say in which form it came.

        Raises:
            DomainError: If *data* is not 32 bytes.
        """
        data = exactly(2 * BLOCK, data, name="an enciphered address")
        mask = int.from_bytes(self._tweaks.cipher.encrypt(data[:BLOCK]))
        masked = (int.from_bytes(data[BLOCK:]) ^ mask).to_bytes(BLOCK)
        return text(narrow(int.from_bytes(self._data.cipher.decrypt(masked)) ^ mask))


def _enciphered(address: Address, /) -> tuple[int, int]:
    """
    Return the number of an address in IPv6, and how many of its last bits are enciphered.

    The first 96 bits of IPv4 stay. That an IPv6 address comes out among the IPv4-mapped ones, and
    so would not come back, has a chance of 2**-96.
    """
    number = widen(address)
    return number, 32 if number >> 32 == IPV4 else 128
