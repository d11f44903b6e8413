"""
A real keyring of GNOME's, in a session of its own that nobody sees.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.needs import need

START = 'echo "$$ $DBUS_SESSION_BUS_ADDRESS"; exec gnome-keyring-daemon "$@"'
OPTIONS = ("--foreground", "--unlock", "--components=secrets")
PASSWORD = "a password for the login keyring"
SECONDS = 60

OUTSIDE = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL")
"""What would lead to the session of the person who runs the tests, and to a prompt there."""


@contextlib.contextmanager
def session(folder: Path) -> Iterator[dict[str, str]]:
    """
    Start a session with an unlocked keyring, and end it.

    Yields:
        The environment of that session.
    """
    for tool in ("dbus-run-session", "gnome-keyring-daemon"):
        need(shutil.which(tool), f"no {tool}: install dbus and gnome-keyring")
    home, runtime = folder / "home", folder / "run"
    for made in (home, runtime):
        made.mkdir(0o700)
    environment = {name: text for name, text in os.environ.items() if name not in OUTSIDE}
    environment |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(runtime),
    }
    with subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", START, "sh", *OPTIONS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        number, _, address = running.stdout.readline().strip().partition(" ")
        try:
            running.stdin.write(PASSWORD)
            running.stdin.close()
            environment["DBUS_SESSION_BUS_ADDRESS"] = address
            await_service(address)
            yield environment
        finally:
            # The session ends with the daemon, for which it was started.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGTERM)


def await_service(address: str) -> None:
    """
    Wait until the keyring that was started has its name on the bus.
    """
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import open_dbus_connection

    # Whoever asks the service itself before that lets the bus start another one, locked.
    question = message_bus.NameHasOwner("org.freedesktop.secrets")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.closing(open_dbus_connection(address)) as connection:
            if connection.send_and_get_reply(question).body[0]:
                return
        time.sleep(0.02)
    message = f"the keyring does not answer after {SECONDS} seconds"
    raise TimeoutError(message)


def lock(address: str) -> None:
    """
    Lock the keyring, as it is before its person logs in.
    """
    import secretstorage
    from jeepney.io.blocking import open_dbus_connection

    with contextlib.closing(open_dbus_connection(address)) as connection:
        secretstorage.get_default_collection(connection).lock()
