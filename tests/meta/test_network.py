"""
privkit does not touch the network.
"""

from tests.meta.fresh import run

WATCHED = """
import sys

seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("socket.") else None)
"""

WHOLE_WAY = """
import json, os, tempfile
from privkit import (
    AllowList, Bucket, Drop, Encrypt, FormatPreserving, Keep, Key, Mask, MemoryAudit, Policy,
    Redact, ShiftDate, StaticKeys, Token, Truncate,
)

policy = Policy("people", version=1, fields={
    "id": FormatPreserving("digits"),
    "email": Token(normalize="email"),
    "note": Encrypt(),
    "age": Bucket(width=10),
    "zip": Truncate(3),
    "born": ShiftDate(by="id", max_days=100),
    "card": Mask(keep_last=4),
    "name": Redact(),
    "fax": Drop(),
    "ward": Keep(),
})
keys = StaticKeys(Key.generate())
row = policy.bind(keys).pseudonymize({
    "id": "0042137", "email": "ana@example.org", "note": {"a": [1]}, "age": 43, "zip": "94110",
    "born": "1982-02-03", "card": "4111111111111111", "name": "Ana", "fax": "1", "ward": "B",
})
authority = policy.authority(keys, access=AllowList({"dr.lee": ["care"]}), audit=MemoryAudit())
back = authority.reidentify(row, actor="dr.lee", purpose="care")
assert back["id"] == "0042137" and back["note"] == {"a": [1]} and back["born"] == "1982-02-03"
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "policy.json")
    with open(path, "w") as file:
        json.dump({"name": "p", "version": 1, "fields": {"a": "keep"}}, file)
    Policy.load(path).explain()
"""


def test_nothing_opens_a_socket():
    """
    Import, protecting, revealing and loading a policy raise no audit event of a socket.
    """
    assert "[]\n" == run(f"{WATCHED}{WHOLE_WAY}\nprint(seen)").stdout


def test_the_watch_sees_a_socket():
    """
    The audit hook of this test notices even a socket that is never connected.
    """
    assert "[]\n" != run(f"{WATCHED}\nimport socket; socket.socket().close()\nprint(seen)").stdout
