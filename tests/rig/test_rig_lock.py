# SPDX-License-Identifier: Apache-2.0
"""One user per instrument, and no stale locks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.errors import RigBusyError, RigError
from hil.rig import lock as lock_module
from hil.rig.lock import DIRECTORY_VARIABLE, BenchLock, Lock, Wait, lock_directory

HOLDER = """
import sys
from pathlib import Path
from hil.rig.lock import BenchLock
BenchLock("lab", Path(sys.argv[1])).acquire({what: what for what in sys.argv[2:]})
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(directory: Path, *things: str, program: str = HOLDER) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", program, str(directory), *things],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        yield holder
        holder.kill()


def test_a_second_user_learns_who_has_it_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    with holding(tmp_path, "rig lab", "analyzer 7") as holder:
        lock = BenchLock("other", tmp_path)
        with pytest.raises(
            RigBusyError, match=rf"analyzer 7: lock: in use by process {holder.pid} of .*since 20"
        ):
            lock.acquire({"rig other": "rig other", "analyzer 7": "analyzer 7"})
        lock.acquire({"rig other": "rig other", "analyzer 8": "analyzer 8"})
        lock.release()
        holder.kill()
        holder.wait()
        lock.acquire({"analyzer 7": "analyzer 7"})
        lock.release()


def test_all_or_none(tmp_path: Path) -> None:
    with holding(tmp_path, "z"):
        with pytest.raises(RigBusyError):
            BenchLock("other", tmp_path).acquire({"a": "a", "z": "z"})
        assert Lock("a", "a", tmp_path).holder() is None


def test_release_and_acquire_again(tmp_path: Path) -> None:
    lock = BenchLock("lab", tmp_path)
    lock.release()
    lock.acquire({"x": "x"})
    holder = Lock("x", "x", tmp_path).holder()
    assert holder is not None
    assert (holder.pid, holder.rig) == (os.getpid(), "lab")
    with pytest.raises(RigBusyError):
        BenchLock("lab", tmp_path).acquire({"x": "X"})  # VISA does not tell upper case from lower
    lock.release()
    assert Lock("x", "x", tmp_path).holder() is None
    BenchLock("lab", tmp_path).acquire({"x": "x"})


def test_a_run_waits_for_the_bench_and_says_for_whom(tmp_path: Path) -> None:
    reasons: list[str] = []
    with holding(tmp_path, "x") as holder:
        told = threading.Event()

        def tell(error: RigBusyError) -> None:
            reasons.append(error.message)
            told.set()

        def end_the_other() -> None:
            told.wait(30)
            holder.kill()

        threading.Thread(target=end_the_other, daemon=True).start()
        lock = BenchLock("other", tmp_path)
        lock.acquire({"x": "x"}, Wait(30, tell))
        lock.release()
    assert len(reasons) == 1
    assert f"process {holder.pid} of" in reasons[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_who_only_switches_the_bench_off_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = HOLDER.replace("argv[2:]}", "argv[2:]}, brief=True")
    assert brief != HOLDER
    with holding(tmp_path, "x", program=brief) as holder:
        lock = BenchLock("lab", tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(lock_module, "_BRIEF_S", 0.0)
            with pytest.raises(RigBusyError, match="in use by"):
                lock.acquire({"x": "x"})

        def wait(duration_s: float) -> None:
            if duration_s == lock_module._POLL_S:
                holder.kill()
                holder.wait()

        monkeypatch.setattr(lock_module.time, "sleep", wait)
        lock.acquire({"x": "x"})
        lock.release()


def test_a_forked_child_does_not_keep_the_bench_of_a_parent_that_was_killed(tmp_path: Path) -> None:
    forking = HOLDER.replace("print(", "import os\nif os.fork() == 0: sys.stdin.read(); os._exit(0)\nprint(")
    with holding(tmp_path, "x", program=forking) as parent:
        with pytest.raises(RigBusyError):
            BenchLock("other", tmp_path).acquire({"x": "x"})
        parent.kill()
        parent.wait()
        BenchLock("other", tmp_path).acquire({"x": "x"})  # the child lives on, with the pipe's other end


def test_temporary_folders_of_their_own_do_not_part_two_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
    folders = set()
    for name in ("one", "two"):
        monkeypatch.setenv("TMPDIR", str(tmp_path / name))
        monkeypatch.setattr("tempfile.tempdir", None)
        folders.add(lock_directory())
    assert len(folders) == 1
    (folder,) = folders
    if sys.platform != "win32":
        assert folder.stat().st_mode & 0o7777 == 0o1777


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "locks"))
    assert lock_directory() == tmp_path / "locks"
    (tmp_path / "file").touch()
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "file" / "locks"))
    with pytest.raises(RigError, match=f"no folder for the lock files.*{DIRECTORY_VARIABLE}"):
        lock_directory()


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes in the file system")
def test_a_link_or_a_pipe_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    lock, victim = Lock("x", "x", tmp_path), tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    lock.path.symlink_to(victim)
    with pytest.raises(RigError, match="cannot be opened"):
        BenchLock("lab", tmp_path).acquire({"x": "x"})
    assert victim.read_text(encoding="utf-8") == "precious"
    lock.path.unlink()
    os.mkfifo(lock.path)
    with pytest.raises(RigError, match="no regular file"):
        BenchLock("lab", tmp_path).acquire({"x": "x"})
    linked = tmp_path / "linked"
    linked.symlink_to(tmp_path, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DIRECTORY_VARIABLE, str(linked))
        with pytest.raises(RigError, match="is a link"):
            lock_directory()


@pytest.mark.parametrize(
    "content", [b"", b" 123", b' {"pid": 1}', b' {"pid": []}', b" " + b"[" * 3000, b"\xff" * 99]
)
def test_a_damaged_record_of_the_holder_keeps_nobody_from_the_truth(tmp_path: Path, content: bytes) -> None:
    with holding(tmp_path, "x"):
        lock = Lock("x", "x", tmp_path)
        lock.path.write_bytes(content)
        with pytest.raises(RigBusyError, match="x: lock: in use; try"):
            BenchLock("other", tmp_path).acquire({"x": "x"})
        assert lock.holder() is not None
