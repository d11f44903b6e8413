"""Keys that are rotated while they are in use."""

import json
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import pytest

from privkit import AllowList, Key, MemoryAudit
from privkit.keys import Keyset
from privkit.keys.keyset_file import KeysetFile
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES
from tests.unit.keys import rotating

KEYS = [Key("k1", KEY_BYTES), Key("k2", OTHER_KEY_BYTES), Key("k3", THIRD_KEY_BYTES)]
PROCESSES = 2


@pytest.mark.parametrize(
    "rotations", [40, pytest.param(1000, marks=pytest.mark.nightly, id="nightly")]
)
def test_nothing_fails_while_keys_rotate(rotations, tmp_path, monkeypatch):
    """
    Two processes of eight threads protect while a third rotates: all pass, and all come back.
    """
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PRIVKIT_WRAP", Key.generate("w1").to_text())
    stop, path = tmp_path / "stop", tmp_path / "clinic.pk"
    file = KeysetFile(path, rotating.SEAL)
    file.create(reason="start", adopt=Keyset(KEYS[0]))
    for key in KEYS[1:]:
        file.stage(file.prepare(key, reason="next"), reason="next")
    outs = [tmp_path / f"out{number}" for number in range(PROCESSES)]
    workers = [
        subprocess.Popen([sys.executable, Path(rotating.__file__), path, stop, out]) for out in outs
    ]
    try:
        turns = cycle(["k2", "k3", "k1"])
        for key_id in islice(turns, rotations):
            file.promote(key_id, reason="turn")
        # The last key is met by workers that began late, too.
        time.sleep(2)
    finally:
        stop.touch()
        codes = [worker.wait(60) for worker in workers]
    told = [json.loads(out.read_text("utf-8")) for out in outs]
    rows = [row for each in told for row in each["rows"]]
    authority = rotating.POLICY.authority(
        file, access=AllowList({"dr.lee": ["test"]}), audit=MemoryAudit(), key_field="key"
    )
    revealed = authority.reidentify_all((row for _, row in rows), actor="dr.lee", purpose="test")
    expected = [rotating.record(number) for number, _ in rows]
    seen = {row["key"] for _, row in rows}

    assert [0] * PROCESSES == codes
    assert [[]] * PROCESSES == [each["failures"] for each in told]
    assert {file.status().primary_id} < seen
    assert [{"mrn": each["mrn"], "chart": each["chart"]} for each in expected] == list(revealed)
