import copy
import gc
import json
import pickle
import traceback

import pytest

from privkit.ciphers.secret import SecretBytes
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

SECRET = SecretBytes(KEY_BYTES)


class TestSecretBytes:
    def test_exposes_on_demand(self):
        """
        The bytes come out by the one explicit call.
        """
        assert KEY_BYTES == SECRET.expose()
        assert 32 == len(SECRET)

    @pytest.mark.parametrize("way", [repr, str, "{}".format, "{!r:>40}".format])
    def test_prints_nothing(self, way):
        """
        However it is printed, no byte shows.
        """
        assert "SecretBytes(redacted)" == way(SECRET).strip()

    def test_compares_content(self):
        """
        Secrets are equal if their bytes are, and are never equal to plain bytes.
        """
        assert SecretBytes(bytes([*KEY_BYTES])) == SECRET
        assert SecretBytes(OTHER_KEY_BYTES) != SECRET
        assert SECRET != KEY_BYTES

    def test_cannot_be_hashed(self):
        """
        A secret is no key of a dictionary.
        """
        with pytest.raises(TypeError, match="unhashable"):
            hash(SECRET)

    @pytest.mark.parametrize(
        "way", [copy.copy, copy.deepcopy, *(lambda s, p=p: pickle.dumps(s, p) for p in range(6))]
    )
    def test_cannot_be_pickled_or_copied(self, way):
        """
        A secret is not carried elsewhere.
        """
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            way(SECRET)

    @pytest.mark.parametrize("way", [json.dumps, vars, dict, list, bytes])
    def test_is_no_container(self, way):
        """
        What turns objects into data finds none.
        """
        with pytest.raises(TypeError):
            way(SECRET)

    def test_shows_nothing_in_a_traceback(self):
        """
        A traceback that prints locals prints no byte.
        """
        secret = SecretBytes(KEY_BYTES)
        try:
            raise RuntimeError(secret)
        except RuntimeError as error:
            printed = "".join(
                traceback.TracebackException.from_exception(error, capture_locals=True).format()
            )

        assert "SecretBytes(redacted)" in printed
        assert repr(KEY_BYTES) not in printed

    def test_holds_no_bytes_in_its_attributes(self):
        """
        A walk over the attributes meets a function, and no bytes.
        """
        values = [getattr(SECRET, name) for name in SECRET.__slots__]

        assert KEY_BYTES not in values
        assert KEY_BYTES not in gc.get_referents(SECRET)
