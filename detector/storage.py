"""Model folders on disk: plain arrays and a JSON manifest, checked before use; loading runs no code of theirs."""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import LABELS, Kind
from detector.errors import ModelError
from detector.features import DOM_BITS, SCHEMA, TEXT_BITS
from detector.model import (
    SITE_INPUT_NAMES,
    HashedScorer,
    Head,
    Model,
    SiteHead,
    input_names,
    schema_digest,
    site_schema_digest,
)
from detector.network import Layer, Network, Sight, Stage
from detector.spam import SpamScorer

MANIFEST = "model.json"
WEIGHTS = "weights.npz"
FORMAT = 2
MOST_STAGES = 16
MOST_DISTANCE = 1 << 10
MOST_MAGNITUDE = 1 << 20
DTYPES = ("int8", "int16", "float32")
MAX_MANIFEST_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 64 << 20
"""No honest model comes near; a larger one is refused before it is unpacked."""


def save_model(model: Model, folder: Path) -> None:
    """Write the model's folder: `model.json` and `weights.npz`.

    The manifest is written last and by renaming, so that a folder with a manifest is whole. Weights are not compressed:
    it would save a third, and cost a third of the time in which a process starts.
    """
    folder.mkdir(parents=True, exist_ok=True)
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
            arrays[f"{kind}.spam"] = head.spam.weight
            scales["spam_bias"] = head.spam.bias
        for number, network in enumerate(head.networks):
            arrays |= _network_arrays(f"{kind}.network{number}", network)
        heads[kind] = {
            "schema": schema_digest(kind),
            "threshold": head.threshold,
            "scales": scales,
            "networks": [_describe_network(network) for network in head.networks],
        }
        if head.site is not None:
            arrays |= {f"{kind}.site.mean": head.site.mean, f"{kind}.site.scale": head.site.scale}
            arrays |= _network_arrays(f"{kind}.site", head.site.network)
            heads[kind]["site"] = {"schema": site_schema_digest(), "network": _describe_network(head.site.network)}
    temporary = folder / f".{WEIGHTS}.tmp"
    with temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})
    temporary.replace(folder / WEIGHTS)
    manifest = {
        "format": FORMAT,
        "name": model.name,
        "labels": [str(label) for label in LABELS],
        "heads": heads,
        "arrays": {name: _describe(array) for name, array in arrays.items()},
        "info": model.info,
    }
    manifest["sha256"] = _manifest_sha256(manifest)
    temporary = folder / f".{MANIFEST}.tmp"
    temporary.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(folder / MANIFEST)


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


def _manifest_sha256(manifest: dict[str, Any]) -> str:
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
        heads = {kind: _build_head(kind, manifest["heads"][kind], arrays) for kind in _kinds(manifest, folder)}
        return Model(str(manifest["name"]), heads, dict(manifest["info"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{folder / MANIFEST}: the manifest does not describe a model ({error!r}); get the model again"
        ) from error


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ModelError(f"{path}: larger than any honest manifest ({MAX_MANIFEST_BYTES} bytes)")
        manifest = json.loads(path.read_text(encoding="utf-8"))
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
    if manifest.get("sha256") != _manifest_sha256(manifest):
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
        with zipfile.ZipFile(path) as archive:
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
                content = archive.read(entry)
                arrays[name] = np.frombuffer(content, dtype, offset=len(header)).reshape(shape)
                if not content.startswith(header) or _sha256(arrays[name]) != described[name]["sha256"]:
                    raise ModelError(f"{path}: array '{name}' is not the one in the manifest; get the model again")
                if not np.isfinite(arrays[name]).all():
                    raise ModelError(f"{path}: array '{name}' holds values that are not finite; get the model again")
    except OSError as error:
        raise ModelError(f"{path}: cannot read the weights ({error}); get the model again") from error
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError, zlib.error) as error:
        raise ModelError(f"{path}: damaged weights ({error}); get the model again") from error
    return arrays


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


def _build_head(kind: Kind, described: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Head:
    n_inputs = len(input_names(kind))
    networks = [
        _build_network(f"{kind}.network{number}", network, n_inputs, arrays)
        for number, network in enumerate(described["networks"])
    ]
    if not networks or not 0 < described["threshold"] < 1:
        raise ValueError(f"{kind} head without networks or with threshold {described['threshold']}")
    mean, scale = _standard(kind, n_inputs, arrays)
    scales = described["scales"]
    return Head(
        words=_build_scorer(f"{kind}.words", scales["words"], TEXT_BITS, arrays),
        classes=_build_scorer(f"{kind}.classes", scales["classes"], DOM_BITS, arrays) if kind == "html" else None,
        mean=mean,
        scale=scale,
        networks=networks,
        threshold=float(described["threshold"]),
        spam=_build_spam_scorer(f"{kind}.spam", scales["spam_bias"], n_inputs, arrays)
        if "spam_bias" in scales
        else None,
        site=_build_site(kind, described["site"], arrays) if "site" in described else None,
    )


def _build_site(kind: Kind, described: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> SiteHead:
    if described["schema"] != site_schema_digest():
        raise ModelError(
            f"the {kind} head's site memory was made for other features than this version computes; "
            "train it again (detector signatures teach), or use the package version it was made with"
        )
    n_inputs = len(SITE_INPUT_NAMES)
    mean, scale = _standard(f"{kind}.site", n_inputs, arrays)
    return SiteHead(mean, scale, _build_network(f"{kind}.site", described["network"], n_inputs, arrays))


def _standard(
    name: str, n_inputs: int, arrays: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the inputs of a head are standardised with."""
    mean, scale = arrays[f"{name}.mean"], arrays[f"{name}.scale"]
    if mean.shape != (n_inputs,) or scale.shape != (n_inputs,) or not (scale > 0).all():
        raise ValueError(f"{name} inputs are standardised with arrays of shapes {mean.shape}, {scale.shape}")
    return mean, scale


def _build_spam_scorer(name: str, bias: float, n_inputs: int, arrays: dict[str, NDArray[Any]]) -> SpamScorer:
    weight = arrays[name]
    if weight.shape != (2 * n_inputs + 2,) or weight.dtype != np.float32 or not np.isfinite(bias):
        raise ValueError(f"'{name}' has shape {weight.shape}, type {weight.dtype} and bias {bias}")
    return SpamScorer(weight, float(bias))


def _build_network(name: str, described: dict[str, Any], n_inputs: int, arrays: dict[str, NDArray[Any]]) -> Network:
    """A network whose layers fit each other."""
    if len(described["stages"]) > MOST_STAGES:
        raise ValueError(f"'{name}' has {len(described['stages'])} stages")
    stages: list[Stage] = []
    width = n_inputs
    for place, stage in enumerate(described["stages"]):
        sight, distance = Sight(stage["sight"]), stage["distance"]
        near = sight == Sight.NEIGHBOURS
        if type(distance) is not int or not (1 <= distance <= MOST_DISTANCE if near else distance == 0):
            raise ValueError(f"stage {place} of '{name}' has distance {distance!r}")
        layer = _build_layer(f"{name}.layer{place}", 3 * width if near else width, stage["unit"], arrays)
        if sight != Sight.SEGMENT and layer.bias.shape != (width,):
            raise ValueError(f"stage {place} of '{name}' has {layer.bias.shape} outputs, and adds them to {width}")
        width = len(layer.bias)
        stages.append(Stage(layer, sight, distance))
    output = _build_layer(f"{name}.layer{len(stages)}", width, described["output_unit"], arrays)
    if output.bias.shape != (len(LABELS),):
        raise ValueError(f"'{name}' has {output.bias.shape} outputs")
    return Network(stages, output)


def _build_layer(name: str, n_in: int, unit: float, arrays: dict[str, NDArray[Any]]) -> Layer:
    """A layer whose products are exact and whose results stay finite."""
    weight, scale, bias = (arrays[f"{name}.{part}"] for part in ("weight", "scale", "bias"))
    if weight.ndim != 2 or weight.shape[0] != n_in or scale.shape != bias.shape or bias.shape != weight.shape[1:]:
        raise ValueError(f"'{name}' has shapes {weight.shape}, {scale.shape}, {bias.shape}")
    if weight.dtype != np.int16 or np.abs(weight.astype(np.int64)).sum(axis=0).max(initial=0) > Layer.MOST_SUM:
        raise ValueError(f"'{name}' has weights of type {weight.dtype}, or too large")
    if max(np.abs(scale).max(initial=0), np.abs(bias).max(initial=0)) > MOST_MAGNITUDE:
        raise ValueError(f"'{name}' has scales or biases beyond {MOST_MAGNITUDE}")
    if not 0 < unit < 2**16:
        raise ValueError(f"'{name}' has unit {unit}")
    return Layer(weight, scale, bias, float(unit))


def _build_scorer(name: str, scale: float, bits: int, arrays: dict[str, NDArray[Any]]) -> HashedScorer:
    table, bias = arrays[name], arrays[f"{name}.bias"]
    if table.shape != (1 << bits, len(LABELS)) or table.dtype != np.int8 or bias.shape != (len(LABELS),):
        raise ValueError(f"table '{name}' has shape {table.shape} and type {table.dtype}")
    if not np.isfinite(scale):
        raise ValueError(f"table '{name}' has scale {scale}")
    return HashedScorer(table, float(scale), bias)
