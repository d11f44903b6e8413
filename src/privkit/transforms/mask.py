"""
Cover characters one by one.
"""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, final

from privkit.errors import DomainError
from privkit.formats.text import is_own
from privkit.transforms.truncate import check_count, check_type, read_text
from privkit.typing import Technique


@final
@dataclass(frozen=True, slots=True)
class Mask:
    """
    Replace every character of a text but the first and last few.

    Characters are Unicode code points. A value that is not longer than what is kept is masked
    whole, so that no value is ever shown in full.

    Choose it for people who must recognize a value on a screen. Choose `Truncate` when the length
    must not show, and `Redact` when nobody must recognize it.

    Args:
        keep_first:
            How many characters survive at the beginning.

        keep_last:
            How many characters survive at the end.

        character:
            What stands in place of each other character: one printable character, not a blank.

        type:
            ``"text"`` also reads integers, decimals, dates and UUIDs, by their canonical text.
            ``None`` reads text alone.

    Preserves:
        The kept characters, and the length of the value.

    Reveals:
        The kept characters in clear, and the length of the value. A field of few values can often
        be told by length alone.

    Reverses:
        Never.

    Source:
        Masking: ISO/IEC 20889:2018. PCI DSS 4.0.1, requirement 3.4.1, shows at most the bank's
        number and the last four digits of a card; this rule does not know where the former ends.

    Raises:
        DomainError: If a number of characters is negative, *character* is not one printable
            character, or *type* is none of the above.

    .. versionadded:: 0.1
    """

    _: KW_ONLY
    keep_first: int = 0
    keep_last: int = 0
    character: str = "*"
    type: Literal["text"] | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
    name: ClassVar[str] = "mask"
    technique: ClassVar[Technique] = Technique.MASKING
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        check_count(self.keep_first, "keep_first", minimum=0)
        check_count(self.keep_last, "keep_last", minimum=0)
        if not is_own(self.character):
            raise DomainError(f"character is text, got {type(self.character).__name__}")
        if len(self.character) != 1 or self.character == " " or not self.character.isprintable():
            raise DomainError(
                "character is one printable character and not a blank, "
                f"got text of {len(self.character)}"
            )
        check_type(self.type)

    def apply(self, value: object, by: object = None, /) -> str:  # noqa: ARG002 - a protocol's
        """
        Return *value* with all but the kept characters replaced.

        Raises:
            DomainError: If *value* is not text, and cannot be read as the declared type.
        """
        text = read_text(value, self.type, "Mask")
        covered = len(text) - self.keep_first - self.keep_last
        if covered <= 0:
            return self.character * len(text)
        end = self.keep_first + covered
        return text[: self.keep_first] + self.character * covered + text[end:]
