"""
The harness around the whole suite: what privkit lets out is searched for canaries.

Every `PrivkitError` that is made, every log record, every warning and everything printed during
a test is searched. A finding fails the test. At the end of a whole run, the harness tells which
`raise` statements of the source it has not seen at work.
"""

import ast
import builtins
import functools
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

import privkit
from privkit.errors import PrivkitError
from privkit.testing.canaries import Canaries, Finding
from tests.canaries import CANARIES, KEYS

SOURCE: Final = Path(privkit.__file__).parent
BOUNDARY: Final = tuple(
    str(SOURCE / name) for name in ("pseudonymizer.py", "authority.py", "fields", "cli")
)
"""Code that lets no error out with a value in reach, be it in a local variable."""

KEPT_PER_SITE: Final = 3
"""Errors of one origin and one test that are searched whole; of more, the message is."""

MESSAGES_PER_SITE: Final = 1000
"""Errors of one origin and one test whose messages are searched: some tests make a million."""

Site = tuple[str, int]


class Harness(logging.Handler):
    """
    Collect what comes out during a test, and search it.
    """

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.everything = Canaries(CANARIES)
        self.keys = Canaries(KEYS)
        self.sites: set[Site] = set()
        self.errors_made = 0
        self.clear()

    def clear(self) -> None:
        """
        Forget the test before.
        """
        self.kept: list[PrivkitError] = []
        self.per_site: Counter[Site] = Counter()
        self.messages: set[str] = set()
        self.logged: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """
        Keep a log record as text, with its arguments and extras.
        """
        self.logged.append(f"{self.format(record)}\n{vars(record)!r}")

    def install(self) -> None:
        """
        Listen to each error that is made, and to each log record.
        """
        original = PrivkitError.__init__

        @functools.wraps(original)
        def listening(error: PrivkitError, *args: object, **facts: object) -> None:
            original(error, *args, **facts)
            self.note(error, sys._getframe(1))

        PrivkitError.__init__ = listening
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.DEBUG)

    def note(self, error: PrivkitError, frame: FrameType | None) -> None:
        """
        Remember an error and the lines of the source on its way.
        """
        self.errors_made += 1
        site: Site = ("", 0)
        while frame is not None and is_source(frame.f_code):
            site = (frame.f_code.co_filename, frame.f_lineno)
            self.sites.add(site)
            frame = frame.f_back
        self.per_site[site] += 1
        if self.per_site[site] <= MESSAGES_PER_SITE:
            self.messages.add(f"{type(error).__name__}: {error} {error.facts}")
        if self.per_site[site] <= KEPT_PER_SITE:
            self.kept.append(error)

    def search(self, *, printed: str = "") -> list[Finding]:
        """
        Return the canaries in what was collected.
        """
        found = self.everything.find(printed, "standard output or error")
        found += self.everything.find("\n".join(self.messages), "message of an error")
        found += self.everything.find("\n".join(self.logged), "log")
        for error in self.kept:
            self.sites.update(lines_of(error))
            found += self.everything.scan_error(error, frames_under=BOUNDARY)
            found += self.keys.scan_error(error)
        return sorted(set(found), key=str)


def is_source(code: CodeType) -> bool:
    """
    Tell whether code belongs to privkit.
    """
    return code.co_filename.startswith(str(SOURCE))


def lines_of(error: BaseException) -> Iterator[Site]:
    """
    Yield the places in the source that an error passed.
    """
    traceback = error.__traceback__
    while traceback is not None:
        if is_source(traceback.tb_frame.f_code):
            yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def privkit_raises(source: Path = SOURCE) -> dict[Site, int]:
    """
    Map each `raise` in the source that concerns a privkit error to its last line.

    Bare ones pass on an error that was seen where it was made, Python's own classes are those
    that a protocol of the language demands, and a class of the module's own stands for a foreign
    one. Branch coverage answers for all three.
    """
    found = {}
    for path in sorted(source.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Raise)
                and node.exc is not None
                and not _is_foreign(node.exc, own)
            ):
                found[str(path), node.lineno] = node.end_lineno or node.lineno
    return found


def unreached(sites: set[Site], source: Path = SOURCE) -> list[Site]:
    """
    Return the `raise` statements that none of the sites lies in.
    """
    return [
        (path, first)
        for (path, first), last in privkit_raises(source).items()
        if not any((path, line) in sites for line in range(first, last + 1))
    ]


def _is_foreign(node: ast.expr, own: set[str]) -> bool:
    name = node.func if isinstance(node, ast.Call) else node
    if isinstance(name, ast.Attribute):
        # Such as argparse.ArgumentTypeError, which argparse catches.
        return ast.unparse(name.value) == "argparse"
    # Test runners catch SkipTest.
    known = {"SkipTest", *own}
    return isinstance(name, ast.Name) and (hasattr(builtins, name.id) or name.id in known)
