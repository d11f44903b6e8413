"""
One cipher object for each thread.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Cipher = TypeVar("Cipher")


class PerThread(threading.local, Generic[Cipher]):
    """
    Make a cipher object in each thread that asks for one.

    OpenSSL's contexts may not be used by two threads at once. Python calls ``__init__`` in every
    thread that touches the object. A forked child goes on with a copy of its parent's.

    Args:
        make: Returns a cipher object. It fetches the key itself, so that none is kept here.
    """

    def __init__(self, make: Callable[[], Cipher], /) -> None:
        self.cipher = make()
