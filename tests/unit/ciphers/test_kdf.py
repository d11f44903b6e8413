import ast
from itertools import product

import pytest

from privkit.ciphers.kdf import derive, info
from privkit.ciphers.secret import SecretBytes
from privkit.errors import DomainError, KeyMaterialError
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.harness import SOURCE
from tests.unit.ciphers.hkdf import hkdf

PURPOSES = ("token", "fpe", "encrypt", "shift_date", "tag", "audit", "registry", "permutation")
ALGORITHMS = ("HMAC-SHA-256", "FF1-AES-256", "AES-256-SIV", "HKDF-SHA-256", "AES-256-CTR")
SIZES = (16, 24, 32, 48, 64)
SCOPES = 5_000
"""Purposes, algorithms, sizes and scopes make 1,000,000 combinations."""


def combinations(scopes):
    """
    Yield the arguments of each subkey.
    """
    for scope, purpose, algorithm, size in product(range(scopes), PURPOSES, ALGORITHMS, SIZES):
        yield {
            "purpose": purpose,
            "scope": f"patients.field{scope}",
            "algorithm": algorithm,
            "size": size,
        }


class TestDerive:
    @pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 64, 8_160])
    def test_is_the_standard(self, size):
        """
        A subkey is HKDF of the key, without a salt and with the info string.
        """
        arguments = {"purpose": "token", "scope": "größe.名", "algorithm": "X", "size": size}
        expected = hkdf(KEY_BYTES, info=info(**arguments), size=size)

        assert expected == derive(SecretBytes(KEY_BYTES), **arguments).expose()

    def test_is_frozen(self):
        """
        A subkey is the same in every release.
        """
        subkey = derive(
            SecretBytes(bytes(range(32))),
            purpose="token",
            scope="patients.email",
            algorithm="HMAC-SHA-256",
        )

        assert (
            "390d8590769f67e96e2d7f9e8d67046fc92c984608f7857242ef28a6fe3e76cc"
            == subkey.expose().hex()
        )

    @pytest.mark.parametrize("name", ["purpose", "scope", "algorithm"])
    def test_half_a_character_is_no_name(self, name):
        """
        A name without bytes is refused, and not shown.
        """
        arguments = {"purpose": "a", "scope": "b", "algorithm": "c", name: f"{TEXT}\udfff"}
        with pytest.raises(DomainError, match="half of a surrogate pair") as caught:
            derive(SecretBytes(KEY_BYTES), **arguments)

        assert len(TEXT) == caught.value.position
        assert caught.value.__context__ is None

    def test_gives_32_bytes_unless_asked(self):
        """
        32 bytes are the default.
        """
        arguments = {"purpose": "a", "scope": "b", "algorithm": "c"}
        secret = SecretBytes(KEY_BYTES)

        assert derive(secret, **arguments, size=32) == derive(secret, **arguments)

    @pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
    def test_refuses_keys_of_other_sizes(self, size):
        """
        A key is 32 bytes: from less, no subkey is worth its size.
        """
        with pytest.raises(KeyMaterialError, match="32 bytes"):
            derive(SecretBytes(KEY_BYTES.ljust(64)[:size]), purpose="a", scope="b", algorithm="c")


class TestSeparation:
    def test_a_million_info_strings_differ(self):
        """
        No two combinations of purpose, scope, algorithm and size have one info string.

        HKDF is a pseudorandom function of that string, so their subkeys differ as well.
        """
        found = {info(**arguments) for arguments in combinations(SCOPES)}

        assert 1_000_000 == len(found)

    @pytest.mark.parametrize("scopes", [100, pytest.param(5_000, marks=pytest.mark.nightly)])
    def test_subkeys_differ(self, scopes):
        """
        No two combinations have one subkey, nor two subkeys of different sizes one beginning.
        """
        secret = SecretBytes(KEY_BYTES)
        found = [derive(secret, **arguments).expose()[:16] for arguments in combinations(scopes)]

        assert 200 * scopes == len(found) == len(set(found))

    def test_the_bounds_of_names_count(self):
        """
        Names that read alike when joined are different names.
        """
        secret = SecretBytes(KEY_BYTES)
        names = [
            ("ab", "c", "d"),
            ("a", "bc", "d"),
            ("a", "b", "cd"),
            ("", "abcd", ""),
            ("abcd", "", ""),
        ]
        keys = {
            derive(secret, purpose=purpose, scope=scope, algorithm=algorithm).expose()
            for purpose, scope, algorithm in names
        }

        assert len(names) == len(keys)

    def test_another_key_gives_other_subkeys(self):
        """
        A subkey depends on the key.
        """
        arguments = {"purpose": "a", "scope": "b", "algorithm": "c"}
        one, other = (derive(SecretBytes(key), **arguments) for key in (KEY_BYTES, OTHER_KEY_BYTES))

        assert one != other

    def test_each_use_belongs_to_one_file(self):
        """
        No two parts of the source derive subkeys for one purpose and algorithm.
        """
        found = {}
        for path in SOURCE.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr="derive"),
                        args=[ast.Constant(value=str(purpose)), ast.Constant(value=str(algorithm))],
                    ):
                        found.setdefault((purpose, algorithm), set()).add(path)

        assert {"token", "fpe", "encrypt", "shift_date", "ip"} == {purpose for purpose, _ in found}
        assert [] == [use for use, files in found.items() if len(files) > 1]
