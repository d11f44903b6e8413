import copy
import hmac
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from privkit.ciphers.prf import HMACSHA256, frame
from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from tests.canaries import EMAIL, KEY_BYTES

SECRET = SecretBytes(KEY_BYTES)


class TestFrame:
    def test_is_frozen(self):
        """
        The framing is a number of parts and, before each part, its size, all in 8 bytes.
        """
        eight = bytes(7)

        assert eight + b"\0" == frame()
        assert eight + b"\1" + eight + b"\0" == frame(b"")
        assert eight + b"\2" + eight + b"\1a" + eight + b"\2bc" == frame(b"a", b"bc")


class TestHMAC:
    @pytest.mark.parametrize("size", [0, 1, 55, 56, 64, 65, 1_000])
    def test_is_what_the_standard_library_computes(self, size):
        """
        The code of a message of any size is that of `hmac`.
        """
        message = bytes(size)
        expected = hmac.digest(KEY_BYTES, message, "sha256")

        assert expected == HMACSHA256(SECRET).digest(message)
        assert expected.hex() == HMACSHA256(SECRET).hexdigest(message)

    def test_hands_out_its_states(self):
        """
        A caller who goes through the states, with a start put in beforehand, gets the same code.
        """
        copy_inner, copy_outer = HMACSHA256(SECRET).states(b"start")
        for _ in range(2):
            inner, outer = copy_inner(), copy_outer()
            inner.update(b" end")
            outer.update(inner.digest())

            assert hmac.digest(KEY_BYTES, b"start end", "sha256") == outer.digest()

    @pytest.mark.parametrize("size", [0, 16, 31, 33, 64, 65])
    def test_refuses_keys_of_other_sizes(self, size):
        """
        Only keys of 32 bytes are taken, since the standard would pad or hash others.
        """
        with pytest.raises(KeyMaterialError, match=f"32 bytes, got {size}"):
            HMACSHA256(SecretBytes(KEY_BYTES.ljust(65)[:size]))

    def test_leaks_nothing_between_calls(self):
        """
        One object serves many threads and messages, and gives each message its own code.
        """
        mac = HMACSHA256(SECRET)
        messages = [EMAIL.encode() * number for number in range(50)]
        expected = [hmac.digest(KEY_BYTES, message, "sha256") for message in messages]

        with ThreadPoolExecutor(8) as pool:
            runs = list(pool.map(lambda _: [mac.digest(one) for one in messages], range(8)))

        assert [expected] * 8 == runs

    @pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_cannot_be_pickled_or_copied(self, way):
        """
        A keyed state is not carried elsewhere.
        """
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            way(HMACSHA256(SECRET))
