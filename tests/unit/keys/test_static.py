import copy
import pickle
from enum import StrEnum

import pytest

from privkit.errors import KeyMaterialError, KeyNotFoundError
from privkit.keys import Key, Keyset, StaticKeys
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

PRIMARY = Key("2026-01", KEY_BYTES)
OLDER = Key("2025-01", OTHER_KEY_BYTES)


class TestStaticKeys:
    def test_serves_its_keys(self):
        """The default keyset is the given keys."""
        keys = StaticKeys(primary=PRIMARY, older=[OLDER])

        assert Keyset(PRIMARY, [OLDER]) == keys.keyset("default")

    def test_serves_one_name(self):
        """Another keyset is not found, so that two keysets never share keys unsaid."""
        keys = StaticKeys(PRIMARY, name="billing")
        with pytest.raises(KeyNotFoundError, match="no keyset default; these StaticKeys serve"):
            keys.keyset("default")
        with pytest.raises(KeyNotFoundError, match="got 7 characters"):
            keys.keyset("Billing")

        assert PRIMARY is keys.keyset("billing").primary

    def test_refuses_other_names(self):
        """The name is one that a keyset may have."""
        with pytest.raises(KeyNotFoundError, match="the name of a keyset is"):
            StaticKeys(PRIMARY, name="../billing")
        with pytest.raises(KeyNotFoundError, match=r"got what looks like a key$"):
            StaticKeys(PRIMARY, name=PRIMARY.to_text()[:40])
        with pytest.raises(KeyNotFoundError, match=r"got Name$"):
            StaticKeys(PRIMARY, name=StrEnum("Name", {"BILLING": "billing"}).BILLING)

    def test_refuses_raw_bytes(self):
        """Bytes are no key."""
        with pytest.raises(KeyMaterialError, match="got bytes"):
            StaticKeys(KEY_BYTES)

    def test_prints_ids(self):
        """It prints as the ids of its keys."""
        assert "StaticKeys(ids=['2026-01', '2025-01'])" == repr(StaticKeys(PRIMARY, older=[OLDER]))

    @pytest.mark.parametrize(
        "leave", [pickle.dumps, copy.deepcopy, vars], ids=lambda leave: leave.__name__
    )
    def test_does_not_leave(self, leave):
        """It is not pickled, copied deeply or listed."""
        with pytest.raises(TypeError):
            leave(StaticKeys(PRIMARY))
