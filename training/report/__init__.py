"""A report folder of a trained model: what it gets right and wrong on sites it has not seen.

`predictions` runs the model, `findings` turns its predictions into figures, `plots` draws them, `document` writes the
page that holds them all.
"""

from __future__ import annotations

from training.report.document import write_report

__all__ = ["write_report"]
