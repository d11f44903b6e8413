"""
Data that were protected with pyffx: read freely, written for a reason only.
"""

import string
import sys

import pyffx
import pytest

from privkit import AllowList, Alphabet, FormatPreserving, Key, MemoryAudit, Policy, StaticKeys
from privkit.errors import DomainError, KeyMaterialError
from privkit.keys import Subkeys
from privkit.policy.manifest import Manifest
from tests.canaries import DIGITS, KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.vectors.files import read

OLD = Key.of_pyffx("old", OTHER_KEY_BYTES)
READ = FormatPreserving("digits", cipher="pyffx")
WRITE = FormatPreserving("digits", cipher="pyffx", legacy="the old system reads it")
NAMED = {
    string.digits: "digits",
    string.ascii_lowercase: "letters",
}


def under(key, scope="people.card"):
    """
    Return the subkeys of a field.
    """
    return Subkeys(key, field="people.card", scope=scope)


def written(value, alphabet=string.digits):
    """
    Return what pyffx makes of a text under the old key.
    """
    return pyffx.String(OTHER_KEY_BYTES, alphabet, len(value)).encrypt(value)


class TestReading:
    @pytest.mark.parametrize(
        ("value", "alphabet"),
        [
            (DIGITS, string.digits),
            ("0000", string.digits),
            ("07", string.digits),
            ("xanthippe", string.ascii_lowercase),
            ("cba", "abc"),
            ("ξανθιππη", "αβγδεζηθικλμνξοπρστυφχψω"),
        ],
    )
    def test_gives_the_value_back(self, value, alphabet):
        """
        What pyffx wrote comes back, leading zeros included, however few values there are.
        """
        format_ = NAMED.get(alphabet) or Alphabet(alphabet)
        inverse = FormatPreserving(format_, cipher="pyffx").bind_inverse(under(OLD))

        assert value == inverse.invert(written(value, alphabet))

    def test_agrees_with_the_vectors(self, vectors):
        """
        Values that pyffx 0.3.0 wrote under keys of enough bytes come back.
        """
        cases = read(vectors / "pyffx" / "pyffx_values.json")["vectors"]
        count = 0
        for case in cases:
            key = bytes.fromhex(case["key_hex"])
            if len(key) < 16:
                with pytest.raises(KeyMaterialError):
                    Key.of_pyffx("old", key)
                continue
            alphabet = Alphabet(case.get("alphabet", string.digits))
            rule = FormatPreserving(alphabet, cipher="pyffx")
            plain, cipher = (str(case[part]).zfill(case["length"]) for part in ("plain", "cipher"))
            count += 1

            assert plain == rule.bind_inverse(under(Key.of_pyffx("old", key))).invert(cipher)
        assert 9 == count

    def test_ignores_the_scope_under_a_key_of_pyffx(self):
        """
        Scopes are not known to pyffx: two columns under one key share their mapping.
        """
        image = written(DIGITS)

        assert DIGITS == READ.bind_inverse(under(OLD, scope="another")).invert(image)

    def test_leaves_separators_and_kept_characters(self):
        """
        Where a part of a value was encrypted, that part is read.
        """
        rule = FormatPreserving("digits", cipher="pyffx", keep_first=6, keep_last=4)
        image = f"{DIGITS[:6]}-{written(DIGITS[6:12])}-{DIGITS[12:]}"

        assert f"{DIGITS[:6]}-{DIGITS[6:12]}-{DIGITS[12:]}" == (
            rule.bind_inverse(under(OLD)).invert(image)
        )

    @pytest.mark.parametrize("value", ["", "1", TEXT, 42, b"42"])
    def test_refuses_what_pyffx_did_not_write(self, value):
        """
        It wrote text of two characters or more.
        """
        with pytest.raises(DomainError):
            READ.bind_inverse(under(OLD)).invert(value)

    def test_goes_through_the_authority(self):
        """
        A table that pyffx made is revealed by a policy, with access and audit.
        """
        policy = Policy("before", fields={"card": READ})
        policy = Policy.loads(policy.to_json(), format="json")
        authority = policy.authority(
            StaticKeys(OLD), access=AllowList({"x": ["migration"]}), audit=MemoryAudit()
        )
        row = {"card": written(DIGITS)}

        assert {"card": DIGITS} == authority.reidentify(row, actor="x", purpose="migration")

    def test_an_older_key_of_pyffx_is_named(self):
        """
        Beside a key of privkit's, the old one is picked by its id.
        """
        keys = StaticKeys(Key("2026-01", KEY_BYTES), older=[OLD])
        authority = Policy("p", fields={"card": READ}).authority(
            keys, access=AllowList({"x": ["y"]}), audit=MemoryAudit()
        )
        row = {"card": written(DIGITS)}

        assert {"card": DIGITS} == (authority.reidentify(row, actor="x", purpose="y", key_id="old"))


class TestWriting:
    def test_needs_a_reason(self):
        """
        Nothing is written as pyffx wrote it unless a policy says why.
        """
        policy = Policy("p", fields={"card": READ})
        with pytest.raises(DomainError, match="is read only") as caught:
            policy.bind(StaticKeys(OLD))["card"].apply(DIGITS)

        assert 'legacy="reason"' in str(caught.value)

    def test_under_a_key_of_pyffx_is_pyffx(self):
        """
        The old system reads what comes out.
        """
        image = WRITE.bind(under(OLD)).apply(DIGITS)

        assert written(DIGITS) == image
        assert DIGITS == WRITE.bind_inverse(under(OLD)).invert(image)

    def test_under_another_key_has_a_subkey_for_each_scope(self):
        """
        Under a key of privkit's, two fields differ, as they do not with pyffx alone.
        """
        key = Key("2026-01", KEY_BYTES)
        images = {WRITE.bind(under(key, scope)).apply(DIGITS) for scope in ("a", "b")}
        secret = key.derive(purpose="fpe", scope="a", algorithm="pyffx").expose()

        assert 2 == len(images)
        assert pyffx.String(secret, string.digits, 16).encrypt(DIGITS) in images

    @pytest.mark.parametrize("value", ["", "1", "94110", TEXT])
    def test_refuses_small_domains(self, value):
        """
        The floor holds for writing, and no reason helps.
        """
        with pytest.raises(DomainError, match=r"at least (1 character|6 numerals)"):
            WRITE.bind(under(OLD)).apply(value)

    def test_is_told_in_explanation_and_manifest(self):
        """
        Whoever signs a policy reads why; a manifest marks the field.
        """
        policy = Policy("p", fields={"card": WRITE})
        manifest = Manifest.of(policy, keyset="a", key=OLD, rows=1, format="csv", options={})

        assert WRITE.legacy == policy.explain().fields[0].legacy
        assert WRITE.legacy == Manifest.from_json(manifest.to_json()).fields["card"].legacy
        assert Policy("p", fields={"card": READ}).explain().fields[0].legacy is None


class TestOptions:
    def test_belong_together(self):
        """
        What pyffx wrote is strings over an alphabet, and small domains need no reason to be read.
        """
        with pytest.raises(DomainError, match="the format is an alphabet, not 'card'"):
            FormatPreserving("card", cipher="pyffx")
        with pytest.raises(DomainError, match="the format is an alphabet, not 'card'"):
            FormatPreserving("card", legacy="because")
        with pytest.raises(DomainError, match=r'legacy is .* cipher="pyffx"'):
            FormatPreserving("digits", legacy="because")
        with pytest.raises(DomainError, match="pyffx reads small domains without a reason"):
            FormatPreserving("digits", cipher="pyffx", small_domain="because")

    def test_may_be_for_short_values(self):
        """
        Two characters are the shortest that pyffx's cipher is one for.
        """
        assert 2 == FormatPreserving("digits", cipher="pyffx", max_length=2).max_length
        with pytest.raises(DomainError, match="max_length is at least 2"):
            FormatPreserving("digits", cipher="pyffx", max_length=1)

    def test_are_refused_on_a_host_of_the_other_order(self, monkeypatch):
        """
        A big-endian host would compute something else, so it is told.
        """
        monkeypatch.setattr(sys, "byteorder", "big")

        with pytest.raises(DomainError, match="big-endian"):
            READ.bind_inverse(under(OLD))
