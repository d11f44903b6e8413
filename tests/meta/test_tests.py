"""
Rules for the tests themselves.
"""

import ast

import pytest

from tests.needs import REPOSITORY

FILES = {
    str(path.relative_to(REPOSITORY)): ast.parse(path.read_text("utf-8"))
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py"))
}
CHECKS = ("raises", "warns", "fail", "assert_", "check")


def functions_of(tree):
    """
    Yield the test functions of a file.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def asserts(test):
    """
    Tell whether a test can fail by its own judgement.
    """
    return any(
        isinstance(node, ast.Assert)
        or (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2].startswith(CHECKS)
        )
        for node in ast.walk(test)
    )


@pytest.mark.parametrize("tree", FILES.values(), ids=FILES)
def test_each_test_states_its_rule(tree):
    """
    A test has a docstring.
    """
    assert [] == [test.name for test in functions_of(tree) if not ast.get_docstring(test)]


@pytest.mark.parametrize("tree", FILES.values(), ids=FILES)
def test_each_test_asserts(tree):
    """
    A test that asserts nothing tests nothing.
    """
    assert [] == [test.name for test in functions_of(tree) if not asserts(test)]


def test_the_rules_can_fail():
    """
    A test without a sentence and an assertion is found.
    """
    bad = next(functions_of(ast.parse("def test_x(): f()")))

    assert ast.get_docstring(bad) is None
    assert not asserts(bad)
