"""A policy joined to keys protects records: completely, or not at all."""

import copy
import math
import os
import pickle
import struct
import threading
import traceback
from datetime import date
from functools import partial

import pytest

from privkit import (
    Bucket,
    Drop,
    Encrypt,
    EnvironmentKeys,
    FormatPreserving,
    IPAddress,
    Keep,
    Key,
    Policy,
    Pseudonymizer,
    Redact,
    ShiftDate,
    StaticKeys,
    Token,
    Truncate,
)
from privkit.errors import (
    DomainError,
    KeyNotFoundError,
    KeyProviderError,
    PolicyError,
    PrivkitError,
    UnruledFieldError,
)
from privkit.keys.cached import CachedKeys
from privkit.testing.keys import FaultyKeys
from privkit.typing import Technique
from tests.canaries import DIGITS, EMAIL, KEY_BYTES, OTHER_KEY_BYTES, TEXT

POLICY = Policy(
    "patients",
    version=3,
    fields={
        "mrn": FormatPreserving("digits"),
        "email": Token(),
        "age": Bucket(width=5),
        "zip": Truncate(3),
        "visit": ShiftDate(by="mrn", max_days=180),
        "name": Redact(),
        "note": Drop(),
        "chart": Encrypt(),
        "ward": Keep(),
        "visits[*].code": Token(),
    },
)
KEYS = StaticKeys(primary=Key("k2", KEY_BYTES))
ROTATED = StaticKeys(primary=Key("k2", KEY_BYTES), older=[Key("k1", OTHER_KEY_BYTES)])
RECORD = {
    "mrn": "0042137",
    "email": "ana@example.org",
    "age": 43,
    "zip": "94110",
    "visit": "2024-05-06",
    "name": "Ana",
    "note": "free text",
    "chart": {"blood": "A+", "allergies": [1, None]},
    "ward": "B2",
    "visits": [{"code": "I10"}, {"code": "I10"}],
}


@pytest.fixture
def patients():
    """The policy with one key."""
    return POLICY.bind(KEYS)


class TestPseudonymize:
    def test_every_field_follows_its_rule(self, patients):
        """Each field of the result is what its rule makes of the value."""
        row = patients.pseudonymize(RECORD)

        assert [key for key in RECORD if key != "note"] == list(row)
        assert {"age": "[40, 45)", "zip": "941", "name": None, "ward": "B2"} == {
            key: row[key] for key in ("age", "zip", "name", "ward")
        }
        assert row["mrn"] != RECORD["mrn"]
        assert 7 == len(row["mrn"])
        assert patients["email"].apply(RECORD["email"]) == row["email"]
        assert patients["visit"].apply("2024-05-06", by="0042137") == row["visit"]
        assert row["visits"][0] == row["visits"][1] != RECORD["visits"][0]
        assert row["chart"].startswith("enc1.k2.")

    def test_dates_of_a_subject_move_together(self):
        """All dates of one subject are shifted alike, in whichever fields they stand."""
        policy = Policy(
            "stays",
            fields={
                "mrn": Keep(),
                "in": ShiftDate(by="mrn"),
                "out": ShiftDate(by="mrn"),
                "visits[*]": ShiftDate(by="mrn"),
            },
        )
        record = {"mrn": "1", "in": "2024-05-06", "out": "2024-05-09", "visits": ["2024-05-07"]}
        row = policy.bind(KEYS).pseudonymize(record)
        moved = {
            date.fromisoformat(after) - date.fromisoformat(before)
            for before, after in [
                *((record[key], row[key]) for key in ("in", "out")),
                (record["visits"][0], row["visits"][0]),
            ]
        }

        assert 1 == len(moved)

    def test_input_is_not_changed(self, patients):
        """The record and its containers stay as they were, and are not shared."""
        before = copy.deepcopy(RECORD)
        kept = Policy("kept", fields={"a": Keep()}).bind()
        nested = {"a": {"b": [1]}}
        patients.pseudonymize(RECORD)
        kept.pseudonymize(nested)["a"]["b"].append(2)

        assert before == RECORD
        assert {"a": {"b": [1]}} == nested

    def test_missing_fields_stay_missing_and_nulls_null(self, patients):
        """A record may lack fields; a null stays null under every rule but Drop."""
        nulls = dict.fromkeys(RECORD)
        del nulls["note"]

        assert {} == patients.pseudonymize({})
        assert nulls == patients.pseudonymize(nulls)

    def test_nulls_carry_nothing(self, patients):
        """A NaN comes out without the bits that it can carry."""
        (loaded,) = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))
        row = patients.pseudonymize({"mrn": "0042137", "age": loaded, "visits": loaded})

        assert math.isnan(loaded)
        assert [struct.pack("<d", math.nan)] * 2 == [
            struct.pack("<d", row[key]) for key in ("age", "visits")
        ]

    def test_removed_field_is_removed_even_if_null(self, patients):
        """Drop removes the key whatever it holds."""
        assert {"zip": "941"} == patients.pseudonymize({"note": None, "zip": "94110"})

    def test_a_field_without_a_rule_is_refused(self, patients):
        """All fields without a rule are named, and nothing comes out."""
        with pytest.raises(UnruledFieldError) as caught:
            patients.pseudonymize({**RECORD, "phone": DIGITS, TEXT: EMAIL})

        assert "no rule for ['phone', key 12]" in str(caught.value)

    @pytest.mark.parametrize(("unruled", "rest"), [("redact", {"phone": None}), ("drop", {})])
    def test_unruled_fields_never_pass(self, unruled, rest):
        """A policy may redact or drop fields without a rule; none lets them through."""
        policy = Policy("p", fields={"a": Keep()}, unruled=unruled)

        assert {"a": 1, **rest} == policy.bind().pseudonymize({"a": 1, "phone": DIGITS})

    @pytest.mark.parametrize("mrn", [None, ...])
    def test_missing_subject_is_an_error(self, patients, mrn):
        """A rule that depends on a field refuses a record where that is missing or null."""
        record = {"mrn": mrn, "visit": "2024-05-06"}
        if mrn is ...:
            del record["mrn"]
        with pytest.raises(PolicyError, match="depends on 'mrn', which is missing or null") as err:
            patients.pseudonymize(record)

        assert "visit" == err.value.field

    def test_container_under_a_single_value_rule_is_refused(self, patients):
        """A list under a rule for single values is an error that names the path to write."""
        with pytest.raises(
            PolicyError, match=r"got list of 2: name its parts, such as 'zip\[\*\]'"
        ):
            patients.pseudonymize({"zip": [TEXT, TEXT]})

    def test_rows_are_counted(self, patients):
        """A stream of records says which one failed."""
        stream = patients.pseudonymize_all([{"zip": "94110"}, {"zip": 1.5, "mrn": DIGITS}])

        assert {"zip": "941"} == next(stream)
        with pytest.raises(PrivkitError) as caught:
            next(stream)
        assert (2, "zip") == (caught.value.row, caught.value.field)

    def test_stream_ends_with_its_records(self, patients):
        """A stream gives one record for each, and ends."""
        assert [{"zip": "941"}] * 2 == list(patients.pseudonymize_all([{"zip": "94110"}] * 2))

    def test_deep_record_is_refused(self, patients):
        """A record too deep to walk is refused without a foreign error."""
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(PrivkitError) as caught:
            POLICY.bind(KEYS).pseudonymize({"ward": deep})

        assert caught.value.__context__ is None


class TestErrors:
    @pytest.mark.parametrize(
        "record",
        [
            {"mrn": "12"},
            {"mrn": 42},
            {"email": 1.5},
            {"age": TEXT},
            {"zip": 5},
            {"mrn": DIGITS, "visit": TEXT},
            {"chart": {"x": float("inf")}},
            {"email": f"{TEXT}\ud800"},
        ],
    )
    def test_say_where_and_not_what(self, patients, record):
        """An error names field, rule and policy, and leaves without frames or causes."""
        record = {"name": TEXT, "ward": EMAIL, **record}
        with pytest.raises(PrivkitError) as caught:
            patients.pseudonymize(record)
        error = caught.value
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        library = shown[shown.index("privkit/pseudonymizer.py") :]

        assert error.field in record
        assert "policy 'patients' version 3" in error.__notes__[0]
        assert error.__cause__ is error.__context__ is None
        assert TEXT not in library
        assert EMAIL not in library
        assert DIGITS not in library

    def test_foreign_errors_are_named_by_class_alone(self):
        """An error that a third party's rule raises is told by its class."""

        class Broken:
            name = "broken"
            technique = Technique.NONE
            reversible = deterministic = injective = keyed = containers = False
            by = scope = None

            def apply(self, value, by=None, /):
                raise ValueError(value)

        field = Policy("p", fields={"a": Broken()}).bind()["a"]
        with pytest.raises(DomainError) as caught:
            field.apply(TEXT)

        assert "Broken failed with ValueError" == str(caught.value)
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("fault", list(FaultyKeys.FAULTS))
    def test_provider_faults_never_let_a_value_through(self, fault):
        """Whatever a provider does wrong, a keyed field comes out protected or not at all."""
        keyed = ["mrn", "email", "visit", "chart"]
        for path in keyed:
            patients = POLICY.bind(FaultyKeys(fault))
            record = {key: RECORD[key] for key in {"mrn", path}}
            try:
                row = patients.pseudonymize(record)
            except KeyProviderError:
                continue

            assert all(row[key] != RECORD[key] for key in record)


class TestBinding:
    def test_keyed_policy_needs_keys(self):
        """A policy with keyed fields is refused without a provider, and there is no default."""
        with pytest.raises(PolicyError, match="has 5 keyed fields"):
            POLICY.bind()

    def test_unkeyed_policy_needs_none(self):
        """A policy without keyed fields binds alone, and has no keyset."""
        plain = Policy("p", fields={"a": Truncate(1)}).bind()

        assert "x" == plain["a"].apply("xyz")
        assert plain.keyset is None
        assert ("x",) == plain["a"].candidates("xyz")

    @pytest.mark.parametrize("keys", [KEY_BYTES, "secret", StaticKeys, {}])
    def test_something_else_than_a_provider_is_refused(self, keys):
        """Keys themselves, and a provider's class, are refused by type."""
        with pytest.raises(PolicyError, match="keys come from a key provider"):
            POLICY.bind(keys)

    def test_keyset_has_a_name(self):
        """What is no name of a keyset is refused when a policy is bound, and not shown."""
        for bind in (POLICY.bind, partial(Pseudonymizer, POLICY)):
            with pytest.raises(KeyNotFoundError, match="the name of a keyset") as caught:
                bind(KEYS, keyset=Key("k2", KEY_BYTES).to_text())
            shown = "".join(
                traceback.TracebackException.from_exception(
                    caught.value, capture_locals=True
                ).format()
            )

            assert KEY_BYTES.hex() not in shown.partition("src/privkit")[2]

    def test_missing_key_shows_at_first_use(self, monkeypatch):
        """An application boots without keys; the first use says how to get them."""
        monkeypatch.delenv("PRIVKIT_KEYS", raising=False)
        patients = POLICY.bind(EnvironmentKeys())

        assert "941" == patients["zip"].apply("94110")
        with pytest.raises(KeyNotFoundError, match="privkit keygen"):
            patients["email"].apply(TEXT)

    def test_fields_are_found_by_path(self, patients):
        """A field that is not in the policy is an error with a suggestion."""
        assert "visits[*].code" == patients["visits[*].code"].path
        assert list(POLICY.fields) == [field.path for field in patients.fields]
        with pytest.raises(PolicyError, match="did you mean 'email'"):
            patients["emial"]

    def test_facts_are_those_of_the_rule(self, patients):
        """A bound field tells what its rule does."""
        field = patients["email"]

        assert (False, True) == (field.reversible, field.deterministic)
        assert field.injective is Token.injective
        assert Technique.PSEUDONYMIZATION == field.technique
        assert "patients.email" == field.scope

    def test_no_way_back(self, patients):
        """Neither a pseudonymizer nor its fields can invert."""
        assert not hasattr(patients["mrn"], "invert")
        assert not hasattr(patients, "reidentify")

    def test_equality_is_by_policy_field_and_provider(self, patients):
        """Two fields are equal if they always give equal pseudonyms."""
        same, other = POLICY.bind(KEYS), POLICY.bind(ROTATED)

        assert patients["mrn"] == same["mrn"]
        assert hash(patients["mrn"]) == hash(same["mrn"])
        assert patients["mrn"] != other["mrn"]
        assert patients["mrn"] != patients["email"]
        assert patients["mrn"] != "mrn"

    def test_repr_shows_no_key(self, patients):
        """A bound policy can be printed."""
        shown = repr(patients) + repr(patients["mrn"])

        assert "patients" in shown
        assert KEY_BYTES.hex() not in shown

    def test_pickles_as_references(self, monkeypatch):
        """A pickle holds the policy and the name of the keys, never a key."""
        monkeypatch.setenv("PRIVKIT_KEYS", Key("k2", KEY_BYTES).to_text())
        patients = POLICY.bind(EnvironmentKeys())
        expected = patients.pseudonymize(RECORD)
        pickled = pickle.dumps((patients, patients["mrn"]))
        again, field = pickle.loads(pickled)

        assert KEY_BYTES not in pickled
        assert KEY_BYTES.hex().encode() not in pickled
        assert expected == again.pseudonymize(RECORD)
        assert expected["mrn"] == field.apply("0042137")

    def test_keys_in_memory_refuse_to_be_pickled(self, patients):
        """A provider that holds keys cannot be sent elsewhere by accident."""
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(patients)


class TestCandidates:
    def test_one_for_every_live_key(self):
        """A value is found under the primary key first, then under older ones."""
        old = StaticKeys(primary=Key("k1", OTHER_KEY_BYTES))
        found = POLICY.bind(ROTATED)["email"].candidates(TEXT)

        assert (
            POLICY.bind(KEYS)["email"].apply(TEXT),
            POLICY.bind(old)["email"].apply(TEXT),
        ) == found

    def test_null_is_its_own_candidate(self):
        """A null has no pseudonym."""
        assert (None,) == POLICY.bind(KEYS)["email"].candidates(None)

    def test_random_rules_have_none(self):
        """A rule that gives another pseudonym each time has no candidates."""
        field = Policy("p", fields={"ip": IPAddress(mode="random")}).bind(KEYS)["ip"]
        with pytest.raises(PolicyError, match="IPAddress gives another pseudonym each time"):
            field.candidates("192.0.2.1")

    def test_fails_as_apply_does(self):
        """Candidates of a value that does not fit are an error about the field."""
        with pytest.raises(DomainError) as caught:
            POLICY.bind(KEYS)["email"].candidates(1.5)

        assert "email" == caught.value.field


class TestSharing:
    def test_threads_get_what_one_thread_gets(self):
        """Eight threads on one object agree with a single one."""
        patients: Pseudonymizer = POLICY.bind(KEYS)
        records = [{**RECORD, "mrn": f"{n:07d}"} for n in range(50)]
        expected = [POLICY.bind(KEYS).pseudonymize(record) for record in records]
        results: list[list[object]] = []

        def work():
            results.append([patients.pseudonymize(record) for record in records])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [expected] * 8 == results

    def test_survives_fork(self, patients):
        """A forked child gives what its parent gives."""
        expected = patients.pseudonymize(RECORD)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - runs in the child, which reports by its exit
            try:
                os.write(write, b"y" if expected == patients.pseudonymize(RECORD) else b"n")
            finally:
                os._exit(0)
        os.waitpid(child, 0)

        assert b"y" == os.read(read, 1)


class TestKeyField:
    """Records that carry the id of the key that protected them."""

    POLICY = Policy(
        "patients", version=1, fields={"mrn": FormatPreserving("digits"), "ward": Keep()}
    )

    def test_records_carry_the_key(self):
        """The id of the primary stands last, under the name of the companion."""
        patients = self.POLICY.bind(StaticKeys(Key("k1", KEY_BYTES)), key_field="key")
        row = patients.pseudonymize({"mrn": "0042137", "ward": None})

        assert ["mrn", "ward", "key"] == list(row)
        assert "k1" == row["key"]
        assert "key" == patients.key_field

    def test_it_survives_pickling(self, monkeypatch):
        """A pseudonymizer and a field are unpickled with the companion."""
        monkeypatch.setenv("PRIVKIT_KEYS", Key("k1", KEY_BYTES).to_text())
        patients = self.POLICY.bind(EnvironmentKeys(), key_field="key")
        copied = pickle.loads(pickle.dumps(patients))
        field = pickle.loads(pickle.dumps(patients["mrn"]))

        assert "k1" == copied.pseudonymize({"mrn": "0042137"})["key"]
        assert patients["mrn"].apply("0042137") == field.apply("0042137")

    @pytest.mark.parametrize("key_field", ["", "\n", 1, b"key"])
    def test_it_is_the_name_of_a_field(self, key_field):
        """What cannot be the name of a field is refused when a policy is bound."""
        with pytest.raises(PolicyError, match="key_field is the name of a field"):
            self.POLICY.bind(StaticKeys(Key("k1", KEY_BYTES)), key_field=key_field)

    def test_the_policy_does_not_rule_it(self):
        """A field with a rule is not the companion as well."""
        with pytest.raises(PolicyError, match="rules 'mrn', so it cannot be the key_field"):
            self.POLICY.bind(StaticKeys(Key("k1", KEY_BYTES)), key_field="mrn")

    @pytest.mark.parametrize(
        ("path", "rule"), [("key.a", Keep()), ("key[*]", Token()), ("*", Encrypt())]
    )
    def test_nor_what_stands_below_it(self, path, rule):
        """A field in which rules apply, or that a rule for all others may reveal, is refused."""
        policy = Policy("p", fields={"mrn": Token(), path: rule})
        with pytest.raises(PolicyError, match="rules 'key', so it cannot be the key_field"):
            policy.bind(StaticKeys(Key("k1", KEY_BYTES)), key_field="key")

    def test_a_rule_for_all_others_may_let_it_be(self):
        """Where other fields are kept, the companion stands beside them."""
        policy = Policy("p", fields={"mrn": FormatPreserving("digits"), "*": Keep()})
        row = policy.bind(StaticKeys(Key("k1", KEY_BYTES)), key_field="key").pseudonymize(
            {"mrn": "0042137", "ward": "B2"}
        )

        assert ("B2", "k1") == (row["ward"], row["key"])

    def test_the_key_in_use_can_be_asked_for(self):
        """A pseudonymizer names its primary, and without a provider there is none."""
        assert "k1" == self.POLICY.bind(StaticKeys(Key("k1", KEY_BYTES))).key_id
        assert Policy("p", fields={"ward": Keep()}).bind().key_id is None

    def test_it_needs_a_keyed_rule(self):
        """A policy without keys has no key to name."""
        with pytest.raises(PolicyError, match="has no keyed fields, so it needs no key_field"):
            Policy("p", fields={"ward": Keep()}).bind(key_field="key")

    def test_a_record_has_no_such_field(self):
        """A field of the record is never overwritten by the companion."""
        patients = self.POLICY.bind(StaticKeys(Key("k1", KEY_BYTES)), key_field="key")
        with pytest.raises(PolicyError, match="has a field 'key' of its own"):
            patients.pseudonymize({"mrn": "0042137", "key": TEXT})


class TestShortWay:
    """Pseudonyms under every live key, also for values that take the short way."""

    KEYS = StaticKeys(Key("k2", KEY_BYTES), older=[Key("k1", OTHER_KEY_BYTES)])

    def test_later_calls_take_the_short_way(self):
        """Text that is asked for again has the candidates it had at first."""
        field = Policy("p", fields={"email": Token()}).bind(self.KEYS)["email"]
        first = field.candidates(EMAIL)

        assert first == field.candidates(EMAIL)
        assert first[0] == field.apply(EMAIL)
        assert (None,) == field.candidates(None)

    @pytest.mark.parametrize("keys", [KEYS, CachedKeys(KEYS, ttl=60)])
    def test_rules_that_depend_on_a_field(self, keys):
        """A date that is shifted by subject has its candidates under each key."""
        policy = Policy("p", fields={"mrn": Token(), "seen": ShiftDate(by="mrn", max_days=30)})
        field = policy.bind(keys)["seen"]
        found = field.candidates(date(2024, 5, 17), by="7")

        assert found == field.candidates(date(2024, 5, 17), by="7")
        assert found[0] == field.apply(date(2024, 5, 17), by="7")
        assert 2 == len(found)
