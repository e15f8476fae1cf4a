"""The model card: what a model was trained on, how good it is on sites it had not seen, and what it can't do."""

from __future__ import annotations

from collections.abc import Sequence

from detector.model import Model
from training.evaluate import Row, as_markdown

_LIMITS = """\
## Limits

- A page is judged by itself. What recurs on other pages of a site, and looks like prose, is not seen to recur.
- The words that the scorers know are those of the training pages. In other languages the shape of the lines, their
  neighbours and, in HTML, the markup decide.
- Pages that are lists by purpose (search results, product listings, link directories) have no border between content
  and links that everybody agrees on; figures for them are the lowest.
- Segments longer than a few hundred characters are judged by their beginning and end.
"""


def model_card(model: Model, held_out: Sequence[Row], command: str) -> str:
    """The card as Markdown.

    Args:
        model: The model; its `info` says what it was trained on.
        held_out: Figures on the held-out sites, of the model that had not seen them.
        command: The command line that made the model.
    """
    info = model.info
    pages = "\n".join(f"| {source} | {count} |" for source, count in info["pages"].items())
    digests = "\n".join(f"- `{name}`: SHA-256 `{digest}`" for name, digest in info.get("corpora", {}).items())
    base = f"\nIt extends model `{info['extends']}`, whose scorers it keeps.\n" if "extends" in info else ""
    counts = " and ".join(
        f"{count:,} {kind} pages" for kind, count in info.get("unlabelled_pages", {}).items() if count
    )
    unlabelled = f" Learnt from without labels: {counts}." if counts else ""
    heads = ", ".join(f"{kind} ({len(head.mean)} inputs)" for kind, head in model.heads.items())
    return f"""\
# Model `{model.name}`

Made by

    {command}

Kinds of pages: {heads}. Feature schema {info["schema"]}, seed {info["seed"]}.
{base}
## Data

| corpus | pages |
|---|--:|
{pages}

{info["segments"]:,} labelled segments; SHA-256 of the labelled pages `{info["data_sha256"]}`.{unlabelled}

{digests}

## Figures

A quarter of the sites was held out, a model was fitted on the others and measured on them; then the model in this
folder was fitted on all. Word F1 is the mean over pages; macro F1 is of keep and remove over segments; lost and left
are shares of characters. In brackets: 95 % intervals, by bootstrap over pages. "Pages" are all of a group; word F1 and
4-grams are of those that have a gold text, snippets of those that have snippets.

{as_markdown(held_out)}

{_LIMITS}"""
