import copy
import os
import pickle
import socket
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

import pytest

from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import FileKeys, Key
from privkit.keys.file import MAX_SIZE
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

PRIMARY = Key("k2", KEY_BYTES)
OLDER = Key("k1", OTHER_KEY_BYTES)
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def path(tmp_path):
    """Where a key file goes."""
    return tmp_path / "keys"


def write(path, content, mode=0o600):
    """Make a key file of text or bytes."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return FileKeys(path)


def descriptors():
    """How many files the process has open, as far as the platform tells."""
    folder = Path("/dev/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


class TestReading:
    def test_reads_keys(self, path):
        """One key a line, the primary first; comments and empty lines do not count."""
        text = f"# für alle\n\n  {PRIMARY.to_text()}  # primary\r\n{OLDER.to_text()}"

        assert (PRIMARY, OLDER) == write(path, text).keyset("default").live

    def test_reads_the_grammar_of_the_environment(self, path):
        """What stands in a variable stands in a file as well."""
        text = f"{PRIMARY.to_text()}, {OLDER.to_text()}"

        assert (PRIMARY, OLDER) == write(path, text).keyset("default").live

    def test_reads_sections(self, path):
        """A line [billing] starts the keyset of that name."""
        keys = write(path, f"{PRIMARY.to_text()}\n[ billing ] # b\n{OLDER.to_text()}\n")

        assert (PRIMARY,) == keys.keyset("default").live
        assert (OLDER,) == keys.keyset("billing").live

    def test_the_default_may_be_named(self, path):
        """The default keyset may have a section of its own."""
        keys = write(path, f"[billing]\n{OLDER.to_text()}\n[default]\n{PRIMARY.to_text()}\n")

        assert (PRIMARY,) == keys.keyset("default").live

    def test_reads_past_a_byte_order_mark(self, path):
        """The mark that some editors put first does not matter."""
        content = b"\xef\xbb\xbf" + PRIMARY.to_text().encode()

        assert PRIMARY == write(path, content).keyset("default").primary

    def test_is_read_at_each_call(self, path):
        """A change of the file shows at the next call, so that what caches keys can renew them."""
        keys = write(path, PRIMARY.to_text())
        first = keys.keyset("default")
        write(path, f"{OLDER.to_text()} {PRIMARY.to_text()}")

        assert PRIMARY == first.primary
        assert OLDER == keys.keyset("default").primary

    def test_a_sealed_file_names_its_provider(self, path):
        """A sealed keyset file in the place of a key file is told apart, with the cure."""
        with pytest.raises(KeyMaterialError, match="open it with KeysetFile"):
            write(path, '{"header": {}}').keyset("default")

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_strict_modes_pass(self, path, mode):
        """0600 and what is stricter are fine."""
        assert PRIMARY == write(path, PRIMARY.to_text(), mode).keyset("default").primary

    def test_links_among_the_folders_pass(self, path, tmp_path):
        """A link above the file is followed."""
        write(path, PRIMARY.to_text())
        (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)

        assert PRIMARY == FileKeys(tmp_path / "link" / "keys").keyset("default").primary

    def test_a_file_of_the_largest_size_is_read(self, path):
        """1 MiB is read."""
        content = PRIMARY.to_text().ljust(MAX_SIZE)

        assert PRIMARY == write(path, content).keyset("default").primary


class TestMissing:
    def test_first_use_tells_the_cure(self, path):
        """Without a file, construction works and the first use says what to do."""
        keys = FileKeys(path)
        with pytest.raises(KeyNotFoundError) as caught:
            keys.keyset("default")

        assert f"there is no key file {path}: run 'privkit keygen --out {path}'" == str(
            caught.value
        )
        assert {"path": str(path)} == caught.value.facts

    def test_the_cure_can_be_pasted(self, tmp_path):
        """A path with a blank stands in quotes."""
        with pytest.raises(KeyNotFoundError, match=r"--out '.*/my keys''"):
            FileKeys(tmp_path / "my keys").keyset("default")

    def test_a_file_in_the_place_of_a_folder_is_missing(self, path):
        """A path through a file leads nowhere."""
        write(path, PRIMARY.to_text())
        with pytest.raises(KeyNotFoundError):
            FileKeys(path / "keys").keyset("default")

    @pytest.mark.parametrize("text", ["", "# nothing\n", "[default]\n", "[billing]\n"])
    def test_a_file_without_keys_tells_the_cure(self, path, text):
        """A file, or a section, without keys has no keyset."""
        keys = write(path, text)
        with pytest.raises(KeyNotFoundError, match=r"add the key that it prints$"):
            keys.keyset("default")
        with pytest.raises(KeyNotFoundError, match=r"prints under a line \[billing\]$"):
            keys.keyset("billing")

    def test_is_tried_again(self, path):
        """A failure is not kept: once cured, the same provider serves."""
        keys = FileKeys(path)
        with pytest.raises(KeyNotFoundError):
            keys.keyset("default")
        write(path, PRIMARY.to_text())

        assert PRIMARY == keys.keyset("default").primary


class TestAccess:
    @pytest.mark.parametrize(
        "mode", [0o640, 0o620, 0o604, 0o602, 0o644, 0o660, 0o666, 0o777, 0o700, 0o610, 0o4600]
    )
    def test_open_modes_are_refused(self, path, mode):
        """A file for more than its user is refused, with the command that cures it."""
        keys = write(path, PRIMARY.to_text(), mode)
        with pytest.raises(KeyProviderError) as caught:
            keys.keyset("default")

        assert f"got mode {mode:04o}: run 'chmod 600 {path}'" in str(caught.value)

    def test_links_are_refused(self, path, tmp_path):
        """A symbolic link is refused, wherever it leads."""
        write(path, PRIMARY.to_text())
        for name, target in {"good": path, "bad": tmp_path / "nothing"}.items():
            (tmp_path / name).symlink_to(target)
            with pytest.raises(KeyProviderError, match="got a symbolic link"):
                FileKeys(tmp_path / name).keyset("default")

    def test_what_is_no_file_is_refused(self, tmp_path):
        """A folder, a pipe that nobody writes to and a device are refused at once."""
        os.mkfifo(tmp_path / "pipe", 0o600)
        for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
            with pytest.raises(KeyProviderError, match="got something else"):
                FileKeys(path).keyset("default")

    def test_a_socket_is_unavailable(self, tmp_path, monkeypatch):
        """Another failure of the system is retryable."""
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket")
            with pytest.raises(KeyUnavailableError, match="no such device or address"):
                FileKeys("socket").keyset("default")

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
    def test_a_failing_device_is_unavailable(self):
        """A file that opens and cannot be read is retryable."""
        with pytest.raises(KeyUnavailableError, match="input/output error"):
            FileKeys("/proc/self/mem").keyset("default")

    def test_a_name_too_long_is_refused(self, tmp_path):
        """What the system cannot open, ever, is not retryable."""
        with pytest.raises(KeyProviderError, match="cannot be opened") as caught:
            FileKeys(tmp_path / ("a" * 300)).keyset("default")

        assert KeyProviderError is type(caught.value)

    @pytest.mark.skipif(not AS_ROOT, reason="only root gives files away")
    def test_files_of_others_are_refused(self, path):
        """A file that belongs to another user is refused."""
        keys = write(path, PRIMARY.to_text())
        os.chown(path, 12345, -1)
        with pytest.raises(KeyProviderError, match="got user id 12345"):
            keys.keyset("default")

    def test_unreadable_files_are_refused(self, path):
        """A file that its user cannot read is refused."""
        keys = write(path, PRIMARY.to_text(), 0)
        # Root may read everything, so it becomes somebody else for the moment.
        os.seteuid(12345 if AS_ROOT else os.geteuid())
        try:
            with pytest.raises(KeyProviderError, match="cannot be opened: permission denied"):
                keys.keyset("default")
        finally:
            os.seteuid(0 if AS_ROOT else os.geteuid())

    @pytest.mark.parametrize("missing", ["O_NOFOLLOW", "geteuid"])
    def test_platforms_without_modes_are_refused(self, path, monkeypatch, missing):
        """Where the modes of a file say nothing, no file is trusted."""
        keys = write(path, PRIMARY.to_text())
        monkeypatch.delattr(os, missing)
        with pytest.raises(KeyProviderError, match="use EnvironmentKeys"):
            keys.keyset("default")

    def test_no_descriptor_is_left_open(self, path, tmp_path):
        """Success and failure both close what they opened."""
        keys = [write(path, PRIMARY.to_text()), FileKeys(tmp_path), FileKeys("/proc/self/mem")]
        before = descriptors()
        for provider in keys * 20:
            try:
                provider.keyset("default")
            except KeyProviderError:
                continue

        assert before == descriptors()


class TestMistakes:
    def test_names_the_line(self, path):
        """The message tells which line holds no key."""
        keys = write(path, f"# one\n{PRIMARY.to_text()}\n{OLDER.to_text()[1:]}\n")
        with pytest.raises(KeyMaterialError, match=f"line 3 of the key file {path}: the text"):
            keys.keyset("default")

    @pytest.mark.parametrize(
        "content",
        [
            b"\xff\xfe",
            PRIMARY.to_text().encode("utf-16"),
            b"a\0b",
            b"# \x80",
            os.urandom(999) + b"\0",
        ],
    )
    def test_what_is_no_text_is_refused(self, path, content):
        """Bytes that are not UTF-8, and NUL, are refused even in a comment."""
        with pytest.raises(KeyMaterialError, match="text in UTF-8 is expected"):
            write(path, content).keyset("default")

    @pytest.mark.parametrize(
        "line", ["[]", "[Billing]", "[a b]", "[a", "[a]]", "[[a]]", "[../a]", "[é]", "[a] b", "[1]"]
    )
    def test_sections_are_named_like_keysets(self, path, line):
        """Anything else in brackets is refused."""
        with pytest.raises(KeyMaterialError, match="got something else on line 2"):
            write(path, f"{PRIMARY.to_text()}\n{line}\n").keyset("default")

    @pytest.mark.parametrize("name", ["default", "billing"])
    def test_a_keyset_stands_in_one_place(self, path, name):
        """The second section of one name is refused, since one of them is a mistake."""
        first = f"{PRIMARY.to_text()}\n[billing]\n{PRIMARY.to_text()}\n"
        with pytest.raises(KeyMaterialError, match="got a second one on line 4"):
            write(path, f"{first}[{name}]\n{OLDER.to_text()}").keyset(name)

    def test_a_large_file_is_refused(self, path):
        """More than 1 MiB is refused, and not read to the end."""
        with pytest.raises(KeyMaterialError, match="at most 1048576 bytes"):
            write(path, PRIMARY.to_text().ljust(MAX_SIZE + 1)).keyset("default")

    @pytest.mark.parametrize(
        ("path", "given"),
        [
            ("", "printable and not empty"),
            ("a\0b", "printable"),
            ("a\nb", "printable"),
            ("\udcff", "printable"),
            (PRIMARY.to_text(), "what looks like a key"),
            (Path(PRIMARY.to_text()), "what looks like a key"),
            (None, "got NoneType"),
            (KEY_BYTES, "got bytes"),
            (7, "got int"),
            (StrEnum("Name", {"KEYS": "keys"}).KEYS, "got Name"),
        ],
    )
    def test_the_path_is_a_path(self, path, given):
        """A path is printable text, and a key in its place is not shown."""
        with pytest.raises(KeyProviderError, match=given):
            FileKeys(path)


class TestReference:
    @pytest.mark.parametrize(
        "leave",
        [lambda keys: pickle.loads(pickle.dumps(keys)), copy.copy, copy.deepcopy],
        ids=["pickle", "copy", "deepcopy"],
    )
    def test_leaves_as_a_reference(self, path, leave):
        """It is pickled and copied as a path, without what it has read."""
        keys = write(path, PRIMARY.to_text())
        keys.keyset("default")
        twin = leave(keys)
        write(path, OLDER.to_text())

        assert keys == twin
        assert OLDER == twin.keyset("default").primary

    def test_the_pickle_holds_no_key(self, path):
        """No byte of a key is in the pickle, raw or as text."""
        keys = write(path, PRIMARY.to_text())
        keys.keyset("default")
        pickled = pickle.dumps(keys)

        assert KEY_BYTES not in pickled
        assert KEY_BYTES.hex().encode() not in pickled

    def test_is_compared_by_path(self):
        """Two providers of one path are equal, hash alike and print it."""
        assert FileKeys("/etc/keys") == FileKeys(Path("/etc/keys"))
        assert hash(FileKeys("/etc/keys")) == hash(FileKeys(Path("/etc/keys")))
        assert FileKeys("/etc/keys") != FileKeys("/etc/other")
        assert FileKeys("/etc/keys") != "/etc/keys"
        assert "FileKeys('/etc/keys')" == repr(FileKeys("/etc/keys"))


class TestBoot:
    def test_construction_touches_nothing(self):
        """Constructing every provider opens no file and imports no cryptography."""
        code = (
            "import sys\n"
            "from privkit.keys import EnvironmentKeys, FileKeys\n"
            "opened = []\n"
            "sys.addaudithook(lambda event, _: opened.append(event))\n"
            "EnvironmentKeys(), FileKeys('/nowhere/keys')\n"
            "assert not [event for event in opened if event.startswith(('open', 'os.'))], opened\n"
            "assert 'cryptography' not in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)

        assert (0, b"") == (done.returncode, done.stderr)
