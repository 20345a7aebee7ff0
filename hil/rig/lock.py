# SPDX-License-Identifier: Apache-2.0
"""One user per bench: a lock that the operating system releases when its holder ends, however it ends.

A file lock, because it cannot go stale: a killed process leaves the file, not the lock. (A loopback port
would do the same, but says nothing about its holder and may be anybody's.) The file keeps the holder's
process id for the message to the next one; it is never deleted, since deleting a lock file lets two
processes hold "it".
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from hil.errors import RigBusyError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HOLDER_OFFSET = 1
"""The holder's id starts behind the locked byte, which Windows lets nobody else read."""


class RigLock:
    """The lock of the bench called ``name``, on this machine."""

    def __init__(self, name: str, directory: Path | None = None) -> None:
        """Nothing is locked yet.

        Args:
            name: the rig's name.
            directory: where the lock files are; the system's temporary directory if None.
        """
        self._name = name
        self.path = (directory or Path(tempfile.gettempdir())) / f"hil-rig-{name}.lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises RigBusyError, with the holder's process id, if another process has it."""
        try:
            descriptor = self._open()
        except OSError as error:
            raise RigBusyError(
                f"the lock file cannot be opened: {error}",
                where=self._name,
                operation="lock",
                hint=f"let all users of the rig write {self.path}",
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            raise RigBusyError(
                f"the rig is in use by process {holder}" if holder else "the rig is in use",
                where=self._name,
                operation="lock",
                hint="wait for it to end; a killed process releases the rig by itself",
            ) from error
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, b" " * _HOLDER_OFFSET + str(os.getpid()).encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)  # closing releases the lock on every system

    def _open(self) -> int:
        # Without O_CREAT first: Linux refuses it for another user's file in a shared temporary directory.
        try:
            return os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
            self.path.chmod(0o666)  # anybody may use a bench, whoever came first
            return descriptor


def _read_holder(descriptor: int) -> str:
    os.lseek(descriptor, _HOLDER_OFFSET, os.SEEK_SET)
    return os.read(descriptor, 32).decode("ascii", "replace").strip()


def _lock(descriptor: int) -> None:
    """Lock the first byte, or raise OSError at once."""
    if sys.platform == "win32":
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
