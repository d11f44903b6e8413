"""
What the public names say to a type checker. mypy reads this file; nothing runs it.
"""

from collections.abc import Iterator
from typing import assert_type

from privkit import (
    AllowList,
    Authority,
    BoundField,
    Bucket,
    Drop,
    Encrypt,
    EnvironmentKeys,
    FileKeys,
    FormatPreserving,
    IPAddress,
    JSONLinesAudit,
    Keep,
    Key,
    Keyset,
    Mask,
    MemoryAudit,
    Policy,
    Pseudonymizer,
    Redact,
    ShiftDate,
    StaticKeys,
    Token,
    Truncate,
)
from privkit.audit import AuditSink
from privkit.authority import Access
from privkit.keys import KeyProvider
from privkit.typing import KeyedTransform, Protector, ReversibleTransform, Transform

as_they_stand: list[Protector] = [
    Bucket(width=10),
    Drop(),
    Keep(),
    Mask(keep_last=4),
    Redact(),
    Truncate(3),
]
keyed: list[KeyedTransform] = [Token()]
reversible: list[ReversibleTransform] = [
    Encrypt(),
    FormatPreserving("digits"),
    IPAddress(mode="prefix"),
    ShiftDate(by="id", max_days=30),
]
rules: dict[str, Transform] = {"email": Token(), "zip": Truncate(3), "ward": Keep()}
providers: list[KeyProvider] = [
    EnvironmentKeys(),
    FileKeys("some.keys"),
    StaticKeys(Key.generate()),
]
sinks: list[AuditSink] = [MemoryAudit(), JSONLinesAudit("audit.jsonl")]
access: Access = AllowList({"dr.lee": ["treatment"]})

policy = Policy("patients", version=1, fields=rules)
patients = policy.bind(providers[0])
authority = policy.authority(providers[0], access=access, audit=sinks[0])

assert_type(patients, Pseudonymizer)
assert_type(patients["email"], BoundField)
assert_type(patients["email"].apply("ana@example.org"), object)
assert_type(patients.pseudonymize({"zip": "94110"}), dict[str, object])
assert_type(patients.pseudonymize_all([{"zip": "94110"}]), Iterator[dict[str, object]])
assert_type(authority, Authority)
assert_type(authority.reidentify({}, actor="dr.lee", purpose="treatment"), dict[str, object])
assert_type(Keyset(Key.generate()).primary, Key)
