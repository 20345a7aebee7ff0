# SPDX-License-Identifier: Apache-2.0
"""Runs the steps one after the other, says a line of each, and keeps what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hil.bringup import results_file
from hil.bringup.session import Session
from hil.bringup.steps import STEPS, Step
from hil.config import BringUpResults
from hil.config.bring_up import StepRecord
from hil.rig import State

Report = Callable[[int, str, str], None]
"""Called with a step's number, its title, and what it measured; with an empty text when it begins."""


def bring_up(session: Session, report: Report, steps: Sequence[Step] = STEPS) -> BringUpResults:
    """Do every step, leave the board off, and write the results beside the rig's file.

    Args:
        session: the rig and who is at it.
        report: told of each step.
        steps: what to do.

    Raises:
        HilError: the first thing that is wrong. No results are written then.
    """
    for number, step in enumerate(steps, start=1):
        session.title = f"step {number}, {step.title}"
        report(number, step.title, "")
        missing = [name for name in step.needs if not session.rig.has(name)]
        measured = f"left out: the rig has no {', '.join(missing)}" if missing else step.check(session)
        session.found.steps.append(StepRecord(number=number, title=step.title, measured=measured))
        report(number, step.title, measured)
    if session.rig.has("power_analyzer"):
        session.rig.to(State.OFF)
    results = session.results()
    results_file.write(results)
    return results
