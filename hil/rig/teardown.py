# SPDX-License-Identifier: Apache-2.0
"""The way down: every step has a time limit, and none can keep the others from being done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass

from hil.errors import HilError, RigError


@dataclass(frozen=True)
class Step:
    """One step of the way down."""

    name: str
    action: Callable[[], None]
    limit_s: float
    """Wall time that it may take."""


def run_steps(steps: Sequence[Step]) -> list[HilError]:
    """Run the steps in order; returns what went wrong.

    A step that fails or runs out of time does not stop the next ones. An interrupt (Ctrl-C) ends only the
    wait for the step at hand; it is raised after the last one. So is an error that no instrument explains,
    a bug.
    """
    errors: list[HilError] = []
    with ExitStack() as stack:
        for step in reversed(steps):
            stack.callback(_run, step, errors)
    return errors


def _run(step: Step, errors: list[HilError]) -> None:
    try:
        run_limited(step)
    except HilError as error:
        errors.append(error)


def run_limited(step: Step) -> None:
    """Run one step in a thread of its own. Raises RigError when it takes longer than its limit.

    A stuck step is left behind in its thread, which does not keep the process alive.
    """
    outcome: Future[None] = Future()

    def work() -> None:
        try:
            step.action()
        except BaseException as error:  # noqa: BLE001  # carried over to the thread that waits
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    threading.Thread(target=work, name=step.name, daemon=True).start()
    try:
        outcome.result(timeout=step.limit_s)
    except TimeoutError as error:
        if outcome.done():
            raise  # the step's own error
        raise RigError(
            f"not done within {step.limit_s:g} s", where="shutdown", operation=step.name
        ) from error
