# SPDX-License-Identifier: Apache-2.0
"""Many trials on several benches at once, and their table."""

from __future__ import annotations

import queue
import random
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hil.firmware.build import build
from tests.fault_injection.disturbances import Disturbance, can_mount, faults, is_kill, kills
from tests.fault_injection.lab import DEADLINE_S, LAST_RESORT_S, RUN_BOUND_S, Lab
from tests.fault_injection.served_bench import ServedBench
from tests.fault_injection.trial import CELLS, OFF_WITHIN_S, Stand, Trial


@dataclass(frozen=True)
class Plan:
    """What a campaign does; the same seed draws the same."""

    kills: int
    faults: int
    seed: int
    benches: int = 1
    """How many benches are served and used at the same time."""
    only: frozenset[int] = frozenset()
    """The trials that are done; empty for all."""

    def disturbances(self, *, disks: bool) -> list[tuple[int, Disturbance]]:
        """What befalls each run, numbered from 1, kills first, in the order in which it is done."""
        draw = random.Random(self.seed)
        drawn = kills(self.kills, draw) + faults(self.faults, draw, disks=disks)
        numbered = list(enumerate(drawn, start=1))
        draw.shuffle(numbered)  # so that a campaign that is ended early has had some of each
        return [(number, one) for number, one in numbered if not self.only or number in self.only]


@dataclass(frozen=True)
class Outcome:
    """What a campaign has found."""

    plan: Plan
    trials: Sequence[Trial]
    disks: bool
    """Whether this machine let the campaign mount disks."""

    @property
    def full(self) -> bool:
        """Whether every cell of every trial is true."""
        return bool(self.trials) and not any(trial.wrong for trial in self.trials)

    def table(self) -> str:
        """The table, for people."""
        rows: dict[str, list[Trial]] = {}
        for trial in sorted(self.trials, key=lambda trial: trial.number):
            rows.setdefault(trial.disturbance.kind, []).append(trial)
        wide = max(map(len, (*rows, "all faults")))
        head = (
            f"{'':{wide}}  trials" + "".join(f"  {cell:>9}" for cell in CELLS) + "   off after   longest run"
        )
        lines = [head]
        groups = (("all kills", True), ("all faults", False))
        for kind, trials in rows.items():
            lines.append(_row(kind, wide, trials))
        for name, killed in groups:
            lines.append(
                _row(name, wide, [trial for trial in self.trials if is_kill(trial.disturbance) is killed])
            )
        lines.append(_row("all", wide, list(self.trials)))
        lines += [
            "",
            f"seed {self.plan.seed}; off within {OFF_WITHIN_S:g} s; a run ends within {RUN_BOUND_S:g} s: its "
            f"deadline of {DEADLINE_S:g} s and {LAST_RESORT_S:g} s",
        ]
        if not self.disks:
            lines.append("no full and no read-only disk: this user may not mount one")
        return "\n".join(lines)


def _row(name: str, wide: int, trials: Sequence[Trial]) -> str:
    if not trials:
        return f"{name:{wide}}  {0:6}"
    good = (sum(cell not in trial.wrong for trial in trials) for cell in CELLS)
    cells = "".join(f"  {count:>9}" for count in good)
    off_s, run_s = max(trial.off_s for trial in trials), max(trial.run_s for trial in trials)
    return f"{name:{wide}}  {len(trials):6}{cells}  {off_s:8.1f} s  {run_s:10.1f} s"


def run(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Outcome:
    """Do a campaign.

    Args:
        plan: what to do.
        folder: an empty folder; what is left in it belongs to trials in which something was wrong.
        tell: is told a line per trial.
    """
    # What this process ignores, as behind nohup, its runs would ignore as well.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    disks = can_mount(folder)
    image = build()
    todo: queue.SimpleQueue[tuple[int, Disturbance]] = queue.SimpleQueue()
    for numbered in plan.disturbances(disks=disks):
        todo.put(numbered)
    trials: list[Trial] = []
    ended = threading.Event()
    failed: list[BaseException] = []

    def work(bench_number: int) -> None:
        try:
            with ExitStack() as stack:
                path = folder / f"bench-{bench_number}"
                path.mkdir()
                bench = stack.enter_context(ServedBench(plan.seed + bench_number))
                stand = Stand(bench, Lab(path, image))
                while not (failed or ended.is_set()):
                    try:
                        number, disturbance = todo.get_nowait()
                    except queue.Empty:
                        return
                    trial = stand.trial(number, disturbance)
                    trials.append(trial)
                    wrong = "".join(f"\n    {cell}: {text}" for cell, text in trial.wrong.items())
                    tell(
                        f"{number}: {disturbance}: {trial.status} {trial.title}, "
                        f"off after {trial.off_s:.1f} s, took {trial.run_s:.1f} s{wrong}"
                    )
        except BaseException as error:  # noqa: BLE001  # told by the thread that waits
            failed.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(plan.benches)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    except KeyboardInterrupt:  # what is under way comes to its end, and the table has what was done
        ended.set()
        for worker in workers:
            worker.join()
    if failed:
        raise failed[0]
    return Outcome(plan, trials, disks)
