"""
The part of YAML that a policy file may use.

Lists, mappings and scalars; no anchors, aliases, tags or second documents. Only ``true`` and
``false`` are booleans, only decimal digits are numbers, and dates are text, whatever YAML 1.1
says: ``no``, ``012``, ``12:30:45`` and ``2024-05-06`` are the texts that they look like.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from privkit.errors import MissingExtraError, PolicyError

INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")
"""A part of what YAML 1.1 takes for numbers, so that writers quote every text that looks so."""

WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
PURPOSE: Final = "a policy in YAML"


class UnreadableError(PolicyError):
    """
    The text is no policy. It is told from the mistakes of a policy, and never leaves the room.

    Args:
        rule: What a policy file is, or is not.

        line: Where it is not, counted from 1.
    """

    def __init__(self, rule: str, line: int | None = None) -> None:
        super().__init__(rule if line is None else f"{rule} at line {line}")


def read(text: str, max_depth: int) -> object:
    """
    Return the data of a YAML text.

    Raises:
        UnreadableError: If the text is not YAML, or uses another part of it.

        MissingExtraError: If PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtraError(PURPOSE, extra="yaml") from None
    # The parser in C is many times faster, and not in every build.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    complaint: UnreadableError | None = None
    data: object = None
    try:
        data = _Reader(yaml, yaml.parse(text, Loader=loader), max_depth).document()
    except UnreadableError as error:
        complaint = error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        complaint = UnreadableError("the text is not YAML", None if mark is None else mark.line + 1)
    except Exception:  # noqa: BLE001 - whatever a parser makes of a strange text
        complaint = UnreadableError("the text is not YAML")
    if complaint is not None:
        raise complaint
    return data


class _Reader:
    """
    Make data of the events of a parser.
    """

    def __init__(self, yaml: Any, events: Iterator[Any], max_depth: int) -> None:
        self.yaml = yaml
        self.events = events
        self.max_depth = max_depth

    def document(self) -> object:
        """
        Return the data of the only document.
        """
        next(self.events)  # the start of the stream
        first = next(self.events)
        if isinstance(first, self.yaml.StreamEndEvent):
            return None
        data = self.node(next(self.events), 0)
        next(self.events)  # the end of the document
        last = next(self.events)
        if not isinstance(last, self.yaml.StreamEndEvent):
            raise self.refusal("a policy file is one YAML document", last)
        return data

    def node(self, event: Any, depth: int) -> object:
        """
        Return the data of the node that begins with an event.
        """
        if isinstance(event, self.yaml.AliasEvent) or event.anchor is not None:
            raise self.refusal("a policy file has no YAML anchors and aliases", event)
        if event.tag is not None:
            raise self.refusal("a policy file has no YAML tags", event)
        if depth > self.max_depth:
            raise self.refusal(f"a policy file is nested at most {self.max_depth} deep", event)
        if isinstance(event, self.yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, self.yaml.SequenceStartEvent):
            return [self.node(item, depth + 1) for item in self.until(self.yaml.SequenceEndEvent)]
        found: dict[str, object] = {}
        for key in self.until(self.yaml.MappingEndEvent):
            if not isinstance(key, self.yaml.ScalarEvent):
                raise self.refusal("a key is text", key)
            self.node(key, depth)
            if key.value in found:
                raise self.refusal("a key stands twice in one table", key)
            found[key.value] = self.node(next(self.events), depth + 1)
        return found

    def until(self, end: type) -> Iterator[Any]:
        """
        Yield events up to the end of a container.
        """
        for event in self.events:
            if isinstance(event, end):
                return
            yield event

    def scalar(self, event: Any) -> object:
        """
        Return the value of a scalar: what is quoted is text.
        """
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        return float(text) if FLOAT.fullmatch(text) else text

    def refusal(self, rule: str, event: Any) -> UnreadableError:
        """
        Return what is wrong, with the line of an event.
        """
        return UnreadableError(rule, event.start_mark.line + 1)
