"""
The examples of the documents run as they stand.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from privkit.formats import registry
from tests.needs import REPOSITORY

MODULE: Final = re.compile(r"# (\w+)\.py")
"""The first line of a block that is a file of its own."""


def write_file(example):
    """
    Write a block whose first line is a comment with the name of a file.
    """
    Path(example.parsed.splitlines()[0].removeprefix("# ")).write_text(example.parsed, "utf-8")


RUN_PYTHON: Final = PythonEvaluator()


def run_python(example):
    """
    Run a block of Python, or write it if its first line is a comment with the name of a file.
    """
    if MODULE.fullmatch(example.parsed.partition("\n")[0]):
        write_file(example)
    else:
        RUN_PYTHON(example)


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
        CodeBlockParser("python", run_python),
        CodeBlockParser("toml", write_file),
        CodeBlockParser("console", run_commands),
    ]
)
PAGES = {
    str(page.relative_to(REPOSITORY)): list(SYBIL.parse(page))
    for page in [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/**/*.md"))]
}


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """
    Whoever follows a page: in an empty folder, with nothing set.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("PRIVKIT_KEYS", raising=False)
    monkeypatch.setattr(registry, "_registered", {})
    before = dict(os.environ)

    def follow(page):
        """Run all blocks of a page, in order, and return how many there are."""
        document = SYBIL.parse(REPOSITORY / page)
        return sum(example.evaluate() is None for example in document)

    yield follow
    for path in tmp_path.glob("*.py"):
        engine = getattr(sys.modules.pop(path.stem, None), "engine", None)
        if engine is not None:
            engine.dispose()
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("name", [name for name, examples in PAGES.items() if examples])
def test_the_examples_of_a_page_run(name, reader):
    """
    Every block of Python and every command on a page runs, in order, in an empty folder.
    """
    assert len(PAGES[name]) == reader(name)


def test_a_key_is_rotated_in_postgresql(reader, postgres_url, monkeypatch):
    """
    The page about rotation runs on a real PostgreSQL as it does on SQLite.
    """
    monkeypatch.setenv("CLINIC_DATABASE", postgres_url)

    assert reader("docs/how-to/rotate-a-key.md")
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        keys = connection.execute(sa.text("SELECT count(DISTINCT privkit_key) FROM patient"))
        assert 1 == keys.scalar()
        connection.execute(sa.text("DROP TABLE patient"))
    engine.dispose()


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
