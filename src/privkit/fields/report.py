"""
What became of the records of a run: counts, and no value.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, final

from privkit.errors import DatasetError, PrivkitError

UNPLACED: Final = "?"
"""Stands for the id of a key where none can be told, or the value is not what the key made."""

RECORD: Final = "(record)"
"""Stands for the field of an error that is about a whole record. No path looks like it."""

Counts = Mapping[str, Mapping[str, int]]


class Outcome(StrEnum):
    """
    What became of a record.
    """

    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    QUARANTINED = "quarantined"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyReport:
    """
    Say what became of the records of a run.

    Args:
        primary: The id of the key that protects.

        rows: Records that were visited.

        changed: Records that were brought under the primary, or would have been.

        skipped: Records that were wholly under the primary already.

        failed: Records that stay as they are: a value in them is of no key that resolves, was
            altered, or does not fit its rule, or the store refused the record.

        quarantined: Records that stay as they are since a one-way pseudonym in them could not be
            translated.

        found: Fields to the ids of keys to the number of values that were found under each.
            ``"?"`` counts values that no key can be told of, or that are not what the key made.

        remaining: The same of what is left under other keys than the primary.

        reasons: Fields to the codes of errors to the number of records that stay as they are for
            it. ``"(record)"`` stands for the whole record.

        complete: Whether a whole pass found every record wholly under the primary, each value
            readable.

    .. versionadded:: 0.1
    """

    primary: str
    rows: int
    changed: int
    skipped: int
    failed: int
    quarantined: int
    found: Counts
    remaining: Counts
    reasons: Counts
    complete: bool

    def raise_if_incomplete(self) -> None:
        """
        Make sure that nothing is left under another key than the primary.

        Raises:
            DatasetError: If something is, or if no pass has proved that nothing is.
        """
        if self.complete:
            return
        left = _told(self.remaining) or "none of those seen last"
        raise DatasetError(
            f"not every record is proved to be under key {self.primary}: of {self.rows} records, "
            f"{self.failed} failed and {self.quarantined} are quarantined "
            f"({_told(self.reasons) or 'none for an error'}); values under other keys: {left}",
            failed=self.failed,
            quarantined=self.quarantined,
            rows=self.rows,
        )


class Tally:
    """
    Counts that grow as records are visited.
    """

    __slots__ = ("_found", "_kept", "_outcomes", "_reasons", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self._outcomes: Counter[Outcome] = Counter()
        self._found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._kept: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(
        self, found: list[tuple[str, str]], outcome: Outcome, error: PrivkitError | None
    ) -> None:
        """
        Count one record.

        Args:
            found: Field and id of the key of each value.

            outcome: What became of it.

            error: Why it stays as it is, if it does.
        """
        self.rows += 1
        self._outcomes[outcome] += 1
        for path, key_id in found:
            self._found[path][key_id] += 1
            if outcome is not Outcome.CHANGED:
                self._kept[path][key_id] += 1
        if error is not None:
            self._reasons[error.field or RECORD][error.code] += 1

    def __getitem__(self, outcome: Outcome) -> int:
        return self._outcomes[outcome]

    @property
    def found(self) -> Counts:
        """
        Fields to ids of keys to numbers of values.
        """
        return _plain(self._found)

    @property
    def reasons(self) -> Counts:
        """
        Fields to codes of errors to numbers of records.
        """
        return _plain(self._reasons)

    def remaining(self, primary: str, *, stored: bool) -> Counts:
        """
        Return how many values are under other keys than the primary.

        Args:
            primary: The id of the primary.

            stored: Whether the records that changed were stored.
        """
        counts = self._kept if stored else self._found
        others = {
            path: {key_id: count for key_id, count in keys.items() if key_id != primary}
            for path, keys in counts.items()
        }
        return {path: keys for path, keys in others.items() if keys}

    @property
    def clean(self) -> bool:
        """
        Whether every record was wholly under the primary.
        """
        return self.rows == self._outcomes[Outcome.SKIPPED]

    def report(self, primary: str, *, stored: bool, complete: bool = False) -> RekeyReport:
        """
        Return the counts of one pass.
        """
        return RekeyReport(
            primary=primary,
            rows=self.rows,
            changed=self[Outcome.CHANGED],
            skipped=self[Outcome.SKIPPED],
            failed=self[Outcome.FAILED],
            quarantined=self[Outcome.QUARANTINED],
            found=self.found,
            remaining=self.remaining(primary, stored=stored),
            reasons=self.reasons,
            complete=complete,
        )


def _plain(counts: Mapping[str, Counter[str]]) -> Counts:
    return {path: dict(counter) for path, counter in counts.items()}


def _told(counts: Counts) -> str:
    return ", ".join(
        f"{path}: {count} {name}"
        for path, counter in counts.items()
        for name, count in counter.items()
    )
