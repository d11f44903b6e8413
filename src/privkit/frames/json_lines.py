"""
JSON lines: one record a line, as a JSON object in UTF-8.

Numbers come out with the value and the digits they went in with: a fraction is read as a
`Decimal`, so ``1.10`` stays ``1.10`` where a float would make it ``1.1``. A kept ``-0`` keeps its
sign, and is 0 to every rule.

Source:
    JSON: RFC 8259. Names are unique (section 4), NaN and infinity are refused (section 6).
"""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import BufferedReader
from typing import BinaryIO, ClassVar, Final, NoReturn

from privkit.errors import DatasetError
from privkit.frames.text import Encoder, lines

MAX_EXPONENT: Final = 400
"""Powers of ten beyond which a number is refused. A double ends at 308."""

BOM: Final = "\ufeff"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JSONLines:
    """
    A file of JSON objects, one a line. Records may nest.

    Blank lines are skipped. A byte order mark is dropped.

    .. versionadded:: 0.1
    """

    name: ClassVar[str] = "json-lines"
    encoding: ClassVar[str] = "utf-8"

    @property
    def options(self) -> dict[str, str]:
        """
        What a manifest says about a file written in this format.
        """
        return {}

    def detect(self, _file: BufferedReader) -> "JSONLines":
        """
        Return this format: it has no variants.
        """
        return self

    def reader(self, file: BufferedReader) -> "JSONLinesReader":
        """
        Return an iterator over the records.
        """
        return JSONLinesReader(file)

    def writer(self, file: BinaryIO, _header: tuple[str, ...] | None) -> "JSONLinesWriter":
        """
        Return a writer of records.
        """
        return JSONLinesWriter(file)


class JSONLinesReader:
    """
    The records of a file, once. They have no common header.
    """

    header: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, file: BufferedReader) -> None:
        self._lines = lines(file, JSONLines.encoding, newline="\n")

    def __iter__(self) -> Iterator[dict[str, object]]:
        for number, line in enumerate(self._lines):
            text = line.removeprefix(BOM) if number == 0 else line
            if text and not text.isspace():
                yield _record(text)


class JSONLinesWriter:
    """
    Writes records, one a line.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._encoder = Encoder(file, JSONLines.encoding)

    def record(self, record: Mapping[str, object]) -> None:
        """
        Append a record.

        Raises:
            DatasetError: If JSON has no form for a value.
        """
        try:
            text = encode(record)
        except RecursionError:
            text = None
        if text is None:
            raise DatasetError("the record is nested too deep")
        self._encoder.write(f"{text}\n")

    def finish(self) -> None:
        """
        Append nothing: UTF-8 needs no end.
        """


def _record(text: str) -> dict[str, object]:
    position = None
    problem = "the line is not JSON"
    record: object = None
    try:
        record = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        position = error.pos + 1
    except (ValueError, ArithmeticError):
        problem = "a number of the line has too many digits"
    except RecursionError:
        problem = "the record is nested too deep"
    else:
        if isinstance(record, dict):
            return record
        problem = f"a line holds one record, as a JSON object, got {type(record).__name__}"
    where = "" if position is None else f", from character {position} on"
    raise DatasetError(f"{problem}{where}")


class _MinusZero(int):
    """
    The whole number ``-0``: to rules it is 0, and in JSON it is what it was.
    """


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise DatasetError(f"an object of {len(pairs)} names has a name twice")
    return made


def _integer(text: str) -> int:
    return _MinusZero() if text == "-0" else int(text)


def _number(text: str) -> Decimal:
    number = Decimal(text)
    # A few characters can stand for more digits than memory holds.
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise DatasetError(f"a number is at most ten to the power of {MAX_EXPONENT}")
    return number


def _constant(_name: str) -> NoReturn:
    raise DatasetError("NaN and infinity are no JSON numbers")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_constant,
)
_TEXT: Final = json.JSONEncoder(ensure_ascii=False).encode


def encode(value: object) -> str:
    """
    Return the JSON of a value, without blanks, in the order of its keys.

    Raises:
        DatasetError: If JSON has no form for it.
    """
    if isinstance(value, str):
        return _TEXT(value)
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_TEXT(key)}:{encode(part)}' for key, part in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(encode, value))}]"
    if isinstance(value, _MinusZero):
        return "-0"
    if value is None or isinstance(value, bool | int):
        return _TEXT(value)
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise DatasetError(f"a value of type {type(value).__name__} has no form in JSON")
