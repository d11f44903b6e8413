"""
Lines out of files that hold anything.
"""

import io

import pytest

from privkit.errors import DatasetError
from privkit.frames import text as subject
from privkit.frames.text import Encoder, lines, reason


def read(content, encoding="utf-8", newline=""):
    return list(lines(io.BufferedReader(io.BytesIO(content)), encoding, newline=newline))


class Broken(io.RawIOBase):
    """
    A device that fails.
    """

    def readable(self):
        return True

    def readinto(self, _buffer):
        raise OSError(5, "Input/output error", "/secret/path")


class TestLines:
    def test_keep_their_ends(self):
        """
        A line comes with its end, and the last one needs none.
        """
        assert ["a\n", "b\r\n", "c"] == read(b"a\nb\r\nc")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be", "cp1252", "shift_jis"])
    def test_come_in_any_text_encoding(self, encoding):
        """
        What was encoded is read back.
        """
        table = ["a;b\n", "1;2\n"]

        assert table == read("".join(table).encode(encoding), encoding)

    def test_before_the_bad_one_are_delivered(self):
        """
        Bytes that are no text stop the reading at their own line, far as the decoder reads ahead.
        """
        found = []
        file = io.BufferedReader(io.BytesIO(b"fine\n" * 3 + b"caf\xe9\nfine\n"))
        with pytest.raises(DatasetError) as caught:
            found.extend(lines(file, "utf-8", newline=""))

        assert "the input is not text in utf-8, from character 4 of a line on" == str(caught.value)

    def test_hold_what_is_valid_beyond_the_basic_plane(self):
        """
        No valid text is taken for the mark of invalid bytes.
        """
        valid = "\U0010ffff\ue000\ud7ff\ufffd\n"

        assert [valid] == read(valid.encode())

    def test_are_bounded(self, monkeypatch):
        """
        A file without line ends does not fill the memory.
        """
        monkeypatch.setattr(subject, "MAX_LINE", 10)

        assert ["0123456789"] == read(b"0123456789")
        with pytest.raises(DatasetError, match="at most 10 characters"):
            read(b"0123456789\n")

    def test_a_device_that_fails_is_a_sentence(self):
        """
        An error of the device comes without its path.
        """
        with pytest.raises(DatasetError) as caught:
            list(lines(io.BufferedReader(Broken()), "utf-8", newline=""))

        assert "the input cannot be read: input/output error" == str(caught.value)

    def test_a_codec_with_errors_of_its_own_is_a_sentence(self):
        """
        Not every codec lets a handler decide.
        """
        with pytest.raises(DatasetError, match=r"^the input is not text in idna$"):
            read(b"xn--\xff\xfe.example", "idna")


class TestEncoder:
    def test_writes_a_byte_order_mark_once(self):
        """
        The mark of an encoding stands at the start of the file alone.
        """
        file = io.BytesIO()
        encoder = Encoder(file, "utf-16")
        encoder.write("a")
        encoder.write("b")
        encoder.finish()

        assert "ab".encode("utf-16") == file.getvalue()

    def test_ends_a_stateful_encoding(self):
        """
        An encoding that shifts its state is shifted back.
        """
        file = io.BytesIO()
        encoder = Encoder(file, "iso2022_jp")
        encoder.write("漢")
        encoder.finish()

        assert "漢".encode("iso2022_jp") == file.getvalue()

    def test_refuses_what_the_encoding_lacks(self):
        """
        A character without bytes is refused, and not shown.
        """
        with pytest.raises(DatasetError) as caught:
            Encoder(io.BytesIO(), "latin-1").write("漢")

        assert "a character of the row cannot be written in latin-1" == str(caught.value)
        assert caught.value.__context__ is None


def test_the_reason_has_no_path():
    """
    What the system says is told, in lower case, or else the class of the error.
    """
    assert "no space left on device" == reason(OSError(28, "No space left on device", "/x"))
    assert "OSError".lower() == reason(OSError())
