import copy
import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.siv import AESSIV
from privkit.errors import DomainError, KeyMaterialError, PrivkitError, TamperedError
from tests.canaries import EMAIL, KEY_BYTES, OTHER_KEY_BYTES
from tests.unit.ciphers.forks import in_child

SECRET = SecretBytes(KEY_BYTES + OTHER_KEY_BYTES)
PLAINTEXT = EMAIL.encode()
ASSOCIATED = [b"privkit", b"patients.email", b"2026-01"]


def flipped(text):
    """
    Yield a byte string with each of its bits changed in turn.
    """
    number = int.from_bytes(text)
    for bit in range(8 * len(text)):
        yield (number ^ 1 << bit).to_bytes(len(text))


def rejected(cipher, ciphertext, associated):
    """
    Tell whether a ciphertext is refused.
    """
    try:
        cipher.decrypt(ciphertext, associated)
    except TamperedError:
        return True
    return False


class TestKeys:
    @pytest.mark.parametrize("size", [0, 16, 24, 31, 33, 40, 63, 65, 96])
    def test_refuses_keys_of_other_sizes(self, size):
        """
        AES-SIV has keys of 32, 48 and 64 bytes.
        """
        with pytest.raises(KeyMaterialError, match="32, 48 or 64"):
            AESSIV(SecretBytes(SECRET.expose().ljust(96)[:size]))

    @pytest.mark.parametrize("size", [32, 48, 64])
    def test_returns_what_it_took(self, size):
        """
        What was encrypted comes back, 16 bytes longer in between.
        """
        cipher = AESSIV(SecretBytes(SECRET.expose()[:size]))
        ciphertext = cipher.encrypt(PLAINTEXT, ASSOCIATED)

        assert len(PLAINTEXT) + 16 == len(ciphertext)
        assert PLAINTEXT == cipher.decrypt(ciphertext, ASSOCIATED)

    @pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_cannot_be_pickled_or_copied(self, way):
        """
        A cipher is not carried elsewhere.
        """
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            way(AESSIV(SECRET))

    def test_shows_no_key(self):
        """
        The repr holds no byte of the key.
        """
        assert KEY_BYTES.hex() not in repr(AESSIV(SECRET))


class TestAssociatedData:
    def test_order_number_and_bounds_count(self):
        """
        No two lists of associated strings are taken for each other.
        """
        lists = [[], [b""], [b"", b""], [b"ab"], [b"a", b"b"], [b"b", b"a"], [b"ab", b""]]
        cipher = AESSIV(SECRET)

        assert len(lists) == len({cipher.encrypt(PLAINTEXT, one) for one in lists})
        for one in lists:
            for other in lists:
                assert (one != other) == rejected(cipher, cipher.encrypt(PLAINTEXT, one), other)

    def test_takes_no_more_than_the_standard(self):
        """
        126 strings are the most.
        """
        cipher = AESSIV(SECRET)
        most = [b"a"] * 126

        assert PLAINTEXT == cipher.decrypt(cipher.encrypt(PLAINTEXT, most), most)
        with pytest.raises(DomainError, match="126"):
            cipher.encrypt(PLAINTEXT, [*most, b"a"])
        with pytest.raises(TamperedError):
            cipher.decrypt(cipher.encrypt(PLAINTEXT, most), [*most, b"a"])


class TestTampering:
    @pytest.mark.parametrize("samples", [20, pytest.param(10_000, marks=pytest.mark.nightly)])
    def test_each_changed_bit_is_seen(self, samples):
        """
        A ciphertext in which a single bit was changed is refused.
        """
        random_ = random.Random(samples)
        cipher = AESSIV(SECRET)
        for _ in range(samples):
            plaintext = random_.randbytes(random_.randrange(1, 49))
            ciphertext = cipher.encrypt(plaintext, ASSOCIATED)

            assert all(rejected(cipher, changed, ASSOCIATED) for changed in flipped(ciphertext))

    def test_each_changed_bit_of_the_associated_data_is_seen(self):
        """
        A ciphertext that was moved to another field, scope or key is refused.
        """
        cipher = AESSIV(SECRET)
        ciphertext = cipher.encrypt(PLAINTEXT, ASSOCIATED)
        for place, text in enumerate(ASSOCIATED):
            for changed in flipped(text):
                moved = [*ASSOCIATED[:place], changed, *ASSOCIATED[place + 1 :]]

                assert rejected(cipher, ciphertext, moved)

    def test_each_shorter_ciphertext_is_seen(self):
        """
        A ciphertext that was cut, also to nothing, is refused.
        """
        cipher = AESSIV(SECRET)
        ciphertext = cipher.encrypt(PLAINTEXT, ASSOCIATED)

        for size in range(len(ciphertext)):
            assert rejected(cipher, ciphertext[:size], ASSOCIATED)

    def test_another_key_is_seen(self):
        """
        The refusal under another key is the one for an altered ciphertext.
        """
        ciphertext = AESSIV(SECRET).encrypt(PLAINTEXT, ASSOCIATED)
        other = AESSIV(SecretBytes(OTHER_KEY_BYTES + KEY_BYTES))
        with pytest.raises(TamperedError) as caught:
            other.decrypt(ciphertext, ASSOCIATED)

        assert "the ciphertext was altered, or belongs elsewhere" == str(caught.value)
        assert (None, None) == (caught.value.__cause__, caught.value.__context__)
        assert isinstance(caught.value, PrivkitError)


class TestSharing:
    def test_serves_many_threads(self):
        """
        Eight threads on one object, with texts so long that OpenSSL lets other threads run.
        """
        cipher = AESSIV(SECRET)
        texts = [bytes(size) for size in (16, 2_032, 2_048, 2**20)]
        expected = [AESSIV(SECRET).encrypt(text) for text in texts]
        start = threading.Barrier(8)

        def work(_):
            start.wait()
            return cipher._thread.cipher, [cipher.encrypt(text) for _ in range(5) for text in texts]

        with ThreadPoolExecutor(8) as pool:
            contexts, results = zip(*pool.map(work, range(8)), strict=True)

        assert [expected * 5] * 8 == list(results)
        assert 8 == len({id(context) for context in contexts})

    def test_survives_a_fork(self):
        """
        A child goes on with the object that its parent has used.
        """
        cipher = AESSIV(SECRET)
        expected = cipher.encrypt(PLAINTEXT)

        assert expected == in_child(lambda: cipher.encrypt(PLAINTEXT))
