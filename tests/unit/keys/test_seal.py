"""What keeps the data key of a keyset file."""

import copy
import os
import pickle
import subprocess
import sys
import unicodedata
from enum import StrEnum
from pathlib import Path

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import EnvironmentKeys, FileKeys, Key, Keyset, StaticKeys
from privkit.keys.seal import COSTS, KeysSeal, Passphrase, to_text
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES, VALUES

PHRASE = VALUES["password"]
DATA_KEY = SecretBytes(KEY_BYTES)
CONTEXT = b"test 1"
K1, K2 = Key("k1", OTHER_KEY_BYTES), Key("k2", THIRD_KEY_BYTES)


def cheap(text=PHRASE):
    """A seal of a passphrase that costs as little as may be."""
    return Passphrase(lambda: text, cost=COSTS[0])


WRAPPED = {
    "passphrase": (cheap(), cheap().wrap(DATA_KEY, CONTEXT)),
    "keys": (KeysSeal(StaticKeys(K1)), KeysSeal(StaticKeys(K1)).wrap(DATA_KEY, CONTEXT)),
}
BOTH = pytest.mark.parametrize(("seal", "header"), WRAPPED.values(), ids=WRAPPED)


class TestBoth:
    @BOTH
    def test_give_back_what_they_took(self, seal, header):
        """The data key comes back."""
        assert DATA_KEY == seal.unwrap(header, CONTEXT)

    @BOTH
    def test_show_nothing(self, seal, header):
        """What the header keeps is text, and the data key is not in it."""
        assert all(type(part) is str for part in header.values())
        assert KEY_BYTES.hex() not in repr(header)

    @BOTH
    def test_are_bound_to_their_use(self, seal, header):
        """Under another context, nothing is unwrapped."""
        with pytest.raises(KeyMaterialError, match="cannot be opened: "):
            seal.unwrap(header, b"test 2")

    @BOTH
    def test_need_each_part(self, seal, header):
        """A header that lacks a part, or has something else for it, is refused."""
        for name in header:
            for part in (None, 7, "", "\ud800", "9" * 5_000, "é", header[name] + "="):
                with pytest.raises((KeyMaterialError, KeyNotFoundError)) as caught:
                    seal.unwrap({**header, name: part}, CONTEXT)

                assert caught.value.__context__ is None
            with pytest.raises(KeyMaterialError, match=f"lacks '{name}', or it was altered"):
                seal.unwrap({k: v for k, v in header.items() if k != name}, CONTEXT)

    @BOTH
    def test_a_data_key_has_its_size(self, seal, header):
        """A wrapped key of another size is refused, though the seal made it."""
        short = seal.wrap(SecretBytes(KEY_BYTES[:31]), CONTEXT)
        with pytest.raises(KeyMaterialError, match="cannot be opened"):
            seal.unwrap(short, CONTEXT)

    @BOTH
    def test_text_has_one_form(self, seal, header):
        """Of base64 texts that stand for the same bytes, one is read."""
        with pytest.raises(KeyMaterialError, match="holds no base64 in 'wrapped'"):
            seal.unwrap({**header, "wrapped": "QR=="}, CONTEXT)


class TestPassphrase:
    def test_another_passphrase_opens_nothing(self):
        """A wrong passphrase and an altered header are one error of one sentence."""
        header = WRAPPED["passphrase"][1]
        with pytest.raises(KeyMaterialError) as caught:
            cheap(PHRASE + "!").unwrap(header, CONTEXT)

        assert (
            "the keyset file cannot be opened: the passphrase is another one, or the file was "
            "altered"
        ) == str(caught.value)

    def test_each_wrapping_has_its_salt(self):
        """Two wrappings share neither salt nor text."""
        one, other = cheap().wrap(DATA_KEY, CONTEXT), cheap().wrap(DATA_KEY, CONTEXT)

        assert one["salt"] != other["salt"]
        assert one["wrapped"] != other["wrapped"]
        assert 24 == len(one["salt"])

    def test_comes_from_a_variable(self, monkeypatch):
        """A variable is read at each use, and named if it is not set."""
        seal = Passphrase("CLINIC_PASSPHRASE", cost=COSTS[0])
        for value in (None, ""):
            if value is not None:
                monkeypatch.setenv("CLINIC_PASSPHRASE", value)
            with pytest.raises(KeyNotFoundError, match="set the environment variable CLINIC_PASS"):
                seal.wrap(DATA_KEY, CONTEXT)
        monkeypatch.setenv("CLINIC_PASSPHRASE", PHRASE)

        assert DATA_KEY == seal.unwrap(WRAPPED["passphrase"][1], CONTEXT)

    @pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\nsecond line\n"])
    def test_comes_from_a_file(self, tmp_path, ending):
        """The first line of a private file is the passphrase."""
        path = tmp_path / "passphrase"
        path.write_bytes(f"{PHRASE}{ending}".encode())
        path.chmod(0o600)

        assert DATA_KEY == Passphrase(path).unwrap(WRAPPED["passphrase"][1], CONTEXT)

    @pytest.mark.parametrize(
        ("content", "mode", "error", "message"),
        [
            (None, 0o600, KeyNotFoundError, "there is no passphrase file .* write the passphrase"),
            (b"", 0o600, KeyMaterialError, "12 to 4,096 characters, got 0"),
            (b"\xff" * 20, 0o600, KeyMaterialError, "is text, got NoneType"),
            (PHRASE.encode(), 0o644, KeyProviderError, "for its user alone, got mode 0644"),
        ],
    )
    def test_files_are_private(self, tmp_path, content, mode, error, message):
        """A file that is not there, no text, or for others as well is refused."""
        path = tmp_path / "passphrase"
        if content is not None:
            path.write_bytes(content)
            path.chmod(mode)
        with pytest.raises(error, match=message):
            Passphrase(path).wrap(DATA_KEY, CONTEXT)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("eleven char", "12 to 4,096 characters, got 11"),
            ("x" * 4097, "got 4097"),
            ("\ud800" * 12, "half of a surrogate pair"),
            (None, "is text, got NoneType"),
            (PHRASE.encode(), "is text, got bytes"),
            (StrEnum("Phrase", {"IT": PHRASE}).IT, "is text, got Phrase"),
        ],
    )
    def test_is_long_text(self, text, message):
        """What is short, long or no text is no passphrase."""
        with pytest.raises(KeyMaterialError, match=message):
            cheap(text).wrap(DATA_KEY, CONTEXT)

    def test_accents_may_be_typed_either_way(self):
        """Composed and decomposed characters are one passphrase, RFC 8265, section 4.2.2."""
        text = "Zdeněk Prùdhommeaux"
        header = cheap(unicodedata.normalize("NFD", text)).wrap(DATA_KEY, CONTEXT)

        assert DATA_KEY == cheap(unicodedata.normalize("NFC", text)).unwrap(header, CONTEXT)

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (RuntimeError(PHRASE), "what returns the passphrase raised RuntimeError"),
            (EOFError(), "what returns the passphrase raised EOFError"),
            (KeyUnavailableError("the agent is locked"), "the agent is locked"),
        ],
    )
    def test_errors_of_a_callable_are_told_by_class(self, error, told):
        """A foreign message may hold the passphrase; an error of privkit passes."""

        def fail():
            raise error

        with pytest.raises(KeyProviderError, match=f"^{told}$"):
            Passphrase(fail).wrap(DATA_KEY, CONTEXT)

    @pytest.mark.parametrize(
        "source",
        [PHRASE, "quietlanternharbour", b"X", None, 7, "", "A" * 128, "1A", "A\n", "AB" * 32],
        ids=lambda source: type(source).__name__,
    )
    def test_is_never_passed_itself(self, source):
        """What is no name of a variable in upper case is refused unseen: it may be the secret."""
        with pytest.raises(KeyProviderError, match="never pass it itself"):
            Passphrase(source)

    @pytest.mark.parametrize("path", ["a\0b", "a\nb"])
    def test_paths_can_be_printed(self, path):
        """A path that cannot be opened or printed is refused at once."""
        with pytest.raises(KeyProviderError, match="is printable and not empty"):
            Passphrase(Path(path))

    @pytest.mark.parametrize("cost", [0, 1, 2**13, 2**21, 2**14 + 1, -(2**14), True, 2.0**14, "8"])
    def test_the_cost_is_a_power_of_two(self, cost):
        """Neither a cost that stops nobody nor one that no machine can pay."""
        with pytest.raises(KeyProviderError, match="a power of two from 16384 to 1048576"):
            Passphrase("PRIVKIT_PASSPHRASE", cost=cost)

    @pytest.mark.parametrize(
        "asked",
        [
            *({"n": n} for n in ("0", "1", "2", "8192", "2097152", "16385", "016384", "16384 ")),
            *({"r": r} for r in ("0", "1", "7", "16", "-8", "8.0")),
            *({"p": p} for p in ("0", "2", "1000000", "٣")),
        ],
    )
    def test_a_header_asks_for_what_is_written(self, asked):
        """Costs that no version writes are refused before they are paid."""
        with pytest.raises(KeyMaterialError, match="scrypt with parameters that are not allowed"):
            cheap().unwrap({**WRAPPED["passphrase"][1], **asked}, CONTEXT)

    def test_too_little_memory_is_told(self):
        """A process that cannot have the memory of scrypt says how much it is."""
        script = """
import resource
from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyProviderError
from privkit.keys.seal import Passphrase
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
seal = Passphrase(lambda: "x" * 20, cost=2**20)
before = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (800 * 2**20, before[1]))
try:
    seal.wrap(SecretBytes(bytes(32)), b"")
except KeyProviderError as error:
    print(error)
finally:
    resource.setrlimit(resource.RLIMIT_AS, before)
"""
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )

        assert (
            "scrypt needs 1024 MiB of memory for the passphrase, which the process cannot have\n",
            "",
        ) == (done.stdout, done.stderr)

    def test_is_a_reference(self, monkeypatch):
        """It is pickled, copied and compared by its source, and holds no passphrase."""
        monkeypatch.setenv("CLINIC_PASSPHRASE", PHRASE)
        seal = Passphrase("CLINIC_PASSPHRASE", cost=COSTS[0])
        seal.wrap(DATA_KEY, CONTEXT)

        assert PHRASE.encode() not in pickle.dumps(seal)
        for twin in (pickle.loads(pickle.dumps(seal)), copy.copy(seal), copy.deepcopy(seal)):
            assert seal == twin
            assert hash(seal) == hash(twin)
            assert DATA_KEY == twin.unwrap(WRAPPED["passphrase"][1], CONTEXT)
        assert seal != Passphrase("OTHER_PASSPHRASE")
        assert seal != "CLINIC_PASSPHRASE"
        assert "Passphrase('CLINIC_PASSPHRASE')" == repr(seal)
        assert "Passphrase('/etc/phrase')" == repr(Passphrase(Path("/etc/phrase")))
        assert "Passphrase(function)" == repr(cheap())


class TestKeysSeal:
    def test_older_keys_unwrap(self):
        """After the wrapping key was replaced, the file opens, and is then wrapped afresh."""
        header = KeysSeal(StaticKeys(K1)).wrap(DATA_KEY, CONTEXT)
        rotated = KeysSeal(StaticKeys(K2, older=[K1]))

        assert "k1" == header["key_id"]
        assert DATA_KEY == rotated.unwrap(header, CONTEXT)
        assert "k2" == rotated.wrap(DATA_KEY, CONTEXT)["key_id"]

    def test_another_key_of_that_id_opens_nothing(self):
        """A wrong key is one error, of one sentence."""
        header = KeysSeal(StaticKeys(K1)).wrap(DATA_KEY, CONTEXT)
        with pytest.raises(KeyMaterialError) as caught:
            KeysSeal(StaticKeys(Key("k1", THIRD_KEY_BYTES))).unwrap(header, CONTEXT)

        assert (
            "the keyset file cannot be opened: key k1 is another one of that id, or the file was "
            "altered"
        ) == str(caught.value)

    def test_a_key_that_is_not_there_is_named(self):
        """Without the wrapping key the file stays closed, and the error names the key."""
        header = KeysSeal(StaticKeys(K1)).wrap(DATA_KEY, CONTEXT)
        with pytest.raises(KeyNotFoundError, match="there is no key k1 among the keys k2"):
            KeysSeal(StaticKeys(K2)).unwrap(header, CONTEXT)

    def test_a_compromised_key_unwraps_for_a_reason(self):
        """A file whose wrapping key is compromised opens for a reason, to be wrapped afresh."""
        header = KeysSeal(StaticKeys(K1)).wrap(DATA_KEY, CONTEXT)
        keys = StaticKeys.of(Keyset(K2, compromised=[K1]))
        with pytest.raises(KeyNotFoundError, match=r"key k1 is compromised.*allow_compromised="):
            KeysSeal(keys).unwrap(header, CONTEXT)
        seal = KeysSeal(keys, allow_compromised="to wrap it afresh")

        assert DATA_KEY == seal.unwrap(header, CONTEXT)
        assert "k2" == seal.wrap(DATA_KEY, CONTEXT)["key_id"]

    def test_the_keyset_is_named(self):
        """Another keyset of the provider wraps, if it is named, and the name is one."""
        keys = StaticKeys(K1, name="files")

        assert "k1" == KeysSeal(keys, keyset="files").wrap(DATA_KEY, CONTEXT)["key_id"]
        with pytest.raises(KeyNotFoundError, match="there is no keyset default"):
            KeysSeal(keys).wrap(DATA_KEY, CONTEXT)
        with pytest.raises(KeyNotFoundError, match="the name of a keyset is"):
            KeysSeal(keys, keyset="../files")

    def test_a_provider_is_trusted_with_nothing(self):
        """What a provider raises is told by its class."""
        with pytest.raises(KeyProviderError, match="the key provider bytes raised AttributeError"):
            KeysSeal(KEY_BYTES).wrap(DATA_KEY, CONTEXT)

    def test_is_a_reference(self):
        """It is pickled and compared by its provider, and prints the provider's class."""
        seal = KeysSeal(EnvironmentKeys("CLINIC_KEYS"))
        twin = pickle.loads(pickle.dumps(seal))

        assert seal == twin
        assert hash(seal) == hash(twin)
        assert seal != KeysSeal(FileKeys("keys"))
        assert seal != KeysSeal(EnvironmentKeys("CLINIC_KEYS"), keyset="other")
        assert seal != "keys"
        assert "KeysSeal(EnvironmentKeys, keyset='default')" == repr(seal)


class TestText:
    @pytest.mark.parametrize("size", range(5))
    def test_of_bytes_is_base64(self, size):
        """Bytes of any number have a text."""
        assert -(-size // 3) * 4 == len(to_text(os.urandom(size)))
