import errno
import os
import stat

import pytest

from privkit.errors import KeyProviderError
from privkit.keys import FileKeys, Key
from privkit.keys.generate import generate, write_key_file
from tests.canaries import KEY_BYTES

KEY = Key("k1", KEY_BYTES)


class TestGenerate:
    def test_draws_a_key(self):
        """The command's function is the class's."""
        assert "2026-11" == generate("2026-11").id
        assert generate() != generate()


class TestWriteKeyFile:
    def test_writes_a_key_that_is_read(self, tmp_path):
        """A written file serves at once as a key file, of mode 0600."""
        path = tmp_path / "keys"
        write_key_file(path, KEY)

        assert KEY == FileKeys(path).keyset("default").primary
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert KEY.to_text() + "\n" == path.read_text()

    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o377])
    def test_the_mask_does_not_matter(self, tmp_path, mask):
        """The mode is 0600, whatever the user's mask."""
        before = os.umask(mask)
        try:
            write_key_file(tmp_path / "keys", KEY)
        finally:
            os.umask(before)

        assert 0o600 == stat.S_IMODE((tmp_path / "keys").stat().st_mode)

    def test_writes_into_the_current_folder(self, tmp_path, monkeypatch):
        """A bare name is a file here."""
        monkeypatch.chdir(tmp_path)
        write_key_file("keys", KEY)

        assert KEY == FileKeys("keys").keyset("default").primary

    def test_overwrites_nothing(self, tmp_path):
        """A file, or a link that leads nowhere, is left as it is."""
        (tmp_path / "keys").write_text("precious")
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        for name in ("keys", "link"):
            with pytest.raises(KeyProviderError, match="already, and keys are never overwritten"):
                write_key_file(tmp_path / name, KEY)

        assert "precious" == (tmp_path / "keys").read_text()
        assert not (tmp_path / "elsewhere").exists()

    def test_needs_a_folder(self, tmp_path):
        """A folder is not made."""
        with pytest.raises(KeyProviderError, match="cannot be written: no such file or directory"):
            write_key_file(tmp_path / "folder" / "keys", KEY)

        assert [] == list(tmp_path.iterdir())

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError()])
    @pytest.mark.parametrize("call", [1, 2])
    def test_a_failure_leaves_no_file(self, tmp_path, monkeypatch, error, call):
        """If the disk fails to keep the file or its name, the file goes."""
        calls = []

        def fsync(descriptor):
            calls.append(descriptor)
            if len(calls) == call:
                raise error

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(KeyProviderError, match=r"no space left on device|unknown error"):
            write_key_file(tmp_path / "keys", KEY)

        assert [] == list(tmp_path.iterdir())
        assert call == len(calls)

    @pytest.mark.parametrize("path", [KEY.to_text(), "", None, "a\nb"])
    def test_the_path_is_a_path(self, path):
        """A path is printable text, and a key in its place is not shown."""
        with pytest.raises(KeyProviderError, match="the path of a key file is"):
            write_key_file(path, KEY)

    def test_platforms_without_modes_are_refused(self, tmp_path, monkeypatch):
        """Where a file cannot be kept from others, none is written."""
        monkeypatch.delattr(os, "geteuid")
        with pytest.raises(KeyProviderError, match="use EnvironmentKeys"):
            write_key_file(tmp_path / "keys", KEY)

        assert [] == list(tmp_path.iterdir())
