"""Figures of all contenders by corpus, as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detector.errors import UsageError
from detector.files import write_whole
from training.evaluation.rows import Row

PANELS = (
    ("macro_f1", "keep/remove macro F1"),
    ("word_f1", "word F1"),
    ("shingle_f1", "4-gram F1"),
    ("snippets", "snippets right"),
)
OURS = ("#c2410c", "#0f766e")
"""Colours of our models."""
PEERS = ("#64748b", "#2563eb", "#a16207", "#7c3aed", "#15803d")
MARKERS = "sD^vP"
SPREAD = 0.8
"""Height of a group's points, of the distance between groups."""


def require_matplotlib() -> None:
    """Look for matplotlib before the work is done.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - asked for at the door, so that the message can name the extra
    except (ImportError, OSError) as error:
        raise UsageError(
            f"a chart needs matplotlib ({error}); run: pip install 'link-farm-detector[report]'"
        ) from error


def draw(rows: Sequence[Row], path: Path, models: Sequence[str]) -> None:
    """Draw a panel for each of the main figures: a line a corpus, a point with its 95 % interval a contender.

    Args:
        rows: Figures of all contenders.
        path: The PNG file to write.
        models: Which contenders are models of ours.

    Raises:
        OSError: The file cannot be written; `filename` is its own.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = [row for row in rows if row.split == "corpus"]
    panels = [(name, title) for name, title in PANELS if any(row.figure(name) for row in rows)]
    groups = {name: list(dict.fromkeys(row.group for row in rows if row.figure(name)))[::-1] for name, _ in panels}
    contenders = list(dict.fromkeys(row.contender for row in rows))
    contenders.sort(key=lambda name: (name not in models, name))
    heights = [len(groups[name]) for name, _ in panels]
    step = max(0.34, 0.11 * len(contenders) + 0.1)
    figure, axes = pyplot.subplots(
        len(panels),
        figsize=(9, 1.3 + step * sum(heights) + 0.55 * len(panels)),
        height_ratios=[height + 0.3 for height in heights],
        layout=ConstrainedLayoutEngine(h_pad=0.09),
        squeeze=False,
    )
    for (name, title), axis in zip(panels, axes[:, 0], strict=True):
        _panel(axis, rows, name, groups[name], contenders, models)
        axis.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=4)
    handles = {handle.get_label(): handle for axis in axes[:, 0] for handle in axis.get_legend_handles_labels()[0]}
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside upper left",
        ncols=min(4, len(handles)),
        frameon=False,
        fontsize=9,
    )
    figure.supxlabel("lines: 95 % intervals by bootstrap over pages", fontsize=9, color="#475569")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    pyplot.close(figure)
    write_whole(path, content.getvalue())


def _panel(
    axis: Any, rows: Sequence[Row], name: str, groups: Sequence[str], contenders: Sequence[str], models: Sequence[str]
) -> None:
    """One figure: groups from top to bottom, each with the points of the contenders that have it, in their order."""
    places = _places(rows, name, groups, contenders)
    for index, contender in enumerate(contenders):
        ours = contender in models
        rank = index if ours else index - len(models)
        points = [
            (places[row.group, contender], score)
            for row in rows
            if row.contender == contender and (score := row.figure(name)) is not None
        ]
        if not points:
            continue
        axis.errorbar(
            [score.value for _, score in points],
            [y for y, _ in points],
            xerr=[
                [max(0.0, score.value - score.low) for _, score in points],
                [max(0.0, score.high - score.value) for _, score in points],
            ],
            fmt="o" if ours else MARKERS[rank % len(MARKERS)],
            color=(OURS if ours else PEERS)[rank % len(OURS if ours else PEERS)],
            markersize=7 if ours else 5,
            elinewidth=1.6 if ours else 1.0,
            label=f"link-farm-detector: {contender}" if ours else contender,
            zorder=3 if ours else 2,
        )
    axis.set_yticks(range(len(groups)), groups, fontsize=9)
    axis.set_ylim(-0.5, len(groups) - 0.5)
    axis.set_xlim(right=1.005)
    for line in range(len(groups) - 1):
        axis.axhline(line + 0.5, color="#e2e8f0", linewidth=0.8, zorder=0)
    axis.grid(axis="x", color="#e2e8f0", linewidth=0.8, zorder=0)
    axis.tick_params(axis="both", length=0, labelsize=9)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _places(
    rows: Sequence[Row], name: str, groups: Sequence[str], contenders: Sequence[str]
) -> dict[tuple[str, str], float]:
    """The height of each point, by group and contender: a group's points are evenly spread about its line."""
    places = {}
    for height, group in enumerate(groups):
        present = {row.contender for row in rows if row.group == group and row.figure(name) is not None}
        ranked = [contender for contender in contenders if contender in present]
        for rank, contender in enumerate(ranked):
            places[group, contender] = height + SPREAD * (len(ranked) - 1 - 2 * rank) / (2 * len(contenders))
    return places
