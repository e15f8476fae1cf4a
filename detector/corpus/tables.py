"""Shards as Parquet: the lines of a shard as a table, once all of them are there.

A table has one schema, and a stream of JSON has none before it ends: so a shard grows as lines, as any other does, and
becomes a table when it is whole. Memory stays flat whatever its size.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from detector.corpus.packing import unpack
from detector.corpus.parquet import pyarrow_parquet
from detector.decode import without_surrogates
from detector.errors import RunError

_GROUP_BYTES = 8 << 20
"""Of lines that become a row group; as objects they take ten times that."""

_MOST_FIELDS = 10_000
"""A table with more columns would be held in memory by their number alone."""

_MOST_EXACT = 1 << 53
"""Not every whole number beyond it is a floating-point number, too."""

_SPANS = "spans"

Kinds = dict[str, set[str]]
"""What the values of each field are; nothing for a field that was always null."""


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
    found: Kinds = {}
    # The first rows mostly show what all fields hold; where later ones say otherwise, a second pass knows it all.
    if not _write(lines, packing, path, found):
        _write(lines, packing, path, found)


def _write(lines: Path, packing: str, path: Path, found: Kinds) -> bool:
    """Write the table by what is known of its fields, and learn more; whether nothing was learnt after its first rows."""
    library = pyarrow_parquet()
    import pyarrow as pa

    types = _types()
    table, kinds, fits = None, {}, True
    with path.open("wb") as stream:
        for rows in _groups(lines, packing):
            _learn(found, rows, lines)
            now = {name: _common(seen) for name, seen in found.items()}
            if table is None:
                kinds = now
                columns = zip(_column_names(kinds), kinds.values(), strict=True)
                schema = pa.schema([(name, types[kind]) for name, kind in columns])
                table = library.ParquetWriter(stream, schema, compression="zstd")
            fits = fits and now == kinds
            if fits:
                arrays = [_column([row.get(name) for row in rows], kind, types[kind]) for name, kind in kinds.items()]
                table.write_table(pa.Table.from_arrays(arrays, schema=schema))
        if table is not None:
            table.close()
        stream.flush()
        os.fsync(stream.fileno())
    return fits


def _learn(found: Kinds, rows: list[dict[str, Any]], lines: Path) -> None:
    """Add the fields of rows, in the order of their first appearance, and what each holds."""
    for row in rows:
        for name, value in row.items():
            kinds = found.setdefault(name, set())
            if value is not None:
                kinds.add("spans" if name == _SPANS else _kind(value))
    if len(found) > _MOST_FIELDS:
        raise RunError(
            f"{lines}: the records have more than {_MOST_FIELDS:,} different fields, too many for a table; "
            "write JSONL, with another --pack and another folder"
        )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if abs(value) <= _MOST_EXACT:
            return "int"
        return "long" if -(1 << 63) <= value < 1 << 63 else "json"
    return "float" if isinstance(value, float) else "text" if isinstance(value, str) else "json"


def _common(kinds: set[str]) -> str:
    if len(kinds) <= 1:
        # A field that is empty in this shard is most likely text in the others.
        return next(iter(kinds), "text")
    if kinds == {"int", "long"}:
        return "long"
    return "float" if kinds == {"int", "float"} else "json"


def _column_names(fields: Collection[str]) -> list[str]:
    """The names of fields as text, which half surrogates are not; different ones stay different."""
    taken, names = set(fields), []
    for field in fields:
        name = without_surrogates(field)
        while name != field and name in taken:
            name += "?"
        taken.add(name)
        names.append(name)
    return names


def _types() -> dict[str, Any]:
    import pyarrow as pa

    span = pa.struct(
        [("start", pa.int64()), ("end", pa.int64()), ("label", pa.string()), ("probability", pa.float64())]
    )
    return {
        "bool": pa.bool_(), "int": pa.int64(), "long": pa.int64(), "float": pa.float64(), "text": pa.string(), "json": pa.string(),
        "spans": pa.list_(span),
    }  # fmt: skip


def _column(values: list[Any], kind: str, arrow: Any) -> Any:
    """Values as an Arrow array."""
    import pyarrow as pa

    if kind == "spans":
        # Column by column: a dictionary a span takes three times as long.
        rows = [span for spans in values for span in spans]
        fields = arrow.value_type.fields
        parts = [pa.array([row[place] for row in rows], field.type) for place, field in enumerate(fields)]
        ends = list(accumulate(map(len, values), initial=0))
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.StructArray.from_arrays(parts, fields=fields))
    if kind == "json":
        values = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    if kind in ("json", "text"):
        values = [None if value is None else without_surrogates(value) for value in values]
    return pa.array(values, arrow)


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
