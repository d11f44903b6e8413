"""
International bank account numbers.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, cast, final

from privkit.errors import DomainError
from privkit.formats.contract import Parsed
from privkit.formats.national import COMPUTED, WEIGHTED, Computed, Weighted, check_98
from privkit.formats.places import DIGITS, UPPER, WeightedPlaces, rank, size, unrank
from privkit.formats.spelling import case_of, fill, read_text, split

TABLES: Final = (1,)
"""The tables privkit ships."""

TEXT: Final = re.compile("[0-9A-Za-z](?:[ -]*[0-9A-Za-z])*")
PART: Final = re.compile("([0-9]+)([nac])")
CHARACTERS: Final = MappingProxyType({"n": DIGITS, "a": UPPER, "c": DIGITS + UPPER})
PAIRS: Final = tuple(f"{number:02d}" for number in range(1, 100))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IBAN:
    """
    International bank account numbers with the right check digits.

    Characters are replaced where they stand: digits by digits, letters by letters, and where a
    country allows both, by both. Blanks and hyphens stay.

    Where a country has check digits of its own inside the account number, and their rule is known,
    they are right too. That is so in AL, BA, BE, CZ, EE, ES, FI, FR, HR, HU, IS, IT, MC, ME, MK,
    MR, NO, PL, PT, RS, SI, SK, SM, TL and TN. In other countries such digits are like any other,
    and a validator of national accounts may refuse what comes out: in Germany each bank has a rule
    of its own. Whether a bank or a branch exists is not looked up, so keep the bank where a
    validator does. Norwegian accounts at a bank 00xx or in the group 00 are refused.

    Args:
        bank: Whether the bank's code is kept.

        branch: Whether the branch's code is kept too, where a country has one. It needs the bank.

        table: The number of the table of countries. Tables never change.

    Keeps:
        The country; the bank and the branch as chosen; a currency's code, where a country writes
        one; the length; the separators and the case, which is one for all letters.

    Reveals:
        All that it keeps.

    Domain:
        The account numbers of one country with the same kept part. In Germany, 10**10 with the
        bank, in Norway 900,000.

    Source:
        ISO 13616-1:2020. Countries: SWIFT's IBAN registry, release 101, and schwifty 2026.10.1 for
        those outside it, frozen in table 1.

    Raises:
        DomainError: If the branch is kept without the bank, or there is no such table.

    .. versionadded:: 0.1
    """

    bank: bool = True
    branch: bool = False
    table: int = 1

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "iban"
    many_kept: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for option, value in (("bank", self.bank), ("branch", self.branch)):
            if type(value) is not bool:
                raise DomainError(f"{option} is true or false, got {type(value).__name__}")
        if self.branch and not self.bank:
            raise DomainError("a branch is kept with its bank: bank=True")
        if type(self.table) is not int or self.table not in TABLES:
            raise DomainError(f"there is no IBAN table of this number, only {TABLES[0]}")

    def parse(self, value: object, /) -> Parsed:
        """
        Take an IBAN apart.

        Raises:
            DomainError: If it is no text, its country is not in the table, it has not the
                country's structure, or check digits are wrong.
        """
        text = read_text(value, "an IBAN")
        if not TEXT.fullmatch(text):
            raise DomainError(
                "an IBAN is letters and digits, with blanks or hyphens in between, "
                f"got {len(text)} characters",
                length=len(text),
            )
        lower = case_of(text, "an IBAN")
        characters, template = split(text, " -")
        characters = characters.upper()
        country, check, bban = characters[:2], characters[2:4], characters[4:]
        if country not in _countries(self.table):
            raise DomainError(
                f"an IBAN begins with the code of a country in table {self.table}",
                table=self.table,
            )
        layout = _layout(self.table, country, self.bank, self.branch)
        layout.check(bban)
        if check != check_98(bban + country):
            raise DomainError("the check digits of the IBAN are wrong")
        kept = "".join([bban[place] for place in layout.kept])
        number, domain = layout.rank(bban, kept)
        return Parsed(
            number=number,
            size=domain,
            kept=f"{country} {kept}",
            spelling=_Spelling(template, lower, layout),
        )

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the IBAN that keeps what *parsed* keeps.
        """
        spelling = cast("_Spelling", parsed.spelling)
        country, kept = parsed.kept.split(" ")
        bban = spelling.layout.unrank(number, kept)
        text = fill(spelling.template, f"{country}{check_98(bban + country)}{bban}")
        return text.lower() if spelling.lower else text


@dataclass(frozen=True, slots=True)
class _Layout:
    """
    What stands where in the account numbers of a country.
    """

    choices: tuple[str, ...]
    kept: tuple[int, ...]
    free: tuple[int, ...]
    computed: Computed | None
    weighted: tuple[Weighted, ...]

    def check(self, bban: str) -> None:
        """
        Refuse what is no account number of the country.
        """
        if len(bban) != len(self.choices):
            raise DomainError(
                f"an IBAN of its country has {len(self.choices) + 4} characters, "
                f"got {len(bban) + 4}",
                length=len(bban) + 4,
            )
        for place, (character, choice) in enumerate(zip(bban, self.choices, strict=True)):
            if character not in choice:
                raise DomainError(
                    f"an IBAN of its country has a {'digit' if choice == DIGITS else 'letter'} as "
                    f"character {place + 5}",
                    position=place + 5,
                )
        if self.computed:
            places, compute = self.computed
            right = [bban[place] for place in places] == list(compute(bban))
        else:
            right = all(_is_right(bban, part) for part in self.weighted)
        if not right:
            raise DomainError("the national check digits in the IBAN are wrong")

    def rank(self, bban: str, kept: str) -> tuple[int, int]:
        """
        Return the number of an account number, and how many there are.
        """
        choices = self._free_choices()
        number, domain = rank([bban[place] for place in self.free], choices), size(choices)
        for part in self.weighted:
            run = self._run(part, kept)
            number = number * run.size() + run.rank(bban[part.start : part.end])
            domain *= run.size()
        return number, domain

    def unrank(self, number: int, kept: str) -> str:
        """
        Return the account number of a number.
        """
        characters = ["0"] * len(self.choices)
        for part in reversed(self.weighted):
            run = self._run(part, kept)
            number, index = divmod(number, run.size())
            characters[part.start : part.end] = run.unrank(index)
        for place, character in zip(self.free, unrank(number, self._free_choices()), strict=True):
            characters[place] = character
        for place, character in zip(self.kept, kept, strict=True):
            characters[place] = character
        if self.computed:
            places, compute = self.computed
            for place, character in zip(places, compute("".join(characters)), strict=True):
                characters[place] = character
        return "".join(characters)

    def _free_choices(self) -> list[str]:
        return [self.choices[place] for place in self.free]

    def _run(self, part: Weighted, kept: str) -> WeightedPlaces:
        fixed = {
            place: character
            for place, character in zip(self.kept, kept, strict=True)
            if part.start <= place < part.end
        }
        return _weighted_places(part, tuple(sorted(fixed.items())))


class _Spelling(NamedTuple):
    template: str
    lower: bool
    layout: _Layout


def _is_right(bban: str, part: Weighted) -> bool:
    digits = bban[part.start : part.end]
    total = sum(int(digit) * weight for digit, weight in zip(digits, part.weights, strict=True))
    return total % 11 == 0 and all(bban[pair : pair + 2] != "00" for pair in part.pairs)


@functools.lru_cache(maxsize=1024)
def _weighted_places(part: Weighted, fixed: tuple[tuple[int, str], ...]) -> WeightedPlaces:
    """
    Return the runs of digits that are possible beside those that are kept.
    """
    known = dict(fixed)
    choices: list[Sequence[str]] = []
    place = part.start
    while place < part.end:
        width = 2 if place in part.pairs else 1
        if place in known:
            choices.append(["".join([known[place + next_] for next_ in range(width)])])
        else:
            choices.append(PAIRS if width > 1 else DIGITS)
        place += width
    return WeightedPlaces(choices, part.weights)


@functools.cache
def _countries(table: int) -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("privkit.formats.tables").joinpath(f"iban_{table}.json").read_text()
    return MappingProxyType(json.loads(text)["countries"])


@functools.cache
def _layout(table: int, country: str, bank: bool, branch: bool) -> _Layout:  # noqa: FBT001
    """
    Return the layout of a country's account numbers.
    """
    entry = _countries(table)[country]
    choices = "".join(kind * int(count) for count, kind in PART.findall(entry["structure"]))
    wanted = {"bank": bank, "branch": branch, "currency": True}
    kept = {
        place
        for part, is_kept in wanted.items()
        if is_kept and part in entry
        for place in range(*entry[part])
    }
    computed = COMPUTED.get(entry.get("check", ""))
    weighted = WEIGHTED.get(entry.get("check", ""), ())
    if computed:
        computed = computed._replace(
            places=tuple(place % len(choices) for place in computed.places)
        )
    decided = {place for part in weighted for place in range(part.start, part.end)}
    decided.update(computed.places if computed else ())
    return _Layout(
        choices=tuple(CHARACTERS[kind] for kind in choices),
        kept=tuple(sorted(kept)),
        free=tuple(place for place in range(len(choices)) if place not in kept | decided),
        computed=computed,
        weighted=weighted,
    )
