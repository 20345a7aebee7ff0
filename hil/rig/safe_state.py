# SPDX-License-Identifier: Apache-2.0
"""How a bench is left, whatever has happened on it: nothing driven, nothing connected, nothing supplied."""

from __future__ import annotations

from collections.abc import Callable

from hil.config import RigConfig, drivers
from hil.errors import HilError, RigError
from hil.rig.bench import Bench
from hil.rig.claims import claims
from hil.rig.lock import BenchLock
from hil.rig.teardown import Step, run_steps

STEP_LIMIT_S = 15.0
"""Wall time for one step of the way down. Each takes well under a second when all is well; a driver gives an
answer up after 10 s at most, and the next step on the same instrument must not meet the one before."""
_OFF_LIMIT_S = 2.4
"""Wall time for a step up to the supply's end. All four fit the 10 s that an end has: one that hangs must not
keep the supply on."""


OPENING_LIMIT_S = 4.0
"""Wall time to open an instrument and switch its outputs off. An assumption: two of them fit the 10 s that an
end has."""


def safe_state_steps(bench: Bench) -> list[Step]:
    """Order: stop driving pins, let go of the probe, open its lines, and only then cut the supply."""
    steps = []
    if bench.opened("daq"):
        steps.append(Step("outputs to 0 V", bench.daq.stop, _OFF_LIMIT_S, switches_off=True))
    measured_by_us = bench.opened("power_analyzer")  # the supply, the ammeter, or both
    supplied_by_us = measured_by_us and bench.has("supply")
    if bench.opened("board"):
        if supplied_by_us:
            steps.append(Step("probe released", bench.board.abandon, _OFF_LIMIT_S))
        else:
            steps.append(Step("probe detached", bench.board.detach, _OFF_LIMIT_S))
    if bench.opened("daq") and bench.has_lines:
        steps.append(Step("lines open", bench.open_lines, _OFF_LIMIT_S, switches_off=True))
    if supplied_by_us:
        steps.append(Step("supply off", bench.supply.supply_off, _OFF_LIMIT_S, switches_off=True))
    if bench.opened("daq"):
        steps.append(Step("DAQ released", bench.daq.close, STEP_LIMIT_S))
    if measured_by_us:
        steps.append(Step("power analyzer released", bench.power_analyzer.close, STEP_LIMIT_S))
    if bench.opened("console"):
        steps.append(Step("console released", bench.console.close, STEP_LIMIT_S))
    if bench.opened("thermometer"):
        steps.append(Step("thermometer released", bench.thermometer.close, STEP_LIMIT_S))
    if bench.opened("clock"):
        steps.append(Step("clock released", bench.clock.close, STEP_LIMIT_S))
    return steps


def opening_steps(bench: Bench) -> list[Step]:
    """The steps for the instruments that were never opened, since an earlier user may have left them on.

    They come before :func:`safe_state_steps`, which then finds them opened.
    """
    preload(bench.config)  # here, where no step's time runs
    steps = []
    if bench.has("daq") and not bench.opened("daq"):
        steps.append(Step("DAQ at rest", lambda: bench.daq.stop(), OPENING_LIMIT_S, switches_off=True))
    if bench.has("supply") and not bench.opened("power_analyzer"):
        steps.append(Step("supply off", bench.switch_supply_off, OPENING_LIMIT_S, switches_off=True))
    return steps


def make_safe(config: RigConfig, *, locked: bool = False) -> tuple[list[str], list[HilError]]:
    """Put a bench into its safe state; return what was done, and what could not be.

    Args:
        config: a rig without a service, so that its instruments are there to be asked.
        locked: whether the rig's lock is not to be taken: who asked for this has it.

    Raises:
        RigBusyError: somebody else uses the bench.
        RigError: the rig's bench is started for each run, and ends with it.
    """
    if config.service is not None:
        raise RigError(
            "there is nothing to switch off: its bench is started for each run and ends with it",
            where=config.name,
        )
    lock = BenchLock(config.name)
    if not locked:
        lock.acquire(claims(config), brief=True)
    bench = Bench(config)
    bench.go_down()
    done: list[str] = []
    try:
        steps = [
            Step(step.name, _noted(step, done), step.limit_s, step.switches_off)
            for step in opening_steps(bench)
        ]
        errors = [*run_steps(steps), *run_steps(safe_state_steps(bench))]
    finally:
        lock.release()
    return done, errors


def preload(config: RigConfig) -> None:
    """Import the drivers that :func:`make_safe` will need, which takes the most of its time."""
    for table in config.instruments.values():
        drivers.find(table.driver).preload()


def _noted(step: Step, done: list[str]) -> Callable[[], None]:
    def action() -> None:
        step.action()
        done.append(step.name)

    return action
