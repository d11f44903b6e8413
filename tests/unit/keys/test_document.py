"""Managed keysets as text: what is written is read, and nothing else is."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from privkit.ciphers.secret import SecretBytes
from privkit.errors import KeyMaterialError
from privkit.keys import Key, Keyset, document
from privkit.keys import text as grammar
from privkit.keys.managed import ManagedKeyset
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, THIRD_KEY_BYTES

K1, K2, K3 = Key("k1", KEY_BYTES), Key("k2", OTHER_KEY_BYTES), Key("k3", THIRD_KEY_BYTES)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def lived():
    """A keyset with a key in each of four states."""
    managed = ManagedKeyset.create(Keyset(K1, [K2]), now=NOW, reason="für den Anfang", period=None)
    managed = managed.destroy("k2", now=NOW + timedelta(days=1), reason="re-keyed")
    managed = managed.prepare(K3, now=NOW + timedelta(days=2), reason="next")
    return managed.record("visits", ["k1"], now=NOW + timedelta(days=3))


def parts():
    """The text of two keysets, taken apart."""
    keysets = {"default": lived(), "billing": lived()}
    return json.loads(document.write(keysets).expose())


def read(changed):
    """Read text that was put together by somebody else."""
    return document.read(SecretBytes(json.dumps(changed).encode()))


class TestDocument:
    def test_what_is_written_is_read(self):
        """Every part of a life comes back."""
        keysets = {"default": lived(), "b_2": lived()}

        assert keysets == document.read(document.write(keysets))

    def test_the_layout_is_frozen(self):
        """A keyset is written like this for ever."""
        managed = ManagedKeyset.create(Keyset(K1), now=NOW, reason="é", period=timedelta(days=1))
        life = [
            {"act": act, "state": state, "time": "2026-01-02T03:04:05Z", "reason": "é"}
            for act, state in (
                ("prepare", "pre-active"),
                ("stage", "active"),
                ("promote", "active"),
            )
        ]
        key = {
            "id": "k1",
            "tag": K1.tag,
            "key": K1.to_text(),
            "until": "2026-01-03T03:04:05Z",
            "history": life,
        }
        keyset = {
            "primary": "k1",
            "high_water": "2026-01-02T03:04:05Z",
            "keys": [key],
            "datasets": {},
        }
        expected = {"privkit-keysets": 1, "keysets": {"default": keyset}}
        text = json.dumps(expected, ensure_ascii=False, separators=(",", ":"))

        assert SecretBytes(text.encode()) == document.write({"default": managed})

    def test_a_key_without_text_cannot_be_written(self):
        """A key of pyffx's is kept elsewhere."""
        keyset = Keyset(Key.of_pyffx("k1", THIRD_KEY_BYTES))
        managed = ManagedKeyset.create(keyset, now=NOW, reason="r")
        with pytest.raises(KeyMaterialError, match="key k1 is of pyffx and has no text"):
            document.write({"default": managed})


def without(name):
    """Leave a part of a mapping out."""
    return lambda part: part.pop(name)


def put(name, value):
    """Put another value in the place of a part."""
    return lambda part: part.update({name: value})


FORM = "incomplete, or have a part of the wrong form"
KEYSET = [
    *((without(name), FORM) for name in ("primary", "high_water", "keys", "datasets")),
    (put("x", 1), FORM),
    (put("primary", 1), FORM),
    (put("primary", "k3"), "contradict themselves: the primary of a keyset is"),
    (put("high_water", "2026-01-02"), FORM),
    (put("high_water", "2025-01-02T03:04:05Z"), "later than the latest time seen"),
    (put("high_water", None), FORM),
    (put("keys", {}), FORM),
    (put("keys", [[]]), FORM),
    (put("keys", []), "the primary of a keyset is"),
    (put("datasets", []), FORM),
    (put("datasets", {"d": "k1"}), FORM),
    (put("datasets", {"d": [1]}), FORM),
    (put("datasets", {"d": ["k2"]}), "that are not destroyed"),
]
ENTRY = [
    *((without(name), FORM) for name in ("id", "tag", "key", "until", "history")),
    (put("x", 1), FORM),
    (put("id", 1), FORM),
    (put("id", "k9"), "has the id or the tag of another"),
    (put("tag", None), FORM),
    (put("key", 1), FORM),
    (put("key", K1.to_text()[:-1]), "contradict themselves: the text of a key is pk1_"),
    (put("key", "é"), "contradict themselves: the text of a key starts"),
    (put("key", "\ud800"), FORM),
    (put("key", None), "is destroyed and has its material"),
    (put("until", "tomorrow"), FORM),
    (put("history", {}), FORM),
    (put("history", []), "begins its life pre-active"),
    (put("history", ["x"]), FORM),
]
CHANGE = [
    *((without(name), FORM) for name in ("act", "state", "time", "reason")),
    (put("x", 1), FORM),
    (put("act", 1), FORM),
    (put("act", "stage"), "begins its life pre-active"),
    (put("state", "asleep"), FORM),
    (put("time", 0), FORM),
    (put("reason", None), FORM),
    (put("reason", "a\nb"), "for a reason that is no text"),
]
DOCUMENT = [
    (without("privkit-keysets"), FORM),
    (without("keysets"), FORM),
    (put("x", 1), FORM),
    (put("privkit-keysets", 2), "of another layout than 1"),
    (put("privkit-keysets", True), "of another layout than 1"),
    (put("privkit-keysets", "1"), "of another layout than 1"),
    (put("keysets", []), FORM),
    (put("keysets", {}), "holds no keysets"),
    (put("keysets", {"../x": {}}), "one without a name"),
    (put("keysets", {"default": []}), FORM),
]


class TestRefusals:
    @pytest.mark.parametrize(("edit", "message"), DOCUMENT)
    def test_documents(self, edit, message):
        """A document of another form is refused as a whole."""
        changed = parts()
        edit(changed)

        assert message in read(changed)

    @pytest.mark.parametrize(("edit", "message"), KEYSET)
    def test_keysets(self, edit, message):
        """Each part of a keyset is there and of its form, and nothing else is."""
        changed = parts()
        edit(changed["keysets"]["billing"])

        assert message in read(changed)

    @pytest.mark.parametrize(("edit", "message"), ENTRY)
    def test_keys(self, edit, message):
        """Each part of a key is there and of its form, and nothing else is."""
        changed = parts()
        edit(changed["keysets"]["default"]["keys"][1])

        assert message in read(changed)

    @pytest.mark.parametrize(("edit", "message"), CHANGE)
    def test_changes(self, edit, message):
        """Each part of a change is there and of its form, and nothing else is."""
        changed = parts()
        edit(changed["keysets"]["default"]["keys"][2]["history"][0])

        assert message in read(changed)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", FORM),
            (b"[]", FORM),
            (b'"keysets"', FORM),
            (b"\xff", FORM),
            (b"[" * 100_000, FORM),
            (b'{"privkit-keysets": ' + b"9" * 5_000 + b"}", FORM),
            (b'{"privkit-keysets": 1, "privkit-keysets": 1}', "stands there twice"),
            (b'{"privkit-keysets": 1, "keysets": {"a": 1, "a": 1}}', "stands there twice"),
        ],
    )
    def test_texts(self, content, message):
        """What is no such text, or names a part twice, is refused."""
        assert message in document.read(SecretBytes(content))

    def test_weak_keys(self):
        """A key that nobody drew at random is refused here as everywhere."""
        managed = ManagedKeyset.create(Keyset(Key.generate("k1")), now=NOW, reason="r")
        changed = json.loads(document.write({"default": managed}).expose())
        changed["keysets"]["default"]["keys"][0]["key"] = grammar.write(
            "k1", SecretBytes(bytes(32))
        )

        assert "contradict themselves: the material of key k1 " in read(changed)
