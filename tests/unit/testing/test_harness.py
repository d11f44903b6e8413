"""
The harness that surrounds every test can itself fail: leaks are planted, and found.
"""

import re
import subprocess
import sys

import pytest

from tests.harness import privkit_raises, unreached
from tests.needs import REPOSITORY

PLANTED = REPOSITORY / "tests" / "unit" / "testing" / "planted.py"
NAMES = re.findall(r"^def (test_\w+)", PLANTED.read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def outcomes():
    """
    Run the planted leaks under this suite's conftest, in a process of its own.
    """
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(PLANTED)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(PASSED|FAILED) \S+::(\w+)", run.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in found}


@pytest.mark.prints_canaries
@pytest.mark.parametrize("name", NAMES)
def test_a_planted_leak_fails_its_test(outcomes, name):
    """
    A canary in a message, fact, context, note, log, warning, output or local fails the test.
    """
    expected = "PASSED" if name.endswith("_is_clean") else "FAILED"

    assert expected == outcomes[name]


class TestRaises:
    SOURCE = """
def first(x):
    if x:
        raise DomainError(
            "one"
        )
    raise TypeError("not ours")

def second(problem):
    try:
        first(1)
    except PrivkitError:
        raise
    raise problem
"""

    @pytest.fixture
    def source(self, tmp_path):
        """
        A source folder with four `raise` statements, two of which concern the harness.
        """
        (tmp_path / "module.py").write_text(self.SOURCE, "utf-8")
        return tmp_path

    def test_bare_ones_and_those_of_python_do_not_count(self, source):
        """
        The statements that concern the harness are listed with their last line.
        """
        path = str(source / "module.py")

        assert {(path, 4): 6, (path, 14): 14} == privkit_raises(source)

    def test_any_line_of_a_statement_reaches_it(self, source):
        """
        A statement over several lines counts as reached by each of them.
        """
        path = str(source / "module.py")

        assert [(path, 14)] == unreached({(path, 5)}, source)
        assert [] == unreached({(path, 4), (path, 14)}, source)

    def test_privkit_itself_has_some(self):
        """
        The search does not come back empty-handed from the source.
        """
        assert len(privkit_raises()) > 10
