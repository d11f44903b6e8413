"""
Keyset files that a key in a PKCS#11 token opens, such as one of a hardware security module.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast, final

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
    MissingExtraError,
)
from privkit.keys.file import path_complaint
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import (
    DATA_KEY_SIZE,
    Source,
    fetch,
    shown,
    source_complaint,
    to_bytes,
    to_text,
)
from privkit.keys.text import holds_key
from privkit.typing import Secret

T = TypeVar("T")

NONCE_SIZE: Final = 12
TAG_SIZE: Final = 16

MAX_LABEL: Final = 128

PIN: Final = "PIN"

_LOCKS: Final[dict[int, threading.Lock]] = {}
"""One for each process: a fork could copy a lock in its locked state."""

_PROCESSES: Final[dict[str, int]] = {}
"""Which process initialized a module."""

_INHERITED: Final[list[object]] = []
"""What the process before a fork has left. To let go of it would end what is not ours."""

_SALT: Final = os.urandom(32)
_REFUSED: Final[set[bytes]] = set()
"""Digests, salted for this process, of PINs that a token refused: a few tries lock the token."""

AWAY: Final = frozenset(
    {
        "DeviceError",
        "DeviceMemory",
        "DeviceRemoved",
        "FunctionCancelled",
        "FunctionFailed",
        "HostMemory",
        "SessionClosed",
        "SessionCount",
        "SessionHandleInvalid",
        "SlotIDInvalid",
        "TokenNotPresent",
    }
)
UNFIT: Final = frozenset(
    {
        "FunctionNotSupported",
        "FunctionRejected",
        "KeySizeRange",
        "KeyTypeInconsistent",
        "MechanismInvalid",
        "MechanismParamInvalid",
    }
)
ALTERED: Final = frozenset(
    {
        "DataInvalid",
        "DataLenRange",
        "EncryptedDataInvalid",
        "EncryptedDataLenRange",
        "GeneralError",
    }
)
"""What tokens say of data that their key did not make. SoftHSM has the last word for it."""
WRONG_PIN: Final = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange"})
PIN_STATES: Final[Mapping[str, str]] = {
    "PinLocked": "is locked: unlock it with the tool of the token",
    "PinExpired": "has expired: set another one with the tool of the token",
    "UserPinNotInitialized": "is not set: set it with the tool of the token",
}


@final
class PKCS11:
    """
    Wrap data keys under an AES key in a PKCS#11 token, which never leaves it.

    The key is sensitive, private and not extractable, and can encrypt and decrypt. It is asked
    at each call, in a session that is closed behind it. A module that does not answer blocks its
    caller.

    A PIN that the token refused is not tried again in the process, nor is any PIN when the token
    says that one try is left: wrong PINs lock tokens.

    Neither the object nor its pickle holds the PIN. It needs the extra ``pkcs11``.

    Args:
        module: The absolute path of the library that the maker of the token provides. It is
            loaded as code.

        token: The label of the token.

        object: The label of the key.

        pin: Where the PIN comes from: the name of an environment variable in upper case, a
            `pathlib.Path` of a private file whose first line it is, or a callable that returns it.

    Source:
        CKM_AES_GCM of PKCS #11 Version 2.40, with a random nonce of 96 bits and a tag of 128: NIST
        SP 800-38D, section 8.2.2. The context is associated data.

    Raises:
        KeyProviderError: If an argument breaks its rule.

    .. versionadded:: 0.1
    """

    __slots__ = ("_module", "_object", "_pin", "_token")

    def __init__(
        self,
        *,
        module: str | os.PathLike[str],
        token: str,
        object: str,  # noqa: A002 - the word of PKCS#11 URIs, RFC 7512
        pin: Source,
    ) -> None:
        complaint = (
            _module_complaint(module)
            or _label_complaint(token, "the label of a token")
            or _label_complaint(object, "the label of a key")
            or source_complaint(pin, PIN)
        )
        if complaint is not None:
            # Somebody passes the PIN itself one day, and a traceback prints locals.
            del self, module, token, object, pin
            raise KeyProviderError(complaint)
        self._module = os.fspath(module)
        self._token = token
        self._object = object
        self._pin = pin

    @property
    def kind(self) -> str:
        """
        The word by which the header of a file names it.
        """
        return "pkcs11"

    def wrap(self, data_key: Secret, context: bytes, /) -> dict[str, str]:
        """
        Return the nonce and the wrapped key.

        Raises:
            KeyProviderError: If the token refuses or is not there.
        """
        nonce = os.urandom(NONCE_SIZE)

        def encrypt(key: Any) -> bytes:
            return bytes(key.encrypt(data_key.expose(), **_gcm(nonce, context)))

        return {"nonce": to_text(nonce), "wrapped": to_text(self._ask(encrypt))}

    def unwrap(self, header: Mapping[str, str], context: bytes, /) -> SecretBytes:
        """
        Return the data key.

        Raises:
            KeyMaterialError: If another key or context wrapped it, or the header was altered.

            KeyNotFoundError: If there is no such token or key, or no PIN where it should be.

            KeyUnavailableError: If the token was taken out, or fails; retry.

            KeyProviderError: If the token refuses.
        """
        nonce, wrapped = to_bytes(header, "nonce"), to_bytes(header, "wrapped")
        if len(nonce) != NONCE_SIZE or len(wrapped) != DATA_KEY_SIZE + TAG_SIZE:
            raise self._unopened()

        def decrypt(key: Any) -> SecretBytes | KeyProviderError:
            try:
                return SecretBytes(key.decrypt(wrapped, **_gcm(nonce, context)))
            except Exception as error:  # noqa: BLE001 - whatever it is may hold the data key
                if type(error).__name__ not in ALTERED:
                    return self._failure(error)
            try:
                # A token that fails at this as well has another problem than the file.
                key.encrypt(bytes(DATA_KEY_SIZE), **_gcm(os.urandom(NONCE_SIZE), context))
            except Exception as error:  # noqa: BLE001 - likewise
                return self._failure(error)
            return self._unopened()

        return self._ask(decrypt)

    def _ask(self, act: Callable[[Any], T | KeyProviderError]) -> T:
        """
        Let the key do something.
        """
        try:
            import pkcs11  # noqa: F401
        except ImportError:
            raise MissingExtraError("PKCS#11", extra="pkcs11") from None
        # PKCS#11 modules are not safe among threads, as they are initialized here.
        with _LOCKS.setdefault(os.getpid(), threading.Lock()):
            answer = self._answer(act)
        if isinstance(answer, KeyProviderError):
            raise answer
        return answer

    def _answer(self, act: Callable[[Any], T | KeyProviderError]) -> T | KeyProviderError:
        """
        Return what the key answers, or what is wrong.
        """
        try:
            token = _library(self._module).get_token(token_label=self._token)
            # The login is one for the whole process, so the application may have made it.
            with token.open() as session:
                key = self._key(session)
                if not isinstance(key, KeyNotFoundError):
                    return key if isinstance(key, KeyProviderError) else act(key)
            pin = self._checked_pin(token)
            if isinstance(pin, KeyProviderError):
                return pin
            try:
                opened = token.open(user_pin=pin.expose().decode())
            except Exception as error:  # noqa: BLE001 - whatever it is may hold the PIN
                if type(error).__name__ in WRONG_PIN:
                    _REFUSED.add(self._digest(pin))
                return self._failure(error)
            with opened as session:
                key = self._key(session)
                return key if isinstance(key, KeyProviderError) else act(key)
        except Exception as error:  # noqa: BLE001 - whatever it is may hold the data key
            return self._failure(error)

    def _key(self, session: Any) -> Any | KeyProviderError:
        """
        Return the key, or why it is not to be used.
        """
        from pkcs11 import Attribute, KeyType, ObjectClass

        wanted = {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.LABEL: self._object,
        }
        keys = list(session.get_objects(wanted))
        if not keys:
            return KeyNotFoundError(
                f"there is no AES key {self._object} in the token {self._token}: make one that is "
                "sensitive, private and not extractable",
                key=self._object,
                token=self._token,
            )
        if len(keys) > 1:
            return KeyProviderError(
                f"the token {self._token} has {len(keys)} AES keys {self._object}: give each its "
                "own label"
            )
        key = keys[0]
        if key[Attribute.EXTRACTABLE] or not (key[Attribute.SENSITIVE] and key[Attribute.PRIVATE]):
            return KeyProviderError(
                f"the key {self._object} of the token {self._token} can be taken out, or used "
                "without the PIN: make one that is sensitive, private and not extractable"
            )
        return key

    def _checked_pin(self, token: Any) -> SecretBytes | KeyProviderError:
        """
        Return a PIN that may be tried, or why none is.
        """
        from pkcs11 import TokenFlag

        if token.flags & TokenFlag.USER_PIN_LOCKED:
            return self._pin_error("PinLocked")
        if token.flags & TokenFlag.USER_PIN_FINAL_TRY:
            return KeyProviderError(
                f"the token {self._token} locks itself at the next wrong PIN, so none is tried: "
                "log in once with the tool of the token"
            )
        pin = fetch(self._pin, PIN)
        if isinstance(pin, KeyProviderError):
            return pin
        if not len(pin):
            return KeyNotFoundError(f"there is no PIN in {shown(self._pin)}, which is empty")
        return self._pin_error("PinIncorrect") if self._digest(pin) in _REFUSED else pin

    def _digest(self, pin: SecretBytes) -> bytes:
        place = f"{self._module}\0{self._token}\0".encode()
        return hashlib.blake2b(place + pin.expose(), key=_SALT).digest()

    def _failure(self, error: Exception) -> KeyProviderError:
        name = type(error).__name__
        if name in WRONG_PIN or name in PIN_STATES:
            return self._pin_error(name)
        if name == "NoSuchToken":
            return KeyNotFoundError(
                f"there is no token {self._token} in the slots of {self._module}: put it in, or "
                "check its label",
                token=self._token,
            )
        if name == "MultipleTokensReturned":
            return KeyProviderError(
                f"there are several tokens {self._token}: give each its own label"
            )
        if name in UNFIT:
            return KeyProviderError(
                f"the token {self._token} refuses AES-GCM with the key {self._object} ({name}): "
                "allow it to encrypt and decrypt"
            )
        if name in AWAY or name in ALTERED:
            return KeyUnavailableError(
                f"the token {self._token} fails ({name}); try again when it is back"
            )
        return KeyProviderError(
            f"the module {self._module} raised {name}: check that it is the PKCS#11 library of the "
            "token, and its configuration"
        )

    def _pin_error(self, name: str) -> KeyProviderError:
        if name in PIN_STATES:
            return KeyProviderError(f"the PIN of the token {self._token} {PIN_STATES[name]}")
        return KeyProviderError(
            f"the token {self._token} refuses the PIN from {shown(self._pin)}, and it is not tried "
            "again, since wrong PINs lock a token: correct it"
        )

    def _unopened(self) -> KeyMaterialError:
        return KeyMaterialError(
            f"the keyset file cannot be opened: the key {self._object} of the token {self._token} "
            "is another one, or the file was altered; name the key that it was made with, or "
            "restore it from a backup"
        )

    def _parts(self) -> tuple[object, ...]:
        return self._module, self._token, self._object, self._pin

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PKCS11):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((PKCS11, self._parts()))

    def __repr__(self) -> str:
        return (
            f"PKCS11(module={self._module!r}, token={self._token!r}, object={self._object!r}, "
            f"pin={shown(self._pin)})"
        )


def PKCS11Keys(  # noqa: N802 - it reads like the classes of the other providers
    path: str | os.PathLike[str],
    /,
    *,
    module: str | os.PathLike[str],
    token: str,
    object: str,  # noqa: A002 - as for the seal
    pin: Source,
) -> KeysetFile:
    """
    Return the keyset file *path*, which a key in a PKCS#11 token opens.

    Args:
        path: The file.

        module: As for `PKCS11`, like the rest.

    Raises:
        KeyProviderError: If an argument breaks its rule.

    .. versionadded:: 0.1
    """
    return KeysetFile(path, PKCS11(module=module, token=token, object=object, pin=pin))


def _module_complaint(module: object) -> str | None:
    complaint = path_complaint(module)
    if complaint is not None:
        return complaint.replace("a key file", "a PKCS#11 module")
    # A name alone would be looked for along a path that the environment sets.
    if not Path(cast("str | os.PathLike[str]", module)).is_absolute():
        return "the path of a PKCS#11 module is absolute, since it is loaded as code"
    return None


def _label_complaint(label: object, what: str) -> str | None:
    if type(label) is not str:
        return f"{what} is str, got {type(label).__name__}"
    if holds_key(label):
        return f"{what} is asked for, got what looks like a key"
    if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
        return f"{what} is 1 to {MAX_LABEL} printable characters, got {len(label)}"
    return None


def _library(module: str) -> Any:
    """
    Return a module that is initialized in this process.
    """
    import pkcs11

    process = os.getpid()
    if _PROCESSES.get(module, process) != process:
        loaded = pkcs11._loaded  # noqa: SLF001 - there is no other way to initialize anew
        inherited = loaded.pop(module)
        _INHERITED.append(inherited)
        try:
            # A process that was forked initializes anew: PKCS #11 Version 2.40, section 5.4.
            pkcs11.lib(module)
        except pkcs11.PKCS11Error:
            # Some modules do not notice that they are in another process.
            inherited.finalize()
            pkcs11.lib(module)
    _PROCESSES[module] = process
    return pkcs11.lib(module)


def _gcm(nonce: bytes, context: bytes) -> dict[str, object]:
    from pkcs11 import GCMParams, Mechanism

    parameters = GCMParams(nonce, context, 8 * TAG_SIZE)
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": parameters}
