import base64
import copy
import dataclasses
import datetime as dt
import math
import pickle
import random
import re
import threading
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.ciphers.siv import AESSIV
from privkit.errors import DomainError, PrivkitError, TamperedError
from privkit.keys import Key, Subkeys
from privkit.transforms.encrypt import Encrypt, key_id_of, pad, unpad
from privkit.typing import Protector, Revealer, ReversibleTransform
from tests.canaries import DATE, DIGITS, EMAIL, KEY_BYTES, OTHER_KEY_BYTES, TEXT, UUID

KEY = Key("k1", KEY_BYTES)
SUBKEYS = Subkeys(KEY, field="note", scope="patients.note")
PROTECT = Encrypt().bind(SUBKEYS)
REVEAL = Encrypt().bind_inverse(SUBKEYS)

RECORD = {
    "name": TEXT,
    "contacts": [{"email": EMAIL, "primary": True}, None, []],
    "born": dt.date.fromisoformat(DATE),
    "balance": Decimal("1.50"),
    "": {},
}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
).filter(lambda value: value is not None)
OTHERS = st.one_of(
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
    st.binary(),
)


class TestDeclaration:
    def test_is_a_reversible_transform(self):
        """Protecting and revealing are two objects, and neither does the other's work."""
        rule: ReversibleTransform = Encrypt()
        protector: Protector = rule.bind(SUBKEYS)
        revealer: Revealer = rule.bind_inverse(SUBKEYS)

        assert ("encrypt", True, True) == (rule.name, rule.reversible, rule.containers)
        assert not hasattr(protector, "invert")
        assert not hasattr(revealer, "apply")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"scope": ""}, "scope is a name of one or more printable characters"),
            ({"scope": b"a"}, "scope is a name of one or more printable characters"),
            ({"max_size": 0}, "max_size is at least 1, got 0"),
            ({"max_size": "1"}, "max_size is an integer, got str"),
            ({"layout": 2}, "layout is one of: 1"),
            ({"layout": True}, "layout cannot be of type bool"),
        ],
    )
    def test_is_checked_at_construction(self, options, message):
        """Options that do not fit are refused before there is a key or a value."""
        with pytest.raises(DomainError, match=f"^{message}$"):
            Encrypt(**options)

    @pytest.mark.parametrize(
        "subkeys",
        [
            Subkeys(KEY, field=f"{TEXT}\ud800", scope="s"),
            Subkeys(KEY, field="f", scope=f"{TEXT}\ud800"),
        ],
    )
    def test_half_a_character_names_nothing(self, subkeys):
        """A field or scope without bytes is refused, whoever made it up."""
        for bind in (Encrypt().bind, Encrypt().bind_inverse):
            with pytest.raises(DomainError, match=r"^character 22 of 23 of a scope") as caught:
                bind(subkeys)

            assert caught.value.__context__ is None


class TestRoundTrip:
    @settings(deadline=None, max_examples=200)
    @given(JSON)
    def test_any_json_value_comes_back(self, value):
        """Its types and the order of its keys come back with it."""
        back = REVEAL.invert(PROTECT.apply(value))

        # Unlike ==, this tells 1 from 1.0 and True, and one order of keys from another.
        assert repr(value) == repr(back)

    @settings(deadline=None, max_examples=300)
    @given(OTHERS)
    def test_other_values_come_back(self, value):
        """Dates, decimals, UUIDs and bytes come back as what they were."""
        back = REVEAL.invert(PROTECT.apply(value))

        # Python finds no moment in a gap or fold of one zone equal to a moment of another.
        assert (type(value), str(value)) == (type(back), str(back))

    @pytest.mark.parametrize(
        "value",
        [
            *("", " ", "\0", "\x80", "\x80\0\0", "ü", 0, -1, 10**599, True, False, 0.0, -0.0),
            *(
                1.5,
                5e-324,
                1.7976931348623157e308,
                b"",
                b"\x80\0",
                [],
                {},
                [[]],
                [None],
                {"": None},
            ),
            *(Decimal("1.50"), Decimal("1E+3"), Decimal("-0.0"), uuid.UUID(UUID), RECORD),
            dt.datetime(1907, 3, 11, 4, 5, 6, 7, tzinfo=dt.timezone(dt.timedelta(seconds=3208))),
            dt.datetime(1907, 3, 11, 4, 5, 6, 7, fold=1),
            dt.datetime(1907, 3, 11, fold=1),
        ],
    )
    def test_edges_come_back(self, value):
        """Empty, extreme and padded values are no exception."""
        assert repr(value) == repr(REVEAL.invert(PROTECT.apply(value)))

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (np.int64(42), 42),
            (np.float64(1.5), 1.5),
            (np.float32(0.25), 0.25),
            (np.bool_(True), True),
            (np.str_("a"), "a"),
            (pd.Timestamp("2024-05-06 10:00"), dt.datetime(2024, 5, 6, 10)),
            (bytearray(b"a"), b"a"),
            ([np.int8(1), {"a": np.datetime64("2024-05-06")}], [1, {"a": dt.date(2024, 5, 6)}]),
        ],
    )
    def test_values_of_libraries_come_back_as_pythons_own(self, value, expected):
        """Nothing needs to be installed to read a value back."""
        back = REVEAL.invert(PROTECT.apply(value))

        assert (type(expected), expected) == (type(back), back)

    @pytest.mark.parametrize(
        "value",
        [
            *(None, float("nan"), pd.NaT, float("inf"), [float("-inf")], [float("nan")]),
            *((1, 2), [(1,)], {1: 2}, {None: 1}, {"a": {b"b": 1}}, {1}, object(), [object()]),
            *([pd.NA], 1j, 10**600, Decimal("Infinity"), Decimal(10**600), "\ud800", {"\ud800": 1}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_would_not_come_back_is_refused(self, value):
        """A value comes back as it was, or is not taken."""
        with pytest.raises(DomainError) as caught:
            PROTECT.apply(value)

        assert caught.value.__context__ is None

    def test_depth_is_limited(self):
        """A hundred levels are plenty; a circle has more."""
        value = []
        for _ in range(99):
            value = [value]
        circle = []
        circle.append(circle)

        assert value == REVEAL.invert(PROTECT.apply(value))
        for deep in ([value], circle):
            with pytest.raises(DomainError, match="nested at most 100 deep"):
                PROTECT.apply(deep)

    @pytest.mark.parametrize(
        "value",
        [
            "x" * 1_048_576,
            "é" * 600_000,
            b"x" * 2**21,
            ["x" * 2**19] * 2,
            {"x" * 2**20: 1},
            [[]] * 2**18,
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_size_is_limited(self, value):
        """What is too long is refused, wherever in a record it stands."""
        with pytest.raises(DomainError, match="at most 1,048,576 bytes"):
            PROTECT.apply(value)

    def test_shared_parts_do_not_explode(self):
        """A small object that unfolds to an enormous one is refused in bounded time."""
        value = ["x" * 1000]
        for _ in range(12):
            value = [value, value]

        with pytest.raises(DomainError, match="at most 1,048,576 bytes"):
            PROTECT.apply(value)

    def test_the_limit_is_an_option(self):
        """The limit counts the bytes of the value with its type."""
        assert "x" * 9 == REVEAL.invert(Encrypt(max_size=10).bind(SUBKEYS).apply("x" * 9))
        with pytest.raises(DomainError, match=r"^a value has at most 10 bytes$"):
            Encrypt(max_size=10).bind(SUBKEYS).apply("x" * 10)


class TestLayout:
    def test_is_version_key_id_and_body(self):
        """The text says what it is and which key reads it."""
        text = Encrypt().bind(Subkeys(Key("2026-01", KEY_BYTES), field="f", scope="s")).apply("")

        assert re.fullmatch(r"enc1\.2026-01\.[A-Za-z0-9_-]{43}", text)
        assert "2026-01" == key_id_of(text)

    def test_is_deterministic(self):
        """One value, field, scope and key have one ciphertext."""
        assert PROTECT.apply(RECORD) == Encrypt().bind(SUBKEYS).apply(copy.deepcopy(RECORD))
        assert PROTECT.apply({"a": 1, "b": 2}) != PROTECT.apply({"b": 2, "a": 1})

    def test_types_are_kept_apart(self):
        """Values that Python calls equal have ciphertexts of their own."""
        equal = [1, 1.0, True, Decimal(1), Decimal("1.0"), "1", b"1", [1], {"1": 1}]

        assert len(equal) == len({PROTECT.apply(value) for value in equal})

    def test_near_lengths_look_alike(self):
        """The length of a ciphertext grows in steps of 16 bytes."""
        lengths = [len(PROTECT.apply("x" * count)) for count in range(47)]

        assert [51] * 15 + [72] * 16 + [94] * 16 == lengths

    @pytest.mark.parametrize("size", range(50))
    def test_padding_comes_off(self, size):
        """Zeros and marks at the end of the data stay."""
        data = (b"\x80\0" * 25)[:size]

        assert data == unpad(pad(data))
        assert 0 == len(pad(data)) % 16

    @pytest.mark.parametrize("data", [b"", bytes(16), b"x" * 16, b"\x80" + bytes(16), b"\x80"])
    def test_padding_is_checked(self, data):
        """What was not padded is refused."""
        with pytest.raises(DomainError, match="the plaintext is not padded"):
            unpad(data)


OTHER_PLACES = {
    "field": Subkeys(KEY, field="notes", scope="patients.note"),
    "scope": Subkeys(KEY, field="note", scope="patients.notes"),
    "field and scope swapped": Subkeys(KEY, field="patients.note", scope="note"),
    "key": Subkeys(Key("k1", OTHER_KEY_BYTES), field="note", scope="patients.note"),
    "key id": Subkeys(Key("k2", KEY_BYTES), field="note", scope="patients.note"),
}


class TestTampering:
    def test_each_bit_counts(self):
        """Of a ciphertext, not one bit can be altered."""
        prefix, key_id, body = PROTECT.apply(TEXT).split(".")
        ciphertext = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        for bit in range(8 * len(ciphertext)):
            altered = bytearray(ciphertext)
            altered[bit // 8] ^= 1 << bit % 8
            text = base64.urlsafe_b64encode(altered).decode().rstrip("=")

            with pytest.raises(TamperedError, match="was altered, or belongs elsewhere"):
                REVEAL.invert(f"{prefix}.{key_id}.{text}")

    @pytest.mark.parametrize("place", OTHER_PLACES)
    def test_belongs_to_its_field_scope_and_key(self, place):
        """A ciphertext that was moved is refused there."""
        subkeys = OTHER_PLACES[place]
        with pytest.raises(TamperedError):
            Encrypt().bind_inverse(subkeys).invert(PROTECT.apply(TEXT))
        with pytest.raises(TamperedError):
            REVEAL.invert(Encrypt().bind(subkeys).apply(TEXT))

        assert Encrypt().bind(subkeys).apply(TEXT) != PROTECT.apply(TEXT)

    def test_another_key_id_is_not_believed(self):
        """The key id is authenticated as well, so renaming a key or a text changes nothing."""
        renamed = Subkeys(Key("k2", KEY_BYTES), field="note", scope="patients.note")
        text = PROTECT.apply(TEXT).replace("enc1.k1.", "enc1.k2.")

        with pytest.raises(TamperedError, match="belongs elsewhere"):
            Encrypt().bind_inverse(renamed).invert(text)
        with pytest.raises(TamperedError, match="the ciphertext is not one of key 'k1'"):
            REVEAL.invert(text)

    def test_one_value_has_one_text(self):
        """Bits of the last character that do not count must be zero, and padding is absent."""
        text = PROTECT.apply("")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        last = alphabet.index(text[-1])

        assert 0 == last % 4
        for extra in (1, 2, 3):
            with pytest.raises(TamperedError, match="the ciphertext was altered"):
                REVEAL.invert(text[:-1] + alphabet[last + extra])
        for ending in ("=", "A", "AA", "AAAA", "\n"):
            with pytest.raises((TamperedError, DomainError)):
                REVEAL.invert(text + ending)

    def test_a_part_of_a_ciphertext_is_refused(self):
        """However much is cut off, there is no value."""
        text = PROTECT.apply(TEXT)
        for length in range(len(text)):
            with pytest.raises((TamperedError, DomainError)):
                REVEAL.invert(text[:length])
            with pytest.raises((TamperedError, DomainError)):
                REVEAL.invert(text[length + 1 :])

        assert TEXT == REVEAL.invert(text)

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "",
                TEXT,
                DIGITS,
                "enc1",
                "enc1.",
                "enc1..",
                "enc1.k1.",
                "enc2.k1.AAAA",
                "ENC1.k1.AA",
            ),
            *("enc1.K1.AAAA", "enc1.-.AAAA", f"enc1.{'k' * 33}.AAAA", "enc1.k1.AA AA", "enc1.k1.é"),
            *(None, 1, b"enc1.k1.AAAA", ["enc1.k1.AAAA"], "enc1.k1.AAAA\n", "enc1.k1.A+/A"),
        ],
    )
    def test_other_text_is_refused(self, text):
        """What has not the form of a ciphertext is no ciphertext."""
        for refuse in (REVEAL.invert, key_id_of):
            with pytest.raises(DomainError, match=r"text of the form enc1\.<key id>\.<base64url>"):
                refuse(text)

    @pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
    def test_mutated_ciphertexts_give_no_value(self, count):
        """Whatever happened to a text, the answer is an error of ours: no value, not even None."""
        rng = random.Random(b"mutated ciphertexts")
        texts = [PROTECT.apply(value) for value in (TEXT, 42, RECORD, "", [None])]
        strange = ["", "A", "_", "=", ".", "\n", "\0", "é", "\ud800", "enc1.", "k2"]
        for _ in range(count):
            text = rng.choice(texts)
            place = rng.randrange(len(text))
            mutated = text[:place] + rng.choice(strange) + text[place + rng.randrange(3) :]
            if mutated in texts:
                continue
            with pytest.raises(PrivkitError) as caught:
                REVEAL.invert(mutated)

            assert type(caught.value) in {TamperedError, DomainError}
            assert caught.value.__context__ is None

    @pytest.mark.parametrize(
        "plaintext",
        [
            *(b"", b"?", b"n0", b"b2", b"b", b"i", b"i1.5", b"ix", b"f", b"f1234567", b"t\xff"),
            *(b"m", b"mx", b"m\xff", b"d", b"d1907-02-30", b"z", b"z25", b"u", b"u" + bytes(15)),
            *(b"l\0", b"l\0\0\0\1", b"l\0\0\0\2n", b"l\0\0\0\0", b"o\0\0\0\1n", b"o\0\0\0\1t"),
            *(b"o\0\0\0\1n\0\0\0\1n", b"o\0\0\0\1l\0\0\0\1n", b"o\0\0\0\1t\0\0\0\1n\0\0\0\1t"),
        ],
    )
    def test_a_plaintext_of_somebody_else_is_refused(self, plaintext):
        """Who has the key but not the layout gets an error, and none of Python's."""
        with pytest.raises(DomainError, match="are no value in its exact form"):
            REVEAL.invert(sealed(pad(plaintext)))

    def test_deep_plaintexts_of_somebody_else_are_refused(self):
        """Python's recursion limit is no error of ours, so it does not come out."""
        plaintext = b"n"
        for _ in range(5_000):
            plaintext = b"l" + len(plaintext).to_bytes(4) + plaintext

        with pytest.raises(DomainError, match="are no value in its exact form"):
            REVEAL.invert(sealed(pad(plaintext)))
        with pytest.raises(DomainError, match="the plaintext is not padded"):
            REVEAL.invert(sealed(b"n"))


def sealed(plaintext):
    """
    Encrypt as the layout says, whatever the plaintext is.
    """
    cipher = AESSIV(SUBKEYS.derive("encrypt", "AES-256-SIV", size=64))
    ciphertext = cipher.encrypt(plaintext, [b"privkit enc 1", b"note", b"patients.note", b"k1"])
    return f"enc1.k1.{base64.urlsafe_b64encode(ciphertext).decode().rstrip('=')}"


class TestBound:
    @pytest.mark.parametrize("bound", [PROTECT, REVEAL])
    def test_does_not_leave(self, bound):
        """What holds a key is neither pickled nor copied, and prints none."""
        for leave in (pickle.dumps, copy.deepcopy, dataclasses.asdict):
            with pytest.raises(TypeError):
                leave(bound)

        assert "key_id='k1'" in repr(bound)
        assert "cipher" not in repr(bound)

    @pytest.mark.parametrize("size", [16, 2_032, 2_048, 2**20 - 16])
    def test_serves_all_threads(self, size):
        """Threads that share bound objects do not get in each other's way."""
        results = []

        def work():
            for number in range(4):
                value = f"{number}" + "x" * (size - 2)
                results.append(value == REVEAL.invert(PROTECT.apply(value)))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [True] * 32 == results

    def test_negative_zero_keeps_its_sign(self):
        """Equality does not see the sign of zero; a round trip keeps it."""
        assert -1 == math.copysign(1, REVEAL.invert(PROTECT.apply(-0.0)))
