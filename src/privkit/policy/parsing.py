"""
From a policy file to data: TOML, JSON and YAML, whatever is in the file.

A file may be huge, nested ten thousand deep, cut in half, or a pipe. Reading it ends in data or in
a `UnreadableError`, which quotes nothing of it.
"""

import errno
import json
import math
import os
import re
import stat
import tomllib
from collections import Counter
from typing import Final, Literal, assert_never

from privkit.policy import yaml_file
from privkit.policy.lines import Lines
from privkit.policy.paths import SURROGATE
from privkit.policy.yaml_file import UnreadableError

Format = Literal["toml", "json", "yaml"]

MAX_SIZE: Final = 256 * 1024
"""Bytes of a policy file."""

MAX_POINTS: Final = 16
"""Points in a line of TOML. Python's parser takes time and memory in the square of a dotted key."""

POINT: Final = re.compile(r"\.(?![0-9]++[ \t]*+[,\]}])")
"""A point, but for those in the numbers of a list."""

MAX_DEPTH: Final = 16
"""Tables and lists within each other."""

PLACE: Final = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")

OPENING: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Not to wait for somebody who writes to a pipe."""


def content(path: str, /) -> str:
    """
    Return the text of a file.

    Raises:
        UnreadableError: If there is none.
    """
    problem = ""
    held = b""
    text = ""
    try:
        held = _bytes(path)
    except FileNotFoundError:
        problem = "does not exist"
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or type(error).__name__).lower()}"
    except ValueError:
        problem = "has a null character in its name"
    if len(held) > MAX_SIZE:
        problem = f"has more than {MAX_SIZE:,} bytes"
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = problem or f"is not UTF-8 at byte {error.start + 1}"
    if problem:
        raise UnreadableError(problem)
    return text


def _bytes(path: str) -> bytes:
    handle = os.open(path, OPENING)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with open(handle, "rb", closefd=False) as file:
            return file.read(MAX_SIZE + 1)
    finally:
        os.close(handle)


def parse(text: str, language: Format, /) -> object:
    """
    Return the data of a text.

    Raises:
        UnreadableError: If the text is not in the language, or beyond what a policy needs of it.

        MissingExtraError: If it is YAML and PyYAML is not installed.
    """
    match language:
        case "toml":
            data = _toml(text)
        case "json":
            data = _json(text)
        case "yaml":
            data = yaml_file.read(text, MAX_DEPTH)
        case _:
            assert_never(language)
    _check(data)
    return data


def _toml(text: str) -> object:
    for number, line in enumerate(text.split("\n"), 1):
        if len(POINT.findall(line)) > MAX_POINTS:
            raise UnreadableError(
                f"a line of TOML has at most {MAX_POINTS} points: break it", number
            )
    at = None
    cure = ""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The rest of the message may quote the file.
        place = PLACE.search(str(error))
        at = int(place[1]) if place else text.count("\n") + 1
        if str(error).startswith("Unescaped"):
            cure = ", where a text with backslashes stands in single quotes,"
    except (ValueError, RecursionError):
        pass
    raise UnreadableError(f"the text is not TOML{cure}", at)


def _json(text: str) -> object:
    twice: list[str] = []

    def table(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(found := dict(pairs)) < len(pairs):
            twice.extend(key for key, times in Counter(k for k, _ in pairs).items() if times > 1)
        return found

    line = None
    try:
        data = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        line = error.lineno
    except (ValueError, RecursionError):
        pass
    else:
        if twice:
            raise UnreadableError("a key stands twice in one table", Lines(text).last(twice[0]))
        return data
    raise UnreadableError("the text is not JSON", line)


def _check(data: object) -> None:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        following: list[object] = []
        for held in level:
            if isinstance(held, float) and not math.isfinite(held):
                raise UnreadableError("a number is finite")
            if isinstance(held, str) and SURROGATE.search(held):
                raise UnreadableError("text holds half a character")
            if isinstance(held, dict):
                following += [*held, *held.values()]
            elif isinstance(held, list):
                following += held
        level = following
    if level:
        raise UnreadableError(f"a policy file is nested at most {MAX_DEPTH} deep")
