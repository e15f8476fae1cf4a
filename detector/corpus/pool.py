"""Worker processes: units out, results back in order, and what to do with a worker that dies or takes too long."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from typing import Any

from detector.corpus.records import Problem, Record, Trouble, Unit, UnitResult
from detector.errors import DetectorError, RunError

Process = Callable[[list[Record]], UnitResult]
MakeProcess = Callable[[], Process]

_UNITS_AHEAD = 2
"""Units read ahead a worker: one that it works on and one that waits for it; and the same again may wait in line to
be written, so that one slow page does not stop the others."""

_MOST_DEATHS = 25
"""Deaths in a row, with nothing done between them, after which the run ends. A page that kills its worker takes about
twelve to be found among the 256 of its unit."""

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(slots=True)
class _Part:
    """Records of a unit that are done together: all of them, or less after a worker died of them."""

    records: list[Record]
    attempts: int = 0
    result: UnitResult | None = None


@dataclass(slots=True)
class _Job:
    """A unit and its parts, in order."""

    unit: Unit
    parts: list[_Part] = field(default_factory=list)


@dataclass(slots=True)
class _Worker:
    """A process and what it is at; `part` is None while it idles, `ready` once it has loaded its model."""

    process: Any
    connection: Connection
    ready: bool = False
    part: _Part | None = None
    deadline: float = float("inf")


class WorkerPool:
    """Processes that each hold one model.

    A worker that dies is replaced and its unit done again; if it dies again, the unit is halved until the page that
    kills is found and named. A worker that takes longer than `timeout` over its unit is killed, and the unit halved
    until the page is found that takes that long alone.

    Args:
        make_process: Called in each worker; what it returns turns records into a result.
        workers: How many processes.
        timeout: Seconds a page may take.
        warn: Told when a worker dies.
    """

    def __init__(
        self, make_process: MakeProcess, workers: int, timeout: float, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self._make_process = make_process
        self._timeout = timeout
        self._warn = warn
        self._deaths = 0
        self._jobs: deque[_Job] = deque()
        self._waiting: deque[_Part] = deque()
        self._workers = [self._start() for _ in range(workers)]

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            _end(worker)

    def map(self, units: Iterator[Unit]) -> Iterator[tuple[Unit, UnitResult]]:
        """Every unit with its result, in order.

        Raises:
            DetectorError: What `make_process` raised.
            RunError: Workers die again and again.
        """
        more = True
        while more or self._jobs:
            while self._jobs and all(part.result for part in self._jobs[0].parts):
                job = self._jobs.popleft()
                yield job.unit, _joined(job)
            ahead = len(self._workers) * _UNITS_AHEAD
            read = more and len(self._waiting) < len(self._workers) and len(self._jobs) < 2 * ahead
            if read:
                unit = next(units, None)
                more = unit is not None
                if unit is not None:
                    part = _Part(unit.records)
                    self._jobs.append(_Job(unit, [part]))
                    self._waiting.append(part)
            self._send()
            if not read and self._jobs:
                self._receive(wait=True)
            elif self._jobs:
                self._receive(wait=False)

    def _start(self) -> _Worker:
        # A fresh interpreter: no threads or locks of this one in unknown states, and the libraries of linear algebra
        # read these variables only while they load.
        context = get_context("spawn")
        here, there = context.Pipe()
        before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        try:
            process = context.Process(target=_serve, args=(there, self._make_process), daemon=True)
            process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        there.close()
        return _Worker(process, here)

    def _send(self) -> None:
        for worker in self._workers:
            if worker.ready and worker.part is None and self._waiting:
                worker.part = self._waiting.popleft()
                worker.deadline = time.monotonic() + self._timeout
                # A worker that is gone is noticed where its answer is read.
                with contextlib.suppress(OSError):
                    worker.connection.send(worker.part.records)

    def _receive(self, wait: bool) -> None:
        earliest = min(worker.deadline for worker in self._workers)
        seconds = None if earliest == float("inf") else max(earliest - time.monotonic(), 0)
        ready = connection.wait([worker.connection for worker in self._workers], seconds if wait else 0)
        for index, worker in enumerate(self._workers):
            if worker.connection in ready:
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    self._replace(index, too_slow=False)
                    continue
                self._take(worker, message)
            elif time.monotonic() > worker.deadline:
                self._replace(index, too_slow=True)

    def _take(self, worker: _Worker, message: object) -> None:
        if isinstance(message, DetectorError):
            raise message
        worker.ready = True
        if isinstance(message, UnitResult) and worker.part is not None:
            worker.part.result = message
            worker.part, worker.deadline = None, float("inf")
            self._deaths = 0

    def _replace(self, index: int, too_slow: bool) -> None:
        """Put a new worker in the place of one that died or has to, and see to its part."""
        worker = self._workers[index]
        _end(worker)
        part = worker.part
        how = f"took longer than {self._timeout:g} s" if too_slow else f"ended {_how(worker.process.exitcode)}"
        self._deaths += not too_slow
        if self._deaths > _MOST_DEATHS:
            raise RunError(
                f"workers end again and again, the last {_how(worker.process.exitcode)}; "
                "give the run fewer --workers or more memory, and start the same command again: it goes on from here"
            )
        self._workers[index] = self._start()
        if part is None:
            return
        if not too_slow:
            self._warn(f"a worker {how}; its {len(part.records)} records are done again")
        if not too_slow and part.attempts == 0:
            part.attempts += 1
            self._waiting.appendleft(part)
        elif len(part.records) > 1:
            self._halve(part)
        else:
            part.result = UnitResult(problems=[_blame(part.records[0], too_slow, how)])

    def _halve(self, part: _Part) -> None:
        middle = len(part.records) // 2
        records = part.records[:middle], part.records[middle:]
        # A lone record gets one more try before it is blamed.
        halves = [_Part(half, attempts=int(len(half) > 1)) for half in records]
        for job in self._jobs:
            for place, other in enumerate(job.parts):
                if other is part:
                    job.parts[place : place + 1] = halves
                    self._waiting.extendleft(reversed(halves))
                    return


def _blame(record: Record, too_slow: bool, how: str) -> Problem:
    trouble = Trouble.TOO_SLOW if too_slow else Trouble.WORKER_DIED
    return Problem(record.source, record.number, trouble, f"the worker {how} over this page")


def _joined(job: _Job) -> UnitResult:
    joined = UnitResult()
    for part in job.parts:
        if part.result is not None:
            joined.add(part.result)
    return joined


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        hint = ": the system does this when memory runs out" if -exit_code == signal.SIGKILL else ""
        return f"by {signal.Signals(-exit_code).name}{hint}"
    return f"with status {exit_code}"


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.connection.close()


def _serve(link: Connection, make_process: MakeProcess) -> None:
    """A worker's life: load, then units until the other end is gone, which also happens when the run is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            process = make_process()
        except DetectorError as error:
            link.send(error)
            return
        link.send(None)
        while True:
            link.send(process(link.recv()))
