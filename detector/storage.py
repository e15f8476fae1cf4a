"""Model folders on disk: plain arrays and a JSON manifest, checked before use; loading runs no code of theirs."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.building import build_head
from detector.data import LABELS, Kind
from detector.errors import ModelError
from detector.features import SCHEMA
from detector.files import write_together
from detector.golden import golden_rows, is_golden_row
from detector.model import Model, schema_digest, site_schema_digest
from detector.network import Network

MANIFEST = "model.json"
WEIGHTS = "weights.npz"
GOLDEN = "golden.json"
FORMAT = 4
DTYPES = ("int8", "int16", "float32")
MAX_MANIFEST_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 64 << 20
"""No honest model comes near; a larger one is refused before it is unpacked."""

_DIRECTORY_END = struct.Struct("<4s4H2LH")
"""The end of a zip archive."""

_MOST_ARRAYS = 1 << 10
_MOST_DIRECTORY_BYTES = 1 << 18


def save_model(model: Model, folder: Path) -> None:
    """Write the model's folder: `model.json`, `weights.npz`, and `golden.json` to replay it by.

    No file of a model that was there is replaced before all of this one are on the disk, the manifest last, so that a
    folder with a manifest is whole. Weights are not compressed: it would save a third, and cost a third of the time in
    which a process starts.

    Raises:
        ModelError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{folder}: the folder cannot be made ({error.strerror}); name another") from error
    heads, arrays = _describe_heads(model)
    weights = io.BytesIO()
    # Not with allow_pickle=False, which NumPy 2.0 takes for the name of an array; there are no objects among them.
    np.savez(weights, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    golden = _json(golden_rows(model))
    manifest = {
        "format": FORMAT,
        "name": model.name,
        "labels": [str(label) for label in LABELS],
        "heads": heads,
        "arrays": {name: _describe(array) for name, array in arrays.items()},
        "golden": hashlib.sha256(golden).hexdigest(),
        "info": model.info,
    }
    manifest["sha256"] = manifest_sha256(manifest)
    files = {WEIGHTS: weights.getvalue(), GOLDEN: golden, MANIFEST: _json(manifest)}
    try:
        write_together({folder / name: content for name, content in files.items()})
    except OSError as error:
        raise ModelError(
            f"{error.filename}: the model cannot be written ({error.strerror}); make room, or name another folder"
        ) from error


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _describe_heads(model: Model) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the manifest says of the heads, by kind, and their arrays by name."""
    arrays: dict[str, NDArray[Any]] = {}
    heads: dict[str, Any] = {}
    for kind, head in model.heads.items():
        arrays[f"{kind}.words"] = head.words.table
        arrays[f"{kind}.words.bias"] = head.words.bias
        scales = {"words": head.words.scale}
        if head.classes is not None:
            arrays[f"{kind}.classes"] = head.classes.table
            arrays[f"{kind}.classes.bias"] = head.classes.bias
            scales["classes"] = head.classes.scale
        arrays[f"{kind}.mean"] = head.mean
        arrays[f"{kind}.scale"] = head.scale
        if head.spam is not None:
            parts = ("words", "mean", "scale", "hidden", "hidden_bias", "output")
            arrays |= {f"{kind}.spam.{part}": getattr(head.spam, part) for part in parts}
            scales |= {"spam_words": head.spam.words_scale, "spam_bias": head.spam.bias}
        for number, network in enumerate(head.networks):
            arrays |= _network_arrays(f"{kind}.network{number}", network)
        heads[kind] = {
            "schema": schema_digest(kind),
            "threshold": head.threshold,
            "lift": head.lift,
            "scales": scales,
            "networks": [_describe_network(network) for network in head.networks],
        }
        if head.site is not None:
            arrays |= {f"{kind}.site.mean": head.site.mean, f"{kind}.site.scale": head.site.scale}
            arrays |= _network_arrays(f"{kind}.site", head.site.network)
            heads[kind]["site"] = {"schema": site_schema_digest(), "network": _describe_network(head.site.network)}
    return heads, arrays


def _network_arrays(name: str, network: Network) -> dict[str, NDArray[Any]]:
    return {
        f"{name}.layer{place}.{part}": array
        for place, layer in enumerate([*(stage.layer for stage in network.stages), network.output])
        for part, array in (("weight", layer.weight), ("scale", layer.scale), ("bias", layer.bias))
    }


def _describe_network(network: Network) -> dict[str, Any]:
    """What of a network is not in its arrays."""
    return {
        "stages": [
            {"sight": str(stage.sight), "distance": stage.distance, "unit": stage.layer.unit}
            for stage in network.stages
        ],
        "output_unit": network.output.unit,
    }


def _describe(array: NDArray[Any]) -> dict[str, Any]:
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": _sha256(array)}


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """Digest of all of a manifest but the digest itself: against accidents; who alters it on purpose can alter both."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _sha256(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def load_model(folder: Path) -> Model:
    """Load and verify a model folder.

    Sizes, shapes, types, digests, finiteness and the feature schema are checked before anything is used.

    Raises:
        ModelError: The folder is missing, damaged, altered, or made for another version; the message says which.
    """
    manifest = _read_manifest(folder)
    arrays = _read_arrays(folder / WEIGHTS, manifest)
    try:
        heads = {
            kind: build_head(kind, manifest["heads"][kind], arrays, folder / MANIFEST)
            for kind in _kinds(manifest, folder)
        }
        return Model(str(manifest["name"]), heads, dict(manifest["info"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(
            f"{folder / MANIFEST}: the manifest does not describe a model ({error!r}); get the model again"
        ) from error


def read_golden(folder: Path) -> list[dict[str, Any]]:
    """The golden rows that were written with a model, for `detector.golden.replay`.

    Raises:
        ModelError: There are none, or they are not the ones in the manifest.
    """
    manifest, path = _read_manifest(folder), folder / GOLDEN
    try:
        content = _read_whole(path, MAX_MANIFEST_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot read the golden rows ({error.strerror}); get the model again") from error
    if hashlib.sha256(content).hexdigest() != manifest.get("golden"):
        raise ModelError(f"{path}: not the golden rows in the manifest; get the model again")
    try:
        rows = json.loads(content)
        if not isinstance(rows, list) or not all(map(is_golden_row, rows)):
            raise ValueError("not rows of pages and probabilities")
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: no golden rows ({error}); get the model again") from error
    return rows


def _read_whole(path: Path, most: int) -> bytes:
    """A file of the model's folder.

    Raises:
        ModelError: It is larger than `most` bytes, a link that leads out of the folder, or no file but a device or pipe.
        OSError: It cannot be read.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(path.parent)):
        raise ModelError(
            f"{path}: a link that leads out of the model's folder; copy the folder with cp -rL and use that"
        )
    if not stat.S_ISREG(path.stat().st_mode):
        raise ModelError(f"{path}: not a regular file; name a folder made by 'detector train'")
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise ModelError(f"{path}: larger than that of any honest model ({most:,} bytes)")
    return content


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(_read_whole(path, MAX_MANIFEST_BYTES).decode("utf-8"))
    except OSError as error:
        raise ModelError(
            f"{folder}: no model here ({error.strerror}: {path.name}); name a folder made by 'detector train'"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON ({error}); get the model again") from error
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int:
        raise ModelError(f"{path}: not a model manifest; name a folder made by 'detector train'")
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"{path}: model format {manifest['format']}, this version reads {FORMAT}; "
            + ("upgrade the package" if manifest["format"] > FORMAT else "train the model again")
        )
    if manifest.get("sha256") != manifest_sha256(manifest):
        raise ModelError(f"{path}: altered or damaged since it was written; get the model again")
    if manifest.get("labels") != [str(label) for label in LABELS]:
        raise ModelError(
            f"{path}: its labels are {manifest.get('labels')}, expected {[str(label) for label in LABELS]}"
        )
    return manifest


def _kinds(manifest: dict[str, Any], folder: Path) -> list[Kind]:
    kinds: list[Kind] = [kind for kind in ("text", "html") if kind in manifest["heads"]]
    if not kinds or len(kinds) != len(manifest["heads"]):
        raise ModelError(f"{folder / MANIFEST}: heads {sorted(manifest['heads'])}; expected 'text', 'html' or both")
    for kind in kinds:
        if manifest["heads"][kind]["schema"] != schema_digest(kind):
            made = manifest["info"].get("schema") if isinstance(manifest.get("info"), dict) else None
            newer = isinstance(made, int) and made > SCHEMA
            raise ModelError(
                f"{folder}: made for {'newer' if newer else 'other'} {kind} features than this version computes; "
                + ("upgrade the package" if newer else "train it again, or use the package version it was made with")
            )
    return kinds


def _read_arrays(path: Path, manifest: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """The arrays that the manifest describes, each the one that was saved.

    No header in the archive is parsed: the manifest says what every member must begin with.
    """
    described = manifest.get("arrays")
    if not isinstance(described, dict):
        raise ModelError(f"{path.parent / MANIFEST}: no table of arrays; get the model again")
    arrays: dict[str, NDArray[Any]] = {}
    try:
        content = _read_whole(path, MAX_WEIGHTS_BYTES)
        _check_directory(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            if sum(entry.file_size for entry in members.values()) > MAX_WEIGHTS_BYTES:
                raise ModelError(f"{path}: unpacks to more than {MAX_WEIGHTS_BYTES} bytes; not an honest model")
            if members.keys() != described.keys():
                odd = sorted(members.keys() ^ described.keys())
                raise ModelError(f"{path}: weights and manifest disagree about {odd[:3]}; get the model again")
            for name, entry in members.items():
                if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ModelError(f"{path}: array '{name}' is packed in a way this package never writes")
                header, shape, dtype = _expected(described[name])
                if entry.file_size != len(header) + dtype.itemsize * math.prod(shape):
                    raise ModelError(f"{path}: array '{name}' has another size than the manifest says")
                member = archive.read(entry)
                arrays[name] = np.frombuffer(member, dtype, offset=len(header)).reshape(shape)
                if not member.startswith(header) or _sha256(arrays[name]) != described[name]["sha256"]:
                    raise ModelError(f"{path}: array '{name}' is not the one in the manifest; get the model again")
                if not np.isfinite(arrays[name]).all():
                    raise ModelError(f"{path}: array '{name}' holds values that are not finite; get the model again")
    except OSError as error:
        raise ModelError(f"{path}: cannot read the weights ({error}); get the model again") from error
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError, zlib.error) as error:
        raise ModelError(f"{path}: damaged weights ({error}); get the model again") from error
    return arrays


def _check_directory(archive: bytes) -> None:
    """Refuse a zip archive with an endless directory, which the library would read at once, before any check of ours.

    Raises:
        ValueError: It has one, or does not end as this package writes it.
    """
    end = archive[-_DIRECTORY_END.size :]
    if len(end) < _DIRECTORY_END.size:
        raise ValueError("too short for an archive")
    mark, _, _, _, entries, size, _, comment = _DIRECTORY_END.unpack(end)
    zip64 = archive[-_DIRECTORY_END.size - 20 :].startswith(b"PK\x06\x07")
    if mark != b"PK\x05\x06" or comment or zip64 or entries > _MOST_ARRAYS or size > _MOST_DIRECTORY_BYTES:
        raise ValueError("its directory is not that of an honest model")


def _expected(described: dict[str, Any]) -> tuple[bytes, tuple[int, ...], np.dtype[Any]]:
    """The .npy header, shape and type that a described array must have."""
    shape = described["shape"]
    if described["dtype"] not in DTYPES:
        raise ValueError(f"type {described['dtype']!r}")
    if not isinstance(shape, list) or not all(type(size) is int and 0 <= size <= MAX_WEIGHTS_BYTES for size in shape):
        raise ValueError(f"shape {shape!r}")
    dtype = np.dtype(described["dtype"]).newbyteorder("<")
    header = io.BytesIO()
    fields = {"descr": dtype.str, "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(header, fields)
    return header.getvalue(), tuple(shape), dtype
