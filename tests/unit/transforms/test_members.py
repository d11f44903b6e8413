"""
Text is what it equals: no class of its own may print as something else in its place.
"""

import dataclasses
import datetime as dt
from decimal import Decimal
from enum import Enum, StrEnum
from typing import get_args, get_type_hints

import pytest

from privkit.errors import DomainError, PrivkitError
from privkit.formats.alphabet import Alphabet
from privkit.formats.email import Email
from privkit.formats.moments import Date, DateTime
from privkit.formats.patterns import Pattern
from privkit.formats.phone import Phone
from privkit.formats.registry import BUILT_IN, find
from privkit.keys import Key, StaticKeys, Subkeys
from privkit.policy import Policy
from privkit.transforms.bucket import Bucket
from privkit.transforms.dates import ShiftDate
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.format_preserving import FormatPreserving
from privkit.transforms.mask import Mask
from privkit.transforms.redact import Drop, Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate
from tests.canaries import DATE, DIGITS, EMAIL, KEY_BYTES, TEXT

KEY = Key("k1", KEY_BYTES)
KEYS = StaticKeys(KEY)
SUBKEYS = Subkeys(KEY, field="f", scope="p.f")
MEMBER = r"^an enumeration member is passed by its \.value$"

OPTIONS = {
    (Token, "prefix"): "abc",
    (Token, "encoding"): "uuid",
    (Token, "normalize"): "email",
    (Token, "scope"): "s",
    (Token, "type"): "text",
    (Encrypt, "scope"): "s",
    (FormatPreserving, "scope"): "s",
    (FormatPreserving, "small_domain"): "few people",
    (FormatPreserving, "cipher"): "pyffx",
    (FormatPreserving, "legacy"): "old data",
    (ShiftDate, "by"): "mrn",
    (ShiftDate, "scope"): "s",
    (ShiftDate, "format"): "%d/%m/%Y",
    (Bucket, "unit"): "month",
    (Bucket, "format"): "%d/%m/%Y",
    (Bucket, "bottom"): "2010",
    (Bucket, "top"): "2010",
    (Bucket, "width"): "0.5",
    (Bucket, "edges"): ["1", "2"],
    (Bucket, "labels"): ["low", "mid", "high"],
    (Mask, "character"): "#",
    (Mask, "type"): "text",
    (Truncate, "end"): "last",
    (Truncate, "type"): "text",
    (Redact, "label"): "[redacted]",
    (Alphabet, "symbols"): "01234",
    (Phone, "region"): "DE",
    (Pattern, "expression"): "[0-9]{7}",
    (Email, "domain"): "encipher",
    (Date, "minimum"): "1950-01-01",
    (Date, "maximum"): "2050-01-01",
    (Date, "format"): "%d/%m/%Y",
    (DateTime, "minimum"): "1950-01-01",
    (DateTime, "maximum"): "2050-01-01",
    (DateTime, "format"): "%d/%m/%Y %H:%M:%S",
}
BESIDE = {
    (FormatPreserving, "legacy"): {"cipher": "pyffx"},
    (Bucket, "format"): {"unit": "month"},
    (Bucket, "bottom"): {"unit": "month"},
    (Bucket, "top"): {"unit": "month"},
    (Bucket, "labels"): {"edges": (1, 2)},
}
NEEDED = {
    FormatPreserving: {"format": "digits"},
    ShiftDate: {"by": "id"},
    Truncate: {"keep": 3},
}
CLASSES = (
    *(Bucket, Drop, Encrypt, FormatPreserving, Keep, Mask, Redact, ShiftDate, Token, Truncate),
    *(Alphabet, *map(find, BUILT_IN)),
)

VALUES = {
    "Truncate": (Truncate(3).apply, DIGITS),
    "Truncate of canonical text": (Truncate(3, type="text").apply, DIGITS),
    "Mask": (Mask(keep_last=4).apply, DIGITS),
    "Bucket of numbers": (Bucket(width=5).apply, DIGITS),
    "Bucket of edges": (Bucket(edges=(1, 2)).apply, 42),
    "Bucket of dates": (Bucket(unit="month").apply, DATE),
    "Bucket of date objects": (Bucket(unit="month").apply, dt.date.fromisoformat(DATE)),
    "ShiftDate": (lambda value: ShiftDate(by="id").bind(SUBKEYS).apply(value, 1), DATE),
    "ShiftDate of objects": (
        lambda value: ShiftDate(by="id").bind(SUBKEYS).apply(value, 1),
        dt.date.fromisoformat(DATE),
    ),
    "the subject of ShiftDate": (
        lambda value: ShiftDate(by="id").bind(SUBKEYS).apply(DATE, value),
        TEXT,
    ),
    "Token": (Token().bind(SUBKEYS).apply, TEXT),
    "Token of normal text": (Token(normalize="name").bind(SUBKEYS).apply, TEXT),
    "Encrypt": (Encrypt().bind(SUBKEYS).apply, TEXT),
    "Encrypt of floats": (Encrypt().bind(SUBKEYS).apply, 1.5),
    "digits": (FormatPreserving("digits").bind(SUBKEYS).apply, DIGITS),
    "iban": (FormatPreserving("iban").bind(SUBKEYS).apply, "DE89370400440532013000"),
    "pattern": (FormatPreserving(Pattern("[0-9]{7}")).bind(SUBKEYS).apply, "1234567"),
    "email": (FormatPreserving("email").bind(SUBKEYS).apply, EMAIL),
    "phone": (FormatPreserving("phone").bind(SUBKEYS).apply, "+4930123456"),
}


def member(value):
    """
    Return a member of an enumeration that equals *value*, and prints as something else.
    """
    # A date is made of three numbers.
    parts = value.timetuple()[:3] if isinstance(value, dt.date) else value
    return Enum("E", {"VALUE": parts}, type=type(value)).VALUE


class Loud(str):
    """
    Text that prints as something else.
    """

    __slots__ = ()

    def __str__(self):
        return "something else"

    def __format__(self, _):
        return "something else"


def inside(wrap, option):
    return [wrap(each) for each in option] if isinstance(option, list) else wrap(option)


def made(held, name, option):
    """
    Return a transform or a format with that option.
    """
    return held(**{**NEEDED.get(held, {}), **BESIDE.get((held, name), {}), name: option})


def takes_text(hint):
    return hint is str or any(isinstance(each, str) or takes_text(each) for each in get_args(hint))


class TestOptions:
    def test_each_text_is_looked_at(self):
        """
        The table holds every option that may be text, but for the format, which is a name.
        """
        expected = {
            (held, option.name)
            for held in CLASSES
            for option in dataclasses.fields(held)
            if option.init and takes_text(get_type_hints(held)[option.name])
        } - {(FormatPreserving, "format")}

        assert expected == {each for each in OPTIONS if each[0] in CLASSES}

    @pytest.mark.parametrize(("held", "name"), OPTIONS)
    def test_members_are_refused(self, held, name):
        """
        A member of an enumeration would be equal to its value, and pseudonymize otherwise.
        """
        with pytest.raises(DomainError, match=MEMBER):
            made(held, name, inside(member, OPTIONS[held, name]))

    @pytest.mark.parametrize(("held", "name"), OPTIONS)
    def test_text_of_another_class_is_refused_or_left_behind(self, held, name):
        """
        Whatever such text prints as, a rule that takes it holds plain text.
        """
        try:
            kept = getattr(made(held, name, inside(Loud, OPTIONS[held, name])), name)
        except DomainError:
            return

        assert Loud not in {type(each) for each in (kept, *(kept if type(kept) is tuple else ()))}

    @pytest.mark.parametrize("format_", ["digits", "card"])
    def test_a_format_is_named_by_plain_text(self, format_):
        """
        A member whose own name is that of a format is refused too.
        """
        named = StrEnum("E", {format_: format_})[format_]
        with pytest.raises(DomainError, match="got E"):
            FormatPreserving(named)

    def test_counts_are_plain(self):
        """
        A count of another class would be equal, and have another fingerprint.
        """
        one = Enum("E", {"ONE": 1}, type=int).ONE
        for make in (
            lambda: Mask(keep_first=one),
            lambda: Truncate(one),
            lambda: ShiftDate(by="id", max_days=one),
        ):
            with pytest.raises(DomainError, match="is an integer, got E"):
                make()
        with pytest.raises(DomainError, match="there is no phone table"):
            Phone(table=True)


class TestValues:
    @pytest.mark.parametrize("name", VALUES)
    def test_members_are_refused(self, name):
        """
        No rule guesses whether a member means its name or its value.
        """
        apply, value = VALUES[name]
        apply(value)
        with pytest.raises(DomainError, match=MEMBER):
            apply(member(value))

    @pytest.mark.parametrize("name", [name for name in VALUES if type(VALUES[name][1]) is str])
    def test_text_of_another_class_is_text(self, name):
        """
        A subclass of text counts as what it extends, whatever it prints as.
        """
        apply, value = VALUES[name]

        assert apply(value) == apply(Loud(value))

    @pytest.mark.parametrize("text", [f"NaN{DIGITS}", f"sNaN{DIGITS}", "sNaN", f"-NaN{DIGITS}"])
    def test_no_identifier_hides_in_a_nan(self, text):
        """
        A NaN that carries digits is a value, which each rule refuses or replaces.
        """
        rules = {"gone": Redact(), "token": Token(), "text": Token(type="text"), "all": Encrypt()}
        bound = Policy("p", fields={**rules, "some": Bucket(width=5)}).bind(KEYS)

        assert None is bound["gone"].apply(Decimal(text))
        for path in ("token", "text", "all", "some"):
            with pytest.raises(PrivkitError, match="finite"):
                bound[path].apply(Decimal(text))
