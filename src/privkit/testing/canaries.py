"""
Find out whether a value that must stay inside has come out somewhere.

A canary is a made-up value that a test protects, or derives keys from. After the test, whatever
the code let out is searched for it: as it stands, encoded, quoted or reversed.
"""

import base64
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from traceback import walk_tb
from typing import cast
from urllib.parse import quote, quote_plus

import privkit

SOURCE = str(Path(privkit.__file__).parent)
"""The folder of privkit itself."""

MAX_PIECES = 10_000
"""How much of the local variables of one frame is searched."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    A canary that came out. It says which and where, and does not repeat the value.
    """

    canary: str
    form: str
    place: str


class Canaries:
    """
    A set of named values to search for.

    Args:
        values: Name to value. Values under 8 characters or bytes are found by chance; take
            longer ones.
    """

    def __init__(self, values: Mapping[str, str | bytes], /) -> None:
        self._needles = [
            (form, name, shape) for name, value in values.items() for form, shape in forms(value)
        ]

    def find(self, haystack: str | bytes, /, place: str = "") -> list[Finding]:
        """
        Return the canaries in *haystack*, whatever the case of their letters.
        """
        if isinstance(haystack, str):
            haystack = haystack.encode("utf-8", "surrogatepass")
        haystack = haystack.lower()
        return [
            Finding(name, shape, place) for form, name, shape in self._needles if form in haystack
        ]

    def scan_error(
        self, error: BaseException, /, *, frames_under: Iterable[str] = (SOURCE,)
    ) -> list[Finding]:
        """
        Return the canaries that anybody who catches *error* can reach.

        Args:
            error: Searched with its causes and contexts, whether suppressed or not.

            frames_under: Folders or files. Frames of the traceback whose code lives there have
                their local variables searched, as error trackers print them. The frames of the
                caller hold the caller's values, and are nobody's leak.
        """
        roots = tuple(frames_under)
        return [
            finding
            for place, text in _chain_texts(error, roots)
            for finding in self.find(text, place)
        ]


def forms(value: str | bytes, /) -> Iterator[tuple[bytes, str]]:
    """
    Yield the byte strings, in lower case, by which *value* is recognized, each with its name.
    """
    seen: set[bytes] = set()
    for form, name in _all_forms(value):
        needle = form.lower()
        if needle not in seen:
            seen.add(needle)
            yield needle, name


def _all_forms(value: str | bytes) -> Iterator[tuple[bytes, str]]:
    raw = value.encode() if isinstance(value, str) else value
    yield raw, "raw"
    yield raw[::-1], "reversed"
    yield raw.hex().encode(), "hex"
    yield raw[::-1].hex().encode(), "reversed hex"
    yield quote(raw, safe="").encode(), "URL-quoted"
    yield quote_plus(raw).encode(), "URL-quoted"
    yield repr(raw)[2:-1].encode(), "repr of bytes"
    yield ", ".join(map(str, raw)).encode(), "list of numbers"
    for shift in range(3):
        for encoded in _base64_at(raw, shift):
            yield encoded, "base64"
    if isinstance(value, str):
        yield value[::-1].encode(), "reversed"
        yield value.casefold().encode(), "case-folded"
        yield value.encode("utf-16-le"), "utf-16"
        yield value.encode("utf-16-be"), "utf-16"
        yield ascii(value)[1:-1].encode(), "escaped"
        with contextlib.suppress(ValueError):
            day = date.fromisoformat(value[:10])
            yield f"({day.year}, {day.month}, {day.day}".encode(), "repr of a date"
    else:
        yield raw.decode("latin-1").encode(), "latin-1 text"


def _base64_at(raw: bytes, shift: int) -> Iterator[bytes]:
    """
    Yield what base64 makes of *raw* for certain, *shift* bytes into any longer byte string.
    """
    padded = b"\0" * shift + raw
    first = (8 * shift + 5) // 6
    last = 8 * len(padded) // 6
    yield base64.b64encode(padded)[first:last]
    yield base64.urlsafe_b64encode(padded)[first:last]


def _chain_texts(error: BaseException, roots: tuple[str, ...]) -> Iterator[tuple[str, str | bytes]]:
    queue: list[BaseException] = [error]
    seen: set[int] = set()
    while queue:
        current = queue.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        name = type(current).__name__
        yield f"{name}: message", _printed(str, current)
        yield f"{name}: repr", _printed(repr, current)
        for held in (*current.args, *vars(current).values()):
            yield f"{name}: arguments, attributes and notes", _printed(repr, held)
        for attribute in ("object", "doc"):
            held = getattr(current, attribute, None)
            if isinstance(held, (str, bytes)):
                yield f"{name}: .{attribute}", held
        for frame, line in walk_tb(current.__traceback__):
            code = frame.f_code
            if code.co_filename.startswith(roots):
                where = f"{name}: locals of {code.co_name}, {Path(code.co_filename).name}:{line}"
                leaves = list(_leaves(frame.f_locals))
                yield where, "\n".join(leaf for leaf in leaves if isinstance(leaf, str))
                yield where, b"\n".join(leaf for leaf in leaves if isinstance(leaf, bytes))
        if isinstance(current, BaseExceptionGroup):
            queue.extend(cast("BaseExceptionGroup[BaseException]", current).exceptions)
        queue.extend(e for e in (current.__cause__, current.__context__) if e is not None)


def _leaves(value: object) -> Iterator[str | bytes]:
    """
    Yield what a repr of *value* would show, piece by piece.

    A repr itself is without bounds: lists that hold one list twice, which again holds one twice,
    print as more text than there is memory for. Here each container is opened once.
    """
    stack = [value]
    seen: set[int] = set()
    for _ in range(MAX_PIECES):
        if not stack:
            break
        current = stack.pop()
        parts = _parts(current)
        if isinstance(current, str | bytes):
            yield current
        elif parts is None:
            yield _printed(repr, current)
        elif id(current) not in seen:
            seen.add(id(current))
            stack += parts
            yield ", ".join(_printed(repr, part) for part in parts if isinstance(part, int))


def _parts(value: object) -> list[object] | None:
    if isinstance(value, dict):
        held = cast("dict[object, object]", value)
        return [part for item in islice(held.items(), MAX_PIECES) for part in item]
    if isinstance(value, list | tuple | set | frozenset):
        return list(islice(cast("Iterable[object]", value), MAX_PIECES))
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, each.name, None) for each in fields(value) if each.repr]
    return None


def _printed(how: Callable[[object], str], value: object) -> str:
    try:
        return how(value)
    except Exception as error:  # noqa: BLE001 - an object that cannot be printed shows nothing
        return type(error).__name__
