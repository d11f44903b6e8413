"""Records on their way from one key to another."""

import copy
import datetime as dt
import pickle
from types import MappingProxyType
from typing import ClassVar
from uuid import UUID

import pytest

from privkit import (
    AllowList,
    Encrypt,
    FormatPreserving,
    IPAddress,
    Keep,
    Key,
    Keyset,
    MemoryAudit,
    Policy,
    Redact,
    ShiftDate,
    StaticKeys,
    Token,
    Truncate,
)
from privkit.errors import (
    AccessDeniedError,
    AuditError,
    DatasetError,
    DomainError,
    IrreversibleError,
    KeyNotFoundError,
    KeyUnavailableError,
    PolicyError,
    TamperedError,
)
from privkit.fields import Rekey, TokenMap
from privkit.testing.keys import FaultyKeys
from privkit.typing import Technique
from tests.canaries import (
    DATE,
    DIGITS,
    EMAIL,
    IP,
    KEY_BYTES,
    OTHER_EMAIL,
    OTHER_KEY_BYTES,
    OTHER_TEXT,
    TEXT,
    THIRD_KEY_BYTES,
)
from tests.canaries import (
    UUID as UUID_TEXT,
)

OLDEST, OLD, NEW = Key("k1", OTHER_KEY_BYTES), Key("k2", THIRD_KEY_BYTES), Key("k3", KEY_BYTES)
KEYS = StaticKeys(NEW, older=[OLD, OLDEST])
POLICY = Policy(
    "patients",
    version=2,
    fields={
        "mrn": FormatPreserving("digits"),
        "email": Token(normalize="email"),
        "ref": Token(encoding="uuid"),
        "address": IPAddress(),
        "host": IPAddress(mode="random"),
        "chart": Encrypt(),
        "seen": ShiftDate(by="mrn"),
        "born": ShiftDate(by="ward"),
        "visits[*].date": ShiftDate(by="mrn"),
        "visits[*].doctor": Encrypt(),
        "visits[*].fee": Truncate(1),
        "ward": Keep(),
        "zip": Truncate(3),
        "name": Redact(),
    },
)
RECORD = {
    "mrn": DIGITS,
    "email": EMAIL,
    "ref": UUID_TEXT,
    "address": IP,
    "host": IP,
    "chart": {"blood": "A+", "notes": [TEXT, None, 7]},
    "seen": DATE,
    "born": dt.date(1907, 3, 11),
    "visits": [{"date": DATE, "doctor": TEXT, "fee": "12"}, {"date": None, "doctor": OTHER_TEXT}],
    "ward": "B2",
    "zip": "94110",
    "name": TEXT,
}
NAME = "privkit_key"
ASKED = {"actor": "ops", "purpose": "rotation"}
ACCESS = AllowList({"ops": ["rotation"]})


def protected(record, key, policy=POLICY):
    """Return a record under a key, with the id of the key beside it."""
    return {NAME: key.id, **policy.bind(StaticKeys(key)).pseudonymize(record), "row": 17}


def revealed(record, policy=POLICY, key=NEW):
    """Return what comes back of a record when one key alone is left."""
    authority = policy.authority(StaticKeys(key), access=ACCESS, audit=MemoryAudit())
    return authority.reidentify(record, **ASKED)


def learned(field="email", values=(EMAIL, OTHER_EMAIL), policy=POLICY, keys=KEYS):
    """Return a map that knows some values."""
    made = TokenMap(policy, keys, field)
    made.learn(values)
    return made


def rekey(policy=POLICY, keys=KEYS, **options):
    """Return a job, with maps for the usual policy."""
    if policy is POLICY and "translations" not in options:
        options["translations"] = {"email": learned(), "ref": learned("ref", [UUID_TEXT])}
    given = {"access": ACCESS, "audit": MemoryAudit(), "key_field": NAME, **ASKED, **options}
    return Rekey(policy, keys, **given)


def one(job, record):
    """Return what becomes of one record, the report, and what was told of it."""
    told = []
    run = job.records([record], on_left=lambda row, error: told.append((row, error)))
    (made,) = run
    return made, run.report, told


class TestRecords:
    @pytest.mark.parametrize("key", [OLD, OLDEST])
    def test_come_under_the_primary_and_read_the_same(self, key):
        """A record under an older key becomes the one that the primary makes; the rest stays."""
        record = protected(RECORD, key)
        before = copy.deepcopy(record)
        made, report, _ = one(rekey(), record)
        fresh = protected(RECORD, NEW)

        assert before == record
        assert list(record) == list(made)
        assert {**fresh, "host": None} == {**made, "host": None}
        assert revealed(record, key=key) == revealed(made)
        assert (1, 1, 0) == (report.rows, report.changed, report.skipped)
        assert {} == report.remaining

    def test_stay_as_they_are_under_the_primary(self):
        """What is wholly under the primary is left alone, also what is random."""
        record = protected(RECORD, NEW)
        made, report, _ = one(rekey(), record)

        assert record == made
        assert (1, 0, 1) == (report.rows, report.changed, report.skipped)

    def test_may_be_partly_under_the_primary(self):
        """Values that tell their key come under the primary each from its own."""
        record = protected(RECORD, OLD)
        record["email"] = protected(RECORD, NEW)["email"]
        record["chart"] = protected(RECORD, OLDEST)["chart"]
        made, report, _ = one(rekey(), record)

        assert {**protected(RECORD, NEW), "host": None} == {**made, "host": None}
        assert {"k1": 1} == report.found["chart"]
        assert {"k3": 1} == report.found["email"]
        assert {"k2": 2} == report.found["visits[*].doctor"]

    def test_keep_nulls_and_what_is_missing(self):
        """Nulls stay null, and missing fields stay missing."""
        record = {NAME: OLD.id, "mrn": None, "chart": None, "visits": None, "born": None}

        assert ({**record, NAME: NEW.id}, 1) == (
            (made := one(rekey(), record))[0],
            made[1].changed,
        )

    def test_without_anything_under_a_key_stay(self):
        """A record in which nothing is under a key and which names none is left alone."""
        record = {NAME: None, "mrn": None, "ward": "B2", "row": 4}

        assert record == one(rekey(), record)[0]
        assert 1 == one(rekey(), {"ward": "B2"})[1].skipped

    def test_are_read_whatever_mapping_they_are(self):
        """A record may be any mapping; a dictionary comes out."""
        for key in (OLD, NEW):
            record = MappingProxyType({NAME: key.id, "mrn": "0042137"})

            assert {NAME, "mrn"} == set(one(rekey(), record)[0])

    def test_need_no_companion_where_values_tell_their_key(self):
        """With tokens and ciphertexts alone, no field names the key."""
        policy = Policy("p", fields={"a": Encrypt(), "b": Token()})
        job = rekey(policy, key_field=None, translations={"b": learned("b", [TEXT], policy)})
        record = policy.bind(StaticKeys(OLD)).pseudonymize({"a": TEXT, "b": TEXT})

        assert (
            policy.bind(StaticKeys(NEW)).pseudonymize({"a": TEXT, "b": TEXT}) == one(job, record)[0]
        )

    def test_may_hold_tokens_as_uuids(self):
        """A token in the form of a UUID stays of the type in which a database returns it."""
        record = protected(RECORD, OLD)
        record["ref"] = UUID(record["ref"])

        assert UUID(protected(RECORD, NEW)["ref"]) == one(rekey(), record)[0]["ref"]

    def test_follow_a_star(self):
        """The rule of all other fields is not the rule of the companion."""
        policy = Policy("p", fields={"*": Encrypt(), "mrn": FormatPreserving("digits")})
        record = {"mrn": "0042137", "x": TEXT, "y": [1]}
        made = one(rekey(policy), protected(record, OLD, policy) | {"row": None})[0]

        assert {**protected(record, NEW, policy), "row": None} == made

    def test_stay_whole_if_one_value_fails(self):
        """A record with a value that cannot be read stays as it is, and the others go on."""
        bad = protected(RECORD, OLD)
        bad["chart"] = bad["chart"][:-6] + "AAAAAA"
        good = protected(RECORD, OLD)
        told = []
        run = rekey().records([bad, good], on_left=lambda *left: told.append(left))
        made = list(run)
        report = run.report

        assert bad == made[0]
        assert NEW.id == made[1][NAME]
        assert (2, 1, 1) == (report.rows, report.changed, report.failed)
        assert {"chart": {"tampered": 1}} == report.reasons
        assert {"k2": 1} == report.remaining["chart"]
        assert {"k2": 1} == report.remaining["mrn"]
        assert [(1, TamperedError)] == [(row, type(error)) for row, error in told]
        assert [("chart", 1)] == [(error.field, error.row) for _, error in told]

    @pytest.mark.parametrize(
        ("change", "error", "field"),
        [
            ({NAME: "k9"}, KeyNotFoundError, "mrn"),
            ({NAME: None}, KeyNotFoundError, "mrn"),
            ({NAME: "no id"}, KeyNotFoundError, "mrn"),
            ({NAME: 5, "mrn": None, "seen": None, "visits": None}, KeyNotFoundError, "ref"),
            ({"chart": "enc1.k9.AAAA"}, KeyNotFoundError, "chart"),
            ({"chart": TEXT}, DomainError, "chart"),
            ({"email": "tok" + "0" * 36}, KeyNotFoundError, "email"),
            ({"email": EMAIL}, DomainError, "email"),
            ({"mrn": None}, PolicyError, "seen"),
            ({"mrn": TEXT}, DomainError, "mrn"),
            ({"visits": 7}, PolicyError, None),
        ],
    )
    def test_fail_where_no_key_can_be_told(self, change, error, field):
        """A value that no key can be told of makes its record fail; no other key is tried."""
        record = protected(RECORD, OLD) | change
        made, report, told = one(rekey(), record)

        assert record == made
        assert 1 == report.failed
        assert [(error, field)] == [(type(why), why.field) for _, why in told]

    def test_fail_if_the_companion_is_none(self):
        """What stands in the place of the key's id has to be an id."""
        _, report, told = one(rekey(), {NAME: TEXT, "mrn": None})

        assert 1 == report.failed
        assert "holds ids of keys" in str(told[0][1])

    def test_fail_if_they_are_no_mapping(self):
        """What is no record is counted, and stays."""
        run = rekey().records([[("mrn", "0042137")]])

        assert [{"mrn": "0042137"}] == list(run)
        assert {"(record)": {"policy": 1}} == run.report.reasons

    def test_fail_if_a_value_under_the_primary_cannot_be_read(self):
        """A ciphertext that says it is under the primary and is not is no value to skip."""
        record = protected(RECORD, NEW)
        record["chart"] = record["chart"][:-6] + "AAAAAA"
        _, report, _ = one(rekey(), record)

        assert 1 == report.failed
        assert {"?": 1} == report.remaining["chart"]

    def test_are_quarantined_without_a_translation(self):
        """A one-way value that the map does not know leaves its record as it is."""
        record = protected({**RECORD, "email": "somebody@else.example"}, OLD)
        made, report, told = one(rekey(), record)

        assert record == made
        assert (0, 1) == (report.failed, report.quarantined)
        assert [IrreversibleError] == [type(error) for _, error in told]
        assert {"email": {"irreversible": 1}} == report.reasons

    def test_fail_before_they_are_quarantined(self):
        """A record that fails and misses a translation has failed."""
        record = protected({**RECORD, "email": "somebody@else.example"}, OLD)
        record["chart"] = "enc1.k9.AAAA"

        assert (1, 0) == ((report := one(rekey(), record)[1]).failed, report.quarantined)

    def test_errors_of_a_caller_pass(self):
        """What the caller's function raises, and what the source raises, ends the run."""

        def refuse(row, error):
            raise ZeroDivisionError

        def source():
            yield protected(RECORD, OLD)
            raise LookupError

        run = rekey().records([{NAME: TEXT}], on_left=refuse)
        with pytest.raises(ZeroDivisionError):
            next(run)
        run = rekey().records(source())

        assert NEW.id == next(run)[NAME]
        with pytest.raises(LookupError):
            next(run)

    def test_are_counted_as_they_pass(self):
        """The report holds the counts so far, and is never complete."""
        run = rekey().records([protected(RECORD, OLD), protected(RECORD, NEW)])
        next(run)

        assert 1 == run.report.rows
        assert [2] == [run.report.rows for _ in run]
        assert "RekeyedRecords(rows=2)" == repr(run)
        assert not run.report.complete


class Brittle:
    """A rule that does not bring back what it took."""

    name: ClassVar[str] = "brittle"
    technique: ClassVar[Technique] = Technique.DETERMINISTIC_ENCRYPTION
    reversible: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = True
    keyed: ClassVar[bool] = True
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __init__(self, error=None):
        self.__dict__["error"] = error

    def bind(self, subkeys, /):
        return self

    def bind_inverse(self, subkeys, /):
        return self

    def apply(self, value, by=None, /):
        return value

    def invert(self, value, by=None, /):
        if self.error is not None:
            raise ZeroDivisionError(value)
        return f"{value}."


class OneWay(Brittle):
    """A rule that does not reverse, and gives another pseudonym each time."""

    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False


class TestLosses:
    @pytest.mark.parametrize("error", [None, "foreign"])
    def test_a_rule_that_does_not_return_its_value_changes_nothing(self, error):
        """The fresh value is read back before the record is let out, and errors lose their text."""
        policy = Policy("p", fields={"a": Brittle(error)})
        record = {"a": TEXT, NAME: OLD.id}
        made, report, told = one(rekey(policy), record)

        assert record == made
        assert 1 == report.failed
        assert DomainError is type(told[0][1])

    def test_a_map_that_leads_elsewhere_changes_nothing(self):
        """A map whose file was altered does not bring values under another key."""
        emails = learned()
        old, older = (protected(RECORD, key)["email"] for key in (OLD, OLDEST))
        emails._store.add(iter([(old, older)]))
        job = rekey(translations={"email": emails, "ref": learned("ref", [UUID_TEXT])})
        record = protected(RECORD, OLD)

        assert record == one(job, record)[0]
        assert {"email": {"policy": 1}} == one(job, record)[1].reasons


class TestTranslationByAField:
    POLICY = Policy("p", fields={"email": Token(normalize="email"), "contact": Encrypt()})

    def test_recomputes_the_token(self):
        """A token comes under the primary by the field beside it that reverses."""
        policy = self.POLICY
        job = rekey(policy, key_field=None, translations={"email": "contact"})
        record = {"email": EMAIL, "contact": EMAIL.upper()}
        old, new = (policy.bind(StaticKeys(key)).pseudonymize(record) for key in (OLD, NEW))

        assert new == one(job, old)[0]

    def test_compares_the_old_token_first(self):
        """A token of another value than the field holds is quarantined."""
        policy = self.POLICY
        job = rekey(policy, key_field=None, translations={"email": "contact"})
        record = {"email": EMAIL, "contact": OTHER_EMAIL}
        old = policy.bind(StaticKeys(OLD)).pseudonymize(record)

        assert (old, 1) == ((made := one(job, old))[0], made[1].quarantined)

    @pytest.mark.parametrize("contact", [None, "missing"])
    def test_needs_the_field(self, contact):
        """Without the field beside it, the record fails."""
        job = rekey(self.POLICY, key_field=None, translations={"email": "contact"})
        record = self.POLICY.bind(StaticKeys(OLD)).pseudonymize({"email": EMAIL, "contact": None})
        if contact == "missing":
            del record["contact"]

        assert 1 == one(job, record)[1].failed

    def test_may_be_by_a_field_in_clear(self):
        """The field beside it may be kept, and a UUID may be a token."""
        policy = Policy("p", fields={"ref": Token(encoding="uuid"), "seen": Keep()})
        job = rekey(policy, translations={"ref": "seen"})
        old, new = (protected({"ref": "B2", "seen": "B2"}, key, policy) for key in (OLD, NEW))
        old["ref"], new["ref"] = UUID(old["ref"]), UUID(new["ref"])

        assert new == one(job, old)[0]


class TestPreviewAndProof:
    def test_a_preview_counts_and_changes_nothing(self):
        """A preview tells what a run would do."""
        records = [protected(RECORD, key) for key in (OLDEST, OLD, NEW)]
        before = copy.deepcopy(records)
        report = rekey().preview(records)

        assert before == records
        assert (3, 2, 1) == (report.rows, report.changed, report.skipped)
        assert {"k1": 1, "k2": 1, "k3": 1} == report.found["mrn"]
        assert {"k1": 1, "k2": 1} == report.remaining["mrn"]
        assert not report.complete

    def test_a_proof_is_complete_if_there_is_nothing_to_change(self):
        """When every record is wholly under the primary, and readable, that is proved."""
        report = rekey().prove([protected(RECORD, NEW)] * 3)

        report.raise_if_incomplete()
        assert (True, 3, {}) == (report.complete, report.skipped, report.remaining)

    @pytest.mark.parametrize(
        "change", [{}, {"chart": "enc1.k3.AAAA"}, {"email": "tok" + "0" * 36}, {NAME: None}]
    )
    def test_a_proof_is_not_complete_otherwise(self, change):
        """One value under another key, or one that cannot be read, and the proof fails."""
        left = protected(RECORD, NEW) | change if change else protected(RECORD, OLD)
        report = rekey().prove([protected(RECORD, NEW), left])

        assert not report.complete
        with pytest.raises(
            DatasetError, match=r"of 2 records.* under other keys: .*: 1 [?k]"
        ) as it:
            report.raise_if_incomplete()
        assert 2 == it.value.rows

    def test_nothing_proves_nothing(self):
        """A generator that was read before proves nothing."""
        report = rekey().prove([])

        assert not report.complete
        with pytest.raises(DatasetError, match="none of those seen last"):
            report.raise_if_incomplete()

    def test_a_second_run_changes_nothing(self):
        """What a run has made is left alone by the next one."""
        job = rekey()
        made = list(job.records([protected(RECORD, OLD)] * 2))

        assert made == list(again := job.records(made))
        assert (0, 2) == (again.report.changed, again.report.skipped)


class TestAccess:
    def test_a_run_is_one_request(self):
        """Each run is on record before the first record is read, with the fields it reveals."""
        audit = MemoryAudit()
        job = rekey(audit=audit)
        job.records(iter(()))
        events = audit.events

        assert ["granted"] == [event.outcome for event in events]
        assert ("ops", "rotation", None) == (
            events[0].actor,
            events[0].purpose,
            events[0].records,
        )
        assert {"mrn", "chart", "seen", "born", "address", "host"} < set(events[0].fields)
        assert not {"email", "ref", "zip"} & set(events[0].fields)
        job.preview([])
        job.prove([])
        assert 3 == len(audit.events)

    def test_a_run_that_is_denied_reads_nothing(self):
        """Without access no record is read and no key fetched, and the refusal is on record."""
        audit = MemoryAudit()
        job = rekey(keys=FaultyKeys("unavailable", seconds=0), audit=audit, access=AllowList({}))
        with pytest.raises(AccessDeniedError):
            job.records(map(pytest.fail, ["read"]))

        assert ["denied"] == [event.outcome for event in audit.events]

    @pytest.mark.parametrize("act", ["preview", "prove"])
    def test_a_proof_that_is_denied_reads_nothing(self, act):
        """A preview and a proof reveal too, and ask first."""
        with pytest.raises(AccessDeniedError):
            getattr(rekey(access=AllowList({})), act)([protected(RECORD, OLD)])

    def test_a_run_that_cannot_be_written_down_reads_nothing(self):
        """A sink that fails ends the run before the first record."""

        class Full:
            def write(self, event, /):
                raise OSError(28, "no space")

        with pytest.raises(AuditError):
            rekey(audit=Full()).preview(map(pytest.fail, ["read"]))

    def test_it_cannot_be_pickled(self):
        """A job holds the way back, and does not travel."""
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(rekey())

    def test_it_prints_no_key(self):
        """The repr names the policy."""
        assert "Rekey(policy='patients' version 2, fields=10)" == repr(rekey())
        assert POLICY == rekey().policy


class TestKeys:
    def test_an_outage_ends_the_run_before_it_begins(self):
        """Without keys, no record is read."""
        job = rekey(Policy("p", fields={"a": Encrypt()}), FaultyKeys("unavailable", seconds=0))
        with pytest.raises(KeyUnavailableError):
            job.records([])

        assert "k" not in repr(job.key_field)[:1]

    def test_a_primary_that_may_not_protect_ends_the_run(self):
        """A suspended primary is an error with its cure, before the first record."""
        keys = StaticKeys.of(Keyset(NEW, [OLD], obstacle="the primary, key k3, is suspended"))
        with pytest.raises(KeyNotFoundError, match="stage and promote"):
            rekey(Policy("p", fields={"a": Encrypt()}), keys).records([])

    def test_a_rule_that_may_not_protect_ends_the_run(self):
        """A rule that only reads shows before the first record."""
        policy = Policy("p", fields={"a": FormatPreserving("digits", cipher="pyffx")})
        with pytest.raises(DomainError, match="read only"):
            rekey(policy).records([])

    def test_compromised_keys_need_a_reason(self):
        """Values under a compromised key fail, unless a reason is given."""
        keys = StaticKeys.of(Keyset(NEW, compromised=[OLD]))
        reason = {"allow_compromised": "the key was leaked"}
        emails, refs = (TokenMap(POLICY, keys, field, **reason) for field in ("email", "ref"))
        emails.learn([EMAIL])
        refs.learn([UUID_TEXT])
        maps = {"translations": {"email": emails, "ref": refs}}
        record = protected(RECORD, OLD)
        made, report, told = one(rekey(keys=keys, **maps), record)

        assert record == made
        assert 1 == report.failed
        assert "allow_compromised" in str(told[0][1])
        audit = MemoryAudit()
        assert {**protected(RECORD, NEW), "host": None} == {
            **one(rekey(keys=keys, audit=audit, **maps, **reason), record)[0],
            "host": None,
        }
        assert ["the key was leaked"] == [event.allow_compromised for event in audit.events]

    def test_destroyed_keys_are_told(self):
        """Values under a destroyed key fail, and the error says so."""
        keys = StaticKeys.of(Keyset(NEW, destroyed=["k2"]))
        policy = Policy("p", fields={"a": Encrypt()})
        record = policy.bind(StaticKeys(OLD)).pseudonymize({"a": TEXT})

        assert "destroyed" in str(one(rekey(policy, keys), record)[2][0][1])


class Ledger:
    """Keys that remember which dataset needs which."""

    def __init__(self):
        self.written = []

    def keyset(self, name, /):
        return KEYS.keyset(name)

    def record(self, dataset, key_ids, /, *, keyset):
        self.written.append((dataset, list(key_ids), keyset))


class TestDatasets:
    ALL, ONE = ("patients", ["k3", "k2", "k1"], "default"), ("patients", ["k3"], "default")

    def test_need_every_key_until_it_is_proved_that_they_do_not(self):
        """The keys are told at the beginning and after the proof, and by a preview never."""
        keys = Ledger()
        job = rekey(Policy("p", fields={"a": Encrypt()}), keys, dataset="patients")
        record = job.policy.bind(StaticKeys(OLD)).pseudonymize({"a": TEXT})
        job.preview([record])

        assert [] == keys.written
        made = list(job.records([record]))
        assert [self.ALL] == keys.written
        job.prove([record])
        job.prove([])
        assert [self.ALL] == keys.written
        job.prove(made)
        assert [self.ALL, self.ONE] == keys.written

    @pytest.mark.parametrize(
        ("keys", "dataset"), [(KEYS, "patients"), (Ledger(), ""), (Ledger(), 5)]
    )
    def test_are_refused_where_they_cannot_be_recorded(self, keys, dataset):
        """A dataset has a name, and keys that remember it."""
        with pytest.raises(PolicyError, match="dataset"):
            rekey(Policy("p", fields={"a": Encrypt()}), keys, dataset=dataset)


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "options", "words"),
        [
            ({"a": FormatPreserving("digits")}, {"key_field": None}, "key_field='privkit_key'"),
            ({"a": Encrypt(), "b": IPAddress()}, {"key_field": None}, "IPAddress on 'b'"),
            ({"a": Token()}, {}, "TokenMap"),
            ({"a": Token()}, {"translations": {"a": 5}}, "TokenMap"),
            ({"a": Token()}, {"translations": [5]}, "translations map paths"),
            ({"a": Token()}, {"translations": {"b": "a"}}, "no such field"),
            ({"a": Token()}, {"translations": {"a": "b"}}, "no such field"),
            ({"a": Token(), "b": Token()}, {"translations": {"a": "b"}}, "does not reverse"),
            ({"a": Token(), "*": Encrypt()}, {"translations": {"a": "*"}}, r"without \[\*\]"),
            ({"a": OneWay(), "b": Encrypt()}, {"translations": {"a": "b"}}, "another pseudonym"),
            ({"a": Encrypt(), "b": Keep()}, {"translations": {"a": "b"}}, "no translation"),
            ({"a": Encrypt(), "b": Keep()}, {"translations": {"b": "a"}}, "no translation"),
            ({"a": ShiftDate(by="b"), "b": Token()}, {}, "'a' depends on 'b'"),
            ({"a": ShiftDate(by="b"), "b": Truncate(3)}, {}, "again from their plaintexts"),
            ({"a": Truncate(3)}, {}, "no rule of policy"),
            ({"a": Encrypt()}, {"key_field": 5}, "key_field"),
            ({"a": Encrypt()}, {"key_field": ""}, "key_field"),
            ({"a": Encrypt()}, {"key_field": "a"}, "outside the policy"),
            ({"a.b": Encrypt()}, {"key_field": "a"}, "outside the policy"),
            ({"a.b": Encrypt()}, {"key_field": "a.b"}, "outside the policy"),
            ({"a": Encrypt()}, {"access": None}, "AllowList"),
            ({"a": Encrypt()}, {"keys": None}, "provider"),
        ],
    )
    def test_a_job_that_would_leave_values_behind_is_refused(self, fields, options, words):
        """Whatever would not come under the primary is refused when the job is made."""
        with pytest.raises(PolicyError, match=words):
            rekey(Policy("p", fields=fields), **options)

    @pytest.mark.parametrize("name", ["actor", "purpose"])
    def test_a_request_names_who_and_why(self, name):
        """A run without actor or purpose is refused."""
        with pytest.raises(PolicyError, match=name):
            rekey(**{name: " "}).records([])

    def test_maps_belong_to_their_field(self):
        """A map of another field or of another primary is refused before the first record."""
        policy = Policy("p", fields={"a": Token(), "b": Token(), "c": Token(scope="p.b")})
        maps = {"a": learned("a", [], policy), "b": learned("b", [], policy)}
        rekey(policy, translations={**maps, "c": maps["b"]}).records([])
        with pytest.raises(PolicyError, match="another rule or scope"):
            rekey(policy, translations={**maps, "c": maps["a"]}).records([])
        stale = learned("a", [], policy, StaticKeys(OLD, older=[OLDEST]))
        with pytest.raises(PolicyError, match="leads to key k2, and the primary is k3"):
            rekey(policy, translations={"a": stale, "b": maps["b"], "c": maps["b"]}).records([])
