"""The figures of a report as PNG files; the only file that knows matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from detector.data import LABELS
from training.report.findings import Curve, Importance, Reliability, Site

COLOURS = ("#1b7f5c", "#c4481c", "#5b6472")
"""Content, link list, boilerplate: also apart in grey and for the colour-blind."""

_INK, _FAINT = "#22272e", "#d9dde3"
_DPI = 144
MOST_SITES, MOST_FEATURES = 24, 20


def confusion_plot(counts: NDArray[np.int64]) -> bytes:
    """Rows are true labels; shade and percentage are shares of a row."""
    figure, axes = _figure(4.4, 3.7)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    for row in range(len(counts)):
        for column in range(len(counts)):
            ink = "white" if shares[row, column] > 0.55 else _INK
            text = f"{shares[row, column]:.1%}\n{counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=10)
    names = [str(label).replace("_", " ") for label in LABELS]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("decided")
    axes.set_ylabel("labelled")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(False)
    return _png(figure)


def curves_plot(curves: Sequence[Curve]) -> bytes:
    """Precision against recall, a line a label."""
    figure, axes = _figure(4.4, 3.7)
    for one, label, colour in zip(curves, LABELS, COLOURS, strict=True):
        name = f"{str(label).replace('_', ' ')} ({one.average:.3f})"
        axes.step(
            np.append(0, one.recall), np.append(one.precision[:1], one.precision), where="pre", color=colour, label=name
        )
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    axes.legend(title="label (average precision)", loc="lower left", frameon=False)
    return _png(figure)


def reliability_plot(found: Reliability) -> bytes:
    """Observed share of content against its probability; the larger a dot, the more segments."""
    figure, axes = _figure(4.4, 3.7)
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1.5, zorder=1)
    axes.plot(found.predicted, found.observed, color=COLOURS[0], linewidth=1.2, zorder=2)
    sizes = 20 + 180 * np.sqrt(found.counts / max(int(found.counts.max(initial=1)), 1))
    axes.scatter(found.predicted, found.observed, s=sizes, color=COLOURS[0], zorder=3)
    axes.set_xlabel("probability of content")
    axes.set_ylabel("share that is content")
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-0.04, 1.04)
    axes.text(0.02, 0.96, f"calibration error {found.error:.3f}", va="top", color=_INK)
    return _png(figure)


def importance_plot(found: Sequence[Importance]) -> bytes:
    """What macro F1 loses without a feature."""
    shown = list(found[:MOST_FEATURES])[::-1]
    figure, axes = _figure(7.2, 1.0 + 0.27 * len(shown))
    places = range(len(shown))
    axes.barh(
        places,
        [one.drop for one in shown],
        xerr=[one.error for one in shown],
        color=COLOURS[0],
        ecolor=_INK,
        height=0.66,
    )
    axes.set_yticks(places, [one.name for one in shown])
    axes.set_xlabel("fall of macro F1 when shuffled")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    return _png(figure)


def sites_plot(found: Sequence[Site]) -> bytes:
    """The worst sites: share of segments rightly kept or removed, with 95 % intervals."""
    shown = list(found[:MOST_SITES])[::-1]
    figure, axes = _figure(7.2, 1.0 + 0.27 * len(shown))
    places = range(len(shown))
    axes.hlines(places, [site.low for site in shown], [site.high for site in shown], color=_FAINT, linewidth=5)
    axes.scatter([site.accuracy for site in shown], places, color=COLOURS[0], s=26, zorder=3)
    axes.set_yticks(places, [_short(site.name) for site in shown])
    axes.set_xlim(min(0.5, min((site.low for site in shown), default=0.5)), 1.01)
    axes.set_xlabel("segments rightly kept or removed")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    return _png(figure)


def _short(name: str) -> str:
    """A site's name without what matplotlib takes for a formula, and without characters its font may lack."""
    plain = "".join(char if " " <= char <= "~" and char != "$" else "?" for char in name)
    return plain if len(plain) <= 36 else "…" + plain[-35:]


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of the report's look; not registered with pyplot, so that nothing outlives the call."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(_FAINT)
    axes.tick_params(colors=_INK, labelsize=9)
    return figure, axes


def _png(figure: Figure) -> bytes:
    """The figure as PNG; the same bytes from the same figures."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
