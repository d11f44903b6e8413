"""
What a test needs beyond the project: a visible skip on a newcomer's machine, a failure in CI.
"""

import os
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[1]
IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def need(condition: object, reason: str) -> None:
    """
    Go on if *condition* holds; otherwise skip the test, or fail it in CI.
    """
    if condition:
        return
    if IN_CI:
        pytest.fail(f"missing in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def folder(variable: str, name: str) -> Path:
    """
    Return the folder that *variable* names, or the one called *name* beside the repository.
    """
    place = Path(os.environ.get(variable) or REPOSITORY.parent / "shared" / name)
    need(place.is_dir(), f"no folder of {name}: set {variable}")
    return place


def vectors_folder() -> Path:
    """
    Return the folder with the test vectors of other projects.
    """
    return folder("PRIVKIT_VECTORS", "vectors")


def data_folder() -> Path:
    """
    Return the folder with real tables.
    """
    return folder("PRIVKIT_DATA", "data")
