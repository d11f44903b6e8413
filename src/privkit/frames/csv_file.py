"""
Comma-separated values: a header, then one record a row.

Source:
    RFC 4180, with a choice of the delimiter. Every cell is text; an empty one is null.
"""

import codecs
import csv
import dataclasses
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import BinaryIO, ClassVar, Final

from privkit.errors import DatasetError
from privkit.frames.text import MAX_LINE, Encoder, lines

UTF8_BOM: Final = codecs.BOM_UTF8
UNUSABLE: Final = '"\r\n\0'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CSV:
    """
    A file of comma-separated values with a header.

    Column names are literal: a column ``a.b`` is the field of that name, not a path. An empty
    cell is null and is written back empty. Blank lines are skipped. A byte order mark of UTF-8
    is kept.

    Args:
        delimiter: One character between cells.

        encoding: A text encoding of Python.

        skip_initial_space: Ignore blanks that follow a delimiter. They are not written back.

    Raises:
        DatasetError: If the delimiter or the encoding cannot be used.

    .. versionadded:: 0.1
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    skip_initial_space: bool = False
    name: ClassVar[str] = "csv"

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in UNUSABLE:
            raise DatasetError(
                "a delimiter is one character, and neither a quote nor the end of a line, got "
                f"{len(self.delimiter)} characters"
            )
        if not _is_encoding(self.encoding):
            raise DatasetError("the encoding is not a text encoding that Python knows")

    @property
    def options(self) -> dict[str, str]:
        """
        What a manifest says about a file written in this format.
        """
        return {"delimiter": self.delimiter, "encoding": self.encoding}

    def detect(self, file: BufferedReader) -> "CSV":
        """
        Return this format with the encoding that a byte order mark announces.
        """
        if file.peek(3).startswith(UTF8_BOM) and codecs.lookup(self.encoding).name == "utf-8":
            return dataclasses.replace(self, encoding="utf-8-sig")
        return self

    def reader(self, file: BufferedReader) -> "CSVReader":
        """
        Read the header, and return an iterator over the records.

        Raises:
            DatasetError: If there is no header, or two columns have one name.
        """
        return CSVReader(self, file)

    def writer(self, file: BinaryIO, header: tuple[str, ...] | None) -> "CSVWriter":
        """
        Write the header, and return a writer of records.
        """
        return CSVWriter(self, file, header or ())


class CSVReader:
    """
    The records of a file, once.

    Attributes:
        header: The names of the columns.
    """

    def __init__(self, file_format: CSV, file: BufferedReader) -> None:
        # The limit is the process's own. It is raised, never lowered.
        csv.field_size_limit(max(MAX_LINE, csv.field_size_limit()))
        self._rows = csv.reader(
            lines(file, file_format.encoding, newline=""),
            delimiter=file_format.delimiter,
            skipinitialspace=file_format.skip_initial_space,
            strict=True,
        )
        header = self._next()
        if header is None:
            raise DatasetError("the input is empty: a CSV file starts with the names of columns")
        self.header: tuple[str, ...] = tuple(header)
        seen: dict[str, int] = {}
        for position, column in enumerate(self.header, start=1):
            if column in seen:
                raise DatasetError(
                    f"columns {seen[column]} and {position} have the same name",
                    first=seen[column],
                    second=position,
                )
            seen[column] = position

    def __iter__(self) -> Iterator[dict[str, object]]:
        header = self.header
        width = len(header)
        while (cells := self._next()) is not None:
            if len(cells) != width:
                raise DatasetError(
                    f"the header has {width} columns, got {len(cells)} cells", columns=width
                )
            yield {name: cell or None for name, cell in zip(header, cells, strict=True)}

    def _next(self) -> list[str] | None:
        try:
            for cells in self._rows:
                if cells:
                    return cells
        except csv.Error:
            broken = True
        else:
            broken = False
        if broken:
            raise DatasetError(
                f"the quotes of a cell do not match, at line {self._rows.line_num} of the file"
            )
        return None


class CSVWriter:
    """
    Writes records under a header, with a line feed alone at the end of a row.
    """

    def __init__(self, file_format: CSV, file: BinaryIO, header: tuple[str, ...]) -> None:
        if not header:
            raise DatasetError("the policy drops every column")
        self._encoder = Encoder(file, file_format.encoding)
        # With "\r\n" for its end of line, the writer quotes cells that hold either character.
        self._writer = csv.writer(self, delimiter=file_format.delimiter, lineterminator="\r\n")
        self._writer.writerow(header)

    def record(self, record: Mapping[str, object]) -> None:
        """
        Append a record whose keys are the header.
        """
        self._writer.writerow(record.values())

    def write(self, row: str) -> None:
        """
        Take a row from the writer of the standard library.
        """
        self._encoder.write(f"{row[:-2]}\n")

    def finish(self) -> None:
        """
        Append what the encoding needs at the end.
        """
        self._encoder.finish()


def _is_encoding(name: str) -> bool:
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True
