"""Tables on their way from one key to another, in SQLite and in PostgreSQL."""

import datetime as dt
import ipaddress
import itertools
from uuid import UUID

import pytest
import sqlalchemy as sa

from privkit import (
    AllowList,
    Encrypt,
    FormatPreserving,
    IPAddress,
    Keep,
    Key,
    MemoryAudit,
    Policy,
    Redact,
    ShiftDate,
    StaticKeys,
    Token,
)
from privkit.errors import AccessDeniedError, DatasetError, PolicyError, TamperedError
from privkit.fields import Rekey, TokenMap
from privkit.fields import rekey_table as module
from privkit.fields.rekey_table import rekey_table
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT, THIRD_KEY_BYTES

OLDEST, OLD, NEW = Key("k1", OTHER_KEY_BYTES), Key("k2", THIRD_KEY_BYTES), Key("k3", KEY_BYTES)
KEYS = StaticKeys(NEW, older=[OLD, OLDEST])
POLICY = Policy(
    "patients",
    fields={
        "mrn": FormatPreserving("digits"),
        "email": Token(normalize="email"),
        "chart": Encrypt(),
        "seen": ShiftDate(by="mrn"),
        "ward": Keep(),
        "name": Redact(),
    },
)
COUNT = 25
NAME = "privkit_key"


def person(number):
    """Return a made-up person."""
    return {
        "mrn": f"{49_293_184 + number}",
        "email": f"quill{number}@feather.example",
        "chart": f"xanthippe number {number}" if number % 5 else None,
        "seen": f"1907-03-{1 + number % 28:02d}",
        "ward": "B2",
        "name": TEXT,
    }


PEOPLE = [person(number) for number in range(COUNT)]


def row(number, record, key, policy=POLICY):
    """Return a row of the table."""
    return {"id": number, NAME: key.id, **policy.bind(StaticKeys(key)).pseudonymize(record)}


def rows_under(key, people=PEOPLE, policy=POLICY):
    """Return all rows under one key."""
    return [row(number, record, key, policy) for number, record in enumerate(people)]


def clinic(*columns, name="patient", metadata=None, **options):
    """Return a table with the usual columns, or others."""
    usual = [
        sa.Column("id", sa.Integer, primary_key=True),
        *(sa.Column(field, sa.Text) for field in POLICY.fields),
        sa.Column(NAME, sa.String(32)),
    ]
    return sa.Table(name, metadata or sa.MetaData(), *(columns or usual), **options)


def fill(engine, table, rows):
    """Make a table with some rows."""
    table.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(table), rows)
    return table


def stored(engine, table):
    """Return the rows of a table in the order of its primary key."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    with engine.connect() as connection:
        return [dict(found) for found in connection.execute(query).mappings()]


def learned(people=PEOPLE):
    """Return a map that knows the usual people."""
    emails = TokenMap(POLICY, KEYS, "email")
    emails.learn(record["email"] for record in people)
    return emails


def rekey(policy=POLICY, keys=KEYS, **options):
    """Return a job."""
    if policy is POLICY and "translations" not in options:
        options["translations"] = {"email": learned()}
    given = {
        "access": AllowList({"ops": ["rotation"]}),
        "audit": MemoryAudit(),
        "actor": "ops",
        "purpose": "rotation",
        "key_field": NAME,
    }
    return Rekey(policy, keys, **{**given, **options})


@pytest.fixture
def table(engine):
    """The usual table, under an old key."""
    return fill(engine, clinic(), rows_under(OLD))


def before_updates(engine, act):
    """Do something each time before rows are written."""

    def listen(connection, cursor, statement, parameters, context, many):
        if statement.startswith("UPDATE"):
            act(parameters)

    sa.event.listen(engine, "before_cursor_execute", listen)


class TestTable:
    @pytest.mark.parametrize("batch", [1, 4, COUNT, 1000])
    def test_comes_under_the_primary(self, engine, table, batch):
        """Every row becomes the one that the primary makes, and that is proved."""
        report = rekey_table(engine, table, rekey(), batch=batch)

        report.raise_if_incomplete()
        assert rows_under(NEW) == stored(engine, table)
        assert (COUNT, COUNT, 0) == (report.rows, report.changed, report.skipped)
        assert {"k2": 20} == report.found["chart"]
        assert {} == report.remaining

    def test_is_left_alone_by_a_second_run(self, engine, table):
        """What was re-keyed is only read, and written not at all."""
        job = rekey()
        rekey_table(engine, table, job)
        before_updates(engine, pytest.fail)
        report = rekey_table(engine, table, job)

        assert (COUNT, 0, COUNT) == (report.rows, report.changed, report.skipped)
        assert report.complete

    def test_may_be_under_several_keys(self, engine):
        """Rows of each age come under the primary, and those of today are skipped."""
        keys = itertools.cycle([OLDEST, OLD, NEW])
        mixed = [row(n, record, next(keys)) for n, record in enumerate(PEOPLE)]
        table = fill(engine, clinic(), mixed)
        report = rekey_table(engine, table, rekey(), batch=4)

        assert rows_under(NEW) == stored(engine, table)
        assert (17, 8, True) == (report.changed, report.skipped, report.complete)

    def test_is_not_written_by_a_dry_run(self, engine, table):
        """A dry run reveals, counts, and writes nothing."""
        audit = MemoryAudit()
        report = rekey_table(engine, table, rekey(audit=audit), dry_run=True)

        assert rows_under(OLD) == stored(engine, table)
        assert (COUNT, COUNT, False) == (report.rows, report.changed, report.complete)
        assert {"k2": COUNT} == report.remaining["mrn"]
        assert 1 == len(audit.events)

    def test_is_not_read_without_access(self, engine, table):
        """The run is one request, decided and on record before a row is read."""
        audit = MemoryAudit()
        with pytest.raises(AccessDeniedError):
            rekey_table(engine, table, rekey(access=AllowList({}), audit=audit))

        assert ["denied"] == [event.outcome for event in audit.events]
        rekey_table(engine, table, rekey(audit=audit))
        assert ["denied", "granted"] == [event.outcome for event in audit.events]

    def test_may_be_empty(self, engine):
        """A table without rows has nothing under another key."""
        table = clinic()
        table.metadata.create_all(engine)

        assert rekey_table(engine, table, rekey()).complete

    def test_may_have_a_primary_key_of_several_columns(self, engine):
        """Rows are told apart by all parts of the primary key, in their order."""
        table = clinic(
            sa.Column("site", sa.String(8), primary_key=True),
            sa.Column("day", sa.Date, primary_key=True),
            sa.Column("number", sa.Integer, primary_key=True),
            sa.Column("chart", sa.Text),
        )
        policy = Policy("p", fields={"chart": Encrypt()})
        days = [dt.date(2024, 1, day) for day in (1, 2, 3)]
        old, new = (
            [
                {"site": site, "day": day, "number": number}
                | policy.bind(StaticKeys(key)).pseudonymize({"chart": f"{site}{day}{number}"})
                for site, day, number in itertools.product(["a", "b"], days, [1, 2, 3])
            ]
            for key in (OLD, NEW)
        )
        fill(engine, table, old)
        report = rekey_table(engine, table, rekey(policy, key_field=None), batch=4)

        assert new == stored(engine, table)
        assert 18 == report.changed

    def test_may_have_a_pseudonym_as_its_primary_key(self, engine):
        """The primary key may itself come under the primary."""
        table = clinic(
            sa.Column("mrn", sa.String(20), primary_key=True), sa.Column(NAME, sa.String(32))
        )
        policy = Policy("p", fields={"mrn": FormatPreserving("digits")})
        old, new = (
            [
                {"mrn": policy.bind(StaticKeys(key))["mrn"].apply(record["mrn"]), NAME: key.id}
                for record in PEOPLE
            ]
            for key in (OLD, NEW)
        )
        fill(engine, table, old)
        report = rekey_table(engine, table, rekey(policy), batch=4)

        assert sorted(new, key=lambda one: one["mrn"]) == stored(engine, table)
        assert (COUNT, True) == (report.rows, report.complete)

    def test_may_hold_documents(self, engine):
        """Values within a JSON column come under the primary, and the rest of it stays."""
        policy = Policy(
            "p",
            fields={
                "mrn": FormatPreserving("digits"),
                "visits[*].date": ShiftDate(by="mrn"),
                "visits[*].doctor": Encrypt(),
                "visits[*].fee": Keep(),
                "address.zip": Token(),
            },
        )
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("mrn", sa.Text),
            sa.Column("visits", sa.JSON),
            sa.Column("address", sa.JSON(none_as_null=True)),
            sa.Column(NAME, sa.String(32)),
        )
        people = [
            {
                "mrn": "49293184",
                "visits": [{"date": "1907-03-11", "doctor": TEXT, "fee": 7}, {"fee": None}],
                "address": {"zip": "94110"},
            },
            {"mrn": "49293185", "visits": None, "address": None},
            {"mrn": "49293186", "visits": [], "address": {}},
        ]
        fill(engine, table, rows_under(OLD, people, policy))
        zips = TokenMap(policy, KEYS, "address.zip")
        zips.learn(["94110"])
        job = rekey(policy, translations={"address.zip": zips})
        report = rekey_table(engine, table, job)

        report.raise_if_incomplete()
        assert rows_under(NEW, people, policy) == stored(engine, table)
        with engine.connect() as connection:
            null = connection.execute(sa.text("SELECT count(*) FROM patient WHERE address IS NULL"))
            assert 1 == null.scalar()

    def test_may_have_columns_called_like_paths(self, engine):
        """A column whose name is a path has the rule of that path."""
        policy = Policy("p", fields={"a.b": Encrypt(), "a.c": Keep(), "c[*].d": Encrypt()})
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("a.b", sa.Text),
            sa.Column("c[*].d", sa.Text),
        )
        people = [{"a.b": TEXT, "c[*].d": "d"}]
        old, new = (
            [{k: v for k, v in one.items() if k != NAME} for one in rows_under(key, people, policy)]
            for key in (OLD, NEW)
        )
        fill(engine, table, old)
        rekey_table(engine, table, rekey(policy, key_field=None))

        assert new == stored(engine, table)

    def test_may_have_types_of_its_own(self, engine):
        """UUIDs, dates and addresses stay of the types of their columns."""
        policy = Policy(
            "p",
            fields={
                "ref": Token(encoding="uuid"),
                "born": ShiftDate(by="ref2"),
                "ref2": Encrypt(),
                "host": IPAddress(),
            },
        )
        postgresql = engine.dialect.name == "postgresql"
        inet = sa.dialects.postgresql.INET() if postgresql else sa.Text()
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("ref", sa.Uuid),
            sa.Column("born", sa.Date),
            sa.Column("ref2", sa.Text),
            sa.Column("host", inet),
            sa.Column(NAME, sa.String(32)),
        )
        people = [
            {"ref": f"r{n}", "born": dt.date(1907, 3, 1 + n), "ref2": f"{n}", "host": f"10.0.0.{n}"}
            for n in range(9)
        ]
        old, new = (
            [one | {"ref": UUID(one["ref"])} for one in rows_under(key, people, policy)]
            for key in (OLD, NEW)
        )
        refs = TokenMap(policy, KEYS, "ref")
        refs.learn(record["ref"] for record in people)
        fill(engine, table, old)
        report = rekey_table(engine, table, rekey(policy, translations={"ref": refs}))
        found = stored(engine, table)

        report.raise_if_incomplete()
        assert [one | {"host": None} for one in new] == [one | {"host": None} for one in found]
        assert [ipaddress.ip_address(one["host"]) for one in new] == [
            ipaddress.ip_address(one["host"]) for one in found
        ]

    def test_may_stand_in_a_schema(self, engine):
        """A table is found in its schema."""
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.execute(sa.text("CREATE SCHEMA clinic"))
            schema = "clinic"
        else:
            schema = "main"
        table = fill(engine, clinic(schema=schema), rows_under(OLD))
        rekey_table(engine, table, rekey())

        assert rows_under(NEW) == stored(engine, table)

    def test_may_be_reached_by_a_connection(self, engine, table):
        """A connection is used in transactions of its own, and refused within one."""
        with engine.connect() as connection:
            report = rekey_table(connection, table, rekey())
            assert not connection.in_transaction()
            connection.execute(sa.select(1))
            with pytest.raises(PolicyError, match="in a transaction"):
                rekey_table(connection, table, rekey())

        assert report.complete
        assert rows_under(NEW) == stored(engine, table)

    def test_keeps_what_is_not_rekeyed(self, engine):
        """What the table declares for updates is not done: nobody edited the record."""
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(field, sa.Text) for field in POLICY.fields),
            sa.Column(NAME, sa.String(32)),
            sa.Column("edited", sa.Integer, default=1, onupdate=2),
        )
        fill(engine, table, rows_under(OLD))
        rekey_table(engine, table, rekey())

        assert [one | {"edited": 1} for one in rows_under(NEW)] == stored(engine, table)

    def test_is_read_by_its_primary_key(self, engine, table):
        """Pages follow the primary key, and no page is found by counting rows."""
        statements = []
        sa.event.listen(
            engine,
            "before_cursor_execute",
            lambda connection, cursor, statement, parameters, *_: statements.append(
                (statement, parameters)
            ),
        )
        rekey_table(engine, table, rekey(), batch=4)
        pages = [one for one in statements if "ORDER BY" in one[0]]

        assert 2 * (7 + 1) == len(pages)
        # SQLite's way to say LIMIT has an OFFSET.
        assert [] == [page for page in pages if "OFFSET" in page[0] and page[1][-1] != 0]


class TestProgress:
    def test_is_told_after_every_batch(self, engine, table):
        """The rows that were visited are told, and how much of the whole that is."""
        told = []
        rekey_table(engine, table, rekey(), batch=10, progress=lambda *now: told.append(now))

        assert [10, 20, 25, 35, 45, 50, 50] == [rows for rows, _ in told]
        assert [0.2, 0.4, 0.5, 0.7, 0.9, 0.999, 1.0] == [part for _, part in told]

    def test_of_a_dry_run_is_one_pass(self, engine, table):
        """A dry run visits each row once."""
        told = []
        rekey_table(
            engine, table, rekey(), batch=20, dry_run=True, progress=lambda *now: told.append(now)
        )

        assert [(20, 0.8), (25, 0.999), (25, 1.0)] == told

    def test_may_end_the_run(self, engine, table):
        """A run that was ended between two batches is run again, and ends the same."""
        job = rekey()

        def stop(rows, part):
            raise KeyboardInterrupt

        for done in (10, 20):
            with pytest.raises(KeyboardInterrupt):
                rekey_table(engine, table, job, batch=10, progress=stop)
            assert min(done, 10) == sum(one[NAME] == "k3" for one in stored(engine, table))
        report = rekey_table(engine, table, job, batch=10)

        assert (15, 10, True) == (report.changed, report.skipped, report.complete)
        assert rows_under(NEW) == stored(engine, table)

    def test_finds_no_lock_held(self, engine, table, url):
        """Between two batches others can write to the table, without waiting."""
        wait = {"timeout": 0} if url.startswith("sqlite") else {"options": "-c lock_timeout=1"}
        other = sa.create_engine(url, connect_args=wait)

        def write(rows, part):
            with other.begin() as connection:
                connection.execute(sa.update(table).values(ward="C3"))

        rekey_table(engine, table, rekey(), batch=10, progress=write)
        other.dispose()

        assert [one | {"ward": "C3"} for one in rows_under(NEW)] == stored(engine, table)


class TestLeft:
    def test_rows_that_fail_stay(self, engine):
        """A row that cannot be read stays as it is, and its primary key is told on request."""
        rows = rows_under(OLD)
        rows[3]["chart"] = rows[3]["chart"][:-6] + "AAAAAA"
        rows[7][NAME] = None
        table = fill(engine, clinic(), rows)
        told = {}
        report = rekey_table(
            engine, table, rekey(), batch=4, on_left=lambda key, error: told.update({key: error})
        )
        expected = rows_under(NEW)
        expected[3], expected[7] = rows[3], rows[7]

        assert expected == stored(engine, table)
        assert (23, 2, False) == (report.changed, report.failed, report.complete)
        assert {(3,), (7,)} == told.keys()
        assert TamperedError is type(told[3,])
        assert {"chart": {"tampered": 1}, "mrn": {"key-not-found": 1}} == report.reasons
        with pytest.raises(DatasetError, match="2 failed"):
            report.raise_if_incomplete()

    def test_rows_without_a_translation_stay(self, engine, table):
        """A row with a token that the map does not know is quarantined, whole."""
        job = rekey(translations={"email": learned(PEOPLE[1:])})
        report = rekey_table(engine, table, job)

        assert rows_under(OLD)[0] == stored(engine, table)[0]
        assert (24, 1, False) == (report.changed, report.quarantined, report.complete)
        assert {"email": {"irreversible": 1}} == report.reasons
        assert {"k2": 1} == report.remaining["email"]

    def test_rows_that_the_database_refuses_stay(self, engine):
        """One row that breaks a constraint does not keep the others from being written."""
        refused = rows_under(NEW)[5]["email"]
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(field, sa.Text) for field in POLICY.fields),
            sa.Column(NAME, sa.String(32)),
            sa.CheckConstraint(f"email <> '{refused}'"),
        )
        fill(engine, table, rows_under(OLD))
        told = []
        report = rekey_table(engine, table, rekey(), on_left=lambda *left: told.append(left))
        expected = rows_under(NEW)
        expected[5] = rows_under(OLD)[5]

        assert expected == stored(engine, table)
        assert (24, 1, False) == (report.changed, report.failed, report.complete)
        assert {"(record)": {"dataset": 1}} == report.reasons
        assert {(5,)} == {key for key, _ in told}
        assert all("refuses the row" in str(error) for _, error in told)

    @pytest.mark.parametrize("url", ["postgresql"], indirect=True)
    def test_what_does_not_fit_a_column_stays(self, engine):
        """A ciphertext that is longer under the primary than its column stays as it was."""
        policy = Policy("p", fields={"chart": Encrypt()})
        longer = Key("a-key-with-a-long-name", KEY_BYTES)
        old = policy.bind(StaticKeys(OLD))["chart"].apply(TEXT)
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("chart", sa.String(len(old))),
        )
        fill(engine, table, [{"id": 1, "chart": old}])
        job = rekey(policy, StaticKeys(longer, older=[OLD]), key_field=None)
        report = rekey_table(engine, table, job)

        assert [{"id": 1, "chart": old}] == stored(engine, table)
        assert (1, {"chart": {"k2": 1}}) == (report.failed, report.remaining)


class TestColumnsWithoutDuplicates:
    POLICY = Policy("p", fields={"mrn": FormatPreserving("digits", small_domain="a test")})

    def chains(self):
        """
        Return a chain of plaintexts and a ring of such.

        Of each one, the fresh value is the old value of the next one.
        """
        old, new = (self.POLICY.bind(StaticKeys(key))["mrn"] for key in (OLD, NEW))
        by_old = {old.apply(f"{n:02d}"): f"{n:02d}" for n in range(100)}
        unseen = set(by_old.values())
        rings = []
        while unseen:
            ring = [min(unseen)]
            while (following := by_old[new.apply(ring[-1])]) != ring[0]:
                ring.append(following)
            unseen -= set(ring)
            rings.append(ring)
        longest = max(rings, key=len)
        assert len(longest) > 6
        return longest[:6], longest

    def fill(self, engine, plaintexts):
        """Make a table in which no value may stand twice."""
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("mrn", sa.String(2), unique=True),
            sa.Column(NAME, sa.String(32)),
        )
        people = [{"mrn": plaintext} for plaintext in plaintexts]
        return fill(engine, table, rows_under(OLD, people, self.POLICY)), people

    def test_chains_are_freed_from_their_end(self, engine):
        """Rows wait for the one whose old value is their fresh one, pass by pass."""
        table, people = self.fill(engine, self.chains()[0])
        report = rekey_table(engine, table, rekey(self.POLICY))

        report.raise_if_incomplete()
        assert rows_under(NEW, people, self.POLICY) == stored(engine, table)

    def test_rings_stay(self, engine):
        """Rows that wait for each other stay as they are, and the report says so."""
        table, people = self.fill(engine, self.chains()[1])
        report = rekey_table(engine, table, rekey(self.POLICY))

        assert rows_under(OLD, people, self.POLICY) == stored(engine, table)
        assert (len(people), False) == (report.failed, report.complete)


class TestOthersAtWork:
    def change(self, url, table, number, **values):
        """Change a row as another process would."""
        other = sa.create_engine(url)
        with other.begin() as connection:
            connection.execute(sa.update(table).where(table.c.id == number).values(**values))
        other.dispose()

    @pytest.mark.parametrize("sane", [True, False])
    def test_a_row_changed_meanwhile_is_not_overwritten(self, engine, table, url, sane):
        """Between reading and writing somebody else writes: that stays, and comes under too."""
        engine.dialect.supports_sane_multi_rowcount = sane
        chart = POLICY.bind(StaticKeys(OLD))["chart"].apply("psittacosis")
        acts = iter([lambda: self.change(url, table, 3, chart=chart, ward="C3")])
        before_updates(engine, lambda _: next(acts, lambda: None)())
        report = rekey_table(engine, table, rekey())
        expected = rows_under(NEW)
        expected[3] |= {
            "chart": POLICY.bind(StaticKeys(NEW))["chart"].apply("psittacosis"),
            "ward": "C3",
        }

        assert expected == stored(engine, table)
        assert (COUNT, 0, True) == (report.changed, report.failed, report.complete)

    def test_a_row_deleted_meanwhile_is_gone(self, engine, table, url):
        """A row that somebody deletes is not made again."""

        def delete():
            other = sa.create_engine(url)
            with other.begin() as connection:
                connection.execute(sa.delete(table).where(table.c.id == 3))
            other.dispose()

        acts = iter([delete])
        before_updates(engine, lambda _: next(acts, lambda: None)())
        report = rekey_table(engine, table, rekey())

        assert [one for one in rows_under(NEW) if one["id"] != 3] == stored(engine, table)
        assert (24, 24, True) == (report.rows, report.changed, report.complete)

    def test_a_row_that_never_rests_is_given_up(self, engine, table, url):
        """A row that changes each time is left, after some passes, and the report says so."""
        job = rekey()
        rekey_table(engine, table, job)
        self.change(url, table, 3, **row(3, PEOPLE[3], OLD))
        wards = itertools.count()
        before_updates(
            engine, lambda _: self.change(url, table, 3, chart=None, ward=f"W{next(wards)}")
        )
        policy = Policy("patients", fields={**POLICY.fields, "seen": ShiftDate(by="ward")})
        job = rekey(policy, translations={"email": learned()})
        report = rekey_table(engine, table, job)

        assert (1, False) == (report.failed, report.complete)
        assert {"(record)": {"dataset": 1}} == report.reasons

    def test_passes_end(self, engine, table, monkeypatch):
        """A run that never comes to a pass without changes has proved nothing."""
        monkeypatch.setattr(module, "MOST_PASSES", 1)
        report = rekey_table(engine, table, rekey())

        assert (COUNT, 0, False) == (report.changed, report.skipped, report.complete)
        assert rows_under(NEW) == stored(engine, table)


class TestFaults:
    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch):
        """Do not wait between attempts."""
        monkeypatch.setattr(module, "PAUSE", 0)

    def test_a_locked_table_ends_the_run(self, engine, table, url):
        """A database that does not let us write ends the run, and nothing is lost."""
        sqlite = engine.dialect.name == "sqlite"
        wait = {"timeout": 0} if sqlite else {"options": "-c lock_timeout=10"}
        hasty = sa.create_engine(url, connect_args=wait)
        with engine.connect() as other, other.begin():
            other.execute(sa.update(table).values(ward="C3"))
            with pytest.raises(DatasetError, match=r"cannot be written: .*; run again"):
                rekey_table(hasty, table, rekey())
        hasty.dispose()

        assert [one | {"ward": "C3"} for one in rows_under(OLD)] == stored(engine, table)

    def test_a_missing_table_ends_the_run(self, engine):
        """A table that is not there is an error, without what the database says."""
        with pytest.raises(DatasetError, match="cannot be read"):
            rekey_table(engine, clinic(), rekey())

    def test_a_moment_of_trouble_is_got_over(self, engine, table):
        """What fails for the moment is tried again."""
        troubles = iter([1])

        def fail(connection, cursor, statement, parameters, context, many):
            for _ in troubles:
                raise sa.exc.OperationalError("", {}, Exception())

        sa.event.listen(engine, "before_cursor_execute", fail)
        report = rekey_table(engine, table, rekey())

        assert report.complete

    def test_a_value_that_is_none_of_its_column_ends_the_run(self, tmp_path):
        """A cell that the driver cannot read is an error without its content."""
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'clinic.db'}")
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("seen", sa.Date),
            sa.Column("ward", sa.Text),
            sa.Column(NAME, sa.Text),
        )
        table.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO patient VALUES (1, :seen, 'B2', 'k2')"), {"seen": TEXT}
            )
        policy = Policy("p", fields={"seen": ShiftDate(by="ward"), "ward": Keep()})
        with pytest.raises(DatasetError, match="cannot be read: ValueError"):
            rekey_table(engine, table, rekey(policy))
        engine.dispose()

    def test_a_value_that_the_driver_refuses_stays(self, tmp_path):
        """A row whose fresh value does not fit the type of its column stays as it is."""

        class Checked(sa.types.TypeDecorator):
            impl = sa.Text
            cache_ok = True

            def process_bind_param(self, value, dialect):
                if value is not None and value.startswith("enc1.k3"):
                    raise ValueError(value)
                return value

        engine = sa.create_engine(f"sqlite:///{tmp_path / 'clinic.db'}")
        policy = Policy("p", fields={"chart": Encrypt()})
        table = clinic(sa.Column("id", sa.Integer, primary_key=True), sa.Column("chart", Checked))
        old = policy.bind(StaticKeys(OLD)).pseudonymize({"chart": TEXT})
        fill(engine, table, [{"id": 1, **old}])
        report = rekey_table(engine, table, rekey(policy, key_field=None))

        assert [{"id": 1, **old}] == stored(engine, table)
        assert 1 == report.failed
        engine.dispose()

    def test_a_null_in_a_primary_key_ends_the_run(self, tmp_path):
        """SQLite allows what has no place in the order of the primary key."""
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'clinic.db'}")
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE patient (id TEXT PRIMARY KEY, chart TEXT)"))
            connection.execute(sa.text("INSERT INTO patient VALUES (NULL, NULL)"))
        table = clinic(sa.Column("id", sa.Text, primary_key=True), sa.Column("chart", sa.Text))
        policy = Policy("p", fields={"chart": Encrypt()})
        with pytest.raises(DatasetError, match="null in its primary key"):
            rekey_table(engine, table, rekey(policy, key_field=None))
        engine.dispose()

    def test_a_primary_key_that_comes_back_otherwise_ends_the_run(self, tmp_path):
        """A type that does not return what is stored would make rows be read for ever."""

        class Lossy(sa.types.TypeDecorator):
            impl = sa.Text
            cache_ok = True

            def process_result_value(self, value, dialect):
                return ""

        engine = sa.create_engine(f"sqlite:///{tmp_path / 'clinic.db'}")
        table = clinic(sa.Column("id", Lossy, primary_key=True), sa.Column("chart", sa.Text))
        fill(engine, table, [{"id": "a", "chart": None}, {"id": "b", "chart": None}])
        job = rekey(Policy("p", fields={"chart": Encrypt()}), key_field=None)
        with pytest.raises(DatasetError, match="does not come back"):
            rekey_table(engine, table, job)
        engine.dispose()


class Ledger:
    """Keys that remember which dataset needs which."""

    def __init__(self):
        self.written = []

    def keyset(self, name, /):
        return KEYS.keyset(name)

    def record(self, dataset, key_ids, /, *, keyset):
        self.written.append(list(key_ids))


class TestDataset:
    ALL, ONE = ["k3", "k2", "k1"], ["k3"]

    def test_needs_every_key_until_the_proof(self, engine, table):
        """A dry run tells the keys nothing; a run tells them at its start and at its end."""
        keys = Ledger()
        job = rekey(keys=keys, dataset="patients")
        rekey_table(engine, table, job, dry_run=True)

        assert [] == keys.written
        rekey_table(engine, table, job)
        assert [self.ALL, self.ONE] == keys.written

    def test_needs_every_key_if_something_is_left(self, engine, table):
        """Without the proof the old keys stay needed."""
        keys = Ledger()
        job = rekey(keys=keys, dataset="patients", translations={"email": learned(PEOPLE[1:])})
        rekey_table(engine, table, job)

        assert [self.ALL] == keys.written


class TestColumns:
    def test_may_have_other_names(self, engine):
        """Fields are found under the names of their columns, or by the columns themselves."""
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("number", sa.Text, key="mrn_of_the_patient"),
            sa.Column("mail", sa.Text),
            sa.Column("seen", sa.Text),
            sa.Column("key", sa.Text),
        )
        old, new = (
            [
                {
                    "id": one["id"],
                    "mrn_of_the_patient": one["mrn"],
                    "mail": one["email"],
                    "seen": one["seen"],
                    "key": one[NAME],
                }
                for one in rows_under(key)
            ]
            for key in (OLD, NEW)
        )
        fill(engine, table, old)
        names = {
            "mrn": table.c.mrn_of_the_patient,
            "email": "mail",
            NAME: "key",
            "chart": None,
            "name": None,
        }
        report = rekey_table(engine, table, rekey(), columns=names)
        query = sa.select(table.c.id, table.c.mrn_of_the_patient, table.c.mail, table.c.key)
        with engine.connect() as connection:
            found = [tuple(one) for one in connection.execute(query.order_by(table.c.id))]

        report.raise_if_incomplete()
        assert [(o["id"], o["mrn_of_the_patient"], o["mail"], o["key"]) for o in new] == found

    def test_of_a_star_are_named(self, engine):
        """Which columns a rule for all other fields means is said."""
        policy = Policy("p", fields={"*": Encrypt(), "ward": Keep()})
        table = clinic(
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("chart", sa.Text),
            sa.Column("note", sa.Text),
        )
        bound = {key: policy.bind(StaticKeys(key))["*"].apply for key in (OLD, NEW)}
        fill(engine, table, [{"id": 1, "chart": bound[OLD]("c"), "note": bound[OLD]("n")}])
        job = rekey(policy, key_field=None)
        with pytest.raises(PolicyError, match="name the fields that it rules"):
            rekey_table(engine, table, job)
        rekey_table(engine, table, job, columns={"chart": "chart", "n": "note"})

        assert [{"id": 1, "chart": bound[NEW]("c"), "note": bound[NEW]("n")}] == stored(
            engine, table
        )

    @pytest.mark.parametrize(
        ("columns", "words"),
        [
            ({"mrn": "nowhere"}, "no column for the field 'mrn'"),
            ({"mrn": sa.Column("nowhere", sa.Text)}, "no column for the field 'mrn'"),
            ({NAME: "nowhere"}, "no column for the field 'privkit_key'"),
            ({"phone": "ward"}, "1 fields that no rule is of"),
            (dict.fromkeys(["mrn", "email", "chart", "seen"]), "no field whose rule has a key"),
        ],
    )
    def test_that_do_not_fit_are_refused(self, engine, columns, words):
        """A field without its column is an error, and no field is passed over in silence."""
        with pytest.raises(PolicyError, match=words):
            rekey_table(engine, clinic(), rekey(), columns=columns)


class TestRefusals:
    @pytest.mark.parametrize(
        ("place", "wrong", "words"),
        [
            (0, "sqlite://", "an Engine or a Connection, got str"),
            (1, TestColumns, "a Table is re-keyed, got type"),
            (1, sa.Table("p", sa.MetaData(), sa.Column("mrn", sa.Text)), "without a primary key"),
            (2, None, "a Rekey, got NoneType"),
        ],
    )
    def test_wrong_arguments_are_refused(self, place, wrong, words):
        """What is no engine, no table with a primary key, or no job is refused."""
        given = [sa.create_engine("sqlite://"), clinic(), rekey()]
        given[place] = wrong
        with pytest.raises(PolicyError, match=words):
            rekey_table(*given)

    @pytest.mark.parametrize("batch", [0, -1, 2.0, True, "9"])
    def test_a_batch_is_a_number_of_rows(self, batch):
        """A batch has at least one row."""
        with pytest.raises(PolicyError, match="batch"):
            rekey_table(sa.create_engine("sqlite://"), clinic(), rekey(), batch=batch)
