"""
Values as bytes and back, each with its type: JSON's, and dates, decimals, UUIDs and bytes.

A value is a byte for its type and its content. The items of a list, and the keys and values of a
record in their order, are each preceded by their size in 4 bytes. Frozen: what was encrypted in
this form must be read for ever.
"""

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, DecimalException
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias, cast
from uuid import UUID

from privkit.errors import DomainError
from privkit.formats.text import refuse_member
from privkit.formats.values import Plain, encode, is_null, numpy_of, plain

Exact: TypeAlias = "float | Plain | list[Exact] | dict[str, Exact] | None"

MAX_DEPTH: Final = 100
SIZE_BYTES: Final = 4

SECOND: Final = b" fold"
"""Follows a datetime without an offset that is the second of two equal hours."""


def dump(value: object, /, *, max_size: int) -> bytes:
    """
    Return a value as bytes.

    Args:
        value: Not null, though it may contain ``None``.

        max_size: Bytes of the result at most.

    Raises:
        DomainError: If the value is or contains what would not come back as it was: a NaN, an
            infinity, a tuple, a key that is not text, an object; if it is nested more than 100
            deep, or too long.
    """
    if is_null(value):
        raise DomainError("a null has no pseudonym: it stays null")
    return _dump(value, max_size, MAX_DEPTH)


def load(data: bytes, /) -> Exact:
    """
    Return the value that `dump` made *data* from.

    Raises:
        DomainError: If *data* does not come from `dump`.
    """
    # The errors of Python's parsers repeat what they were given.
    try:
        return _load(data)
    except (ValueError, KeyError, struct.error, DecimalException, RecursionError):
        pass
    raise DomainError(f"{len(data):,} bytes are no value in its exact form")


def _dump(value: object, max_size: int, depth: int) -> bytes:
    if isinstance(value, str | bytes | bytearray | memoryview) and len(value) > max_size:
        _too_long(max_size)
    if value is None:
        data = b"n"
    elif isinstance(value, list | dict):
        data = _dump_items(value, max_size, depth)
    else:
        data = _dump_single(value)
    if len(data) > max_size:
        _too_long(max_size)
    return data


def _dump_items(value: list[object] | dict[object, object], max_size: int, depth: int) -> bytes:
    if not depth:
        raise DomainError(f"lists and records are nested at most {MAX_DEPTH} deep")
    parts: list[object] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise DomainError(f"the keys of a record are text, got {type(key).__name__}")
            parts += [key, item]
    else:
        parts += value
    size = 0
    data = [b"o" if isinstance(value, dict) else b"l"]
    for part in parts:
        content = _dump(part, max_size, depth - 1)
        data += [len(content).to_bytes(SIZE_BYTES), content]
        size += SIZE_BYTES + len(content)
        if size > max_size:
            _too_long(max_size)
    return b"".join(data)


def _dump_single(value: object) -> bytes:
    refuse_member(value)
    numpy = numpy_of(value)
    if numpy is not None and isinstance(value, numpy.floating):
        value = float(cast("float", value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DomainError("JSON has no NaN and no infinity: replace them by null")
        return b"f" + struct.pack(">d", value)
    if isinstance(value, tuple):
        raise DomainError("a tuple would come back as a list: pass a list")
    single = plain(value)
    canonical = encode(single)
    # The canonical form of these two is not enough: it drops trailing zeros, offset and fold.
    if isinstance(single, Decimal):
        return b"m" + str(single).encode()
    if isinstance(single, datetime):
        second = SECOND if single.fold and single.utcoffset() is None else b""
        return b"z" + single.isoformat().encode() + second
    return canonical


def _too_long(max_size: int) -> NoReturn:
    raise DomainError(f"a value has at most {max_size:,} bytes", maximum=max_size)


def _load(data: bytes) -> Exact:
    loader = LOADERS.get(data[:1])
    if loader is None:
        raise ValueError
    return loader(data[1:])


def _load_null(content: bytes) -> None:
    if content:
        raise ValueError


def _load_boolean(content: bytes) -> bool:
    return {b"0": False, b"1": True}[content]


def _load_float(content: bytes) -> float:
    return cast("float", struct.unpack(">d", content)[0])


def _load_datetime(content: bytes) -> datetime:
    moment = datetime.fromisoformat(content.removesuffix(SECOND).decode())
    return moment.replace(fold=int(content.endswith(SECOND)))


def _load_list(content: bytes) -> list[Exact]:
    return [_load(part) for part in _parts(content)]


def _load_record(content: bytes) -> dict[str, Exact]:
    parts = _load_list(content)
    keys = [key for key in parts[::2] if isinstance(key, str)]
    if 2 * len(keys) != len(parts):
        raise ValueError
    return dict(zip(keys, parts[1::2], strict=True))


def _parts(content: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(content):
        end = start + SIZE_BYTES + int.from_bytes(content[start : start + SIZE_BYTES])
        if end > len(content):
            raise ValueError
        yield content[start + SIZE_BYTES : end]
        start = end


LOADERS: Final[Mapping[bytes, Callable[[bytes], Exact]]] = MappingProxyType(
    {
        b"n": _load_null,
        b"b": _load_boolean,
        b"i": int,
        b"f": _load_float,
        b"t": bytes.decode,
        b"m": lambda content: Decimal(content.decode()),
        b"d": lambda content: date.fromisoformat(content.decode()),
        b"z": _load_datetime,
        b"u": lambda content: UUID(bytes=content),
        b"x": bytes,
        b"l": _load_list,
        b"o": _load_record,
    }
)
