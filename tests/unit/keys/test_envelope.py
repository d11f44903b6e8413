"""The layout of a keyset file, piece by piece."""

import json

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError, PrivkitError
from privkit.keys import Key, StaticKeys, envelope
from privkit.keys.seal import KeysSeal
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT

SEAL = KeysSeal(StaticKeys(Key("w1", KEY_BYTES)))
CONTENT = SecretBytes(TEXT.encode())
RAW = envelope.write(CONTENT, SEAL)


def read(raw, seal=SEAL):
    """Read a file's content."""
    return envelope.read(SecretBytes(raw), seal)


class OddSeal:
    """A seal that breaks its contract."""

    def __init__(self, kind="odd", header=None, key=OTHER_KEY_BYTES):
        self.kind = kind
        self.header = header or {}
        self.key = key

    def wrap(self, data_key, context):
        """Keep nothing."""
        return self.header

    def unwrap(self, header, context):
        """Return another key, and change the header."""
        header["more"] = "x"
        return SecretBytes(self.key)


class TestEnvelope:
    def test_what_is_written_is_read(self):
        """The content comes back."""
        assert CONTENT == read(RAW)

    def test_each_file_has_its_data_key(self):
        """Equal contents are sealed differently."""
        assert RAW != envelope.write(CONTENT, SEAL)

    def test_a_file_of_another_seal_is_told(self):
        """The message names both kinds."""
        assert "is sealed by keys, and is opened with odd" == read(RAW, OddSeal())

    def test_another_data_key_opens_nothing(self):
        """A seal that returns another key does not open the file."""
        assert envelope.ALTERED == read(RAW, OddSeal("keys"))

    def test_a_data_key_of_another_size_is_refused(self):
        """A seal that returns half a key is an error."""
        with pytest.raises(KeyMaterialError, match="a key is 32 bytes, got 16"):
            read(RAW, OddSeal("keys", key=KEY_BYTES[:16]))

    @pytest.mark.parametrize("header", [{"x": "1"}, {"kind": "odd"}, {}])
    def test_a_seal_keeps_what_it_wants(self, header):
        """What a seal keeps is read back by whoever knows the data key."""
        seal = OddSeal(header=header)
        seal.wrap = lambda data_key, context: setattr(seal, "key", data_key.expose()) or header

        assert CONTENT == read(envelope.write(CONTENT, seal), seal)

    @pytest.mark.parametrize("size", range(len(RAW)))
    def test_a_file_cut_short_is_refused(self, size):
        """Cut at any byte, but for the last line break, the file is not read."""
        if size == len(RAW) - 1:
            assert CONTENT == read(RAW[:size])
        else:
            assert "is cut short, or is no keyset file; restore it from a backup" == read(
                RAW[:size]
            )

    def test_no_flipped_bit_passes(self):
        """Whichever bit of the file is flipped, it is not read, and the reason is one sentence."""
        told = set()
        for position in range(len(RAW) * 8):
            flipped = bytearray(RAW)
            flipped[position // 8] ^= 1 << position % 8
            try:
                found = read(bytes(flipped))
            except PrivkitError as error:
                found = str(error)
            told.add(found if isinstance(found, str) else position)

        assert not {position for position in told if isinstance(position, int)}
        assert all("\n" not in text and TEXT not in text for text in told)

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda file: file.pop("header"), "is cut short"),
            (lambda file: file.pop("body"), "is cut short"),
            (lambda file: file.update(body=7), "is cut short"),
            (lambda file: file.update(body="QR=="), "is cut short"),
            (lambda file: file.update(body=""), "was altered"),
            (lambda file: file.update(header=[]), "is cut short"),
            (lambda file: file["header"].pop("privkit-keyset-file"), "is cut short"),
            (lambda file: file["header"].pop("seal"), "is cut short"),
            (lambda file: file["header"].update({"privkit-keyset-file": 2}), "another layout"),
            (lambda file: file["header"].update({"privkit-keyset-file": True}), "another layout"),
            (lambda file: file["header"].update(seal=[["kind", "keys"], [1, "x"]]), "was altered"),
            (lambda file: file["header"]["seal"].update(more=1), "was altered"),
            (lambda file: file["header"]["seal"].update(more="x"), "was altered"),
            (lambda file: file["header"]["seal"].update(kind="Keys"), "was altered"),
            (lambda file: file["header"]["seal"].update(kind=None), "was altered"),
            (lambda file: file["header"]["seal"].pop("kind"), "was altered"),
        ],
    )
    def test_an_altered_file_is_refused(self, edit, message):
        """Every part is looked at before it is used."""
        file = json.loads(RAW)
        edit(file)

        assert message in read(json.dumps(file).encode())

    @pytest.mark.parametrize(
        "raw", [b"", b"\0", b"[]", b"7", b'""', b"\xff", b"[" * 100_000, b"9" * 5_000]
    )
    def test_another_file_is_refused(self, raw):
        """What is no keyset file is called so."""
        assert "is cut short, or is no keyset file; restore it from a backup" == read(raw)
