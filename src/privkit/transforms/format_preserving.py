"""
Format-preserving encryption: a valid value becomes another valid value.
"""

from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Annotated, Any, ClassVar, Final, Literal, Protocol, cast, final, get_args

from privkit.ciphers.ff1 import FF1, shortest
from privkit.ciphers.ffx import FFX, MIN_LENGTH
from privkit.errors import DomainError
from privkit.formats import registry
from privkit.formats.alphabet import Alphabet
from privkit.formats.contract import Format
from privkit.formats.registry import ALPHABETS
from privkit.transforms.characters import CharacterCipher, FewNumerals, NumeralCipher, WithoutTweak
from privkit.transforms.checks import check_choice, check_integer, check_reason, check_scope
from privkit.transforms.ranked import RankedCipher, small_permutation
from privkit.typing import Subkeys, Technique

Cipher = Literal["ff1", "pyffx"]

CIPHERS: Final[tuple[Cipher, ...]] = get_args(Cipher)
OF_ALPHABETS: Final = ("keep_first", "keep_last", "max_length")
"""Options that need an alphabet. Other formats have their own, and length limits of their kind."""


class FromPolicy:
    """
    What a policy file says about a format, read: the loader has made it, and passes it on.
    """

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> dict[str, object]:
        def held(_data: object, info: Any) -> object:
            return info.context

        return {"type": "function-plain", "function": {"type": "with-info", "function": held}}

    def __get_pydantic_json_schema__(self, _schema: object, _handler: object) -> dict[str, object]:
        # `privkit.policy.schema` knows the formats.
        return {}


@final
@dataclass(frozen=True, slots=True)
class FormatPreserving:
    """
    Encrypt a value into another valid value of the same format.

    Choose it when the value must keep its shape, or come back. Choose `Token` when it need not,
    `Encrypt` when the result has to show tampering: this one cannot. Another text, key or scope
    gives another plausible value and no error.

    Args:
        format:
            What is encrypted. A format such as ``Card(bin=8, last=4)``, or its name, which stands
            for its defaults: ``"card"``, ``"iban"``, ``"phone"``. Or an alphabet: ``"digits"``
            (0 to 9), ``"letters"`` (26 of them, each position keeps its case),
            ``"alphanumeric"`` (62 symbols: 0 to 9, A to Z, a to z), or an `Alphabet`, whose
            symbols are taken as they are; all other characters stay where they are.

        keep_first:
            How many characters of the alphabet stay in clear at the start. Only for alphabets.

        keep_last:
            How many characters of the alphabet stay in clear at the end. Only for alphabets.

        scope:
            Values in one scope link; values in two scopes do not. Defaults to
            ``<policy>.<field>``.

        max_length:
            The longest value, in characters. Only for alphabets.

        small_domain:
            Why it is acceptable that fewer than 1,000,000 values are possible, in words. Without
            a reason such values are refused. Whoever may have each of them encrypted has the
            whole table, and the most frequent one stays the most frequent.

        cipher:
            ``"ff1"``, or ``"pyffx"`` for data that were protected with pyffx. What pyffx wrote
            under a key of its own is read under `privkit.keys.Key.of_pyffx`.

        legacy:
            Why pyffx's cipher is still to be written, in words. Without a reason it is read only.

    Preserves:
        Length, alphabet and equality, within one scope and one key; the characters that are kept,
        and all that are not in the alphabet. Of a format, what it says that it keeps, and its
        validity.

    Reveals:
        Which records share a value, and how often each value occurs; the length; every character
        outside the alphabet or kept, and all that a format keeps. Whoever can have values
        encrypted learns each mapping they ask for.

    Reverses:
        With the key of the scope.

    Source:
        FF1 with AES-256: NIST SP 800-38G, Algorithms 7 and 8. At least 1,000,000 possible values:
        SP 800-38G Rev. 1, second public draft (3 February 2025). The kept characters are the
        tweak (appendix C of the standard). Formats: rank, encipher, unrank (Bellare, Ristenpart,
        Rogaway and Stegers, SAC 2009, section 5) with cycle walking. Small domains: a table or the
        sometimes-recurse shuffle (Morris and Rogaway, EUROCRYPT 2014). Subkey: RFC 5869.

    Raises:
        DomainError: If *format* is none of the above, a count is negative, no value as short as
            *max_length* has enough characters left to encrypt, a reason is blank, or an option
            belongs to another format or cipher.

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

    format: Annotated[str | Alphabet | Format, FromPolicy()]
    _: KW_ONLY
    keep_first: int = 0
    keep_last: int = 0
    scope: str | None = None
    max_length: int = 8192
    small_domain: str | None = None
    cipher: Cipher = "ff1"
    legacy: str | None = None

    def __post_init__(self) -> None:
        check_scope(self.scope)
        check_reason("small_domain", self.small_domain)
        check_reason("legacy", self.legacy)
        check_choice("cipher", self.cipher, CIPHERS)
        if isinstance(self.format, str) and type(self.format) is not str:
            raise DomainError(f"the name of a format is str, got {type(self.format).__name__}")
        if isinstance(self.format, str) and self.format not in ALPHABETS:
            # A name means what the format means today, so that is what the policy writes down.
            object.__setattr__(self, "format", registry.defaults(self.format))
        alphabet = self.alphabet
        if alphabet is None:
            self._check_form()
        else:
            self._check_alphabet(alphabet)

    def _check_form(self) -> None:
        registry.check(self.format)
        name = cast("Format", self.format).name
        declared = {option.name: option.default for option in fields(self)}
        for option in OF_ALPHABETS:
            if getattr(self, option) != declared[option]:
                raise DomainError(
                    f"{option} is for alphabets: what the format '{name}' keeps is an option of "
                    "its own"
                )
        if self.cipher == "pyffx" or self.legacy is not None:
            raise DomainError(
                f"pyffx wrote strings over an alphabet: the format is an alphabet, not '{name}'"
            )

    def _check_alphabet(self, alphabet: Alphabet) -> None:
        check_integer("keep_first", self.keep_first, minimum=0)
        check_integer("keep_last", self.keep_last, minimum=0)
        least = shortest(alphabet.radix)
        if self.cipher == "pyffx":
            if self.small_domain is not None:
                raise DomainError("pyffx reads small domains without a reason, and writes none")
            least = MIN_LENGTH
        elif self.legacy is not None:
            raise DomainError('legacy is the reason to write what pyffx wrote: cipher="pyffx"')
        elif self.small_domain is not None:
            least = 1
        minimum = self.keep_first + self.keep_last + least
        check_integer("max_length", self.max_length, minimum=minimum)

    @property
    def alphabet(self) -> Alphabet | None:
        """
        The alphabet of *format*; ``None`` if it is another format.
        """
        if isinstance(self.format, str):
            return ALPHABETS[self.format]
        return self.format if isinstance(self.format, Alphabet) else None

    def bind(self, subkeys: Subkeys, /) -> "BoundFormatPreserving":
        """
        Join the rule to a key.

        Raises:
            DomainError: If it would write what pyffx wrote, and gives no reason to.
        """
        if self.cipher == "pyffx" and self.legacy is None:
            raise DomainError(
                'what pyffx wrote is read only: write with cipher="ff1", or say why not with '
                'legacy="reason"'
            )
        return BoundFormatPreserving(self, self._cipher(subkeys))

    def bind_inverse(self, subkeys: Subkeys, /) -> "FormatPreservingInverse":
        """
        Join the way back to a key.
        """
        return FormatPreservingInverse(self, self._cipher(subkeys))

    def _cipher(self, subkeys: Subkeys) -> "ValueCipher":
        alphabet = self.alphabet
        if alphabet is None:
            return RankedCipher(cast("Format", self.format), subkeys, self.small_domain)
        cipher: NumeralCipher
        small: NumeralCipher | None = None
        if self.cipher == "pyffx":
            # It knows itself which strings are too short to be written.
            secret = subkeys.derive("fpe", "pyffx")
            cipher = small = WithoutTweak(FFX.from_secret(secret, alphabet.radix))
        else:
            secret = subkeys.derive("fpe", "FF1-AES-256")
            cipher = FF1.from_secret(secret, alphabet.radix)
        if self.small_domain is not None:
            many = self.keep_first + self.keep_last > 0
            small = FewNumerals(small_permutation(subkeys, many=many), alphabet.radix)
        return CharacterCipher(
            alphabet,
            cipher,
            small,
            folds=self.format == "letters",
            keep_first=self.keep_first,
            keep_last=self.keep_last,
            max_length=self.max_length,
        )


class ValueCipher(Protocol):
    """
    What enciphers whole values.
    """

    def encrypt(self, value: object, /) -> object:
        """
        Return the value that stands for *value*.
        """
        ...

    def decrypt(self, value: object, /) -> object:
        """
        Return the value for which *value* stands.
        """
        ...


@final
@dataclass(frozen=True, slots=True)
class BoundFormatPreserving:
    """
    A `FormatPreserving` joined to a key. Threads and forked processes may share it.
    """

    rule: FormatPreserving
    cipher: ValueCipher = field(repr=False, compare=False)

    def apply(self, value: object, _by: object = None, /) -> object:
        """
        Return the pseudonym of a value.

        Raises:
            DomainError: If the value is not of the format, too long, or one of too few.
        """
        return self.cipher.encrypt(value)


@final
@dataclass(frozen=True, slots=True)
class FormatPreservingInverse:
    """
    The way back of a `FormatPreserving`, joined to a key.
    """

    rule: FormatPreserving
    cipher: ValueCipher = field(repr=False, compare=False)

    def invert(self, value: object, _by: object = None, /) -> object:
        """
        Return the value whose pseudonym is *value*. Any value of the format is one.

        Raises:
            DomainError: As `BoundFormatPreserving.apply`.
        """
        return self.cipher.decrypt(value)
