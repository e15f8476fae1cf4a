"""What the shipped model must be able to do; a worse model or a broken feature fails here.

The samples are not among the shipped model's training pages, so the floors are figures on pages it has not seen.
"""

from __future__ import annotations

import os
from html import escape
from itertools import product
from pathlib import Path

import pytest

from detector import Detector
from training.corpora import MEASURE_ONLY, label_corpus, read_corpus
from training.evaluate import Row, evaluate
from training.labelling import label_page
from training.samples import read_samples

SAMPLES = Path(__file__).parents[1] / "samples"
CORPORA = os.environ.get("DETECTOR_CORPORA")

# Wording: the sample that lends its article, the heading of the list, its markers, and parts of headlines.
FARMS = {
    "english": (
        "en_essay_ladders",
        "Harbour News Archive",
        "[Last Updated On: June {day}th, 2016] [Originally Added On: June {day}th, 2016]",
        ("Council", "Ferry Company", "Local School", "Dairy Board", "Night Market"),
        ("Votes On", "Delays", "Celebrates", "Questions"),
        ("New Pier", "Winter Timetable", "Old Bridge Repairs", "Budget Plan"),
    ),
    "german": (
        "de_imkerkalender_mai",
        "Archiv der Hafennachrichten",
        "[Zuletzt geändert am: {day}. Juni 2016] [Eingestellt am: {day}. Juni 2016]",
        ("Stadtrat", "Fährgesellschaft", "Grundschule", "Molkerei", "Wochenmarkt"),
        ("streitet über", "verschiebt", "feiert", "prüft"),
        ("die neue Mole", "den Winterfahrplan", "die alte Brücke", "den Haushalt"),
    ),
    "spanish": (
        "es_entrevista_farera",
        "Archivo de noticias del puerto",
        "[Última actualización: {day} de junio de 2016] [Publicado: {day} de junio de 2016]",
        ("El ayuntamiento", "La naviera", "La escuela", "La lechería", "El mercado"),
        ("aprueba", "retrasa", "celebra", "revisa"),
        ("el nuevo muelle", "el horario de invierno", "el puente viejo", "las cuentas"),
    ),
    "chinese": (
        "zh_sanwen_mihuang",
        "港口新闻存档",
        "【最后更新：2016年6月{day}日】【首次发布：2016年6月{day}日】",
        ("市议会", "渡轮公司", "海边小学", "奶业协会", "夜市摊主"),
        ("讨论", "推迟", "庆祝", "质疑"),
        ("新码头工程", "冬季时刻表", "老桥维修", "明年预算"),
    ),
    "no known words": (
        "en_obituary_clockmaker",
        "Brelmo Tavik",
        "{{vorpel {day}/06/2016}} {{drimbo {day}/06/2016}}",
        ("Council", "Ferry Company", "Local School", "Dairy Board", "Night Market"),
        ("Votes On", "Delays", "Celebrates", "Questions"),
        ("New Pier", "Winter Timetable", "Old Bridge Repairs", "Budget Plan"),
    ),
}


WAYS = {
    "list": ("<ul>", '<li><a href="/a">{}</a></li>', "</ul>"),
    "paragraphs": ("", "<p>{}</p>", ""),
    "list without links": ("<ul>", "<li>{}</li>", "</ul>"),
    "table": ("<table>", '<tr><td><a href="/a">{}</a></td></tr>', "</table>"),
    "definition list": ("<dl>", '<dt><a href="/a">{}</a></dt>', "</dl>"),
    "headings": ("", '<div class="post"><h4><a href="/a">{}</a></h4></div>', ""),
}
"""Markup before a list, around its items, and after it; models are taught the first two (`training/markup.py`)."""


def farm(wording: str) -> tuple[list[str], str, list[str]]:
    """The lines of an article, and the heading and items of the list of dated headlines behind it."""
    name, heading, markers, who, does, what = FARMS[wording]
    (sample,) = read_samples([SAMPLES / f"{name}.tsv"])
    pairs = zip(sample.lines or (), sample.labels or (), strict=True)
    article = [line for line, label in pairs if label == "content"]
    space = "" if wording == "chinese" else " "
    headlines = [space.join(parts) for parts in product(who, does, what)]
    items = [f"- {text} - Skerrow Post {markers.format(day=4 + i % 25)}" for i, text in enumerate(headlines)]
    return article, heading, items


@pytest.mark.parametrize("wording", FARMS)
def test_an_article_before_eighty_dated_headlines_comes_out_whole_and_alone(wording: str) -> None:
    article, heading, items = farm(wording)
    assert len(items) == 80
    assert Detector().strip("\n".join([*article, heading, *items]), "text").split("\n") == article


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wording", FARMS)
def test_the_same_in_html_but_that_the_heading_may_stay(wording: str, way: str) -> None:
    article, heading, items = farm(wording)
    before, around, after = WAYS[way]
    parts = [f"<p>{escape(line)}</p>" for line in article]
    parts += [f"<h3>{heading}</h3>", before, *(around.format(escape(item)) for item in items), after]
    kept = Detector().strip("\n".join(parts), "html").split("\n")
    assert kept in (article, [*article, heading])


def figures(rows: list[Row], group: str) -> Row:
    (row,) = [row for row in rows if row.group == group]
    return row


def test_quality_on_the_samples() -> None:
    """Floors .015 to .025 below what the model had when they were set; lower them only for a model that is better elsewhere."""
    model = Detector().model
    rows = evaluate(model, [label_page(sample) for sample in read_samples([SAMPLES])])
    text = figures(rows, "samples, text, pages with content")
    html = figures(rows, "samples, html")
    assert text.macro_f1.value >= 0.86
    assert text.content_lost.value <= 0.03
    assert text.unwanted_left.value <= 0.16
    assert html.macro_f1.value >= 0.89


@pytest.mark.skipif(CORPORA is None, reason="DETECTOR_CORPORA names no folder of corpora")
def test_quality_on_corpora_that_no_model_is_trained_on() -> None:
    rows = evaluate(Detector().model, label_corpus(read_corpus(Path(CORPORA or ""), MEASURE_ONLY)))
    for group, floor in (
        ("classic_eval, html", 0.92),
        ("multilingual_eval, html", 0.93),
        ("multilingual_eval, text without markup", 0.91),
    ):
        word_f1 = figures(rows, group).word_f1
        assert word_f1 is not None
        assert word_f1.value >= floor, group
