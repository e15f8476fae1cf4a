"""Thrift's compact protocol, as much of it as the headers in Parquet files need: the fields that are asked for, and no more
memory than they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Union

Wanted = Mapping[int, Union["Wanted", list["Wanted"], None]]
"""Fields by number: None for a whole number, the fields of its own for a struct, and the same in a list for a list of structs."""

_BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = range(3, 14)
_WIDTHS = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}
_DEEPEST = 32


def read_struct(stream: BinaryIO, wanted: Wanted, depth: int = 0) -> dict[int, Any]:
    """The wanted fields of a struct by number; all others are passed over.

    Args:
        stream: Where the struct begins; behind it when this returns.
        wanted: Which fields, and of what shape.
        depth: Of the struct in others.

    Raises:
        ValueError: It is damaged, a wanted field is of another type, or one that is there twice.
    """
    if depth > _DEEPEST:
        raise ValueError("damaged header: nested too deeply")
    found: dict[int, Any] = {}
    number = 0
    while head := _byte(stream):
        step, kind = head >> 4, head & 15
        number = number + step if step else _zigzag(stream)
        if number not in wanted:
            _pass_over(stream, kind, depth)
            continue
        if number in found:
            # Readers differ in which of them counts.
            raise ValueError(f"damaged header: field {number} stands there twice")
        found[number] = _wanted_value(stream, kind, wanted[number], depth)
    return found


def _wanted_value(stream: BinaryIO, kind: int, fields: Wanted | list[Wanted] | None, depth: int) -> Any:
    if fields is None and kind in (_I32, _I64):
        return _zigzag(stream)
    if isinstance(fields, Mapping) and kind == _STRUCT:
        return read_struct(stream, fields, depth + 1)
    if isinstance(fields, list) and kind == _LIST:
        size, item = _list_head(stream)
        if item == _STRUCT or not size:
            return [read_struct(stream, fields[0], depth + 1) for _ in range(size)]
    raise ValueError(f"damaged header: a field of type {kind}")


def _pass_over(stream: BinaryIO, kind: int, depth: int, *, in_list: bool = False) -> None:
    if kind in (1, 2):
        if in_list:  # elsewhere true and false are types of their own, without a value
            _byte(stream)
    elif kind in (_I16, _I32, _I64):
        _varint(stream)
    elif kind in _WIDTHS:
        # Going forward instead would find no end of a list behind that of the file.
        for _ in range(_WIDTHS[kind]):
            _byte(stream)
    elif kind == _BINARY:
        size = _varint(stream)
        if size >= 1 << 31:
            raise ValueError(f"damaged header: {size:,} bytes of text")
        stream.seek(size, 1)
    elif kind in (_LIST, _SET):
        size, item = _list_head(stream)
        for _ in range(size):
            _pass_over_item(stream, item, depth)
    elif kind == _MAP:
        if size := _varint(stream):
            kinds = _byte(stream)
            for _ in range(size):
                _pass_over_item(stream, kinds >> 4, depth)
                _pass_over_item(stream, kinds & 15, depth)
    elif kind == _STRUCT:
        read_struct(stream, {}, depth + 1)
    else:
        raise ValueError(f"damaged header: type {kind}")


def _pass_over_item(stream: BinaryIO, kind: int, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("damaged header: nested too deeply")
    _pass_over(stream, kind, depth + 1, in_list=True)


def _list_head(stream: BinaryIO) -> tuple[int, int]:
    head = _byte(stream)
    size = head >> 4
    return (_varint(stream) if size == 15 else size), head & 15


def _zigzag(stream: BinaryIO) -> int:
    number = _varint(stream)
    return (number >> 1) ^ -(number & 1)


def _varint(stream: BinaryIO) -> int:
    number = 0
    for shift in range(0, 64, 7):
        byte = _byte(stream)
        number |= (byte & 127) << shift
        if byte < 128:
            return number
    raise ValueError("damaged header: a number of more than 64 bits")


def _byte(stream: BinaryIO) -> int:
    read = stream.read(1)
    if not read:
        raise ValueError("damaged header: it is cut off")
    return read[0]
