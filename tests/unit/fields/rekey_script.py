"""
A re-keying as a process of its own, to be killed.

::

    python rekey_script.py make FOLDER [--url URL] [--rows 100]
    python rekey_script.py rekey FOLDER [--url URL] [--batch 5]
    python rekey_script.py check FOLDER [--url URL] [--rows 100]
    python rekey_script.py destroy FOLDER

``make`` fills a table under an old key, promotes another one, and learns the tokens. ``rekey``
prints how many rows were visited after each batch, and at its end the report. ``check`` prints how
many rows are under the old key and under the new one, and fails if one is under neither whole.
``destroy`` fails while the old key is needed. The folder holds everything else: the sealed keys,
the map, the audit file, and the database if no URL is given.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import sqlalchemy as sa

from privkit import (
    AllowList,
    Encrypt,
    FormatPreserving,
    JSONLinesAudit,
    Keep,
    Key,
    Keyset,
    Policy,
    ShiftDate,
    StaticKeys,
    Token,
)
from privkit.fields import Rekey, TokenMap
from privkit.fields.rekey_table import rekey_table
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES

OLD, NEW = Key("k1", OTHER_KEY_BYTES), Key("k2", KEY_BYTES)
SEAL = KeysSeal(StaticKeys(Key("seal", THIRD_KEY_BYTES)))
NAME = "privkit_key"
POLICY = Policy(
    "patients",
    fields={
        "mrn": FormatPreserving("digits"),
        "email": Token(normalize="email"),
        "chart": Encrypt(),
        "seen": ShiftDate(by="mrn"),
        "ward": Keep(),
    },
)
TABLE = sa.Table(
    "patient",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(field, sa.Text) for field in POLICY.fields),
    sa.Column(NAME, sa.String(32)),
)


def say(*words):
    """
    Write a line that whoever waits for it sees at once.
    """
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def person(number):
    """
    Return a made-up person.
    """
    return {
        "mrn": f"{49_293_184 + number}",
        "email": f"quill{number}@feather.example",
        "chart": f"xanthippe number {number}",
        "seen": f"1907-03-{1 + number % 28:02d}",
        "ward": "B2",
    }


def rows_under(key, count):
    """
    Return all rows under one key.
    """
    bound = POLICY.bind(StaticKeys(key))
    return [
        {"id": number, **bound.pseudonymize(person(number)), NAME: key.id}
        for number in range(count)
    ]


def keys_of(folder):
    """
    Return the keys in a folder.
    """
    return KeysetFile(folder / "clinic.pk", SEAL)


def map_of(folder):
    """
    Return the map in a folder.
    """
    return TokenMap(POLICY, keys_of(folder), "email", file=folder / "emails.map")


def make(folder, engine, count):
    """
    Fill a table under the old key, promote the new one, and learn the tokens.
    """
    TABLE.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(TABLE), rows_under(OLD, count))
    keys = keys_of(folder)
    keys.create(reason="a test", adopt=Keyset(OLD))
    keys.prepare(NEW, reason="a test")
    keys.stage(NEW.id, reason="a test")
    keys.promote(NEW.id, reason="a test")
    keys.retire(OLD.id, reason="a test")
    with map_of(folder) as emails:
        emails.learn(person(number)["email"] for number in range(count))


def rekey(folder, engine, batch):
    """
    Bring the table under the new key, and return the report.
    """
    with map_of(folder) as emails:
        job = Rekey(
            POLICY,
            keys_of(folder),
            access=AllowList({"ops": ["rotation"]}),
            audit=JSONLinesAudit(folder / "audit.jsonl"),
            actor="ops",
            purpose="rotation",
            key_field=NAME,
            translations={"email": emails},
            dataset="patients",
        )
        return rekey_table(engine, TABLE, job, batch=batch, progress=lambda rows, _: say(rows))


def check(engine, count):
    """
    Return how many rows are under the old key, and how many under the new one.
    """
    with engine.connect() as connection:
        query = sa.select(TABLE).order_by(TABLE.c.id)
        found = [dict(row) for row in connection.execute(query).mappings()]
    old, new = rows_under(OLD, count), rows_under(NEW, count)
    under = [
        "old" if row == old[n] else "new" if row == new[n] else "neither"
        for n, row in enumerate(found)
    ]
    if len(under) != count or "neither" in under:
        sys.exit(f"{len(under)} rows, {under.count('neither')} of them under neither key")
    return under.count("old"), under.count("new")


def main():
    """
    Do what the arguments say.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=["make", "rekey", "check", "destroy"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--batch", type=int, default=5)
    given = parser.parse_args()
    engine = sa.create_engine(given.url or f"sqlite:///{given.folder / 'clinic.db'}")
    if given.act == "make":
        make(given.folder, engine, given.rows)
    elif given.act == "rekey":
        say(json.dumps(dataclasses.asdict(rekey(given.folder, engine, given.batch))))
    elif given.act == "check":
        say(*check(engine, given.rows))
    else:
        keys_of(given.folder).destroy(OLD.id, reason="a test")
    engine.dispose()


if __name__ == "__main__":
    main()
