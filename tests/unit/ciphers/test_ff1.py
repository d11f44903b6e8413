import copy
import pickle
import random
import threading
import traceback
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from privkit.ciphers.ff1 import FF1, MAX_SHAPES, half_bytes, shortest
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import DIGITS, KEY_BYTES, OTHER_KEY_BYTES
from tests.unit.ciphers.forks import in_child

STRING = [int(digit) for digit in DIGITS]


def random_case(random_, radices):
    """
    Return a radix, a string in it and a tweak, of lengths that take every path.
    """
    radix = random_.choice(radices)
    length = shortest(radix) + random_.choice((0, 1, 2, 5, 30))
    string = [random_.randrange(radix) for _ in range(length)]
    return radix, string, random_.randbytes(random_.randrange(65))


class TestConstruction:
    @pytest.mark.parametrize("size", [0, 8, 15, 17, 20, 31, 33, 40, 64])
    def test_refuses_keys_of_other_sizes(self, size):
        """
        AES has keys of 16, 24 and 32 bytes.
        """
        with pytest.raises(KeyMaterialError, match="16, 24 or 32"):
            FF1(KEY_BYTES.ljust(64)[:size], 10)

    @pytest.mark.parametrize("key", [None, 32, "0" * 32, bytearray(32)])
    def test_refuses_keys_that_are_no_bytes(self, key):
        """
        A key is bytes: text, or bytes that can be changed, are none.
        """
        with pytest.raises(KeyMaterialError):
            FF1(key, 10)

    @pytest.mark.parametrize("radix", [-10, 0, 1, 65_537, 10.0, "10", True, None])
    def test_refuses_radices_out_of_range(self, radix):
        """
        A radix is an integer from 2 to 65,536.
        """
        with pytest.raises(DomainError, match="from 2 to 65,536"):
            FF1(KEY_BYTES, radix)

    @pytest.mark.parametrize("size", [-1, 0, 99, 1e6, "100", None, True])
    def test_refuses_floors_below_the_standard(self, size):
        """
        No choice of floor goes below the 100 values of the standard.
        """
        with pytest.raises(DomainError, match="from 100"):
            FF1(KEY_BYTES, 10, min_domain_size=size)

    def test_takes_a_secret(self):
        """
        A key that is held in a secret is the same key.
        """
        cipher = FF1.from_secret(SecretBytes(KEY_BYTES), 10, min_domain_size=100)

        assert 100 == cipher.min_domain_size
        assert FF1(KEY_BYTES, 10).encrypt(STRING) == cipher.encrypt(STRING)


class TestStrings:
    @pytest.mark.parametrize(
        "wrong", [-1, 10, 255, 256, 10**30, 1.0, "1", b"1", None, [], float("nan")]
    )
    @pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
    def test_refuses_what_is_no_numeral(self, wrong, direction):
        """
        A numeral is an integer from 0 to radix - 1, wherever it stands.
        """
        cipher = FF1(KEY_BYTES, 10)
        for position in (0, 7, 15):
            string = [*STRING[:position], wrong, *STRING[position + 1 :]]
            with pytest.raises(DomainError, match="integers from 0 to 9"):
                getattr(cipher, direction)(string)

    @pytest.mark.parametrize("wrong", [-1, 300, 65_536, 10**30, 1.0, "1", None])
    def test_refuses_what_is_no_numeral_of_a_large_radix(self, wrong):
        """
        Radices above 256, whose numerals are no bytes, have the same rule.
        """
        with pytest.raises(DomainError, match="integers from 0 to 299"):
            FF1(KEY_BYTES, 300).encrypt([1, 2, wrong, 3])

    @pytest.mark.parametrize("string", [None, 16, 1.5, DIGITS, object()])
    @pytest.mark.parametrize("radix", [10, 300])
    def test_refuses_what_is_no_string_of_numerals(self, string, radix):
        """
        Text and single numbers are no strings of numerals.
        """
        with pytest.raises(DomainError, match="a sequence of integers"):
            FF1(KEY_BYTES, radix).encrypt(string)

    @pytest.mark.parametrize("kind", [bytes, bytearray, tuple, iter])
    def test_takes_any_sequence(self, kind):
        """
        The kind of sequence makes no difference, and a list comes out.
        """
        cipher = FF1(KEY_BYTES, 10)

        assert cipher.encrypt(STRING) == cipher.encrypt(kind(STRING))

    @pytest.mark.parametrize("radix", [10, 300])
    def test_takes_the_integers_of_numpy(self, radix):
        """
        An array is read number by number, not as the memory it lies in.
        """
        numpy = pytest.importorskip("numpy")
        cipher = FF1(KEY_BYTES, radix)
        result = cipher.encrypt(numpy.array(STRING))

        assert cipher.encrypt(STRING) == result
        assert {int} == set(map(type, result))

    @pytest.mark.parametrize("tweak", [None, "", "tweak", 5, bytearray(3), [1]])
    def test_refuses_tweaks_that_are_no_bytes(self, tweak):
        """
        A tweak is bytes.
        """
        with pytest.raises(DomainError, match="a tweak is bytes"):
            FF1(KEY_BYTES, 10).encrypt(STRING, tweak)

    def test_leaves_the_input_alone(self):
        """
        The string that was passed is not changed.
        """
        string = list(STRING)
        FF1(KEY_BYTES, 10).encrypt(string)

        assert STRING == string

    @pytest.mark.parametrize("length", [2**32, 2**40])
    def test_refuses_what_the_parameter_block_cannot_count(self, length):
        """
        Strings have fewer than 2**32 numerals.
        """
        with pytest.raises(DomainError, match=r"2\*\*32"):
            FF1(KEY_BYTES, 10).encrypt_number(0, length)

    def test_refuses_a_tweak_that_the_parameter_block_cannot_count(self):
        """
        Tweaks have fewer than 2**32 bytes.
        """

        class Long(bytes):
            def __len__(self):
                return 2**32

        with pytest.raises(DomainError, match=r"2\*\*32"):
            FF1(KEY_BYTES, 10).encrypt(STRING, Long(b"tweak"))

    @pytest.mark.parametrize("radix", [2, 8, 10, 16, 36, 62, 256, 257, 65_536])
    @pytest.mark.parametrize("length", [513, 2_000, 9_001])
    def test_reads_long_strings(self, radix, length):
        """
        Long strings come back, also where Python refuses to read so many digits at once.
        """
        cipher = FF1(KEY_BYTES, radix)
        string = [position * 7 % radix for position in range(length)]
        result = cipher.encrypt(string, b"tweak")

        assert length == len(result)
        assert string != result
        assert string == cipher.decrypt(result, b"tweak")


class TestSmallDomains:
    def test_refuses_each_one(self):
        """
        Every radix and length with fewer than 1,000,000 strings is refused.
        """
        refused = 0
        for radix in range(2, 65_537):
            cipher = FF1(KEY_BYTES, radix)
            length = 0
            while length < 2 or radix**length < 1_000_000:
                with pytest.raises(DomainError) as caught:
                    cipher.encrypt([0] * length)
                refused += 1
                length += 1

            assert (length - 1, length) == (caught.value.length, caught.value.minimum)

        assert 132_244 == refused

    @pytest.mark.parametrize(("radix", "length"), [(10, 6), (2, 20), (1000, 2), (65_536, 2)])
    def test_accepts_the_first_that_is_large_enough(self, radix, length):
        """
        Exactly 1,000,000 strings are enough.
        """
        cipher = FF1(KEY_BYTES, radix)

        assert [1] * length == cipher.decrypt(cipher.encrypt([1] * length))

    def test_goes_down_to_the_floor_of_the_standard(self):
        """
        With the least floor, 100 strings are enough and 99 are not.
        """
        assert 2 == len(FF1(KEY_BYTES, 10, min_domain_size=100).encrypt([4, 2]))
        with pytest.raises(DomainError, match="at least 3"):
            FF1(KEY_BYTES, 9, min_domain_size=100).decrypt([4, 2])

    def test_names_numbers_and_no_numerals(self):
        """
        The refusal says how many numerals there are and how many are needed.
        """
        expected = (
            "4 numerals in radix 10 have fewer than 1,000,000 possible values: "
            "at least 6 are needed"
        )
        with pytest.raises(DomainError) as caught:
            FF1(KEY_BYTES, 10).encrypt([9, 4, 2, 7])

        assert expected == str(caught.value)
        assert (4, 6) == (caught.value.length, caught.value.minimum)


class TestHalfBytes:
    def test_is_exact(self):
        """
        The bytes of a half are the fewest that hold every number of its length.

        All radices up to 65,536, all lengths up to 64.
        """
        radices = range(2, 65_537)
        for length in range(1, 65):
            expected = []
            size = 0
            while len(expected) < len(radices):
                size += 1
                # With *size* bytes goes every radix whose largest number is below 256**size.
                end = bisect_right(radices, 256**size, key=lambda radix, v=length: radix**v)
                expected += [size] * (end - len(expected))

            assert expected == [half_bytes(radix, length) for radix in radices]


class TestState:
    """
    One object gives what a fresh one gives, whatever it was asked before.
    """

    RADICES = (2, 10, 26, 36, 62, 256, 300, 65_536)

    @pytest.mark.parametrize("calls", [3_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
    def test_leaks_nothing_between_calls(self, calls):
        """
        Interleaved radices, lengths and tweak lengths from 0 to 64 do not disturb each other.
        """
        random_ = random.Random(calls)
        kept = {radix: FF1(KEY_BYTES, radix) for radix in self.RADICES}
        for _ in range(calls):
            radix, string, tweak = random_case(random_, self.RADICES)
            expected = FF1(KEY_BYTES, radix).encrypt(string, tweak)

            assert expected == kept[radix].encrypt(string, tweak)
            assert string == kept[radix].decrypt(expected, tweak)

    def test_tells_tweak_lengths_apart(self):
        """
        Of two tweaks that differ in length alone, each keeps its own parameter block.
        """
        cipher = FF1(KEY_BYTES, 10)
        results = [tuple(cipher.encrypt(STRING, bytes(size))) for size in (*range(65), *range(65))]

        assert 65 == len(set(results))
        assert results[:65] == results[65:]

    def test_remembers_a_bounded_number_of_shapes(self):
        """
        However many lengths occur, few are remembered, and results stay the same.
        """
        cipher = FF1(KEY_BYTES, 10)
        lengths = range(6, 6 + MAX_SHAPES + 10)
        first = [cipher.encrypt([1] * length) for length in lengths]

        assert len(cipher._shapes) <= MAX_SHAPES
        assert first == [cipher.encrypt([1] * length) for length in lengths]

    def test_serves_many_threads(self):
        """
        Eight threads on one object, with strings so long that OpenSSL lets other threads run.
        """
        cipher = FF1(KEY_BYTES, 10)
        strings = [STRING, STRING * 20, STRING * 500, STRING * 1_200] * 4
        expected = [FF1(KEY_BYTES, 10).encrypt(string, b"tweak") for string in strings]
        start = threading.Barrier(8)

        def work(_):
            start.wait()
            return [cipher.encrypt(string, b"tweak") for string in strings]

        with ThreadPoolExecutor(8) as pool:
            assert [expected] * 8 == list(pool.map(work, range(8)))

    def test_survives_a_fork(self):
        """
        A child goes on with the object that its parent has used, and so does the parent.
        """
        cipher = FF1(KEY_BYTES, 10)
        expected = cipher.encrypt(STRING)

        assert bytes(expected) == in_child(lambda: bytes(cipher.encrypt(STRING)))
        assert bytes(expected) == in_child(lambda: bytes(FF1(KEY_BYTES, 10).encrypt(STRING)))
        assert expected == cipher.encrypt(STRING)


class TestSeparation:
    def test_depends_on_everything(self):
        """
        Another key, key size, radix, tweak or tweak length gives another result.
        """
        results = [
            tuple(FF1(key, radix).encrypt(STRING, tweak))
            for key, radix, tweak in product(
                (KEY_BYTES, OTHER_KEY_BYTES, KEY_BYTES[:24], KEY_BYTES[:16]),
                (10, 11, 300),
                (b"", b"\0", b"\0\0", b"a", b"a" * 40),
            )
        ]

        assert len(results) == len(set(results))


class TestSecrecy:
    def test_shows_no_key(self):
        """
        The repr says what is public.
        """
        assert "FF1(radix=10, min_domain_size=1000000)" == repr(FF1(KEY_BYTES, 10))

    @pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_cannot_be_pickled_or_copied(self, way):
        """
        A cipher is not carried elsewhere.
        """
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            way(FF1(KEY_BYTES, 10))

    def test_holds_no_key_in_its_frames(self):
        """
        A traceback that prints the locals of a refusal prints no key bytes of ours.
        """
        try:
            FF1.from_secret(SecretBytes(KEY_BYTES), 1)
        except DomainError as error:
            printed = "".join(
                traceback.TracebackException.from_exception(error, capture_locals=True).format()
            )

        assert repr(KEY_BYTES) not in printed
        assert "SecretBytes(redacted)" in printed
