"""
The table that says what a policy does to each field.
"""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from privkit.policy import Policy
from privkit.policy.docstring import first_sentence, option_texts, summary
from privkit.policy.table import table
from privkit.transforms.dates import ShiftDate
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.format_preserving import FormatPreserving
from privkit.transforms.redact import Drop, Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate
from privkit.typing import Technique

POLICY = Policy(
    "patients",
    version=3,
    fields={
        "mrn": FormatPreserving("digits"),
        "email": Token(scope="people", normalize="email"),
        "contact.email": Token(scope="people", normalize="email"),
        "other": Token(scope="people"),
        "zip": Truncate(3),
        "visits[*].date": ShiftDate(by="mrn"),
        "chart": Encrypt(),
        "name": Redact(),
        "note": Drop(),
        "*": Keep(),
    },
)


@dataclass(frozen=True)
class Random:
    """
    Replace a value by a random one.
    """

    name: ClassVar[str] = "random"
    technique: ClassVar[Technique] = Technique.PSEUDONYMIZATION
    reversible: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    injective: ClassVar[bool] = True
    keyed: ClassVar[bool] = True
    containers: ClassVar[bool] = False
    by: ClassVar[str | None] = None
    scope: ClassVar[str | None] = None

    def bind(self, subkeys, /):
        """
        Never called here.
        """


class TestExplanation:
    def test_tells_what_links(self):
        """
        Equal rules of one scope link; other scopes, other rules and removed values do not.
        """
        links = {field.path: field.links for field in POLICY.explain().fields}

        assert {
            "mrn": "scope patients.mrn",
            "email": "scope people, so with contact.email",
            "contact.email": "scope people, so with email",
            "other": "scope people",
            "zip": "the value elsewhere, coarsely",
            "visits[*].date": "scope patients.mrn, for one mrn",
            "chart": "itself, in scope patients.chart",
            "name": "nothing",
            "note": "nothing",
            "*": "the value elsewhere",
        } == links

    def test_random_pseudonyms_link_with_nothing(self):
        """
        A rule that gives equal values different pseudonyms joins no tables.
        """
        policy = Policy("p", fields={"a": Random()})

        assert "nothing" == policy.explain().fields[0].links

    def test_holds_the_facts_of_each_rule(self):
        """
        The rows are data, for whoever prints them in another way.
        """
        explanation = POLICY.explain()
        mrn = explanation.fields[0]

        assert ("patients", 3, "error") == (
            explanation.policy,
            explanation.version,
            explanation.unruled,
        )
        assert POLICY.fingerprint == explanation.fingerprint
        assert ("mrn", "format_preserving", {"format": "digits"}) == (
            mrn.path,
            mrn.rule,
            mrn.options,
        )
        assert (Technique.FORMAT_PRESERVING_ENCRYPTION, True) == (mrn.technique, mrn.reversible)
        assert "Length" in mrn.preserves
        assert "Which records share a value" in mrn.reveals
        assert ["mrn", "visits[*].date", "chart"] == [
            field.path for field in explanation.fields if field.reversible
        ]

    def test_a_format_tells_what_it_keeps(self):
        """
        What a format keeps comes first, and nothing is said of alphabets.
        """
        field = Policy("p", fields={"a": FormatPreserving("ssn")}).explain().fields[0]

        assert (
            "In clear: the serial number, which is the last four digits, if last is 4; the hyphens "
            "or blanks. Which records share a value, and how often each value occurs."
        ) == field.reveals

    def test_prints_as_a_table(self):
        """
        The text names the policy, what happens to other fields, and has one block for a field.
        """
        policy = Policy("p", fields={"note": Drop(), "*": Keep()}, unruled="drop")

        assert (
            f"policy p, version 1, fingerprint {policy.fingerprint[:16]}…\n"
            "A field without a rule is left out.\n"
            "\n"
            "field  rule  technique (ISO/IEC 20889)  back  links with           reveals\n"
            "-----  ----  -------------------------  ----  -------------------  -----------\n"
            "note   drop  suppression: local         no    nothing              Nothing.\n"
            "             suppression\n"
            "*      keep  none: the value is kept    no    the value elsewhere  Everything."
        ) == str(policy.explain())

    def test_is_at_most_120_columns_wide(self):
        """
        The table fits a terminal, however long a path is.
        """
        wide = Policy("p", fields={"a" * 100: Token(scope="b" * 100), "date of birth": Drop()})
        lines = [*str(wide.explain()).splitlines(), *str(POLICY.explain()).splitlines()]

        assert 120 >= max(map(len, lines))

    @pytest.mark.parametrize(
        ("unruled", "told"),
        [("error", "is an error"), ("redact", "becomes null"), ("drop", "is left out")],
    )
    def test_tells_what_becomes_of_other_fields(self, unruled, told):
        """
        The second line says what happens to a field without a rule.
        """
        policy = Policy("p", fields={"a": Keep()}, unruled=unruled)

        assert f"A field without a rule {told}." == str(policy.explain()).splitlines()[1]


class TestTable:
    def test_aligns_and_wraps(self):
        """
        Columns are as narrow as they can be, and long cells continue below.
        """
        rows = [("a", "one two three"), ("bb", ""), ("c\nd", "x" * 12)]

        assert (
            "k       text\n"
            "------  ----------\n"
            "a       one two\n"
            "        three\n"
            "bb\n"
            '"c\\nd"  xxxxxxxxxx\n'
            "        xx"
        ) == table(("k", "text"), rows, (10, 10))

    def test_has_a_header_without_rows(self):
        """
        An empty table shows its columns.
        """
        assert "a  b\n-  -" == table(("a", "b"), [], (5, 5))


class TestDocstring:
    def test_without_docstrings_there_is_no_text(self):
        """
        Where Python leaves docstrings out, tables stand without their sentences.
        """
        bare = type("Bare", (), {"__doc__": None})

        assert ("", "", {}) == (
            summary(bare),
            first_sentence(bare, "Reveals"),
            option_texts(bare),
        )

    def test_sections_are_read(self):
        """
        A section ends where the next one begins, and marks are left out.
        """
        documented = type(
            "Documented",
            (),
            {
                "__doc__": """
                Do *this* to ``that``.

                Args:
                    one: What *it* is,
                        at length.

                    two:
                        The other.

                Preserves:
                    Nothing without a full stop

                Reveals:
                    A value of 0.5. And more.
                """
            },
        )

        assert "Do this to that." == summary(documented)
        assert {"one": "What it is, at length.", "two": "The other."} == option_texts(documented)
        assert "Nothing without a full stop" == first_sentence(documented, "Preserves")
        assert "A value of 0.5." == first_sentence(documented, "Reveals")
