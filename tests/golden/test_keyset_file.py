"""
Keyset files that were sealed once, and open for ever.

Both tell the same lives: one key in each state, a dataset, and a second keyset.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from privkit.keys import Key, StaticKeys
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal, Passphrase
from privkit.keys.states import KeyState
from tests.golden import keyset_reader
from tests.needs import REPOSITORY

FOLDER = REPOSITORY / "tests" / "golden"
DIGESTS = {
    "clinic.pk": "ff1029fd5930b9198705d13594e63df28088acac2da795b8dcbda198f0741ed2",
    "ward.pk": "df2ad764c55bce8c88550bf89ca7540ee19495581d4783a69684478720042aa6",
}
MOMENT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def material(key_id):
    """
    The bytes of each key.
    """
    return hashlib.sha256(f"privkit golden key {key_id}".encode()).digest()


SECRETS = {
    "clinic.pk": "correct-horse-battery-marmalade",
    "ward.pk": material("wrapping").hex(),
}
SEALS = {
    "clinic.pk": Passphrase(lambda: SECRETS["clinic.pk"]),
    "ward.pk": KeysSeal(StaticKeys(Key("wrapping", material("wrapping")))),
}
FILES = pytest.mark.parametrize("name", DIGESTS)


@pytest.fixture
def file(name, tmp_path):
    """
    A copy that only the user can read.
    """
    tmp_path.chmod(0o700)
    path = tmp_path / name
    shutil.copyfile(FOLDER / name, path)
    path.chmod(0o600)
    return KeysetFile(path, SEALS[name])


@FILES
def test_the_file_is_frozen(name):
    """
    The files are those that were released. Add others beside them.
    """
    assert DIGESTS[name] == hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


@FILES
def test_every_life_is_read(file):
    """
    States, periods, times, reasons and datasets are what was sealed.
    """
    managed = file.status()
    told = {entry.key_id: (entry.state, entry.until, entry.since) for entry in managed.keys}
    year = timedelta(days=730)

    assert ("default", "billing") == file.names()
    assert {
        "2025-01": (KeyState.DEACTIVATED, MOMENT + year, MOMENT),
        "2026-01": (KeyState.SUSPENDED, MOMENT + year, MOMENT + 2 * DAY),
        "spare": (KeyState.PRE_ACTIVE, None, MOMENT + DAY),
        "2026-11": (KeyState.ACTIVE, MOMENT + DAY + timedelta(days=365), MOMENT + 2 * DAY),
        "lost": (KeyState.COMPROMISED, None, MOMENT + 2 * DAY),
        "old": (KeyState.DESTROYED, MOMENT + 2 * DAY + year, MOMENT + 3 * DAY),
    } == told
    assert "für das Jahr" == managed.get("2026-11").history[1].reason
    assert {"visits.csv": ("2025-01", "2026-01")} == managed.datasets
    assert MOMENT + 3 * DAY == managed.high_water


@FILES
def test_every_key_is_served(file):
    """
    The keys come out with their bytes, each as far as its state allows.
    """
    keyset = file.status().keyset(MOMENT + 3 * DAY)

    assert Key("2026-11", material("2026-11")) == keyset.primary
    assert tuple(Key(name, material(name)) for name in ("2026-01", "2025-01")) == keyset.older
    assert (Key("lost", material("lost")),) == keyset.compromised
    assert ("old",) == keyset.destroyed
    assert Key("b1", material("b1")) == file.keyset("billing").primary


@FILES
def test_it_can_be_changed(file):
    """
    An operation on the file keeps everything else in it.
    """
    before = file.status()
    file.record("other.csv", ["2026-11"])

    assert before.keys == file.status().keys
    assert {**before.datasets, "other.csv": ("2026-11",)} == file.status().datasets


@FILES
def test_another_reader_agrees(name, file, tmp_path):
    """
    A program that shares no line with privkit reads these files, and files that are made today.
    """
    fresh = tmp_path / "fresh.pk"
    made = KeysetFile(fresh, Passphrase(lambda: SECRETS["clinic.pk"], cost=2**14))
    made.create(reason="ü", adopt=file.keyset("billing"), period=None)
    [today] = keyset_reader.read(fresh.read_text(), SECRETS["clinic.pk"]).values()
    done = subprocess.run(
        [sys.executable, "-I", FOLDER / "keyset_reader.py", FOLDER / name],
        input=SECRETS[name],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)

    assert ["default", "billing"] == list(found)
    assert [entry.key_id for entry in file.status().keys] == [
        entry["id"] for entry in found["default"]["keys"]
    ]
    for entry in [*found["default"]["keys"], *found["billing"]["keys"], *today["keys"]]:
        assert (entry["key"] is None) == (entry["id"] == "old")
        assert entry["key"] is None or material(entry["id"]).hex() == entry["key"].split("_")[2]
    assert "ü" == today["keys"][0]["history"][0]["reason"]


def test_the_other_reader_is_independent():
    """
    It imports nothing of privkit, and can be read at one sitting.
    """
    text = (FOLDER / "keyset_reader.py").read_text()

    assert "import privkit" not in text
    assert "from privkit" not in text
    assert len(text.splitlines()) <= 60
