"""
Strings with a choice of characters at each place, numbered in order.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import prod
from typing import Final

DIGITS: Final = "0123456789"
UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HEX: Final = "0123456789abcdef"


def size(choices: Iterable[Sequence[str]]) -> int:
    """
    Return how many strings there are.
    """
    return prod(map(len, choices))


def rank(text: Iterable[str], choices: Iterable[Sequence[str]]) -> int:
    """
    Return the number of a string that has at each place one of its choices.
    """
    number = 0
    for character, choice in zip(text, choices, strict=True):
        number = number * len(choice) + choice.index(character)
    return number


def unrank(number: int, choices: Sequence[Sequence[str]]) -> str:
    """
    Return the string of a number.
    """
    characters: list[str] = []
    for choice in reversed(choices):
        number, index = divmod(number, len(choice))
        characters.append(choice[index])
    return "".join(reversed(characters))


class HexPlaces:
    """
    Hexadecimal strings, in two halves: those with a letter, and those of digits alone.

    The case of letters is kept, and digits show none. So a string with a letter stays one, and
    upper and lower case have one numbering.

    Args:
        choices: The digits at each place in lower case, decimal ones first. A place that is kept
            has one choice.
    """

    __slots__ = ("_after", "_choices", "_plain")

    def __init__(self, choices: Sequence[str]) -> None:
        self._choices = choices
        self._plain = [choice.rstrip("abcdef") for choice in choices]
        # How many strings, and how many of them of digits alone, there are after each place.
        after = [(1, 1)]
        for choice, plain in zip(reversed(choices), reversed(self._plain), strict=True):
            every, digits = after[-1]
            after.append((every * len(choice), digits * len(plain)))
        self._after = after[::-1]

    def size(self, *, lettered: bool) -> int:
        """
        Return how many strings there are with a letter, or without.
        """
        every, digits = self._after[0]
        return every - digits if lettered else digits

    def rank(self, text: str, *, lettered: bool) -> int:
        """
        Return the number of a string among those of its half.
        """
        if not lettered:
            return rank(text, self._plain)
        number = 0
        before = 0
        still_digits = True
        for character, choice, plain in zip(text, self._choices, self._plain, strict=True):
            index = choice.index(character)
            number = number * len(choice) + index
            before = before * len(plain) + (min(index, len(plain)) if still_digits else 0)
            still_digits = still_digits and index < len(plain)
        return number - before

    def unrank(self, number: int, *, lettered: bool) -> str:
        """
        Return the string of a number in one half.
        """
        if not lettered:
            return unrank(number, self._plain)
        # Decimal digits up to the first letter, which is there, then anything.
        text = ""
        every, lettered_after = self._after_and_lettered(0)
        while number < (before := len(self._plain[len(text)]) * lettered_after):
            index, number = divmod(number, lettered_after)
            text += self._plain[len(text)][index]
            every, lettered_after = self._after_and_lettered(len(text))
        index, number = divmod(number - before, every)
        text += self._choices[len(text)][len(self._plain[len(text)]) + index]
        return text + unrank(number, self._choices[len(text) :])

    def _after_and_lettered(self, place: int) -> tuple[int, int]:
        """
        Return how many strings there are after a place, and how many of them have a letter.
        """
        every, digits = self._after[place + 1]
        return every, every - digits


class WeightedPlaces:
    """
    Strings of digits whose weighted sum is a multiple of 11.

    Args:
        choices: What may stand at each place: one digit, or several at once.

        weights: One for each digit.
    """

    __slots__ = ("_ways", "_worth")

    def __init__(self, choices: Sequence[Sequence[str]], weights: Sequence[int]) -> None:
        worth: list[list[tuple[str, int]]] = []
        start = 0
        for choice in choices:
            here = weights[start : start + len(choice[0])]
            worth.append([(text, weigh(text, here)) for text in choice])
            start += len(here)
        # How many ways there are from each place on to make each sum, modulo 11.
        ways = [[1] + [0] * 10]
        for place in reversed(worth):
            later = ways[-1]
            ways.append([sum(later[(rest - w) % 11] for _, w in place) for rest in range(11)])
        self._worth = worth
        self._ways = ways[::-1]

    def size(self) -> int:
        """
        Return how many strings there are.
        """
        return self._ways[0][0]

    def rank(self, text: str) -> int:
        """
        Return the number of a string, which is one of them.
        """
        number = rest = start = 0
        for place, later in zip(self._worth, self._ways[1:], strict=True):
            end = start + len(place[0][0])
            index = [option for option, _ in place].index(text[start:end])
            number += self._starts(place, later, rest)[index]
            rest = (rest - place[index][1]) % 11
            start = end
        return number

    def unrank(self, number: int) -> str:
        """
        Return the string of a number.
        """
        rest = 0
        text = ""
        for place, later in zip(self._worth, self._ways[1:], strict=True):
            starts = self._starts(place, later, rest)
            index = bisect_right(starts, number) - 1
            number -= starts[index]
            option, weight = place[index]
            text += option
            rest = (rest - weight) % 11
        return text

    @staticmethod
    def _starts(place: list[tuple[str, int]], later: list[int], rest: int) -> list[int]:
        return list(accumulate([later[(rest - weight) % 11] for _, weight in place], initial=0))


def weigh(text: str, weights: Sequence[int]) -> int:
    """
    Return the weighted sum of digits, modulo 11.
    """
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=True)) % 11
