"""
Where audit events go. A sink has stored the event durably when `write` returns, or it raises.
"""

import errno
import os
import threading
from typing import Protocol, final

from privkit.audit.event import AuditEvent
from privkit.errors import AuditError
from privkit.keys.event import KeyEvent


class AuditSink(Protocol):
    """
    Anything that keeps audit events.
    """

    def write(self, event: AuditEvent, /) -> None:
        """
        Store *event* durably before returning; raise if that cannot be done.
        """
        ...


@final
class MemoryAudit:
    """
    Keep events in a list, for tests and notebooks. They are lost with the process.
    """

    def __init__(self) -> None:
        self._events: list[AuditEvent | KeyEvent] = []

    def write(self, event: AuditEvent | KeyEvent, /) -> None:
        """
        Append *event*.
        """
        self._events.append(event)

    @property
    def events(self) -> tuple[AuditEvent, ...]:
        """
        Requests to reidentify, oldest first.
        """
        return tuple(event for event in self._events if isinstance(event, AuditEvent))

    @property
    def key_events(self) -> tuple[KeyEvent, ...]:
        """
        Changes of keys, oldest first.
        """
        return tuple(event for event in self._events if isinstance(event, KeyEvent))

    def __repr__(self) -> str:
        return f"MemoryAudit(events={len(self._events)})"


@final
class JSONLinesAudit:
    """
    Append events to a file, one JSON object a line, each on disk before `write` returns.

    The file is made with mode 0600 at the first event; a symbolic link is refused. A line that
    cannot be written whole is taken back, so the file never ends in half an event. Whoever may
    write to the file can still alter it: lines are neither chained nor signed.

    Args:
        path: The file. Constructing the sink does not touch it.

    Raises:
        AuditError: If an event cannot be stored.
    """

    def __init__(self, path: str | os.PathLike[str], /) -> None:
        self._path = os.fspath(path)
        self._lock = threading.Lock()

    def write(self, event: AuditEvent | KeyEvent, /) -> None:
        """
        Append *event* and wait until the disk has it.
        """
        try:
            with self._lock:
                _append(self._path, f"{event.to_json()}\n".encode())
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            return
        raise AuditError(f"the audit file cannot be written: {problem}")

    def __repr__(self) -> str:
        return f"JSONLinesAudit({self._path!r})"


def _append(path: str, line: bytes) -> None:
    # Imported here because Windows has no fcntl; there, one process at a time may write.
    try:
        import fcntl
    except ImportError:  # pragma: no cover - Windows only
        fcntl = None  # type: ignore[assignment]

    existed = os.path.lexists(path)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if fcntl is not None:  # pragma: no branch - Windows only
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        stored = False
        try:
            stored = os.write(descriptor, line) == len(line)
            os.fsync(descriptor)
        finally:
            if not stored:
                os.ftruncate(descriptor, size)
        if not stored:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)
    if not existed:
        # pathlib would cost more to import than all of this room.
        _sync_folder(os.path.dirname(path) or ".")  # noqa: PTH120


def _sync_folder(folder: str) -> None:
    # A file that is not in its folder on disk is lost with the power.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
