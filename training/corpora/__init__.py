"""Corpora: a folder of them to train from, and readers that make such files of local clones of the public ones.

`folder` reads what lies ready; `registry` knows the public corpora, one reader a file; `prepare` writes their pages as
training files. Every name that other code uses is here.
"""

from __future__ import annotations

from training.corpora.folder import (
    MEASURE_ONLY,
    TRAINABLE,
    TUNE_ONLY,
    corpus_file,
    digests,
    label_corpus,
    read_corpus,
    read_raw_texts,
    read_unlabelled,
)
from training.corpora.prepare import Prepared, prepare
from training.corpora.registry import CORPORA, Corpus, find_corpus

__all__ = [
    "CORPORA",
    "MEASURE_ONLY",
    "TRAINABLE",
    "TUNE_ONLY",
    "Corpus",
    "Prepared",
    "corpus_file",
    "digests",
    "find_corpus",
    "label_corpus",
    "prepare",
    "read_corpus",
    "read_raw_texts",
    "read_unlabelled",
]
