"""
Formats in policy files: their names, their options, and what is wrong with them.
"""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
from jsonschema import Draft202012Validator

from privkit.errors import PolicyError
from privkit.formats import registry
from privkit.formats.alphabet import Alphabet
from privkit.formats.card import Card
from privkit.formats.iban import IBAN
from privkit.formats.numbers import Integer
from privkit.formats.phone import Phone
from privkit.policy import Policy
from privkit.policy.options import options
from privkit.policy.schema import json_schema
from privkit.transforms.format_preserving import FormatPreserving
from tests.unit.transforms.test_format_preserving_formats import SAMPLES

VALIDATOR = Draft202012Validator(json_schema())
NAME_OR_TABLE = "option 'format' is the name of a format, or a table with name or with alphabet"
TABLE = "option 'format' is a table with name or with alphabet"
FORMS = [
    pytest.param(form, id=f"{name} {number}")
    for name, cases in SAMPLES.items()
    for number, (form, *_) in enumerate(cases)
]


def rule(form, **more):
    """
    Return the text of a policy whose only field has a format.
    """
    return json.dumps(
        {"name": "p", "fields": {"a": {"rule": "format_preserving", "format": form, **more}}}
    )


def read(form, **more):
    """
    Return the format that a policy file declares.
    """
    return Policy.loads(rule(form, **more), format="json").fields["a"].format


def told(form, **more):
    """
    Return the mistakes of a policy file, without where they are.
    """
    text = rule(form, **more)
    with pytest.raises(PolicyError) as caught:
        Policy.loads(text, format="json")

    assert not VALIDATOR.is_valid(json.loads(text)) or "short" in str(caught.value)
    return [mistake.removeprefix("line 1, a: ") for mistake in caught.value.mistakes]


class TestReading:
    @pytest.mark.parametrize("form", FORMS)
    def test_a_policy_reads_what_it_writes(self, form):
        """
        Every format survives a file with its options, and the fingerprint with it.
        """
        policy = Policy("p", fields={"a": FormatPreserving(form, small_domain="a reason")})
        for text, language in ((policy.to_json(), "json"), (policy.to_yaml(), "yaml")):
            again = Policy.loads(text, format=language)

            assert policy == again
            assert policy.fingerprint == again.fingerprint
            assert form == again.fields["a"].format
        assert [] == list(VALIDATOR.iter_errors(json.loads(policy.to_json())))

    @pytest.mark.parametrize(
        ("declared", "form"),
        [
            ("digits", "digits"),
            ({"name": "letters"}, "letters"),
            ("card", Card()),
            ({"name": "card"}, Card()),
            ({"name": "card", "bin": 8, "last": 4}, Card(bin=8)),
            ({"name": "phone", "region": "DE"}, Phone(region="DE")),
            ({"name": "phone", "table": 1}, Phone()),
            ({"alphabet": "01234"}, Alphabet("01234")),
        ],
    )
    def test_a_name_or_a_table(self, declared, form):
        """
        A name stands for the defaults; a table has the options, or an alphabet.
        """
        assert form == read(declared)

    def test_toml_has_tables_in_a_line(self):
        """
        The three forms as the documents show them.
        """
        policy = Policy.loads(
            'name = "p"\n[fields]\n'
            'a = { rule = "format_preserving", format = "card" }\n'
            'b = { rule = "format_preserving", format = { name = "card", bin = 8, last = 4 } }\n'
            'c = { rule = "format_preserving", format = { alphabet = "01234" } }\n',
            format="toml",
        )

        assert [Card(), Card(bin=8, last=4), Alphabet("01234")] == [
            transform.format for transform in policy.fields.values()
        ]


class TestWriting:
    @pytest.mark.parametrize(
        ("form", "written"),
        [
            ("digits", "digits"),
            ("card", "card"),
            (Card(bin=8), {"name": "card", "bin": 8}),
            ("phone", {"name": "phone", "table": 1}),
            (IBAN(bank=False), {"name": "iban", "bank": False, "table": 1}),
            (Integer(minimum=0, maximum=9), {"name": "integer", "minimum": 0, "maximum": 9}),
            (Alphabet("01"), {"alphabet": "01"}),
        ],
    )
    def test_has_the_name_and_what_is_frozen(self, form, written):
        """
        The number of a table is written even at its default: it decides pseudonyms.
        """
        assert {"format": written} == options(FormatPreserving(form))

    def test_options_change_the_fingerprint(self):
        """
        Two formats, or two choices of one, are two policies.
        """
        forms = ("card", Card(bin=8), Card(last=0), "digits", "uuid", "phone", Phone(region="DE"))
        prints = {Policy("p", fields={"a": FormatPreserving(form)}).fingerprint for form in forms}

        assert len(forms) == len(prints)

    def test_equal_rules_are_equal_policies(self):
        """
        A name and the object it stands for are one rule.
        """
        assert Policy("p", fields={"a": FormatPreserving("phone")}) == (
            Policy("p", fields={"a": FormatPreserving(Phone(table=1))})
        )


class TestMistakes:
    @pytest.mark.parametrize(
        ("declared", "said"),
        [
            ("crad", "there is no such format, only {names}: did you mean 'card'?"),
            ({"name": "fone"}, "there is no such format, only {names}: did you mean 'phone'?"),
            (
                3,
                f"{NAME_OR_TABLE}, got a whole number",
            ),
            (
                {"name": ["card"]},
                f"{NAME_OR_TABLE}, got a list of 1",
            ),
            ({}, f"{TABLE}, got a table"),
            (
                {"nam": "card"},
                f"{TABLE}, got a table: did you mean 'name'?",
            ),
            (
                {"name": "card", "bni": 8},
                "the format card has no option 'bni': did you mean 'bin'?",
            ),
            (
                {"name": "card", "bin": 7},
                "option 'bin' of the format card is 6 or 8, got a whole number",
            ),
            (
                {"name": "card", "bin": "8"},
                "option 'bin' of the format card is 6 or 8, got text",
            ),
            (
                {"name": "phone", "table": True},
                "option 'table' of the format phone is a whole number, got true",
            ),
            ({"name": "digits", "keep_last": 4}, "the format digits has no options of its own"),
            (
                {"alphabet": 10},
                "option 'alphabet' of the format is text, got a whole number",
            ),
            (
                {"alphabet": "01", "keep_last": 4},
                "the format has no option 'keep_last'",
            ),
            ("pattern", "option 'expression' of the format pattern is missing"),
        ],
    )
    def test_are_told_with_what_was_meant(self, declared, said):
        """
        A wrong name, option or value is told by its place, and quoted by no message.
        """
        assert [said.format(names=", ".join(registry.names()))] == told(declared)

    @pytest.mark.parametrize(
        ("declared", "said"),
        [
            ({"alphabet": "00"}, "an alphabet has each symbol once, got 1 again"),
            ({"name": "iban", "branch": True, "bank": False}, "a branch is kept with its bank"),
            ({"name": "integer", "minimum": 3}, "a range has both a minimum and a maximum"),
        ],
    )
    def test_of_a_format_are_its_own(self, declared, said):
        """
        What a format refuses itself is told in its words.
        """
        with pytest.raises(PolicyError, match=said):
            read(declared)

    def test_are_told_together(self):
        """
        The format and the other options are checked in one go.
        """
        assert [
            "the format card has no option 'bni': did you mean 'bin'?",
            "option 'last' of the format card is 4 or 0, got a whole number",
            "format_preserving has no option 'keep': did you mean 'keep_last'?",
            "option 'keep_first' is a whole number, got text",
        ] == told({"name": "card", "bni": 8, "last": 3}, keep=3, keep_first="1")

    def test_of_a_rule_stand_beside_a_good_format(self):
        """
        A format that is right does not hide what is wrong with its rule.
        """
        with pytest.raises(PolicyError, match="keep_first is for alphabets"):
            read("card", keep_first=6)
        with pytest.raises(PolicyError, match="small_domain is a reason, in words"):
            read("card", small_domain=" ")
        assert ["option 'cipher' is 'ff1' or 'pyffx', got text: did you mean 'ff1'?"] == told(
            "digits", cipher="ff2"
        )


@dataclass(frozen=True)
class Ward:
    """
    A table within a table.
    """

    number: int


@dataclass(frozen=True)
class Bed:
    """
    A format of an application's own.
    """

    ward: Ward

    name: ClassVar[str] = "bed"
    many_kept: ClassVar[bool] = False

    def __post_init__(self):
        """
        Refuse by an error of Python's own, which repeats the option.
        """
        if self.ward.number < 1:
            raise ValueError(self.ward)

    def parse(self, value, /):
        """
        Never called here.
        """

    def render(self, parsed, number, /):
        """
        Never called here.
        """


class TestOwnFormats:
    def test_may_have_tables_for_options(self, monkeypatch):
        """
        Options within options are read, written and told what they miss.
        """
        monkeypatch.setattr(registry, "_registered", {"bed": Bed})
        declared = {"name": "bed", "ward": {"number": 3}}

        assert Bed(Ward(3)) == read(declared)
        assert {"format": declared} == options(FormatPreserving(Bed(Ward(3))))
        with pytest.raises(PolicyError, match="option 'ward' of the format bed is a table with nu"):
            read({"name": "bed", "ward": {}})

    def test_may_refuse_their_options_by_any_error(self, monkeypatch):
        """
        An error of Python's own is told by its name, without the options that it repeats.
        """
        monkeypatch.setattr(registry, "_registered", {"bed": Bed})
        with pytest.raises(PolicyError) as caught:
            read({"name": "bed", "ward": {"number": -9}})

        assert ("line 1, a: the format bed cannot take these options (ValueError)",) == tuple(
            caught.value.mistakes
        )


class TestSchema:
    def test_lists_every_format_with_its_options(self):
        """
        An editor completes names and options, each with a sentence.
        """
        format_ = json_schema()["$defs"]["format_preserving"]["properties"]["format"]
        bare, alphabet, *tables = format_["anyOf"]
        named = {table["properties"]["name"]["const"]: table for table in tables}

        assert [*SAMPLES] == sorted(SAMPLES) == list(named)
        assert {"alphabet"} == set(alphabet["properties"])
        assert {name for name in SAMPLES if not registry.required(registry.find(name))} == {
            one["const"] for one in bare["anyOf"]
        } - {*registry.ALPHABETS}
        assert format_["description"]
        for table in named.values():
            assert table["description"].endswith(".")
            assert all(
                option["description"]
                for name, option in table["properties"].items()
                if name != "name"
            )
