import copy
import dataclasses
import pickle

import pytest

from privkit.errors import KeyMaterialError, KeyNotFoundError
from privkit.keys import Key, Keyset
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES

PRIMARY = Key("k3", KEY_BYTES)
OLDER = Key("k2", OTHER_KEY_BYTES)
OLDEST = Key("k1", THIRD_KEY_BYTES)


def same_tag():
    """Two keys of one tag: with 16 bits, a few hundred draws hold such a pair."""
    seen = {}
    while True:
        key = Key.generate(f"k{len(seen)}")
        if key.tag in seen:
            return seen[key.tag], key
        seen[key.tag] = key


class TestKeyset:
    def test_holds_primary_and_older(self):
        """The primary stands first, the keys it replaced behind it."""
        keyset = Keyset(PRIMARY, [OLDER, OLDEST])

        assert PRIMARY is keyset.primary
        assert (OLDER, OLDEST) == keyset.older
        assert (PRIMARY, OLDER, OLDEST) == keyset.live
        assert ("k3", "k2", "k1") == keyset.ids

    def test_older_keys_are_optional(self):
        """A keyset of one key has nothing older."""
        assert () == Keyset(PRIMARY).older

    def test_gets_live_keys(self):
        """Each live key is found by its id."""
        keyset = Keyset(PRIMARY, [OLDER])

        assert PRIMARY is keyset.get("k3")
        assert OLDER is keyset.get("k2")

    @pytest.mark.parametrize(
        ("key_id", "shown"),
        [
            ("k1", "no key k1 among the keys k3, k2"),
            ("K1 ", "no key of that id"),
            (None, "that id"),
        ],
    )
    def test_misses_other_ids(self, key_id, shown):
        """Another id raises, and is shown only if it is an id at all."""
        with pytest.raises(KeyNotFoundError, match=shown):
            Keyset(PRIMARY, [OLDER]).get(key_id)

    def test_is_a_value(self):
        """Keysets of equal keys are equal and hash alike."""
        assert Keyset(PRIMARY, [OLDER]) == Keyset(PRIMARY, (OLDER,))
        assert hash(Keyset(PRIMARY, [OLDER])) == hash(Keyset(PRIMARY, (OLDER,)))
        assert Keyset(PRIMARY, [OLDER]) != Keyset(OLDER, [PRIMARY])

    def test_equals_keysets_alone(self):
        """A keyset is no key, and none that has lost one of its keys."""
        assert Keyset(PRIMARY) != PRIMARY
        assert Keyset(PRIMARY) != Keyset(PRIMARY, compromised=[OLDER])

    def test_is_frozen(self):
        """A keyset does not change, not even by way of the list it was made from."""
        older = [OLDER]
        keyset = Keyset(PRIMARY, older)
        older.append(OLDEST)
        with pytest.raises(AttributeError):
            keyset.primary = OLDER

        assert ("k3", "k2") == keyset.ids

    def test_prints_ids(self):
        """A keyset prints as the ids of its keys."""
        assert "Keyset(ids=['k3', 'k2'])" == repr(Keyset(PRIMARY, [OLDER]))

    @pytest.mark.parametrize(
        "leave", [pickle.dumps, copy.deepcopy, dataclasses.asdict], ids=lambda leave: leave.__name__
    )
    def test_does_not_leave(self, leave):
        """A keyset is not pickled, copied deeply or taken apart."""
        with pytest.raises(TypeError):
            leave(Keyset(PRIMARY, [OLDER]))


class TestRefusals:
    def test_compromised_keys_are_a_list(self):
        """What is no list of keys is refused by its type."""
        with pytest.raises(KeyMaterialError, match="the compromised keys are a list or a tuple"):
            Keyset(PRIMARY, compromised=OTHER_KEY_BYTES)

    def test_ids_differ(self):
        """Two keys of one id are refused."""
        with pytest.raises(KeyMaterialError, match="got k3 twice"):
            Keyset(PRIMARY, [OLDER, Key("k3", THIRD_KEY_BYTES)])

    def test_materials_differ(self):
        """One key under two ids is refused."""
        with pytest.raises(KeyMaterialError, match="keys k2 and copy are the same"):
            Keyset(PRIMARY, [OLDER, Key("copy", OTHER_KEY_BYTES)])

    def test_tags_differ(self):
        """Two keys whose tags agree by chance are refused with the cure."""
        one, other = same_tag()

        with pytest.raises(KeyMaterialError, match="run 'privkit keygen' to make another"):
            Keyset(one, [other])

    @pytest.mark.parametrize(
        ("keys", "given"),
        [
            ((KEY_BYTES,), "got bytes"),
            ((PRIMARY, [OTHER_KEY_BYTES]), "got bytes"),
            ((PRIMARY, [None]), "got NoneType"),
            ((PRIMARY, OLDER), "got Key"),
            ((PRIMARY, None), "got NoneType"),
            ((PRIMARY, OTHER_KEY_BYTES), "got bytes"),
            ((PRIMARY, "k2"), "got str"),
        ],
    )
    def test_holds_keys_alone(self, keys, given):
        """What is no key is refused by its type."""
        with pytest.raises(KeyMaterialError, match=given):
            Keyset(*keys)
