# SPDX-License-Identifier: Apache-2.0
"""One user per instrument: locks that the operating system releases when their holder ends, however it ends.

Two rig files may name the same analyzer, so a run locks each of its instruments as well as its rig. The files
lie in one folder of the machine, which does not follow ``TMPDIR``: a unit with a private temporary folder, a
CI runner with its own and a terminal session exclude each other. A container does so too if it mounts that
folder. ``HIL_LOCK_DIRECTORY`` names another folder, which all users of the bench must then share.

A lock is a ``flock`` (on Windows a locked byte), which cannot go stale: a killed process leaves the file, not
the lock. The file keeps who holds it, for the message to the next one. It is never deleted, since deleting a
lock file lets two processes hold "it".
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from hil.errors import RigBusyError, RigError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

DIRECTORY_VARIABLE = "HIL_LOCK_DIRECTORY"
"""The environment variable that names the folder of the lock files."""

_SHARED_FOLDERS = (Path("/run/lock"), Path("/var/lock"), Path("/tmp"))
"""Where every user of a POSIX system may write, in the order of preference: the folder that the Filesystem
Hierarchy Standard has for locks first. A service with a private temporary folder sees another ``/tmp``."""

_EVERYBODY = 0o1777
"""Anybody may make a file in the folder, nobody may remove another user's."""

_HOLDER_OFFSET = 1
"""The holder's record starts behind the locked byte, which Windows lets nobody else read."""
_HOLDER_BYTES = 4096

_BRIEF_S = 30.0
"""How long anybody waits for a holder who only switches the bench off (assumption: its steps take a second or
two each, or ten where an instrument does not answer)."""
_POLL_S = 0.5
"""How often a waiting run looks whether the bench is free."""
_SECOND_LOOK_S = 0.05
"""Somebody who only asks who holds a lock takes a share of it for a moment."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    pid: int
    host: str
    user: str
    command: str
    rig: str
    since: str
    """ISO 8601, with the offset from UTC."""
    brief: bool = False
    """Whether it switches the bench off and lets go: a guardian, or ``hil safe``."""

    @classmethod
    def this_process(cls, rig: str, *, brief: bool = False) -> Holder:
        """The holder that this process is from now on."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            user = str(os.getuid()) if hasattr(os, "getuid") else "?"
        command = " ".join(Path(word).name if n == 0 else word for n, word in enumerate(sys.argv))
        since = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        return cls(os.getpid(), socket.gethostname(), user, command[:200], rig, since, brief)

    def __str__(self) -> str:
        """One line for whoever has to wait."""
        return f"process {self.pid} of {self.user} on {self.host} ({self.command}), since {self.since}"


class _BrieflyBusyError(RigBusyError):
    """Somebody has it who will let go in a moment."""


class Lock:
    """The lock of one thing, on this machine."""

    def __init__(self, what: str, key: str, directory: Path) -> None:
        """Nothing is locked yet.

        Args:
            what: the thing, as a message names it.
            key: the thing's identity; the same key means the same thing.
            directory: the folder of the lock files; see :func:`lock_directory`.
        """
        identity = key.casefold()  # VISA and Windows do not tell upper case from lower
        readable = re.sub(r"[^a-z0-9]+", "-", identity).strip("-")[:60]
        digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
        self.what = what
        self.path = directory / f"{readable}-{digest}.lock"
        self._descriptor: int | None = None

    @classmethod
    def at(cls, path: Path) -> Lock:
        """The lock of a file, whatever thing it stands for."""
        lock = cls(path.stem, path.stem, path.parent)
        lock.path = path
        return lock

    def acquire(self, holder: Holder) -> None:
        """Take the lock. Raises RigBusyError, with its holder, if another process has it."""
        descriptor = _open(self.path, self.what)
        if not _lock(descriptor):
            time.sleep(_SECOND_LOOK_S)
            if not _lock(descriptor):
                other = _read_holder(descriptor)
                os.close(descriptor)
                busy = _BrieflyBusyError if other and other.brief else RigBusyError
                raise busy(
                    f"in use by {other}" if other else "in use",
                    where=self.what,
                    operation="lock",
                    hint="--rig-wait 30m, or hil rigs; a killed process releases the bench by itself",
                )
        record = json.dumps(asdict(holder)).encode()
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, b" " * _HOLDER_OFFSET + record)
        self._descriptor = descriptor
        _held.add(self)

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        _held.discard(self)
        if descriptor is not None:
            os.close(descriptor)  # closing releases the lock on every system

    def holder(self) -> Holder | None:
        """Who has the lock now; ``None`` if nobody has."""
        if self._descriptor is not None:
            return _read_holder(self._descriptor)
        if not self.path.exists():
            return None
        descriptor = _open(self.path, self.what)
        try:
            return None if _lock(descriptor, shared=True) else (_read_holder(descriptor) or _NAMELESS)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Wait:
    """How long a run waits for a bench that somebody else uses, and who is told why."""

    duration_s: float
    """Seconds of the wall clock."""
    tell: Callable[[RigBusyError], None]
    """Called once with each new reason."""


NO_WAIT = Wait(0.0, lambda _: None)


class BenchLock:
    """The locks of all that a run uses: all of them or none."""

    def __init__(self, rig: str, directory: Path | None = None) -> None:
        """Nothing is locked yet.

        Args:
            rig: the rig's name.
            directory: the folder of the lock files; the machine's own if None.
        """
        self._rig = rig
        self._directory = directory
        self._locks: list[Lock] = []

    def acquire(self, things: Mapping[str, str], wait: Wait = NO_WAIT, *, brief: bool = False) -> None:
        """Take all locks. Somebody who only switches the bench off is waited for in any case.

        Args:
            things: what is locked, as messages name it, and the identity of each.
            wait: how long to wait for others to end.
            brief: whether this process only switches the bench off.

        Raises:
            RigBusyError: another process has one of them, also after the wait.
            RigError: the folder or a file of it cannot be used.
        """
        directory = lock_directory() if self._directory is None else self._directory
        locks = [Lock(what, key, directory) for what, key in things.items()]
        holder = Holder.this_process(self._rig, brief=brief)
        began_s = time.monotonic()
        told = ""
        while True:
            try:
                for lock in locks:
                    lock.acquire(holder)
                self._locks = locks
                return
            except RigBusyError as error:
                self._release(locks)
                patience_s = max(wait.duration_s, _BRIEF_S if isinstance(error, _BrieflyBusyError) else 0.0)
                if time.monotonic() - began_s >= patience_s:
                    raise
                if str(error) != told:
                    told = str(error)
                    wait.tell(error)
                time.sleep(_POLL_S)
            except BaseException:
                self._release(locks)
                raise

    def release(self) -> None:
        """Give all locks back."""
        locks, self._locks = self._locks, []
        self._release(locks)

    @staticmethod
    def _release(locks: Iterable[Lock]) -> None:
        for lock in locks:
            lock.release()


def lock_directory() -> Path:
    """The folder of this machine's lock files, which is made if need be.

    Raises:
        RigError: it cannot be made, or is not a folder.
    """
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        directory = Path(named)
    elif sys.platform == "win32":
        directory = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "hil-rig" / "locks"
    else:
        # Whoever comes first decides for everybody, so the choice must not depend on who asks.
        shared = next((folder for folder in _SHARED_FOLDERS if _anybody_writes(folder)), Path("/tmp"))
        directory = shared / "hil-rig"
    try:
        if not directory.is_dir():
            directory.mkdir(parents=True, exist_ok=True)
            with suppress(PermissionError):  # made by somebody else at the same time
                directory.chmod(_EVERYBODY)
        if not stat.S_ISDIR(directory.lstat().st_mode):
            raise NotADirectoryError(f"{directory} is a link")
    except OSError as error:
        raise RigError(
            f"no folder for the lock files: {error}",
            where=str(directory),
            operation="lock",
            hint=f"make it writable for all users of the bench, or set {DIRECTORY_VARIABLE}",
        ) from error
    return directory


def _anybody_writes(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False


def _open(path: Path, what: str) -> int:
    """The lock file's descriptor: of a regular file, and never through a link that somebody laid there."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        try:
            # Without O_CREAT first: Linux refuses it for another user's file in a shared temporary directory.
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            descriptor = os.open(path, flags | os.O_CREAT)
            with suppress(PermissionError):  # made by somebody else at the same time
                path.chmod(0o666)  # anybody may use a bench, whoever came first
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{path} is no regular file")
        return descriptor
    except OSError as error:
        raise RigError(
            f"the lock file cannot be opened: {error}",
            where=what,
            operation="lock",
            hint=f"let all users of the bench write {path}",
        ) from error


_NAMELESS = Holder(0, "?", "?", "?", "?", "?")
"""Holds a lock and has not said who it is, or the file was damaged."""


def _read_holder(descriptor: int) -> Holder | None:
    os.lseek(descriptor, _HOLDER_OFFSET, os.SEEK_SET)
    try:
        record = json.loads(os.read(descriptor, _HOLDER_BYTES))
        texts = {name: str(record[name]) for name in ("host", "user", "command", "rig", "since")}
        return Holder(pid=int(record["pid"]), brief=record.get("brief") is True, **texts)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock the first byte, or the file, if nobody has; Windows knows no shared lock of a byte."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


_held: set[Lock] = set()


def _forget_in_child() -> None:
    """A forked child shares the locks; it must not keep them when its parent has been killed."""
    for lock in list(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
