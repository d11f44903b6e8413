"""Every error of the room, with each frame's locals printed as error trackers print them."""

import copy
import errno
import os
import resource
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import privkit
from privkit.audit import MemoryAudit
from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyProviderError, PrivkitError
from privkit.keys import (
    EnvironmentKeys,
    FileKeys,
    Key,
    Keyset,
    StaticKeys,
    envelope,
    replace,
    resolve,
)
from privkit.keys import keyset_file as keyset_file_module
from privkit.keys.call import CallableKeys
from privkit.keys.credentials import CredentialKeys
from privkit.keys.generate import write_key_file
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal, Passphrase
from privkit.testing import FaultyKeys
from privkit.testing.canaries import Canaries
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES, VALUES
from tests.harness import lines_of, privkit_raises

SOURCE = Path(privkit.__file__).parent
KEY = Key("k2", KEY_BYTES)
TWIN = Key("k2", OTHER_KEY_BYTES)
TEXT = KEY.to_text()

# The modules that read and hold keys. What others raise, the harness around the suite searches.
MODULES = {
    "document.py",
    "environment.py",
    "envelope.py",
    "file.py",
    "generate.py",
    "key.py",
    "keyset.py",
    "keyset_file.py",
    "managed.py",
    "provider.py",
    "replace.py",
    "ring.py",
    "seal.py",
    "static.py",
    "text.py",
    "weakness.py",
}

PHRASE = VALUES["password"]
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SEAL = KeysSeal(StaticKeys(Key("w1", KEY_BYTES)))

# A third of a key is enough to be found: truncated texts hold no whole one.
NEEDLES = Canaries(
    {
        "passphrase": PHRASE,
        **{f"bytes {i} to {i + 9}": KEY_BYTES[i : i + 10] for i in range(0, 21, 5)},
    }
)

ARGUMENTS = {
    "id of bytes": lambda: Key(KEY_BYTES, KEY_BYTES),
    "id of text": lambda: Key(KEY_BYTES.hex(), KEY_BYTES),
    "material of text": lambda: Key("k1", TEXT),
    "material too short": lambda: Key("k1", KEY_BYTES[:31]),
    "material too long": lambda: Key("k1", KEY_BYTES + b"\0"),
    "material repeated": lambda: Key("k1", KEY_BYTES[:16] * 2),
    "material with a period": lambda: Key("k1", (KEY_BYTES[:20] * 2)[:32]),
    "bytes as text": lambda: Key.parse(TEXT.encode()),
    "text cut": lambda: Key.parse(TEXT[:-1]),
    "text cut in front": lambda: Key.parse(TEXT[1:]),
    "text in quotes": lambda: Key.parse(f"'{TEXT}'"),
    "text in upper case": lambda: Key.parse(TEXT.upper()),
    "text in half upper case": lambda: Key.parse(f"pk1_{TEXT[4:].upper()}"),
    "text mistyped": lambda: Key.parse(TEXT.replace("k2", "k3")),
    "hexadecimal as text": lambda: Key.parse(KEY_BYTES.hex()),
    "pyffx id of bytes": lambda: Key.of_pyffx(KEY_BYTES, KEY_BYTES),
    "pyffx material of text": lambda: Key.of_pyffx("k1", TEXT),
    "pyffx material too short": lambda: Key.of_pyffx("k1", KEY_BYTES[:15]),
    "pyffx key as text": lambda: Key.of_pyffx("k1", KEY_BYTES).to_text(),
    "pyffx key for something else": lambda: Key.of_pyffx("k1", KEY_BYTES).derive(
        purpose="token", scope="s", algorithm="HMAC-SHA-256"
    ),
    "keyset of bytes": lambda: Keyset(KEY_BYTES),
    "keyset with older bytes": lambda: Keyset(TWIN, [KEY_BYTES]),
    "keyset with bytes as list": lambda: Keyset(TWIN, KEY_BYTES),
    "keyset of one id": lambda: Keyset(KEY, [TWIN]),
    "keyset of one material": lambda: Keyset(KEY, [Key("k1", KEY_BYTES)]),
    "keyset with compromised bytes": lambda: Keyset(TWIN, compromised=[KEY_BYTES]),
    "keyset whose primary may not protect": lambda: Keyset(KEY, obstacle="it ended").primary,
    "compromised key asked for": lambda: Keyset(TWIN, compromised=[Key("k1", KEY_BYTES)]).get("k1"),
    "destroyed key asked for": lambda: Keyset(KEY, destroyed=["k1"]).get("k1"),
    "static keyset of bytes": lambda: StaticKeys.of(KEY_BYTES),
    "static keyset named by the key": lambda: StaticKeys.of(Keyset(KEY), name=TEXT),
    "id asked for": lambda: Keyset(KEY).get(KEY_BYTES.hex()),
    "bytes asked for": lambda: Keyset(KEY).get(KEY_BYTES),
    "static bytes": lambda: StaticKeys(KEY_BYTES),
    "static older bytes": lambda: StaticKeys(TWIN, older=[KEY_BYTES]),
    "static keys of one id": lambda: StaticKeys(KEY, older=[TWIN]),
    "static keys of another name": lambda: StaticKeys(KEY).keyset("other"),
    "static keys named by the key": lambda: StaticKeys(KEY, name=TEXT),
    "static keys named by half the key": lambda: StaticKeys(KEY, name=TEXT[:40]),
    "static bytes named by the key": lambda: StaticKeys(KEY_BYTES, name=TEXT),
    "static keys asked for the key": lambda: StaticKeys(KEY).keyset(TEXT),
    "static keys asked for half the key": lambda: StaticKeys(KEY).keyset(TEXT[:40]),
    "variables asked for the key": lambda: EnvironmentKeys().keyset(TEXT),
    "variables asked for half the key": lambda: EnvironmentKeys().keyset(TEXT[:40]),
    "a file asked for the key": lambda: FileKeys("none").keyset(TEXT),
    "a file asked for half the key": lambda: FileKeys("none").keyset(TEXT[:40]),
    "a provider asked for the key": lambda: resolve(StaticKeys(KEY), TEXT),
    "a provider asked for half the key": lambda: resolve(StaticKeys(KEY), TEXT[:40]),
    "static keys without a name": lambda: StaticKeys(KEY).keyset(""),
    "variable is the key": lambda: EnvironmentKeys(TEXT),
    "variable is bytes": lambda: EnvironmentKeys(KEY_BYTES),
    "path is the key": lambda: FileKeys(TEXT),
    "path is bytes": lambda: FileKeys(KEY_BYTES),
    "path to write is the key": lambda: write_key_file(TEXT, KEY),
    "path to write is taken": lambda: write_key_file("/", KEY),
    "function is the key": lambda: CallableKeys(TEXT),
    "a function asked for the key": lambda: CallableKeys(print).keyset(TEXT),
    "a function that returns half the key": lambda: CallableKeys(lambda _: TEXT[:40]).keyset("a"),
    "a function that returns bytes": lambda: CallableKeys(lambda _: KEY_BYTES).keyset("a"),
    "credential is the key": lambda: CredentialKeys(TEXT),
    "credential is bytes": lambda: CredentialKeys(KEY_BYTES),
    "credentials asked for the key": lambda: CredentialKeys().keyset(TEXT),
    "credentials asked for half the key": lambda: CredentialKeys().keyset(TEXT[:40]),
    "provider is bytes": lambda: resolve(KEY_BYTES, "default"),
    "fault unknown": lambda: FaultyKeys("unknown", keys=Keyset(KEY)),
}
CONTENTS = {
    "nothing": "",
    "bare hexadecimal": KEY_BYTES.hex(),
    "a cut key": TEXT[:-1],
    "a quoted key": f"'{TEXT}'",
    "a key and a cut one": f"{TEXT} {TEXT[:-4]}",
    "a key twice": f"{TEXT} {TEXT}",
    "a key in a section's place": f"[{TEXT}]",
    "a key behind a section": f"[a] {TEXT}",
    "a key twice in sections": f"{TEXT}\n[default]\n{TEXT}",
    "a key and NUL": f"{TEXT}\0",
    "a key and rubbish": TEXT.encode() + b"\xff",
    "too much": TEXT * 2**14,
}


SEALS = {
    "variable is the passphrase": lambda: Passphrase(PHRASE),
    "variable is a passphrase in upper case and more": lambda: Passphrase(PHRASE.upper()),
    "passphrase is bytes": lambda: Passphrase(PHRASE.encode()),
    "cost is none": lambda: Passphrase("PHRASE", cost=PHRASE),
    "passphrase is short": lambda: Passphrase(lambda: PHRASE[:11]).wrap(KEY, b""),
    "passphrase is of bytes": lambda: Passphrase(PHRASE.encode).wrap(KEY, b""),
    "passphrase is half a character": lambda: Passphrase(lambda: PHRASE + "\ud800").wrap(KEY, b""),
    "passphrase is not there": lambda: Passphrase("PRIVKIT_NO_PHRASE").wrap(KEY, b""),
    "passphrase is not to be had": lambda: Passphrase(told(RuntimeError(PHRASE))).wrap(KEY, b""),
    "header lacks a part": lambda: Passphrase(lambda: PHRASE).unwrap({}, b""),
    "header asks for much": lambda: Passphrase(lambda: PHRASE).unwrap(
        {"n": "1", "r": "8", "p": "1"}, b""
    ),
    "header is no base64": lambda: SEAL.unwrap({"key_id": "w1", "wrapped": "é"}, b""),
    "header is altered": lambda: SEAL.unwrap({"key_id": "w1", "wrapped": "A" * 64}, b""),
    "seal named by the key": lambda: KeysSeal(StaticKeys(KEY), keyset=TEXT),
    "seal of bytes": lambda: KeysSeal(KEY_BYTES).wrap(KEY, b""),
}
FILES = {
    "path is the key": lambda path: KeysetFile(TEXT, SEAL),
    "path of a draft": lambda path: KeysetFile(f"{path}.part", SEAL),
    "seal is the passphrase": lambda path: KeysetFile(path, PHRASE),
    "seal is another": lambda path: KeysetFile(path, Passphrase(lambda: PHRASE)).names(),
    "keyset is the key": lambda path: KeysetFile(path, SEAL).keyset(TEXT),
    "keyset asked for is the key": lambda path: KeysetFile(path, SEAL).status(TEXT),
    "keyset is not there": lambda path: KeysetFile(path, SEAL).status("none"),
    "keyset is there": lambda path: KeysetFile(path, SEAL).create(reason="r"),
    "made keyset is the key": lambda path: KeysetFile(path, SEAL).create(reason="r", keyset=TEXT),
    "made for the key": lambda path: KeysetFile(path, SEAL).create(reason=TEXT, keyset="other"),
    "prepared for the key": lambda path: KeysetFile(path, SEAL).prepare(reason=TEXT),
    "prepared twice": lambda path: KeysetFile(path, SEAL).prepare(KEY, reason="r"),
    "prepared without text": lambda path: KeysetFile(path, SEAL).prepare(
        Key.of_pyffx("p1", KEY_BYTES), reason="r"
    ),
    "staged is the key": lambda path: KeysetFile(path, SEAL).stage(TEXT, reason="r"),
    "staged is active": lambda path: KeysetFile(path, SEAL).stage("k2", reason="r"),
    "staged for the key": lambda path: KeysetFile(path, SEAL).stage(reason="r", period=TEXT),
    "promoted is the key": lambda path: KeysetFile(path, SEAL).promote(TEXT, reason="r"),
    "promoted is the primary": lambda path: KeysetFile(path, SEAL).promote("k2", reason="r"),
    "promoted is prepared": lambda path: KeysetFile(path, SEAL).promote("k3", reason="r"),
    "retired is the primary": lambda path: KeysetFile(path, SEAL).retire("k2", reason="r"),
    "suspended for the key": lambda path: KeysetFile(path, SEAL).suspend("k2", reason=TEXT),
    "compromised in the key": lambda path: KeysetFile(path, SEAL).compromise(
        "k2", reason="r", keyset=TEXT
    ),
    "destroyed is needed": lambda path: KeysetFile(path, SEAL).destroy("k3", reason="r"),
    "recorded is the key": lambda path: KeysetFile(path, SEAL).record(TEXT, ["k2"]),
    "recorded for the key": lambda path: KeysetFile(path, SEAL).record("d", [TEXT]),
    "recorded for a text": lambda path: KeysetFile(path, SEAL).record("d", TEXT),
    "recorded for a destroyed key": lambda path: KeysetFile(path, SEAL).record("d", ["k4"]),
    "forgotten is the key": lambda path: KeysetFile(path, SEAL).forget(TEXT),
    "copy without a trail": lambda path: copy.copy(
        KeysetFile(path, SEAL, audit=MemoryAudit())
    ).suspend("k2", reason="r"),
    "seal that forgets": lambda path: KeysetFile(path.with_name("x"), Forgetful()).create(
        reason="r"
    ),
}


class Forgetful:
    """A seal that returns another key than it took."""

    kind = "forgetful"

    def wrap(self, data_key, context):
        """Keep nothing."""
        return {}

    def unwrap(self, header, context):
        """Return something."""
        return SecretBytes(OTHER_KEY_BYTES)


def told(error):
    """A callable that raises."""

    def fail(*_arguments):
        raise error

    return fail


def with_little_memory():
    """The error of a process that cannot have the memory of scrypt."""
    size = 2**30
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size, before[1]))
    try:
        Passphrase(lambda: PHRASE, cost=2**20).wrap(KEY, b"")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def caught(act):
    """The error of a call that must fail."""
    try:
        act()
    except PrivkitError as error:
        return error
    pytest.fail("nothing was refused")


def keyset_file(path):
    """A keyset file of four keys: k2 the primary, k3 prepared and needed, k4 destroyed."""
    file = KeysetFile(path, SEAL)
    file.create(reason="r", adopt=Keyset(KEY))
    file.prepare(Key("k3", OTHER_KEY_BYTES), reason="r")
    file.destroy(file.prepare(Key("k4", THIRD_KEY_BYTES), reason="r"), reason="r")
    file.record("visits", ["k3"])
    return file


def shown(error):
    """What an error tracker shows of an error: all frames of the library, with their locals."""
    for part in (error, error.__cause__, error.__context__):
        if part is not None:
            printed = traceback.TracebackException.from_exception(part, capture_locals=True)
            yield "".join(printed.format_exception_only())
            for frame in printed.stack:
                # A generated method has no file.
                if frame.filename.startswith((str(SOURCE), "<")):
                    yield "\n".join([frame.name, *(frame.locals or {}).values()])


def cases(tmp_path, monkeypatch):
    """Every way to fail, by name."""
    yield from ARGUMENTS.items()
    yield from SEALS.items()
    yield "little memory", with_little_memory
    for fault in (
        "disabled",
        "empty",
        "none",
        "raise",
        "unavailable",
        "wrong_length",
        "wrong_type",
    ):
        keys = FaultyKeys(fault, keys=Keyset(KEY), secret=TEXT)
        yield f"fault {fault}", lambda keys=keys: resolve(keys, "default")
    yield "fault flaky", lambda: resolve(FaultyKeys("flaky", keys=Keyset(KEY)), "default")
    for name, content in CONTENTS.items():
        raw = content if isinstance(content, bytes) else content.encode()
        path = tmp_path / name
        path.write_bytes(raw)
        path.chmod(0o600)
        yield f"file with {name}", lambda path=path: FileKeys(path).keyset("default")
        if b"\0" not in raw:
            variable = "PRIVKIT_" + name.upper().translate({32: "_", 39: "_"})
            monkeypatch.setenv(variable, raw.decode(errors="surrogateescape"))
            yield (
                f"variable with {name}",
                lambda variable=variable: EnvironmentKeys(variable).keyset("default"),
            )
    yield from file_cases(tmp_path, monkeypatch)
    path = tmp_path / "open to all"
    path.write_text(TEXT)
    path.chmod(0o644)
    yield "file open to all", lambda: FileKeys(path).keyset("default")
    yield "no file", lambda: FileKeys(tmp_path / "none").keyset("default")
    monkeypatch.delattr("os.geteuid")
    yield "other platform", lambda: FileKeys(tmp_path / "none").keyset("default")
    yield "other platform, writing", lambda: write_key_file(tmp_path / "none", KEY)


def file_cases(tmp_path, monkeypatch):
    """Every way to fail of a keyset file."""
    tmp_path.chmod(0o700)
    path = tmp_path / "clinic.pk"
    file = keyset_file(path)
    for name, act in FILES.items():
        yield f"keyset file: {name}", lambda act=act: act(path)
    whole = path.read_bytes()
    for name, content in {
        "cut": whole[:-9],
        "altered": whole.replace(b'y": "', b'y": "AAAA'),
    }.items():
        path.write_bytes(content)
        yield f"keyset file {name}", lambda: file.keyset("default")
    path.write_bytes(envelope.write(SecretBytes(f'{{"keysets": "{TEXT}"}}'.encode()), SEAL))
    yield "keyset file of something else", lambda: file.keyset("default")
    path.write_bytes(whole)
    with monkeypatch.context() as patch:
        patch.setattr(keyset_file_module, "MAX_SIZE", len(whole) + 100)
        yield "keyset file too large", lambda: file.record("x" * 500, ["k2"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", told(OSError(errno.ENOSPC, "")))
        yield "disk full", lambda: file.suspend("k2", reason="r")
    with monkeypatch.context() as patch:
        patch.setattr(replace, "_sync_folder", lambda path: "it was changed")
        yield "folder fails", lambda: file.suspend("k2", reason="r")
    tmp_path.chmod(0o777)
    yield "folder of others", lambda: file.suspend("k2", reason="r")
    yield "folder of others, reading", lambda: file.keyset("default")
    tmp_path.chmod(0o700)
    yield "no keyset file", lambda: KeysetFile(tmp_path / "none", SEAL).keyset("default")
    with monkeypatch.context() as patch:
        patch.delattr("os.geteuid")
        yield "other platform, changing", lambda: file.suspend("k2", reason="r")
    managed = file.status()
    yield (
        "ended key",
        lambda: managed.stage("k3", now=NOW, reason="r", period=timedelta(seconds=1)).promote(
            "k3", now=datetime(2200, 1, 1, tzinfo=UTC), reason="r"
        ),
    )
    # The folder failed after the change was made.
    yield (
        "suspended key that ended",
        lambda: managed.stage("k2", now=datetime(2200, 1, 1, tzinfo=UTC), reason="r"),
    )


class TestLeaks:
    def test_no_error_shows_a_key(self, tmp_path, monkeypatch):
        """No part of a key is in a message, or in a local variable of any of our frames."""
        found = []
        for name, act in cases(tmp_path, monkeypatch):
            error = caught(act)
            found += [name for text in shown(error) if NEEDLES.find(text)]
            found += [(name, leak) for leak in NEEDLES.scan_error(error)]

        assert [] == found

    def test_every_error_of_the_room_was_looked_at(self, tmp_path, monkeypatch):
        """The cases reach each `raise` of the room, so that none is added without one."""
        reached = {
            site for _, act in cases(tmp_path, monkeypatch) for site in lines_of(caught(act))
        }
        missed = [
            (Path(path).name, first)
            for (path, first), last in privkit_raises(SOURCE / "keys").items()
            if Path(path).name in MODULES
            and not any((path, line) in reached for line in range(first, last + 1))
        ]

        assert [] == missed

    def test_the_search_finds_a_planted_key(self):
        """A frame that keeps key bytes would be noticed."""
        planted = compile(
            "def leak(material, error):\n    raise error", str(SOURCE / "planted.py"), "exec"
        )
        names = {}
        exec(planted, names)
        error = caught(lambda: names["leak"](KEY_BYTES[:12], KeyProviderError("planted")))

        assert [text for text in shown(error) if NEEDLES.find(text)]
