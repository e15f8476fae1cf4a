"""Samples for machines: JSONL, plain or packed, one page a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.corpus.packing import DAMAGE, packing_of, unpack
from detector.data import LABELS
from detector.errors import InputError, SampleError

COMMENT = "comment"
"""A fourth label some corpora use for readers' comments; it is masked: neither learnt nor counted."""

KNOWN_LABELS = (*map(str, LABELS), COMMENT)

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.xz", ".jsonl.bz2", ".jsonl.zst")


def read_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects of a file, each with its place ("file:line") for messages.

    Raises:
        SampleError: The file cannot be read or a line is not a JSON object; the message names file and line.
    """
    number = 0
    try:
        with path.open("rb") as raw:
            for number, line in enumerate(unpack(raw, packing_of(path)), 1):
                if line.strip():
                    yield f"{path}:{number}", _parse(line, f"{path}:{number}")
    except InputError as error:
        raise SampleError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise SampleError(f"{path}: there is no such file") from error
    except DAMAGE as error:
        raise SampleError(f"{path}: cannot be read beyond line {number} ({error}); get the file again") from error


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SampleError(f"{where}: not UTF-8 (byte {error.start} of the line); save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise SampleError(f"{where}: not JSON ({error}); write one JSON object a line") from error
    if not isinstance(record, dict):
        raise SampleError(f"{where}: not an object; write one JSON object a line")
    return record
