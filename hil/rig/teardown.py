# SPDX-License-Identifier: Apache-2.0
"""The way down: every step has a time limit, and none can keep the others from being done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass

from hil.errors import HilError, RigError
from hil.instruments.interrupts import held_back

HURRIED_LIMIT_S = 1.0
"""Wall time for a step that switches nothing off, once somebody is in a hurry."""
_LOOK_UP_S = 0.1


@dataclass(frozen=True)
class Step:
    """One step of the way down."""

    name: str
    action: Callable[[], None]
    limit_s: float
    """Wall time that it may take."""
    switches_off: bool = False
    """Whether an output is on until it is done: then nobody's hurry shortens it."""


def run_steps(steps: Sequence[Step], hurried: Callable[[], bool] = lambda: False) -> list[HilError]:
    """Run the steps in order; returns what went wrong.

    A step that fails or runs out of time does not stop the next ones. A signal (Ctrl-C) meanwhile only makes
    the steps hurry that switch nothing off; it is delivered after the last one. So is an error that no
    instrument explains, a bug.

    Args:
        steps: what to do.
        hurried: whether somebody has asked more than once already.
    """
    errors: list[HilError] = []
    with held_back() as held, ExitStack() as stack:
        for step in reversed(steps):
            stack.callback(_run, step, errors, lambda: held.count > 0 or hurried())
    return errors


def _run(step: Step, errors: list[HilError], hurried: Callable[[], bool]) -> None:
    try:
        run_limited(step, hurried)
    except HilError as error:
        errors.append(error)


def run_limited(step: Step, hurried: Callable[[], bool]) -> None:
    """Run one step in a thread of its own. Raises RigError when it takes longer than its limit.

    A stuck step is left behind in its thread, which does not keep the process alive. In a hurry one that
    switches nothing off is left behind sooner, and that is no error.
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
    began_s = time.monotonic()
    while True:
        short = hurried() and not step.switches_off
        limit_s = min(step.limit_s, HURRIED_LIMIT_S) if short else step.limit_s
        remaining_s = limit_s - (time.monotonic() - began_s)
        try:
            outcome.result(timeout=max(0.0, min(remaining_s, _LOOK_UP_S)))
            return
        except TimeoutError as error:
            if outcome.done():
                raise  # the step's own error
            if remaining_s <= _LOOK_UP_S and short:
                return  # left behind at somebody's wish: no output is on because of it
            if remaining_s <= _LOOK_UP_S:
                raise RigError(
                    f"not done within {limit_s:g} s", where="shutdown", operation=step.name
                ) from error
