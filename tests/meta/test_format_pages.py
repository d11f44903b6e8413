"""
The pages about formats say what the code does.
"""

import runpy

import pytest

from privkit.formats import registry
from tests.needs import REPOSITORY

FOLDER = REPOSITORY / "docs" / "reference" / "formats"
SCRIPT = runpy.run_path(str(REPOSITORY / "scripts" / "make_format_pages.py"))
PAGES = SCRIPT["pages"]()


def test_each_format_has_a_page_and_each_page_a_format():
    """
    There is a page for each built-in format, one for alphabets, and one that leads to them.
    """
    expected = {f"{name}.md" for name in registry.BUILT_IN} | {"alphabets.md", "index.md"}

    assert expected == set(PAGES) == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_what_the_script_writes(name):
    """
    A page that differs from the docstrings and domain sizes is written again by the script.
    """
    assert PAGES[name] == (FOLDER / name).read_text("utf-8")


def test_markup_survives():
    """
    Powers, bars and code come out as they are meant.
    """
    joined = SCRIPT["joined"]

    assert "10\\*\\*5 of `a|b`".replace("|", "\\|") == joined("10**5\n    of ``a|b``")
    assert "see `Token`" == joined("see `Token`")


def test_sizes_are_told_apart():
    """
    The table says which values are refused, which need a reason, and which neither.
    """
    verdict, number = SCRIPT["verdict"], SCRIPT["number"]

    assert ["refused", "needs `small_domain`", ""] == list(map(verdict, [1, 999_999, 10**6]))
    assert ["999,999", "1.23 · 10^15"] == [number(999_999), number(1_230_000_000_000_000)]
