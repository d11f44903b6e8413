"""
What is said about a dataset, and held against a policy and a key.
"""

import json
import re
from dataclasses import replace
from importlib import metadata

import pytest

from privkit.errors import DatasetError, KeyMaterialError, KeyNotFoundError, PolicyError
from privkit.keys import Key, Keyset
from privkit.policy import manifest as subject
from privkit.policy.manifest import Manifest
from privkit.policy.model import Policy
from privkit.transforms.redact import Keep
from privkit.transforms.token import Token
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES

POLICY = Policy(
    "people",
    version=3,
    fields={"email": Token(normalize="email"), "ward": Keep(), "card": Token(scope="cards")},
)
KEY = Key("test", KEY_BYTES)
GOLDEN = """\
{
  "privkit-manifest": 1,
  "policy": {
    "name": "people",
    "version": 3,
    "fingerprint": "FINGERPRINT"
  },
  "key": {
    "keyset": "default",
    "id": "test",
    "tag": "TAG"
  },
  "fields": {
    "email": {
      "rule": "token",
      "technique": "pseudonymization: keyed one-way function",
      "reversible": false,
      "scope": "people.email"
    },
    "ward": {
      "rule": "keep",
      "technique": "none: the value is kept",
      "reversible": false,
      "scope": null
    },
    "card": {
      "rule": "token",
      "technique": "pseudonymization: keyed one-way function",
      "reversible": false,
      "scope": "cards"
    }
  },
  "rows": 7,
  "created": "2026-01-31T12:00:00Z",
  "privkit": "0.1.0",
  "file": {
    "format": "csv",
    "delimiter": ";",
    "encoding": "utf-8"
  }
}
"""


@pytest.fixture
def manifest():
    made = Manifest.of(
        POLICY,
        keyset="default",
        key=KEY,
        rows=7,
        format="csv",
        options={"delimiter": ";", "encoding": "utf-8"},
    )
    return replace(made, created="2026-01-31T12:00:00Z", privkit="0.1.0")


class TestText:
    def test_is_frozen(self, manifest):
        """
        The layout is what readers of other times expect.
        """
        expected = GOLDEN.replace("FINGERPRINT", POLICY.fingerprint).replace("TAG", KEY.tag)

        assert expected == manifest.to_json()

    def test_is_read_back(self, manifest, tmp_path):
        """
        A manifest is the same after a round trip, through text and through a file.
        """
        path = tmp_path / "m.json"
        path.write_text(manifest.to_json())

        assert manifest == Manifest.from_json(manifest.to_json())
        assert manifest == Manifest.load(path)

    def test_without_keys_is_read_back(self):
        """
        A dataset made without a key has none in its manifest.
        """
        policy = Policy("p", fields={"*": Keep()})
        manifest = Manifest.of(policy, keyset="default", key=None, rows=0, format="x", options={})

        assert manifest == Manifest.from_json(manifest.to_json())
        assert json.loads(manifest.to_json())["key"] is None

    def test_tells_when_and_by_what(self):
        """
        A manifest has the time of its making, in UTC, and the version of its maker.
        """
        made = Manifest.of(POLICY, keyset="default", key=KEY, rows=0, format="csv", options={})

        assert re.fullmatch("[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z", made.created)
        assert metadata.version("privkit-sdk") == made.privkit

    def test_tells_when_the_version_is_not_known(self, monkeypatch):
        """
        Code that was never installed has no version.
        """

        def missing(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", missing)
        made = Manifest.of(POLICY, keyset="default", key=KEY, rows=0, format="csv", options={})

        assert "unknown" == made.privkit


class TestReading:
    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "{}", "[" * 10**5, '{"privkit-manifest": null}', "9" * 5000]
    )
    def test_what_is_no_manifest_is_refused(self, text):
        """
        Anything else is told from a manifest.
        """
        with pytest.raises(DatasetError, match="is not a privkit manifest"):
            Manifest.from_json(text)

    @pytest.mark.parametrize("layout", ["2", "true", '"1"', "1.5"])
    def test_another_layout_is_refused(self, layout):
        """
        A layout that is not known is not guessed at.
        """
        with pytest.raises(DatasetError, match="another layout than 1"):
            Manifest.from_json(f'{{"privkit-manifest": {layout}}}')

    @pytest.mark.parametrize("part", ["policy", "key", "fields", "rows", "created", "file"])
    @pytest.mark.parametrize("wrong", [None, 5.5, {"email": []}, "missing"])
    def test_a_part_that_is_wrong_is_refused(self, part, wrong, manifest):
        """
        A part that is missing or of another type is refused.
        """
        document = json.loads(manifest.to_json())
        if wrong == "missing":
            del document[part]
        elif (part, wrong) == ("key", None):
            document[part] = True
        else:
            document[part] = wrong
        with pytest.raises(DatasetError, match="incomplete, or one of its parts has the wrong"):
            Manifest.from_json(json.dumps(document))

    def test_a_file_that_is_missing_is_a_sentence(self, tmp_path):
        """
        A manifest that is not there is told by its name.
        """
        with pytest.raises(DatasetError, match=r"m\.json cannot be read: no such file"):
            Manifest.load(tmp_path / "m.json")

    def test_a_file_of_any_size_is_bounded(self, tmp_path, monkeypatch):
        """
        A file that is no manifest does not fill the memory.
        """
        monkeypatch.setattr(subject, "MAX_SIZE", 10)
        path = tmp_path / "m.json"
        path.write_bytes(b"\xff" * 11)
        with pytest.raises(DatasetError, match="is at most 10 bytes"):
            Manifest.load(path)

    def test_a_file_of_other_bytes_is_a_sentence(self, tmp_path):
        """
        Bytes that are no text are no manifest.
        """
        path = tmp_path / "m.json"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(DatasetError, match="is not a privkit manifest"):
            Manifest.load(path)

    @pytest.mark.parametrize(
        ("part", "text"),
        [
            ("people", "pe\\u001b[2Jople"),
            ("FINGERPRINT", "x" * 64),
            ('"id": "test"', '"id": "pk1_test"'),
            ("TAG", "abcde"),
        ],
    )
    def test_what_privkit_does_not_write_is_refused(self, part, text):
        """
        A manifest cannot put into messages what could not be in them.
        """
        assert part in GOLDEN
        written = GOLDEN.replace(part, text)
        written = written.replace("FINGERPRINT", POLICY.fingerprint).replace("TAG", KEY.tag)
        with pytest.raises(DatasetError, match="has the wrong form"):
            Manifest.from_json(written)


class TestChecking:
    def test_the_right_policy_and_key_pass(self, manifest):
        """
        The makers of a dataset are recognized, also when the key has been replaced since.
        """
        manifest.check(POLICY, Keyset(KEY))
        manifest.check(POLICY, Keyset(Key("later", OTHER_KEY_BYTES), [KEY]))

    def test_another_policy_is_refused(self, manifest):
        """
        A policy with another fingerprint is told from the right one.
        """
        other = Policy("people", version=4, fields=POLICY.fields)
        with pytest.raises(PolicyError, match=r"policy 'people' version 3, .* version 4, "):
            manifest.check(other, Keyset(KEY))

    def test_a_missing_key_is_refused(self, manifest):
        """
        A keyset without the key cannot do.
        """
        with pytest.raises(KeyNotFoundError, match="no key test among"):
            manifest.check(POLICY, Keyset(Key("later", OTHER_KEY_BYTES)))

    def test_another_key_of_the_same_id_is_refused(self, manifest):
        """
        The tag tells the wrong key, which would invert to plausible nonsense.
        """
        with pytest.raises(KeyMaterialError, match="the wrong key"):
            manifest.check(POLICY, Keyset(Key("test", OTHER_KEY_BYTES)))

    def test_no_keys_are_refused(self, manifest):
        """
        A manifest that names a key asks for keys.
        """
        with pytest.raises(PolicyError, match="names key test, got no keys"):
            manifest.check(POLICY, None)

    def test_a_dataset_without_keys_asks_for_none(self):
        """
        Where no key was used, none is compared.
        """
        policy = Policy("p", fields={"*": Keep()})
        manifest = Manifest.of(policy, keyset="default", key=None, rows=0, format="x", options={})

        assert manifest.check(policy, None) is None


def test_stands_beside_its_file(tmp_path):
    """
    The name of a manifest is that of the file, with an end of its own.
    """
    assert tmp_path / "a.csv.manifest.json" == Manifest.beside(tmp_path / "a.csv")
