"""
Re-keying a table of a database, in place, while others use it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar, cast

from privkit.errors import DatasetError, MissingExtraError, PolicyError, PrivkitError
from privkit.fields.rekey import OnLeft, Rekey
from privkit.fields.report import Outcome, RekeyReport, Tally
from privkit.fields.visit import Ring
from privkit.policy.paths import Step, parse
from privkit.pseudonymizer import clean

try:
    import sqlalchemy as sa
    from sqlalchemy import exc
except ImportError:
    raise MissingExtraError("re-keying a table", extra="sqlalchemy") from None

Columns: TypeAlias = Mapping[str, str | sa.Column[Any] | None]
"""Fields of a record to the columns that hold them; ``None`` where the table has none."""

Progress: TypeAlias = Callable[[int, float | None], object]
"""Is told how many rows were visited, and which part of the whole that is, 0 to 1."""

Column: TypeAlias = sa.ColumnClause[Any]

Key = tuple[object, ...]
"""The primary key of a row."""

T = TypeVar("T")

MOST_PASSES: Final = 20
"""In a column without duplicates, a fresh value has to wait for the row that still has it as its
old one. Each pass sets one row of such a chain free."""

MOST_IDLE: Final = 3
"""Passes that change nothing since others were faster."""

ATTEMPTS: Final = 3
PAUSE: Final = 0.1
"""Seconds before the second attempt, and twice as many before the third."""

FATAL: Final = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.ProgrammingError,
    exc.NotSupportedError,
)
"""What would happen to any other row, too."""

NEARLY: Final = 0.999
"""The part of the whole that is shown when there is more to do than was expected."""

OVERTAKEN: Final = "somebody changed the row at the same time"


def rekey_table(
    engine: sa.Engine | sa.Connection,
    table: sa.Table,
    job: Rekey,
    /,
    *,
    columns: Columns | None = None,
    batch: int = 1000,
    dry_run: bool = False,
    progress: Progress | None = None,
    on_left: OnLeft | None = None,
) -> RekeyReport:
    """
    Bring the rows of a table under the primary, and prove that none is left under another key.

    Others may read and write the table meanwhile, with the primary. It is read in the order of
    its primary key, a batch at a time. Each batch is written in one transaction, which holds no
    locks while values are revealed. A row is written only if all that was read of it still stands
    there; otherwise the next pass visits it again. Passes follow until one finds nothing to
    change: that one is the proof.

    A run that was interrupted is simply run again.

    Args:
        engine: Where the table is. Of a connection, transactions are begun and ended.

        table: The table, with its primary key. Values are read and written as its types tell.
            Columns that are not re-keyed are not touched, also where the table declares what an
            update does to them; triggers of the database do run.

        job: What is done. Its *key_field* is a column too.

        columns: Fields to columns, where the names differ. Of a path such as
            ``visits[*].date``, the field is ``visits``. ``None`` in the place of a column says
            that the table does not have the field.

        batch: Rows read at a time, and written in one transaction.

        dry_run: Whether to do everything but write. One pass is made, and it proves nothing
            unless there is nothing to change.

        progress: Called after every batch. What it raises ends the run between two batches.

        on_left: Called with the primary key of a row that stays under another key, a tuple, and
            with the error that tells why: in each pass, also if a later one changes the row.
            Primary keys may be personal data.

    Raises:
        PolicyError: If the table has no primary key, lacks the column of a field, or an argument
            is not what it should be; as `Rekey.records`.

        DatasetError: If the database fails or refuses. Batches before that are whole.

        AccessDeniedError, AuditError, KeyProviderError: As `Rekey.records`.

    .. versionadded:: 0.1
    """
    try:
        _check(engine, table, job, batch)
        store = _Store(engine, _layout(table, job, columns or {}))
        store.check()
        run = _Run(job, store, batch, writes=not dry_run)
        # Each row is visited once to change it, and once to prove it.
        expected = None if progress is None else store.count() * (1 if dry_run else 2)
        return run.report(_Reporter(progress, on_left, expected))
    except PrivkitError as error:
        failure = clean(error, "the table cannot be re-keyed:")
    # A traceback can print locals, and those of the frames below hold rows.
    raise failure


def _check(engine: object, table: object, job: object, batch: object) -> None:
    if not isinstance(engine, sa.Engine | sa.Connection):
        raise PolicyError(
            f"a table is re-keyed over an Engine or a Connection, got {type(engine).__name__}"
        )
    if isinstance(engine, sa.Connection) and engine.in_transaction():
        raise PolicyError("the connection is in a transaction: end it first")
    if not isinstance(table, sa.Table):
        raise PolicyError(
            f"a Table is re-keyed, got {type(table).__name__}: of a mapped class, pass __table__"
        )
    if not table.primary_key.columns:
        raise PolicyError("a table without a primary key cannot be re-keyed in place")
    if not isinstance(job, Rekey):
        raise PolicyError(f"what is done is a Rekey, got {type(job).__name__}")
    if type(batch) is not int or batch < 1:
        raise PolicyError("batch is a whole number of rows, at least 1")


@dataclass(frozen=True, slots=True)
class _Field:
    """
    One column that is read.

    Args:
        name: The field of the record.

        column: The column.

        written: Whether it may change.
    """

    name: str
    column: Column
    written: bool

    @property
    def guard(self) -> sa.ColumnElement[Any]:
        """
        What has to be the same when the row is written.

        Documents are not equal in every database, and not all write a date in one way.
        """
        if isinstance(self.column.type, sa.String | sa.Integer):
            return self.column
        return sa.cast(self.column, sa.Text)


@dataclass(frozen=True, slots=True)
class _Layout:
    """
    Where the fields of a record are in a table.
    """

    table: sa.TableClause
    key: tuple[Column, ...]
    fields: tuple[_Field, ...]


def _layout(table: sa.Table, job: Rekey, columns: Columns) -> _Layout:
    """
    Find the column of each field that the job reads.

    Raises:
        PolicyError: If one is missing, or *columns* names a field that is not one.
    """
    # Without what the table declares for updates: what is not re-keyed stays as it is.
    own = {column.name: sa.column(column.name, column.type) for column in table.columns}
    other = Step.OTHER.value

    def name(path: str) -> str:
        # A column that is called like a path has the rule of that path.
        return path if path in columns or path in own else cast("str", parse(path)[0])

    ruled = {name(path) for path in job.policy.fields if path != other}
    strange = [field for field in columns if field not in ruled and field != job.key_field]
    if other in job.changes and not strange:
        raise PolicyError("'*' has a rule with a key: name the fields that it rules in columns=")
    if strange and other not in job.policy.fields:
        raise PolicyError(f"columns= names {len(strange)} fields that no rule is of")
    changing = {name(path) for path in job.changes if path != other}
    reading = [name(path) for path in job.reads if path != other]
    if other in job.changes:
        changing.update(strange)
        reading += strange
    if job.key_field is not None:
        changing.add(job.key_field)
        reading.append(job.key_field)
    fields = tuple(
        _Field(field, column, field in changing)
        for field in dict.fromkeys(reading)
        if (column := _column(table, own, columns, field)) is not None
    )
    if not any(field.written and field.name != job.key_field for field in fields):
        raise PolicyError("columns= leaves no field whose rule has a key")
    return _Layout(
        table=sa.table(table.name, *own.values(), schema=table.schema),
        key=tuple(own[column.name] for column in table.primary_key.columns),
        fields=fields,
    )


def _column(
    table: sa.Table, own: Mapping[str, Column], columns: Columns, field: str
) -> Column | None:
    chosen = columns.get(field, field)
    if chosen is None:
        return None
    for column in table.columns:
        if column is chosen or column.name == chosen:
            return own[column.name]
    raise PolicyError(
        f"the table has no column for the field '{field}': name it in columns=, or None if the "
        "table does not have the field"
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """
    What was read of a row.
    """

    key: Key
    record: dict[str, object]
    guards: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Update:
    """
    What is to be written to a row.
    """

    columns: tuple[int, ...]
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Failure:
    """
    What a database said, by the name of its class: its text holds parameters.
    """

    name: str
    fatal: bool


class _Store:
    """
    The rows of a table.
    """

    def __init__(self, engine: sa.Engine | sa.Connection, layout: _Layout) -> None:
        self._engine = engine
        self._layout = layout
        self._statements: dict[tuple[int, ...], sa.Update] = {}
        self._together = engine.dialect.supports_sane_multi_rowcount

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sa.Connection, sa.RootTransaction]]:
        if isinstance(self._engine, sa.Connection):
            with self._engine.begin() as transaction:
                yield self._engine, transaction
        else:
            with self._engine.connect() as connection, connection.begin() as transaction:
                yield connection, transaction

    def _rows(self, query: sa.Executable, parameters: dict[str, object]) -> list[Key]:
        def read() -> list[Key]:
            with self._transaction() as (connection, _):
                return [tuple(row) for row in connection.execute(query, parameters)]

        rows = _tried(read)
        if isinstance(rows, _Failure):
            raise DatasetError(f"the table cannot be read: {rows.name}; run again")
        return rows

    def check(self) -> None:
        """
        Make sure that each row has its place in the order of the primary key.

        Raises:
            DatasetError: If a part of a primary key is null, which SQLite allows.
        """
        layout = self._layout
        nulls = sa.or_(*(column.is_(None) for column in layout.key))
        query = sa.select(sa.literal(1)).select_from(layout.table).where(nulls).limit(1)
        if self._rows(query, {}):
            raise DatasetError("a row has null in its primary key, so it has no place in an order")

    def count(self) -> int:
        """
        Return the number of rows.
        """
        query = sa.select(sa.func.count()).select_from(self._layout.table)
        return cast("int", self._rows(query, {})[0][0])

    def pages(self, size: int) -> Iterator[list[_Row]]:
        """
        Yield the rows in the order of the primary key.

        Raises:
            DatasetError: If the database fails, or its order contradicts itself.
        """
        last: Key | None = None
        parameters: dict[str, object] = {}
        while True:
            rows = self._page(self._query(size, first=last is None), parameters)
            if not rows:
                return
            if rows[-1].key == last:
                raise DatasetError(
                    "the primary key does not come back as it is stored, so rows cannot be told "
                    "apart by it"
                )
            yield rows
            last = rows[-1].key
            parameters = {f"privkit_a{n}": part for n, part in enumerate(last)}

    def _query(self, size: int, *, first: bool) -> sa.Executable:
        layout = self._layout
        columns = [
            *layout.key,
            *(field.column for field in layout.fields),
            *(field.guard for field in layout.fields),
        ]
        query = sa.select(*(column.label(f"privkit_{n}") for n, column in enumerate(columns)))
        query = query.select_from(layout.table).order_by(*layout.key).limit(size)
        if first:
            return query
        # Not every database compares tuples. The first condition is for the index.
        lasts = [sa.bindparam(f"privkit_a{n}", type_=c.type) for n, c in enumerate(layout.key)]
        beyond = layout.key[-1] > lasts[-1]
        for column, last in reversed(list(zip(layout.key[:-1], lasts[:-1], strict=True))):
            beyond = sa.and_(column >= last, sa.or_(column > last, beyond))
        return query.where(beyond)

    def _page(self, query: sa.Executable, parameters: dict[str, object]) -> list[_Row]:
        fields, start = self._layout.fields, len(self._layout.key)
        return [
            _Row(
                key=values[:start],
                record={
                    field.name: value for field, value in zip(fields, values[start:], strict=False)
                },
                guards=values[start + len(fields) :],
            )
            for values in self._rows(query, parameters)
        ]

    def update(self, row: _Row, record: Mapping[str, object]) -> _Update:
        """
        Return what makes a row hold another record, if it is still as it was read.
        """
        changed = tuple(
            n
            for n, field in enumerate(self._layout.fields)
            if field.written and record[field.name] != row.record[field.name]
        )
        fields = self._layout.fields
        return _Update(
            changed,
            {f"privkit_k{n}": part for n, part in enumerate(row.key)}
            | {f"privkit_g{n}": guard for n, guard in enumerate(row.guards)}
            | {f"privkit_n{n}": record[fields[n].name] for n in changed},
        )

    def write(self, updates: Sequence[_Update]) -> list[str | None]:
        """
        Write rows in one transaction. Of each, return ``None`` or why it is not written.

        If the database refuses one of them, each is written in a transaction of its own.

        Raises:
            DatasetError: If the database fails.
        """
        if self._together and _tried(lambda: self._all(updates)) is True:
            return [None] * len(updates)
        each = _tried(lambda: self._each(updates))
        if not isinstance(each, _Failure):
            return each
        return [self._one(update) for update in updates]

    def _all(self, updates: Sequence[_Update]) -> bool:
        """
        Return whether all were written. If not, none was.
        """
        groups: dict[tuple[int, ...], list[dict[str, object]]] = {}
        for update in updates:
            groups.setdefault(update.columns, []).append(update.parameters)
        with self._transaction() as (connection, transaction):
            # In one order, so that two runs do not wait for each other.
            written = sum(
                connection.execute(self._statement(group), groups[group]).rowcount
                for group in sorted(groups)
            )
            if written != len(updates):
                transaction.rollback()
        return written == len(updates)

    def _each(self, updates: Sequence[_Update]) -> list[str | None]:
        with self._transaction() as (connection, _):
            return [
                None
                if connection.execute(self._statement(update.columns), update.parameters).rowcount
                else OVERTAKEN
                for update in updates
            ]

    def _one(self, update: _Update) -> str | None:
        written = _tried(lambda: self._each([update]))
        if not isinstance(written, _Failure):
            return written[0]
        if written.fatal:
            raise DatasetError(f"the table cannot be written: {written.name}; run again")
        return f"the database refuses the row: {written.name}"

    def _statement(self, changed: tuple[int, ...]) -> sa.Update:
        statement = self._statements.get(changed)
        if statement is None:
            key, fields = self._layout.key, self._layout.fields
            statement = (
                sa.update(self._layout.table)
                .where(
                    *(column == _parameter("k", n, column) for n, column in enumerate(key)),
                    *(
                        field.guard.is_not_distinct_from(_parameter("g", n, field.guard))
                        for n, field in enumerate(fields)
                    ),
                )
                .values({fields[n].column: _parameter("n", n, fields[n].column) for n in changed})
            )
            self._statements[changed] = statement
        return statement


def _parameter(letter: str, number: int, column: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"privkit_{letter}{number}", type_=column.type)


def _tried(act: Callable[[], T]) -> T | _Failure:
    """
    Do something with a database, again if it may be better the next time.
    """
    failure = _Failure("", fatal=True)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - its content stays inside
            cause = getattr(error, "orig", None) or error
            failure = _Failure(type(cause).__name__, fatal=isinstance(error, FATAL))
            if not isinstance(error, exc.OperationalError):
                break
    return failure


class _Reporter:
    """
    Tells a caller's functions how the run goes on.

    Args:
        progress: Is told how far it is.

        on_left: Is told of rows that stay as they are.

        expected: How many rows will be visited, if it is known.
    """

    def __init__(
        self, progress: Progress | None, on_left: OnLeft | None, expected: int | None
    ) -> None:
        self._progress = progress
        self._on_left = on_left
        self._expected = expected

    def tell(self, left: list[tuple[Key, PrivkitError]]) -> None:
        if self._on_left is not None:
            for key, error in left:
                self._on_left(key, error)

    def show(self, visited: int, *, end: bool = False) -> None:
        if self._progress is not None and self._expected is not None:
            part = 1.0 if end else min(visited / max(self._expected, 1), NEARLY)
            self._progress(visited, part)


class _Run:
    """
    Passes over a table.
    """

    def __init__(self, job: Rekey, store: _Store, batch: int, *, writes: bool) -> None:
        self._job = job
        self._store = store
        self._batch = batch
        self._writes = writes
        self._ring: Ring = job.begin(writes=writes)
        self._overtaken = 0

    def report(self, reporter: _Reporter) -> RekeyReport:
        """
        Make passes until one finds nothing to change, and return what became of the rows.
        """
        visited = changed = idle = 0
        found = None
        tally = Tally()
        for _ in range(MOST_PASSES):
            tally = Tally()
            self._overtaken = 0
            for left in self._pass(tally):
                reporter.tell(left)
                reporter.show(visited + tally.rows)
            visited += tally.rows
            changed += tally[Outcome.CHANGED]
            found = tally.found if found is None else found
            idle = 0 if tally[Outcome.CHANGED] else idle + 1
            if not self._writes or idle > (MOST_IDLE if self._overtaken else 0):
                break
        reporter.show(visited, end=True)
        primary = self._ring.primary.id
        if self._writes and tally.clean:
            self._job.release()
        before = changed - tally[Outcome.CHANGED]
        return replace(
            tally.report(primary, stored=self._writes, complete=tally.clean),
            changed=changed,
            skipped=max(0, tally[Outcome.SKIPPED] - before),
            found=found or {},
        )

    def _pass(self, tally: Tally) -> Iterator[list[tuple[Key, PrivkitError]]]:
        """
        Yield, after each batch, the rows that stay as they are for an error.
        """
        for rows in self._store.pages(self._batch):
            yield self._rows(rows, tally)

    def _rows(self, rows: list[_Row], tally: Tally) -> list[tuple[Key, PrivkitError]]:
        seen = [self._job.visit(row.record, self._ring) for row in rows]
        updates = [
            (n, self._store.update(rows[n], visited.record))
            for n, visited in enumerate(seen)
            if visited.record is not None
        ]
        refusals: dict[int, DatasetError] = {}
        if self._writes and updates:
            written = self._store.write([update for _, update in updates])
            for (n, _), problem in zip(updates, written, strict=True):
                if problem is not None:
                    refusals[n] = DatasetError(problem)
                    self._overtaken += problem is OVERTAKEN
        left: list[tuple[Key, PrivkitError]] = []
        for n, visited in enumerate(seen):
            error = refusals.get(n, visited.error)
            outcome = Outcome.FAILED if n in refusals else visited.outcome
            tally.count(visited.found, outcome, error)
            if error is not None:
                left.append((rows[n].key, error))
        return left
