"""
Keys from the keyring of the operating system.
"""

from collections.abc import Iterator
from typing import Final, cast, final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
    MissingExtraError,
)
from privkit.keys import ring
from privkit.keys.keyset import Keyset
from privkit.keys.provider import require_name
from privkit.keys.text import holds_key

MAX_LENGTH: Final = 128

NO_STORE: Final = frozenset({"keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"})
PLAIN: Final = "plaintext"
"""What the names of back ends that write passwords down as they are have in them."""

CHOOSE: Final = "set PYTHON_KEYRING_BACKEND to another one, or use another provider"


@final
class KeyringKeys:
    """
    Read keysets from the keyring of the operating system, at each call: a binding asks once.

    A keyset is the password of the user of its name: ``keyring set privkit default``. It holds
    the texts that ``privkit keygen`` makes, the primary first, with blanks between them. A locked
    keyring may ask the person at the screen, and the call waits for the answer.

    A back end that keeps passwords in plain text is refused, be it one of several, and so is one
    that keeps nothing. Which one is asked, the library ``keyring`` decides.

    It is pickled as its service, and read again where it is unpickled. It needs the extra
    ``keyring``.

    Args:
        service: The service under which the keysets are kept.

    Raises:
        KeyProviderError: If *service* is not 1 to 128 printable characters.

    .. versionadded:: 0.1
    """

    __slots__ = ("_service",)

    def __init__(self, service: str = "privkit", /) -> None:
        complaint = _complaint(service)
        if complaint is not None:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del self, service
            raise KeyProviderError(complaint)
        self._service = service

    def keyset(self, name: str, /) -> Keyset:
        """
        Return the keyset *name* as the keyring has it.

        Raises:
            KeyNotFoundError: If the keyring has no such password.
            KeyMaterialError: If the password is not a list of keys.
            KeyUnavailableError: If the keyring is locked, or cannot be reached.
            KeyProviderError: If there is no keyring, or it keeps passwords in plain text.
            MissingExtraError: If the library is not installed.
        """
        try:
            require_name(name)
        except KeyNotFoundError:
            # Somebody passes the key itself one day, and a traceback prints locals.
            del name
            raise
        found = self._ask(name)
        if isinstance(found, KeyProviderError):
            raise found
        words = ring.words(found)
        if not words:
            raise KeyNotFoundError(
                f"there is no keyset {name} in the keyring: run 'privkit keygen', and store the "
                f"key that it prints with 'keyring set {self._service} {name}'",
                keyset=name,
                service=self._service,
            )
        place = f"the password of {name} for {self._service}"
        return ring.assemble([(f"key {n} in {place}", text) for n, text in enumerate(words, 1)])

    def _ask(self, name: str) -> SecretBytes | KeyProviderError:
        """
        Return the password, empty if there is none, or what is wrong.

        Its locals hold key bytes, so it raises nothing but the error of a missing library.
        """
        try:
            import keyring
            from keyring import errors
        except ImportError:
            raise MissingExtraError("the keyring of the system", extra="keyring") from None
        try:
            backend = keyring.get_keyring()
            complaint = _backend_complaint(backend)
            if complaint is not None:
                return KeyProviderError(complaint)
            password = backend.get_password(self._service, name)
        except errors.KeyringLocked:
            return KeyUnavailableError("the keyring is locked: unlock it, and try again")
        except errors.InitError:
            return KeyUnavailableError(
                "the keyring cannot be reached: log in to a session that has one, and try again"
            )
        except Exception as error:  # noqa: BLE001 - whatever it is may hold the password
            return KeyProviderError(
                f"the library keyring raised {type(error).__name__}: run 'keyring diagnose'"
            )
        # What is not ASCII is no part of a key, so what replaces it does not matter.
        return SecretBytes((password or "").encode("ascii", "replace"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyringKeys):
            return NotImplemented
        return self._service == other._service

    def __hash__(self) -> int:
        return hash((KeyringKeys, self._service))

    def __repr__(self) -> str:
        return f"KeyringKeys({self._service!r})"

    def __reduce__(self) -> tuple[type["KeyringKeys"], tuple[str]]:
        return KeyringKeys, (self._service,)


def _complaint(service: object) -> str | None:
    if type(service) is not str:
        return f"the service of a keyring is str, got {type(service).__name__}"
    if holds_key(service):
        return "the service of a keyring is asked for, got what looks like a key"
    if not 1 <= len(service) <= MAX_LENGTH or not service.isprintable():
        return (
            f"the service of a keyring is 1 to {MAX_LENGTH} printable characters, got "
            f"{len(service)}"
        )
    return None


def _backend_complaint(backend: object) -> str | None:
    """
    Say why a back end keeps no secrets, or ``None``.
    """
    for part in _parts(backend):
        # Of a subclass, what it is made of counts.
        names = [f"{each.__module__}.{each.__qualname__}" for each in type(part).__mro__]
        if any(name in NO_STORE for name in names):
            return f"there is no keyring in this session that keeps secrets: {CHOOSE}"
        if any(PLAIN in name.lower() for name in names):
            return f"the keyring {names[0]} keeps passwords in plain text: {CHOOSE}"
    return None


def _parts(backend: object) -> Iterator[object]:
    """
    Yield a back end, and those that it passes questions on to.
    """
    yield backend
    chained = cast("list[object]", getattr(backend, "backends", []))
    wrapped = getattr(backend, "_keyring", None)
    for part in chained if wrapped is None else [*chained, wrapped]:
        yield from _parts(part)
