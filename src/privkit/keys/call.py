"""
Keys from a function of the application's own.
"""

import sys
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from types import BuiltinFunctionType, FunctionType
from typing import TypeAlias, cast, final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import ring
from privkit.keys.keyset import Keyset
from privkit.keys.provider import require_name

Found: TypeAlias = "Keyset | str | Sequence[str] | None"


@final
class CallableKeys:
    """
    Ask a function for keysets, at each call: a binding asks once, at first use.

    It is pickled as a reference to the function, if that is one of a module: a lambda, a partial
    and a method of an object may hold secrets, so with them it refuses to be pickled.

    Args:
        function: Takes the name of a keyset and returns a `Keyset`; or the texts that ``privkit
            keygen`` makes, the primary first, as a list or as one text; or ``None`` if there is
            no such keyset. It may block, and is called from several threads. An error of privkit
            that it raises passes, a `ConnectionError` or a `TimeoutError` counts as a backend
            that is down, and of any other the class is told.

    Raises:
        KeyProviderError: If *function* is no function, or an async one.

    .. versionadded:: 0.1
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[str], Found], /) -> None:
        complaint = _complaint(function)
        if complaint is not None:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, function
            raise KeyProviderError(complaint)
        self._function = function

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keyset *name* as the function has it.

        Raises:
            KeyNotFoundError: If the function has no such keyset.
            KeyMaterialError: If what it returns is not a list of keys.
            KeyUnavailableError: If it cannot reach what it asks.
            KeyProviderError: If it raises anything else, or returns another type.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del name
            raise
        found = self._ask(name)
        if isinstance(found, KeyProviderError):
            # Its own frames and causes may show key bytes.
            found.__cause__ = found.__context__ = None
            raise found.with_traceback(None)
        if isinstance(found, Keyset):
            return found
        return ring.assemble(
            [(f"key {n} from {self._label()}", text) for n, text in enumerate(found, start=1)]
        )

    def _ask(self, name: str) -> Keyset | list[SecretBytes] | KeyProviderError:
        """
        Return what the function has. It never raises, since its locals hold key bytes.
        """
        try:
            found: object = self._function(name)
        except KeyProviderError as error:
            return error
        except (ConnectionError, TimeoutError) as error:
            return KeyUnavailableError(
                f"{self._label()} cannot reach its keys ({type(error).__name__}); try again when "
                "they are back"
            )
        except Exception as error:  # noqa: BLE001 - its message may hold a secret
            return KeyProviderError(
                f"{self._label()}, which returns keys, raised {type(error).__name__}"
            )
        if isinstance(found, Keyset):
            return found
        if found is None:
            return KeyNotFoundError(
                f"there is no keyset {name}: {self._label()} returned None", keyset=name
            )
        texts = found if isinstance(found, list | tuple) else [found]
        strangers = [text for text in cast("Sequence[object]", texts) if not isinstance(text, str)]
        if strangers:
            return KeyMaterialError(
                f"{self._label()} returns a Keyset or the texts of keys, got "
                f"{type(strangers[0]).__name__}"
            )
        joined = " ".join(cast("Sequence[str]", texts))
        # What is not ASCII is no part of a key, so what replaces it does not matter.
        words = ring.words(SecretBytes(joined.encode("ascii", "replace")))
        if not words:
            return KeyMaterialError(
                f"{self._label()} returned no key for the keyset {name}: run 'privkit keygen' to "
                "make one"
            )
        return words

    def _label(self) -> str:
        # Not the repr: that of a partial shows its arguments.
        name = getattr(self._function, "__qualname__", type(self._function).__qualname__)
        return f"the function {name}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CallableKeys):
            return NotImplemented
        return self._function == other._function

    def __hash__(self) -> int:
        return hash((CallableKeys, self._function))

    def __repr__(self) -> str:
        return f"CallableKeys({self._label().removeprefix('the function ')})"

    def __reduce__(self) -> tuple[type["CallableKeys"], tuple[Callable[[str], Found]]]:
        if not _is_reference(self._function):
            raise TypeError(
                "these CallableKeys cannot be pickled: use a function that a module defines"
            )
        return CallableKeys, (self._function,)


def _complaint(function: object) -> str | None:
    if not callable(function):
        return f"CallableKeys takes a function, got {type(function).__name__}"
    if iscoroutinefunction(function):
        return "CallableKeys takes a plain function, got an async one"
    return None


def _is_reference(function: object) -> bool:
    """
    Tell whether pickling a function writes down its name and nothing else.
    """
    if not isinstance(function, FunctionType | BuiltinFunctionType | type):
        return False
    held: object = sys.modules.get(str(function.__module__))
    for part in function.__qualname__.split("."):
        held = getattr(held, part, None)
    return held is function
