import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.ciphers.ff1 import FF1
from privkit.ciphers.secret import SecretBytes
from privkit.ciphers.walk import WalkingFF1, grid, walk
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import DIGITS, KEY_BYTES, OTHER_KEY_BYTES, TEXT

SECRET = SecretBytes(KEY_BYTES)
CIPHER = WalkingFF1(SECRET)

sizes = st.integers(10**6, 10**12) | st.integers(20, 4000).flatmap(
    lambda bits: st.integers(2**bits, 2 ** (bits + 1))
)


class TestWalk:
    def test_goes_on_until_it_is_in_range(self):
        """
        Images out of range are permuted again, and the way back is the same.
        """
        cycle = [3, 7, 9, 2, 8, 1, 0, 4, 5, 6]
        following = dict(zip(cycle, cycle[1:] + cycle[:1], strict=True))
        preceding = {image: number for number, image in following.items()}

        assert {3: 2, 2: 1, 1: 0, 0: 4, 4: 3} == {
            number: walk(following.__getitem__, number, 5) for number in range(5)
        }
        assert list(range(5)) == [
            walk(preceding.__getitem__, walk(following.__getitem__, number, 5), 5)
            for number in range(5)
        ]


class TestGrid:
    @given(size=sizes)
    def test_is_the_smallest_that_fits(self, size):
        """
        As many strings as numbers, and with one numeral less there were too few.
        """
        radix, length = grid(size)

        assert 0 == length % 2
        assert 2 <= radix <= 65_536
        assert (radix - 1) ** length < size <= radix**length
        assert 2 == length or 65_536 ** (length - 2) < size

    @pytest.mark.parametrize(
        ("sizes", "thousandths"),
        [
            ((10**6, 10**6 + 1, 1001**2 - 1, 2**32 - 1, 2**32), 1002),
            ((2**32 + 1, 256**4 + 1, 257**4 + 1, 2**64), 1016),
            (tuple(2**bits + 1 for bits in range(64, 65_536, 2731)), 1069),
        ],
    )
    def test_is_hardly_larger(self, sizes, thousandths):
        """
        The walk takes less than 1.07 steps on average, however many numbers there are.
        """
        for size in sizes:
            radix, length = grid(size)

            assert 1000 * radix**length <= thousandths * size


class TestWalkingFF1:
    @settings(max_examples=100)
    @given(size=sizes, context=st.binary(max_size=20), data=st.data())
    def test_comes_back(self, size, context, data):
        """
        The image of a number is in range and leads back to it.
        """
        number = data.draw(st.integers(0, size - 1))
        image = CIPHER.encrypt(number, size=size, context=context)

        assert 0 <= image < size
        assert number == CIPHER.decrypt(image, size=size, context=context)

    def test_is_ff1_where_it_need_not_walk(self):
        """
        Of 10**6 numbers, an image is that of FF1 over two numerals in radix 1,000.
        """
        tweak = (2).to_bytes(8) + (3).to_bytes(8) + (10**6).to_bytes(3) + (3).to_bytes(8) + b"941"
        high, low = FF1(KEY_BYTES, 1000).encrypt([123, 456], tweak)

        assert 1000 * high + low == CIPHER.encrypt(123_456, size=10**6, context=b"941")

    def test_walks(self):
        """
        Among the least fitting sizes, some images are found only at the second step.
        """
        size = 1_000_001
        tweak = (2).to_bytes(8) + (3).to_bytes(8) + size.to_bytes(3) + bytes(8)
        cipher = FF1(KEY_BYTES, 1001)
        walked = 0
        for number in range(2000):
            once = cipher.encrypt_number(number, 2, tweak)
            walked += once >= size

            assert once >= size or once == CIPHER.encrypt(number, size=size)
        assert 0 < walked < 20

    def test_depends_on_key_size_and_context(self):
        """
        Another key, size or context gives other images.
        """
        found = {
            tuple(cipher.encrypt(number, size=size, context=context) for number in range(4))
            for cipher, size, context in (
                (CIPHER, 10**6, b""),
                (WalkingFF1(SecretBytes(OTHER_KEY_BYTES)), 10**6, b""),
                (CIPHER, 10**6 + 1, b""),
                # The same radix and length.
                (CIPHER, 10**6 + 2, b""),
                (CIPHER, 10**6, b"0"),
                (CIPHER, 10**6, b"00"),
            )
        }

        assert 6 == len(found)

    def test_is_frozen(self):
        """
        The images of one key never change.
        """
        assert [101765, 438580562, 15866569748481324671] == [
            CIPHER.encrypt(7, size=size, context=b"941") for size in (10**6, 10**9 + 7, 2**64 + 1)
        ]

    def test_forgets_ciphers(self):
        """
        Many sizes leave few ciphers behind.
        """
        cipher = WalkingFF1(SECRET)
        for radix in range(1000, 1200):
            cipher.encrypt(0, size=radix**2)

        assert 64 >= len(cipher._ciphers)

    @pytest.mark.parametrize("size", [2, 999_999])
    def test_refuses_few_numbers(self, size):
        """
        A Feistel network is too weak for fewer than a million numbers.
        """
        with pytest.raises(DomainError, match=r"^a size is an integer from 1,000,000") as caught:
            CIPHER.encrypt(1, size=size)

        assert 1_000_000 == caught.value.minimum

    @pytest.mark.parametrize("size", [0, 1, 2**65_536 + 1, 1e9, True, DIGITS, None], ids=range(7))
    def test_refuses_other_sizes(self, size):
        """
        A size is a number, of at most 65,536 bits.
        """
        for cipher in (CIPHER.encrypt, CIPHER.decrypt):
            with pytest.raises(
                DomainError, match=r"^a size is an integer from 1,000,000 to 2\*\*65536$"
            ):
                cipher(1, size=size)

    def test_refuses_other_contexts_and_numbers(self):
        """
        A context is bytes, and a number is below the size.
        """
        for cipher in (CIPHER.encrypt, CIPHER.decrypt):
            with pytest.raises(DomainError, match=r"^a context is bytes, got str$"):
                cipher(1, size=10**6, context=TEXT)
            for number in (-1, 10**6, int(DIGITS), DIGITS, 1.0, True, None):
                with pytest.raises(DomainError, match=r"^a number to permute is an integer from 0"):
                    cipher(number, size=10**6)

    def test_refuses_other_keys(self):
        """
        A key is one of AES, and that is found when the cipher is made.
        """
        with pytest.raises(KeyMaterialError, match="16, 24 or 32 bytes"):
            WalkingFF1(SecretBytes(KEY_BYTES[:31]))

    def test_hides(self):
        """
        A cipher is not printed, pickled or copied.
        """
        assert "WalkingFF1(redacted)" == repr(CIPHER)
        for copier in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                copier(CIPHER)
