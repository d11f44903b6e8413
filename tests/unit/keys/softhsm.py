"""
Real tokens of SoftHSM's, in a folder of their own.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.canaries import VALUES
from tests.needs import need

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
PIN = VALUES["password"]
OFFICER_PIN = VALUES["passport number"]

TOKENS = ("clinic", "guarded", "twice", "twice")

SENSITIVE, LOOSE, PUBLIC = (True, False, True), (False, True, True), (True, False, False)
"""Whether a key is sensitive, extractable and private."""
KEYS = {
    "privkit": SENSITIVE,
    "another": SENSITIVE,
    "loose": LOOSE,
    "public": PUBLIC,
    "pair": SENSITIVE,
    "pair ": SENSITIVE,
}


def module() -> str:
    """
    Return the path of the library.
    """
    found = next((path for path in MODULES if Path(path).exists()), None)
    need(found and shutil.which("softhsm2-util"), "no SoftHSM: install softhsm2")
    return str(found)


@contextlib.contextmanager
def tokens(folder: Path) -> Iterator[str]:
    """
    Make tokens with keys, and let this process use them.

    Yields:
        The path of the library.
    """
    import pkcs11

    library = module()
    kept = folder / "tokens"
    kept.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {kept}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        for label in TOKENS:
            pins = ["--pin", PIN, "--so-pin", OFFICER_PIN]
            subprocess.run(
                ["softhsm2-util", "--init-token", "--free", "--label", label, *pins],
                check=True,
                capture_output=True,
            )
        loaded = pkcs11.lib(library)
        # The configuration is read at this moment.
        loaded.reinitialize()
        for label in ("clinic", "guarded"):
            with loaded.get_token(token_label=label).open(rw=True, user_pin=PIN) as session:
                for name, kind in KEYS.items():
                    make_key(session, name.strip(), *kind)
        yield library
    finally:
        pkcs11.lib(library).finalize()
        os.environ.pop("SOFTHSM2_CONF")
        if before is not None:
            os.environ["SOFTHSM2_CONF"] = before


def make_key(session, label, sensitive, extractable, private):
    """
    Make an AES key in a token.
    """
    from pkcs11 import Attribute, KeyType, MechanismFlag

    session.generate_key(
        KeyType.AES,
        256,
        label=label,
        store=True,
        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
        template={
            Attribute.SENSITIVE: sensitive,
            Attribute.EXTRACTABLE: extractable,
            Attribute.PRIVATE: private,
        },
    )
