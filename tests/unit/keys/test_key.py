import copy
import dataclasses
import hashlib
import hmac
import json
import pickle
import re
from datetime import UTC, datetime
from enum import Enum

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import Key
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

GOLDEN = "pk1_golden-1_b74f0d93e25ac81677f10be4983cd56a2f8e41c07d19a3b6650e9c72db84f31e_19bb8a0b"
"""Whoever changes this line makes every key that was ever written unreadable."""

GOLDEN_TAG = "6573"
GOLDEN_SUBKEY = "a8662665245ed944a709d4d0a39002e479444bd2c8265eb3a7d58767080136af"


def framed(*parts):
    """The framing, written down a second time."""
    sized = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return len(parts).to_bytes(8, "big") + sized


def subkey(purpose, scope, algorithm, size):
    """RFC 5869 for up to 32 bytes, written down a second time."""
    info = framed(b"privkit subkey 1", purpose, scope, algorithm, size.to_bytes(2, "big"))
    extracted = hmac.new(bytes(32), KEY_BYTES, "sha256").digest()
    return hmac.new(extracted, info + b"\1", "sha256").digest()[:size]


class TestFrozen:
    def test_text_is_frozen(self):
        """The text of a key is the same for ever, checksum included."""
        content = framed(b"privkit key 1", b"golden-1", KEY_BYTES)
        checksum = hashlib.sha256(content).hexdigest()[:8]

        assert GOLDEN == Key("golden-1", KEY_BYTES).to_text()
        assert GOLDEN == f"pk1_golden-1_{KEY_BYTES.hex()}_{checksum}"

    def test_tag_is_frozen(self):
        """The tag of a key is the same for ever, whatever its id."""
        assert GOLDEN_TAG == Key("golden-1", KEY_BYTES).tag
        assert GOLDEN_TAG == Key("another", KEY_BYTES).tag
        assert GOLDEN_TAG == subkey(b"tag", b"", b"HKDF-SHA-256", 2).hex()

    def test_subkey_is_frozen(self):
        """A subkey is the same for ever."""
        secret = Key("golden-1", KEY_BYTES).derive(
            purpose="token", scope="patients.email", algorithm="HMAC-SHA-256"
        )

        assert GOLDEN_SUBKEY == secret.expose().hex()
        assert GOLDEN_SUBKEY == subkey(b"token", b"patients.email", b"HMAC-SHA-256", size=32).hex()

    def test_text_is_read(self):
        """A frozen text reads as its key, and white space around it does not matter."""
        assert Key("golden-1", KEY_BYTES) == Key.parse(GOLDEN)
        assert Key("golden-1", KEY_BYTES) == Key.parse(f" \t{GOLDEN}\r\n")


class TestConstruction:
    @pytest.mark.parametrize("key_id", ["a", "0", "k2026-11-23-3fa9", "a" * 32, "a-"])
    def test_accepts_ids(self, key_id):
        """An id is 1 to 32 lower-case letters, digits and hyphens."""
        assert key_id == Key(key_id, KEY_BYTES).id

    @pytest.mark.parametrize(
        "key_id",
        [
            "",
            "-a",
            "A",
            "a_b",
            "a.b",
            "a b",
            "a\n",
            "é",
            "٣",
            "a" * 33,
            "../a",
            "a\0",
            None,
            7,
            b"a",
        ],
    )
    def test_refuses_other_ids(self, key_id):
        """Anything else is refused, and the message says its size or type."""
        with pytest.raises(KeyMaterialError, match="the id of a key is") as caught:
            Key(key_id, KEY_BYTES)

        size = f"{len(key_id)} characters" if isinstance(key_id, str) else type(key_id).__name__
        assert size in str(caught.value)

    def test_refuses_ids_of_another_class(self):
        """Pseudonyms carry an id as it prints, and a member prints as something else."""
        member = Enum("Id", {"KEY": "k1"}, type=str).KEY
        for make in (Key, Key.of_pyffx):
            with pytest.raises(KeyMaterialError, match=r"got Id$"):
                make(member, KEY_BYTES)

    def test_refuses_swapped_arguments(self):
        """A key in the place of the id is refused and not shown."""
        with pytest.raises(KeyMaterialError, match="got bytes"):
            Key(KEY_BYTES, "k1")
        with pytest.raises(KeyMaterialError, match="got 64 characters"):
            Key(KEY_BYTES.hex(), KEY_BYTES)

    def test_refuses_weak_material(self):
        """Weak material is refused with the cure and the id."""
        with pytest.raises(KeyMaterialError, match=r"key k1 .* 'privkit keygen'"):
            Key("k1", bytes(32))


class TestEquality:
    def test_is_of_id_and_material(self):
        """Keys are equal if their ids and their bytes are."""
        key = Key("k1", KEY_BYTES)

        assert key == Key("k1", bytes(bytearray(KEY_BYTES)))
        assert hash(key) == hash(Key("k1", KEY_BYTES))
        assert key != Key("k2", KEY_BYTES)
        assert key != Key("k1", OTHER_KEY_BYTES)
        assert key != "k1"


class TestLeaving:
    @pytest.mark.parametrize(
        "leave",
        [
            pickle.dumps,
            copy.copy,
            copy.deepcopy,
            json.dumps,
            vars,
            dataclasses.asdict,
            dataclasses.astuple,
            dict,
            bytes,
            list,
        ],
        ids=lambda leave: leave.__name__,
    )
    def test_is_refused(self, leave):
        """A key is not pickled, copied, listed or made into bytes."""
        with pytest.raises(TypeError):
            leave(Key("k1", KEY_BYTES))

    def test_inside_a_dataclass_is_refused(self):
        """A dataclass that holds a key cannot be taken apart."""

        @dataclasses.dataclass
        class Settings:
            key: Key

        with pytest.raises(TypeError, match="send the provider instead"):
            dataclasses.asdict(Settings(Key("k1", KEY_BYTES)))

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_no_protocol_pickles_it(self, protocol):
        """No protocol of pickle gets around the refusal."""
        with pytest.raises(TypeError):
            pickle.dumps([Key("k1", KEY_BYTES)], protocol)

    def test_prints_the_id_alone(self):
        """A key prints as its id."""
        key = Key("k1", KEY_BYTES)

        assert "Key(id='k1')" == repr(key)
        assert "Key(id='k1')" == str(key) == f"{key}"

    def test_state_is_redacted(self):
        """What pickle would see of a key, and what its attributes print, is redacted."""
        key = Key("k1", KEY_BYTES)
        shown = repr(key.__getstate__()) + repr([getattr(key, name) for name in key.__slots__])

        assert "SecretBytes(redacted)" in shown
        assert KEY_BYTES.hex() not in shown
        assert repr(KEY_BYTES)[2:-1] not in shown

    def test_subkeys_are_secrets(self):
        """A subkey prints as nothing too."""
        secret = Key("k1", KEY_BYTES).derive(purpose="token", scope="a", algorithm="b", size=48)

        assert isinstance(secret, SecretBytes)
        assert 48 == len(secret)


class TestGenerate:
    def test_is_random(self):
        """Two keys differ, and so do their ids."""
        one, other = Key.generate(), Key.generate()

        assert one.to_text().split("_")[2] != other.to_text().split("_")[2]

    def test_names_the_day_and_the_tag(self):
        """Without an id, a key is named after the day (UTC) and its tag."""
        before = datetime.now(tz=UTC).date().isoformat()
        key = Key.generate()
        after = datetime.now(tz=UTC).date().isoformat()

        assert re.fullmatch("k[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{4}", key.id)
        assert before <= key.id[1:11] <= after
        assert key.tag == key.id[-4:]

    def test_takes_an_id(self):
        """With an id, a key has that id."""
        assert "2026-11" == Key.generate("2026-11").id
        with pytest.raises(KeyMaterialError):
            Key.generate("2026_11")


class TestOfPyffx:
    OLD = b"xanthippes old key"

    def test_is_served_as_it_is(self):
        """What pyffx took is what its cipher gets, whatever the scope."""
        key = Key.of_pyffx("old", self.OLD)

        for scope in ("patients.mrn", "visits.mrn"):
            assert self.OLD == key.derive(purpose="fpe", scope=scope, algorithm="pyffx").expose()

    @pytest.mark.parametrize("algorithm", ["FF1-AES-256", "HMAC-SHA-256", ""])
    def test_serves_nothing_else(self, algorithm):
        """A key of unknown quality never makes a pseudonym of privkit's own."""
        with pytest.raises(KeyMaterialError, match="key old reads what pyffx wrote, and nothing"):
            Key.of_pyffx("old", self.OLD).derive(purpose="fpe", scope="a", algorithm=algorithm)

    @pytest.mark.parametrize("material", [b"", b"fifteen bytes..", "sixteen letters...", None, 16])
    def test_has_at_least_16_bytes(self, material):
        """Shorter keys, and what is no bytes, are refused."""
        with pytest.raises(KeyMaterialError, match="at least 16 bytes"):
            Key.of_pyffx("old", material)

    def test_has_an_id_like_any_key(self):
        """The rule of ids is the same."""
        with pytest.raises(KeyMaterialError, match="the id of a key is"):
            Key.of_pyffx("Old", self.OLD)

    def test_has_no_text(self):
        """Its text would read as a key of privkit's."""
        with pytest.raises(KeyMaterialError, match="key old is of pyffx and has no text"):
            Key.of_pyffx("old", self.OLD).to_text()

    def test_is_no_key_of_privkits(self):
        """The same bytes are another key, with another tag; and the same key is equal."""
        key = Key.of_pyffx("old", KEY_BYTES)

        assert Key("old", KEY_BYTES) != key
        assert Key.of_pyffx("old", KEY_BYTES) == key
        assert Key.of_pyffx("other", KEY_BYTES) != key
        assert Key("old", KEY_BYTES).tag != key.tag
        assert re.fullmatch("[0-9a-f]{4}", key.tag)

    def test_shows_and_carries_no_bytes(self):
        """It prints as its id, and refuses to be pickled."""
        key = Key.of_pyffx("old", self.OLD)

        assert "Key(id='old')" == repr(key)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(key)
