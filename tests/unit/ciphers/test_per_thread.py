import threading
from concurrent.futures import ThreadPoolExecutor

from privkit.ciphers.per_thread import PerThread


def test_each_thread_has_one_of_its_own():
    """
    A thread keeps its object, and shares it with no other.
    """
    shared = PerThread(object)
    mine = shared.cipher
    together = threading.Barrier(8)

    def work(_):
        together.wait()
        return shared.cipher, shared.cipher

    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(work, range(8)))

    assert mine is shared.cipher
    assert all(first is second for first, second in pairs)
    assert 9 == len({id(mine), *(id(first) for first, _ in pairs)})
