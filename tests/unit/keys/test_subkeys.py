import dataclasses
import itertools
import pickle

import pytest

from privkit.keys import Key, Subkeys
from privkit.typing import Subkeys as SubkeysProtocol
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

KEY = Key("k1", KEY_BYTES)


class TestSubkeys:
    def test_meets_the_protocol(self):
        """It has what a keyed transform asks for."""
        subkeys: SubkeysProtocol = Subkeys(KEY, field="email", scope="patients.email")

        assert "k1" == subkeys.key_id
        assert KEY.tag == subkeys.key_tag
        assert "email" == subkeys.field
        assert "patients.email" == subkeys.scope

    def test_derives_within_the_scope(self):
        """A subkey depends on the key, the scope and the names, and not on the field."""
        one = Subkeys(KEY, field="email", scope="mail")
        other = Subkeys(KEY, field="contact", scope="mail")
        expected = KEY.derive(purpose="token", scope="mail", algorithm="HMAC-SHA-256", size=48)

        assert expected == one.derive("token", "HMAC-SHA-256", size=48)
        assert expected == other.derive("token", "HMAC-SHA-256", size=48)

    def test_all_subkeys_differ(self):
        """Each combination of key, scope, purpose, algorithm and size has its own subkey."""
        keys = [KEY, Key("k1", OTHER_KEY_BYTES)]
        names = ["a", "b", "ab", "", "a.b", "ä"]
        combinations = list(itertools.product(keys, names, names, names, [16, 32, 64]))
        found = {
            Subkeys(key, field="f", scope=scope).derive(purpose, algorithm, size=size).expose()[:16]
            for key, scope, purpose, algorithm, size in combinations
        }

        assert len(combinations) == len(found)

    def test_does_not_leave(self):
        """Subkeys are not pickled, and print no key."""
        subkeys = Subkeys(KEY, field="email", scope="mail")
        with pytest.raises(TypeError):
            pickle.dumps(subkeys)
        with pytest.raises(TypeError):
            dataclasses.asdict(subkeys)

        assert "Subkeys(key=Key(id='k1'), field='email', scope='mail')" == repr(subkeys)
