"""
Generalize numbers and dates to intervals.
"""

from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import ClassVar, Final, TypeVar, final

from privkit.errors import DomainError
from privkit.formats.calendar import UNITS, Unit
from privkit.formats.dates import DateFormat, ISOText, read_day
from privkit.formats.quantities import Number, exact, plainest
from privkit.formats.text import is_own, refuse_member
from privkit.transforms.intervals import bounds, layout, periods, steps
from privkit.typing import Technique

Ordered = TypeVar("Ordered", int, date)

MISSING_PARTS: Final = {len("2010"): "-01-01", len("2010-01"): "-01"}
"""What makes a whole date of the text of a year or a month, by its length."""


@final
@dataclass(frozen=True, slots=True)
class Bucket:
    """
    Replace a number or a date by the interval it lies in.

    One of *width*, *edges* and *unit* says how values are divided. An interval holds its lower
    end and not its upper end. Arithmetic is exact: 0.3 lies in ``"[0.3, 0.4)"`` at width 0.1.

    * ``Bucket(width=5)`` gives ``"[40, 45)"`` for 43. Intervals begin at multiples of the width.
    * ``Bucket(edges=(0, 18, 65))`` gives ``"<0"``, ``"[0, 18)"``, ``"[18, 65)"`` or ``"65+"``.
    * ``Bucket(unit="month")`` gives ``"2024-05"`` for a day in May 2024; other units give
      ``"2024-05-17"``, ``"2024-W20"``, ``"2024-Q2"``, ``"2024"`` and ``"2020s"``. With
      ``width=3`` it gives ``"[2024-04, 2024-07)"``: months, quarters, years and decades are
      divided from the year 0 on, days and weeks from Monday, 0001-01-01.

    Numbers are integers, decimals, finite floats, numpy's numbers, and text such as ``"-12.5"``
    without leading zeros. A float counts as the shortest decimal that it prints as. Dates are
    dates, datetimes and text in ISO 8601; their day is taken as written, whatever the offset.

    Args:
        width:
            The size of an interval in the value's own unit, or in *unit*s (then a whole number,
            and 1 if left out).

        edges:
            At least 2 numbers, each larger than the one before. They bound the intervals between
            them, one below and one above.

        labels:
            Names for the intervals of *edges*, lowest first. With one name more than edges, the
            open intervals below and above are the first and the last. With one name less, they
            have none, and a value in them is refused.

        bottom:
            Values below it share ``"<18"``. A number, or where *unit* is set a date, which as text
            may be ``"2010-06-15"``, ``"2010-06"`` or ``"2010"``.

        top:
            Values from it upwards share ``"90+"``. An interval that *bottom* or *top* cuts is
            printed as what is left of it.

        unit:
            Divides dates: ``"day"``, ``"week"`` (ISO, from Monday), ``"month"``, ``"quarter"``,
            ``"year"`` or ``"decade"``.

        format:
            The layout of dates in text, in the notation of ``datetime.strptime``. ``None`` reads
            ISO 8601, extended or basic.

    Preserves:
        The order of values in different intervals, unless labels hide it.

    Reveals:
        The interval. A rare one, alone or with other fields, can single a person out: intervals
        of a fixed width hold as few records as there happen to be.

    Reverses:
        Never.

    Source:
        Rounding, top and bottom coding: ISO/IEC 20889:2018. Weeks: ISO 8601-1:2019, 5.2.3.
        HIPAA Safe Harbor puts ages over 89 into one class, ``top=90``, and takes every element
        of such a person's dates that tells the age, the year too (45 CFR 164.514(b)(2)(i)(C)):
        ``unit="year"`` without *bottom* leaves it.

    Raises:
        DomainError: If not exactly one division is given, a number is not finite or not positive
            where it must be, edges do not rise, labels are too few, too many or equal, or
            *bottom* is not below *top*.

    .. versionadded:: 0.1
    """

    _: KW_ONLY
    width: Number | None = None
    edges: tuple[Number, ...] | None = None
    labels: tuple[str, ...] | None = None
    bottom: Number | date | None = None
    top: Number | date | None = None
    unit: Unit | None = None
    format: str | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "bucket"
    technique: ClassVar[Technique] = Technique.ROUNDING
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        if self.unit is not None:
            self._check_dates()
        elif self.edges is not None:
            self._check_edges()
        elif self.width is not None:
            self._check_numbers()
        else:
            raise DomainError("a bucket needs width, edges or unit")
        if self.labels is not None and self.edges is None:
            raise DomainError("labels name the intervals of edges, and there are none")
        if self.format is not None and self.unit is None:
            raise DomainError("format is the layout of dates, and dates need unit")

    def _check_numbers(self) -> None:
        for option in ("width", "bottom", "top"):
            given = getattr(self, option)
            if given is not None:
                self._set(option, plainest(given, option))
        if exact(self.width)[0] <= 0:
            raise DomainError("width is larger than 0")
        divided = steps(self.width, self.bottom, self.top)
        _check_order(divided.bottom, divided.top)

    def _check_edges(self) -> None:
        if self.width is not None or self.bottom is not None or self.top is not None:
            raise DomainError("edges go without width, bottom and top: their ends are open")
        edges = tuple(plainest(edge, "an edge") for edge in _listed(self.edges, "edges"))
        self._set("edges", edges)
        if len(edges) < 2:  # noqa: PLR2004 - an interval has two ends
            raise DomainError(f"edges are at least 2, got {len(edges)}", minimum=2)
        for position, (lower, upper) in enumerate(pairwise(bounds(edges).bounds), 1):
            if upper <= lower:
                raise DomainError(
                    f"edges rise, but edge {position + 1} is not above the one before"
                )
        if self.labels is not None:
            self._check_labels(len(edges))

    def _check_labels(self, edges: int) -> None:
        labels = _listed(self.labels, "labels")
        for label in labels:
            if not is_own(label) or not label:
                raise DomainError("a label is text of at least 1 character")
        self._set("labels", labels)
        if len(labels) not in {edges - 1, edges + 1}:
            raise DomainError(
                f"{edges} edges take {edges - 1} labels, or {edges + 1} with the open ends, "
                f"got {len(labels)}"
            )
        if len(set(labels)) < len(labels):
            raise DomainError("labels differ from each other")

    def _check_dates(self) -> None:
        if not is_own(self.unit) or self.unit not in UNITS:
            raise DomainError(f"unit is {', '.join(UNITS)}")
        if self.edges is not None:
            raise DomainError("edges are numbers: dates take unit, width, bottom and top")
        if self.width is not None:
            self._set("width", plainest(self.width, "width"))
            if not isinstance(self.width, int) or self.width < 1:
                raise DomainError(f"width is a whole number of {self.unit}s, at least 1")
            if self.width == 1:
                self._set("width", None)
        for option in ("bottom", "top"):
            given = getattr(self, option)
            if given is not None:
                self._set(option, _boundary(given, option))
        if self.format is not None:
            DateFormat(self.format)
        divided = periods(self.unit, self.width, self.bottom, self.top)
        _check_order(divided.bottom, divided.top)

    def _set(self, option: str, value: object) -> None:
        # Equal rules compare equal, however their numbers and dates were given.
        object.__setattr__(self, option, value)

    def apply(self, value: object, by: object = None, /) -> str:  # noqa: ARG002 - a protocol's
        """
        Return the interval of *value*, as text.

        Raises:
            DomainError: If *value* is no number, or no date where *unit* is set; if it is
                infinite, or in an open end that has no label.
        """
        if self.unit is not None:
            day = read_day(value, None if self.format is None else layout(self.format))
            return periods(self.unit, self.width, self.bottom, self.top).label(day)
        if self.edges is not None:
            return bounds(self.edges).label(value, self.labels)
        return steps(self.width, self.bottom, self.top).label(value)


def _boundary(given: object, option: str) -> str:
    """
    Return a bound as an ISO date: of a date, or of ISO text that may leave out day and month.
    """
    refuse_member(given)
    if isinstance(given, date) and not isinstance(given, datetime):
        return given.isoformat()
    if isinstance(given, str):
        iso = ISOText.read(given + MISSING_PARTS.get(len(given), ""))
        if iso is not None and not iso.rest:
            return iso.day.isoformat()
    raise DomainError(f"{option} is a date such as '2010-01-01' where unit is set")


def _check_order(bottom: Ordered | None, top: Ordered | None) -> None:
    if bottom is not None and top is not None and top <= bottom:
        raise DomainError("bottom is below top")


def _listed(given: object, option: str) -> tuple[object, ...]:
    if not isinstance(given, tuple | list):
        raise DomainError(f"{option} are a list, got {type(given).__name__}")
    return tuple(given)
