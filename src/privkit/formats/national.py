"""
Check digits inside a country's own account number, which an IBAN carries along.

The names of the rules stand in the table of IBANs and are frozen with it.

Source:
    The registers and validators of python-stdnum 2.2 and schwifty 2026.10.1; for Albania, Croatia
    and Hungary, the examples of SWIFT's IBAN registry.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from privkit.formats.places import DIGITS, UPPER


class Computed(NamedTuple):
    """
    Check characters that follow from the others.

    Args:
        places: Where they stand in the account number.

        compute: What belongs there, whatever stands there.
    """

    places: tuple[int, ...]
    compute: Callable[[str], str]


class Weighted(NamedTuple):
    """
    A run of digits whose weighted sum is a multiple of 11, so that some of them are impossible.

    Args:
        start: Where it begins.

        weights: One for each digit.

        pairs: Where two digits stand that are not both zero.
    """

    start: int
    weights: tuple[int, ...]
    pairs: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """
        Where it ends.
        """
        return self.start + len(self.weights)


FRENCH: Final = str.maketrans(UPPER, "12345678912345678923456789")
ITALIAN: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10)
"""What the letters A to V count for in an odd place. W, X, Y and Z: 22, 25, 24 and 23."""

ODD: Final = MappingProxyType(
    dict(zip(UPPER, (*ITALIAN, 22, 25, 24, 23), strict=True))
    | dict(zip(DIGITS, ITALIAN[:10], strict=True))
)


def as_number(text: str) -> int:
    """
    Return the number that ISO 7064 reads: A is 10, B is 11, and so on.
    """
    return int("".join([str(int(character, 36)) for character in text]))


def check_98(text: str) -> str:
    """
    Return the check digits by ISO 7064 MOD 97-10.
    """
    return f"{98 - as_number(text) * 100 % 97:02d}"


def _check_97(bban: str) -> str:
    return f"{97 - int(bban[:-2]) * 100 % 97:02d}"


def _belgian(bban: str) -> str:
    return f"{int(bban[:10]) % 97 or 97:02d}"


def _french(bban: str) -> str:
    digits = bban.translate(FRENCH)
    bank, branch, account = int(digits[:5]), int(digits[5:10]), int(digits[10:21])
    return f"{97 - (89 * bank + 15 * branch + 3 * account) % 97:02d}"


def _italian(bban: str) -> str:
    total = sum(ODD[character] for character in bban[1::2])
    total += sum(int(c) if c in DIGITS else UPPER.index(c) for c in bban[2::2])
    return UPPER[total % 26]


def _spanish(bban: str) -> str:
    return _mod_11(bban[:8], (4, 8, 5, 10, 9, 7, 3, 6)) + _mod_11(
        bban[10:], (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    )


def _mod_11(digits: str, weights: tuple[int, ...]) -> str:
    check = -_sum(digits, weights) % 11
    return "1" if check == len(DIGITS) else str(check)


def _sum(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _mod_10(digits: str, weights: tuple[int, ...]) -> str:
    return str(-_sum(digits, weights) % 10)


def _finnish(bban: str) -> str:
    doubled = "".join([str(2 * int(digit)) for digit in bban[12::-2]])
    return str(-sum(map(int, doubled + bban[11::-2])) % 10)


def _croatian(digits: str) -> str:
    check = 10
    for digit in digits:
        check = ((check + int(digit)) % 10 or 10) * 2 % 11
    return str((1 - check) % 10)


NINE_SEVEN: Final = (9, 7, 3, 1) * 4

COMPUTED: Final[Mapping[str, Computed]] = MappingProxyType(
    {
        "97-98": Computed((-2, -1), lambda bban: check_98(bban[:-2])),
        "97-97": Computed((-2, -1), _check_97),
        "al": Computed((7,), lambda bban: _mod_10(bban[:7], NINE_SEVEN[:7])),
        "be": Computed((10, 11), _belgian),
        "ee": Computed(
            (15,), lambda bban: _mod_10(bban[2:15], (7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7))
        ),
        "es": Computed((8, 9), _spanish),
        "fi": Computed((13,), _finnish),
        "fr": Computed((21, 22), _french),
        "hr": Computed((6, 16), lambda bban: _croatian(bban[:6]) + _croatian(bban[7:16])),
        "hu": Computed(
            (7, 23),
            lambda bban: _mod_10(bban[:7], NINE_SEVEN[:7]) + _mod_10(bban[8:23], NINE_SEVEN[:15]),
        ),
        "it": Computed((0,), _italian),
        "pl": Computed((7,), lambda bban: _mod_10(bban[:7], (3, 9, 7, 1, 3, 9, 7))),
    }
)

CZECH: Final = (6, 3, 7, 9, 10, 5, 8, 4, 2, 1)

WEIGHTED: Final[Mapping[str, tuple[Weighted, ...]]] = MappingProxyType(
    {
        "cz": (Weighted(4, CZECH[4:]), Weighted(10, CZECH)),
        # The holder's national number. Its last digit, the century, is not checked.
        "is": (Weighted(12, (3, 2, 7, 6, 5, 4, 3, 2, 1)),),
        # Accounts in the group 00 and at the bank 0000 have rules of their own.
        "no": (Weighted(0, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), pairs=(0, 4)),),
    }
)
