import copy
import hmac
import itertools
import os
import pickle
import signal
import struct
import sys
import threading
from array import array
from collections import Counter

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from privkit.ciphers import permutation
from privkit.ciphers.permutation import (
    NUMPY_FROM,
    Table,
    TableCache,
    distinct,
    shuffled,
    shuffled_by_numpy,
    shuffled_by_sorting,
)
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import DIGITS, KEY_BYTES, OTHER_KEY_BYTES, TEXT

SECRET = SecretBytes(KEY_BYTES)


def chi_square(counts, cells):
    """
    Return Pearson's statistic against equal probabilities.
    """
    total = sum(counts.values())
    assert len(counts) <= cells
    return sum(
        (count - total / cells) ** 2 for count in [*counts.values(), *[0] * (cells - len(counts))]
    ) / (total / cells)


def images(table):
    return [table.encrypt(number) for number in range(table.size)]


def expected_images(key, size, context):
    """
    Rank a key stream, by definition.
    """
    parts = [b"privkit permutation 1", b"table", struct.pack(">Q", size), context]
    message = struct.pack(">Q", 4) + b"".join(struct.pack(">Q", len(p)) + p for p in parts)
    subkey = hmac.digest(key, message, "sha256")
    encryptor = Cipher(algorithms.AES(subkey), modes.ECB()).encryptor()
    stream = b"".join(encryptor.update(i.to_bytes(16, "big")) for i in range((size + 1) // 2))
    keys = [int.from_bytes(stream[8 * i : 8 * i + 8], "little") for i in range(size)]
    return [sum(other < key for other in keys) for key in keys]


class TestTable:
    @pytest.mark.parametrize("size", [*range(2, 66), 100, 255, 256, 257, 1000, 4096])
    def test_is_a_permutation(self, size):
        """
        Every number is the image of exactly one, and leads back to it.
        """
        table = Table(SECRET, size=size)
        found = images(table)

        assert list(range(size)) == sorted(found)
        assert list(range(size)) == [table.decrypt(image) for image in found]

    @pytest.mark.parametrize(
        ("size", "context"), [(2, b""), (3, b"941"), (10, b"941"), (101, b"\0"), (700, b"x" * 99)]
    )
    def test_ranks_a_key_stream(self, size, context):
        """
        The images are what the definition, written another way, gives.
        """
        table = Table(SECRET, size=size, context=context)

        assert expected_images(KEY_BYTES, size, context) == images(table)

    def test_is_frozen(self):
        """
        The images of one key never change.
        """
        assert [9, 8, 6, 7, 0, 1, 5, 2, 4, 3] == images(Table(SECRET, size=10))
        assert [5, 1, 3, 6, 8, 2, 0, 9, 7, 4] == images(Table(SECRET, size=10, context=b"941"))
        assert [182390, 459221, 52347, 707717, 110242, 50929] == images(
            Table(SECRET, size=1_000_000)
        )[:6]

    def test_depends_on_key_size_and_context(self):
        """
        Another key, size or context gives another order.
        """
        tables = (
            Table(SECRET, size=1000),
            Table(SecretBytes(OTHER_KEY_BYTES), size=1000),
            Table(SECRET, size=1001),
            Table(SECRET, size=1000, context=b"0"),
            Table(SECRET, size=1000, context=b"00"),
        )

        assert 5 == len({tuple(images(table)[:20]) for table in tables})

    @pytest.mark.parametrize("size", [2, 3, 4])
    def test_has_every_order_equally_often(self, size):
        """
        Over 4,800 contexts of one key, all orders of few numbers are equally frequent.

        The limits are exceeded by chance once in 10**6; the contexts are always the same.
        """
        limit = {2: 24.0, 3: 35.9, 4: 71.3}[size]
        orders = list(itertools.permutations(range(size)))
        counts = Counter(
            tuple(images(Table(SECRET, size=size, context=b"%d" % i))) for i in range(4800)
        )

        assert limit > chi_square(counts, len(orders))

    def test_puts_each_number_anywhere(self):
        """
        Over 4,000 contexts, one of 20 numbers has all images equally often (1 in 10**6).
        """
        counts = Counter(Table(SECRET, size=20, context=b"%d" % i).encrypt(13) for i in range(4000))

        assert 64.3 > chi_square(counts, 20)

    def test_has_odd_and_even_orders(self):
        """
        Half of the permutations of 50 numbers are odd: no Feistel network has this (1 in 10**6).
        """
        odd = 0
        for i in range(1000):
            found = images(Table(SECRET, size=50, context=b"%d" % i))
            cycles, seen = 0, set()
            for start in range(50):
                cycles += start not in seen
                number = start
                while number not in seen:
                    seen.add(number)
                    number = found[number]
            odd += (50 - cycles) % 2

        assert 77.4 > abs(odd - 500)

    def test_tells_its_size_in_memory(self):
        """
        A number takes four bytes to and four bytes fro.
        """
        assert 8000 == Table(SECRET, size=1000).nbytes

    @pytest.mark.parametrize("size", [-1, 0, 1, 2**24 + 1, 10.0, "10", True, None])
    def test_refuses_other_sizes(self, size):
        """
        A table has 2 to 2**24 numbers.
        """
        with pytest.raises(DomainError, match=r"^a size is an integer from 2 to 2\*\*24$"):
            Table(SECRET, size=size)

    @pytest.mark.parametrize("context", [TEXT, None, bytearray(2)])
    def test_refuses_other_contexts(self, context):
        """
        A context is bytes.
        """
        with pytest.raises(DomainError, match=r"^a context is bytes, got [a-zA-Z]+$"):
            Table(SECRET, size=10, context=context)

    @pytest.mark.parametrize("number", [-1, 10, int(DIGITS), DIGITS, 1.0, True, None])
    def test_refuses_other_numbers(self, number):
        """
        What is not below the size has no image and no origin.
        """
        table = Table(SECRET, size=10)

        with pytest.raises(DomainError, match=r"^a number to permute is an integer from 0"):
            table.encrypt(number)
        with pytest.raises(DomainError, match=r"^a number to permute is an integer from 0"):
            table.decrypt(number)

    def test_refuses_other_keys(self):
        """
        A key is 32 bytes.
        """
        with pytest.raises(KeyMaterialError, match="32 bytes"):
            Table(SecretBytes(KEY_BYTES[:16]), size=10)
        with pytest.raises(KeyMaterialError, match="32 bytes"):
            TableCache(SecretBytes(KEY_BYTES[:16]))

    def test_hides(self):
        """
        A table is as secret as its key: it is not printed, pickled or copied.
        """
        for held in (Table(SECRET, size=10), TableCache(SECRET)):
            assert "redacted" in repr(held)
            for copier in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="cannot be pickled or copied"):
                    copier(held)


class TestSorting:
    @pytest.mark.parametrize("size", [2, 1000, NUMPY_FROM, 100_003])
    def test_is_the_same_with_numpy(self, size):
        """
        With numpy, the bytes are those that Python's own sort gives.
        """
        with_numpy = shuffled_by_numpy(stream(size), size)
        without = shuffled_by_sorting(stream(size), size)

        assert [array("I", held).tobytes() for held in without] == [
            held.tobytes() for held in with_numpy
        ]

    @pytest.mark.parametrize("size", [100, NUMPY_FROM])
    def test_does_without_numpy(self, monkeypatch, size):
        """
        Where numpy is missing, a table is the same.
        """
        expected = images(Table(SECRET, size=size))
        monkeypatch.setitem(sys.modules, "numpy", None)

        assert shuffled_by_numpy(stream(2), 2) is None
        assert expected == images(Table(SECRET, size=size))

    @pytest.mark.parametrize("sort", [shuffled_by_numpy, shuffled_by_sorting])
    def test_draws_again_when_keys_are_equal(self, sort):
        """
        Equal keys have no order, so all of them are drawn again.
        """
        drawn = iter([struct.pack("<4Q", 7, 5, 6, 7), struct.pack("<4Q", 3, 2**64 - 1, 0, 1)])
        found = sort(lambda size: next(drawn), 4)

        assert ([2, 3, 0, 1], [2, 3, 0, 1]) == tuple(map(list, found))
        assert next(drawn, None) is None

    def test_leaves_few_numbers_to_python(self, monkeypatch):
        """
        A small table does not even import numpy.
        """
        monkeypatch.setattr(permutation, "shuffled_by_numpy", None)

        assert [1, 0] == list(shuffled(lambda size: struct.pack("<2Q", 9, 8), 2).images)

    def test_reads_keys_from_the_last_byte(self):
        """
        A key's first byte counts least, on every machine.
        """
        assert (1, 256) == distinct(lambda size: b"\1" + bytes(8) + b"\1" + bytes(6), 2)


def stream(size):
    draw = permutation.key_stream(SecretBytes(KEY_BYTES))
    draw(size % 16)
    return draw


class TestTableCache:
    def test_gives_what_tables_give(self):
        """
        A cache permutes as the table of the same key, size and context.
        """
        cache = TableCache(SECRET)
        table = Table(SECRET, size=100, context=b"941")
        found = [cache.encrypt(number, size=100, context=b"941") for number in range(100)]

        assert images(table) == found
        assert list(range(100)) == [
            cache.decrypt(number, size=100, context=b"941") for number in found
        ]

    def test_keeps_what_was_used_last(self):
        """
        When the budget is spent, the table that was not used for longest goes.
        """
        cache = TableCache(SECRET, budget_bytes=2400)
        first, second = (cache.table(size=100, context=c) for c in (b"1", b"2"))
        third = cache.table(size=100, context=b"3")

        assert (3, 2400) == (len(cache), cache.nbytes)
        assert first is cache.table(size=100, context=b"1")

        fourth = cache.table(size=100, context=b"4")

        assert (3, 2400) == (len(cache), cache.nbytes)
        assert [first, third, fourth] == [
            cache.table(size=100, context=c) for c in (b"1", b"3", b"4")
        ]
        assert second is not cache.table(size=100, context=b"2")

    def test_drops_as_many_as_needed(self):
        """
        A large table takes the place of several small ones.
        """
        cache = TableCache(SECRET, budget_bytes=2400)
        for i in range(3):
            cache.table(size=100, context=b"%d" % i)
        cache.table(size=250)

        assert (1, 2000) == (len(cache), cache.nbytes)

    def test_does_not_keep_what_is_too_large(self):
        """
        A table beyond the budget is made, used and dropped.
        """
        cache = TableCache(SECRET, budget_bytes=800)
        small = cache.table(size=100)
        large = cache.table(size=101)

        assert 0 <= large.encrypt(100) < 101
        assert (1, 800) == (len(cache), cache.nbytes)
        assert small is cache.table(size=100)

    def test_keeps_one_of_two_that_were_made_at_once(self, monkeypatch):
        """
        A table that another thread has made meanwhile is not counted twice.
        """
        cache = TableCache(SECRET)

        def racing(secret, *, size, context):
            table = Table(secret, size=size, context=context)
            monkeypatch.setattr(permutation, "Table", Table)
            cache.table(size=size, context=context)
            return table

        monkeypatch.setattr(permutation, "Table", racing)
        cache.table(size=100)

        assert (1, 800) == (len(cache), cache.nbytes)

    @pytest.mark.parametrize("budget", [-1, 1.5, "64", True, None])
    def test_refuses_other_budgets(self, budget):
        """
        A budget is a number of bytes.
        """
        with pytest.raises(DomainError, match=r"^a budget in bytes is an integer from 0$"):
            TableCache(SECRET, budget_bytes=budget)

    def test_refuses_before_it_makes(self):
        """
        A size or context that is refused leaves nothing behind.
        """
        cache = TableCache(SECRET)

        with pytest.raises(DomainError, match=r"^a size"):
            cache.encrypt(0, size=1)
        with pytest.raises(DomainError, match=r"^a context"):
            cache.decrypt(0, size=10, context=TEXT)
        assert 0 == len(cache)

    def test_serves_threads(self):
        """
        Threads that share a small budget get right images, and the budget holds.
        """
        cache = TableCache(SECRET, budget_bytes=2000)
        expected = {i: images(Table(SECRET, size=50, context=b"%d" % i)) for i in range(10)}
        wrong = []

        def work(seed):
            for turn in range(300):
                i, number = (turn * seed) % 10, turn % 50
                if cache.encrypt(number, size=50, context=b"%d" % i) != expected[i][number]:
                    wrong.append((seed, turn))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [] == wrong
        assert cache.nbytes == 400 * len(cache) <= 2000

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
    def test_survives_fork(self):
        """
        A child forked while the lock is held goes on without it.
        """
        cache = TableCache(SECRET)
        expected = cache.encrypt(7, size=50)
        with cache._lock:
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                os._exit(0 if cache.encrypt(7, size=50) == expected else 1)

        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert 1 == len(cache)

    def test_starts_anew_in_a_child(self, monkeypatch):
        """
        In another process, the tables of the parent are not used.
        """
        cache = TableCache(SECRET)
        cache.table(size=50)
        monkeypatch.setattr(permutation.os, "getpid", lambda: -1)
        cache.table(size=60)

        assert (1, 480) == (len(cache), cache.nbytes)
