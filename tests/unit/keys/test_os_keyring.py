import copy
import os
import pickle
import subprocess
import sys
from enum import StrEnum

import keyring
import keyrings.alt.file
import keyrings.alt.multi
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import SecretService, chainer, fail, null

from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
    MissingExtraError,
)
from privkit.keys import Key
from privkit.keys.os_keyring import KeyringKeys
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.unit.keys import gnome_keyring
from tests.unit.keys.conformance import Conformance, texts

PRIMARY = Key("k2", KEY_BYTES)
OLDER = Key("k1", OTHER_KEY_BYTES)
SECONDS = 60

ASK = """
from privkit.errors import PrivkitError
from privkit.keys.os_keyring import KeyringKeys
try:
    print(KeyringKeys().keyset("default").ids)
except PrivkitError as error:
    print(f"{type(error).__name__}: {error}")
"""


class Backend(KeyringBackend):
    """A keyring of a third party, which does what it is told."""

    priority = 1

    def __init__(self, act):
        super().__init__()
        self.act = act
        self.asked = []

    def get_password(self, service, username):
        self.asked.append((service, username))
        return self.act()

    def set_password(self, service, username, password):
        raise NotImplementedError


def raising(error):
    """A keyring that raises."""

    def act():
        leaked = KEY_BYTES  # noqa: F841 - a local that a traceback would print
        raise error

    return Backend(act)


@pytest.fixture
def choose(monkeypatch):
    """Make a keyring the one that the library asks."""

    def chosen(backend):
        monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
        return KeyringKeys()

    return chosen


def ask(environment):
    """Ask for the keyset in a process of its own, which cannot wait for ever."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS,
    )
    assert "" == done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The environment of a session with a real keyring."""
    with gnome_keyring.session(tmp_path_factory.mktemp("session")) as environment:
        yield environment


@pytest.fixture
def gnome(session, choose, monkeypatch):
    """A real keyring, asked by this process."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session["DBUS_SESSION_BUS_ADDRESS"])
    backend = SecretService.Keyring()
    choose(backend)
    return backend


class TestGnomeKeyring(Conformance):
    @pytest.fixture
    def make(self, gnome):
        """The keys are in the keyring of a session."""
        gnome.set_password("privkit", "default", texts(*self.keyset.live))
        return KeyringKeys

    @pytest.fixture
    def broken(self, gnome, monkeypatch):
        """Passwords that hold no keyset, none, and no session."""

        def holding(text):
            gnome.set_password("privkit", "default", text)
            return KeyringKeys()

        def ended():
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
            return KeyringKeys()

        return {
            "the password is empty": lambda: holding(" "),
            "a text was cut": lambda: holding(texts(*self.keyset.live)[:-9]),
            "two keys have one id": lambda: holding(texts(*self.twins)),
            "the service has no passwords": lambda: KeyringKeys("clinic"),
            "the session ended": ended,
        }

    def test_keysets_are_users_of_a_service(self, gnome):
        """Each keyset has its own password, and each service its own keysets."""
        gnome.set_password("clinic", "default", PRIMARY.to_text())
        gnome.set_password("clinic", "billing", OLDER.to_text())

        assert PRIMARY == KeyringKeys("clinic").keyset("default").primary
        assert OLDER == KeyringKeys("clinic").keyset("billing").primary

    def test_a_process_finds_it_by_itself(self, session, gnome):
        """The library's own choice serves, once plain text is out of the choice."""
        gnome.set_password("privkit", "default", PRIMARY.to_text())
        backend = {"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}

        assert "('k2',)" == ask({**session, **backend})

    def test_a_chain_with_plain_text_is_refused(self, session, gnome):
        """Where keyrings.alt is installed, the library's choice would fall back to plain text."""
        gnome.set_password("privkit", "default", PRIMARY.to_text())
        printed = ask(session)

        assert printed.startswith("KeyProviderError: the keyring keyrings.alt.file.Plaintext")

    def test_a_locked_keyring_is_told(self, tmp_path):
        """A keyring that nobody unlocks is an error that passes, and no wait."""
        with gnome_keyring.session(tmp_path) as environment:
            gnome_keyring.lock(environment["DBUS_SESSION_BUS_ADDRESS"])
            backend = {"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
            printed = ask({**environment, **backend})

        assert "KeyUnavailableError: the keyring is locked: unlock it, and try again" == printed


class Renamed(keyrings.alt.file.PlaintextKeyring):
    """Plain text under another name."""


class Chain(chainer.ChainerBackend):
    """A chain of given keyrings."""

    backends = ()


def chain(*backends):
    """Return a chain of keyrings."""
    made = Chain()
    made.backends = list(backends)
    return made


class TestBackends:
    @pytest.mark.parametrize(
        ("backend", "reason"),
        [
            (keyrings.alt.file.PlaintextKeyring(), "keyrings.alt.file.PlaintextKeyring keeps"),
            (Renamed(), "Renamed keeps passwords in plain text"),
            (null.Keyring(), "no keyring in this session that keeps secrets"),
            (fail.Keyring(), "no keyring in this session that keeps secrets"),
            (chain(Backend(None), keyrings.alt.file.PlaintextKeyring()), "in plain text"),
            (chain(Backend(None), chain(Renamed())), "in plain text"),
            (chain(null.Keyring()), "that keeps secrets"),
            (
                keyrings.alt.multi.MultipartKeyringWrapper(keyrings.alt.file.PlaintextKeyring()),
                "in plain text",
            ),
        ],
        ids=["plain", "renamed", "null", "fail", "chain", "chains", "chain of null", "wrapped"],
    )
    def test_what_keeps_no_secret_is_refused(self, backend, reason, choose, monkeypatch):
        """Plain text and nothing are refused before they are asked, alone or among others."""
        monkeypatch.setattr(
            type(backend), "get_password", lambda *_: pytest.fail("it was asked"), raising=False
        )
        with pytest.raises(KeyProviderError, match=reason) as caught:
            choose(backend).keyset("default")

        assert "set PYTHON_KEYRING_BACKEND to another one" in str(caught.value)

    def test_a_chain_of_stores_is_asked(self, choose):
        """Several keyrings that keep secrets serve together."""
        empty, full = Backend(lambda: None), Backend(PRIMARY.to_text)

        assert PRIMARY == choose(chain(empty, full)).keyset("default").primary
        assert [("privkit", "default")] == empty.asked == full.asked

    def test_a_wrapper_of_a_store_is_asked(self, choose):
        """A keyring that passes on to one that keeps secrets serves."""
        full = Backend(lambda: PRIMARY.to_text() if len(full.asked) == 1 else None)

        assert (
            PRIMARY
            == choose(keyrings.alt.multi.MultipartKeyringWrapper(full)).keyset("default").primary
        )

    def test_plain_text_is_not_chosen_silently(self, tmp_path):
        """Without a session, keyrings.alt would serve from a file that is not encrypted."""
        environment = {
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere/bus",
        }
        kept = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
        subprocess.run(
            [sys.executable, "-m", "keyring", "set", "privkit", "default"],
            env={**os.environ, **environment, **kept},
            input=PRIMARY.to_text(),
            text=True,
            check=True,
            timeout=SECONDS,
        )

        expected = "KeyProviderError: the keyring keyrings.alt.file.PlaintextKeyring keeps"
        assert ask(environment).startswith(expected)
        assert ask({**environment, **kept}).startswith(expected)
        assert [] != list(tmp_path.rglob("keyring_pass.cfg"))


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "expected", "message"),
        [
            (keyring.errors.KeyringLocked(TEXT), KeyUnavailableError, "is locked: unlock it"),
            (keyring.errors.InitError(TEXT), KeyUnavailableError, "cannot be reached: log in"),
            (keyring.errors.KeyringError(TEXT), KeyProviderError, "raised KeyringError: run"),
            (RuntimeError(TEXT), KeyProviderError, "raised RuntimeError: run 'keyring diagnose'"),
        ],
    )
    def test_errors_are_cleaned(self, choose, error, expected, message):
        """An error of the library becomes one of privkit, without its message."""
        with pytest.raises(expected, match=message) as caught:
            choose(raising(error)).keyset("default")

        assert expected is type(caught.value)
        assert caught.value.__context__ is None

    def test_a_wrong_choice_is_told(self, tmp_path):
        """A back end that is not there is an error with its cure."""
        printed = ask({"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": "nowhere.Keyring"})

        expected = "the library keyring raised ModuleNotFoundError: run 'keyring diagnose'"
        assert f"KeyProviderError: {expected}" == printed

    def test_a_missing_keyset_is_told(self, choose):
        """The cure is exact: the command that stores the key."""
        with pytest.raises(KeyNotFoundError, match="with 'keyring set privkit billing'") as caught:
            choose(Backend(lambda: None)).keyset("billing")

        assert {"keyset": "billing", "service": "privkit"} == caught.value.facts

    def test_a_mistake_is_told_with_its_place(self, choose):
        """The message tells which key of which password is none."""
        text = f"{PRIMARY.to_text()} {OLDER.to_text()[:-3]}"
        with pytest.raises(KeyMaterialError, match="key 2 in the password of default for privkit"):
            choose(Backend(lambda: text)).keyset("default")

    def test_a_missing_library_is_told(self, monkeypatch):
        """Without the library, the first use names the extra."""
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(MissingExtraError, match=r"privkit-sdk\[keyring\]"):
            KeyringKeys().keyset("default")

    @pytest.mark.parametrize(
        ("service", "given"),
        [
            ("", "got 0"),
            ("a" * 129, "got 129"),
            ("a\0", "got 2"),
            ("a\n", "got 2"),
            (PRIMARY.to_text(), "what looks like a key"),
            (None, "got NoneType"),
            (KEY_BYTES, "got bytes"),
            (StrEnum("Name", {"KEYS": "keys"}).KEYS, "got Name"),
        ],
    )
    def test_the_service_is_a_name(self, service, given):
        """A service is printable text, and a key in its place is not shown."""
        with pytest.raises(KeyProviderError, match=given):
            KeyringKeys(service)


class TestReference:
    @pytest.mark.parametrize("leave", [lambda k: pickle.loads(pickle.dumps(k)), copy.deepcopy])
    def test_leaves_as_a_reference(self, leave):
        """It is pickled and copied as a service."""
        assert KeyringKeys("clinic") == leave(KeyringKeys("clinic"))

    def test_is_compared_by_service(self):
        """Two providers of one service are equal, hash alike and print it."""
        assert KeyringKeys() == KeyringKeys("privkit")
        assert hash(KeyringKeys()) == hash(KeyringKeys("privkit"))
        assert KeyringKeys() != KeyringKeys("clinic")
        assert KeyringKeys() != "privkit"
        assert "KeyringKeys('privkit')" == repr(KeyringKeys())
