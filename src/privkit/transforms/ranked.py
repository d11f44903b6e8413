"""
Rank, encipher, unrank: what puts a format and a permutation together.
"""

from typing import Final, NoReturn, final

from privkit.ciphers.ff1 import MIN_DOMAIN_SIZE
from privkit.ciphers.permutation import Permutation, TableCache
from privkit.ciphers.shuffle import SometimesRecurse
from privkit.ciphers.walk import WalkingFF1
from privkit.errors import DomainError
from privkit.formats.contract import Format, Parsed
from privkit.typing import Subkeys

LEAST: Final = 2
"""A single value can only stay as it is, so it is refused whatever the policy says."""


@final
class RankedCipher:
    """
    Encipher the values of a format among those that keep the same.

    From 1,000,000 values up by FF1, below by a permutation without a Feistel network's weakness.
    Which one depends on the format and the number of values alone, so it is the same everywhere.

    Args:
        form: The format.

        subkeys: The key, for one field.

        small_domain: Why fewer than 1,000,000 values are acceptable; ``None`` refuses them.
    """

    __slots__ = ("_form", "_large", "_lead", "_small")

    def __init__(self, form: Format, subkeys: Subkeys, small_domain: str | None) -> None:
        self._form = form
        # What decides the numbering stands before what is kept. A name holds no blank.
        self._lead = f"{form.name} {getattr(form, 'table', 0)} "
        self._large: Permutation = WalkingFF1(subkeys.derive("fpe", "FF1-AES-256 walking"))
        self._small: Permutation | None = None
        if small_domain is not None:
            self._small = small_permutation(subkeys, many=form.many_kept)

    def encrypt(self, value: object, /) -> object:
        """
        Return the value that stands for *value*.

        Raises:
            DomainError: If *value* is not of the format, or too few values keep what it keeps.
        """
        parsed = self._form.parse(value)
        number = self._permutation(parsed).encrypt(
            parsed.number, size=parsed.size, context=self._context(parsed)
        )
        return self._form.render(parsed, number)

    def decrypt(self, value: object, /) -> object:
        """
        Return the value for which *value* stands.

        Raises:
            DomainError: As `encrypt`.
        """
        parsed = self._form.parse(value)
        number = self._permutation(parsed).decrypt(
            parsed.number, size=parsed.size, context=self._context(parsed)
        )
        return self._form.render(parsed, number)

    def _permutation(self, parsed: Parsed) -> Permutation:
        if parsed.size >= MIN_DOMAIN_SIZE:
            return self._large
        if self._small is None or parsed.size < LEAST:
            refuse_small(parsed.size)
        return self._small

    def _context(self, parsed: Parsed) -> bytes:
        # A format of somebody else's may keep half a character.
        return f"{self._lead}{parsed.kept}".encode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return f"RankedCipher({self._form!r})"

    def __reduce_ex__(self, protocol: object, /) -> NoReturn:
        raise TypeError("key material cannot be pickled or copied")


def small_permutation(subkeys: Subkeys, *, many: bool) -> Permutation:
    """
    Return what permutes fewer than 1,000,000 values.

    Args:
        subkeys: The key, for one field.

        many: Whether nearly each value keeps something else, so that no table is worth making.
    """
    secret = subkeys.derive("fpe", "privkit permutation")
    return SometimesRecurse(secret) if many else TableCache(secret)


def refuse_small(size: int) -> NoReturn:
    """
    Refuse a domain that is too small.

    Raises:
        DomainError: Always.
    """
    if size < LEAST:
        raise DomainError(
            "no other value keeps what this one keeps: keep less, or use Token or Redact", size=size
        )
    raise DomainError(
        f"fewer than {MIN_DOMAIN_SIZE:,} values keep what this one keeps: keep less, use Token, "
        'Encrypt or Redact, or accept it with small_domain="reason"',
        minimum=MIN_DOMAIN_SIZE,
        size=size,
    )
