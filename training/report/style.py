"""The look of a report."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #22272e; --soft: #5b6472; --line: #d9dde3; --paper: #fff; --card: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a3acba; --line: #39424e; --paper: #15191f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1.25rem 5rem; }
h1 { font-size: 2rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.4rem; margin: 3rem 0 .25rem; border-top: 2px solid var(--line); padding-top: 1.5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { max-width: 46rem; color: var(--soft); }
p b { color: var(--ink); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 1.25rem; }
figure { margin: 0; padding: 0 1rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
figure h3, figcaption { color: #22272e; }
figure.wide { grid-column: 1 / -1; }
figure img { display: block; width: 100%; height: auto; max-width: 46rem; margin: 0 auto; }
figcaption { font-size: .85rem; opacity: .75; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem .4rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
td small { display: block; color: var(--soft); }
details { margin-top: 1.5rem; }
summary { cursor: pointer; color: var(--soft); }
a { color: #1b7f5c; }
@media (prefers-color-scheme: dark) { a { color: #58c79f; } }
"""
