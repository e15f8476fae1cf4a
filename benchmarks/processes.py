"""What Linux says of a process and its descendants."""

from __future__ import annotations

from pathlib import Path


def stats_of_family(pid: int) -> dict[int, list[str]]:
    """The fields of `/proc/PID/stat` that follow the name, by process: the process itself and all below it (proc(5))."""
    stats: dict[int, list[str]] = {}
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of a process stands in brackets and may hold anything.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        process, parent = int(path.parent.name), int(fields[1])
        stats[process] = fields
        children.setdefault(parent, []).append(process)
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return {process: stats[process] for process in found if process in stats}
