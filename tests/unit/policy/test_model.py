"""
A policy is a value that holds no secret, and no mistake.
"""

import copy
import json
import pickle
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from uuid import UUID

import pytest

from privkit.audit import MemoryAudit
from privkit.authority import AllowList, Authority
from privkit.errors import PolicyError
from privkit.formats.alphabet import Alphabet
from privkit.keys import Key, StaticKeys
from privkit.policy import Policy
from privkit.policy.checks import MAX_MISTAKES
from privkit.policy.options import options
from privkit.pseudonymizer import Pseudonymizer
from privkit.transforms.dates import ShiftDate
from privkit.transforms.format_preserving import FormatPreserving
from privkit.transforms.redact import Drop, Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate
from privkit.typing import Technique
from tests.canaries import KEY_BYTES

FIELDS = {
    "mrn": FormatPreserving("digits"),
    "email": Token(normalize="email"),
    "visits[*].date": ShiftDate(by="mrn"),
    "zip": Truncate(3),
    "date of birth": Redact(),
    "*": Keep(),
}
POLICY = Policy("patients", version=3, fields=FIELDS)
QUOTES = 'a key that is empty or holds one of . [ ] " * or a blank stands in quotes, not so'


NAMES = "1 to 63 lower-case letters, digits, hyphens or underscores, the first a letter"


Word = Enum("Word", {"EMAIL": "email", "DROP": "drop"}, type=str)
"""Members that equal their values, and print as something else."""


def transform(**facts):
    """
    Return an object with the facts of an unkeyed transform, and others.
    """
    plain = {"by": None, "scope": None, "technique": Technique.NONE, "name": "made_up"}
    flags = ("reversible", "deterministic", "injective", "keyed", "containers")
    held = {**plain, **dict.fromkeys(flags, False), **facts}
    return type("MadeUp", (), {**held, "apply": lambda self, value, by=None: value})()


def mistakes(*, name="p", version=1, fields=None, unruled="error"):
    """
    Return the mistakes of a policy that has some.
    """
    with pytest.raises(PolicyError) as caught:
        Policy(name, version=version, fields=fields or {"a": Keep()}, unruled=unruled)
    assert str(caught.value).splitlines()[1:] == [f"  {line}" for line in caught.value.mistakes]
    return list(caught.value.mistakes)


class TestValue:
    def test_equal_by_content_whatever_the_order(self):
        """
        The order of fields and the spelling of paths make no difference.
        """
        other = Policy(
            "patients",
            version=3,
            fields={f'"{p}"' if p == "zip" else p: FIELDS[p] for p in sorted(FIELDS)},
        )

        assert POLICY == other
        assert hash(POLICY) == hash(other)
        assert POLICY.fingerprint == other.fingerprint

    @pytest.mark.parametrize(
        "other",
        [
            Policy("patient", version=3, fields=FIELDS),
            Policy("patients", version=4, fields=FIELDS),
            Policy("patients", version=3, fields=FIELDS, unruled="drop"),
            Policy("patients", version=3, fields={**FIELDS, "zip": Truncate(4)}),
            Policy("patients", version=3, fields={**FIELDS, "new": Keep()}),
        ],
    )
    def test_any_change_makes_another_policy(self, other):
        """
        Every part of a policy is part of its fingerprint.
        """
        assert POLICY != other
        assert POLICY.fingerprint != other.fingerprint

    def test_is_no_other_thing(self):
        """
        A policy equals policies alone.
        """
        assert POLICY != "patients"

    def test_fields_are_read_only(self):
        """
        Neither the policy nor its fields can be changed, not through what they were made of.
        """
        given = {"a": Keep()}
        policy = Policy("p", fields=given)
        given["b"] = Keep()

        assert ["a"] == list(policy.fields)
        with pytest.raises(TypeError):
            policy.fields["b"] = Keep()
        with pytest.raises(AttributeError):
            policy.version = 2

    def test_pickles_and_copies(self):
        """
        A policy travels to other processes.
        """
        assert POLICY == pickle.loads(pickle.dumps(POLICY))
        assert POLICY == copy.deepcopy(POLICY)

    def test_prints_as_it_is_written(self):
        """
        The repr can be evaluated, where the transforms are imported.
        """
        policy = Policy("p", version=2, fields={"a": Keep(), "b": Redact("x")}, unruled="drop")

        assert (
            "Policy('p', version=2, fields={'a': Keep(), 'b': Redact(label='x')}, unruled='drop')"
            == repr(policy)
        )
        assert "unruled" not in repr(POLICY)

    def test_fingerprint_is_frozen(self):
        """
        The canonical form, and so the fingerprint, is the same in every release.
        """
        policy = Policy(
            "patients",
            version=3,
            fields={"email": Token(normalize="email"), "zip": Truncate(3), "é": Keep()},
        )
        canonical = (
            '{"fields":{"email":{"layout":1,"normalize":"email@1","rule":"token"},'
            '"zip":{"keep":3,"rule":"truncate"},"\\u00e9":{"rule":"keep"}},"name":"patients",'
            '"privkit-policy":1,"unruled":"error","version":3}'
        )

        assert canonical == policy._canonical
        assert (
            "349cf4c3f75027869f8587787c52a349e2e7834ab65621992d828593d9ce3f6d" == policy.fingerprint
        )

    def test_fields_keep_their_order_and_canonical_paths(self):
        """
        Fields stand in the order given, each under the canonical form of its path.
        """
        policy = Policy("p", fields={'"b"': Keep(), "a": Keep(), 'x."y z"': Keep()})

        assert ["b", "a", 'x."y z"'] == list(policy.fields)


class TestScope:
    def test_defaults_to_policy_and_field(self):
        """
        A field links with itself alone unless it says otherwise.
        """
        policy = Policy("p", fields={"a": Token(), "b": Token(scope="people"), "c": Keep()})

        assert ["p.a", "people", "p.c"] == [policy.scope(path) for path in "abc"]

    def test_of_a_dependent_rule_is_that_of_its_subject(self):
        """
        All dates of a subject move together, unless a rule declares a scope of its own.
        """
        policy = Policy(
            "p",
            fields={"a": ShiftDate(by="m"), "b": ShiftDate(by="m", scope="x"), "m": Keep()},
        )

        assert ["p.m", "x"] == [policy.scope("a"), policy.scope("b")]

    def test_a_path_is_what_it_equals(self):
        """
        Text of another class names the field that it equals, whatever it prints as.
        """

        class Loud(str):
            __slots__ = ()

            def __format__(self, _):
                return "something else"

        assert "patients.mrn" == POLICY.scope(Loud("mrn"))

    def test_unknown_field_is_refused(self):
        """
        There is no scope without a field, and the error knows which one was meant.
        """
        with pytest.raises(PolicyError, match="no such field: did you mean 'email'"):
            POLICY.scope("emial")
        with pytest.raises(PolicyError, match="no such field"):
            POLICY.scope(StrEnum("Word", {"email": "email"}).email)


class TestBinding:
    def test_binds_to_protect(self):
        """
        A policy joined to keys is a `Pseudonymizer`.
        """
        bound = POLICY.bind(StaticKeys(Key("k1", KEY_BYTES)), keyset="billing")

        assert isinstance(bound, Pseudonymizer)
        assert ("billing", POLICY) == (bound.keyset_name, bound.policy)

    def test_binds_to_reveal(self):
        """
        A policy joined to keys, access rules and a sink is an `Authority`.
        """
        authority = POLICY.authority(
            StaticKeys(Key("k1", KEY_BYTES)), access=AllowList({}), audit=MemoryAudit()
        )

        assert isinstance(authority, Authority)
        assert POLICY == authority.policy


class TestMistakes:
    @pytest.mark.parametrize(
        ("name", "shape"),
        [("", "0"), ("Patients", "8"), ("1st", "3"), ("a" * 64, "64"), ("a.b", "3"), ("a\n", "2")],
    )
    def test_name_goes_into_scopes(self, name, shape):
        """
        A name has a form in which no two scopes can be confused.
        """
        assert mistakes(name=name)[0].endswith(f"got text of {shape} characters")

    def test_members_are_told_apart_from_their_values(self):
        """
        A member of an enumeration equals its value, and would make other scopes.
        """
        shape = "got Word: pass its .value"

        assert [f"name: {NAMES}; {shape}"] == mistakes(name=Word.EMAIL)
        assert [f"unruled: one of error, redact, drop; {shape}"] == mistakes(unruled=Word.DROP)

    @pytest.mark.parametrize(
        ("version", "shape"),
        [
            (0, "a number outside"),
            (2**31, "a number outside"),
            (True, "bool"),
            (None, "NoneType"),
            ("1", "text of 1 characters"),
            (1.0, "float"),
        ],
    )
    def test_version_is_a_whole_number(self, version, shape):
        """
        A version counts from 1, and is no boolean, no text and no float.
        """
        assert [f"version: a whole number from 1 to 2,147,483,647, got {shape}"] == mistakes(
            version=version
        )

    def test_unruled_is_a_choice(self):
        """
        What happens to a field without a rule is one of three things, and none lets it through.
        """
        assert ["unruled: one of error, redact, drop; got text of 4 characters"] == mistakes(
            unruled="keep"
        )

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ([("a", Keep())], "fields: maps paths to rules, got list"),
            ({3: Keep()}, "fields: a path is text, got int"),
            ({Word.EMAIL: Keep()}, "fields: a path is text, got Word: pass its .value"),
            (
                {"a": transform(scope=Word.EMAIL)},
                "a: 'scope' of MadeUp is text or None, got Word: pass its .value",
            ),
            (
                {"a": transform(by=Word.EMAIL), "email": Keep()},
                "a: 'by' of MadeUp is text or None, got Word: pass its .value",
            ),
            (
                {"a": transform(scope="a\ud800")},
                "a: 'scope' of MadeUp is text or None, got half a character",
            ),
            ({"a": transform(scope=7)}, "a: 'scope' of MadeUp is text or None, got int"),
            ({"a": Token}, "a: a rule is a transform, got a class: write Token()"),
            ({"a": dict}, "a: a rule is a transform such as Token(), got a class"),
            ({"a": "redact"}, "a: a rule is a transform such as Token(), got str"),
            ({"a": transform(keyed=True)}, "a: MadeUp is no transform: it has no bind"),
            (
                {"a": transform(reversible=True, apply=None)},
                "a: MadeUp is no transform: it has no bind_inverse",
            ),
            ({"a": transform(), "b": 3}, "b: a rule is a transform such as Token(), got int"),
            ({"a": Keep(), '"a"': Keep()}, '"a": rules the same place as a'),
            ({"a.b": Keep(), '"a.b"': Keep()}, '"a.b": rules the same place as a.b'),
            (
                {"a..b": Keep()},
                f'a..b: {QUOTES} at character 3 of 4; a column of that name is "a..b"',
            ),
            ({"a": ShiftDate(by="a")}, "a: 'by' names another field, got the field itself"),
            (
                {"a": ShiftDate(by="m"), "mm": Keep()},
                "a: 'by' names a field that has a rule, got one without: did you mean 'mm'?",
            ),
            (
                {"a": ShiftDate(by="v[*].m"), "v[*].m": Keep()},
                "a: 'by' names one field of the record, without [*] or *",
            ),
            (
                {"a": ShiftDate(by="*"), "*": Keep()},
                "a: 'by' names one field of the record, without [*] or *",
            ),
            (
                {"a": ShiftDate(by="b..c")},
                f"a: 'by' is a path: {QUOTES} at character 3 of 4",
            ),
            (
                {"a": ShiftDate(by="b"), "b": ShiftDate(by="c"), "c": Keep()},
                "a: 'by' names b, which depends on another field itself",
            ),
        ],
    )  # fmt: skip
    def test_each_field_is_checked(self, fields, told):
        """
        A field has a path that no other has, and a rule that is a transform.
        """
        assert [told] == mistakes(fields=fields)

    def test_no_fields_are_a_mistake(self):
        """
        A policy without rules is an oversight.
        """
        with pytest.raises(PolicyError, match="at least one field has a rule, got none"):
            Policy("p", fields={})

    def test_a_quoted_star_is_a_column(self):
        """
        A column called * is not the rule for all other columns.
        """
        assert ["*", '"*"'] == list(Policy("p", fields={"*": Drop(), '"*"': Keep()}).fields)

    def test_all_are_told_at_once(self):
        """
        Nobody has to run into one mistake after the other.
        """
        told = mistakes(name="P", version=0, fields={"a": 1, "b..": Keep()}, unruled="x")

        assert ["name", "version", "unruled", "a", "b.."] == [
            line.partition(":")[0] for line in told
        ]

    def test_the_search_ends(self):
        """
        Of very many mistakes, the first hundred are told.
        """
        told = mistakes(fields={f"f{n}": n for n in range(5000)})

        assert MAX_MISTAKES == len(told)

    def test_long_and_unprintable_paths_are_cut_and_escaped(self):
        """
        A message has one line for a mistake, and no line is endless.
        """
        told = mistakes(fields={"a\nb" * 100: Keep()})

        assert 1 == len(told)
        assert told[0].startswith('"a\\nba\\nb')
        assert 300 > len(told[0])


class Colour(Enum):
    """
    A choice.
    """

    RED = "red"


@dataclass(frozen=True)
class Part:
    """
    An option that has options, one of them under another name in files.
    """

    __pydantic_config__ = {"alias_generator": {"size": "length"}.get}  # noqa: RUF012

    size: int
    unit: str = "cm"


@dataclass(frozen=True)
class Many:
    """
    A holder of all kinds of options.
    """

    held: object = None
    listed: list = field(default_factory=list)
    hidden: int = field(init=False, default=3)
    layout: int = 1


@dataclass(frozen=True, slots=True)
class Hidden:
    """
    A transform with an option that no file can hold.
    """

    option: object = None


class TestOptions:
    @pytest.mark.parametrize(
        ("held", "data"),
        [
            (1, 1),
            (0.5, 0.5),
            ("x", "x"),
            (True, True),
            (Decimal("0.10"), "0.10"),
            (date(2024, 5, 6), "2024-05-06"),
            (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (Colour.RED, "red"),
            ((1, (2,)), [1, [2]]),
            ({"a": (1,)}, {"a": [1]}),
            (Part(3), {"length": 3}),
            (Part(3, "m"), {"length": 3, "unit": "m"}),
        ],
    )
    def test_have_a_form_in_files(self, held, data):
        """
        Every kind of option is written as JSON can hold it.
        """
        assert {"held": data, "layout": 1} == options(Many(held))

    def test_leave_defaults_out_but_for_numbers(self):
        """
        What is at its default is not written, except what is frozen under a number.
        """
        assert {"layout": 1} == options(Many())
        assert {"held": None, "listed": [], "layout": 1} == options(Many(), defaults=True)
        assert {"listed": [1], "layout": 1} == options(Many(listed=[1]))

    def test_write_an_alphabet_under_its_name(self):
        """
        A policy file says alphabet, not symbols.
        """
        rule = FormatPreserving(Alphabet("0123456789"))

        assert {"format": {"alphabet": "0123456789"}} == options(rule)

    def test_of_a_plain_object_are_its_attributes(self):
        """
        A transform of somebody else's need not be a dataclass.
        """
        rule = transform()
        rule.option = 3

        assert {"option": 3} == options(rule)

    @pytest.mark.parametrize(
        "option", [object(), float("nan"), {1: {2: object()}}], ids=["object", "nan", "nested"]
    )
    def test_without_a_form_are_a_mistake(self, option):
        """
        A policy that cannot be written cannot be fingerprinted.
        """
        rule = transform()
        rule.option = option

        assert "has no form in a policy file" in mistakes(fields={"a": rule})[0]

    def test_that_do_not_show_are_a_mistake(self):
        """
        An object that hides its options would share its fingerprint with others.
        """
        with pytest.raises(PolicyError, match="object shows no options"):
            options(object())


def test_options_of_a_dataclass_without_form_are_refused():
    """
    The error names the type of the option.
    """
    with pytest.raises(PolicyError, match="an option of type object has no form"):
        options(Hidden(object()))


def test_json_has_the_order_and_the_shorthand():
    """
    A rule without options is its name; fields stand in the order of the policy.
    """
    document = json.loads(Policy("p", fields={"b": Keep(), "a": Truncate(3)}).to_json())

    assert {"b": "keep", "a": {"rule": "truncate", "keep": 3}} == document["fields"]
    assert ["b", "a"] == list(document["fields"])
    assert ["name", "version", "unruled", "fields"] == list(document)
