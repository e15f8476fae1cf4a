"""One HTML file with everything in it, and the figures once more as PNG files."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

from detector.data import LABELS, Page
from detector.errors import UsageError
from detector.files import write_whole
from detector.model import Model
from detector.pipeline import Detector
from detector.review import GENERATED, render, review_page
from training.evaluate import Row, Score, as_dicts
from training.report import findings
from training.report.predictions import Predictions
from training.report.style import STYLE

MOST_PAGES = 25
MOST_SITES = 200
REVIEW = "review.html"

_CAPTIONS = {
    "confusion": ("Confusion", "Segments by their label and by the model's decision; percentages are of a row."),
    "curves": ("Precision and recall", "Of each label against the others, at every threshold."),
    "reliability": (
        "Reliability",
        "On the diagonal a probability means what it says; a dot's size is its number of segments.",
    ),
    "sites": (
        "Sites",
        "The worst sites first; bars are 95 % intervals. Segments of a page are alike, so the truth is wider.",
    ),
    "importance": (
        "Features",
        "Each shuffled together with its copies for neighbours and page; bars are standard errors.",
    ),
}
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_report(
    folder: Path, model: Model, predictions: Sequence[Predictions], rows: Sequence[Row], before: Sequence[Row] = ()
) -> Path:
    """Write the report of a model.

    Args:
        folder: Made if it is missing; files of an older report are replaced.
        model: The model behind the predictions: it has not seen their pages.
        predictions: Of `predict`, on held-out pages.
        rows: Figures of the same pages.
        before: Figures of the model that this one extends, if any.

    Returns:
        The path of the HTML file.

    Raises:
        UsageError: The folder cannot be written.
    """
    parts = [_head(model, rows, before)]
    files: dict[str, bytes] = {
        "metrics.json": json.dumps({"held_out": as_dicts(rows), "before": as_dicts(before)}, indent=1).encode()
    }
    worst = [(found, findings.worst_pages(found, MOST_PAGES)) for found in predictions]
    review, numbers = _review(model, worst)
    files[REVIEW] = review.encode("utf-8", "replace")
    for found, pages in worst:
        kind = found.data.kind
        figures, site_rows = _figures(found)
        files |= {f"{kind}-{name}.png": content for name, content in figures.items()}
        parts.append(
            f"<section><h2>{'HTML' if kind == 'html' else 'Text'} pages</h2><p>{len(found.pages):,} pages, "
            f"{int(found.known.sum()):,} labelled segments.</p>{_pictures(figures)}"
        )
        parts.append(_site_table(site_rows))
        of_kind, numbers = numbers[: len(pages)], numbers[len(pages) :]
        parts.append(_page_table(pages, of_kind))
        parts.append("</section>")
    files["index.html"] = _page(f"Report of model {model.name}", "".join(parts)).encode("utf-8", "replace")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise UsageError(f"{folder}: the report cannot be written ({error.strerror}); name another folder") from error
    return folder / "index.html"


def _figures(found: Predictions) -> tuple[dict[str, bytes], list[findings.Site]]:
    """The pictures of one kind of page, by name, and the sites in them."""
    from training.report import plots

    by_site = findings.sites(found)
    return {
        "confusion": plots.confusion_plot(findings.confusion(found)),
        "curves": plots.curves_plot([findings.curve(found, label) for label in range(len(LABELS))]),
        "reliability": plots.reliability_plot(findings.reliability(found)),
        "sites": plots.sites_plot(by_site),
        "importance": plots.importance_plot(findings.importances(found)),
    }, by_site


def _review(model: Model, worst: Sequence[tuple[Predictions, Sequence[findings.WorstPage]]]) -> tuple[str, list[int]]:
    """The worst pages as a review page, and the number of each in it."""
    detector = Detector(model)
    shown = []
    for found, pages in worst:
        for one in pages:
            kind = found.data.kind
            labelled = found.pages[one.number]
            page = Page(labelled.sample.content if kind == "html" else labelled.page.text, kind, labelled.sample.url)
            shown.append(review_page(one.name, page, detector.classify(page)))
    # A page that is there twice is shown once: numbers follow the first of each.
    numbers: dict[str, int] = {}
    return render(shown), [numbers.setdefault(page.digest, len(numbers)) for page in shown]


def _head(model: Model, rows: Sequence[Row], before: Sequence[Row]) -> str:
    earlier = {row.group: row for row in before}
    lines = []
    for row in rows:
        cells = "".join(
            _score(getattr(row, figure), getattr(earlier.get(row.group), figure, None))
            for figure in ("macro_f1", "content_lost", "unwanted_left", "word_f1")
        )
        lines.append(f"<tr><td>{_text(row.group)}</td><td>{row.pages}</td>{cells}</tr>")
    compared = (
        f" Below each figure, that of <b>{_text(model.info.get('extends', 'the model before'))}</b> on the same pages."
        if before
        else ""
    )
    return (
        f"<h1>{_text(model.name)}</h1><p>Every figure is of sites that the measured model had not seen. In brackets: "
        "95&nbsp;% intervals, by bootstrap over pages. Macro F1 is of keep and remove over segments; lost and left are "
        f"shares of characters.{compared}</p>"
        + _table(("pages of", "pages", "macro F1", "content lost", "unwanted left", "word F1"), lines)
    )


def _score(score: Score | None, old: Score | None) -> str:
    shown = f"<td>{_text(score if score is not None else '')}"
    return shown + (f"<small>{_text(old)}</small></td>" if old is not None else "</td>")


def _pictures(figures: dict[str, bytes]) -> str:
    parts = []
    for name, content in figures.items():
        title, caption = _CAPTIONS[name]
        data = base64.b64encode(content).decode()
        wide = ' class="wide"' if name in ("sites", "importance") else ""
        parts.append(
            f'<figure{wide}><h3>{title}</h3><img alt="{title}" src="data:image/png;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    return f'<div class="figures">{"".join(parts)}</div>'


def _site_table(by_site: Sequence[findings.Site]) -> str:
    lines = [
        f"<tr><td>{_text(site.name)}</td><td>{site.pages}</td><td>{site.segments:,}</td>"
        f"<td>{site.accuracy:.3f} [{site.low:.3f}, {site.high:.3f}]</td></tr>"
        for site in by_site[:MOST_SITES]
    ]
    more = f"<p>{len(by_site) - MOST_SITES} better ones are not listed.</p>" if len(by_site) > MOST_SITES else ""
    table = _table(("site", "pages", "segments", "rightly kept or removed"), lines)
    return f"<details><summary>All {len(by_site)} sites</summary>{table}{more}</details>"


def _page_table(pages: Sequence[findings.WorstPage], numbers: Sequence[int]) -> str:
    """The worst pages, linked to the review page by their numbers in it."""
    if not pages:
        return "<h3>Worst pages</h3><p>No page with a mistake.</p>"
    lines = []
    for page, number in zip(pages, numbers, strict=True):
        name = f'<a href="{REVIEW}#page-{number}">{_text(page.name)}</a>'
        lines.append(
            f"<tr><td>{name}</td><td>{page.lost:,}</td><td>{page.left:,}</td><td>{page.chars:,}</td>"
            f"<td>{(page.lost + page.left) / page.chars:.0%}</td></tr>"
        )
    table = _table(("page", "characters lost", "characters left", "of", "wrong"), lines)
    return f"<h3>Worst pages</h3>{table}"


def _table(heads: Sequence[str], lines: Sequence[str]) -> str:
    row = "".join(f"<th>{head}</th>" for head in heads)
    return f'<div class="table"><table><thead><tr>{row}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _text(value: object) -> str:
    return html.escape(str(value))


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta {GENERATED}>'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{_text(title)}</title>'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )
