"""
E-mail addresses.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, cast, final

from privkit.errors import DomainError
from privkit.formats import idn
from privkit.formats.contract import Parsed
from privkit.formats.places import DIGITS, UPPER, rank, unrank
from privkit.formats.text import is_own, plain_text

MAX_LENGTH: Final = 254
"""Octets of an address: RFC 5321, section 4.5.3.1.3, less the angle brackets."""

MAX_DOMAIN: Final = 253
"""Characters of a domain name: RFC 1035, section 2.3.4, less the root."""

LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
SYMBOLS: Final = "!#$%&'*+-/=?^_`{|}~"

DOT_ATOM: Final = re.compile(f"[A-Za-z0-9{re.escape(SYMBOLS)}.]+")
START: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}"
LABEL: Final = re.compile(f"{START}[A-Za-z0-9])?")
RESERVED: Final = "[^.]{2}--"
"""How labels begin that stand for something else, such as Punycode."""

PLAIN: Final = re.compile(
    rf"(?:(?!{RESERVED}){START}[A-Za-z0-9])?\.)+(?!{RESERVED})(?:{START})?)?[A-Za-z]"
)
"""Two labels or more that stand for nothing else, the last of which ends in a letter."""

POINTS: Final = re.compile("[.\u3002\uff0e\uff61]")
"""What stands between the labels of a domain: RFC 3490, section 3.1."""

SMALL, CAPITAL, SYMBOL, LETTER, FIGURE = "<", ">", ",", ";", ":"
"""Slots. An address that is not quoted holds none of these characters."""

CHOICES: Final = {
    SMALL: DIGITS + LOWER,
    CAPITAL: UPPER,
    SYMBOL: SYMBOLS,
    LETTER: LOWER,
    FIGURE: DIGITS,
}

SLOTS: Final = str.maketrans(
    DIGITS + LOWER + UPPER, SMALL * len(DIGITS + LOWER) + CAPITAL * len(UPPER)
)
SYMBOL_SLOTS: Final = str.maketrans(SYMBOLS, SYMBOL * len(SYMBOLS))
LOWERED: Final = str.maketrans(UPPER, LOWER)
"""Not ``str.lower``, which depends on the Unicode version of Python."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """
    E-mail addresses: the part before the @ is replaced, the domain stays or is replaced as well.

    Letters and digits are replaced where they stand: a capital letter by another one, a small
    letter or a digit by either of the two. Where there are none, other signs are replaced. So the
    address stays valid, and small letters stay small. What comes out may well be the address of
    somebody: write nothing to it.

    Ana@example.org and ana@example.org are two addresses, since only the receiving host knows
    whether they are one (RFC 5321, section 2.4). Capital letters in a kept domain make no
    difference.

    Args:
        domain: ``"keep"``, or ``"encipher"``: then the address is enciphered as a whole, all but
            the top-level domain and labels that are not in ASCII, and two addresses of one domain
            do not share it.

    Keeps:
        The length, the place of each capital letter, the signs between letters and digits, and
        the domain unless it is enciphered. With ``domain="encipher"``, of the domain only the
        length of each label, its hyphens and capital letters, the top-level domain and labels
        that are not in ASCII; beside such labels, whether another begins with a digit.

    Reveals:
        All that it keeps: usually the employer or the provider, and whether there is a dot
        between two names or a tag after a plus sign.

    Domain:
        36 for each small letter and each digit that is replaced, times 26 for each capital
        letter. A name of three letters has 46,656. Without letters and digits, 19 for each sign.

    Source:
        RFC 5322, section 3.2.3 (dot-atom). RFC 5321, sections 2.4 and 4.5.3.1. Domain names:
        RFC 1035, section 2.3.4; RFC 5890, section 2.3.1.

    Raises:
        DomainError: If *domain* is none of the above.

    .. versionadded:: 0.1
    """

    domain: Literal["keep", "encipher"] = "keep"

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "email"
    many_kept: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not is_own(self.domain) or self.domain not in {"keep", "encipher"}:
            raise DomainError("domain is 'keep' or 'encipher'")

    def parse(self, value: object, /) -> Parsed:
        """
        Take an address apart.

        Raises:
            DomainError: If it is no text, has no @, is quoted or not in ASCII before the @, or its
                domain is no domain name of two labels or more.
        """
        if not isinstance(value, str):
            raise DomainError(f"an e-mail address is text, got {type(value).__name__}")
        value = plain_text(value)
        length = len(value.encode("utf-8", "surrogatepass"))
        if length > MAX_LENGTH:
            raise DomainError(
                f"an e-mail address has at most {MAX_LENGTH} octets in UTF-8, got {length}",
                maximum=MAX_LENGTH,
            )
        local, _, domain = value.rpartition("@")
        if not DOT_ATOM.fullmatch(local) or "" in local.split("."):
            raise DomainError(
                "an e-mail address has letters, digits and signs in ASCII before the @, not "
                f"quoted, and only single dots between them, got {len(local)} characters",
                length=len(local),
            )
        labels = _labels(domain, MAX_LENGTH - len(local) - 1)
        slots = local.translate(SLOTS)
        if SMALL not in slots and CAPITAL not in slots:
            slots = local.translate(SYMBOL_SLOTS)
        kept = domain if self.domain == "keep" else _slots(labels, domain)
        template = f"{slots}@{kept}"
        # Of the template and the address, each character stands at the same place.
        pairs = [
            (c, CHOICES[slot]) for c, slot in zip(value, template, strict=True) if slot in CHOICES
        ]
        size = 1
        for _, choice in pairs:
            size *= len(choice)
        characters, choices = zip(*pairs, strict=True)
        return Parsed(
            number=rank(characters, choices),
            size=size,
            kept=template.translate(LOWERED),
            spelling=template,
        )

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the address that keeps what *parsed* keeps.
        """
        template = cast("str", parsed.spelling)
        rest = iter(unrank(number, [CHOICES[slot] for slot in template if slot in CHOICES]))
        return "".join([next(rest) if slot in CHOICES else slot for slot in template])


def _labels(domain: str, longest: int) -> list[str]:
    labels = POINTS.split(domain)
    in_ascii = domain
    if not PLAIN.fullmatch(domain):
        in_ascii = idn.in_ascii(labels) or ""
        if len(labels) == 1 or not all(map(_is_label, in_ascii.split("."))):
            in_ascii = ""
    if not 0 < len(in_ascii) <= min(longest, MAX_DOMAIN) or in_ascii[-1] in DIGITS:
        raise DomainError(
            "an e-mail address has a domain name of two labels or more after the @, the last of "
            f"which ends in a letter, got {len(domain)} characters",
            length=len(domain),
        )
    return labels


def _is_label(label: str) -> bool:
    return bool(LABEL.fullmatch(label)) and (idn.is_foreign(label) or not re.match(RESERVED, label))


def _slots(labels: Sequence[str], domain: str) -> str:
    """
    Return a domain with slots for the letters and digits that are replaced.
    """
    foreign = list(map(idn.is_foreign, labels))
    # Beside a label from right to left, none begins with a digit: RFC 5893, section 2.
    firm = any(foreign)
    made = ""
    for label, fixed in zip(labels[:-1], foreign, strict=False):
        slots = label if fixed else label.translate(SLOTS)
        if firm and slots[0] == SMALL:
            slots = f"{FIGURE if label[0] in DIGITS else LETTER}{slots[1:]}"
        made += slots
        made += domain[len(made)]
    return made + labels[-1]
