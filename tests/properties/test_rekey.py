"""
No re-keying loses a value, whatever the policy, the records and the keys.
"""

import datetime as dt

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from privkit import (
    AllowList,
    Bucket,
    Encrypt,
    FormatPreserving,
    IPAddress,
    Keep,
    Key,
    MemoryAudit,
    Policy,
    ShiftDate,
    StaticKeys,
    Token,
)
from privkit.fields import Rekey, TokenMap
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES

NAME = "privkit_key"
RING = [Key("k1", OTHER_KEY_BYTES), Key("k2", THIRD_KEY_BYTES), Key("k3", KEY_BYTES)]
KEYS = StaticKeys(RING[2], older=RING[:2])
REQUEST = {"actor": "ops", "purpose": "rotation"}
ACCESS = AllowList({"ops": ["rotation"]})

DIGITS = st.text("0123456789", min_size=6, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
ADDRESSES = st.ip_addresses().map(str)
DATES = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))
LEAVES = st.none() | st.booleans() | st.integers() | TEXTS | DATES | st.binary(max_size=8)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
CHOICES = {
    "mrn": [(FormatPreserving("digits"), DIGITS), (Encrypt(), DIGITS), (Keep(), DIGITS)],
    "email": [(Token(), TEXTS), (Token(encoding="uuid", type="text"), TEXTS)],
    "chart": [(Encrypt(), DOCUMENTS), (Encrypt(scope="shared"), DOCUMENTS)],
    "born": [
        (ShiftDate(by="mrn"), DATES),
        (FormatPreserving("date", small_domain="a test"), DATES),
    ],
    "host": [(IPAddress(), ADDRESSES), (IPAddress(mode="random"), ADDRESSES)],
    "age": [(Bucket(width=10), st.integers(0, 120))],
    "visits[*].doctor": [(Encrypt(), TEXTS), (Token(scope="doctors"), TEXTS)],
    "visits[*].date": [(ShiftDate(by="mrn", max_days=30), DATES.map(str))],
}


@st.composite
def situations(draw):
    """
    Draw a policy, plaintext records, and the key that each record is under.
    """
    paths = {"mrn", *draw(st.sets(st.sampled_from(sorted(CHOICES)), min_size=1))}
    chosen = {path: draw(st.sampled_from(CHOICES[path])) for path in sorted(paths)}
    policy = Policy("p", fields={path: rule for path, (rule, _) in chosen.items()})
    flat = {path: values for path, (_, values) in chosen.items() if "[" not in path}
    nested = {path[10:]: values for path, (_, values) in chosen.items() if "[" in path}
    records = []
    for _ in range(draw(st.integers(1, 4))):
        record = {path: draw(values | st.none()) for path, values in flat.items()}
        record["mrn"] = draw(DIGITS)
        if nested:
            visit = st.fixed_dictionaries({}, optional=nested)
            record["visits"] = draw(st.lists(visit, max_size=3) | st.none())
        records.append(record)
    return policy, records, [draw(st.sampled_from(RING)) for _ in records]


def maps_of(policy, records):
    """
    Return maps that know all values of one-way fields.
    """
    maps = {}
    for path, rule in policy.fields.items():
        if isinstance(rule, Token):
            maps[path] = TokenMap(policy, KEYS, path)
            holders = [record for record in records if path in record]
            holders += [visit for record in records for visit in record.get("visits") or ()]
            maps[path].learn(holder.get(path.rpartition(".")[2]) for holder in holders)
    return maps


def reads(policy, record, key):
    """
    Return what an authority with one key alone reads in a record.
    """
    authority = policy.authority(StaticKeys(key), access=ACCESS, audit=MemoryAudit())
    return authority.reidentify(record, **REQUEST)


@settings(max_examples=60, deadline=None)
@given(situations(), st.data())
def test_every_value_is_there_afterwards(situation, data):
    """
    Each record reads the same under the primary alone, or stays as it was to the last character.

    One record may be spoiled before. Blind to a transform that reads and writes wrongly alike:
    the tests of the transforms are for that.
    """
    policy, records, keys = situation
    assume(any(rule.keyed for rule in policy.fields.values()))
    fresh = policy.bind(StaticKeys(RING[2]))
    stored = [
        {**policy.bind(StaticKeys(key)).pseudonymize(record), NAME: key.id}
        for record, key in zip(records, keys, strict=True)
    ]
    spoiled = data.draw(st.none() | st.integers(0, len(records) - 1))
    if spoiled is not None:
        stored[spoiled]["mrn"] = {"no": "value"}
    job = Rekey(
        policy,
        KEYS,
        access=ACCESS,
        audit=MemoryAudit(),
        key_field=NAME,
        translations=maps_of(policy, records),
        **REQUEST,
    )
    run = job.records(stored)
    made = list(run)
    # Where nothing depends on what was spoiled, the record comes under the primary like others.
    lost = spoiled if run.report.failed else None

    assert (len(stored), lost is not None, 0) == (
        len(made),
        run.report.failed == 1,
        run.report.quarantined,
    )
    for n, record in enumerate(made):
        if n == lost:
            assert stored[n] == record
        elif n != spoiled:
            expected = {**fresh.pseudonymize(records[n]), NAME: RING[2].id}
            assert {**expected, "host": None} == {**record, "host": None}
            assert reads(policy, stored[n], keys[n]) == reads(policy, record, RING[2])
    assert (lost is None) == job.prove(made).complete
    assert made == list(job.records(made))
