"""Shards as Parquet: the lines of a shard as a table, once all of them are there.

A table has one schema, and a stream of JSON has none before it ends: so a shard grows as lines, as any other does, and
is read twice when it is whole, for the types of its fields and for its rows. Memory stays flat whatever its size.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.corpus.packing import unpack
from detector.corpus.parquet import pyarrow_parquet
from detector.errors import RunError

_GROUP_BYTES = 32 << 20
"""Of lines that become a row group."""

_MOST_FIELDS = 10_000
"""A table with more columns would be held in memory by their number alone."""

_SPANS = "spans"


def write_table(lines: Path, packing: str, path: Path) -> None:
    """Write lines of JSON as a Parquet file, and have it on the disk when this returns.

    Text, whole numbers, numbers and truth values keep their types; fields that hold lists, objects, or values of
    several types in this shard become JSON in a column of text. `spans` is a list of structs.

    Args:
        lines: A file of JSON objects, a line each.
        packing: Of that file.
        path: The file to write.

    Raises:
        RunError: The lines have more fields than a table can have columns.
    """
    library = pyarrow_parquet()
    import pyarrow as pa

    kinds = _kinds(lines, packing)
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "spans": _spans_type()}
    schema = pa.schema([(name, types.get(kind, pa.string())) for name, kind in kinds.items()])
    with path.open("wb") as stream:
        with library.ParquetWriter(stream, schema, compression="zstd") as table:
            for rows in _groups(lines, packing):
                columns = [_column([row.get(name) for row in rows], kind) for name, kind in kinds.items()]
                arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
                table.write_table(pa.Table.from_arrays(arrays, schema=schema))
        stream.flush()
        os.fsync(stream.fileno())


def _kinds(lines: Path, packing: str) -> dict[str, str]:
    """The fields of all lines, in the order of their first appearance, and what each holds."""
    found: dict[str, set[str]] = {}
    for rows in _groups(lines, packing):
        for row in rows:
            for name, value in row.items():
                kinds = found.setdefault(name, set())
                if value is not None:
                    kinds.add(_kind(value))
        if len(found) > _MOST_FIELDS:
            raise RunError(
                f"{lines}: the records have more than {_MOST_FIELDS:,} different fields, too many for a table; "
                "write JSONL, with another --pack and another folder"
            )
    return {name: "spans" if name == _SPANS else _common(kinds) for name, kinds in found.items()}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(1 << 63) <= value < 1 << 63 else "json"
    return "float" if isinstance(value, float) else "text" if isinstance(value, str) else "json"


def _common(kinds: set[str]) -> str:
    if len(kinds) <= 1:
        # A field that is empty in this shard is most likely text in the others.
        return next(iter(kinds), "text")
    return "float" if kinds == {"int", "float"} else "json"


def _column(values: list[Any], kind: str) -> list[Any]:
    if kind == "spans":
        return [
            [dict(zip(("start", "end", "label", "probability"), span, strict=True)) for span in spans]
            for spans in values
        ]
    if kind == "json":
        values = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    if kind in ("json", "text"):
        # Half surrogates, which JSON can name, are no text elsewhere.
        return [
            value if value is None or value.isascii() else value.encode("utf-8", "replace").decode() for value in values
        ]
    return values


def _spans_type() -> Any:
    import pyarrow as pa

    return pa.list_(
        pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string()), ("probability", pa.float64())])
    )


def _groups(lines: Path, packing: str) -> Iterator[list[dict[str, Any]]]:
    """The rows, some at a time."""
    rows, size = [], 0
    with lines.open("rb") as raw, unpack(raw, packing) as content:
        for line in content:
            rows.append(json.loads(line))
            size += len(line)
            if size >= _GROUP_BYTES:
                yield rows
                rows, size = [], 0
    if rows:
        yield rows
