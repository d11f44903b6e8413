"""The way back: who may, written down first, then revealed."""

import copy
import json
import pickle
import traceback

import pytest

from privkit import (
    AllowList,
    Authority,
    Encrypt,
    FormatPreserving,
    Keep,
    Key,
    Keyset,
    MemoryAudit,
    Policy,
    Redact,
    ShiftDate,
    StaticKeys,
    Token,
)
from privkit.errors import (
    AccessDeniedError,
    AuditError,
    DomainError,
    IrreversibleError,
    KeyNotFoundError,
    PolicyError,
    PrivkitError,
    TamperedError,
)
from tests.canaries import DIGITS, EMAIL, KEY_BYTES, OTHER_KEY_BYTES, TEXT

POLICY = Policy(
    "patients",
    version=3,
    fields={
        "mrn": FormatPreserving("digits"),
        "email": Token(),
        "visit": ShiftDate(by="mrn"),
        "seen": ShiftDate(by="ward"),
        "told": ShiftDate(by="email"),
        "chart": Encrypt(),
        "ward": Keep(),
        "name": Redact(),
        "visits[*].doctor": Encrypt(),
        "visits[*].code": Token(),
    },
)
NEW, OLD = Key("k2", KEY_BYTES), Key("k1", OTHER_KEY_BYTES)
KEYS = StaticKeys(primary=NEW)
ROTATED = StaticKeys(primary=NEW, older=[OLD])
RECORD = {
    "mrn": "0042137",
    "email": EMAIL,
    "visit": "2024-05-06",
    "seen": "2024-05-06T10:00:00Z",
    "told": "2024-05-06",
    "chart": {"blood": "A+"},
    "ward": "B2",
    "name": TEXT,
    "visits": [{"doctor": "Lee", "code": "I10"}, {"code": "I10"}],
}
ASKED = {"actor": "dr.lee", "purpose": "treatment"}


class Failing:
    """An access rule or a sink that fails with an error of its own, or a returned one."""

    def __init__(self, outcome):
        self.outcome = outcome

    def _act(self):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def allows(self, *, actor, purpose, fields):
        return self._act()

    def write(self, event, /):
        self._act()


@pytest.fixture
def audit():
    """A sink in memory."""
    return MemoryAudit()


@pytest.fixture
def authority(audit):
    """An authority that lets one person in, for one purpose."""
    return POLICY.authority(KEYS, access=AllowList({"dr.lee": ["treatment"]}), audit=audit)


@pytest.fixture
def row():
    """The protected record."""
    return POLICY.bind(KEYS).pseudonymize(RECORD)


class TestReidentify:
    def test_reveals_what_reverses_and_nothing_else(self, authority, row):
        """By default all reversible fields come back, nested ones in their place."""
        before = copy.deepcopy(row)

        assert {
            "mrn": "0042137",
            "visit": "2024-05-06",
            "seen": "2024-05-06T10:00:00Z",
            "chart": {"blood": "A+"},
            "visits": [{"doctor": "Lee"}, {}],
        } == authority.reidentify(row, **ASKED)
        assert before == row

    def test_reveals_the_fields_asked_for(self, authority, row):
        """Named fields come back alone; what they depend on is not revealed with them."""
        assert {"visit": "2024-05-06"} == authority.reidentify(row, fields=["visit"], **ASKED)
        assert {"visits": [{"doctor": "Lee"}, {}]} == authority.reidentify(
            row, fields=["visits[*].doctor"], **ASKED
        )

    def test_fields_may_be_an_iterator(self, authority, audit, row):
        """Fields that can be read once are written down and revealed alike."""
        fields = (field for field in ["mrn"])

        assert {"mrn": "0042137"} == authority.reidentify(row, fields=fields, **ASKED)
        assert ("mrn",) == audit.events[0].fields

    def test_part_of_a_record_is_enough(self, authority, row):
        """A record may lack fields, hold nulls and hold fields the policy does not know."""
        part = {"mrn": row["mrn"], "chart": None, "phone": DIGITS, "visits": None}

        assert {"mrn": "0042137", "chart": None} == authority.reidentify(part, **ASKED)
        assert {} == authority.reidentify({"ward": "B2", "visits": [{"code": "x"}]}, **ASKED)

    def test_lists_keep_their_length(self, audit):
        """Items in which nothing is revealed still count, so that positions tell items apart."""
        policy = Policy(
            "lists",
            fields={"v[*]": Encrypt(), "v[*].code": Token(), "w[*].a": Encrypt(), "w[*].b": Keep()},
        )
        row = policy.bind(KEYS).pseudonymize(
            {"v": [None, {"code": "x"}], "w": [{"b": 1}, {"a": 2, "b": 3}]}
        )
        authority = policy.authority(KEYS, access=AllowList({"dr.lee": ["treatment"]}), audit=audit)

        assert {"v": [None, {}], "w": [{}, {"a": 2}]} == authority.reidentify(row, **ASKED)
        assert {"w": [{}, {"a": 2}]} == authority.reidentify(row, fields=["w[*].a"], **ASKED)

    def test_streams_are_one_request(self, authority, audit, row):
        """Many records are decided and written once, before the first is read."""
        stream = authority.reidentify_all([row, {"mrn": row["mrn"]}], fields=["mrn"], **ASKED)

        assert 1 == len(audit.events)
        assert audit.events[0].records is None
        assert [{"mrn": "0042137"}] * 2 == list(stream)
        assert 1 == len(audit.events)

    def test_stream_tells_the_row_of_a_failure(self, authority, row):
        """A record that cannot be revealed is told by its row and field."""
        stream = authority.reidentify_all([row, {"mrn": "1"}], fields=["mrn"], **ASKED)
        next(stream)
        with pytest.raises(DomainError) as caught:
            next(stream)

        assert (2, "mrn") == (caught.value.row, caught.value.field)

    def test_streams_leave_no_record_in_a_frame(self, authority, row):
        """Where a stream fails, no frame of the library holds the record before or its values."""

        def records():
            yield row
            raise OSError("the disk is gone")

        for stream in (
            authority.reidentify_all(records(), **ASKED),
            authority.reidentify_all([row, {"chart": f"enc1.k2.{TEXT}"}], **ASKED),
            POLICY.bind(KEYS).pseudonymize_all([{"mrn": DIGITS, "ward": TEXT}, {"mrn": TEXT}]),
        ):
            with pytest.raises((OSError, PrivkitError)) as caught:
                list(stream)
            shown = "".join(
                traceback.TracebackException.from_exception(
                    caught.value, capture_locals=True
                ).format()
            )
            library = shown.partition("src/privkit")[2]

            assert "0042137" not in library
            assert TEXT not in library
            assert DIGITS not in library

    def test_foreign_shape_is_an_error(self, authority):
        """What is not a record is refused without being shown."""
        with pytest.raises(PolicyError, match="a record is a mapping, got str"):
            authority.reidentify(TEXT, **ASKED)


class TestDecision:
    def test_event_precedes_the_values(self, authority, audit, row):
        """A granted request is written with who, why, what and under which policy."""
        authority.reidentify(row, fields=["mrn"], **ASKED)
        event = audit.events[0]

        assert ("dr.lee", "treatment", "granted", ("mrn",), 1) == (
            event.actor,
            event.purpose,
            event.outcome,
            event.fields,
            event.records,
        )
        assert ("patients", 3, POLICY.fingerprint) == (
            event.policy,
            event.version,
            event.fingerprint,
        )
        assert event.time.endswith("+00:00")

    @pytest.mark.parametrize(
        "asked",
        [
            {"actor": "dr.lee", "purpose": "research"},
            {"actor": "dr.who", "purpose": "treatment"},
            {"actor": "treatment", "purpose": "dr.lee"},
        ],
    )
    def test_denial_is_written_too(self, authority, audit, row, asked):
        """A request that is not listed is denied, and the denial is written."""
        with pytest.raises(AccessDeniedError):
            authority.reidentify(row, **asked)
        with pytest.raises(AccessDeniedError):
            authority.reidentify_all([row], **asked)

        assert ["denied", "denied"] == [event.outcome for event in audit.events]

    @pytest.mark.parametrize("outcome", [RuntimeError(TEXT), None, 1, "yes"])
    def test_rules_that_do_not_say_true_deny(self, audit, row, outcome):
        """Only a plain True grants; an error in the rules denies."""
        authority = POLICY.authority(KEYS, access=Failing(outcome), audit=audit)
        with pytest.raises(AccessDeniedError):
            authority.reidentify(row, **ASKED)

        assert ["denied"] == [event.outcome for event in audit.events]

    @pytest.mark.parametrize("error", [OSError(TEXT), AuditError("the disk is full")])
    def test_nothing_is_revealed_unwritten(self, row, error):
        """A sink that fails refuses the request, granted or not."""
        for access in (AllowList({"dr.lee": ["treatment"]}), AllowList({})):
            authority = POLICY.authority(KEYS, access=access, audit=Failing(error))
            with pytest.raises(AuditError) as caught:
                authority.reidentify(row, **ASKED)

            assert TEXT not in str(caught.value)
            assert caught.value.__context__ is None

    def test_sink_that_answers_has_not_written(self, row):
        """A sink whose write is a coroutine, or returns anything, refuses the request."""

        class Later:
            async def write(self, event, /):
                raise AssertionError

        class Talking:
            def write(self, event, /):
                return "later"

        for sink, kind in ((Later(), "coroutine"), (Talking(), "str")):
            authority = POLICY.authority(
                KEYS, access=AllowList({"dr.lee": ["treatment"]}), audit=sink
            )
            with pytest.raises(AuditError, match=f"the sink returned {kind}"):
                authority.reidentify(row, **ASKED)

    @pytest.mark.parametrize("asked", [{"actor": "", "purpose": "x"}, {"actor": "a", "purpose": 1}])
    def test_request_names_actor_and_purpose(self, authority, audit, row, asked):
        """A request without a name or a purpose is refused."""
        with pytest.raises(PolicyError, match="a request names its"):
            authority.reidentify(row, **asked)

        assert () == audit.events

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (["emial"], "did you mean 'email'"),
            ("mrn", "fields are a list of policy paths, got one text"),
        ],
    )
    def test_unknown_fields_are_refused(self, authority, row, fields, message):
        """A field that is not in the policy is an error with a suggestion."""
        with pytest.raises(PolicyError, match=message):
            authority.reidentify(row, fields=fields, **ASKED)

    @pytest.mark.parametrize(
        ("field", "message"),
        [
            ("email", "field 'email' cannot be revealed: Token on 'email' does not reverse"),
            ("told", "field 'told' cannot be revealed: Token on 'email' does not reverse"),
            ("ward", "field 'ward' cannot be revealed: Keep on 'ward' does not reverse"),
        ],
    )
    def test_one_way_fields_are_refused_by_name(self, authority, row, field, message):
        """A one-way field, or one that depends on such a field, is refused when named."""
        with pytest.raises(IrreversibleError) as caught:
            authority.reidentify(row, fields=[field], **ASKED)

        assert message == str(caught.value)


class TestKeys:
    @pytest.fixture
    def rotated(self, audit):
        """An authority with two live keys."""
        return POLICY.authority(ROTATED, access=AllowList({"dr.lee": ["treatment"]}), audit=audit)

    def test_encrypted_values_carry_their_key(self, rotated, row):
        """A value under an older key is found by the id it carries."""
        old = POLICY.bind(StaticKeys(primary=OLD)).pseudonymize({"chart": [1]})

        assert {"chart": [1]} == rotated.reidentify(old, **ASKED)
        assert {"chart": {"blood": "A+"}} == rotated.reidentify({"chart": row["chart"]}, **ASKED)

    def test_other_pseudonyms_need_to_be_told(self, rotated, row):
        """With several live keys, format-preserving output needs its key named."""
        old = POLICY.bind(StaticKeys(primary=OLD)).pseudonymize({"mrn": "0042137"})
        with pytest.raises(PolicyError, match="the keyset has 2 live ones: pass key_id="):
            rotated.reidentify({"mrn": row["mrn"]}, **ASKED)

        assert {"mrn": "0042137"} == rotated.reidentify({"mrn": row["mrn"]}, key_id="k2", **ASKED)
        assert {"mrn": "0042137"} == rotated.reidentify(old, key_id="k1", **ASKED)

    def test_a_companion_tells(self, audit):
        """With key_field, a record tells its key itself, unless the caller does."""
        authority = POLICY.authority(
            ROTATED,
            access=AllowList({"dr.lee": ["treatment"]}),
            audit=audit,
            key_field="key",
        )
        rows = [
            POLICY.bind(StaticKeys(primary=key), key_field="key").pseudonymize({"mrn": "0042137"})
            for key in (NEW, OLD)
        ]
        asked = {"mrn": rows[1]["mrn"], "key": "k2"}
        with pytest.raises(PolicyError, match="pass key_id="):
            authority.reidentify({"mrn": rows[1]["mrn"], "key": None}, **ASKED)
        with pytest.raises(KeyNotFoundError, match="no key of that id"):
            authority.reidentify({"mrn": rows[1]["mrn"], "key": TEXT}, **ASKED)

        assert [{"mrn": "0042137"}] * 2 == list(authority.reidentify_all(rows, **ASKED))
        assert {"mrn": "0042137"} == authority.reidentify(asked, key_id="k1", **ASKED)

    def test_compromised_keys_need_a_reason(self, audit):
        """A compromised key resolves for a reason, which stands in the audit event."""
        row = POLICY.bind(StaticKeys(primary=OLD)).pseudonymize({"chart": [1], "mrn": "0042137"})
        keys = StaticKeys.of(Keyset(NEW, compromised=[OLD]))
        authority = POLICY.authority(keys, access=AllowList({"dr.lee": ["treatment"]}), audit=audit)
        with pytest.raises(KeyNotFoundError, match="compromised, so it resolves for a stated"):
            authority.reidentify({"chart": row["chart"]}, **ASKED)
        with pytest.raises(PolicyError, match="names its reason to allow compromised keys in text"):
            authority.reidentify(row, allow_compromised=" ", **ASKED)
        told = {"allow_compromised": "rescue after the leak", "key_id": "k1", **ASKED}

        assert {"chart": [1], "mrn": "0042137"} == authority.reidentify(row, **told)
        assert [{"chart": [1]}] == list(authority.reidentify_all([{"chart": row["chart"]}], **told))
        reasons = [json.loads(event.to_json()).get("allow_compromised") for event in audit.events]
        assert [None, "rescue after the leak", "rescue after the leak"] == reasons

    def test_one_compromised_key_is_told_apart(self, audit):
        """A keyset with nothing but a compromised key resolves with a reason alone."""
        row = POLICY.bind(StaticKeys(primary=OLD)).pseudonymize({"mrn": "0042137"})
        keys = StaticKeys.of(Keyset(None, compromised=[OLD], obstacle="key k1 is compromised"))
        authority = POLICY.authority(keys, access=AllowList({"dr.lee": ["treatment"]}), audit=audit)
        with pytest.raises(PolicyError, match="has 0 live ones"):
            authority.reidentify(row, **ASKED)

        told = {"allow_compromised": "rescue after the leak", **ASKED}
        assert {"mrn": "0042137"} == authority.reidentify(row, **told)

    def test_absent_key_is_an_error(self, authority):
        """A pseudonym under a key that is not in the keyset is refused, never tried."""
        old = POLICY.bind(StaticKeys(primary=OLD)).pseudonymize({"chart": [1], "mrn": DIGITS})
        with pytest.raises(KeyNotFoundError):
            authority.reidentify({"chart": old["chart"]}, **ASKED)
        with pytest.raises(KeyNotFoundError):
            authority.reidentify({"mrn": old["mrn"]}, key_id="k1", **ASKED)

    def test_wrong_key_of_the_right_name_is_seen_by_encrypt(self, audit, row):
        """An encrypted value under another key of the same id is refused."""
        authority = POLICY.authority(
            StaticKeys(primary=Key("k2", OTHER_KEY_BYTES)),
            access=AllowList({"dr.lee": ["treatment"]}),
            audit=audit,
        )
        with pytest.raises(TamperedError) as caught:
            authority.reidentify({"chart": row["chart"]}, **ASKED)

        assert "chart" == caught.value.field

    def test_value_of_another_field_is_refused(self, authority, row):
        """An encrypted value copied to another field is refused."""
        with pytest.raises(TamperedError):
            authority.reidentify({"visits": [{"doctor": row["chart"]}]}, **ASKED)

    @pytest.mark.parametrize("mrn", [None, ...])
    def test_missing_subject_is_an_error(self, authority, row, mrn):
        """A date cannot be shifted back without its subject."""
        part = {"visit": row["visit"], "mrn": mrn}
        if mrn is ...:
            del part["mrn"]
        with pytest.raises(PolicyError, match="depends on 'mrn', which is missing or null"):
            authority.reidentify(part, fields=["visit"], **ASKED)


class TestObject:
    def test_cannot_be_pickled(self, authority):
        """An authority does not leave its process."""
        with pytest.raises(TypeError, match="an authority cannot be pickled"):
            pickle.dumps(authority)
        with pytest.raises(TypeError, match="an authority cannot be pickled"):
            copy.deepcopy(authority)

    def test_repr_shows_neither_names_nor_keys(self, authority):
        """An authority can be printed."""
        assert ("Authority(policy='patients' version 3, access=AllowList(actors=1))") == repr(
            authority
        )
        assert POLICY is authority.policy

    @pytest.mark.parametrize(
        ("parts", "message"),
        [
            ({"access": {}}, "access is decided by rules such as"),
            ({"audit": []}, "requests are written to a sink such as"),
        ],
    )
    def test_parts_are_checked_at_construction(self, audit, parts, message):
        """An authority without rules or without a sink is not made."""
        with pytest.raises(PolicyError, match=message) as caught:
            Authority(POLICY, KEY_BYTES, **{"access": AllowList({}), "audit": audit, **parts})
        traceback.TracebackException.from_exception(caught.value, capture_locals=True)

    @pytest.mark.parametrize(
        "purposes",
        [
            ["dr.lee"],
            {"dr.lee": "treatment"},
            {"dr.lee": 1},
            {"dr.lee": [["treatment"]]},
            {1: ["treatment"]},
        ],
    )
    def test_allow_list_of_another_shape_is_refused(self, purposes):
        """A bare text in place of a list of purposes would grant its letters."""
        with pytest.raises(PolicyError, match="an allow-list"):
            AllowList(purposes)

    def test_errors_leave_without_frames(self, authority, row):
        """A failed request shows no value in the locals of a traceback."""
        with pytest.raises(PrivkitError) as caught:
            authority.reidentify({"mrn": f"{DIGITS}x", "chart": TEXT}, **ASKED)
        shown = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )

        assert TEXT not in shown[shown.index("privkit/authority.py") :]
