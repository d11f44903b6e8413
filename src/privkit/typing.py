"""
The names that signatures share, and the protocols that let an application bring its own parts.

A protocol is met by having its attributes. Nothing here is meant to be subclassed.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Protocol, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""What JSON can hold."""

Record: TypeAlias = Mapping[str, object]
"""One person's data: field names to values, lists and records in turn."""


class Technique(StrEnum):
    """
    Classes of de-identification techniques, as named in ISO/IEC 20889:2018.

    Randomized encryption has no name of its own there: it is a cryptographic tool like the others.
    """

    DETERMINISTIC_ENCRYPTION = "cryptographic tools: deterministic encryption"
    FORMAT_PRESERVING_ENCRYPTION = "cryptographic tools: format-preserving encryption"
    RANDOMIZED_ENCRYPTION = "cryptographic tools: randomized encryption"
    MASKING = "suppression: masking"
    LOCAL_SUPPRESSION = "suppression: local suppression"
    PSEUDONYMIZATION = "pseudonymization: keyed one-way function"
    ROUNDING = "generalization: rounding, top and bottom coding"
    RANDOMIZATION = "randomization: noise addition, constant for a subject"
    NONE = "none: the value is kept"


class Secret(Protocol):
    """
    Key bytes that print as nothing, and come out only by an explicit call.
    """

    def expose(self) -> bytes:
        """
        Return the bytes. Never bind the result to a name: a traceback prints locals.
        """
        ...


class Subkeys(Protocol):
    """
    What a keyed transform is given when it is bound: one key, for one field of one policy.
    """

    @property
    def key_id(self) -> str:
        """
        The id of the key, which pseudonyms and manifests may carry.
        """
        ...

    @property
    def key_tag(self) -> str:
        """
        Four lower-case hexadecimal characters that tell the keys of a keyset apart.
        """
        ...

    @property
    def field(self) -> str:
        """
        The policy path of the field.
        """
        ...

    @property
    def scope(self) -> str:
        """
        The scope: values link within it and nowhere else.
        """
        ...

    def derive(self, purpose: str, algorithm: str, *, size: int = 32) -> Secret:
        """
        Return *size* bytes that depend on the key, the scope and these names alone.
        """
        ...


class Protector(Protocol):
    """
    A transform that is ready to protect values.
    """

    def apply(self, value: object, by: object = None, /) -> object:
        """
        Return the pseudonym of *value*, which is never null.

        Raises:
            DomainError: If *value* does not fit the transform.
        """
        ...


class Revealer(Protocol):
    """
    The way back, held by an `Authority` and by nothing else.
    """

    def invert(self, value: object, by: object = None, /) -> object:
        """
        Return the value whose pseudonym is *value*, which is never null.

        Raises:
            DomainError: If *value* cannot be such a pseudonym.
            TamperedError: If an authenticated pseudonym was altered.
        """
        ...


class Transform(Protocol):
    """
    A declared rule: a frozen dataclass without secrets, comparable and hashable.
    """

    name: ClassVar[str]
    """What a policy file calls it."""

    reversible: ClassVar[bool]

    injective: ClassVar[bool]
    """Different values have different pseudonyms."""

    keyed: ClassVar[bool]
    """It is a `KeyedTransform`; otherwise a `Protector` as it stands."""

    containers: ClassVar[bool]
    """It may rule a whole list or record, not only a single value."""

    @property
    def technique(self) -> Technique:
        """
        The class of the technique, which may depend on the options.
        """
        ...

    @property
    def deterministic(self) -> bool:
        """
        Whether equal values (of one subject, where ``by`` is set) have equal pseudonyms.
        """
        ...

    @property
    def by(self) -> str | None:
        """
        The path of another field of the record that the pseudonym depends on.
        """
        ...

    @property
    def scope(self) -> str | None:
        """
        The declared scope; ``None`` means ``<policy>.<field>``.
        """
        ...


class KeyedTransform(Transform, Protocol):
    """
    A transform that needs a key.
    """

    def bind(self, subkeys: Subkeys, /) -> Protector:
        """
        Join the rule to a key.
        """
        ...


class ReversibleTransform(KeyedTransform, Protocol):
    """
    A keyed transform that its key can undo.
    """

    def bind_inverse(self, subkeys: Subkeys, /) -> Revealer:
        """
        Join the way back to a key.
        """
        ...
