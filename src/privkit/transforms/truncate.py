"""
Keep one end of a text.
"""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, final

from privkit.errors import DomainError
from privkit.formats.text import is_own, plain_text
from privkit.formats.values import encode
from privkit.typing import Technique


@final
@dataclass(frozen=True, slots=True)
class Truncate:
    """
    Keep the first or the last *keep* characters of a text and drop the rest.

    Characters are Unicode code points: a letter and its combining accent are two. A value that
    is not longer than *keep* has no rest to drop, and becomes ``""``.

    Choose it where one end of a value names a group, such as an area. Choose `Mask` when the
    result must keep the length of the value.

    Args:
        keep:
            How many characters survive, at least 1.

        end:
            Which end of the value they are taken from, ``"first"`` or ``"last"``.

        type:
            ``"text"`` also reads integers, decimals, dates and UUIDs, by their canonical text.
            ``None`` reads text alone.

    Preserves:
        The kept characters. With ``end="first"``, the order of the prefixes.

    Reveals:
        The kept characters in clear, and ``""`` for a value that is not longer than *keep*.
        Two truncations of one value, or one beside a hash of the value, reveal more than each.

    Reverses:
        Never.

    Source:
        None. On ZIP codes ``Truncate(3)`` alone is not HIPAA Safe Harbor, whose rule also
        replaces prefixes of areas with 20,000 people or fewer by 000
        (45 CFR 164.514(b)(2)(i)(B)).

    Raises:
        DomainError: If *keep* is less than 1, or *end* or *type* is none of the above.

    .. versionadded:: 0.1
    """

    keep: int
    _: KW_ONLY
    end: Literal["first", "last"] = "first"
    type: Literal["text"] | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "truncate"
    technique: ClassVar[Technique] = Technique.MASKING
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        check_count(self.keep, "keep", minimum=1)
        if not is_own(self.end) or self.end not in {"first", "last"}:
            raise DomainError("end is 'first' or 'last'")
        check_type(self.type)

    def apply(self, value: object, by: object = None, /) -> str:  # noqa: ARG002 - a protocol's
        """
        Return the kept characters of *value*.

        Raises:
            DomainError: If *value* is not text, and cannot be read as the declared type.
        """
        text = read_text(value, self.type, "Truncate")
        if len(text) <= self.keep:
            return ""
        return text[: self.keep] if self.end == "first" else text[-self.keep :]


def check_count(count: object, name: str, *, minimum: int) -> None:
    """
    Refuse what is no number of characters.

    Raises:
        DomainError: If *count* is not an integer, or is less than *minimum*.
    """
    if type(count) is not int:
        raise DomainError(f"{name} is an integer, got {type(count).__name__}")
    if count < minimum:
        raise DomainError(f"{name} is at least {minimum}, got {count}", minimum=minimum)


def check_type(declared: object) -> None:
    """
    Refuse a declared type that is not text.

    Raises:
        DomainError: If *declared* is neither ``"text"`` nor ``None``.
    """
    if declared is not None and not (is_own(declared) and declared == "text"):
        raise DomainError("type is 'text', or left out")


def read_text(value: object, declared: Literal["text"] | None, rule: str) -> str:
    """
    Return text as it is, and other values by their canonical text if they are declared text.

    Raises:
        DomainError: If *value* is not text, and not declared text or without canonical text.
    """
    if declared == "text":
        # The first byte tells the type, which is known here.
        return encode(value, "text")[1:].decode()
    if not isinstance(value, str):
        kind = type(value).__name__
        raise DomainError(
            f"{rule} reads text, got {kind}: declare type='text' to read it by its canonical text",
            type=kind,
        )
    return plain_text(value)
