"""
Every error privkit raises on purpose, in one small tree.

::

    PrivkitError
    ├── DomainError               the value does not fit the transform
    ├── PolicyError               the policy is contradictory or does not fit the record
    │   ├── UnruledFieldError     a field has no transform
    │   └── IrreversibleError     reidentification asked of a one-way transform
    ├── AccessDeniedError         the authority's rules refused a reidentification
    ├── AuditError                the record of a reidentification could not be written
    ├── TamperedError             an authenticated pseudonym was altered, or belongs elsewhere
    ├── KeyProviderError          the provider failed
    │   ├── KeyNotFoundError      no such id or keyset
    │   ├── KeyMaterialError      wrong size, weak, or mistyped
    │   └── KeyUnavailableError   the backend is down; the only retryable one
    ├── DatasetError              a file or a row cannot be read or written
    └── MissingExtraError         also an ImportError; names the extra

A message is one sentence about shape: field, position, length, type, count or key id.
It never holds a value, a pseudonym, the repr of an input, or a key.

None of these is a ``ValueError``: frameworks catch that class and print the input beside it.
"""

from typing import ClassVar

Fact = str | int | tuple[str, ...] | None


class PrivkitError(Exception):
    """
    Something privkit refused to do.

    Args:
        message: One sentence in lower case, without a full stop and without content.

        facts: The numbers and names in the message, so that nobody has to parse it. Each one
            is also an attribute: ``error.minimum``.

    Attributes:
        code: The stable name of the error, and of its page under ``docs/reference/errors/``.

        field: The policy path of the field concerned, where one is known.

        row: The row concerned, counted from 1 without the header, where one is known.
    """

    code: ClassVar[str] = "privkit"

    def __init__(self, message: str, /, **facts: Fact) -> None:
        super().__init__(message)
        self.field: str | None = None
        self.row: int | None = None
        self.facts: dict[str, Fact] = facts
        self.__dict__.update(facts)

    def __getattr__(self, name: str) -> Fact:
        raise AttributeError(name)


class DomainError(PrivkitError):
    """
    The value does not fit the transform, or the transform's own parameters do not fit together.
    """

    code = "domain"


class PolicyError(PrivkitError):
    """
    The policy is contradictory, cannot be read, or does not fit the record.
    """

    code = "policy"


class UnruledFieldError(PolicyError):
    """
    A record has a field for which the policy has no rule.
    """

    code = "unruled-field"


class IrreversibleError(PolicyError):
    """
    Reidentification was asked of a one-way transform.
    """

    code = "irreversible"


class AccessDeniedError(PrivkitError):
    """
    The authority's access rules refused a reidentification.
    """

    code = "access-denied"


class AuditError(PrivkitError):
    """
    The record of a reidentification could not be written, so nothing was revealed.
    """

    code = "audit"


class TamperedError(PrivkitError):
    """
    An authenticated pseudonym was altered, or belongs to another field, scope or key.
    """

    code = "tampered"


class KeyProviderError(PrivkitError):
    """
    A key provider failed or broke its contract.
    """

    code = "key-provider"


class KeyNotFoundError(KeyProviderError):
    """
    There is no keyset, or no live key, of that name.
    """

    code = "key-not-found"


class KeyMaterialError(KeyProviderError):
    """
    Key material has the wrong size or encoding, or is weak.
    """

    code = "key-material"


class KeyUnavailableError(KeyProviderError):
    """
    The backend that holds the keys cannot be reached. The only retryable error.
    """

    code = "key-unavailable"


class DatasetError(PrivkitError):
    """
    A file or a row of it cannot be read or written.
    """

    code = "dataset"


class MissingExtraError(PrivkitError, ImportError):
    """
    A library that an optional part of privkit needs is not installed.
    """

    code = "missing-extra"

    def __init__(self, purpose: str, /, *, extra: str) -> None:
        super().__init__(
            f"{purpose} needs an extra: pip install 'privkit-sdk[{extra}]'", extra=extra
        )
