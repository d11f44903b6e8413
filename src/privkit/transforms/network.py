"""
IP addresses: enciphered, or cut to their network.
"""

import base64
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar, Final, Literal, TypeAlias, final, get_args

from privkit.ciphers.address import Address, AddressPermutation, narrow, parse, text, widen
from privkit.ciphers.cryptopan import CryptoPAn
from privkit.ciphers.ipcrypt import Deterministic, NonDeterministicX, PrefixPreserving
from privkit.errors import DomainError
from privkit.formats.text import plain_text
from privkit.transforms.checks import check_choice, check_integer, check_scope
from privkit.typing import Subkeys, Technique

Mode = Literal["deterministic", "prefix", "random", "crypto-pan"]

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
PREFIX: Final = "ipx"
RANDOM: Final = re.compile(f"{PREFIX}([A-Za-z0-9_-]{{43}})")
"""32 bytes in base64url without padding."""

BITS_4: Final = 32
BITS_6: Final = 128


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IPAddress:
    """
    Encipher an IP address.

    Choose `TruncateAddress` when the network is enough. Choose ``FormatPreserving("ipv4")`` when
    IPv4 must stay IPv4 and networks are not to show.

    Text becomes text, and an object of ``ipaddress`` stays one; only ``"random"`` gives text for
    both. An IPv4-mapped IPv6 address is the IPv4 address, but for Crypto-PAn.

    Args:
        mode:
            ``"deterministic"``: equal addresses to equal ones, networks hidden; IPv4 comes out as
            IPv6. ``"prefix"``: addresses of one network to addresses of one network, within their
            version. ``"crypto-pan"``: the same by the older cipher, where others use it.
            ``"random"``: each time to another text of 46 characters, so that nothing links.

        scope:
            Values in one scope link; values in two scopes do not. Defaults to
            ``<policy>.<field>``.

    Preserves:
        Equality, within one scope and one key, unless *mode* is ``"random"``. With ``"prefix"``
        and ``"crypto-pan"`` also the version, and for two addresses of one version how many of
        their leading bits are equal.

    Reveals:
        Which records share an address, and with mode="prefix" or "crypto-pan" which are
        neighbours; with "random" nothing. With prefixes, whoever knows 256 addresses of a network
        knows 17 leading bits of another one, and whoever can have addresses enciphered learns
        them bit by bit.

    Reverses:
        With the key of the scope, to the spelling of RFC 5952; ``"random"`` to text. Nothing is
        authenticated: another key gives another address.

    Source:
        ipcrypt-deterministic, ipcrypt-pfx and ipcrypt-ndx: draft-denis-ipcrypt-12. Crypto-PAn:
        Xu, Fan, Ammar and Moon, ICNP 2002, section 4, with a key for each version. Subkeys:
        RFC 5869. base64url: RFC 4648, section 5.

    Raises:
        DomainError: If *mode* is none of the above, or *scope* is empty.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}

    name: ClassVar[str] = "ip_address"
    reversible: ClassVar[bool] = True
    injective: ClassVar[bool] = True
    keyed: ClassVar[bool] = True
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None

    mode: Mode = "deterministic"
    scope: str | None = None

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, MODES)
        check_scope(self.scope)

    @property
    def deterministic(self) -> bool:
        """
        Whether equal addresses have equal pseudonyms.
        """
        return self.mode != "random"

    @property
    def technique(self) -> Technique:
        """
        The class of the technique in ISO/IEC 20889.
        """
        if self.mode == "random":
            return Technique.RANDOMIZED_ENCRYPTION
        return Technique.FORMAT_PRESERVING_ENCRYPTION

    def bind(self, subkeys: Subkeys, /) -> "BoundIPAddress | BoundRandomAddress":
        """
        Join the rule to a key.
        """
        if self.mode == "random":
            return BoundRandomAddress(self, _random(subkeys))
        return BoundIPAddress(self, *_permutations(self.mode, subkeys))

    def bind_inverse(self, subkeys: Subkeys, /) -> "IPAddressInverse | RandomAddressInverse":
        """
        Join the way back to a key.
        """
        if self.mode == "random":
            return RandomAddressInverse(self, _random(subkeys))
        return IPAddressInverse(self, *_permutations(self.mode, subkeys))


@final
@dataclass(frozen=True, slots=True)
class BoundIPAddress:
    """
    An `IPAddress` joined to a key. Threads and forked processes may share it.
    """

    rule: IPAddress
    cipher_4: AddressPermutation = field(repr=False, compare=False)
    cipher_6: AddressPermutation = field(repr=False, compare=False)

    def apply(self, value: object, _by: object = None, /) -> str | Address:
        """
        Return the pseudonym of an address.

        Raises:
            DomainError: If *value* is no IP address, or has a zone.
        """
        address, is_text = _read(value)
        cipher = self.cipher_4 if isinstance(address, IPv4Address) else self.cipher_6
        result = cipher.encrypt(address)
        return text(result) if is_text else result


@final
@dataclass(frozen=True, slots=True)
class IPAddressInverse:
    """
    The way back of an `IPAddress`, joined to a key.
    """

    rule: IPAddress
    cipher_4: AddressPermutation = field(repr=False, compare=False)
    cipher_6: AddressPermutation = field(repr=False, compare=False)

    def invert(self, value: object, _by: object = None, /) -> str | Address:
        """
        Return the address whose pseudonym is *value*. Any address is one.

        Raises:
            DomainError: As `BoundIPAddress.apply`.
        """
        address, is_text = _read(value)
        cipher = self.cipher_4 if isinstance(address, IPv4Address) else self.cipher_6
        result = cipher.decrypt(address)
        return text(result) if is_text else result


@final
@dataclass(frozen=True, slots=True)
class BoundRandomAddress:
    """
    An `IPAddress` that hides which are equal, joined to a key.
    """

    rule: IPAddress
    cipher: NonDeterministicX = field(repr=False, compare=False)

    def apply(self, value: object, _by: object = None, /) -> str:
        """
        Return another pseudonym of an address at each call.

        Raises:
            DomainError: If *value* is no IP address, or has a zone.
        """
        address, _ = _read(value)
        data = self.cipher.encrypt(address)
        return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


@final
@dataclass(frozen=True, slots=True)
class RandomAddressInverse:
    """
    The way back of an `IPAddress` that hides which are equal.
    """

    rule: IPAddress
    cipher: NonDeterministicX = field(repr=False, compare=False)

    def invert(self, value: object, _by: object = None, /) -> str:
        """
        Return the address, as text.

        Raises:
            DomainError: If *value* has not the form of such a pseudonym.
        """
        match = RANDOM.fullmatch(value) if isinstance(value, str) else None
        body = "" if match is None else match[1]
        data = b"" if match is None else base64.urlsafe_b64decode(f"{body}=")
        # Bits that do not count could otherwise be altered: RFC 4648, section 3.5.
        if match is None or base64.urlsafe_b64encode(data).decode().rstrip("=") != body:
            raise DomainError(
                f"a random pseudonym of an address is {PREFIX} and 43 characters of base64url"
            )
        return self.cipher.decrypt(data)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TruncateAddress:
    """
    Cut an IP address to its network.

    The bits after the prefix become zeros, so the result is an address of the same version and
    type: 192.0.2.0 of 192.0.2.77. Choose `IPAddress` when two addresses of one network must stay
    apart, or the address must come back.

    Args:
        ipv4:
            How many leading bits of an IPv4 address are kept, 0 to 31. An IPv4-mapped IPv6
            address counts as IPv4.

        ipv6:
            How many leading bits of an IPv6 address are kept, 0 to 127. A household often has 56
            or 64 for itself, and a mobile device 64.

    Preserves:
        The leading bits and the version, and with them the order of networks.

    Reveals:
        The network in clear, and with it usually the provider and the region.

    Reverses:
        Never.

    Source:
        Networks: RFC 4632, section 3.1; RFC 4291, section 2.3. How many addresses a /48 holds:
        RFC 6177, section 2. Text: RFC 5952, section 4.

    Raises:
        DomainError: If *ipv4* or *ipv6* is no integer in its range.

    .. versionadded:: 0.1
    """

    ipv4: int = 24
    ipv6: int = 48

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "truncate_address"
    technique: ClassVar[Technique] = Technique.ROUNDING
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        check_integer("ipv4", self.ipv4, 0, BITS_4 - 1)
        check_integer("ipv6", self.ipv6, 0, BITS_6 - 1)

    def apply(self, value: object, _by: object = None, /) -> str | Address:
        """
        Return the first address of the network.

        Raises:
            DomainError: If *value* is no IP address, or has a zone.
        """
        address, is_text = _read(value)
        number = widen(address)
        mapped = isinstance(narrow(number), IPv4Address)
        dropped = BITS_4 - self.ipv4 if mapped else BITS_6 - self.ipv6
        number = number >> dropped << dropped
        result = narrow(number) if isinstance(address, IPv4Address) else IPv6Address(number)
        return text(result) if is_text else result


Permutations: TypeAlias = tuple[AddressPermutation, AddressPermutation]


def _permutations(mode: Mode, subkeys: Subkeys) -> Permutations:
    """
    Return the ciphers of IPv4 and IPv6.
    """
    cipher: AddressPermutation
    if mode == "deterministic":
        secret = subkeys.derive("ip", "ipcrypt-deterministic", size=16)
        cipher = Deterministic.from_secret(secret)
        return cipher, cipher
    if mode == "prefix":
        cipher = PrefixPreserving.from_secret(subkeys.derive("ip", "ipcrypt-pfx"))
        return cipher, cipher
    # With one key for both, an IPv4 address would be a neighbour of IPv6 addresses.
    return (
        CryptoPAn.from_secret(subkeys.derive("ip", "Crypto-PAn IPv4")),
        CryptoPAn.from_secret(subkeys.derive("ip", "Crypto-PAn IPv6")),
    )


def _random(subkeys: Subkeys) -> NonDeterministicX:
    return NonDeterministicX.from_secret(subkeys.derive("ip", "ipcrypt-ndx"))


def _read(value: object) -> tuple[Address, bool]:
    """
    Return an address, and whether it was text.
    """
    if isinstance(value, str):
        return parse(plain_text(value)), True
    return parse(value), False
