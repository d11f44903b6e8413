"""
Eight threads that protect records while another process rotates the keys; run as a script.

The first argument is a keyset file, the second one whose absence says to go on, and the third one
where the protected records go.
"""

import json
import sys
import threading
import time
from pathlib import Path

from privkit import Encrypt, EnvironmentKeys, FormatPreserving, Policy, Token
from privkit.keys.cached import CachedKeys
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal

SEAL = KeysSeal(EnvironmentKeys("PRIVKIT_WRAP"))
POLICY = Policy(
    "patients",
    version=1,
    fields={"mrn": FormatPreserving("digits"), "email": Token(), "chart": Encrypt()},
)
THREADS = 8


def record(number):
    """Return the record of a number, of which a test finds out whether it came back."""
    return {"mrn": f"{number:09d}", "email": f"{number}@quill.example", "chart": {"n": number}}


def main(path, stop, out):
    """Protect records until told to stop, and write them down."""
    patients = POLICY.bind(CachedKeys(KeysetFile(path, SEAL), ttl=1), key_field="key")
    rows, failures = [], []

    def work(first):
        number = first
        while not stop.exists():
            try:
                rows.append([number, patients.pseudonymize(record(number))])
            except Exception as error:  # noqa: BLE001 - the test wants to see each
                failures.append(f"{type(error).__name__}: {error}")
            number += THREADS
            time.sleep(0.005)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.write_text(json.dumps({"rows": rows, "failures": failures}), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
