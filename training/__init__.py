"""Samples in, models out: readers, alignment of gold text, fitting, evaluation. May import `detector`, never the reverse."""
