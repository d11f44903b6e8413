import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import Key
from privkit.keys.text import holds_key, is_id, write
from tests.canaries import KEY_BYTES

TEXT = Key("k2026-11", KEY_BYTES).to_text()
CHARACTERS = string.ascii_lowercase + string.digits + "_-AF #\0é\n"


def refused(text):
    """Whether a text is no key."""
    try:
        Key.parse(text)
    except KeyMaterialError:
        return True
    return False


class TestMistakes:
    def test_substitutions_are_refused(self):
        """A key with any one character replaced is refused."""
        missed = [
            (position, character)
            for position in range(len(TEXT))
            for character in CHARACTERS
            if character != TEXT[position]
            and not refused(TEXT[:position] + character + TEXT[position + 1 :])
        ]

        assert [] == missed

    def test_deletions_are_refused(self):
        """A key with any one character left out is refused."""
        missed = [i for i in range(len(TEXT)) if not refused(TEXT[:i] + TEXT[i + 1 :])]

        assert [] == missed

    def test_insertions_are_refused(self):
        """A key with any character put in is refused, but for white space around it."""
        missed = [
            (position, character)
            for position in range(len(TEXT) + 1)
            for character in CHARACTERS
            if not refused(TEXT[:position] + character + TEXT[position:])
        ]
        around = [(position, blank) for position in (0, len(TEXT)) for blank in " \n"]

        assert around == missed

    def test_truncations_are_refused(self):
        """A key that lacks any number of characters at either end is refused."""
        missed = [
            i for i in range(1, len(TEXT) + 1) if not (refused(TEXT[i:]) and refused(TEXT[:-i]))
        ]

        assert [] == missed

    def test_transpositions_are_refused(self):
        """A key with two neighbours exchanged is refused."""
        missed = [
            i
            for i in range(len(TEXT) - 1)
            if TEXT[i] != TEXT[i + 1]
            and not refused(TEXT[:i] + TEXT[i + 1] + TEXT[i] + TEXT[i + 2 :])
        ]

        assert [] == missed

    @given(text=st.text(max_size=200))
    def test_any_other_text_is_refused(self, text):
        """Any text is refused with an error of privkit, surrogates included."""
        assert refused(text)
        assert refused("pk1_" + text)


class TestMessages:
    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("", "is empty"),
            ("  ", "is empty"),
            (f'"{TEXT}"', "without quotes"),
            (f"'{TEXT}'", "without quotes"),
            (KEY_BYTES.hex(), "starts with pk1_, got 64 characters"),
            (TEXT.upper(), "starts with pk1_"),
            (TEXT[:4] + TEXT[4:].upper(), "lower case throughout"),
            (TEXT[:-1], "got 85 characters"),
            (TEXT[:-1] + "g", "got 86 characters"),
            (TEXT.replace("b74f", "b74e"), "the checksum of the key does not match"),
        ],
    )
    def test_say_what_is_wrong_and_the_cure(self, text, rule):
        """A refusal tells the kind of mistake and what to do about it."""
        with pytest.raises(KeyMaterialError) as caught:
            Key.parse(text)

        assert rule in str(caught.value)
        assert "copy it whole, or run 'privkit keygen'" in str(caught.value)

    def test_weak_keys_are_refused_as_text_too(self):
        """A whole text of a weak key is refused."""
        with pytest.raises(KeyMaterialError, match="key k1 is drawn at random, got readable"):
            Key.parse(write("k1", SecretBytes(bytes(32))))

    @pytest.mark.parametrize("text", [None, TEXT.encode(), 7, [TEXT]])
    def test_other_types_are_refused(self, text):
        """The text of a key is a str."""
        with pytest.raises(KeyMaterialError, match=f"is str, got {type(text).__name__}"):
            Key.parse(text)


class TestWords:
    @pytest.mark.parametrize(
        ("value", "expected"), [("k1", True), ("", False), ("k_1", False), (None, False)]
    )
    def test_ids_are_told(self, value, expected):
        """An id is told from what is none."""
        assert expected is is_id(value)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (TEXT, True),
            (TEXT.upper(), True),
            (f"/a/{TEXT[:-9]}", True),
            ("/etc/pk1_key", False),
            (KEY_BYTES.hex(), True),
            (f" {KEY_BYTES.hex().upper()}\n", True),
            (f"--keys={KEY_BYTES.hex()}", True),
            (f"{KEY_BYTES.hex()}.csv", False),
        ],
    )
    def test_keys_in_the_place_of_names_are_told(self, text, expected):
        """A key where a name should be is told, also in part."""
        assert expected is holds_key(text)
