import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

import pytest

from privkit.errors import KeyMaterialError, KeyNotFoundError, KeyProviderError
from privkit.keys import EnvironmentKeys, Key
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

PRIMARY = Key("k2", KEY_BYTES)
OLDER = Key("k1", OTHER_KEY_BYTES)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment without variables of ours."""
    for variable in ("PRIVKIT_KEYS", "PRIVKIT_KEYS_BILLING", "HOSPITAL"):
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


class TestReading:
    @pytest.mark.parametrize("separator", [" ", ",", ", ", "\n", "\r\n", "\t,, \n"])
    def test_reads_keys(self, environment, separator):
        """White space and commas separate keys, and the first one is the primary."""
        text = f" {PRIMARY.to_text()}{separator}{OLDER.to_text()}\n"
        environment.setenv("PRIVKIT_KEYS", text)
        keyset = EnvironmentKeys().keyset("default")

        assert (PRIMARY, OLDER) == keyset.live

    def test_other_keysets_have_their_own_variables(self, environment):
        """The keyset billing stands in the variable with _BILLING behind it."""
        environment.setenv("PRIVKIT_KEYS", PRIMARY.to_text())
        environment.setenv("PRIVKIT_KEYS_BILLING", OLDER.to_text())
        keys = EnvironmentKeys()

        assert PRIMARY == keys.keyset("default").primary
        assert OLDER == keys.keyset("billing").primary

    def test_the_variable_can_be_chosen(self, environment):
        """Another variable serves as well."""
        environment.setenv("HOSPITAL", PRIMARY.to_text())

        assert PRIMARY == EnvironmentKeys("HOSPITAL").keyset("default").primary
        assert PRIMARY == EnvironmentKeys(variable="HOSPITAL").keyset("default").primary

    def test_is_read_once(self, environment):
        """A change of the environment does not change the keys of a run."""
        environment.setenv("PRIVKIT_KEYS", PRIMARY.to_text())
        keys = EnvironmentKeys()
        first = keys.keyset("default")
        environment.delenv("PRIVKIT_KEYS")

        assert first is keys.keyset("default")

    def test_threads_get_one_keyset(self, environment):
        """However many threads read first, all get the same keyset."""
        environment.setenv("PRIVKIT_KEYS", PRIMARY.to_text())
        keys = EnvironmentKeys()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: keys.keyset("default"), range(200)))

        assert 1 == len({id(keyset) for keyset in found})

    def test_the_first_reader_decides(self, monkeypatch):
        """A reader that is overtaken by another one returns what the other one stored."""
        keys = EnvironmentKeys()
        overtaking = []

        class Environment(dict):
            def get(self, name, default=None):
                if not overtaking:
                    overtaking.append(None)
                    overtaking[0] = keys.keyset("default")
                return PRIMARY.to_text()

        monkeypatch.setattr("privkit.keys.environment.os.environ", Environment())
        overtaken = keys.keyset("default")
        monkeypatch.undo()

        assert overtaking[0] is overtaken


class TestMissing:
    @pytest.mark.parametrize("text", [None, "", "  ", ",\n"])
    def test_first_use_tells_the_cure(self, environment, text):
        """Without a key, construction works and the first use says what to do."""
        if text is not None:
            environment.setenv("PRIVKIT_KEYS", text)
        keys = EnvironmentKeys()
        with pytest.raises(KeyNotFoundError) as caught:
            keys.keyset("default")

        assert "run 'privkit keygen' and set the environment variable PRIVKIT_KEYS" in str(
            caught.value
        )
        assert {"keyset": "default", "variable": "PRIVKIT_KEYS"} == caught.value.facts

    def test_names_the_variable_of_the_keyset(self):
        """The cure is exact for other keysets too."""
        with pytest.raises(KeyNotFoundError, match="variable PRIVKIT_KEYS_BILLING"):
            EnvironmentKeys().keyset("billing")

    def test_is_tried_again(self, environment):
        """A failure is not kept: once cured, the same provider serves."""
        keys = EnvironmentKeys()
        with pytest.raises(KeyNotFoundError):
            keys.keyset("default")
        environment.setenv("PRIVKIT_KEYS", PRIMARY.to_text())

        assert PRIMARY == keys.keyset("default").primary


class TestMistakes:
    def test_names_the_place(self, environment):
        """The message tells which key of which variable is no key."""
        environment.setenv("PRIVKIT_KEYS", f"{PRIMARY.to_text()} {OLDER.to_text()[:-3]}")
        with pytest.raises(KeyMaterialError, match="key 2 of PRIVKIT_KEYS: the text of a key is"):
            EnvironmentKeys().keyset("default")

    @pytest.mark.parametrize("text", ["é", "\udcff", "hunter2", "#", KEY_BYTES.hex()])
    def test_other_text_is_refused(self, environment, text):
        """Whatever else a variable holds is refused."""
        environment.setenv("PRIVKIT_KEYS", text)
        with pytest.raises(KeyMaterialError, match="key 1 of PRIVKIT_KEYS"):
            EnvironmentKeys().keyset("default")

    def test_a_key_given_twice_is_refused(self, environment):
        """The same key as primary and older one is a mistake."""
        environment.setenv("PRIVKIT_KEYS", f"{PRIMARY.to_text()} {PRIMARY.to_text()}")
        with pytest.raises(KeyMaterialError, match="got k2 twice"):
            EnvironmentKeys().keyset("default")

    @pytest.mark.parametrize(
        ("variable", "given"),
        [
            ("", "got 0 characters"),
            ("1A", "got 2 characters"),
            ("A-B", "got 3 characters"),
            ("A=B", "got 3 characters"),
            ("A\0", "got 2 characters"),
            ("A" * 128, "got 128 characters"),
            (PRIMARY.to_text(), "what looks like a key"),
            (PRIMARY.to_text()[:-20], "what looks like a key"),
            (None, "got NoneType"),
            (KEY_BYTES, "got bytes"),
            (StrEnum("Name", {"KEYS": "PRIVKIT_KEYS"}).KEYS, "got Name"),
        ],
    )
    def test_the_variable_is_a_name(self, variable, given):
        """A variable is named like one, and a key in its place is not shown."""
        with pytest.raises(KeyProviderError, match=given):
            EnvironmentKeys(variable)


class TestReference:
    @pytest.mark.parametrize(
        "leave",
        [lambda keys: pickle.loads(pickle.dumps(keys)), copy.copy, copy.deepcopy],
        ids=["pickle", "copy", "deepcopy"],
    )
    def test_leaves_as_a_reference(self, environment, leave):
        """It is pickled and copied as a name, without what it has read."""
        environment.setenv("PRIVKIT_KEYS", PRIMARY.to_text())
        keys = EnvironmentKeys()
        keys.keyset("default")
        twin = leave(keys)
        environment.setenv("PRIVKIT_KEYS", OLDER.to_text())

        assert keys == twin
        assert OLDER == twin.keyset("default").primary

    def test_the_pickle_holds_no_key(self, environment):
        """No byte of a key is in the pickle, raw or as text."""
        environment.setenv("PRIVKIT_KEYS", PRIMARY.to_text())
        keys = EnvironmentKeys()
        keys.keyset("default")
        pickled = pickle.dumps(keys)

        assert KEY_BYTES not in pickled
        assert KEY_BYTES.hex().encode() not in pickled
        assert len(pickled) < 120

    def test_is_compared_by_name(self):
        """Two providers of one variable are equal, hash alike and print it."""
        assert EnvironmentKeys() == EnvironmentKeys("PRIVKIT_KEYS")
        assert hash(EnvironmentKeys()) == hash(EnvironmentKeys("PRIVKIT_KEYS"))
        assert EnvironmentKeys() != EnvironmentKeys("HOSPITAL")
        assert EnvironmentKeys() != "PRIVKIT_KEYS"
        assert "EnvironmentKeys('PRIVKIT_KEYS')" == repr(EnvironmentKeys())
