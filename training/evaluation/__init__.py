"""How good a classifier is: what is counted on a page, the figures made of it, error bars, comparisons, reports."""
