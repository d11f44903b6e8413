"""A keyset file: what it serves, what it refuses, and that it is never left half written."""

import copy
import json
import logging
import os
import pickle
import random
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from privkit import Policy, Token
from privkit.audit import JSONLinesAudit, MemoryAudit
from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    AuditError,
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
    PrivkitError,
)
from privkit.keys import FileKeys, Key, Keyset, StaticKeys, keyset_file, resolve
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal, Passphrase
from privkit.keys.states import KeyState
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT, THIRD_KEY_BYTES, VALUES

PHRASE = VALUES["password"]
K1, K2 = Key("k1", KEY_BYTES), Key("k2", OTHER_KEY_BYTES)
SEAL = KeysSeal(StaticKeys(Key("w1", THIRD_KEY_BYTES)))
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    """Where a keyset file goes."""
    tmp_path.chmod(0o700)
    return tmp_path / "clinic.pk"


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""

    class Clock(datetime):
        moment = START

        @classmethod
        def now(cls, tz=None):
            return cls.moment

    monkeypatch.setattr(keyset_file, "datetime", Clock)
    return Clock


def made(path, *, seal=SEAL, audit=None, **options):
    """A keyset file with the keys k1, the primary, and k2, staged."""
    file = KeysetFile(path, seal, audit=audit)
    file.create(reason="start", adopt=Keyset(K1), **options)
    file.stage(file.prepare(K2, reason="yearly"), reason="yearly")
    return file


def by_phrase(phrase=PHRASE):
    """A cheap seal of a passphrase."""
    return Passphrase(lambda: phrase, cost=2**14)


class TestLife:
    def test_from_the_first_key_to_its_end(self, path):
        """Each operation is in the file when it returns."""
        file = made(path)
        policy = Policy("patients", version=1, fields={"name": Token()})
        before = policy.bind(file)["name"].apply(TEXT)
        file.promote("k2", reason="every process has it")
        file.retire("k1", reason="replaced")

        assert before in policy.bind(KeysetFile(path, SEAL))["name"].candidates(TEXT)
        assert before != policy.bind(file)["name"].apply(TEXT)

        file.destroy("k1", reason="re-keyed")
        assert Keyset(K2, destroyed=["k1"]) == KeysetFile(path, SEAL).keyset("default")

    def test_suspends_and_stages(self, path):
        """A suspended key comes back; without its primary the file protects nothing."""
        file = made(path)
        file.suspend("k1", reason="laptop missing")
        with pytest.raises(KeyNotFoundError, match="the primary, key k1, is suspended"):
            _ = file.keyset("default").primary
        assert "k1" == file.stage("k1", reason="laptop found")

        assert Keyset(K1, [K2]) == file.keyset("default")

    def test_compromises(self, path):
        """A compromised key resolves for a reason."""
        file = made(path)
        file.compromise("k1", reason="laptop stolen")

        assert ("k2",) == file.keyset("default").ids
        assert K1 == file.keyset("default").get("k1", allow_compromised="to re-key")

    def test_draws_keys(self, path):
        """Without a key given, one is drawn; its id is told and it is in the file."""
        file = KeysetFile(path, SEAL)
        first = file.create(reason="start")
        second = file.stage(reason="next", period=timedelta(days=1))
        third = file.prepare(reason="spare")

        assert [first, second, third] == [entry.key_id for entry in file.status().keys]
        assert [KeyState.ACTIVE, KeyState.ACTIVE, KeyState.PRE_ACTIVE] == [
            entry.state for entry in file.status().keys
        ]
        assert 3 == len({entry.tag for entry in file.status().keys})

    def test_keysets_do_not_mix(self, path):
        """A file holds several keysets, and each changes alone."""
        file = made(path)
        default = file.status()
        file.create(keyset="billing", reason="other", adopt=Keyset(K2), period=None)
        file.suspend("k2", reason="r", keyset="billing")

        assert ("default", "billing") == file.names()
        assert default == file.status()
        assert KeyState.SUSPENDED is file.status("billing").get("k2").state

    def test_a_keyset_is_made_once(self, path):
        """No key is overwritten."""
        file = made(path)
        before = path.read_bytes()
        with pytest.raises(KeyProviderError, match="keys are never overwritten: stage another"):
            file.create(reason="again")

        assert before == path.read_bytes()

    def test_a_keyset_that_is_not_there_is_named(self, path):
        """The message tells which there are."""
        with pytest.raises(
            KeyNotFoundError, match=r"no keyset billing in .*; it has default"
        ) as no:
            made(path).keyset("billing")

        assert {"keyset": "billing", "path": str(path)} == no.value.facts

    def test_records_datasets(self, path):
        """A recorded dataset keeps its key; forgotten, it does not."""
        file = made(path)
        file.promote("k2", reason="r")
        file.retire("k1", reason="r")
        file.record("visits", ["k1", "k2"])
        with pytest.raises(KeyProviderError, match="is needed by 1 recorded"):
            file.destroy("k1", reason="r")
        file.forget("visits")
        file.destroy("k1", reason="r", dry_run=True)
        assert KeyState.DEACTIVATED is file.status().get("k1").state
        file.destroy("k1", reason="r")

        assert KeyState.DESTROYED is file.status().get("k1").state

    def test_a_destroyed_key_is_not_in_the_file(self, path):
        """Who opens the file finds every key of it but the destroyed one."""
        file = made(path)
        file.promote("k2", reason="r")
        file.retire("k1", reason="r")
        file.destroy("k1", reason="r")
        content = keyset_file.envelope.read(SecretBytes(path.read_bytes()), SEAL)

        assert K2.to_text().encode() in content.expose()
        assert KEY_BYTES.hex().encode() not in content.expose()

    def test_first_use_tells_the_cure(self, path):
        """Without a file, construction works and the first use says what to do."""
        file = KeysetFile(path, SEAL)
        with pytest.raises(KeyNotFoundError, match=f"'privkit keys create {path}'"):
            file.keyset("default")
        with pytest.raises(KeyNotFoundError, match="there is no keyset file"):
            file.stage(reason="r")

        assert not path.exists()

    def test_a_key_of_pyffx_is_kept_elsewhere(self, path):
        """A key that has no text is refused before anything is written down."""
        audit = MemoryAudit()
        file = made(path, audit=audit)
        before = path.read_bytes(), audit.key_events
        with pytest.raises(KeyMaterialError, match="is of pyffx and has no text"):
            file.prepare(Key.of_pyffx("p1", THIRD_KEY_BYTES), reason="r")

        assert before == (path.read_bytes(), audit.key_events)

    def test_warns_once_a_key(self, path, clock, caplog):
        """In the last fifth of its period the primary is warned of, once for each object."""
        file = made(path, period=timedelta(days=100))
        clock.moment = START + timedelta(days=79)
        file.keyset("default")
        assert [] == caplog.records
        clock.moment = START + timedelta(days=81)
        for _ in range(3):
            file.keyset("default")

        assert [
            (
                "privkit.keys",
                logging.WARNING,
                "key k1 of keyset default protects for 19 more days: stage and promote another",
            )
        ] == caplog.record_tuples


class TestClock:
    @pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(days=1), timedelta(3650)])
    def test_set_back_it_is_not_believed(self, path, clock, back):
        """A key whose period ended in the file's sight protects under no later clock."""
        file = made(path, period=timedelta(days=10))
        clock.moment = START + timedelta(days=10)
        file.record("visits", ["k1"])
        clock.moment -= back
        for reader in (file, KeysetFile(path, SEAL)):
            with pytest.raises(KeyNotFoundError, match="the period of key k1 ended on"):
                _ = reader.keyset("default").primary

    def test_set_back_within_a_process_it_is_not_believed(self, path, clock):
        """A reader goes by the latest time that it has seen, also if the file has not."""
        file = made(path, period=timedelta(days=10))
        clock.moment = START + timedelta(days=10)
        for _ in range(2):
            with pytest.raises(KeyNotFoundError, match="ended on"):
                _ = file.keyset("default").primary
            clock.moment = START

    def test_history_runs_forward(self, path, clock):
        """A change made under a clock that is set back has the latest time seen."""
        file = made(path)
        clock.moment = START - timedelta(days=3650)
        file = KeysetFile(path, SEAL)
        file.suspend("k1", reason="r")

        assert START == file.status().get("k1").since


class TestAudit:
    def test_each_change_is_written_before_it_is_made(self, path):
        """The trail tells act, key, keyset and reason, or the dataset and what it needs."""
        audit = MemoryAudit()
        file = made(path, audit=audit)
        file.record("visits", ["k2", "k1"])
        file.forget("visits")
        file.suspend("k2", reason="missing")
        file.retire("k2", reason="gone")
        file.compromise("k2", reason="found elsewhere")
        file.destroy("k2", reason="done")
        file.prepare(Key.generate("k3"), reason="next")

        assert [
            ("create", "k1", "start"),
            ("prepare", "k2", "yearly"),
            ("stage", "k2", "yearly"),
            ("record", None, "dataset visits needs k2, k1"),
            ("forget", None, "dataset visits is gone"),
            ("suspend", "k2", "missing"),
            ("retire", "k2", "gone"),
            ("compromise", "k2", "found elsewhere"),
            ("destroy", "k2", "done"),
            ("prepare", "k3", "next"),
        ] == [(event.act, event.key_id, event.reason) for event in audit.key_events]
        assert {"default"} == {event.keyset for event in audit.key_events}
        assert () == audit.events

    def test_the_line_of_a_change_is_frozen(self, path, tmp_path, clock):
        """A trail on disk has this layout for ever, and holds no key."""
        trail = tmp_path / "audit.jsonl"
        made(path, audit=JSONLinesAudit(trail))

        assert (
            '{"privkit-key-audit": 1, "time": "2026-01-02T03:04:05+00:00", "act": "create", '
            '"keyset": "default", "key_id": "k1", "reason": "start"}'
        ) == trail.read_text().splitlines()[0]

    def test_what_is_refused_is_not_written_down(self, path):
        """Neither a refused change nor a dry run is in the trail."""
        audit = MemoryAudit()
        file = made(path, audit=audit)
        before = audit.key_events
        file.retire("k2", reason="r")
        for act in (
            lambda: file.promote("k2", reason="r"),
            lambda: file.promote("k1", reason="r"),
            lambda: file.suspend("k1", reason=""),
            lambda: file.create(reason="r"),
        ):
            with pytest.raises(KeyProviderError):
                act()
        file.destroy("k2", reason="r", dry_run=True)

        assert (*before, audit.key_events[-1]) == audit.key_events

    def test_without_its_trail_nothing_changes(self, path, tmp_path):
        """If the trail cannot be written, the file stays as it was."""
        made(path)
        before = path.read_bytes()
        file = KeysetFile(path, SEAL, audit=JSONLinesAudit(tmp_path / "none" / "audit.jsonl"))
        with pytest.raises(AuditError, match="No such file"):
            file.promote("k2", reason="r")

        assert before == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    @pytest.mark.parametrize(
        "leave", [lambda file: pickle.loads(pickle.dumps(file)), copy.copy, copy.deepcopy]
    )
    def test_a_copy_without_the_trail_changes_nothing(self, path, tmp_path, leave, monkeypatch):
        """What was pickled serves keys, and refuses changes that would be in no trail."""
        monkeypatch.setenv("CLINIC_PASSPHRASE", PHRASE)
        seal = Passphrase("CLINIC_PASSPHRASE", cost=2**14)
        file = made(path, seal=seal, audit=JSONLinesAudit(tmp_path / "audit.jsonl"))
        twin = leave(leave(file))
        assert file.keyset("default") == twin.keyset("default")
        with pytest.raises(AuditError, match="comes without its audit, so it changes no keys"):
            twin.promote("k2", reason="r")

        assert "k1" == file.keyset("default").primary.id


class TestReference:
    def test_leaves_as_a_reference(self, path, monkeypatch):
        """It is pickled, copied and compared as path and seal, and holds no key."""
        monkeypatch.setenv("CLINIC_PASSPHRASE", PHRASE)
        file = made(path, seal=Passphrase("CLINIC_PASSPHRASE", cost=2**14))
        file.keyset("default")
        pickled = pickle.dumps(file)

        for secret in (KEY_BYTES, KEY_BYTES.hex().encode(), PHRASE.encode()):
            assert secret not in pickled
        for twin in (pickle.loads(pickled), copy.copy(file), copy.deepcopy(file)):
            assert file == twin
            assert hash(file) == hash(twin)
            assert file.keyset("default") == twin.keyset("default")
            twin.record("visits", ["k1"])
        assert file != KeysetFile(path, SEAL)
        assert file != str(path)
        assert f"KeysetFile({str(path)!r}, Passphrase('CLINIC_PASSPHRASE'))" == repr(file)

    def test_construction_touches_nothing(self):
        """Constructing opens no file and imports no cryptography."""
        code = (
            "import sys\n"
            "from privkit.keys.keyset_file import KeysetFile\n"
            "from privkit.keys.seal import Passphrase\n"
            "seen = []\n"
            "sys.addaudithook(lambda event, _: seen.append(event))\n"
            "KeysetFile('/nowhere/keys', Passphrase('PHRASE'))\n"
            "assert not [event for event in seen if event.startswith(('open', 'os.'))], seen\n"
            "assert 'cryptography' not in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)

        assert (0, b"") == (done.returncode, done.stderr)

    @pytest.mark.parametrize(
        ("path", "given"),
        [
            ("", "printable and not empty"),
            ("a\0b", "printable"),
            (K1.to_text(), "what looks like a key"),
            (None, "got NoneType"),
            ("clinic.pk.part", "does not end in .part: its drafts do"),
            (Path("clinic.pk.part"), "does not end in .part: its drafts do"),
        ],
    )
    def test_the_path_is_a_path(self, path, given):
        """A path is printable text, and is not that of a draft, which the next change removes."""
        with pytest.raises(KeyProviderError, match=given):
            KeysetFile(path, SEAL)

    @pytest.mark.parametrize("seal", [PHRASE, None, K1, KEY_BYTES, SEAL.wrap])
    def test_the_seal_is_a_seal(self, seal):
        """A passphrase in the place of a seal is refused unseen."""
        with pytest.raises(
            KeyProviderError, match=r"such as Passphrase\('PRIVKIT_PASSPHRASE'\), g"
        ):
            KeysetFile("clinic.pk", seal)


class TestAccess:
    def test_is_for_the_user_alone(self, path):
        """The file has mode 0600 after each change, and nothing stands beside it."""
        file = made(path)
        for act in (lambda: None, lambda: file.record("visits", ["k1"])):
            act()

            assert 0o600 == stat.S_IMODE(path.stat().st_mode)
            assert [path] == list(path.parent.iterdir())

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o700])
    def test_open_modes_are_refused(self, path, mode):
        """A file for more than its user is neither read nor changed."""
        file = made(path)
        path.chmod(mode)
        for act in (lambda: file.keyset("default"), lambda: file.stage(reason="r")):
            with pytest.raises(KeyProviderError, match=f"got mode {mode:04o}: run 'chmod 600"):
                act()

        assert mode == stat.S_IMODE(path.stat().st_mode)

    @pytest.mark.parametrize("there", [True, False])
    def test_links_are_refused(self, path, there):
        """A symbolic link in the place of the file is neither read, changed nor replaced."""
        target = path.with_name("target")
        if there:
            made(target)
        path.symlink_to(target)
        file = KeysetFile(path, SEAL)
        for act in (
            lambda: file.keyset("default"),
            lambda: file.stage(reason="r"),
            lambda: file.create(reason="r"),
        ):
            with pytest.raises(KeyProviderError, match="got a symbolic link"):
                act()

        assert path.is_symlink()
        assert there == target.exists()

    @pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
    def test_folders_of_others_are_refused(self, path, mode):
        """Where others can replace the file, it is neither read nor changed."""
        file = made(path)
        path.parent.chmod(mode)
        for act in (lambda: file.keyset("default"), lambda: file.stage(reason="r")):
            with pytest.raises(KeyProviderError, match="others can replace files in it"):
                act()

    @pytest.mark.parametrize("kind", ["folder", "pipe", "key file"])
    def test_other_things_are_left_alone(self, path, kind):
        """What is no keyset file is not overwritten by create."""
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path, 0o600)
        else:
            path.write_text(K1.to_text())
            path.chmod(0o600)
        with pytest.raises(KeyProviderError):
            KeysetFile(path, SEAL).create(reason="r")

        assert kind == "folder" or path.exists()
        assert kind != "key file" or K1 == FileKeys(path).keyset("default").primary

    def test_a_file_that_came_while_one_was_made_stays(self, path):
        """Create does not overwrite what a deployment puts there meanwhile."""
        theirs = path.with_name("theirs")
        made(theirs)

        class Slow:
            kind = SEAL.kind
            unwrap = SEAL.unwrap

            def wrap(self, data_key, context):
                path.write_bytes(theirs.read_bytes())
                path.chmod(0o600)
                return SEAL.wrap(data_key, context)

        with pytest.raises(KeyUnavailableError, match="file exists"):
            KeysetFile(path, Slow()).create(reason="r")

        assert KeysetFile(theirs, SEAL).status() == KeysetFile(path, SEAL).status()

    def test_platforms_without_modes_are_refused(self, path, monkeypatch):
        """Where the modes of a file say nothing, no file is trusted."""
        file = made(path)
        monkeypatch.delattr(os, "geteuid")
        for act in (lambda: file.keyset("default"), lambda: file.stage(reason="r")):
            with pytest.raises(KeyProviderError, match="use EnvironmentKeys"):
                act()

    def test_writes_into_the_current_folder(self, path, monkeypatch):
        """A bare name is a file here."""
        monkeypatch.chdir(path.parent)
        made("clinic.pk")

        assert "k1" == KeysetFile(path, SEAL).keyset("default").primary.id

    @pytest.mark.parametrize(
        "name", ["a b", "'", "-", "ü", "𝔨", "%s", "{path}", "x" * 252, "keys.json/../keys"]
    )
    def test_names_may_be_odd(self, path, name):
        """Any printable name is written and read, or refused with nothing left behind."""
        (path.parent / "keys.json").mkdir()
        target = path.parent / name
        if len(name) > 200:
            with pytest.raises(KeyUnavailableError, match="file name too long"):
                made(target)
        else:
            made(target)

            assert "k1" == KeysetFile(target, SEAL).keyset("default").primary.id
        assert not [stray for stray in path.parent.iterdir() if stray.name.endswith(".part")]

    @pytest.mark.parametrize("end", ["/", "/.", "/.."])
    def test_a_folder_is_no_file(self, path, end):
        """A path that ends as that of a folder makes nothing."""
        with pytest.raises(KeyProviderError):
            KeysetFile(f"{path}{end}", SEAL).create(reason="r")

        assert [] == list(path.parent.iterdir())


FUZZ = """
import random, sys
from privkit.errors import PrivkitError
from privkit.keys import Key, StaticKeys, provider, text
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.seal import KeysSeal

path, count = sys.argv[1], int(sys.argv[2])
file = KeysetFile(path, KeysSeal(StaticKeys(Key.generate("w1"))))
file.create(reason="start")
touched, refused = set(), 0
sys.addaudithook(
    lambda event, arguments: event.startswith(("open", "os.", "shutil.", "subprocess."))
    and touched.update(str(part) for part in arguments[:2] if isinstance(part, (str, bytes)))
)
file.record("visits", [file.status().primary_id])
usual = set(touched)
rng = random.Random(b"names of keys")
pieces = ["..", "/", "\\0", "\\n", "k1", "-", " ", "~", "$HOME", "%2e", "a", "\\ud800", "é", "\\\\",
          "default", ".part", path, "/etc/passwd", "A", "_", "\\u202e", "x" * 40]
acts = [
    lambda name: file.promote(name, reason="r"),
    lambda name: file.destroy(name, reason="r"),
    lambda name: file.stage(name, reason="r"),
    lambda name: file.record("visits", [name]),
    lambda name: file.prepare(Key(name, KEY), reason="r"),
    lambda name: file.keyset(name),
    lambda name: file.create(keyset=name, reason="r"),
    lambda name: file.retire("k1", keyset=name, reason="r"),
    lambda name: file.keyset("default").get(name),
]
KEY = bytes(random.Random(1).randbytes(32))
for _ in range(count):
    name = "".join(rng.choices(pieces, k=rng.randrange(1, 5)))
    if provider.NAME.fullmatch(name) or text.is_id(name):
        name += "/.."
    try:
        rng.choice(acts)(name)
    except PrivkitError as error:
        refused += name not in str(error) or len(name) < 3
print(refused, sorted(touched - usual), file.names(), len(file.status().keys))
"""


def test_names_lead_nowhere(path):
    """No id of a key and no name of a keyset, however odd, reaches another path or is printed."""
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(path), "10000"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ("10000 [] ('default',) 1\n", "") == (done.stdout, done.stderr)
    assert [path] == list(path.parent.iterdir())


class TestWrongKeys:
    @pytest.mark.parametrize(
        ("seal", "message"),
        [
            (by_phrase("another passphrase"), "the passphrase is another one, or the file was"),
            (SEAL, "is sealed by passphrase, and is opened with keys"),
        ],
    )
    def test_open_nothing(self, path, seal, message):
        """A wrong passphrase and a wrong kind of seal are told, and change nothing."""
        made(path, seal=by_phrase())
        before = path.read_bytes()
        file = KeysetFile(path, seal)
        for act in (
            lambda: file.keyset("default"),
            lambda: file.stage(reason="r"),
            lambda: file.create(keyset="billing", reason="r"),
        ):
            with pytest.raises(KeyMaterialError, match=message):
                act()

        assert before == path.read_bytes()

    @pytest.mark.parametrize("seal", [SEAL, by_phrase()], ids=["keys", "passphrase"])
    def test_a_file_cut_short_is_refused(self, path, seal):
        """Cut at any byte the file is one error of one sentence, never a keyset."""
        file = made(path, seal=seal)
        whole = path.read_bytes()
        for size in range(len(whole) - 1):
            path.write_bytes(whole[:size])
            with pytest.raises(KeyMaterialError) as caught:
                file.keyset("default")

            assert (
                f"the keyset file {path} is cut short, or is no keyset file; restore it from a "
                "backup"
            ) == str(caught.value)

    @pytest.mark.parametrize(
        ("seal", "share"),
        [
            (SEAL, 0.2),
            pytest.param(SEAL, 1, marks=pytest.mark.nightly),
            (by_phrase(), 0.02),
            pytest.param(by_phrase(), 1, marks=pytest.mark.nightly),
        ],
    )
    def test_no_flipped_bit_passes(self, path, seal, share):
        """Whichever bit is flipped, there is an error of one sentence, and never a keyset."""
        file = KeysetFile(path, seal)
        file.create(reason="r", adopt=Keyset(K1), period=None)
        whole = path.read_bytes()
        rng = random.Random(b"bits")
        for position in range(len(whole) * 8):
            if rng.random() >= share:
                continue
            flipped = bytearray(whole)
            flipped[position // 8] ^= 1 << position % 8
            path.write_bytes(flipped)
            with pytest.raises(KeyProviderError) as caught:
                file.keyset("default")

            # The id of a wrapping key, altered, is that of a key which is not there.
            assert isinstance(caught.value, KeyMaterialError) or (
                seal is SEAL and type(caught.value) is KeyNotFoundError
            )
            assert "\n" not in str(caught.value)

    def test_a_content_of_another_time_is_refused(self, path):
        """A file that was sealed whole and tells of nothing that can be is refused by its path."""
        seal = SEAL
        path.write_bytes(keyset_file.envelope.write(SecretBytes(b"{}"), seal))
        path.chmod(0o600)
        with pytest.raises(KeyMaterialError, match=f"^the keyset file {path} holds keysets that"):
            KeysetFile(path, seal).keyset("default")


class Forgetful:
    """A seal that returns another key than it took."""

    kind = "forgetful"

    def __init__(self):
        self.keys = []

    def wrap(self, data_key, context):
        """Keep the key, and later give another."""
        self.keys.append(SecretBytes(bytes(32)))
        return {}

    def unwrap(self, header, context):
        """Return the key."""
        return self.keys[-1]


class TestNothingIsLost:
    def test_a_seal_that_does_not_open_seals_nothing(self, path):
        """What cannot be read back does not get the name of the file."""
        with pytest.raises(KeyMaterialError, match="forgetful does not give back what it took"):
            KeysetFile(path, Forgetful()).create(reason="r")

        assert [] == list(path.parent.iterdir())

    def test_a_seal_that_is_down_changes_nothing(self, path):
        """An outage passes as what it is, and the file and the trail stay as they were."""
        audit = MemoryAudit()
        made(path)
        before = path.read_bytes()

        class Down:
            kind = SEAL.kind
            unwrap = SEAL.unwrap

            def wrap(self, data_key, context):
                raise KeyUnavailableError("the service is down")

        with pytest.raises(KeyUnavailableError, match="the service is down"):
            KeysetFile(path, Down(), audit=audit).stage(reason="r")

        assert (before, ()) == (path.read_bytes(), audit.key_events)

    def test_a_file_stays_below_its_limit(self, path, monkeypatch):
        """A change after which the file could not be read is refused, and the file stays."""
        audit = MemoryAudit()
        file = made(path, audit=audit)
        events = audit.key_events
        before = path.read_bytes()
        monkeypatch.setattr(keyset_file, "MAX_SIZE", len(before) + 100)
        with pytest.raises(KeyMaterialError, match="so it stays as it was: forget datasets"):
            file.record("x" * 500, ["k1"])

        assert (before, events) == (path.read_bytes(), audit.key_events)
        assert "k1" == file.keyset("default").primary.id

    def test_a_full_disk_changes_nothing(self, path):
        """If the file does not fit, the one before stays, whole, and the message says why."""
        made(path)
        before = path.read_bytes()
        script = f"""
import resource
from privkit.errors import KeyUnavailableError
from tests.unit.keys.test_keyset_file import SEAL, KeysetFile
file = KeysetFile({str(path)!r}, SEAL)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    file.stage(reason="r")
except KeyUnavailableError as error:
    print(error)
finally:
    # What measures coverage writes a file as well.
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
"""
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )

        assert (
            f"{path} cannot be written, and stays as it was: file too large\n",
            "",
        ) == (done.stdout, done.stderr)
        assert before == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    def test_processes_follow_one_another(self, path):
        """Changes of several processes at one time are all in the file."""
        made(path)
        script = f"""
import sys
from tests.unit.keys.test_keyset_file import SEAL, Key, KeysetFile
file = KeysetFile({str(path)!r}, SEAL)
for number in range(10):
    print(file.stage(reason=f"{{sys.argv[1]}} {{number}}"))
"""
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(number)], stdout=subprocess.PIPE, text=True
            )
            for number in range(3)
        ]
        told = [line for process in processes for line in process.communicate()[0].split()]

        assert 30 == len(told)
        assert {*told, "k1", "k2"} == {e.key_id for e in KeysetFile(path, SEAL).status().keys}

    def test_threads_follow_one_another(self, path):
        """Changes of several threads through one object are all in the file."""
        file = made(path)
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda _: file.stage(reason="r"), range(24)))

        assert {*told, "k1", "k2"} == {entry.key_id for entry in file.status().keys}

    def test_readers_see_a_whole_file(self, path):
        """While keys change, every reader finds a keyset with a primary."""
        file = made(path)
        done = threading.Event()
        seen = []

        def look():
            while not done.is_set():
                seen.append(KeysetFile(path, SEAL).keyset("default").primary.id)

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(20):
            file.promote(f"k{2 - number % 2}", reason="r")
        done.set()
        for reader in readers:
            reader.join()

        assert {"k1", "k2"} >= set(seen)
        assert seen


def test_a_provider_that_asks_for_the_seal_is_one_of_many(path):
    """A keyset file can be sealed by the keys of another, and both resolve by their contract."""
    inner = made(path.with_name("inner.pk"))
    outer = made(path, seal=KeysSeal(inner))

    assert "k1" == resolve(outer, "default").primary.id
    assert "k1" == json.loads(path.read_text())["header"]["seal"]["key_id"]
    inner.promote("k2", reason="r")
    outer.record("visits", ["k1"])
    assert "k2" == json.loads(path.read_text())["header"]["seal"]["key_id"]
    with pytest.raises(PrivkitError, match="there is no keyset billing"):
        resolve(outer, "billing")
