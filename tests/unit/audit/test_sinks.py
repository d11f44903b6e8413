"""Audit sinks: stored when write returns, or an error."""

import json
import stat
import subprocess
import sys
import threading

import pytest

from privkit.audit import AuditEvent, JSONLinesAudit, MemoryAudit
from privkit.errors import AuditError

EVENT = AuditEvent(
    time="2026-01-02T03:04:05.678+00:00",
    actor="dr.lee",
    purpose="treatment",
    outcome="granted",
    policy="patients",
    version=3,
    fingerprint="0" * 64,
    fields=("mrn",),
    records=1,
)


class TestEvent:
    def test_layout_is_frozen(self):
        """The line of an event has this layout for ever."""
        assert (
            '{"privkit-audit": 1, "time": "2026-01-02T03:04:05.678+00:00", "actor": "dr.lee", '
            '"purpose": "treatment", "outcome": "granted", "policy": "patients", "version": 3, '
            f'"fingerprint": "{"0" * 64}", "fields": ["mrn"], "records": 1}}'
        ) == EVENT.to_json()


class TestMemory:
    def test_keeps_events_in_order(self):
        """Events come back as they were written; the repr counts them."""
        sink = MemoryAudit()
        sink.write(EVENT)

        assert (EVENT,) == sink.events
        assert "MemoryAudit(events=1)" == repr(sink)


class TestJSONLines:
    def test_appends_one_line_an_event(self, tmp_path):
        """Each event is a line of its own in a file that only its owner reads."""
        path = tmp_path / "audit.jsonl"
        sink = JSONLinesAudit(path)

        assert not path.exists()

        sink.write(EVENT)
        JSONLinesAudit(path).write(EVENT)

        assert [json.loads(EVENT.to_json())] * 2 == [
            json.loads(line) for line in path.read_text().splitlines()
        ]
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert f"JSONLinesAudit({str(path)!r})" == repr(sink)

    def test_threads_tear_no_line(self, tmp_path):
        """Eight threads write eighty whole lines."""
        sink = JSONLinesAudit(tmp_path / "audit.jsonl")
        threads = [
            threading.Thread(target=lambda: [sink.write(EVENT) for _ in range(10)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        lines = (tmp_path / "audit.jsonl").read_text().splitlines()
        assert [EVENT.to_json()] * 80 == lines

    def test_symbolic_link_is_refused(self, tmp_path):
        """A link in place of the file is refused, and its target stays as it is."""
        target = tmp_path / "target"
        target.write_text("before")
        (tmp_path / "link").symlink_to(target)
        with pytest.raises(AuditError, match="the audit file cannot be written"):
            JSONLinesAudit(tmp_path / "link").write(EVENT)

        assert "before" == target.read_text()

    def test_missing_folder_is_an_error(self, tmp_path):
        """A sink that cannot open its file says why."""
        with pytest.raises(AuditError, match="No such file or directory"):
            JSONLinesAudit(tmp_path / "absent" / "audit.jsonl").write(EVENT)

        assert not (tmp_path / "absent").exists()

    @pytest.mark.parametrize("room", [100, 0])
    def test_full_disk_leaves_whole_lines(self, tmp_path, room):
        """A line that does not fit is taken back, and the caller hears of it."""
        path = tmp_path / "audit.jsonl"
        JSONLinesAudit(path).write(EVENT)
        size = path.stat().st_size
        script = f"""
import resource
from privkit.errors import AuditError
from tests.unit.audit.test_sinks import EVENT
from privkit.audit import JSONLinesAudit
sink = JSONLinesAudit({str(path)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, ({size + room}, resource.RLIM_INFINITY))
try:
    sink.write(EVENT)
except AuditError as error:
    print(error)
finally:
    # What measures coverage writes a file as well.
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
"""
        told = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )

        assert told.stdout.startswith("the audit file cannot be written: "), told.stderr
        assert EVENT.to_json() + "\n" == path.read_text()
