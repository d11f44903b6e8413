"""
Format-preserving encryption: text becomes text of the same length and alphabet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final, Literal, final, get_args

from privkit.ciphers.ff1 import FF1, MIN_DOMAIN_SIZE, shortest
from privkit.errors import DomainError
from privkit.formats.alphabet import ALPHANUMERIC, DIGITS, LETTERS, Alphabet, Script
from privkit.transforms.checks import check_integer, check_scope
from privkit.typing import Subkeys, Technique

Name = Literal["digits", "letters", "alphanumeric"]

NAMES: Final[tuple[Name, ...]] = get_args(Name)
ALPHABETS: Final[Mapping[str, Alphabet]] = MappingProxyType(
    {"digits": DIGITS, "letters": LETTERS, "alphanumeric": ALPHANUMERIC}
)
TO_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", LETTERS.symbols)
"""ASCII alone: ``str.lower`` makes a k of the Kelvin sign, which is not in the alphabet."""

MAX_INT_DIGITS: Final = 640
"""Digits that Python reads as an integer whatever limit it was started with."""

Crypt = Callable[[Sequence[int], bytes], list[int]]


@final
@dataclass(frozen=True, slots=True)
class FormatPreserving:
    """
    Encrypt a text into another text of the same length and alphabet.

    Choose it when the value must keep its shape, or come back. Choose `Token` when it need not,
    `Encrypt` when the result has to show tampering: this one cannot. Another text, key or scope
    gives another plausible value and no error.

    Args:
        format:
            What is encrypted: ``"digits"`` (0 to 9), ``"letters"`` (26 of them, each position
            keeps its case), ``"alphanumeric"`` (62 symbols: 0 to 9, A to Z, a to z), or an
            `Alphabet`, whose symbols are taken as they are. All other characters stay where they
            are.

        keep_first:
            How many characters of the alphabet stay in clear at the start.

        keep_last:
            How many characters of the alphabet stay in clear at the end.

        scope:
            Values in one scope link; values in two scopes do not. Defaults to
            ``<policy>.<field>``.

        max_length:
            The longest value, in characters.

    Preserves:
        Length, alphabet and equality, within one scope and one key; the characters that are kept,
        and all that are not in the alphabet.

    Reveals:
        Which records share a value, and how often each value occurs; the length; every character
        outside the alphabet or kept. Whoever can have values encrypted learns each mapping they
        ask for.

    Reverses:
        With the key of the scope.

    Source:
        FF1 with AES-256: NIST SP 800-38G, Algorithms 7 and 8. At least 1,000,000 possible values:
        SP 800-38G Rev. 1, second public draft (3 February 2025). The kept characters are the
        tweak (appendix C of the standard). Subkey: RFC 5869.

    Raises:
        DomainError: If *format* is none of the above, a count is negative, or no value as short
            as *max_length* has enough characters left to encrypt.

    .. versionadded:: 0.1
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}

    name: ClassVar[str] = "format_preserving"
    technique: ClassVar[Technique] = Technique.FORMAT_PRESERVING_ENCRYPTION
    reversible: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True
    injective: ClassVar[bool] = True
    keyed: ClassVar[bool] = True
    containers: ClassVar[bool] = False
    by: ClassVar[None] = None

    format: Name | Alphabet
    _: KW_ONLY
    keep_first: int = 0
    keep_last: int = 0
    scope: str | None = None
    max_length: int = 8192

    def __post_init__(self) -> None:
        if not isinstance(self.format, Alphabet) and self.format not in NAMES:
            raise DomainError(f"format is {', '.join(NAMES)} or an Alphabet")
        check_integer("keep_first", self.keep_first, minimum=0)
        check_integer("keep_last", self.keep_last, minimum=0)
        check_scope(self.scope)
        minimum = self.keep_first + self.keep_last + shortest(self.alphabet.radix)
        check_integer("max_length", self.max_length, minimum=minimum)

    @property
    def alphabet(self) -> Alphabet:
        """
        The alphabet of *format*.
        """
        return self.format if isinstance(self.format, Alphabet) else ALPHABETS[self.format]

    def bind(self, subkeys: Subkeys, /) -> "BoundFormatPreserving":
        """
        Join the rule to a key.
        """
        return BoundFormatPreserving(self, self._cipher(subkeys))

    def bind_inverse(self, subkeys: Subkeys, /) -> "FormatPreservingInverse":
        """
        Join the way back to a key.
        """
        return FormatPreservingInverse(self, self._cipher(subkeys))

    def _cipher(self, subkeys: Subkeys) -> FF1:
        secret = subkeys.derive("fpe", "FF1-AES-256")
        return FF1.from_secret(secret, self.alphabet.radix)


@final
class Shape:
    """
    Which characters of a value are encrypted, and how the value is put together again.
    """

    __slots__ = ("direct", "folds", "minimum", "rule", "script")

    def __init__(self, rule: FormatPreserving, /) -> None:
        self.rule = rule
        self.script = Script(rule.alphabet)
        self.folds = rule.format == "letters"
        self.minimum = shortest(rule.alphabet.radix)
        whole = rule.alphabet == DIGITS and not rule.keep_first and not rule.keep_last
        self.direct = range(self.minimum, min(rule.max_length, MAX_INT_DIGITS) + 1 if whole else 0)
        """Lengths of texts of digits that can go through as one integer."""

    def replace(self, value: object, crypt: Crypt, /) -> str:
        """
        Return a value with what is to be encrypted or decrypted replaced.

        Raises:
            DomainError: If it is no text, too long, or too short.
        """
        rule = self.rule
        if not isinstance(value, str):
            raise DomainError(
                f"FormatPreserving reads text, got {type(value).__name__}: declare the column as "
                "text, so that leading zeros are kept"
            )
        if len(value) > rule.max_length:
            raise DomainError(
                f"a value has at most {rule.max_length:,} characters, got {len(value):,}",
                maximum=rule.max_length,
            )
        folded = value.translate(TO_LOWER) if self.folds else value
        picked = self.script.pick(folded)
        end = len(picked) - rule.keep_last
        first, middle, last = picked[: rule.keep_first], picked[rule.keep_first : end], picked[end:]
        if end - rule.keep_first < self.minimum:
            self._refuse(len(picked))
        numerals = crypt(self.script.read(middle), self._tweak(first, last))
        result = first + self.script.write(numerals) + last
        if len(picked) < len(value):
            rest = iter(result)
            result = "".join([next(rest) if c in self.script else c for c in folded])
        if folded != value:
            pairs = zip(result, value, folded, strict=True)
            result = "".join([new if old == low else new.upper() for new, old, low in pairs])
        return result

    def _tweak(self, first: str, last: str) -> bytes:
        if not first and not last:
            return b""
        start = first.encode()
        return len(start).to_bytes(4) + start + last.encode()

    def _refuse(self, length: int) -> None:
        rule = self.rule
        kept = rule.keep_first + rule.keep_last
        raise DomainError(
            f"fewer than {MIN_DOMAIN_SIZE:,} values are possible: {self.minimum} characters of an "
            f"alphabet of {rule.alphabet.radix} are needed"
            + (f" beside {kept} that are kept" if kept else "")
            + f", got {length}; use Token, Encrypt or Truncate"
            + (", or keep fewer characters" if kept else ""),
            minimum=self.minimum + kept,
            length=length,
        )


@final
@dataclass(frozen=True, slots=True)
class BoundFormatPreserving:
    """
    A `FormatPreserving` joined to a key. Threads and forked processes may share it.
    """

    rule: FormatPreserving
    cipher: FF1 = field(repr=False, compare=False)
    shape: Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", Shape(self.rule))

    def apply(self, value: object, _by: object = None, /) -> str:
        """
        Return the pseudonym of a text.

        Raises:
            DomainError: If the value is no text, too long, or so short that there are fewer than
                1,000,000 possible values.
        """
        if type(value) is str:
            length = len(value)
            if length in self.shape.direct and value.isdigit() and value.isascii():
                return f"{self.cipher.encrypt_number(int(value), length):0{length}}"
        return self.shape.replace(value, self.cipher.encrypt)


@final
@dataclass(frozen=True, slots=True)
class FormatPreservingInverse:
    """
    The way back of a `FormatPreserving`, joined to a key.
    """

    rule: FormatPreserving
    cipher: FF1 = field(repr=False, compare=False)
    shape: Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", Shape(self.rule))

    def invert(self, value: object, _by: object = None, /) -> str:
        """
        Return the text whose pseudonym is *value*. Any text of the right shape is one.

        Raises:
            DomainError: As `BoundFormatPreserving.apply`.
        """
        return self.shape.replace(value, self.cipher.decrypt)
