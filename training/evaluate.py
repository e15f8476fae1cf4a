"""How good a model is on labelled pages, with error bars: count on every page, group, sum up.

What is counted on a page is in `evaluation/counts.py`, the figures made of it in `evaluation/figures.py`, their error
bars in `evaluation/bootstrap.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from detector.model import Model
from training.evaluation.bootstrap import Score
from training.evaluation.contenders import ModelContender
from training.evaluation.report import as_dicts, as_markdown, as_table
from training.evaluation.rows import Row, measure, rows_of
from training.evaluation.texts import word_f1
from training.labelling import LabelledPage

__all__ = ["Row", "Score", "as_dicts", "as_markdown", "as_table", "evaluate", "word_f1"]


def evaluate(model: Model, pages: Iterable[LabelledPage], *, html_as_text: bool = True) -> list[Row]:
    """Classify labelled pages and compare.

    Args:
        model: The model.
        pages: Labelled pages, of both kinds. Unknown segments count in the figures of the text only.
        html_as_text: Measure HTML pages a second time without their markup.

    Returns:
        A row for each group of pages, see `measure`.
    """
    return rows_of(measure([ModelContender(model)], pages, html_as_text=html_as_text))
