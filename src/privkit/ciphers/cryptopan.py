"""
Crypto-PAn: IP addresses to IP addresses, equal prefixes to equal prefixes.

Source:
    Xu, Fan, Ammar and Moon, "Prefix-Preserving IP Address Anonymization: Measurement-based
    Security Evaluation and a New Cryptography-based Scheme", ICNP 2002, section 4, and their
    reference implementation, Crypto-PAn 1.0. IPv6 as in its ports: 128 bits in place of 32.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Final, final

from privkit.ciphers.address import BLOCK, Address, AddressPermutation, aes, halves
from privkit.ciphers.secret import SecretBytes
from privkit.typing import Secret

FIRST_BITS: Final = bytes(48 + (byte >> 7) for byte in range(256))
"""Maps a byte to its first bit, as the digit 0 or 1."""

# Numbers of one block for each bit of an address: block i belongs to the prefix of i bits.
ONES: Final = {bits: sum(1 << 128 * i for i in range(bits)) for bits in (32, 128)}
PREFIXES: Final = {
    bits: int.from_bytes(b"".join((~(~0 << i) << 128 - i).to_bytes(BLOCK) for i in range(bits)))
    for bits in (32, 128)
}
"""The bits that a block has from the address; the others are from the pad."""


@final
class CryptoPAn(AddressPermutation):
    """
    Encipher an address to one of its version, equal prefixes to equal prefixes.

    Choose `privkit.ciphers.ipcrypt.PrefixPreserving` unless others already use Crypto-PAn.

    Args:
        key: 32 uniform bytes: a key of AES-128, and the pad before it is enciphered.

    Preserves:
        The version, and for any two addresses of one version the length of their common prefix.

    Reveals:
        Which addresses are neighbours. Whoever knows one address of a network knows the network
        of all its neighbours; whoever can have addresses enciphered learns them bit by bit. An
        IPv4 address counts as a neighbour of the IPv6 addresses that begin with its 32 bits.

    Reverses:
        With the key. Nothing is authenticated: another key gives another address.

    Source:
        Xu, Fan, Ammar and Moon, ICNP 2002, section 4. AES: FIPS 197.

    Raises:
        KeyMaterialError: If *key* is not 32 bytes.

    .. versionadded:: 0.1
    """

    __slots__ = ("_aes", "_pads")

    def _schedule(self, secret: Secret, /) -> None:
        first, second = halves(secret)
        self._aes = aes(first)
        pad = SecretBytes(self._aes.cipher.encrypt(second.expose()))
        self._pads = {
            bits: SecretBytes(
                (int.from_bytes(pad.expose()) * ONES[bits] & ~PREFIXES[bits]).to_bytes(BLOCK * bits)
            )
            for bits in (32, 128)
        }

    def _encrypt(self, address: Address, /) -> Address:
        bits = address.max_prefixlen
        number = int(address)
        # All prefixes are of the address itself, so one call of AES takes them all.
        blocks = (number << 128 - bits) * ONES[bits] & PREFIXES[bits]
        blocks |= int.from_bytes(self._pads[bits].expose())
        stream = self._aes.cipher.encrypt(blocks.to_bytes(BLOCK * bits))
        number ^= int(stream[::BLOCK].translate(FIRST_BITS), 2)
        return _address(number, bits)

    def _decrypt(self, address: Address, /) -> Address:
        bits = address.max_prefixlen
        number = int(address)
        # Each bit that is found belongs to the prefix of the next.
        found = 0
        for i in range(bits):
            block = int.from_bytes(self._pads[bits].expose()[BLOCK * i : BLOCK * (i + 1)])
            stream = self._aes.cipher.encrypt((block | found << 128 - i).to_bytes(BLOCK))
            found = found << 1 | number >> bits - 1 - i & 1 ^ stream[0] >> 7
        return _address(found, bits)


def _address(number: int, bits: int, /) -> Address:
    return IPv4Address(number) if bits == 32 else IPv6Address(number)  # noqa: PLR2004
