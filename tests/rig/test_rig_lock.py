# SPDX-License-Identifier: Apache-2.0
"""One user per bench, and no stale locks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import RigBusyError
from hil.rig.lock import RigLock

HOLDER = """
import sys
from pathlib import Path
from hil.rig.lock import RigLock
lock = RigLock("bench", Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_user_learns_who_has_it_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        lock = RigLock("bench", tmp_path)
        with pytest.raises(RigBusyError, match=f"bench: lock: the rig is in use by process {holder.pid}"):
            lock.acquire()
        RigLock("another bench", tmp_path).acquire()
        holder.kill()
        holder.wait()
        lock.acquire()
        lock.release()


def test_release_and_acquire_again(tmp_path: Path) -> None:
    lock = RigLock("bench", tmp_path)
    lock.release()
    lock.acquire()
    assert lock.path.read_bytes().split() == [str(os.getpid()).encode()]
    with pytest.raises(RigBusyError):
        RigLock("bench", tmp_path).acquire()
    lock.release()
    RigLock("bench", tmp_path).acquire()
