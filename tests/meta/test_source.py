"""
Rules of the source that a reader would have to remember, held by its syntax tree.
"""

import ast
import re

import pytest

from privkit import errors
from tests.harness import SOURCE

FILES = {
    str(path.relative_to(SOURCE.parent)): ast.parse(path.read_text("utf-8"))
    for path in sorted(SOURCE.rglob("*.py"))
}
COMPARED_IN_CONSTANT_TIME = {"mac", "hmac", "digest", "checksum", "tag", "token", "signature"}
# The tag of a key stands in every token.
PUBLIC = {"one.tag", "other.tag", "key.tag", "self.key_tag"}
# It finds out what a pickle holds, of objects that it made itself.
PICKLES = {"privkit/testing/provider_suite.py"}
OURS = {
    name
    for name, held in vars(errors).items()
    if isinstance(held, type) and issubclass(held, errors.PrivkitError)
}


def every_file(function):
    """
    Run a test on each file of the source.
    """
    return pytest.mark.parametrize("tree", FILES.values(), ids=FILES)(function)


def dotted(node):
    """
    Return the dotted name that an expression spells, or nothing.
    """
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
        case ast.Call(func=function):
            return dotted(function)
        case _:
            return ""


def raises_in_handlers(tree):
    """
    Yield the line of each `raise` in an `except` block that would chain a foreign error.
    """
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler):
            continue
        caught = dotted(handler.type) if handler.type else ""
        for node in ast.walk(handler):
            if not isinstance(node, ast.Raise):
                continue
            passes_on = node.exc is None and caught in OURS | {"BaseException"}
            names_extra = caught == "ImportError" and dotted(node.exc) == "MissingExtraError"
            if not passes_on and not names_extra:
                yield node.lineno


def code_from_data(tree):
    """
    Yield what could run code that came as data.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=str(module)):
                found = {module.split(".")[0]}
            case ast.Call():
                name = dotted(node)
                found = {name if name in {"eval", "exec", "compile", "__import__"} else ""}
                if name.startswith("yaml.") and "load" in name and name != "yaml.safe_load":
                    found |= {name} if not _safe_loader(node) else set()
            case _:
                continue
        yield from found & {"pickle", "marshal", "shelve", "dill", "eval", "exec", "compile"}
        yield from found & {"__import__"}
        yield from (name for name in found if name.startswith("yaml."))


def _safe_loader(call):
    return any("Safe" in ast.unparse(part) for part in (*call.args, *call.keywords))


def plain_comparisons(tree):
    """
    Yield the line of each `==` and `!=` on something that an attacker may guess at.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops
        ):
            for side in (node.left, *node.comparators):
                words = set(re.split(r"[._]", dotted(side).lower()))
                if words & COMPARED_IN_CONSTANT_TIME and dotted(side) not in PUBLIC:
                    yield node.lineno


def floats(tree):
    """
    Yield the line of each thing that brings a floating-point number about.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(name.name == "math" for name in names):
                yield node.lineno
            case ast.ImportFrom(module="math"):
                yield node.lineno
            case ast.Constant(value=float()):
                yield node.lineno
            case ast.Name(id="float"):
                yield node.lineno
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno


@every_file
def test_no_error_is_raised_inside_an_except_block(tree):
    """
    An error raised there would hold the foreign one, and with it often the value.
    """
    assert [] == list(raises_in_handlers(tree))


@pytest.mark.parametrize(
    "tree",
    [tree for name, tree in FILES.items() if name not in PICKLES],
    ids=[name for name in FILES if name not in PICKLES],
)
def test_no_code_comes_from_data(tree):
    """
    Nothing unpickles, evaluates, or loads YAML with anything but a safe loader.
    """
    assert [] == list(code_from_data(tree))


@every_file
def test_comparisons_take_constant_time(tree):
    """
    Tags, codes and digests are compared by `hmac.compare_digest`.
    """
    assert [] == list(plain_comparisons(tree))


@pytest.mark.parametrize(
    "tree",
    [tree for name, tree in FILES.items() if "/ciphers/" in name],
    ids=[name for name in FILES if "/ciphers/" in name],
)
def test_ciphers_use_no_floats(tree):
    """
    The arithmetic of ciphers is on integers alone.
    """
    assert [] == list(floats(tree))


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (raises_in_handlers, "try: f()\nexcept ValueError:\n    raise DomainError('x') from None"),
        (raises_in_handlers, "try: f()\nexcept ValueError:\n    raise"),
        (code_from_data, "import pickle"),
        (code_from_data, "from marshal import loads"),
        (code_from_data, "yaml.load(text)"),
        (code_from_data, "eval(text)"),
        (plain_comparisons, "tag == other"),
        (plain_comparisons, "x != self.key_digest"),
        (plain_comparisons, "mac() == x"),
        (floats, "import math"),
        (floats, "x = 1 / 2"),
        (floats, "x = float(y)"),
        (floats, "x = 0.5"),
    ],
)
def test_each_rule_can_fail(check, wrong):
    """
    A rule that finds nothing anywhere is no rule.
    """
    assert [] != list(check(ast.parse(wrong)))


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (raises_in_handlers, "try: f()\nexcept PrivkitError:\n    raise"),
        (
            raises_in_handlers,
            "try: import yaml\nexcept ImportError:\n    raise MissingExtraError('x') from None",
        ),
        (code_from_data, "yaml.load(text, Loader=_SafeLoader)"),
        (plain_comparisons, "compare_digest(tag, other)"),
        (plain_comparisons, "stage == 2"),
        (plain_comparisons, "key.tag == self.key_tag"),
        (floats, "x = 1 // 2"),
    ],
)
def test_each_rule_can_pass(check, right):
    """
    A rule leaves alone what the house does.
    """
    assert [] == list(check(ast.parse(right)))
