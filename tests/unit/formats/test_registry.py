"""
Formats by their names.
"""

import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest

from privkit.errors import DomainError
from privkit.formats import registry
from privkit.formats.card import Card
from privkit.formats.contract import Parsed
from privkit.formats.registry import defaults, find, names, register, required
from tests.meta.fresh import run


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """
    What a test registers is gone after it.
    """
    monkeypatch.setattr(registry, "_registered", {})


def made(name="bed", *, frozen=True, **members):
    """
    Return a class of formats, registered by nobody.
    """

    def parse(self, value, /):
        return Parsed(number=value, size=10**6)

    def render(self, parsed, number, /):
        return number

    held = type("Bed", (), {"parse": parse, "render": render, "name": name, "many_kept": False})
    held.__annotations__ = {"name": ClassVar[str], "many_kept": ClassVar[bool], **members}
    return dataclass(frozen=frozen)(held)


class TestBuiltIn:
    @pytest.mark.parametrize("name", registry.BUILT_IN)
    def test_are_found_by_name(self, name):
        """
        The class of a name has that name, and meets the contract of formats.
        """
        found = find(name)

        assert name == found.name
        assert type(found.many_kept) is bool
        assert registry._complaint(found) is None

    def test_have_defaults(self):
        """
        A name stands for the format without options.
        """
        assert Card() == defaults("card")

    def test_are_listed_in_order(self):
        """
        Alphabets come first, then the others by name, with those of the application.
        """
        register(made("aaa"))

        assert (*registry.ALPHABETS, "aaa", *sorted(registry.BUILT_IN)) == names()

    def test_are_imported_when_they_are_asked_for(self):
        """
        Importing privkit imports none of them, and a name one module.
        """
        code = (
            "import sys, privkit; privkit.FormatPreserving;"
            "from privkit.formats import registry;"
            "known = {f'privkit.formats.{module}' for module, _ in registry.BUILT_IN.values()};"
            "print(sorted(known & set(sys.modules)));"
            "registry.find('card'); print(sorted(known & set(sys.modules)))"
        )

        assert "[]\n['privkit.formats.card']\n" == run(code).stdout

    @pytest.mark.parametrize("name", ["", "Card", "cards", "digits", "bed"])
    def test_unknown_names(self, name):
        """
        There is nothing of another name, and alphabets are found elsewhere.
        """
        assert find(name) is None
        with pytest.raises(DomainError, match="format is one of digits, letters"):
            defaults(name)


class TestRegister:
    def test_makes_a_format_known(self):
        """
        It is returned, so that it may stand as a decorator, and found by its name.
        """
        held = made()

        assert held is register(held)
        assert held is find("bed")
        assert held() == defaults("bed")

    def test_takes_a_class_that_is_made_again(self):
        """
        A cell of a notebook may run twice, and a module may be loaded again.
        """
        register(made())
        again = register(made())

        assert again is find("bed")

    def test_refuses_a_name_that_is_taken(self):
        """
        One name means one format.
        """
        register(made())
        other = made()
        other.__qualname__ = "Other"
        for taken in (other, made("card"), made("digits")):
            with pytest.raises(DomainError, match="there is another format of the name"):
                register(taken)

    @pytest.mark.parametrize(
        "name", ["", "Bed", "1bed", "be-d", "b d", "b" * 33, "béd", "bed\n", 5, None]
    )
    def test_refuses_names_that_are_none(self, name):
        """
        A name can stand in a policy file, and in front of what is kept.
        """
        with pytest.raises(DomainError, match="the name of a format is"):
            register(made(name))

    def test_refuses_what_is_no_format(self):
        """
        A class with all four parts, frozen, and nothing else will do.
        """
        with pytest.raises(DomainError, match="a class of formats is registered, got Card"):
            register(Card())
        with pytest.raises(DomainError, match="object is no format: it has no name, many_kept, p"):
            register(object)
        with pytest.raises(DomainError, match="Bed is a frozen dataclass"):
            register(made(frozen=False))
        facts = {"name": "bed", "many_kept": False, "parse": print, "render": print}
        with pytest.raises(DomainError, match="Bed is a frozen dataclass"):
            register(type("Bed", (), facts))

    def test_knows_options_without_a_default(self):
        """
        A name alone cannot stand for a format with such an option.
        """
        held = register(made(ward=str))

        assert ("ward",) == required(held)
        with pytest.raises(DomainError, match=r"has no default for ward: write Bed\(...\)"):
            defaults("bed")


def test_a_registered_format_needs_no_import_of_others():
    """
    Looking for an application's format imports none of privkit's.
    """
    register(made())
    before = set(sys.modules)
    find("bed")

    assert before == set(sys.modules)
