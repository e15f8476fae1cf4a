"""What an attacker does to have a list kept, or an article vanish; `python tests/evasion/evasion.py` prints how much gets through.

Every attack rewrites the project's own samples: the lines labelled `link_list`, or for the opposite those labelled
`content`. Measured is the share of the rewritten lines that is decided as the attacker wants. Read a row against
the first of its kind: the samples are few and chosen to be hard, so the figures say what an attack adds, not how good the
model is. "prose in sight" is the control of the rows about hidden prose.
"""

from __future__ import annotations

import html
import random
from collections.abc import Callable
from pathlib import Path

from detector import Detector, Label
from detector.data import Kind
from training.samples import read_samples

SAMPLES = Path(__file__).parents[2] / "samples"
Rewrite = Callable[[random.Random, str], str]

_LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
_PROSE = "and this is what the people who live there said to us about it when we asked them for their view."
_STOPWORDS = "It is all that there is, and that was it for the most of us then."


def _random_case(draw: random.Random, line: str) -> str:
    return "".join(draw.choice((c.upper(), c.lower())) for c in line)


TEXT_ATTACKS: dict[str, Rewrite] = {
    "as it is": lambda draw, line: line,
    "homoglyphs": lambda draw, line: line.translate(_LOOKALIKES),
    "zero-width joiners": lambda draw, line: "\u200d".join(line),
    "soft hyphens": lambda draw, line: "\u00ad".join(line),
    "random case": _random_case,
    "prose glued to each link": lambda draw, line: f"{line}, {_PROSE}",
    "a stopword sentence after each link": lambda draw, line: f"{line}. {_STOPWORDS}",
    "a stopword sentence a line between": lambda draw, line: f"{line}\n{_STOPWORDS}",
}
HTML_ATTACKS: dict[str, Rewrite] = {
    "as a list": lambda draw, line: f"<li><a href=/x>{line}</a></li>",
    "split over divs": lambda draw, line: f"<div><div><a href=/x>{line}</a></div></div>",
    "without link elements": lambda draw, line: f"<div onclick=go()>{line}</div>",
    "prose in sight": lambda draw, line: f"<p><a href=/x>{line}</a><span>{_PROSE}</span></p>",
    "prose hidden by attribute": lambda draw, line: f"<p><a href=/x>{line}</a><span hidden>{_PROSE}</span></p>",
    "prose not displayed": lambda draw, line: f'<p><a href=/x>{line}</a><span style="display:none">{_PROSE}</span></p>',
    "prose of size 0": lambda draw, line: f'<p><a href=/x>{line}</a><span style="font-size:0">{_PROSE}</span></p>',
}
VANISHING: dict[str, Rewrite] = {
    "as it is": lambda draw, line: line,
    "dated markers": lambda draw, line: (
        f"{line} [Last Updated On: June 16th, 2016] [Originally Added On: June 16th, 2016]"
    ),
    "a bullet and a paper's name": lambda draw, line: f"- {line} - The Daily Packet",
    "pipes for spaces": lambda draw, line: line.replace(" ", " | "),
    "no final stop": lambda draw, line: line.rstrip(".!?"),
    "every word capitalised": lambda draw, line: line.title(),
    "footer words": lambda draw, line: f"{line} Copyright. All rights reserved. Share. Read more.",
}


def through(detector: Detector, rewrite: Rewrite, attacked: Label, kind: Kind) -> float:
    """The share of attacked lines that the attacker wins: lists that are kept, or content that is removed."""
    draw, won, tried = random.Random(0), 0, 0
    for sample in read_samples([SAMPLES]):
        if sample.kind != "text" or sample.lines is None or sample.labels is None:
            continue
        lines, marks = [], []
        for line, label in zip(sample.lines, sample.labels, strict=True):
            hit = label == attacked
            written = html.escape(line) if kind == "html" else line
            made = rewrite(draw, written) if hit else f"<p>{written}</p>" if kind == "html" else written
            for number, part in enumerate([made] if kind == "html" else made.split("\n")):
                if part.strip():
                    lines.append(part)
                    marks.append(hit and number == 0)
        result = detector.classify("\n".join(lines), kind)
        if len(result) != len(marks):
            raise ValueError(f"{sample.id}: {len(marks)} lines were written and {len(result)} segments found")
        wins = result.kept if attacked == Label.LINK_LIST else ~result.kept
        tried += sum(marks)
        won += int(wins[marks].sum())
    return won / tried


def main() -> None:
    """Print the table of docs/reliability.md."""
    detector = Detector()
    print("| attack | mode | gets through |\n|---|---|--:|")
    tables: tuple[tuple[str, dict[str, Rewrite], Label, Kind], ...] = (
        ("lists kept", TEXT_ATTACKS, Label.LINK_LIST, "text"),
        ("lists kept", HTML_ATTACKS, Label.LINK_LIST, "html"),
        ("content removed", VANISHING, Label.CONTENT, "text"),
    )
    for goal, attacks, label, kind in tables:
        for name, rewrite in attacks.items():
            print(f"| {goal}: {name} | {kind} | {through(detector, rewrite, label, kind):.1%} |", flush=True)


if __name__ == "__main__":
    main()
