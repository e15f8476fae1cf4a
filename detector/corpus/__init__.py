"""Runs over whole corpora.

The inputs are one long sequence of records. The reading process cuts it into numbered units by what it reads alone;
workers, each with the model loaded once, turn the records of a unit into packed lines of JSON; the writing side, in the
reading process again, appends them in order to files named `.part`, which get their names when they are whole. Every
few seconds all files are brought to the disk, and then a checkpoint says in one atomic step where to read on and how
long each file is. Started again, a run cuts its files to these lengths and reads on from there: since units begin where
they would have begun, the output is the same to the byte, however often the run was killed.

    inputs    arguments -> sources            pages     records -> lines, in a worker
    readers   sources -> records -> units     pool      units -> results, in order
    warc, parquet, packing                    sinks     results -> files, by way of outputs and tables
    run       all of it                       estimate  what a run would take
"""
