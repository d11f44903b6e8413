"""
Key bytes that do not leave by accident.
"""

import hmac
from collections.abc import Callable
from typing import Final, NoReturn, final

REDACTED: Final = "SecretBytes(redacted)"


@final
class SecretBytes:
    """
    Hold key bytes so that printing, copying, pickling or a traceback shows none of them.

    Equality takes the same time wherever two secrets differ. Python cannot wipe memory: copies
    may remain in freed heap, swap and core dumps.
    """

    __slots__ = ("_expose",)

    def __init__(self, material: bytes, /) -> None:
        # A closure keeps the bytes out of vars(), __slots__ walks and __getstate__.
        self._expose: Callable[[], bytes] = lambda: material

    def expose(self) -> bytes:
        """
        Return the bytes. Never bind the result to a name: a traceback prints locals.
        """
        return self._expose()

    def __len__(self) -> int:
        return len(self._expose())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretBytes):
            return NotImplemented
        return hmac.compare_digest(self._expose(), other._expose())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return REDACTED

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")
