"""Files that are written whole: by several at once, to pipes and devices, and with links in the way."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from detector.files import renamed_when_whole, write_together, write_whole


def test_two_writers_of_one_file_do_not_take_each_others_temporary(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with renamed_when_whole(path) as first:
        first.write_bytes(b"first")
        with renamed_when_whole(path) as second:
            second.write_bytes(b"second")
        assert (path.read_bytes(), first.read_bytes()) == (b"second", b"first")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_has_the_rights_of_any_other_and_a_name_of_any_length(tmp_path: Path) -> None:
    for name in ("a", "x" * 255, "井" * 85):
        write_whole(tmp_path / name, b"new", synced=True)
        (tmp_path / "other").touch()
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


KILLED = """
import os, signal, sys
from pathlib import Path
from detector.files import renamed_when_whole
with renamed_when_whole(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
WRITING = """
import sys
from pathlib import Path
from detector.files import renamed_when_whole
with renamed_when_whole(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"slow")
    print("half", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such locks")
def test_what_a_killed_process_left_of_a_file_is_taken_away_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    others = {".a.part", ".a.b.0123456789abcdef.part", "a.0123456789abcdef.part", ".a.mine.part", "a"}
    for name in others:
        (tmp_path / name).touch()
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "b")], check=False)
    (left,) = tmp_path.glob(".b.*.part")
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as slow:
        assert slow.stdout is not None
        assert slow.stdout.readline() == "half\n"
        write_whole(path, b"fast")
        assert path.read_bytes() == b"fast"
        slow.communicate("")
    assert (slow.returncode, path.read_bytes()) == (0, b"slow")
    assert {path.name for path in tmp_path.iterdir()} == {*others, left.name}


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such locks")
def test_writers_and_their_leftovers_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    command = [
        sys.executable, "-c",
        "import sys; from pathlib import Path; from detector import files\n"
        "for number in range(300):\n"
        "    files._leftovers.cache_clear()\n"
        "    files.write_whole(Path(sys.argv[1]), b'x' * 1000)\n",
        str(tmp_path / "a"),
    ]  # fmt: skip
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("a", 1000)]


def test_files_written_together_are_named_when_one_fails(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="No such file") as caught:
        write_together({tmp_path / "a": b"new", tmp_path / "gone" / "b": b"new"})
    assert caught.value.filename == str(tmp_path / "gone" / "b")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match=r"a'$") as caught:
        write_whole(tmp_path / "a", b"new")
    assert caught.value.filename == str(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"content", synced=True)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    reader.join()
    assert read == [b"content"]


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="the system has no /dev/stdout")
def test_standard_output_by_name_is_written_to_after_what_it_holds(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from detector.files import write_whole\n"
        "Path.replace = None\n"  # never harm the system's own, should this fail
        "print('before', flush=True); write_whole(Path('/dev/stdout'), b'after'); write_whole(Path('/dev/null'), b'x')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"before\nafter"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"before\nafter"


def test_a_planted_link_to_a_pipe_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    write_whole(tmp_path / "link", b"content")
    assert not (tmp_path / "link").is_symlink()
