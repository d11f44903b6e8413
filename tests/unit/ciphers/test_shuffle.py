import copy
import hmac
import itertools
import os
import pickle
import random
import struct
import threading
from collections import Counter
from fractions import Fraction
from functools import cache

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.ciphers.permutation import Table
from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.shuffle import STEPS, SometimesRecurse, drawn_matrix, inverse
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import DIGITS, KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.unit.ciphers.test_permutation import chi_square

SECRET = SecretBytes(KEY_BYTES)
SHUFFLE = SometimesRecurse(SECRET)


class Reference:
    """
    The shuffle as its documentation has it, one bit and one round at a time.
    """

    def __init__(self, key, size, context):
        self.key, self.size, self.context = key, size, context

    def subkey(self, purpose, number, context=b""):
        parts = [b"privkit permutation 1", purpose, struct.pack(">Q", number), context]
        message = struct.pack(">Q", 4) + b"".join(struct.pack(">Q", len(p)) + p for p in parts)
        return hmac.digest(self.key, message, "sha256")

    def blocks(self, subkey):
        return Cipher(algorithms.AES(subkey), modes.ECB()).encryptor().update

    @cache  # noqa: B019 - as long as a test
    def matrices(self, level):
        encipher = self.blocks(self.subkey(b"matrices", level))
        stream = itertools.chain.from_iterable(
            encipher(i.to_bytes(16, "big")) for i in itertools.count()
        )
        matrices = []
        for _ in range(56):
            columns, span = [], {0}
            while len(columns) < level:
                column = int.from_bytes(bytes(itertools.islice(stream, 4)), "big") // 2 ** (
                    32 - level
                )
                if column not in span:
                    columns.append(column)
                    span |= {column ^ other for other in span}
            matrices.append(columns)
        return matrices

    @cache  # noqa: B019 - as long as a test
    def base(self):
        encipher = self.blocks(self.subkey(b"base", self.size, self.context))
        stream = b"".join(encipher(i.to_bytes(16, "big")) for i in range(512))
        return struct.unpack("<1024Q", stream)

    def once(self, x):
        encipher = self.blocks(self.subkey(b"shuffle", self.size, self.context))
        level = len(f"{self.size - 1:b}")
        while level > 10:
            for step, columns in enumerate(self.matrices(level)):
                y = 0
                for bit, column in enumerate(columns):
                    if x & 2**bit:
                        y ^= column
                x = y
                for i in range(8):
                    upper = max(x, x ^ 2**i)
                    block = (
                        bytes(10)
                        + bytes([level, step])
                        + (x // 256 * 256 + upper % 256 // 16).to_bytes(4, "big")
                    )
                    if encipher(block)[upper % 16] & 2**i:
                        x ^= 2**i
            if x >= 2 ** (level - 1):
                return x
            level -= 1
        return sum(other < self.base()[x] for other in self.base())

    def encrypt(self, x):
        x = self.once(x)
        while x >= self.size:
            x = self.once(x)
        return x


class TestShuffle:
    @pytest.mark.parametrize("size", [*range(2, 40), 100, 1000, 1023, 1024, 1025, 1500, 2048, 2049])
    def test_is_a_permutation(self, size):
        """
        Every number is the image of exactly one.
        """
        images = {SHUFFLE.encrypt(number, size=size) for number in range(size)}

        assert set(range(size)) == images

    @settings(max_examples=100, deadline=None)
    @given(size=st.integers(2, 2**24), context=st.binary(max_size=20), data=st.data())
    def test_comes_back(self, size, context, data):
        """
        The image of a number is in range and leads back to it.
        """
        number = data.draw(st.integers(0, size - 1))
        image = SHUFFLE.encrypt(number, size=size, context=context)

        assert 0 <= image < size
        assert number == SHUFFLE.decrypt(image, size=size, context=context)

    @pytest.mark.parametrize("size", [1025, 2048, 5000])
    def test_comes_back_from_every_level(self, size):
        """
        The lowest numbers have left at the last level, and lead back too.
        """
        for number in (*range(40), *range(1000, 1030), *range(size - 20, size)):
            assert number % size == SHUFFLE.encrypt(
                SHUFFLE.decrypt(number % size, size=size), size=size
            )

    @pytest.mark.parametrize(
        ("size", "context"),
        [(1025, b""), (2048, b"411111"), (3000, b"x"), (100_000, b"4111111111"), (2**17, b"")],
    )
    def test_is_the_documented_shuffle(self, size, context):
        """
        The images are those of an implementation that computes one bit at a time.
        """
        reference = Reference(KEY_BYTES, size, context)
        numbers = random.Random(size).sample(range(size), 12)

        assert [reference.encrypt(number) for number in numbers] == [
            SHUFFLE.encrypt(number, size=size, context=context) for number in numbers
        ]

    def test_is_frozen(self):
        """
        The images of one key never change.
        """
        assert [911, 833, 779, 382, 289, 445] == [
            SHUFFLE.encrypt(number, size=1025) for number in range(6)
        ]
        assert [7143, 97251, 54401, 37465, 96118, 60993] == [
            SHUFFLE.encrypt(number, size=100_000, context=b"4111111111") for number in range(6)
        ]
        assert [104470, 320702, 805683, 952006, 494747, 207967] == [
            SHUFFLE.encrypt(number, size=10**6) for number in range(6)
        ]
        assert [8894122, 513621, 6059747, 4949077, 802986, 243510] == [
            SHUFFLE.encrypt(number, size=2**24) for number in range(6)
        ]

    @pytest.mark.parametrize("size", [2, 10, 999, 1024])
    def test_is_a_table_of_few_numbers(self, size):
        """
        Up to 1,024 numbers, a table of the same key gives the same images.
        """
        table = Table(SECRET, size=size, context=b"941")

        for number in range(size):
            image = SHUFFLE.encrypt(number, size=size, context=b"941")

            assert table.encrypt(number) == image
            assert number == SHUFFLE.decrypt(image, size=size, context=b"941")

    def test_depends_on_key_size_and_context(self):
        """
        Another key, size or context gives other images.
        """
        found = {
            tuple(shuffle.encrypt(number, size=size, context=context) for number in range(4))
            for shuffle, size, context in (
                (SHUFFLE, 100_000, b""),
                (SometimesRecurse(SecretBytes(OTHER_KEY_BYTES)), 100_000, b""),
                (SHUFFLE, 100_001, b""),
                (SHUFFLE, 100_000, b"0"),
                (SHUFFLE, 100_000, b"00"),
            )
        }

        assert 5 == len(found)


class TestUniformity:
    @pytest.mark.parametrize("size", [1600, 100_000])
    def test_puts_a_number_anywhere(self, size):
        """
        Over 1,600 contexts, one number falls into 16 equal ranges equally often (1 in 10**6).
        """
        counts = Counter(
            SHUFFLE.encrypt(5, size=size, context=b"%d" % i) * 16 // size for i in range(1600)
        )

        assert 55.4 > chi_square(counts, 16)

    def test_puts_two_numbers_anywhere(self):
        """
        Over 1,600 contexts, the images of two neighbours are independent (1 in 10**6).
        """
        counts = Counter(
            tuple(SHUFFLE.encrypt(number, size=2048, context=b"%d" % i) >> 9 for number in (96, 97))
            for i in range(1600)
        )

        assert 55.4 > chi_square(counts, 16)

    def test_is_different_in_each_context(self):
        """
        Over the numbers of one context, those of another are independent (1 in 10**6).

        The matrices are common to all contexts, and must not show.
        """
        counts = Counter(
            tuple(SHUFFLE.encrypt(number, size=1600, context=c) // 400 for c in (b"1", b"2"))
            for number in range(1600)
        )

        assert 55.4 > chi_square(counts, 16)


class TestBound:
    @pytest.mark.parametrize(("last", "bits"), [(20, 70), (24, 64)])
    def test_has_as_many_rounds_as_the_bound_asks(self, last, bits):
        """
        The levels together are as near to uniform as the documentation has it, by its bound.
        """
        rounds = 8 * STEPS
        distance = Fraction(0)
        for level in range(11, last + 1):
            independent = Fraction(1)
            for i in range(8):
                independent *= 1 - Fraction(2**i, 2**level)
            # n**1.5, rounded up to a power of two.
            size = 2 ** ((3 * level + 1) // 2)
            bound = Fraction(2 * size, rounds + 2) * Fraction(3, 4) ** (rounds // 2 + 1)
            distance += bound / independent**STEPS

        assert Fraction(1, 2**bits) > distance
        assert Fraction(1, 2 ** (bits + 1)) < distance


class TestMatrices:
    @settings(max_examples=50)
    @given(size=st.integers(2, 24), seed=st.integers(0, 2**32))
    def test_are_invertible(self, size, seed):
        """
        A matrix times its inverse is the identity.
        """
        columns = drawn_matrix(random.Random(seed).randbytes, size)
        back = inverse(columns)

        for i, column in enumerate(columns):
            product = 0
            for bit in range(size):
                if column >> bit & 1:
                    product ^= back[bit]

            assert 1 << i == product

    def test_are_equally_likely(self):
        """
        Each of the six invertible matrices of two rows is drawn equally often (1 in 10**6).
        """
        draw = random.Random(1).randbytes
        counts = Counter(tuple(drawn_matrix(draw, 2)) for _ in range(3000))

        assert 6 == len(counts)
        assert 35.9 > chi_square(counts, 6)


class TestRefusals:
    @pytest.mark.parametrize("size", [-1, 0, 1, 2**24 + 1, 10.0, "10", True, None])
    def test_refuses_other_sizes(self, size):
        """
        A shuffle has 2 to 2**24 numbers.
        """
        for cipher in (SHUFFLE.encrypt, SHUFFLE.decrypt):
            with pytest.raises(DomainError, match=r"^a size is an integer from 2 to 2\*\*24$"):
                cipher(0, size=size)

    @pytest.mark.parametrize("context", [TEXT, None, bytearray(2)])
    def test_refuses_other_contexts(self, context):
        """
        A context is bytes.
        """
        for cipher in (SHUFFLE.encrypt, SHUFFLE.decrypt):
            with pytest.raises(DomainError, match=r"^a context is bytes, got"):
                cipher(0, size=2000, context=context)

    @pytest.mark.parametrize("number", [-1, 2000, int(DIGITS), DIGITS, 1.0, True, None])
    def test_refuses_other_numbers(self, number):
        """
        What is not below the size has no image and no origin.
        """
        for cipher in (SHUFFLE.encrypt, SHUFFLE.decrypt):
            with pytest.raises(DomainError, match=r"^a number to permute is an integer from 0"):
                cipher(number, size=2000)

    def test_refuses_other_keys(self):
        """
        A key is 32 bytes.
        """
        with pytest.raises(KeyMaterialError, match="32 bytes"):
            SometimesRecurse(SecretBytes(KEY_BYTES[:16]))

    def test_hides(self):
        """
        A shuffle is not printed, pickled or copied.
        """
        assert "SometimesRecurse(redacted)" == repr(SHUFFLE)
        for copier in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                copier(SHUFFLE)


class TestThreads:
    def test_serves_threads(self):
        """
        Threads that come to a fresh shuffle at once get what one gets.
        """
        shuffle = SometimesRecurse(SECRET)
        expected = [SHUFFLE.encrypt(number, size=5000) for number in range(100)]
        results = {}

        def work(index):
            images = [shuffle.encrypt(number, size=5000) for number in range(100)]
            results[index] = images, [shuffle.decrypt(image, size=5000) for image in images]

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [(expected, list(range(100)))] * 4 == list(results.values())

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
    def test_survives_fork(self):
        """
        A forked child shuffles as its parent does.
        """
        expected = SHUFFLE.encrypt(7, size=5000)
        child = os.fork()
        if child == 0:
            os._exit(0 if SHUFFLE.encrypt(7, size=5000) == expected else 1)

        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
