"""
Leaks planted on purpose, one a test; `test_harness.py` runs them and expects each to fail.

Those whose name ends in ``_is_clean`` pass.
"""

import logging
import sys
import warnings

import pytest

from privkit.ciphers.prf import HMACSHA256
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import KEY_BYTES, TEXT


def test_message():
    with pytest.raises(DomainError):
        raise DomainError(f"cannot read {TEXT}")


def test_message_beyond_the_kept():
    for number in range(10):
        DomainError(f"cannot read it, {number}" if number < 9 else TEXT)


def test_fact():
    assert DomainError("cannot read it", sample=TEXT)


def test_context():
    with pytest.raises(DomainError):
        try:
            int(TEXT)
        except ValueError:
            raise DomainError("cannot read it") from None


def test_note():
    DomainError("cannot read it").add_note(TEXT)


def test_key():
    assert DomainError("cannot read it", sample=KEY_BYTES.hex())


class Bare:
    """A holder of key bytes that shows them."""

    def expose(self):
        return KEY_BYTES[:-1]

    def __repr__(self):
        return KEY_BYTES.hex()


def test_key_in_a_local_of_the_source():
    with pytest.raises(KeyMaterialError):
        HMACSHA256(Bare())


def test_log():
    logging.getLogger("deep.down").debug("read %s", TEXT)


def test_log_extra():
    logging.getLogger("deep.down").debug("read", extra={"sample": TEXT})


def test_output():
    sys.stdout.write(TEXT[::-1])


def test_error_output():
    sys.stderr.write(TEXT.encode().hex())


def test_warning():
    warnings.warn(TEXT, stacklevel=1)


@pytest.mark.prints_canaries
def test_declared_output_is_clean():
    sys.stdout.write(TEXT)


def test_local_of_a_test_is_clean():
    held = TEXT
    with pytest.raises(DomainError):
        raise DomainError(f"cannot read {len(held)} characters")


def test_nothing_is_clean():
    logging.getLogger("deep.down").debug("read %d", 1)
