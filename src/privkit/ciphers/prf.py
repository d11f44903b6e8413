"""
A pseudorandom function on bytes, and the framing that keeps its inputs apart.

Source:
    HMAC: RFC 2104 and FIPS 198-1. SHA-256: FIPS 180-4.
"""

import hashlib
from collections.abc import Callable
from typing import Final, NoReturn, Protocol, Self, final

from privkit.errors import KeyMaterialError
from privkit.typing import Secret

KEY_SIZE: Final = 32
BLOCK_SIZE: Final = 64
INNER_PAD: Final = bytes(0x36 ^ byte for byte in range(256))
OUTER_PAD: Final = bytes(0x5C ^ byte for byte in range(256))


def frame(*parts: bytes) -> bytes:
    """
    Join byte strings so that two lists give one result only if they are equal.

    Each part is preceded by its size in 8 bytes, and the whole by the number of parts.
    """
    return len(parts).to_bytes(8) + b"".join(len(part).to_bytes(8) + part for part in parts)


class State(Protocol):
    """
    A hash under way, as hashlib has it.
    """

    def copy(self) -> Self: ...  # noqa: D102
    def update(self, data: bytes, /) -> None: ...  # noqa: D102
    def digest(self) -> bytes: ...  # noqa: D102
    def hexdigest(self) -> str: ...  # noqa: D102


@final
class HMACSHA256:
    """
    HMAC with SHA-256 under one key of 32 bytes.

    The two keyed states are made once and copied for each message: that halves the cost of
    ``hmac.digest`` on short messages. A state is never written to after it was made, so one
    object serves all threads.

    Raises:
        KeyMaterialError: If the key is not 32 bytes. Other sizes are padded or hashed by the
            standard, so two different keys could act as one.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: Secret, /) -> None:
        if len(secret.expose()) != KEY_SIZE:
            raise KeyMaterialError(f"an HMAC key is {KEY_SIZE} bytes, got {len(secret.expose())}")
        self._inner = hashlib.sha256(secret.expose().ljust(BLOCK_SIZE, b"\0").translate(INNER_PAD))
        self._outer = hashlib.sha256(secret.expose().ljust(BLOCK_SIZE, b"\0").translate(OUTER_PAD))

    def digest(self, message: bytes, /) -> bytes:
        """
        Return the 32-byte code of *message*.
        """
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def hexdigest(self, message: bytes, /) -> str:
        """
        Return the code of *message* as 64 lower-case hexadecimal characters.
        """
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()

    def states(self, start: bytes = b"", /) -> tuple[Callable[[], State], Callable[[], State]]:
        """
        Return what copies the inner state, *start* already in it, and what copies the outer one.

        A caller that feeds the message to the one, and the digest of that to the other, saves
        the calls of this class. Worth it only where a microsecond counts.
        """
        inner = self._inner.copy()
        inner.update(start)
        return inner.copy, self._outer.copy

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("a keyed state cannot be pickled or copied")
