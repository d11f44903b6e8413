"""
The examples of the documents run as they stand.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from privkit.formats import registry
from tests.needs import REPOSITORY


def write_file(example):
    """
    Write a block whose first line is a comment with the name of a file.
    """
    Path(example.parsed.splitlines()[0].removeprefix("# ")).write_text(example.parsed, "utf-8")


def run_commands(example):
    """
    Run each line that begins with a dollar sign.
    """
    scripts = str(Path(sys.executable).parent)
    for line in example.parsed.splitlines():
        if line.startswith("$ "):
            run = subprocess.run(
                line.removeprefix("$ "),
                shell=True,
                env={**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]},
                capture_output=True,
                text=True,
                check=False,
            )
            assert 0 == run.returncode, run.stderr


SYBIL = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser("toml", write_file),
        CodeBlockParser("console", run_commands),
    ]
)
PAGES = {
    str(page.relative_to(REPOSITORY)): list(SYBIL.parse(page))
    for page in [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/**/*.md"))]
}


@pytest.mark.parametrize("name", [name for name, examples in PAGES.items() if examples])
def test_the_examples_of_a_page_run(name, tmp_path, monkeypatch):
    """
    Every block of Python and every command on a page runs, in order, in an empty folder.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVKIT_KEYS", raising=False)
    monkeypatch.setattr(registry, "_registered", {})
    for example in PAGES[name]:
        example.evaluate()

    assert PAGES[name]


def test_the_readme_has_examples():
    """
    The search for examples finds some.
    """
    assert len(PAGES["README.md"]) >= 2


def test_the_readme_is_typed(tmp_path):
    """
    The examples of the README satisfy mypy --strict.
    """
    blocks = [example.parsed for example in PAGES["README.md"]]
    (tmp_path / "readme.py").write_text("\n".join(blocks), "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "readme.py")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == run.returncode, run.stdout
