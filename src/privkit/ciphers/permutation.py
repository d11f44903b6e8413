"""
Exact keyed permutations of few numbers, as tables.

A Feistel network such as FF1 is weak where it has few numbers to permute, so below 1,000,000 a
permutation is drawn whole: every order of the numbers is equally likely. What no cipher can mend
is that a table of all pairs is small, and that the most frequent value stays the most frequent.

Source:
    Each number gets a key of 64 bits from AES-256 in counter mode (FIPS 197, NIST SP 800-38A,
    section 6.5), and its image is the rank of its key. Independent keys that all differ are in
    each order equally often; if two are equal, all are drawn again. Knuth, "The Art of Computer
    Programming", volume 2, section 3.4.2, has the same distribution from random exchanges.
"""

import os
import struct
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn, Protocol, TypeAlias, final

from privkit.ciphers.prf import HMACSHA256, frame
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError
from privkit.typing import Secret

LABEL: Final = b"privkit permutation 1"
"""Frozen: another label is another set of pseudonyms."""

MAX_BITS: Final = 24
"""More numbers than this are FF1's business: a table of them is 128 MiB."""

NUMPY_FROM: Final = 20_000
"""Below this many numbers, importing numpy and handing them over costs more than it saves."""

DEFAULT_BUDGET: Final = 64 * 2**20

Draw: TypeAlias = Callable[[int], bytes]
"""Returns so many bytes of a key stream, and the bytes after them when it is called again."""


class Order(NamedTuple):
    """
    A permutation and its inverse.
    """

    images: "array[int]"
    origins: "array[int]"


class Permutation(Protocol):
    """
    A keyed permutation of the integers from 0 to ``size - 1``, another one for each context.
    """

    def encrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the image of *number*.

        Raises:
            DomainError: If *number* is out of range, or the cipher does not take the size.
        """
        ...

    def decrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the integer whose image is *number*.

        Raises:
            DomainError: If *number* is out of range, or the cipher does not take the size.
        """
        ...


@final
class Table:
    """
    Hold one permutation and its inverse.

    It is as secret as its key. One object serves all threads.

    Args:
        secret: 32 uniform bytes.

        size: How many integers are permuted, 2 to 2**24. Each takes 8 bytes. Without numpy,
            1,000,000 take a second or two to sort.

        context: What the permutation belongs to: another context, another permutation.

    Raises:
        KeyMaterialError: If *secret* is not 32 bytes.

        DomainError: If *size* is out of range, or *context* is not bytes.
    """

    __slots__ = ("_images", "_origins", "size")

    def __init__(self, secret: Secret, /, *, size: int, context: bytes = b"") -> None:
        check_domain(size, context, bits=MAX_BITS)
        self.size: Final = size
        draw = key_stream(subkey(HMACSHA256(secret), b"table", size, context))
        self._images, self._origins = shuffled(draw, size)

    @property
    def nbytes(self) -> int:
        """
        Bytes that the table takes.
        """
        return 2 * self.size * self._images.itemsize

    def encrypt(self, number: int, /) -> int:
        """
        Return the image of *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``.
        """
        return self._images[check_number(number, self.size)]

    def decrypt(self, number: int, /) -> int:
        """
        Return the integer whose image is *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``.
        """
        return self._origins[check_number(number, self.size)]

    def __repr__(self) -> str:
        return f"Table(size={self.size}, redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


@final
class TableCache:
    """
    Permute by tables, and keep those that were used last.

    Choose it where few contexts occur, such as the ZIP codes of one column. Choose
    `privkit.ciphers.shuffle.SometimesRecurse` where there is another context at nearly each
    value: making a table takes as long as thousands of values.

    Two threads that ask for one missing table at once both make it. Forked processes start
    without tables.

    Args:
        secret: 32 uniform bytes.

        budget_bytes: What the kept tables may take together. A table that is larger is made
            for each value anew.

    Raises:
        KeyMaterialError: If *secret* is not 32 bytes.

        DomainError: If *budget_bytes* is negative.
    """

    __slots__ = ("_lock", "_nbytes", "_process", "_secret", "_tables", "budget_bytes")

    def __init__(self, secret: Secret, /, *, budget_bytes: int = DEFAULT_BUDGET) -> None:
        HMACSHA256(secret)
        if type(budget_bytes) is not int or budget_bytes < 0:
            raise DomainError("a budget in bytes is an integer from 0")
        self.budget_bytes: Final = budget_bytes
        self._secret = secret
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._tables: OrderedDict[tuple[int, bytes], Table] = OrderedDict()
        self._nbytes = 0
        self._process = os.getpid()

    @property
    def nbytes(self) -> int:
        """
        Bytes that the kept tables take.
        """
        return self._nbytes

    def table(self, *, size: int, context: bytes = b"") -> Table:
        """
        Return the table of a context, made or kept.

        Raises:
            DomainError: If *size* is out of range, or *context* is not bytes.
        """
        check_domain(size, context, bits=MAX_BITS)
        if self._process != os.getpid():
            # In a forked child, a thread that does not exist may hold the lock.
            self._start()
        key = size, context
        with self._lock:
            table = self._tables.get(key)
            if table is not None:
                self._tables.move_to_end(key)
                return table
        table = Table(self._secret, size=size, context=context)
        if table.nbytes <= self.budget_bytes:
            with self._lock:
                self._keep(key, table)
        return table

    def _keep(self, key: tuple[int, bytes], table: Table) -> None:
        if key in self._tables:
            return
        self._tables[key] = table
        self._nbytes += table.nbytes
        while self._nbytes > self.budget_bytes:
            self._nbytes -= self._tables.popitem(last=False)[1].nbytes

    def encrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the image of *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``, or *size* is out
                of range.
        """
        return self.table(size=size, context=context).encrypt(number)

    def decrypt(self, number: int, /, *, size: int, context: bytes = b"") -> int:
        """
        Return the integer whose image is *number*.

        Raises:
            DomainError: If *number* is not an integer from 0 to ``size - 1``, or *size* is out
                of range.
        """
        return self.table(size=size, context=context).decrypt(number)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return f"TableCache(budget_bytes={self.budget_bytes}, redacted)"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


def check_domain(size: int, context: bytes, /, *, minimum: int = 2, bits: int) -> None:
    """
    Refuse a size or a context that a permutation cannot have.

    Raises:
        DomainError: If *size* is not an integer from *minimum* to 2 to the power of *bits*, or
            *context* is not bytes.
    """
    if type(size) is not int or not minimum <= size <= 1 << bits:
        raise DomainError(
            f"a size is an integer from {minimum:,} to 2**{bits}", minimum=minimum, bits=bits
        )
    if not isinstance(context, bytes):
        raise DomainError(f"a context is bytes, got {type(context).__name__}")


def check_number(number: int, size: int, /) -> int:
    """
    Return *number* if it is an integer from 0 to ``size - 1``.

    Raises:
        DomainError: If it is not.
    """
    if type(number) is int and 0 <= number < size:
        return number
    del number
    # The size is not told: it may have more digits than Python is willing to print.
    raise DomainError("a number to permute is an integer from 0, and less than the size")


def subkey(mac: HMACSHA256, purpose: bytes, number: int, context: bytes = b"", /) -> SecretBytes:
    """
    Return 32 bytes for one purpose, number and context.
    """
    return SecretBytes(mac.digest(frame(LABEL, purpose, number.to_bytes(8), context)))


def key_stream(secret: Secret, /) -> Draw:
    """
    Return the key stream of AES-256 in counter mode, from counter 0.
    """
    # Imported late: OpenSSL's bindings are most of the cost of importing privkit.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR

    update = Cipher(AES(secret.expose()), CTR(bytes(16))).encryptor().update
    return lambda size: update(bytes(size))


def distinct(draw: Draw, size: int, /) -> tuple[int, ...]:
    """
    Return *size* keys of 64 bits that all differ.
    """
    while True:
        keys = struct.unpack(f"<{size}Q", draw(8 * size))
        if len(set(keys)) == size:
            return keys


def shuffled(draw: Draw, size: int, /) -> Order:
    """
    Return the ranks of *size* keys that all differ, and the inverse. numpy changes the time only.
    """
    found = shuffled_by_numpy(draw, size) if size >= NUMPY_FROM else None
    return found or shuffled_by_sorting(draw, size)


def shuffled_by_sorting(draw: Draw, size: int, /) -> Order:
    """
    Return the ranks of *size* keys that all differ, and the inverse.
    """
    keys = distinct(draw, size)
    origins = array("I", sorted(range(size), key=keys.__getitem__))
    images = array("I", bytes(size * origins.itemsize))
    for image, origin in enumerate(origins):
        images[origin] = image
    return Order(images, origins)


def shuffled_by_numpy(draw: Draw, size: int, /) -> Order | None:
    """
    Return what `shuffled_by_sorting` does, or ``None`` if there is no numpy.
    """
    try:
        import numpy as np
    except ImportError:
        return None
    while True:
        keys = np.frombuffer(draw(8 * size), "<u8")
        origins = np.argsort(keys)
        ordered = keys[origins]
        if not (ordered[1:] == ordered[:-1]).any():
            images = np.empty(size, np.uintc)
            images[origins] = np.arange(size, dtype=np.uintc)
            return Order(
                array("I", images.tobytes()), array("I", origins.astype(np.uintc).tobytes())
            )
