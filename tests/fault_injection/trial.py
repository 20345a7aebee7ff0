# SPDX-License-Identifier: Apache-2.0
"""One trial: a run that something befalls, and what is true of its bench and its record afterwards."""

from __future__ import annotations

import contextlib
import fcntl
import html
import json
import math
import re
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.fault_injection.disturbances import (
    FULL_DISK,
    READ_ONLY_PROJECT,
    READ_ONLY_RESULTS,
    Disturbance,
    SmallDisk,
    faulty_link,
    is_kill,
    send_signals,
)
from tests.fault_injection.lab import RUN_BOUND_S, TESTS, Evidence, Lab, Run
from tests.fault_injection.served_bench import ServedBench
from tests.fault_injection.tcp_proxy import MODES

OFF_WITHIN_S = 10.0
"""From a signal, or the end of a run with a fault whose link is sound again."""
FREE_WITHIN_S = 30.0
"""From the end of a run: on a loaded machine the guardian of a killed one takes ten seconds to start."""

PASSED, DEVICE_FAILED, USAGE, BENCH_FAILED, INCONCLUSIVE, OUT_OF_TIME = 0, 1, 4, 10, 11, 142
"""Exit statuses of a run; docs/running.md has them all."""

TITLES = ("PASS", "FAIL", "BENCH ERROR", "INCONCLUSIVE", "INCOMPLETE", "NOTHING TESTED")
"""What a report's title begins with."""

CELLS = ("off", "free", "journal", "report", "exit", "next run")
"""What has to be true after each trial."""


@dataclass
class Trial:
    """What became of one trial."""

    number: int
    disturbance: Disturbance
    wrong: dict[str, str] = field(default_factory=dict)
    """By cell: what is not true. Empty if all is."""
    off_s: float = 0.0
    """When the output was last seen on, after the signal or the end of the fault."""
    run_s: float = 0.0
    """How long the run took."""
    struck_s: float = math.inf
    """When the first signal was sent, in seconds of the Unix epoch."""
    status: int = 0
    title: str = ""
    """Of the report."""

    def refuse(self, cell: str, sentence: str) -> None:
        """Note what is not true."""
        self.wrong[cell] = f"{self.wrong[cell]}; {sentence}" if cell in self.wrong else sentence


class Stand:
    """A bench with a lab, on which one trial follows the other."""

    def __init__(self, bench: ServedBench, lab: Lab) -> None:
        """Measure an undisturbed run."""
        self._bench = bench
        self._lab = lab
        self._rig = lab.rig_file("sound", bench.rig_text("served"))
        self.undisturbed_s = 0.0
        if trouble := self._next_run(lab.path / "first"):
            raise RuntimeError(f"the undisturbed run: {trouble}")

    def trial(self, number: int, disturbance: Disturbance) -> Trial:
        """Do one trial."""
        trial = Trial(number, disturbance)
        results = self._lab.path / f"trial-{number}"
        with contextlib.ExitStack() as stack:
            run = self._befall(trial, results, stack)
            trial.status = run.process.returncode
            evidence = run.evidence()
            self._judge_bench(trial)
            folder = run.folder
            self._judge_journal(trial, folder, evidence)
            self._judge_report(trial, folder, evidence)
            self._judge_exit(trial, run, folder, evidence)
            if trial.wrong and folder is not None and not folder.is_relative_to(results):
                shutil.copytree(folder, results / folder.name)  # its disk goes
        next_results = self._lab.path / f"next-{number}"
        if trouble := self._next_run(next_results):
            trial.refuse("next run", trouble)
        if not trial.wrong:
            for path in (results, next_results):
                shutil.rmtree(path, ignore_errors=True)
                path.with_name(f"{path.name}.txt").unlink(missing_ok=True)
        return trial

    # ------------------------------------------------------------------ what befalls the run

    def _befall(self, trial: Trial, results: Path, stack: contextlib.ExitStack) -> Run:
        kind = trial.disturbance.kind
        if is_kill(trial.disturbance):
            return self._kill(trial, results)
        if kind in MODES:
            return self._break_link(trial, results, stack)
        if kind == "faults port":
            return self._break_bench(trial, results)
        return self._break_disk(trial, results, stack)

    def _wait_for_instant(self, trial: Trial, run: Run) -> None:
        left_s = run.started_s + trial.disturbance.instant * self.undisturbed_s - time.monotonic()
        time.sleep(max(0.0, left_s))

    def _kill(self, trial: Trial, results: Path) -> Run:
        run = self._lab.start(self._rig, results)
        self._wait_for_instant(trial, run)
        with self._bench.scpi() as analyzer:
            began_s = time.monotonic()
            trial.struck_s = time.time()
            send_signals(trial.disturbance, run)
            sent_s = time.monotonic() - began_s
            off_s = analyzer.seconds_until_off(run.process, OFF_WITHIN_S, RUN_BOUND_S)
        trial.off_s = off_s + sent_s if off_s > 0 else 0.0
        trial.run_s = run.end(RUN_BOUND_S)
        return run

    def _break_link(self, trial: Trial, results: Path, stack: contextlib.ExitStack) -> Run:
        link = trial.disturbance.what
        proxy = stack.enter_context(faulty_link(self._bench, link, trial.disturbance.seed))
        rig = self._lab.rig_file("faulty", self._bench.rig_text("served", {link: proxy.port}))
        run = self._lab.start(rig, results)
        self._wait_for_instant(trial, run)
        proxy.strike(trial.disturbance.kind)
        trial.run_s = run.end(RUN_BOUND_S)
        proxy.heal()
        self._watch_output(trial, run)
        return run

    def _break_bench(self, trial: Trial, results: Path) -> Run:
        run = self._lab.start(self._rig, results)
        self._wait_for_instant(trial, run)
        self._bench.order_fault(trial.disturbance.what)
        trial.run_s = run.end(RUN_BOUND_S)
        self._bench.order_fault("CLEAR")
        self._watch_output(trial, run)
        return run

    def _break_disk(self, trial: Trial, results: Path, stack: contextlib.ExitStack) -> Run:
        disk = SmallDisk(self._lab.path / f"disk-{trial.number}")
        stack.callback(disk.close)
        match trial.disturbance.kind:
            case kind if kind == FULL_DISK:
                run = self._lab.start(self._rig, disk.path / "results", output=results)
                self._wait_for_instant(trial, run)
                disk.fill()
            case kind if kind == READ_ONLY_RESULTS:
                disk.make_read_only()
                run = self._lab.start(self._rig, disk.path / "results", output=results)
            case _:
                project = shutil.copytree(self._lab.project, disk.path / "project")
                disk.make_read_only()
                run = self._lab.start(self._rig, results, project=project)
        trial.run_s = run.end(RUN_BOUND_S)
        if trial.disturbance.kind == FULL_DISK:
            disk.free()
        self._watch_output(trial, run)
        return run

    def _watch_output(self, trial: Trial, run: Run) -> None:
        with self._bench.scpi() as analyzer:
            trial.off_s = analyzer.seconds_until_off(run.process, OFF_WITHIN_S, RUN_BOUND_S)

    # ------------------------------------------------------------------ what is true afterwards

    def _judge_bench(self, trial: Trial) -> None:
        if trial.off_s > OFF_WITHIN_S:
            trial.refuse("off", f"the output was on for {trial.off_s:.1f} s")
        if trial.run_s > RUN_BOUND_S:
            trial.refuse("off", f"the run had not ended by itself after {RUN_BOUND_S:g} s")
        deadline_s = time.monotonic() + FREE_WITHIN_S
        while (held := self._held()) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        for sentence in held:
            trial.refuse("free", sentence)
        self._bench.sleep(0.1)
        for sentence in self._bench.what_is_on():
            trial.refuse("free" if "not free" in sentence else "off", sentence)

    def _held(self) -> list[str]:
        """Locks that somebody has, and processes of the run that are still there."""
        found = []
        for path in sorted(self._lab.locks.glob("*.lock")):
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append(f"{path.name} is locked")
        for process in psutil.process_iter(["pid", "cmdline"]):
            command = " ".join(process.info["cmdline"] or ())
            if str(self._lab.path) in command and str(self._lab.path / "first") not in command:
                found.append(f"process {process.info['pid']} is left: {command[-200:]}")
        return found

    def _judge_journal(self, trial: Trial, folder: Path | None, evidence: Evidence) -> None:
        path = None if folder is None else folder / "journal.jsonl"
        if path is None or not path.exists():
            if evidence.acknowledged:
                trial.refuse("journal", f"none, and {len(evidence.acknowledged)} acknowledged measurements")
            return
        *lines, torn = path.read_bytes().split(b"\n")
        if torn and trial.disturbance.kind != "SIGKILL":
            trial.refuse("journal", f"ends in half a line: {torn[:80]!r}")
        try:
            entries = [json.loads(line) for line in lines]
        except ValueError as error:
            trial.refuse("journal", f"not readable: {error}")
            return
        if [entry["sequence"] for entry in entries] != list(range(1, len(entries) + 1)):
            trial.refuse("journal", "its numbers have a gap")
        held = [(entry["name"], entry["value"]) for entry in entries]
        missing = [told for told in evidence.acknowledged if told not in held]
        if missing:
            trial.refuse("journal", f"lacks the acknowledged {missing}")

    def _judge_report(self, trial: Trial, folder: Path | None, evidence: Evidence) -> None:
        if folder is None:
            if evidence.done or evidence.acknowledged:
                trial.refuse("report", "no folder, and tests were run")
            return
        page = folder / "report.html"
        if not page.exists():
            made = self._lab.hil("report", str(folder))
            if made.returncode or not page.exists():
                trial.refuse("report", f"hil report: {(made.stderr or made.stdout).strip()[-300:]}")
                return
        text = page.read_text("utf-8")
        title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)
        trial.title = html.unescape(title[1]).strip() if title else ""
        if trial.title.startswith("PASS") and sorted(evidence.done) != sorted(TESTS):
            trial.refuse("report", f"says PASS, and only {evidence.done} came to their end")
        if not trial.title.startswith(
            ("PASS", "FAIL", "BENCH ERROR", "INCONCLUSIVE", "INCOMPLETE", "NOTHING TESTED")
        ):
            trial.refuse("report", f"its title says {trial.title!r}")
        if is_kill(trial.disturbance) and trial.title.startswith("FAIL"):
            trial.refuse("report", f"blames the device: {trial.title}")
        if "<script>alert" in text or "\x1b" in text:
            trial.refuse("report", "a hostile text stands in it as it came")

    def _judge_exit(self, trial: Trial, run: Run, folder: Path | None, evidence: Evidence) -> None:
        status = trial.status
        allowed = _allowed(trial, folder)
        if status not in allowed:
            trial.refuse("exit", f"{status}; expected one of {sorted(allowed)}")
        if status == PASSED and sorted(evidence.done) != sorted(TESTS):
            trial.refuse("exit", f"0, and only {evidence.done} came to their end")
        titles = {
            PASSED: "PASS",
            DEVICE_FAILED: "FAIL",
            BENCH_FAILED: "BENCH ERROR",
            INCONCLUSIVE: "INCONCLUSIVE",
        }
        told = titles.get(status, "")
        # A record that cannot be written on a full disk says less than the exit status does.
        if folder is not None and trial.disturbance.kind != FULL_DISK and not trial.title.startswith(told):
            trial.refuse("exit", f"{status}, and the report says {trial.title}")
        output = run.output
        if "\x1b" in output:
            trial.refuse("exit", "an escape sequence reached the terminal")
        if status != -signal.SIGINT and "Traceback (most recent call last)" in output:
            trial.refuse("exit", "a traceback was printed")

    def _next_run(self, results: Path) -> str:
        """What is wrong with the next, undisturbed run; empty if it is green."""
        run = self._lab.start(self._rig, results)
        took_s = run.end(RUN_BOUND_S)
        evidence = run.evidence()
        if run.process.returncode != PASSED:
            return f"status {run.process.returncode}: {run.output[-1500:]}"
        if run.folder is None or sorted(evidence.done) != sorted(TESTS):
            return f"only {evidence.done} came to their end"
        described: dict[str, Any] = json.loads((run.folder / "run.json").read_text("utf-8"))
        if described["verdict"] != "pass":
            return f"verdict {described['verdict']}: {described['verdict_reason']}"
        self.undisturbed_s = took_s
        return ""


def _allowed(trial: Trial, folder: Path | None) -> set[int]:
    """The exit statuses that tell the truth about a run."""
    disturbance = trial.disturbance
    kind = disturbance.kind
    if is_kill(disturbance):
        number = int(signal.Signals[kind.partition(" x")[0]])
        all_said = _said_before(trial.struck_s, folder)
        if kind == "SIGKILL":
            return {-number, PASSED} if all_said else {-number}
        if all_said:
            return {PASSED}
        # Before pytest has read its options a signal does what it does to any process.
        return {128 + number} if folder is not None else {128 + number, -number}
    if kind in (READ_ONLY_RESULTS,):
        return {USAGE}
    if kind == READ_ONLY_PROJECT:
        return {PASSED}
    if kind == FULL_DISK:
        return {PASSED, USAGE, BENCH_FAILED}
    allowed = {PASSED, BENCH_FAILED, OUT_OF_TIME}
    # Nobody can tell a changed figure from a measured one, a silent console from a silent device, or a board
    # with a dead crystal from a device that fails.
    if kind in ("garble", "duplicate", "hostile text", "faults port") or disturbance.what == "console":
        allowed |= {DEVICE_FAILED, INCONCLUSIVE}
    return allowed


def _said_before(instant_s: float, folder: Path | None) -> bool:
    """Whether the run had written its verdict when the signal came, which was too late then."""
    if folder is None:
        return False
    record = folder / "run.json"
    with contextlib.suppress(OSError, ValueError):
        ended = json.loads(record.read_text("utf-8"))["exit_status"] == PASSED
        return bool(ended) and record.stat().st_mtime <= instant_s
    return False
