"""
What changes from one policy to another, and which results stay the same.
"""

from privkit.policy import Policy
from privkit.policy.diff import Change
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.redact import Drop, Keep, Redact
from privkit.transforms.token import Token
from privkit.transforms.truncate import Truncate

OLD = Policy(
    "patients",
    version=3,
    fields={
        "name": Redact(),
        "email": Token(normalize="email"),
        "mrn": Token(scope="people"),
        "zip": Truncate(3),
        "ward": Keep(),
    },
)


def change(old, new):
    """
    Return how the rule of the only field changes.
    """
    before = Policy("p", fields={"a": old})
    after = Policy("p", fields={"a": new})
    found = before.diff(after)
    assert not found.policy
    return found.fields[0] if found.fields else None


def test_equal_policies_do_not_differ():
    """
    The order of fields is no difference, and no difference is false.
    """
    other = Policy("patients", version=3, fields=dict(reversed(OLD.fields.items())))

    assert not OLD.diff(other)
    assert "no difference" == str(OLD.diff(other))


def test_options_are_compared_with_their_defaults():
    """
    Each option that changes is told with what it was and what it becomes.
    """
    assert Change(
        path="a",
        kind="changed",
        what=("bits 128 -> 160", "normalize null -> email@1"),
        matches=False,
    ) == change(Token(), Token(bits=160, normalize="email"))


def test_limits_do_not_change_results():
    """
    What is refused changes; what is not refused gets the token that it got.
    """
    assert Change(
        path="a", kind="changed", what=("max_size 1048576 -> 10",), matches=True
    ) == change(Token(), Token(max_size=10))


def test_another_rule_gives_other_results():
    """
    A rule that is replaced is told with its options.
    """
    assert Change(
        path="a", kind="changed", what=("truncate keep=3 -> drop",), matches=False
    ) == change(Truncate(3), Drop())


def test_a_scope_that_is_spelt_out_changes_nothing():
    """
    Declaring the default scope is a change of the file, and of no pseudonym.
    """
    assert Change(path="a", kind="changed", what=("scope null -> p.a",), matches=True) == change(
        Token(), Token(scope="p.a")
    )


def test_another_scope_gives_other_pseudonyms():
    """
    The scopes are told, not how they are declared.
    """
    assert Change(path="a", kind="changed", what=("scope p.a -> people",), matches=False) == change(
        Encrypt(), Encrypt(scope="people")
    )


def test_another_name_of_the_policy_gives_other_pseudonyms():
    """
    The name is part of the default scopes: it breaks keyed fields that declare none.
    """
    found = OLD.diff(Policy("people", version=3, fields=OLD.fields))

    assert ("patients -> people",) == found.policy[0].what
    assert [("email", ("scope patients.email -> people.email",), False)] == [
        (each.path, each.what, each.matches) for each in found.fields
    ]


def test_prints_as_a_table():
    """
    The parts of the policy come first, then changed and removed fields, then those added.
    """
    new = Policy(
        "patients",
        version=4,
        unruled="redact",
        fields={
            "born": Drop(),
            "name": Redact("-"),
            "email": Token(normalize="email", max_size=320),
            "mrn": Token(scope="people"),
            "zip": Truncate(3),
        },
    )

    assert (
        "field    change   what                     old results match\n"
        "-------  -------  -----------------------  -----------------\n"
        "version  changed  3 -> 4\n"
        "unruled  changed  error -> redact\n"
        "name     changed  label null -> -          no\n"
        "email    changed  max_size 1048576 -> 320  yes\n"
        "ward     removed  keep\n"
        "born     added    drop"
    ) == str(OLD.diff(new))
