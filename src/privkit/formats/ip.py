"""
IP addresses as numbers of 32 or 128 bits.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar, Final, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.spelling import read_text

OCTET: Final = "(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
IPV4: Final = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}")
BITS_4: Final = 32
BITS_6: Final = 128


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IPv4:
    """
    IPv4 addresses: any address of the same prefix stands for any other.

    Private, reserved and multicast addresses are numbers like any other, so the kind of an address
    is not kept. Text stays text, in four numbers without leading zeros, and may get longer or
    shorter. An `ipaddress.IPv4Address` stays one. To keep which addresses share a prefix, take
    Crypto-PAn or ipcrypt-pfx instead.

    Args:
        prefix: How many leading bits are kept, 0 to 31.

    Keeps:
        The first *prefix* bits.

    Reveals:
        All that it keeps.

    Domain:
        2**(32 - *prefix*). From a *prefix* of 13 up, below 10**6.

    Source:
        RFC 791, section 3.2. Text: RFC 6943, section 3.1.1.

    Raises:
        DomainError: If *prefix* is not an integer from 0 to 31.

    .. versionadded:: 0.1
    """

    prefix: int = 0

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "ipv4"
    many_kept: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_prefix(self.prefix, BITS_4)

    def parse(self, value: object, /) -> Parsed:
        """
        Take an address apart.

        Raises:
            DomainError: If it is no `ipaddress.IPv4Address`, and no text of four numbers from 0 to
                255 without leading zeros.
        """
        if type(value) is IPv4Address:
            return _parsed(int(value), BITS_4 - self.prefix, None)
        text = read_text(value, "an IPv4 address")
        if not IPV4.fullmatch(text):
            raise DomainError(
                "an IPv4 address is four numbers from 0 to 255 without leading zeros, with dots "
                f"in between, got {len(text)} characters",
                length=len(text),
            )
        number = int.from_bytes(map(int, text.split(".")))
        return _parsed(number, BITS_4 - self.prefix, "text")

    def render(self, parsed: Parsed, number: int, /) -> str | IPv4Address:
        """
        Write the address that keeps what *parsed* keeps.
        """
        number += int(parsed.kept, 16) * parsed.size
        if parsed.spelling is None:
            return IPv4Address(number)
        return ".".join(map(str, number.to_bytes(4)))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IPv6:
    """
    IPv6 addresses: any address of the same prefix stands for any other.

    Link-local, unique local and multicast addresses are numbers like any other, so the kind of an
    address is not kept, unless it lies in the *prefix*. Text stays text in its canonical form, and
    may get longer or shorter. An `ipaddress.IPv6Address` stays one. To keep which addresses share
    a prefix, take Crypto-PAn or ipcrypt-pfx instead.

    Args:
        prefix: How many leading bits are kept, 0 to 127.

    Keeps:
        The first *prefix* bits.

    Reveals:
        All that it keeps.

    Domain:
        2**(128 - *prefix*). From a *prefix* of 109 up, below 10**6.

    Source:
        RFC 4291, section 2. Text: RFC 5952, section 4, also where section 5 recommends decimals.

    Raises:
        DomainError: If *prefix* is not an integer from 0 to 127.

    .. versionadded:: 0.1
    """

    prefix: int = 0

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "ipv6"
    many_kept: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_prefix(self.prefix, BITS_6)

    def parse(self, value: object, /) -> Parsed:
        """
        Take an address apart.

        Raises:
            DomainError: If it is no `ipaddress.IPv6Address`, and no text in the canonical form; or
                if it has a zone.
        """
        if type(value) is IPv6Address:
            if value.scope_id is not None:
                raise DomainError("an IPv6 address has no zone: take the part before the %")
            return _parsed(int(value), BITS_6 - self.prefix, None)
        text = read_text(value, "an IPv6 address")
        number: int | None
        try:
            number = int(IPv6Address(text))
        except ValueError:
            number = None
        if number is None or canonical(number) != text:
            raise DomainError(
                "an IPv6 address is written in its canonical form (RFC 5952, section 4): lower "
                "case, no leading zeros, the longest run of zeros as '::', no decimals, no zone, "
                f"got {len(text)} characters: the transform IPAddress reads any spelling",
                length=len(text),
            )
        return _parsed(number, BITS_6 - self.prefix, "text")

    def render(self, parsed: Parsed, number: int, /) -> str | IPv6Address:
        """
        Write the address that keeps what *parsed* keeps.
        """
        number += int(parsed.kept, 16) * parsed.size
        return IPv6Address(number) if parsed.spelling is None else canonical(number)


def canonical(number: int) -> str:
    """
    Return the text of an IPv6 address, whatever Python runs: ``str`` writes some in decimals.
    """
    groups = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    runs = [(0, 0)]
    start = 0
    for place, group in enumerate(groups):
        if group != "0":
            start = place + 1
        else:
            runs.append((place + 1 - start, -start))
    length, start = max(runs)
    if length < 2:  # noqa: PLR2004 - a single zero is not shortened
        return ":".join(groups)
    return f"{':'.join(groups[:-start])}::{':'.join(groups[length - start :])}"


def _check_prefix(prefix: object, bits: int) -> None:
    if type(prefix) is not int:
        raise DomainError(f"prefix is an integer, got {type(prefix).__name__}")
    if not 0 <= prefix < bits:
        raise DomainError(
            f"prefix is 0 to {bits - 1} bits, got {prefix}", minimum=0, maximum=bits - 1
        )


def _parsed(number: int, bits: int, spelling: str | None) -> Parsed:
    kept, number = divmod(number, 1 << bits)
    return Parsed(number=number, size=1 << bits, kept=f"{kept:x}", spelling=spelling)
