"""Golden rows: small pages with the probabilities a model gave their segments, and that of spam, when it was made, to be replayed elsewhere.

The pages travel with the model, so a replay says whether this machine and these versions of the libraries (the HTML
parser among them) still decide as the maker's did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detector.data import LABELS, Kind, SegmentedPage
from detector.errors import ModelError
from detector.features import extract
from detector.model import Model
from detector.segment import segment_html, segment_text

TOLERANCE = 1e-6
"""Difference of a probability that no decision hangs on; the networks compute in whole numbers and hardly need it."""

_PAGES: tuple[tuple[Kind, str], ...] = (
    (
        "text",
        "Home | About | Contact\n"
        "Old weir at Tarn Ford to be rebuilt\n"
        "The weir that broke in the January flood will be rebuilt by next autumn, the parish council said on Tuesday.\n"
        "It has held back the mill pond since 1784, and its stones lie scattered over a quarter of a mile of river bed.\n"
        "Share this\n"
        "Related stories\n"
        "- Ferry to Holm stops for repairs - The Tarn Echo [Last Updated On: March 3rd, 2015]\n"
        "- Bakery wins county prize again - The Tarn Echo [Last Updated On: March 1st, 2015]\n"
        "- Snow closes both passes - Fell Courier [Last Updated On: February 26th, 2015]\n"
        "Copyright 2015 Tarn Echo. All rights reserved.",
    ),
    (
        "text",
        "Linsensuppe mit Birnen\n"
        "Zutaten\n"
        "300 g Berglinsen\n"
        "2 reife Birnen\n"
        "1 Liter Gemüsebrühe\n"
        "Die Linsen über Nacht einweichen und am nächsten Tag in der Brühe weich kochen, das dauert etwa vierzig Minuten.\n"
        "Anmelden   Impressum   Datenschutz\n"
        "Suppen, Eintöpfe, Winterküche, schnell gekocht, vegetarisch",
    ),
    (
        "text",
        "首页 > 新闻 > 地方\n"
        "河边的老磨坊今年秋天将重新开放，村里的人为修复它整整忙了三年。\n"
        "下一篇：渡口停运一周\n"
        "上一篇：今年的第一场雪",
    ),
    (
        "html",
        "<html><head><title>Weir</title><style>p{color:red}</style></head><body>"
        "<nav class=menu><ul><li><a href=/>Home</a><li><a href=/n>News</a><li><a href=/c>Contact</a></ul></nav>"
        "<main id=story><h1>Old weir at Tarn Ford to be rebuilt</h1><p class=byline>By Anne Holt"
        "<p>The weir that broke in the <a href=/flood>January flood</a> will be rebuilt by next autumn, the parish "
        "council said on Tuesday.<p>It has held back the mill pond since 1784 &amp; longer."
        "<table><tr><th>Year<th>Height<tr><td>1784<td>2.1 m<tr><td>1902<td>2.4 m</table></main>"
        "<aside class=related><h2>Related</h2><div><a href=/1>Ferry to Holm stops for repairs</a></div>"
        "<div><a href=/2>Bakery wins county prize again</a></div><div><a href=/3>Snow closes both passes</a></div></aside>"
        "<div hidden>Subscribe now</div><footer>Copyright 2015<br><a href=/p>Privacy</a></footer>",
    ),
    (
        "html",
        "<div class='post'><div>Die Fähre nach Holm fährt wieder.<br>Sie war drei Wochen in der Werft, "
        "weil ein Ruder gebrochen war.</div></div><pre>08:10  Holm\n09:40  Tarn</pre>"
        "<ul class='tags'><li><a href=t1>Fähre</a><li><a href=t2>Holm</a><li><a href=t3>Fahrplan</a></ul>"
        "<form><label>E-Mail</label><button>Anmelden</button></form>",
    ),
)


def golden_rows(model: Model) -> list[dict[str, Any]]:
    """The golden pages of the kinds that the model knows, each with what the model says of it, ready for JSON."""
    rows = []
    for kind, page in _PAGES:
        if kind in model.heads:
            judgement = _judge(model, kind, page)
            # Nine digits tell any two float32 apart.
            found = [[float(f"{value:.9g}") for value in row] for row in judgement.probabilities]
            rows.append(
                {"kind": kind, "page": page, "probabilities": found, "spam_probability": judgement.spam_probability}
            )
    return rows


def is_golden_row(row: Any) -> bool:
    """Whether something read from JSON has the form of a golden row."""
    if not isinstance(row, dict) or row.get("kind") not in ("text", "html") or not isinstance(row.get("page"), str):
        return False
    if "spam_probability" not in row or type(row["spam_probability"]) not in (float, type(None)):
        return False
    found = row.get("probabilities")
    return isinstance(found, list) and all(
        isinstance(values, list) and len(values) == len(LABELS) and all(type(value) is float for value in values)
        for values in found
    )


def replay(model: Model, rows: list[dict[str, Any]]) -> int:
    """Compute golden rows again and compare them; how many segments were compared.

    Args:
        model: The model.
        rows: As `golden_rows` gave them when the model was made.

    Raises:
        ModelError: A row differs by more than `TOLERANCE`; the message names the first.
    """
    compared = 0
    for number, row in enumerate(rows, 1):
        where = f"golden page {number} ({row['kind']})"
        judgement = _judge(model, row["kind"], row["page"])
        if len(judgement.probabilities) != len(row["probabilities"]):
            raise ModelError(
                f"{where} is cut into {len(judgement.probabilities)} segments here and was into {len(row['probabilities'])}; {_ADVICE}"
            )
        for place, (text, now, then) in enumerate(
            zip(judgement.page.segment_texts(), judgement.probabilities, row["probabilities"], strict=True), 1
        ):
            for label, value, golden in zip(LABELS, now, then, strict=True):
                _compare(value, golden, f"{where}, segment {place} ({text[:40]!r}): {label}")
            compared += 1
        _compare(judgement.spam_probability, row["spam_probability"], f"{where}: its probability of spam")
    return compared


_ADVICE = (
    "this model decides otherwise here than where it was made: install the versions it was made with, or train it again"
)


def _compare(value: float | None, golden: float | None, what: str) -> None:
    """Refuse a probability that is another here; None stands for one that is not known."""
    alike = value is golden if value is None or golden is None else abs(value - golden) <= TOLERANCE
    if not alike:
        raise ModelError(f"{what} is {_shown(value)} here and was {_shown(golden)}; {_ADVICE}")


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.7f}"


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What a model says of a page.

    Attributes:
        page: Its segments.
        probabilities: (n_segments, n_labels).
        spam_probability: None if the model cannot tell.
    """

    page: SegmentedPage
    probabilities: list[list[float]]
    spam_probability: float | None


def _judge(model: Model, kind: Kind, page: str) -> _Judgement:
    segmented = segment_html(page) if kind == "html" else segment_text(page)
    probabilities = model.head(kind).predict_proba(extract([segmented], kind)).tolist()
    return _Judgement(segmented, probabilities, model.spam_probability(segmented))
