"""
The public suite for key providers, with the keys that the harness searches for.
"""

from privkit.keys import Key, Keyset
from privkit.testing import KeyProviderSuite
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES


class Conformance(KeyProviderSuite):
    """
    The suite, over canaries.
    """

    keyset = Keyset(Key("k3", KEY_BYTES), [Key("k2", OTHER_KEY_BYTES), Key("k1", THIRD_KEY_BYTES)])
    twins = (Key("k1", KEY_BYTES), Key("k1", OTHER_KEY_BYTES))


def texts(*keys: Key) -> str:
    """
    Return keys as text, one a line.
    """
    return "".join(f"{key.to_text()}\n" for key in keys)
