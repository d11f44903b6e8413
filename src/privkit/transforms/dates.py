"""
Move the dates of a subject by one secret number of days.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import ClassVar, Final, final

from privkit.ciphers.prf import HMACSHA256
from privkit.errors import DomainError
from privkit.formats.dates import (
    DECLARE,
    DateFormat,
    ISOText,
    dated_text,
    move,
    read_messy,
    refuse_layout,
)
from privkit.formats.text import is_own, refuse_member
from privkit.formats.values import encode, is_null
from privkit.transforms.checks import check_scope
from privkit.typing import Subkeys, Technique

LARGEST: Final = 36_525
"""A hundred years, in days."""


@final
@dataclass(frozen=True, slots=True)
class ShiftDate:
    """
    Move all dates of one subject by one secret number of days.

    The number is between 1 and *max_days*, back or forth, each equally likely. It depends on the
    key, the scope and the value of the field *by*. Dates, datetimes and ISO text come back in the
    type and layout they came in, and so does text of a declared *format*. Other text is refused
    unless *messy* is set: nobody can tell whether 03/04/2024 is in March or in April.

    Choose it when the time between events matters. Choose ``Bucket(unit="year")`` when the year
    is enough.

    Args:
        by:
            The path of the field that tells whose date it is. Whole numbers and their text, such
            as 42 and ``"42"``, are one subject. Floats are refused.

        max_days:
            The largest shift in days, 1 to 36,525. There are twice as many shifts.

        scope:
            Subjects have one shift within a scope, and unrelated shifts in two scopes. Defaults
            to ``<policy>.<by>``, so that all dates of a subject move together, whichever fields
            they stand in.

        format:
            The layout of text in the notation of ``datetime.strptime``, such as ``"%d/%m/%Y"``.
            ``None`` reads ISO 8601, extended or basic.

        messy:
            Whether to read any text that python-dateutil reads, and write it in ISO 8601.
            ISO text still keeps its layout. Numbers alone are read month first, unless that is
            impossible; years of two digits lie in 1969 to 2068.

    Preserves:
        The type and layout of a date (with *messy*, the type), the number of days between the
        dates of one subject, and the time of day with its offset.

    Reveals:
        The days between a subject's events, and the time of day, which is not shifted. One known
        event gives the shift, and with it every date of the subject. Regular habits narrow it:
        if visits fall on weekdays, 20 visits leave a median of 9 of 61 shifts at 30 days; ends of
        months, holidays and leap days tell likewise. A date tells its year to within *max_days*.

    Reverses:
        With the key and the value of *by*. With *messy*, text that was not in ISO 8601 comes back
        as the same date in ISO 8601, not in the layout it had. The result is not authenticated:
        another key or another *by* gives another date.

    Source:
        HMAC: RFC 2104. SHA-256: FIPS 180-4. Subkey: RFC 5869. ISO 8601-1:2019. The shift alone is
        not HIPAA Safe Harbor, which leaves only the year (45 CFR 164.514(b)(2)(i)(C)).

    Raises:
        DomainError: If *by* is empty, *max_days* is out of range, or *format* does not hold a
            whole date or stands beside *messy*.

    .. versionadded:: 0.1
    """

    _: KW_ONLY
    by: str
    max_days: int = 180
    scope: str | None = None
    format: str | None = None
    messy: bool = False

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "shift_date"
    technique: ClassVar[Technique] = Technique.RANDOMIZATION
    reversible: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True
    # Two subjects can be moved from two days to one, and messy text is written in one layout.
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = True
    containers: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not is_own(self.by) or not self.by:
            raise DomainError("by is the path of the field that tells whose date it is")
        check_scope(self.scope)
        if type(self.max_days) is not int:
            raise DomainError(f"max_days is an integer, got {type(self.max_days).__name__}")
        if not 1 <= self.max_days <= LARGEST:
            raise DomainError(
                f"max_days is 1 to {LARGEST:,}, got {self.max_days}", minimum=1, maximum=LARGEST
            )
        if not isinstance(self.messy, bool):
            raise DomainError(f"messy is true or false, got {type(self.messy).__name__}")
        if self.format is not None:
            DateFormat(self.format)
            if self.messy:
                raise DomainError("a declared format is strict: give format or messy, not both")

    def bind(self, subkeys: Subkeys, /) -> "Shifter":
        """
        Join the rule to a key.
        """
        return Shifter(_Mover(self, subkeys))

    def bind_inverse(self, subkeys: Subkeys, /) -> "Unshifter":
        """
        Join the way back to a key.
        """
        return Unshifter(_Mover(self, subkeys))


@final
class _Mover:
    """
    What both directions share.
    """

    __slots__ = ("_layout", "_mac", "rule")

    def __init__(self, rule: ShiftDate, subkeys: Subkeys) -> None:
        self.rule = rule
        self._layout = None if rule.format is None else DateFormat(rule.format)
        self._mac = HMACSHA256(subkeys.derive("shift_date", "HMAC-SHA-256"))

    def shift(self, by: object) -> int:
        """
        Return the number of days of a subject. Frozen: another one is another shift of all dates.
        """
        if is_null(by):
            raise DomainError(f"ShiftDate depends on '{self.rule.by}', which is missing")
        # 256 bits modulo at most 73,050 shifts: none is likelier than another by 2**-239.
        drawn = int.from_bytes(self._mac.digest(encode(by, "text"))) % (2 * self.rule.max_days)
        days = drawn - self.rule.max_days
        return days if days < 0 else days + 1

    def move(self, value: object, days: int, lenient: Callable[[str], ISOText]) -> object:
        """
        Return *value* moved by *days*, in the type and layout it came in.
        """
        refuse_member(value)
        if isinstance(value, date):
            return move(value, days)
        text = dated_text(value)
        if self._layout is not None:
            return self._layout.write(move(self._layout.read(text), days))
        iso = ISOText.read(text) or lenient(text)
        return iso.write(move(iso.day, days))


@final
class Shifter:
    """
    A `ShiftDate` joined to a key. Threads may share it.
    """

    __slots__ = ("_lenient", "_mover")

    def __init__(self, mover: _Mover) -> None:
        self._mover = mover
        self._lenient = read_messy if mover.rule.messy else _strict

    def apply(self, value: object, by: object = None, /) -> object:
        """
        Return *value* moved by the shift of the subject *by*.

        Raises:
            DomainError: If *value* is no date, its layout is not declared, *by* is missing or has
                no canonical text, or the result lies outside the years 1 to 9999.
        """
        return self._mover.move(value, self._mover.shift(by), self._lenient)


@final
class Unshifter:
    """
    The way back of a `ShiftDate`, joined to a key. Threads may share it.
    """

    __slots__ = ("_mover",)

    def __init__(self, mover: _Mover) -> None:
        self._mover = mover

    def invert(self, value: object, by: object = None, /) -> object:
        """
        Return *value* moved back by the shift of the subject *by*.

        Raises:
            DomainError: As when it was moved, and if text is in another layout than was written.
        """
        return self._mover.move(value, -self._mover.shift(by), _written)


def _strict(text: str) -> ISOText:
    refuse_layout(text, f"{DECLARE}, or set messy=True")


def _written(text: str) -> ISOText:
    refuse_layout(text, "shifted dates are in ISO 8601 or in the declared format")
