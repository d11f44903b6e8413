"""
What a format is: its valid values, numbered.

A format takes a value apart into what is kept and a number, and puts a valid value together again
from another number. It knows no key. Whatever permutes the numbers 0 to *size* - 1 turns valid
values into valid values, and no value outside the domain can come out.

Source:
    Rank, encipher, unrank: Bellare, Ristenpart, Rogaway and Stegers, "Format-Preserving
    Encryption", SAC 2009, section 5.
"""

from typing import ClassVar, NamedTuple, Protocol


class Parsed(NamedTuple):
    """
    A value taken apart.

    Args:
        number: Its number among the values that keep the same, from 0.

        size: How many values keep the same.

        kept: All that is kept and decides the domain, as canonical text, so that two values with
            equal *kept* share one domain and one numbering. It becomes a part of the tweak.

        spelling: What else is needed to write a value the same way: separators, case, the type.
            It decides neither domain nor numbering.
    """

    number: int
    size: int
    kept: str = ""
    spelling: object = None

    def __repr__(self) -> str:
        return f"Parsed(size={self.size})"


class Format(Protocol):
    """
    A set of valid values of one kind. A frozen dataclass: comparable, hashable, without secrets.

    For every valid value, ``render(p, p.number)`` with ``p = parse(value)`` is that value, and for
    every number below ``p.size``, ``parse(render(p, number))`` has that number and the same size,
    kept part and spelling.
    """

    name: ClassVar[str]
    """What a policy calls it."""

    many_kept: ClassVar[bool]
    """
    Whether nearly each value keeps something else, as a card number does and a date does not.

    It decides how a small domain is permuted, so it is frozen with the format.
    """

    def parse(self, value: object, /) -> Parsed:
        """
        Take a value apart.

        Raises:
            DomainError: If it is not a valid value of the format. The message tells the rule it
                breaks and no part of it.
        """
        ...

    def render(self, parsed: Parsed, number: int, /) -> object:
        """
        Put together the value that keeps what *parsed* keeps and has this number.
        """
        ...
