import copy
import csv
import dataclasses
import hashlib
import hmac
import io
import os
import pickle
import random
import re
import sys
import threading
import time
import uuid
import warnings

import pandas as pd
import polars as pl
import pytest

from privkit.errors import DomainError, KeyMaterialError
from privkit.keys import Key, Subkeys
from privkit.transforms.token import Token
from privkit.typing import KeyedTransform, Protector
from tests.canaries import (
    DIGITS,
    EMAIL,
    KEY_BYTES,
    OTHER_KEY_BYTES,
    OTHER_TEXT,
    TEXT,
)

KEY = Key("k1", KEY_BYTES)
OTHER_KEY = Key("k2", OTHER_KEY_BYTES)
SUBKEYS = Subkeys(KEY, field="email", scope="patients.email")
FORMULA = "=+-@\t\r"
PREFIXES = ["tok", "na", "nan", "inf", "true", "dec", "ee", "id", "date"]


def tokens_of(count, **options):
    """
    Tokens of that many numbers.
    """
    apply = Token(**options).bind(SUBKEYS).apply
    return [apply(number) for number in range(count)]


class TestDeclaration:
    def test_is_a_keyed_transform(self):
        """It has the facts that a policy reads, and its bound form protects."""
        rule: KeyedTransform = Token()
        bound: Protector = rule.bind(SUBKEYS)

        assert ("token", True, False) == (rule.name, rule.keyed, rule.reversible)
        assert (None, None) == (rule.by, rule.scope)
        assert isinstance(bound.apply(TEXT), str)
        assert not hasattr(rule, "bind_inverse")
        assert not hasattr(bound, "invert")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"bits": 92}, "bits is 96 to 256, got 92"),
            ({"bits": 260}, "bits is 96 to 256, got 260"),
            ({"bits": 98}, "bits is a multiple of 4, got 98"),
            ({"bits": 128.0}, "bits is an integer, got float"),
            ({"bits": True}, "bits is an integer, got bool"),
            ({"prefix": ""}, "prefix is 2 to 16 letters from a to z"),
            ({"prefix": "t"}, "prefix is 2 to 16 letters from a to z"),
            ({"prefix": "t" * 17}, "prefix is 2 to 16 letters from a to z"),
            ({"prefix": "Tok"}, "prefix is 2 to 16 letters from a to z"),
            ({"prefix": "tok\n"}, "prefix is 2 to 16 letters from a to z"),
            ({"prefix": "to1"}, "prefix is 2 to 16 letters from a to z"),
            ({"prefix": None}, "prefix is 2 to 16 letters from a to z"),
            ({"encoding": "base64"}, "encoding is one of: hex, uuid"),
            ({"encoding": None}, "encoding is one of: hex, uuid"),
            ({"encoding": ["hex"]}, "encoding cannot be of type list"),
            ({"encoding": "uuid", "bits": 96}, "a uuid has 122 bits and no prefix: leave both out"),
            ({"encoding": "uuid", "prefix": "id"}, "a uuid has 122 bits and no prefix: leave .*"),
            ({"type": "float"}, "type is one of: text, integer, decimal, boolean, .*"),
            ({"scope": ""}, "scope is a name of one or more printable characters"),
            ({"scope": "a\nb"}, "scope is a name of one or more printable characters"),
            ({"scope": "\ud800"}, "scope is a name of one or more printable characters"),
            ({"scope": 1}, "scope is a name of one or more printable characters"),
            ({"max_size": 0}, "max_size is at least 1, got 0"),
            ({"max_size": 1.5}, "max_size is an integer, got float"),
            ({"layout": 2}, "layout is one of: 1"),
            ({"layout": "1"}, "layout is one of: 1"),
            ({"normalize": "e-mail"}, "a normalization is one of .*"),
            (
                {"normalize": "email", "type": "integer"},
                "normalize is for type 'text', not 'integer'",
            ),
        ],
    )
    def test_is_checked_at_construction(self, options, message):
        """Options that do not fit are refused before there is a key or a value."""
        with pytest.raises(DomainError, match=f"^{message}$"):
            Token(**options)

    def test_writes_the_number_of_its_normalization(self):
        """A rule without a number is the rule with the latest one, and says so."""
        assert Token(normalize="email@1") == Token(normalize="email")
        assert "email@1" == Token(normalize="email").normalize

    def test_is_a_value(self):
        """Rules with the same options are equal, hashable and immutable."""
        assert {Token(bits=96)} == {Token(bits=96), Token(bits=96)}
        with pytest.raises(dataclasses.FrozenInstanceError):
            Token().bits = 256
        with pytest.raises(TypeError):
            Token(128)


class TestLayout:
    def test_is_prefix_key_tag_and_body(self):
        """The tag tells the keys of a keyset apart; the body has the bits that were asked for."""
        token = Token().bind(SUBKEYS).apply(TEXT)

        assert re.fullmatch(f"tok{KEY.tag}[0-9a-f]{{32}}", token)

    @pytest.mark.parametrize("bits", range(96, 257, 4))
    def test_is_a_truncated_code(self, bits):
        """The body is the leading bits of HMAC-SHA-256 over the type and the value."""
        subkey = SUBKEYS.derive("token", "HMAC-SHA-256")
        code = hmac.digest(subkey.expose(), b"t" + TEXT.encode(), hashlib.sha256).hex()

        assert f"p{'q' * 15}{KEY.tag}{code[: bits // 4]}" == (
            Token(bits=bits, prefix=f"p{'q' * 15}").bind(SUBKEYS).apply(TEXT)
        )

    def test_may_be_a_uuid(self):
        """A UUID of version 8 has 122 bits of the code, and no tag."""
        subkey = SUBKEYS.derive("token", "HMAC-SHA-256")
        code = hmac.digest(subkey.expose(), b"t" + TEXT.encode(), hashlib.sha256)
        token = Token(encoding="uuid").bind(SUBKEYS).apply(TEXT)
        mask = uuid.UUID("ffffffff-ffff-0fff-3fff-ffffffffffff").int

        assert str(uuid.UUID(token)) == token
        assert (8, uuid.RFC_4122) == (uuid.UUID(token).version, uuid.UUID(token).variant)
        assert int.from_bytes(code[:16]) & mask == uuid.UUID(token).int & mask

    def test_depends_on_key_and_scope_alone(self):
        """One scope links two fields; another scope or key does not."""
        apply = Token().bind(SUBKEYS).apply
        same = Token(bits=128).bind(Subkeys(KEY, field="contact", scope="patients.email"))
        scoped = Token().bind(Subkeys(KEY, field="email", scope="patients.contact"))
        keyed = Token().bind(Subkeys(OTHER_KEY, field="email", scope="patients.email"))

        assert apply(TEXT) == same.apply(TEXT)
        assert apply(TEXT) not in {scoped.apply(TEXT), keyed.apply(TEXT)}
        assert apply(TEXT)[7:] != keyed.apply(TEXT)[7:]

    def test_does_not_collide_on_a_sample(self):
        """Different values have different tokens, and neither order nor repetition matters."""
        tokens = tokens_of(50_000)
        apply = Token().bind(SUBKEYS).apply

        assert 50_000 == len(set(tokens))
        assert tokens[::-1] == [apply(number) for number in range(49_999, -1, -1)]


class TestTagOf:
    @pytest.mark.parametrize("options", [{}, {"bits": 96}, {"prefix": "abcdef", "bits": 256}])
    def test_finds_the_key(self, options):
        """The tag of a token is the tag of the key that made it."""
        rule = Token(**options)
        token = rule.bind(Subkeys(OTHER_KEY, field="f", scope="s")).apply(TEXT)

        assert OTHER_KEY.tag == rule.tag_of(token)

    @pytest.mark.parametrize(
        "text", ["", TEXT, "tok", f"tok{'0' * 35}", f"tok{'0' * 37}", f"TOK{'0' * 36}", None, 1]
    )
    def test_refuses_other_text(self, text):
        """What this rule cannot have made has no tag."""
        with pytest.raises(DomainError, match=r"^a token of this rule is tok and 36 lower-case"):
            Token().tag_of(text)

    def test_a_uuid_has_none(self):
        """The cure is to ask every key."""
        with pytest.raises(DomainError, match="in the form of a uuid carries no key tag"):
            Token(encoding="uuid").tag_of(str(uuid.UUID(int=0)))

    @pytest.mark.parametrize("count", [10_000, pytest.param(10_000_000, marks=pytest.mark.nightly)])
    def test_mutated_tokens_are_refused_or_tagged(self, count):
        """Whatever happened to a token, its tag is four characters or an error of ours."""
        rule = Token()
        token = rule.bind(SUBKEYS).apply(TEXT)
        rng = random.Random(b"mutated tokens")
        refused = 0
        for _ in range(count):
            mutated = mutate(token, rng)
            try:
                tag = rule.tag_of(mutated)
            except DomainError:
                refused += 1
                continue
            assert mutated[3:7] == tag

        assert 0 < refused < count


def mutate(text, rng):
    """
    Change a text in one place.
    """
    place = rng.randrange(len(text))
    strange = rng.choice(["", "0", "f", "g", "F", "\n", "\0", "é", "٣", "\ud800", "tok", text])
    return text[:place] + strange + text[place + rng.randrange(3) :]


class TestValues:
    @pytest.mark.parametrize("value", ["", " ", "nan", "None", 0, False, b"", -1, 10**100])
    def test_empty_and_odd_values_are_data(self, value):
        """Only nulls stay null, and they are not the business of a transform."""
        assert re.fullmatch("tok[0-9a-f]{36}", Token().bind(SUBKEYS).apply(value))

    def test_types_are_kept_apart(self):
        """Values of different types have different tokens, however they print."""
        apply = Token().bind(SUBKEYS).apply

        assert 5 == len({apply(value) for value in (1, "1", True, b"1", "True")})

    @pytest.mark.parametrize("rule", [Token(), Token(type="text"), Token(normalize="text")])
    def test_a_subclass_of_text_is_text(self, rule):
        """Whatever a subclass does to its methods, its characters count."""
        text = type("Text", (str,), {"encode": lambda *_: b"else", "__len__": lambda _: 1})(TEXT)

        assert Token(type="text").bind(SUBKEYS).apply(TEXT) == rule.bind(SUBKEYS).apply(text)

    @pytest.mark.parametrize("value", [None, 1.5, float("nan"), pd.NA, [TEXT], {"a": TEXT}, (1,)])
    @pytest.mark.parametrize("rule", [Token(), Token(normalize="email"), Token(type="text")])
    def test_nulls_floats_and_containers_are_refused(self, value, rule):
        """Nothing is guessed, and nothing passes."""
        with pytest.raises(DomainError):
            rule.bind(SUBKEYS).apply(value)

    @pytest.mark.parametrize("rule", [Token(), Token(normalize="text"), Token(encoding="uuid")])
    def test_half_a_surrogate_pair_is_refused(self, rule):
        """The error of the codec holds the text, so it does not come out."""
        with pytest.raises(DomainError) as caught:
            rule.bind(SUBKEYS).apply(f"{TEXT}\ud800")

        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None

    def test_declared_type_and_normalization_are_heeded(self):
        """How a value is read is the rule's business."""
        by_default = Token().bind(SUBKEYS).apply
        integer = Token(type="integer").bind(SUBKEYS).apply
        text = Token(type="text").bind(SUBKEYS).apply
        email = Token(normalize="email").bind(SUBKEYS).apply
        phone = Token(type="text", normalize="phone").bind(SUBKEYS).apply

        assert by_default(42) == integer(42) == integer("42")
        assert by_default("42") == text(42) == text("42")
        assert by_default(EMAIL) == email(f" {EMAIL.upper()}")
        assert by_default("+4915753804916") == phone("0049 1575 3804916")
        assert phone("+491575380491") == phone("00491575380491")

    @pytest.mark.parametrize("value", [42, b"ana@example.org", True])
    def test_normalizations_read_text(self, value):
        """Other types are declared text first."""
        with pytest.raises(DomainError, match=r"normalize reads text, got .*: declare type 'text'"):
            Token(normalize="email").bind(SUBKEYS).apply(value)

    @pytest.mark.parametrize(
        "rule", [Token(), Token(normalize="name"), Token(type="text"), Token(encoding="uuid")]
    )
    @pytest.mark.parametrize("value", ["x" * 1_048_577, "é" * 524_289, b"x" * 1_048_577])
    def test_long_values_are_refused_at_once(self, rule, value):
        """The limit counts bytes, and what is over it costs nothing."""
        if isinstance(value, bytes) and rule.type == "text":
            rule = Token()
        bound = rule.bind(SUBKEYS)
        started = time.perf_counter()
        with pytest.raises(
            DomainError, match=r"^a value has at most 1,048,576 bytes, got 1,"
        ) as caught:
            bound.apply(value)

        assert 1_048_576 == caught.value.maximum
        assert time.perf_counter() - started < 1

    @pytest.mark.parametrize("value", ["x" * 8, "é" * 4, "𝟘𝟘", b"x" * 8, 10**7])
    def test_the_limit_itself_is_allowed(self, value):
        """A value of exactly so many bytes passes, and has the token it has anyway."""
        assert Token().bind(SUBKEYS).apply(value) == Token(max_size=8).bind(SUBKEYS).apply(value)
        with pytest.raises(DomainError, match="at most 7 bytes, got 8"):
            Token(max_size=7).bind(SUBKEYS).apply(value)

    def test_our_own_prefixes_are_data(self):
        """A value that looks like a token is a value: it is never returned as it stands."""
        rng = random.Random(b"look-alikes")
        apply = Token().bind(SUBKEYS).apply
        token = apply(TEXT)
        beginnings = ["tok", f"tok{KEY.tag}", "enc1.", "enc1.k1.", "pk1_", token[:20], token]
        values = {
            f"{rng.choice(beginnings)}{rng.getrandbits(4 * rng.randrange(33)):x}"
            for _ in range(100_000)
        }
        tokens = {apply(value) for value in values}

        assert len(values) == len(tokens)
        assert set() == values & tokens
        assert all(re.fullmatch(f"tok{KEY.tag}[0-9a-f]{{32}}", token) for token in tokens)
        assert apply(token) != token


class TestBound:
    def test_serves_all_threads(self):
        """Threads that share a bound token get what one thread gets."""
        apply = Token().bind(SUBKEYS).apply
        expected = [apply(f"{TEXT}{number}") for number in range(2_000)]
        found = {}

        def work(name):
            found[name] = [apply(f"{TEXT}{number}") for number in range(2_000)]

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [expected] * 8 == list(found.values())

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
    def test_survives_fork(self):
        """A child makes the tokens of its parent."""
        apply = Token().bind(SUBKEYS).apply
        expected = apply(TEXT)
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            os.write(writing, apply(TEXT).encode())
            os._exit(0)
        os.waitpid(child, 0)

        assert expected == os.read(reading, 100).decode()

    def test_does_not_leave(self):
        """A bound token holds a key, so it is neither pickled nor copied, and prints none."""
        bound = Token(normalize="email").bind(SUBKEYS)
        direct = Token().bind(SUBKEYS)

        for leave in (pickle.dumps, copy.deepcopy, dataclasses.asdict):
            for held in (bound, direct):
                with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
                    leave(held)
        assert f"BoundToken(rule={Token()!r}, lead='tok{KEY.tag}')" == repr(direct)

    def test_wants_a_whole_key(self):
        """Binding refuses a subkey of another size, which HMAC would pad."""

        class Short(Subkeys):
            def derive(self, purpose, algorithm, *, size=32):
                return Subkeys.derive(self, purpose, algorithm, size=16)

        with pytest.raises(KeyMaterialError, match="an HMAC key is 32 bytes, got 16"):
            Token().bind(Short(KEY, field="f", scope="s"))


def is_a_number_date_or_boolean_in_a_spreadsheet(text):
    """
    Tell what spreadsheets make a value of their own out of, when a CSV file is opened.
    """
    return bool(
        text[0] in FORMULA
        or re.fullmatch(r"[0-9.,' ]+(e[+-]?[0-9]+)?%?", text, re.IGNORECASE)
        or re.fullmatch(r"[0-9]{1,4}[-/. ][0-9]{1,2}([-/. ][0-9]{1,4})?", text)
        or re.fullmatch(
            r"([0-9]{1,2}[- ]?)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
            r"[- ]?[0-9]{0,4}",
            text,
            re.IGNORECASE,
        )
        or text.lower() in {"true", "false"}
    )


class TestExports:
    @pytest.mark.parametrize(
        "count",
        [pytest.param(2_000, id="20,000"), pytest.param(100_000, marks=pytest.mark.nightly)],
    )
    @pytest.mark.parametrize(
        "options",
        [*({"prefix": prefix} for prefix in PREFIXES), {"encoding": "uuid"}],
        ids=lambda options: next(iter(options.values())),
    )
    def test_tokens_are_inert(self, options, count):
        """No reader of CSV files takes a token for a number, a date, a boolean or a formula."""
        tokens = tokens_of(count, **options)
        columns = [f"c{number}" for number in range(500)]
        for start in range(0, count, 500):
            part = tokens[start : start + 500]
            text = io.StringIO()
            csv.writer(text).writerows([columns, part])
            frame = pd.read_csv(io.StringIO(text.getvalue()))
            table = pl.read_csv(text.getvalue().encode(), try_parse_dates=True)

            assert part == list(frame.iloc[0])
            assert part == list(table.row(0))
            assert {pl.String} == set(table.dtypes)
        assert [] == [t for t in tokens if is_a_number_date_or_boolean_in_a_spreadsheet(t)]

    @pytest.mark.parametrize(
        "text",
        ["=1", "1e5", "12.5", "2024-05-06", "1/2", "dec 12", "TRUE", "12-mar", "1,000", "5%", "@a"],
    )
    def test_the_rules_of_spreadsheets_catch(self, text):
        """The rules of this test can fail."""
        assert is_a_number_date_or_boolean_in_a_spreadsheet(text)

    def test_case_does_not_matter(self):
        """Tokens are lower-case, so a case-insensitive collation confuses no two of them."""
        tokens = tokens_of(1_000) + tokens_of(1_000, encoding="uuid")

        assert tokens == [token.lower() for token in tokens]


def test_an_other_name_has_another_token():
    """
    Tokens of near values have nothing in common.
    """
    apply = Token(bits=256).bind(SUBKEYS).apply
    texts = [TEXT, TEXT.lower(), f"{TEXT} ", OTHER_TEXT, DIGITS, f"0{DIGITS}"]

    assert len(texts) == len({apply(text)[7:15] for text in texts})
