"""
A PostgreSQL server of the tests' own: in a folder of its own, on a Unix socket, gone afterwards.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.needs import need

FOLDERS: Final = Path("/usr/lib/postgresql")
USER: Final = "privkit"
SECONDS: Final = 60
INITDB: Final = ("-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
POSTGRES: Final = ("-c", "listen_addresses=", "-c", "fsync=off")


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """
    Start a server, and yield the URL of its database for SQLAlchemy.
    """
    programs = _programs()
    need(programs is not None, "no PostgreSQL: install the package postgresql")
    # PostgreSQL refuses to run as root.
    account = _account() if os.geteuid() == 0 else None
    need(os.geteuid() != 0 or account is not None, "no user for PostgreSQL to run as")
    # Not in a folder of pytest's, into which other users cannot look.
    folder = Path(tempfile.mkdtemp(prefix="privkit-postgres-"))
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    identity = (
        {}
        if account is None
        else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    )
    try:
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", USER, *INITDB],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **identity,
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *POSTGRES],
                stdout=log,
                stderr=log,
                cwd=folder,
                **identity,
            )
        try:
            _await(programs, folder, server)
            yield f"postgresql+psycopg://{USER}@/postgres?host={folder}"
        finally:
            # The fast way: whoever is connected is thrown out.
            server.send_signal(signal.SIGINT)
            server.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = sorted(FOLDERS.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("postgres")
    return None if elsewhere is None else Path(elsewhere).resolve().parent


def _account() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _await(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    ready = [programs / "pg_isready", "-q", "-h", folder, "-d", "postgres", "-U", USER]
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise AssertionError((folder / "log").read_text("utf-8", "replace"))
        time.sleep(0.05)
