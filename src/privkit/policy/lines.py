"""
On which line of a file a key stands.
"""

import json
import re
from typing import Final

TOKEN: Final = re.compile(
    r"""(?:"((?:[^"\\\n]|\\.)*+)"?|'([^'\n]*+)'?|([^\s"'=:\[\]{},.#][^"'=:\[\]{},.#\n]*+))"""
    r"""[ \t]*+([=:.\]]?)"""
)
"""A key, and behind it what makes it one. What is no key is consumed: the search is linear."""

YAML_KEY: Final = re.compile(r"^[ \t-]*+([^\s\"'#{\[-][^:\n]*+):", re.MULTILINE)


class Lines:
    """
    Find the lines of keys, without knowing more of a language than how keys look.
    """

    def __init__(self, text: str) -> None:
        keys = [(match.start(), _key(match)) for match in TOKEN.finditer(text) if match[4]]
        keys += [(match.start(1), match[1].strip()) for match in YAML_KEY.finditer(text)]
        self._found: dict[str, list[int]] = {}
        line = at = 0
        for position, key in sorted(keys):
            line += text.count("\n", at, position)
            at = position
            self._found.setdefault(key, []).append(line + 1)

    def first(self, key: str, after: str | None = None) -> int | None:
        """
        Return the first line on which a key stands, best behind the key *after*.
        """
        lines = self._found.get(key, [])
        start = self.first(after) if after is not None else None
        behind = [line for line in lines if line >= (start or 0)]
        return next(iter(behind or lines), None)

    def last(self, key: str) -> int | None:
        """
        Return the last line on which a key stands.
        """
        return next(reversed(self._found.get(key, [])), None)


def _key(match: re.Match[str]) -> str:
    quoted, literal, plain = match[1], match[2], match[3]
    if quoted is None:
        return literal if literal is not None else plain.strip()
    try:
        return str(json.loads(f'"{quoted}"'))
    except ValueError:
        return quoted
