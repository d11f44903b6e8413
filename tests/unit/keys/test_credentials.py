import contextlib
import copy
import os
import pickle
import shutil
import struct
import tempfile
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from privkit.errors import KeyMaterialError, KeyNotFoundError, KeyProviderError
from privkit.keys import Key
from privkit.keys.credentials import NAME, CredentialKeys
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES
from tests.unit.keys.conformance import Conformance, texts

PRIMARY = Key("k2", KEY_BYTES)
OLDER = Key("k1", OTHER_KEY_BYTES)
AS_ROOT = os.geteuid() == 0
NOBODY = 65_534

ACL = "system.posix_acl_access"
NO_ID = 0xFFFFFFFF


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of credentials, as systemd makes it for a unit of the same user."""
    made = tmp_path / "clinic.service"
    made.mkdir(0o700)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(made))
    yield made
    made.chmod(0o700)


@pytest.fixture
def open_folder(monkeypatch):
    """A folder of credentials whose parents any user can pass, unlike those of pytest."""
    made = Path(tempfile.mkdtemp())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(made))
    yield made
    shutil.rmtree(made)


def as_nobody(act):
    """Do something as another user than root, and return 0 if that raised no error of ours."""
    # What is imported at first use, the other user may not be able to read.
    with contextlib.suppress(KeyProviderError):
        act()
    child = os.fork()
    if child == 0:
        code = 2
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            act()
            code = 0
        except KeyProviderError:
            code = 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def put(folder, content, name="privkit-keys", mode=0o400):
    """Write a credential as systemd does: for its user to read, and for nobody to write."""
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text(content, "utf-8")
    path.chmod(mode)
    return path


def let_read(path, user, *, search):
    """Let one more user read a file by an access list, as systemd does for a unit's user."""
    rights = 0o5 if search else 0o4
    entries = [
        (0x01, rights, NO_ID),  # the owner
        (0x02, rights, user),
        (0x04, 0, NO_ID),  # the group
        (0x10, rights, NO_ID),  # the mask, which stat shows as the bits of the group
        (0x20, 0, NO_ID),  # others
    ]
    content = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(path, ACL, content)


class TestConformance(Conformance):
    @pytest.fixture
    def make(self, folder):
        """The keys stand in a credential."""
        put(folder, texts(*self.keyset.live))
        return CredentialKeys

    @pytest.fixture
    def broken(self, folder, monkeypatch):
        """No credentials, and such as hold no keyset or show it."""

        def holding(text, mode=0o400):
            put(folder, text, mode=mode)
            return CredentialKeys()

        def unset():
            monkeypatch.delenv("CREDENTIALS_DIRECTORY")
            return CredentialKeys()

        return {
            "there is no credential": CredentialKeys,
            "it is empty": lambda: holding(""),
            "a text was cut": lambda: holding(texts(*self.keyset.live)[:-9]),
            "two keys have one id": lambda: holding(texts(*self.twins)),
            "others can read it": lambda: holding(texts(*self.keyset.live), 0o444),
            "it is no unit": unset,
        }


class TestReading:
    def test_reads_the_grammar_of_key_files(self, folder):
        """Comments and sections mean what they mean in a key file."""
        put(folder, f"# für alle\n{PRIMARY.to_text()}\n[billing]\n{OLDER.to_text()}\n")
        keys = CredentialKeys()

        assert PRIMARY == keys.keyset("default").primary
        assert OLDER == keys.keyset("billing").primary

    def test_other_credentials_have_other_names(self, folder):
        """A unit may have several credentials."""
        put(folder, OLDER.to_text(), name="clinic.keys_2@a-b")

        assert OLDER == CredentialKeys("clinic.keys_2@a-b").keyset("default").primary

    @pytest.mark.skipif(not AS_ROOT, reason="only root gives files to others")
    def test_reads_what_systemd_shares_by_an_access_list(self, open_folder):
        """A file of root's that an access list lets the user read is read by that user."""
        path = put(open_folder, PRIMARY.to_text())
        unshared = as_nobody(lambda: CredentialKeys().keyset("default"))
        for place, search in ((path, False), (open_folder, True)):
            let_read(place, NOBODY, search=search)

        assert 0o440 == path.stat().st_mode & 0o777
        assert 1 == unshared
        assert 0 == as_nobody(lambda: CredentialKeys().keyset("default"))

    @pytest.mark.skipif(not AS_ROOT, reason="only root gives files to others")
    @pytest.mark.parametrize(
        ("owner", "mode", "fits"),
        [
            (0, 0o400, True),
            (0, 0o440, True),
            (0, 0o640, True),
            (0, 0o600, True),
            (0, 0o460, False),
            (0, 0o444, False),
            (0, 0o500, False),
            (NOBODY, 0o400, False),
        ],
    )
    def test_owner_and_mode_are_those_of_systemd(self, folder, owner, mode, fits):
        """It is root's or the user's, and nobody writes it; root's group may stand for a list."""
        path = put(folder, PRIMARY.to_text())
        os.chown(path, owner, owner)
        path.chmod(mode)
        if fits:
            found = CredentialKeys().keyset("default").primary

            assert PRIMARY == found
        else:
            with pytest.raises(KeyProviderError, match=r"belongs to its user|for its user alone"):
                CredentialKeys().keyset("default")

    @pytest.mark.skipif(not AS_ROOT, reason="only root gives files to others")
    @pytest.mark.parametrize(("mode", "code"), [(0o400, 0), (0o440, 1), (0o640, 1)])
    def test_a_file_of_the_users_own_is_for_the_user_alone(self, open_folder, mode, code):
        """Bits of the group on a file of another user than root are no access list of systemd's."""
        path = put(open_folder, PRIMARY.to_text(), mode=mode)
        for place in (path, open_folder):
            os.chown(place, NOBODY, NOBODY)

        assert code == as_nobody(lambda: CredentialKeys().keyset("default"))


class TestMissing:
    @pytest.mark.parametrize("value", [None, ""])
    def test_no_unit(self, monkeypatch, value):
        """Outside of a unit, the first use tells the line of the unit file that is missing."""
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
        if value is not None:
            monkeypatch.setenv("CREDENTIALS_DIRECTORY", value)
        with pytest.raises(KeyNotFoundError) as caught:
            CredentialKeys().keyset("default")

        assert (
            "there are no credentials of systemd, since CREDENTIALS_DIRECTORY is not set: put "
            "LoadCredentialEncrypted=privkit-keys:/etc/credstore.encrypted/privkit-keys under "
            "[Service] in the unit file, and restart the unit"
        ) == str(caught.value)

    def test_no_credential(self, folder):
        """A unit without that credential is told the same line, with its name."""
        with pytest.raises(KeyNotFoundError, match="LoadCredentialEncrypted=clinic:/etc/credstore"):
            CredentialKeys("clinic").keyset("default")

        assert [] == list(folder.iterdir())

    def test_no_keyset(self, folder):
        """A credential without that keyset names the section that is missing."""
        put(folder, PRIMARY.to_text())
        with pytest.raises(KeyNotFoundError, match=r"under a line \[billing\], and restart"):
            CredentialKeys().keyset("billing")
        put(folder, f"[billing]\n{PRIMARY.to_text()}")
        with pytest.raises(KeyNotFoundError, match="add the key that it prints, and restart"):
            CredentialKeys().keyset("default")

    @pytest.mark.parametrize("value", ["credentials", "./a", "../a", "/run/a\nb"])
    def test_the_folder_is_absolute(self, monkeypatch, value):
        """A folder that systemd would not name is refused."""
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", value)
        with pytest.raises(KeyProviderError, match="an absolute path, which systemd sets"):
            CredentialKeys().keyset("default")

    def test_a_link_is_refused(self, folder, tmp_path):
        """A symbolic link in the place of the credential is refused."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.touch(0o600)
        elsewhere.write_text(PRIMARY.to_text())
        (folder / "privkit-keys").symlink_to(elsewhere)
        with pytest.raises(KeyProviderError, match="got a symbolic link"):
            CredentialKeys().keyset("default")

    def test_a_mistake_is_told_with_its_line(self, folder):
        """A text that is no key is told with its line."""
        put(folder, f"{PRIMARY.to_text()}\nhunter2\n")
        with pytest.raises(KeyMaterialError, match="line 2 of the credential privkit-keys"):
            CredentialKeys().keyset("default")


class TestNames:
    @given(
        name=st.text(max_size=140)
        | st.from_regex(r"[A-Za-z0-9_./@\\%:~-]{1,140}", fullmatch=True)
        | st.lists(st.sampled_from(["..", ".", "/", "a", "\0", "\n", "etc", "\\"])).map("".join)
    )
    @example("..")
    @example(".")
    @example("/etc/passwd")
    @example("a/../../b")
    @example("a\0b")
    @example("a\n")
    @example("")
    @example("a" * 129)
    @example("\ud800")
    def test_no_name_leads_outside(self, name):
        """A name is refused, or is one part of a path that stays in the folder."""
        try:
            CredentialKeys(name)
        except KeyProviderError:
            return
        path = Path("/run/credentials/unit", name)

        assert NAME.fullmatch(name)
        assert Path("/run/credentials/unit") == path.resolve().parent
        assert path.name == name

    @pytest.mark.parametrize(
        ("name", "given"),
        [
            ("", "got 0 characters"),
            ("..", "got 2 characters"),
            ("a/b", "got 3 characters"),
            (PRIMARY.to_text(), "what looks like a key"),
            (KEY_BYTES.hex(), "what looks like a key"),
            (None, "got NoneType"),
            (KEY_BYTES, "got bytes"),
            (StrEnum("Name", {"KEYS": "keys"}).KEYS, "got Name"),
        ],
    )
    def test_the_name_is_a_name(self, name, given):
        """Another name is told by its shape, and a key in its place is not shown."""
        with pytest.raises(KeyProviderError, match=given):
            CredentialKeys(name)


class TestReference:
    @pytest.mark.parametrize(
        "leave",
        [lambda keys: pickle.loads(pickle.dumps(keys)), copy.copy, copy.deepcopy],
        ids=["pickle", "copy", "deepcopy"],
    )
    def test_leaves_as_a_reference(self, folder, leave):
        """It is pickled and copied as a name, without what it has read."""
        put(folder, PRIMARY.to_text())
        keys = CredentialKeys()
        keys.keyset("default")
        twin = leave(keys)
        put(folder, OLDER.to_text())

        assert keys == twin
        assert OLDER == twin.keyset("default").primary

    def test_is_compared_by_name(self):
        """Two providers of one name are equal, hash alike and print it."""
        assert CredentialKeys() == CredentialKeys("privkit-keys")
        assert hash(CredentialKeys()) == hash(CredentialKeys("privkit-keys"))
        assert CredentialKeys() != CredentialKeys("clinic")
        assert CredentialKeys() != "privkit-keys"
        assert "CredentialKeys('privkit-keys')" == repr(CredentialKeys())
