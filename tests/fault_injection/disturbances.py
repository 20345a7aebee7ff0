# SPDX-License-Identifier: Apache-2.0
"""What befalls a run: signals, and faults of its links, its bench, and the disk that it writes to."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.fault_injection.lab import Run
from tests.fault_injection.served_bench import LINKS, ServedBench
from tests.fault_injection.tcp_proxy import MODES, TcpProxy

T = TypeVar("T")

SIGNALS = (
    "SIGKILL",
    *(f"{name} x{times}" for name in ("SIGTERM", "SIGHUP", "SIGINT") for times in (1, 2, 10)),
)
"""How a run is killed: the signal, and how often it is sent."""

_BETWEEN_S = (0.0, 0.3)
"""Between two signals of a row."""

ORDERS = (
    *("HANG daq", "HANG power_analyzer", "HANG console"),
    *("DROP probe", "DROP daq", "DROP power_analyzer", "DROP console"),
    *("OPEN SUPPLY", "OPEN sensor", "OPEN debug_connection", "OPEN supply_readback"),
    *("CRYSTAL DEAD", "CRYSTAL DIES", "DROOP 1.0 0.5", "SHORT SUPPLY 10", "STICK PA2 LOW"),
)
"""What is ordered from the bench's port for faults."""

FULL_DISK, READ_ONLY_RESULTS, READ_ONLY_PROJECT = "full disk", "read-only results", "read-only project"
DISK = (FULL_DISK, READ_ONLY_RESULTS, READ_ONLY_PROJECT)
"""The kinds for which a disk is mounted."""
_DISK_BYTES = 16 << 20
"""Room for one run: its page has five megabytes, and is written beside the one that it replaces."""

LATEST = 1.1
"""The latest instant, in parts of an undisturbed run."""


@dataclass(frozen=True)
class Disturbance:
    """What befalls one run, and when."""

    kind: str
    """The row of the table."""
    what: str
    """The fault of that kind, as ``console``."""
    instant: float
    """In parts of the length of an undisturbed run; 0 is its start."""
    seed: int
    """For what is drawn while it lasts."""

    def __str__(self) -> str:
        """One line."""
        return f"{self.kind} {self.what} at {self.instant:.3f}".replace("  ", " ")


def kills(number: int, draw: random.Random) -> list[Disturbance]:
    """``number`` runs that are killed, each way as often as the others."""
    return [
        Disturbance(kind, "", draw.uniform(0, LATEST), draw.randrange(2**32))
        for kind in _evenly(SIGNALS, number, draw)
    ]


def faults(number: int, draw: random.Random, *, disks: bool) -> list[Disturbance]:
    """``number`` runs with a fault, each fault as often as the others; ``disks``: also those of a disk."""
    every = [
        *((mode, link) for mode in MODES for link in LINKS),
        *(("faults port", order) for order in ORDERS),
        *((kind, "") for kind in DISK if disks),
    ]
    return [
        Disturbance(kind, what, draw.uniform(0, 1), draw.randrange(2**32))
        for kind, what in _evenly(every, number, draw)
    ]


def _evenly(every: Sequence[T], number: int, draw: random.Random) -> list[T]:
    drawn: list[T] = []
    while len(drawn) < number:
        drawn += draw.sample(every, len(every))
    return drawn[:number]


def is_kill(disturbance: Disturbance) -> bool:
    """Whether the run is ended by a signal."""
    return disturbance.kind.startswith("SIG")


def send_signals(disturbance: Disturbance, run: Run) -> signal.Signals:
    """Send what the disturbance says; returns the signal."""
    name, _, times = disturbance.kind.partition(" x")
    draw = random.Random(disturbance.seed)
    for number in range(int(times or 1)):
        if number:
            time.sleep(draw.uniform(*_BETWEEN_S))
        run.process.send_signal(signal.Signals[name])
    return signal.Signals[name]


@contextlib.contextmanager
def faulty_link(bench: ServedBench, link: str, seed: int) -> Iterator[TcpProxy]:
    """A proxy before ``link``, still without a fault."""
    proxy = TcpProxy(bench.place(link), random.Random(seed))
    try:
        yield proxy
    finally:
        proxy.close()


class SmallDisk:
    """A file system of its own at ``path``, so that no other program meets what befalls it."""

    def __init__(self, path: Path) -> None:
        """Mount it. Raises OSError where this user may not."""
        self.path = path
        path.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(path))
        self._balloon = path / "balloon"

    def fill(self) -> None:
        """Let no file grow any more."""
        with contextlib.suppress(OSError), self._balloon.open("wb", buffering=0) as balloon:
            for piece in (1 << 20, 1 << 12):  # the last bytes of the room, too
                with contextlib.suppress(OSError):
                    while balloon.write(bytes(piece)) == piece:
                        pass

    def free(self) -> None:
        """Give the room back."""
        self._balloon.unlink(missing_ok=True)

    def make_read_only(self) -> None:
        """Refuse every change."""
        _mount("-o", "remount,ro", str(self.path))

    def close(self) -> None:
        """Unmount it, with all that is in it."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def can_mount(folder: Path) -> bool:
    """Whether this user may mount a disk."""
    try:
        SmallDisk(folder / "try").close()
    except OSError:  # FileNotFoundError where there is no mount
        return False
    return True
