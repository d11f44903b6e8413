"""
Python in a process of its own, where nothing is imported yet.
"""

import subprocess
import sys


def run(code, *, check=True):
    """
    Run *code* in a fresh interpreter that looks for modules where they are installed alone.
    """
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=check,
        timeout=60,
    )
