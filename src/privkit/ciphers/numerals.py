"""
Strings of numerals and the numbers they stand for.

Source:
    NIST SP 800-38G, section 4.5: NUM_radix(X), Algorithm 1, and STR_radix(x), Algorithm 3. The
    first numeral is the most significant.
"""

from collections.abc import Sequence
from typing import Final

WRITTEN: Final = b"0123456789abcdefghijklmnopqrstuvwxyz"
"""What Python writes for the numerals of a radix up to 36."""

TO_WRITTEN: Final = WRITTEN.ljust(256, b"?")
FROM_WRITTEN: Final = bytes(max(WRITTEN.find(byte), 0) for byte in range(256))
FORMATS: Final = {8: b"%0*o", 10: b"%0*d", 16: b"%0*x"}

CHUNK: Final = 512
"""
Numerals that are converted at once. More are converted by halves, which takes less than quadratic
time and stays below the least limit that Python can be given for the digits of an integer.
"""


def number_of(numerals: Sequence[int], radix: int) -> int:
    """
    Return the number that a string of numerals stands for; no numerals stand for 0.

    Args:
        numerals: Integers from 0 to *radix* - 1. Up to radix 36, bytes.
    """
    length = len(numerals)
    if length > CHUNK:
        middle = length // 2
        scale: int = radix ** (length - middle)
        return number_of(numerals[:middle], radix) * scale + number_of(numerals[middle:], radix)
    if isinstance(numerals, bytes) and 0 < length and radix <= len(WRITTEN):
        return int(numerals.translate(TO_WRITTEN), radix)
    result = 0
    for numeral in numerals:
        result = result * radix + numeral
    return result


def numerals_of(number: int, radix: int, length: int) -> list[int]:
    """
    Return the *length* numerals, at least one, of a number below ``radix**length``.
    """
    if length > CHUNK:
        right = length // 2
        high, low = divmod(number, radix**right)
        return numerals_of(high, radix, length - right) + numerals_of(low, radix, right)
    if radix in FORMATS:
        return list((FORMATS[radix] % (length, number)).translate(FROM_WRITTEN))
    result = [0] * length
    for position in range(length - 1, -1, -1):
        number, result[position] = divmod(number, radix)
    return result
