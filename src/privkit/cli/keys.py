"""
``privkit keygen``, and where the keys of other commands come from.
"""

import argparse
import shlex
import sys

from privkit.keys import EnvironmentKeys, FileKeys, KeyProvider


def keygen(options: argparse.Namespace) -> int:
    """
    Make a key: on standard output alone, or in a file.
    """
    from privkit.keys.generate import generate, write_key_file

    key = generate(options.id)
    if options.out is None:
        # The only place where a key is printed, because the user asked for one.
        print(key.to_text())
        cure = "keep it in a secret store, and set the environment variable PRIVKIT_KEYS to it"
    else:
        write_key_file(options.out, key)
        cure = f"it is in {options.out}: pass --keys {shlex.quote(options.out)}"
    print(f"key {key.id}: {cure}", file=sys.stderr)
    return 0


def provider(place: str | None) -> KeyProvider:
    """
    Return what serves the keys of a place: a file, or the environment if none is named.
    """
    return EnvironmentKeys() if place is None else FileKeys(place)
