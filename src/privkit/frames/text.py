"""
Lines of text out of a file that holds anything, and bytes into one.
"""

import codecs
import contextlib
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from privkit.errors import DatasetError

MAX_LINE: Final = 2**24
"""Characters of a line, and of a cell, beyond which a file is refused. It bounds memory."""

UNDECODABLE: Final = "\udc80"
"""What stands for bytes that are not text. No strict decoder makes it of valid input."""

HANDLER: Final = "privkit.undecodable"


def _mark(error: UnicodeError) -> tuple[str, int]:
    # The decoder reads ahead. A mark in the text, in place of an error, tells the row.
    return UNDECODABLE, getattr(error, "end", 0)


codecs.register_error(HANDLER, _mark)


def lines(file: io.BufferedReader, encoding: str, *, newline: str) -> Iterator[str]:
    """
    Yield the lines of a file with their ends.

    Args:
        file: Read from where it stands.

        encoding: A text encoding of Python.

        newline: As in `io.TextIOWrapper`.

    Raises:
        DatasetError: If the file cannot be read, is not text in that encoding, or has a line of
            more than ``MAX_LINE`` characters.
    """
    text = io.TextIOWrapper(file, encoding=encoding, errors=HANDLER, newline=newline)
    try:
        while True:
            line, problem = _next(text, encoding)
            if problem is not None:
                raise DatasetError(problem)
            if not line:
                return
            yield line
    finally:
        # The file belongs to the caller, who may have closed it before this ends.
        with contextlib.suppress(ValueError):
            text.detach()


def _next(text: io.TextIOWrapper, encoding: str) -> tuple[str, str | None]:
    try:
        line = text.readline(MAX_LINE + 1)
    except OSError as error:
        return "", f"the input cannot be read: {reason(error)}"
    except UnicodeError:
        return "", f"the input is not text in {encoding}"
    if len(line) > MAX_LINE:
        return "", f"a line is at most {MAX_LINE} characters long"
    if UNDECODABLE in line:
        position = line.index(UNDECODABLE) + 1
        return "", f"the input is not text in {encoding}, from character {position} of a line on"
    return line, None


class Encoder:
    """
    Write text to a file in an encoding.

    Args:
        file: Gets the bytes.

        encoding: A text encoding of Python.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._encoder = codecs.getincrementalencoder(encoding)()

    def write(self, text: str) -> None:
        """
        Append *text*.

        Raises:
            DatasetError: If the encoding has no bytes for a character.
        """
        try:
            encoded = self._encoder.encode(text)
        except UnicodeError:
            encoded = None
        if encoded is None:
            raise DatasetError(f"a character of the row cannot be written in {self._encoding}")
        self._file.write(encoded)

    def finish(self) -> None:
        """
        Append what the encoding needs at the end.
        """
        self._file.write(self._encoder.encode("", final=True))


def reason(error: OSError) -> str:
    """
    Return what the operating system says, without the path.
    """
    return (error.strerror or type(error).__name__).lower()
