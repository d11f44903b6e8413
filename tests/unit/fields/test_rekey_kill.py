"""A re-keying that is killed, and two at once: nothing is lost, and the end is the same."""

import json
import os
import random
import runpy
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from privkit import StaticKeys
from privkit.errors import KeyProviderError
from tests.needs import REPOSITORY

SCRIPT = REPOSITORY / "tests" / "unit" / "fields" / "rekey_script.py"
SECONDS = 120
ROWS, BATCH = 60, 4


@pytest.fixture(scope="module")
def script():
    """The functions of the script."""
    return runpy.run_path(str(SCRIPT))


def start(act, folder, url, *options):
    """Start the script."""
    path = os.pathsep.join([str(REPOSITORY), *sys.path])
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), act, str(folder), "--url", url, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def finish(process):
    """Wait for a script to end well, and return its report."""
    out, err = process.communicate(timeout=SECONDS)

    assert 0 == process.returncode, err
    return json.loads(out.splitlines()[-1])


def kill(process, batches, delay):
    """Kill a script some batches and moments after it began, and tell whether it was in time."""
    for _ in range(batches):
        process.stdout.readline()
    time.sleep(delay)
    process.kill()
    process.communicate(timeout=SECONDS)
    return process.returncode < 0


def settle(engine):
    """Wait until the server has noticed that whoever was killed is gone."""
    others = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + SECONDS
    while engine.dialect.name == "postgresql" and time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.execute(others).scalar() == 0:
                return
        time.sleep(0.01)


def killed_and_resumed(script, folder, url, engine, chance, kills):
    """Kill a re-keying some times, let the last one end, and return how often that was in time."""
    script["make"](folder, engine, ROWS)
    keys = script["keys_of"](folder)
    in_time = 0
    for _ in range(kills):
        process = start("rekey", folder, url, "--batch", str(BATCH))
        in_time += kill(process, chance.randint(0, 2 * ROWS // BATCH), chance.random() / 50)
        settle(engine)
        old, new = script["check"](engine, ROWS)
        needed = keys.status().datasets.get("patients", ("k1", "k2"))

        assert ROWS == old + new
        # The old key goes only after the last row.
        assert ("k1", "k2") == needed or (0, ("k2",)) == (old, needed)
    old, _ = script["check"](engine, ROWS)
    report = finish(start("rekey", folder, url, "--batch", str(BATCH)))

    assert (0, ROWS) == script["check"](engine, ROWS)
    assert (old, ROWS - old, True) == (report["changed"], report["skipped"], report["complete"])
    assert 0 == finish(start("rekey", folder, url))["changed"]
    keys.destroy("k1", reason="a test")
    return in_time


class TestKill:
    def test_a_killed_run_is_run_again(self, script, tmp_path, url, engine):
        """Killed at random moments and run again, the table ends as if nothing had happened."""
        assert killed_and_resumed(script, tmp_path, url, engine, random.Random(7), kills=3)

    @pytest.mark.nightly
    @pytest.mark.parametrize("seed", range(50))
    def test_a_killed_run_is_run_again_and_again(self, seed, script, tmp_path, url, engine):
        """Likewise, a thousand times."""
        assert killed_and_resumed(script, tmp_path, url, engine, random.Random(seed), kills=10)

    def test_the_old_key_is_kept_until_the_proof(self, script, tmp_path, url, engine):
        """While a run is not at its end, nobody can destroy the old key."""
        script["make"](tmp_path, engine, ROWS)
        kill(start("rekey", tmp_path, url, "--batch", str(BATCH)), 2, 0)
        with pytest.raises(KeyProviderError, match="needed by 1 recorded dataset"):
            script["keys_of"](tmp_path).destroy("k1", reason="a test")

        finish(start("rekey", tmp_path, url))
        script["keys_of"](tmp_path).destroy("k1", reason="a test")
        assert ("k2",) == script["keys_of"](tmp_path).keyset("default").ids


class TestTwoAtOnce:
    def test_two_runs_do_the_work_of_one(self, script, tmp_path, url, engine):
        """Two processes on one table both end well, and each row is changed once."""
        script["make"](tmp_path, engine, ROWS)
        both = [start("rekey", tmp_path, url, "--batch", str(BATCH)) for _ in range(2)]
        reports = [finish(process) for process in both]

        assert (0, ROWS) == script["check"](engine, ROWS)
        assert ROWS == sum(report["changed"] for report in reports)
        assert [True, True] == [report["complete"] for report in reports]

    def test_writers_are_not_overwritten(self, script, tmp_path, url, engine):
        """What others write with the primary during a run is there afterwards."""
        script["make"](tmp_path, engine, ROWS)
        table, chance = script["TABLE"], random.Random(3)
        bound = script["POLICY"].bind(StaticKeys(script["NEW"]))
        written = {}
        stop = threading.Event()

        def write():
            other = sa.create_engine(url)
            while not stop.is_set():
                number = chance.randrange(ROWS)
                text = bound["chart"].apply(f"note {len(written)} of {number}")
                with other.begin() as connection:
                    connection.execute(
                        sa.update(table).where(table.c.id == number).values(chart=text)
                    )
                written[number] = text
            other.dispose()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            report = finish(start("rekey", tmp_path, url, "--batch", str(BATCH)))
        finally:
            stop.set()
            thread.join(SECONDS)
        expected = script["rows_under"](script["NEW"], ROWS)
        for number, text in written.items():
            expected[number]["chart"] = text
        with engine.connect() as connection:
            found = connection.execute(sa.select(table).order_by(table.c.id)).mappings().all()

        assert report["complete"]
        assert expected == [dict(row) for row in found]
        assert written
