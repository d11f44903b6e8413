"""
Python in a process of its own, where nothing is imported yet.
"""

import subprocess
import sys

import pytest


def run(code, *, check=True):
    """
    Run *code* in a fresh interpreter that looks for modules where they are installed alone.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if check and done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    return done
