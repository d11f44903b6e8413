"""
The rules that look at no value: leave it out, or let it through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, final

from privkit.errors import DomainError
from privkit.formats.text import is_own
from privkit.typing import Technique

MAX_DEPTH: Final = 100
"""Containers within containers that `Keep` copies. It also ends containers that hold themselves."""


@final
@dataclass(frozen=True, slots=True)
class Redact:
    """
    Replace a value by null, or by a fixed label. The field stays.

    Choose it when readers expect the field. Choose `Drop` when they do without.

    Args:
        label:
            What stands in place of every value, such as ``"[redacted]"``. ``None`` writes null.

    Preserves:
        Nothing of the value.

    Reveals:
        With a label, which records had a value, since nulls stay null. Without one, nothing.

    Reverses:
        Never.

    Source:
        Local suppression: ISO/IEC 20889:2018.

    Raises:
        DomainError: If *label* is not text, or is empty.

    .. versionadded:: 0.1
    """

    label: str | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "redact"
    technique: ClassVar[Technique] = Technique.LOCAL_SUPPRESSION
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = True
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        if self.label is None:
            return
        if not is_own(self.label):
            raise DomainError(f"a label is text, got {type(self.label).__name__}")
        if not self.label:
            raise DomainError("a label has at least 1 character; leave it out to write null")

    def apply(self, value: object, by: object = None, /) -> str | None:  # noqa: ARG002 - whatever it is
        """
        Return the label, or ``None``.
        """
        return self.label


@final
@dataclass(frozen=True, slots=True)
class Drop:
    """
    Remove a field with its key.

    Choose it when readers do without the field. Choose `Redact` when they expect it.

    Preserves:
        Nothing.

    Reveals:
        Nothing.

    Reverses:
        Never.

    Source:
        Local suppression: ISO/IEC 20889:2018.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "drop"
    technique: ClassVar[Technique] = Technique.LOCAL_SUPPRESSION
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = True
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def apply(self, value: object, by: object = None, /) -> None:  # noqa: ARG002 - whatever it is
        """
        Return ``None``. Removing the key is up to whoever holds the record.
        """
        return


@final
@dataclass(frozen=True, slots=True)
class Keep:
    """
    Let a value through as it is.

    It is how a policy says that a field is harmless: letting one through takes a word.

    Preserves:
        Everything.

    Reveals:
        Everything.

    Reverses:
        There is nothing to reverse: the value stands in clear.

    Source:
        None.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "keep"
    technique: ClassVar[Technique] = Technique.NONE
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = True
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = True
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def apply(self, value: object, by: object = None, /) -> object:  # noqa: ARG002 - a protocol's
        """
        Return *value*. Lists, tuples, sets and records are copied down to the bottom.

        Raises:
            DomainError: If containers are nested more than 100 deep.
        """
        return _copy(value, 0)


def _copy(value: object, depth: int) -> object:
    if isinstance(value, str | int | float) or value is None:
        return value
    if depth > MAX_DEPTH:
        raise DomainError(f"a kept value is nested at most {MAX_DEPTH} deep", maximum=MAX_DEPTH)
    if isinstance(value, Mapping):
        return {key: _copy(held, depth + 1) for key, held in value.items()}
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return kind(_copy(held, depth + 1) for held in value)
    return bytes(value) if isinstance(value, bytearray) else value
