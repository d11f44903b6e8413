"""
Text that matches a regular expression, as a format.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final, final

from privkit.errors import DomainError
from privkit.formats.automaton import Automaton
from privkit.formats.contract import Parsed
from privkit.formats.pattern import compile_pattern
from privkit.formats.text import is_own, plain_text

MAX_LENGTH: Final = 256
"""Characters of a text."""

MAX_CELLS: Final = 250_000
"""States of the automaton times characters of the text: how many counts are kept."""


@final
@dataclass(frozen=True, slots=True)
class Pattern:
    r"""
    Printable ASCII text that a regular expression matches whole.

    Args:
        expression: In Python's syntax, without look-around, back-references, atomic groups and
            possessive repetitions: ``"[A-Z]{2}[0-9]{6}"``. ``\d``, ``\w`` and ``\s`` are ASCII.
            Flags may stand in front: ``(?i)``. In TOML it stands in single quotes.

    Keeps:
        The number of characters. A character that the expression fixes stays, such as a hyphen
        between groups; the others become any that lets the whole match.

    Reveals:
        The length.

    Domain:
        All texts of that length that the expression matches, each once, however many ways there
        are to match it.

    Source:
        Syntax: Python's re, with re.ASCII and re.fullmatch. Ranking: Goldberg and Sipser, 1985;
        Bellare, Ristenpart, Rogaway and Stegers, SAC 2009, section 5.

    Raises:
        DomainError: If *expression* is longer than 2,000 characters, cannot be read, uses what is
            refused, needs more than 5,000 states or half a second, or matches no text of at most
            256 characters.

    .. versionadded:: 0.1
    """

    expression: str
    _automaton: Automaton = field(init=False, repr=False, compare=False)

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "pattern"
    many_kept: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not is_own(self.expression):
            raise DomainError(f"expression is text, got {type(self.expression).__name__}")
        automaton = compile_pattern(self.expression)
        if not _has_short(automaton):
            raise DomainError(
                f"the pattern matches no text of at most {MAX_LENGTH} printable ASCII characters"
            )
        object.__setattr__(self, "_automaton", automaton)

    def __reduce__(self) -> tuple[type["Pattern"], tuple[str]]:
        # The automaton is made again: it is larger than the time is long.
        return Pattern, (self.expression,)

    def parse(self, value: object, /) -> Parsed:
        """
        Take a text apart.

        Raises:
            DomainError: If it is no text that matches, or is too long for so many states.
        """
        if not isinstance(value, str):
            raise DomainError(f"a pattern is for text, got {type(value).__name__}")
        value = plain_text(value)
        length = len(value)
        longest = min(MAX_LENGTH, MAX_CELLS // len(self._automaton.table))
        if length > longest:
            raise DomainError(
                f"the text of this pattern has at most {longest} characters, got {length}",
                maximum=longest,
                length=length,
            )
        number = self._automaton.find(value)
        if number is None:
            raise DomainError(
                f"the text of {length} characters does not match the pattern", length=length
            )
        return Parsed(number=number, size=self._automaton.count(length), kept=str(length))

    def render(self, parsed: Parsed, number: int, /) -> str:
        """
        Write the text of this number among those of the same length.
        """
        return self._automaton.unrank(number, int(parsed.kept))


def _has_short(automaton: Automaton) -> bool:
    """
    Tell whether a text is accepted that is not too long.
    """
    reached = {0} if automaton.table else set[int]()
    for _ in range(MAX_LENGTH + 1):
        if any(automaton.accepting[state] for state in reached):
            return True
        reached = {to for state in reached for to in automaton.table[state] if to >= 0}
    return False
