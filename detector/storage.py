"""Model folders on disk: plain arrays and a JSON manifest, checked before use; loading runs no code of theirs."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import LABELS, Kind
from detector.errors import ModelError
from detector.features import DOM_BITS, TEXT_BITS
from detector.model import HashedScorer, Head, Model, Network, input_names, schema_digest

MANIFEST = "model.json"
WEIGHTS = "weights.npz"
FORMAT = 1
MAX_MANIFEST_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 64 << 20
"""No honest model comes near; a larger one is refused before it is unpacked."""


def save_model(model: Model, folder: Path) -> None:
    """Write the model's folder: `model.json` and `weights.npz`.

    The manifest is written last and by renaming, so that a folder with a manifest is whole.
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
        for number, network in enumerate(head.networks):
            for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
                arrays[f"{kind}.network{number}.weight{layer}"] = weight.astype(np.float32)
                arrays[f"{kind}.network{number}.bias{layer}"] = bias.astype(np.float32)
        heads[kind] = {
            "schema": schema_digest(kind),
            "threshold": head.threshold,
            "scales": scales,
            "layers": [len(network.weights) for network in head.networks],
        }
    temporary = folder / f".{WEIGHTS}.tmp"
    with temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    temporary.replace(folder / WEIGHTS)
    manifest = {
        "format": FORMAT,
        "name": model.name,
        "labels": [str(label) for label in LABELS],
        "heads": heads,
        "arrays": {name: _describe(array) for name, array in arrays.items()},
        "info": model.info,
    }
    temporary = folder / f".{MANIFEST}.tmp"
    temporary.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(folder / MANIFEST)


def _describe(array: NDArray[Any]) -> dict[str, Any]:
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": _sha256(array)}


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
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise ModelError(f"{path}: not a model manifest; name a folder made by 'detector train'")
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"{path}: model format {manifest['format']}, this version reads {FORMAT}; "
            + ("upgrade the package" if manifest["format"] > FORMAT else "train the model again")
        )
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
            raise ModelError(
                f"{folder}: made for other {kind} features than this version computes; "
                "train it again, or use the package version it was made with"
            )
    return kinds


def _read_arrays(path: Path, manifest: dict[str, Any]) -> dict[str, NDArray[Any]]:
    described = manifest.get("arrays")
    if not isinstance(described, dict):
        raise ModelError(f"{path.parent / MANIFEST}: no table of arrays; get the model again")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.infolist()}
            if sum(members.values()) > MAX_WEIGHTS_BYTES:
                raise ModelError(f"{path}: unpacks to more than {MAX_WEIGHTS_BYTES} bytes; not an honest model")
            if members.keys() != described.keys():
                odd = sorted(members.keys() ^ described.keys())
                raise ModelError(f"{path}: weights and manifest disagree about {odd[:3]}; get the model again")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in described}
    except OSError as error:
        raise ModelError(f"{path}: cannot read the weights ({error}); get the model again") from error
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, zlib.error) as error:
        raise ModelError(f"{path}: damaged weights ({error}); get the model again") from error
    for name, array in arrays.items():
        if described[name] != _describe(array):
            raise ModelError(f"{path}: array '{name}' is not the one in the manifest; get the model again")
        if array.dtype not in (np.dtype(np.int8), np.dtype(np.float32)) or not np.isfinite(array).all():
            raise ModelError(f"{path}: array '{name}' is not finite int8 or float32; get the model again")
    return arrays


def _build_head(kind: Kind, described: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Head:
    n_inputs = len(input_names(kind))
    networks = []
    for number, depth in enumerate(described["layers"]):
        if not 1 <= depth <= 8:
            raise ValueError(f"network of {depth} layers")
        weights = [arrays[f"{kind}.network{number}.weight{layer}"] for layer in range(depth)]
        biases = [arrays[f"{kind}.network{number}.bias{layer}"] for layer in range(depth)]
        sizes = [n_inputs, *(weight.shape[-1] for weight in weights)]
        shapes = [weight.shape for weight in weights]
        if sizes[-1] != len(LABELS) or shapes != list(pairwise(sizes)):
            raise ValueError(f"{kind} network {number} has layers of shapes {shapes}")
        if [bias.shape for bias in biases] != [(size,) for size in sizes[1:]]:
            raise ValueError(f"{kind} network {number} has biases of other sizes than its layers")
        networks.append(Network(weights, biases))
    if not networks or not 0 < described["threshold"] < 1:
        raise ValueError(f"{kind} head without networks or with threshold {described['threshold']}")
    mean, scale = arrays[f"{kind}.mean"], arrays[f"{kind}.scale"]
    if mean.shape != (n_inputs,) or scale.shape != (n_inputs,) or not (scale > 0).all():
        raise ValueError(f"{kind} inputs are standardised with arrays of shapes {mean.shape}, {scale.shape}")
    scales = described["scales"]
    return Head(
        words=_build_scorer(f"{kind}.words", scales["words"], TEXT_BITS, arrays),
        classes=_build_scorer(f"{kind}.classes", scales["classes"], DOM_BITS, arrays) if kind == "html" else None,
        mean=mean,
        scale=scale,
        networks=networks,
        threshold=float(described["threshold"]),
    )


def _build_scorer(name: str, scale: float, bits: int, arrays: dict[str, NDArray[Any]]) -> HashedScorer:
    table, bias = arrays[name], arrays[f"{name}.bias"]
    if table.shape != (1 << bits, len(LABELS)) or table.dtype != np.int8 or bias.shape != (len(LABELS),):
        raise ValueError(f"table '{name}' has shape {table.shape} and type {table.dtype}")
    if not np.isfinite(scale):
        raise ValueError(f"table '{name}' has scale {scale}")
    return HashedScorer(table, float(scale), bias)
