"""Hugging Face datasets: a function for `map(batched=True)` that hashes the same in every process and session.

dataset.map(ClassifyBatch(), batched=True, num_proc=4)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from detector import __version__
from detector.adapters.columns import chosen_columns
from detector.adapters.recipe import DetectorRecipe
from detector.errors import UsageError


@dataclass(frozen=True)
class ClassifyBatch:
    """Gives `clean_text`, `removed_ratio` and `problem`, empty where there is none, for a batch of pages.

    `datasets` names its cache by a hash of the function's state: here the recipe with a digest of the model, and the
    version of this package. So a second run finds the first one's results, and another model does not.

    Args:
        column: The column that holds the pages, as text or bytes.
        url_column: The column that holds their addresses, which a recipe with signatures needs.
        recipe: What the detector is made of.
    """

    column: str = "text"
    url_column: str | None = None
    recipe: DetectorRecipe = field(default_factory=DetectorRecipe)
    version: str = field(init=False, default=__version__, repr=False)

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Called by `map` with the columns of a batch.

        Raises:
            UsageError: There is no such column, or `map` was called without `batched=True`.
        """
        chosen = chosen_columns(batch, self.column, self.url_column)
        if isinstance(batch[self.column], (str, bytes)):
            raise UsageError("a batch of pages is needed; call map(..., batched=True)")
        columns = self.recipe.columns(*(batch[name] for name in chosen))
        # A column that begins with nothing but nulls has no type, and a text that comes later does not fit it.
        return columns | {"problem": [problem or "" for problem in columns["problem"]]}
