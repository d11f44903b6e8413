"""
What `import privkit` costs and offers.
"""

import json
import sys

import pytest

import privkit
from tests.meta.fresh import run

HEAVY = {"pydantic", "phonenumbers", "dateutil", "pyffx", "numpy"}
ALLOWED = {"cryptography", "_cffi_backend"}
EVERYTHING = "import privkit\nfor name in privkit.__all__: getattr(privkit, name)"


@pytest.fixture(scope="module")
def loaded():
    """
    The modules that a fresh interpreter has loaded for privkit's sake.
    """
    return set(
        json.loads(
            run(
                f"import json, sys; before = set(sys.modules)\n{EVERYTHING}\n"
                "print(json.dumps(sorted(set(sys.modules) - before)))"
            ).stdout
        )
    )


def test_no_heavy_library_is_loaded(loaded):
    """
    The libraries of single transforms wait for their first use.
    """
    assert set() == HEAVY & loaded


def test_no_third_party_module_but_cryptography_is_loaded(loaded):
    """
    Importing privkit brings in the standard library, and cryptography at most.
    """
    top = {name.split(".")[0] for name in loaded}

    assert set() == top - set(sys.stdlib_module_names) - ALLOWED - {"privkit"}


def test_all_is_sorted_and_short():
    """
    The front door shows at most 25 names, in order.
    """
    assert sorted(privkit.__all__) == list(privkit.__all__)
    assert 0 < len(privkit.__all__) <= 25


def test_all_is_what_there_is():
    """
    Each name in `__all__` exists.
    """
    assert [] == [name for name in privkit.__all__ if not hasattr(privkit, name)]


def test_the_package_says_that_it_is_typed():
    """
    Type checkers read the annotations of a package that holds `py.typed`.
    """
    from importlib.resources import files

    assert files("privkit").joinpath("py.typed").is_file()
