r"""
The grammar of paths, which name the places of a record that a rule applies to.

::

    path    = "*" | step { "." key | "[*]" }
    step    = key
    key     = plain | quoted
    plain   = one or more characters, none of them . [ ] " * or a blank
    quoted  = a JSON string: "date of birth", "a.b", "say \"yes\"", ""

``*`` alone stands for the top-level fields that nothing else rules. A text with blanks inside and
none of ``. [ ] " *`` is one key, so that a column called ``date of birth`` needs no quotes.
"""

import json
import re
from collections.abc import Iterable
from enum import Enum
from typing import Final

from privkit.errors import PolicyError


class Step(Enum):
    """
    The steps of a path that are no keys.
    """

    EACH = "[*]"
    """Every item of a list."""

    OTHER = "*"
    """Every top-level field that nothing else rules."""


Path = tuple[str | Step, ...]
"""A parsed path: keys and steps from the record's root."""

UNPRINTABLE: Final = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Characters that break lines or turn the direction of text: a reviewer could not see them."""

PLAIN: Final = re.compile(rf'[^\s.\[\]"*{UNPRINTABLE}]+')
BLANKS: Final = re.compile(rf'[^\s.\[\]"*{UNPRINTABLE}]+(?: +[^\s.\[\]"*{UNPRINTABLE}]+)*')
QUOTED: Final = re.compile(rf'"(?:[^"\\{UNPRINTABLE}]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{{4}})*"')
ESCAPED: Final = re.compile(f"[{UNPRINTABLE}]")
SURROGATE: Final = re.compile("[\ud800-\udfff]")

MAX_LENGTH: Final = 1024
"""Characters of a path."""


def parse(text: str, /) -> Path:
    """
    Read a path.

    Raises:
        PolicyError: If *text* is no path. The message tells the position, counted from 1.
    """
    # A subclass may print as something else, and scopes are made of what is printed.
    if type(text) is not str:
        raise PolicyError(f"a path is text, got {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise PolicyError(f"a path has at most {MAX_LENGTH:,} characters, got {len(text):,}")
    if text == Step.OTHER.value:
        return (Step.OTHER,)
    if BLANKS.fullmatch(text):
        return (text,)
    steps: list[str | Step] = []
    position = 0
    while position < len(text) or not steps:
        if steps and text.startswith("[", position):
            if not text.startswith("[*]", position):
                raise _refusal("a list step is written [*]", position, text)
            steps.append(Step.EACH)
            position += 3
            continue
        if steps:
            if text[position] != ".":
                raise _refusal("a key is followed by . or [*]", position, text)
            position += 1
        key, position = _key(text, position)
        steps.append(key)
    return tuple(steps)


def _key(text: str, position: int) -> tuple[str, int]:
    found = PLAIN.match(text, position)
    if found:
        return found[0], found.end()
    if not text.startswith('"', position):
        raise _refusal(
            'a key that is empty or holds one of . [ ] " * or a blank stands in quotes',
            position,
            text,
        )
    found = QUOTED.match(text, position)
    if found is None:
        raise _refusal("a quoted key is a JSON string", position, text)
    key: str = json.loads(found[0])
    # Only a pair of escapes makes a character; half a pair is none, and cannot be encoded.
    if SURROGATE.search(key):
        raise _refusal("an escape in a key stands for half a character", position, text)
    return key, found.end()


def _refusal(rule: str, position: int, text: str) -> PolicyError:
    place = f"character {position + 1} of {len(text)}" if position < len(text) else "the end"
    return PolicyError(f"{rule}, not so at {place}", position=position + 1, length=len(text))


def render(path: Iterable[str | Step], /) -> str:
    """
    Write a path in its one canonical form, with quotes only where they are needed.
    """
    steps = tuple(path)
    if len(steps) == 1 and isinstance(steps[0], str) and BLANKS.fullmatch(steps[0]):
        return steps[0]
    text = ""
    for step in steps:
        if isinstance(step, Step):
            text += step.value
        else:
            text += f".{_quoted(step)}" if text else _quoted(step)
    return text


def _quoted(key: str) -> str:
    if PLAIN.fullmatch(key):
        return key
    return ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(key, ensure_ascii=False))
