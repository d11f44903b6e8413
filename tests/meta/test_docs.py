"""
What the documents promise exists, and nothing in them leads astray.
"""

import inspect
import re
import subprocess

import pytest

import privkit
from privkit import errors
from privkit.policy.rules import rules
from tests.needs import REPOSITORY

TRANSFORMS = [
    getattr(privkit, name)
    for name in getattr(privkit, "__all__", [])
    if hasattr(getattr(privkit, name), "technique") and hasattr(getattr(privkit, name), "keyed")
]
ERRORS = [
    held
    for held in vars(errors).values()
    if isinstance(held, type) and issubclass(held, errors.PrivkitError)
]
SECTIONS = ("Args", "Preserves", "Reveals", "Reverses", "Source", "Raises")
PAGES = sorted(
    path
    for path in [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]
    if path.name != "AGENTS.md"
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def texts():
    """
    Yield each text file of the project with its content.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    paths = [REPOSITORY / name for name in names if name] or REPOSITORY.glob("[!.]*/**/*.*")
    for path in paths:
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".cff", ".json", ".yaml", ""}:
            try:
                yield path.relative_to(REPOSITORY), path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def hits(pattern):
    """
    Return where in the project a pattern occurs.
    """
    rule = re.compile(pattern)
    return [
        f"{path}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if rule.search(line)
    ]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: each.__name__)
def test_each_transform_says_what_it_leaks(transform):
    """
    The docstring of a transform has the house's sections, in the house's order.
    """
    found = re.findall(r"^([A-Z]\w+):$", inspect.getdoc(transform), re.MULTILINE)

    assert {"Preserves", "Reveals", "Reverses", "Source"} <= set(found)
    assert [name for name in SECTIONS if name in found] == found


def test_the_front_door_has_eleven_transforms():
    """
    The walk over the transforms finds them.
    """
    assert 11 == len(TRANSFORMS)


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: each.code)
def test_each_error_has_a_page(error):
    """
    The code of an error is the name of a page that says when, why, and what to do.
    """
    page = REPOSITORY / "docs" / "reference" / "errors" / f"{error.code}.md"
    text = page.read_text("utf-8")

    assert text.startswith(f"# {error.code}\n")
    assert error.__name__ in text
    assert [] == [part for part in ("When", "Why", "Cure") if f"\n## {part}\n" not in text]


def test_each_error_page_has_an_error():
    """
    No page describes an error that is gone.
    """
    pages = {path.stem for path in (REPOSITORY / "docs" / "reference" / "errors").glob("*.md")}

    assert {error.code for error in ERRORS} | {"index"} == pages


def test_codes_are_unique():
    """
    A code names one class.
    """
    codes = [error.code for error in ERRORS]

    assert len(codes) == len(set(codes))


def test_the_tree_of_errors_is_drawn_completely():
    """
    The drawing in the docstring of `privkit.errors` names every class.
    """
    assert [] == [error.__name__ for error in ERRORS if error.__name__ not in errors.__doc__]


def test_nothing_tells_to_install_another_project():
    """
    The distribution is called privkit-sdk; the shorter name on PyPI is somebody else's.
    """
    assert [] == hits(
        r"(?:pip3?|uv|pipx|poetry|pdm)[\w ]* (?:install|add) [-\w ]*['\"]?privkit\b(?!-sdk)"
    )


def test_nothing_speaks_of_one_machine():
    """
    No path of the machine that a file was written on is in it.
    """
    assert [] == hits(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/|\.\./share[d]")


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "CITATION.cff",
        "docs/explanation/threat-model.md",
        "docs/limitations.md",
    ],
)
def test_the_readme_leads_to(name):
    """
    What a stranger looks for exists, says something, and is linked from the README.
    """
    assert (REPOSITORY / name).stat().st_size > 200
    assert f"]({name})" in (REPOSITORY / "README.md").read_text("utf-8")


def test_the_licence_is_spdx():
    """
    The package names its licence as SPDX does.
    """
    assert 'license = "Apache-2.0"' in (REPOSITORY / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page):
    """
    Each relative link of a page leads to a file.
    """
    targets = LINK.findall(page.read_text("utf-8"))

    assert [] == [name for name in targets if not (page.parent / name).exists()]


@pytest.mark.parametrize("page", sorted(REPOSITORY.glob("docs/how-to/*.md")), ids=lambda p: p.stem)
def test_the_index_leads_to(page):
    """
    Each page that says how to do something is linked from the index.
    """
    assert f"](how-to/{page.name})" in (REPOSITORY / "docs" / "index.md").read_text("utf-8")


def test_each_rule_is_in_the_page_about_policy_files():
    """
    The table of rules has each of them, in order.
    """
    page = (REPOSITORY / "docs" / "reference" / "policy-file.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE)

    assert [(name, held.__name__) for name, held in rules().items()] == rows


def test_the_readme_says_what_one_process_cannot_promise():
    """
    Code in the same interpreter can read everything; the README says so in a sentence.
    """
    text = " ".join((REPOSITORY / "README.md").read_text("utf-8").split())

    assert "guard rail and evidence, not isolation" in text


def test_no_one_claims_an_audit():
    """
    SECURITY.md says that nobody from outside has audited the code.
    """
    assert "no external audit yet" in (REPOSITORY / "SECURITY.md").read_text("utf-8").lower()
