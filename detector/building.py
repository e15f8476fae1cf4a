"""A manifest's heads and the arrays it describes to a model: every shape, type and magnitude is checked before use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import LABELS, Kind
from detector.errors import ModelError
from detector.features import DOM_BITS, TEXT_BITS, grouping_names
from detector.model import SITE_INPUT_NAMES, HashedScorer, Head, SiteHead, input_names, site_schema_digest
from detector.network import Layer, Network, Sight, Stage
from detector.places import MOST_REACH
from detector.spam import SpamScorer, n_columns

MOST_NETWORKS = 16
MOST_STAGES = 16
MOST_HIDDEN = 1 << 10
MOST_DISTANCE = 1 << 10
MOST_MAGNITUDE = 1 << 20

_DISTANCES = {Sight.NEIGHBOURS: (1, MOST_DISTANCE), Sight.SIDES: (1, MOST_REACH)}
"""Least and most of a stage; 0 where the sight has none."""


def build_head(kind: Kind, described: dict[str, Any], arrays: dict[str, NDArray[Any]], manifest: Path) -> Head:
    """A head from what a manifest says of it.

    Args:
        kind: Of the pages it is for.
        described: What the manifest says.
        arrays: All arrays of the model.
        manifest: Where it lies, for messages.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: It does not describe one.
        ModelError: Its site memory was made for other features.
    """
    n_inputs, n_groupings = len(input_names(kind)), len(grouping_names(kind))
    networks = [
        _build_network(f"{kind}.network{number}", network, n_inputs, n_groupings, arrays)
        for number, network in enumerate(described["networks"])
    ]
    if not 1 <= len(networks) <= MOST_NETWORKS or not 0 < described["threshold"] < 1:
        raise ValueError(f"{kind} head has {len(networks)} networks and threshold {described['threshold']}")
    if not 0 <= described["lift"] < 1:
        raise ValueError(f"{kind} head has lift {described['lift']}")
    mean, scale = _standard(kind, n_inputs, arrays)
    scales = described["scales"]
    return Head(
        words=_build_scorer(f"{kind}.words", scales["words"], TEXT_BITS, arrays),
        classes=_build_scorer(f"{kind}.classes", scales["classes"], DOM_BITS, arrays) if kind == "html" else None,
        mean=mean,
        scale=scale,
        networks=networks,
        threshold=float(described["threshold"]),
        lift=float(described["lift"]),
        spam=_build_spam_scorer(f"{kind}.spam", scales, n_inputs, arrays) if "spam_bias" in scales else None,
        site=_build_site(kind, described["site"], arrays, manifest) if "site" in described else None,
    )


def _build_site(kind: Kind, described: dict[str, Any], arrays: dict[str, NDArray[Any]], manifest: Path) -> SiteHead:
    if described["schema"] != site_schema_digest():
        raise ModelError(
            f"{manifest}: the {kind} head's site memory was made for other features than this version computes; "
            "train it again (detector signatures teach), or use the package version it was made with"
        )
    n_inputs = len(SITE_INPUT_NAMES)
    mean, scale = _standard(f"{kind}.site", n_inputs, arrays)
    return SiteHead(mean, scale, _build_network(f"{kind}.site", described["network"], n_inputs, 0, arrays))


def _standard(
    name: str, n_inputs: int, arrays: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the inputs of a head are standardised with."""
    mean, scale = arrays[f"{name}.mean"], arrays[f"{name}.scale"]
    if mean.shape != (n_inputs,) or scale.shape != (n_inputs,) or not (scale > 0).all():
        raise ValueError(f"{name} inputs are standardised with arrays of shapes {mean.shape}, {scale.shape}")
    return mean, scale


def _build_spam_scorer(
    name: str, scales: dict[str, float], n_inputs: int, arrays: dict[str, NDArray[Any]]
) -> SpamScorer:
    """A scorer whose layers fit the summary of a page and whose results stay finite."""
    width = n_columns(n_inputs)
    words, hidden, hidden_bias, output = (
        arrays[f"{name}.{part}"] for part in ("words", "hidden", "hidden_bias", "output")
    )
    mean, scale = _standard(name, width, arrays)
    if words.shape != (1 << TEXT_BITS,) or words.dtype != np.int8:
        raise ValueError(f"'{name}' has words of shape {words.shape} and type {words.dtype}")
    if output.ndim != 1 or hidden.shape != (width, len(output)) or output.shape != hidden_bias.shape:
        raise ValueError(f"'{name}' has shapes {hidden.shape}, {hidden_bias.shape}, {output.shape}")
    if len(output) > MOST_HIDDEN:
        raise ValueError(f"'{name}' has {len(output)} hidden units")
    units = float(scales["spam_words"]), float(scales["spam_bias"])
    for values in (hidden, hidden_bias, output, np.array(units)):
        if not np.abs(values).max(initial=0) <= MOST_MAGNITUDE:
            raise ValueError(f"'{name}' has values beyond {MOST_MAGNITUDE}")
    return SpamScorer(words, units[0], mean, scale, hidden, hidden_bias, output, units[1])


def _build_network(
    name: str, described: dict[str, Any], n_inputs: int, n_groupings: int, arrays: dict[str, NDArray[Any]]
) -> Network:
    """A network whose layers fit each other, and the groupings there are."""
    if len(described["stages"]) > MOST_STAGES:
        raise ValueError(f"'{name}' has {len(described['stages'])} stages")
    stages: list[Stage] = []
    width = n_inputs
    for place, stage in enumerate(described["stages"]):
        sight, distance = Sight(stage["sight"]), stage["distance"]
        least, most = _DISTANCES.get(sight, (0, 0))
        if type(distance) is not int or not least <= distance <= most:
            raise ValueError(f"stage {place} of '{name}' has distance {distance!r}")
        if sight == Sight.GROUPS and not n_groupings:
            raise ValueError(f"stage {place} of '{name}' looks at groups, and there are none")
        layer = _build_layer(f"{name}.layer{place}", width * sight.parts(n_groupings), stage["unit"], arrays)
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
