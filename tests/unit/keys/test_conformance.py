"""
The providers of keys that need no service keep to the contract of providers.
"""

import pytest

from privkit.keys import EnvironmentKeys, FileKeys, Key, StaticKeys
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal, Passphrase
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES
from tests.unit.keys.conformance import Conformance, texts

WRAPPING = Key("wrapping", bytes(reversed(KEY_BYTES)))
OTHER_WRAPPING = Key("wrapping", bytes(reversed(OTHER_KEY_BYTES)))


class TestEnvironmentKeys(Conformance):
    @pytest.fixture
    def make(self, monkeypatch):
        """The keys stand in a variable."""
        monkeypatch.setenv("PRIVKIT_KEYS", texts(*self.keyset.live))
        return EnvironmentKeys

    @pytest.fixture
    def broken(self, monkeypatch):
        """Variables that hold no keyset."""

        def holding(text):
            monkeypatch.setenv("PRIVKIT_KEYS", text)
            return EnvironmentKeys()

        return {
            "the variable is empty": lambda: holding(""),
            "a text was cut": lambda: holding(texts(*self.keyset.live)[:-9]),
            "two keys have one id": lambda: holding(texts(*self.twins)),
        }


class TestFileKeys(Conformance):
    @pytest.fixture
    def make(self, tmp_path):
        """The keys stand in a file."""
        path = tmp_path / "keys"
        path.touch(0o600)
        path.write_text(texts(*self.keyset.live))
        return lambda: FileKeys(path)

    @pytest.fixture
    def broken(self, make, tmp_path):
        """Files that hold no keyset, or show it."""
        path = tmp_path / "keys"

        def holding(text, mode=0o600):
            path.write_text(text)
            path.chmod(mode)
            return FileKeys(path)

        return {
            "there is no file": lambda: FileKeys(tmp_path / "none"),
            "a folder has its name": lambda: FileKeys(tmp_path),
            "others can read it": lambda: holding(texts(*self.keyset.live), 0o644),
            "a text was cut": lambda: holding(texts(*self.keyset.live)[:-9]),
            "two keys have one id": lambda: holding(texts(*self.twins)),
        }


class TestStaticKeys(Conformance):
    @pytest.fixture
    def make(self):
        """The keys are in the process."""
        return lambda: StaticKeys.of(self.keyset)

    @pytest.fixture
    def broken(self):
        """The keys are of another keyset."""
        return {"it is another": lambda: StaticKeys.of(self.keyset, name="billing")}


class TestPassphrase(Conformance):
    @pytest.fixture
    def make(self, tmp_path, monkeypatch):
        """The keys stand in a file under a passphrase."""
        monkeypatch.setenv("CLINIC_PASSPHRASE", "quiet lantern over the harbour")
        tmp_path.chmod(0o700)
        path = tmp_path / "clinic.pk"
        seal = Passphrase("CLINIC_PASSPHRASE", cost=2**14)
        KeysetFile(path, seal).create(reason="first keys", adopt=self.keyset)
        return lambda: KeysetFile(path, seal)

    @pytest.fixture
    def broken(self, make, tmp_path, monkeypatch):
        """Another passphrase, none, and files that were changed."""
        path = tmp_path / "clinic.pk"
        content = path.read_bytes()

        def passphrase(text):
            monkeypatch.setenv("CLINIC_PASSPHRASE", text)
            return make()

        def holding(changed):
            passphrase("quiet lantern over the harbour")
            path.write_bytes(changed)
            return make()

        return {
            "the passphrase is another": lambda: passphrase("quiet lantern over the river"),
            "there is no passphrase": lambda: passphrase(""),
            "the file was cut": lambda: holding(content[:-9]),
            "the file was altered": lambda: holding(content.replace(b"=", b"A")),
            "the file is empty": lambda: holding(b""),
        }


class TestKeysSeal(Conformance):
    @pytest.fixture
    def make(self, tmp_path, monkeypatch):
        """The keys stand in a file under a key that a variable holds."""
        monkeypatch.setenv("PRIVKIT_KEYS", texts(WRAPPING))
        tmp_path.chmod(0o700)
        path = tmp_path / "clinic.pk"
        KeysetFile(path, KeysSeal(EnvironmentKeys())).create(reason="first", adopt=self.keyset)
        return lambda: KeysetFile(path, KeysSeal(EnvironmentKeys()))

    @pytest.fixture
    def broken(self, make, monkeypatch):
        """Another wrapping key, none, and a provider that is down."""

        def holding(text):
            monkeypatch.setenv("PRIVKIT_KEYS", text)
            return make()

        return {
            "the wrapping key is another": lambda: holding(texts(OTHER_WRAPPING)),
            "there is no wrapping key": lambda: holding(""),
        }
