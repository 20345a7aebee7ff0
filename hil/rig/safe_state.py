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
_OFF_S = 9.6
"""Wall time for all steps up to the supply's end, of the 10 s that an end has: four, and one for each further
DAQ and each rail. Each gets its share, since one that hangs must not keep the supply on."""
_OPENING_S = 8.0
"""Wall time to open the instruments and switch their outputs off: two, and one for each further DAQ and each
rail. An assumption: it fits the 10 s that an end has."""


def safe_state_steps(bench: Bench) -> list[Step]:
    """Order: stop driving pins, let go of the probe, open its lines, cut the rails, then the supply."""
    off_limit_s = _share(_OFF_S, 4, bench)
    rails = [rail for rail in bench.rails.values() if rail.opened]
    steps = []
    daqs = [one for one in bench.daqs.values() if one.opened]
    for one in daqs:
        steps.append(Step(f"{one.named}: outputs to 0 V", one.stop, off_limit_s, switches_off=True))
    measured_by_us = bench.opened("power_analyzer")  # the supply, the ammeter, or both
    supplied_by_us = measured_by_us and bench.has("supply")
    if bench.opened("board"):
        if supplied_by_us:
            steps.append(Step("probe released", bench.board.abandon, off_limit_s))
        else:
            steps.append(Step("probe detached", bench.board.detach, off_limit_s))
    if bench.has_lines and any(one.device == bench.lines_device for one in daqs):
        steps.append(Step("lines open", bench.open_lines, off_limit_s, switches_off=True))
    steps += [
        Step(f"rail {rail.name} off", rail.off, off_limit_s, switches_off=True)
        for rail in rails
        if rail.has_supply
    ]
    if supplied_by_us:
        steps.append(Step("supply off", bench.supply.supply_off, off_limit_s, switches_off=True))
    steps += [Step(f"{one.named} released", one.daq.close, STEP_LIMIT_S) for one in daqs]
    if measured_by_us:
        steps.append(Step("power analyzer released", bench.power_analyzer.close, STEP_LIMIT_S))
    steps += [Step(f"rail {rail.name} released", rail.close, STEP_LIMIT_S) for rail in rails]
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
    limit_s = _share(_OPENING_S, 2, bench)
    steps = [
        Step(f"{one.named} at rest", one.stop, limit_s, switches_off=True)
        for one in bench.daqs.values()
        if not one.opened
    ]
    steps += [
        Step(f"rail {rail.name} off", rail.force_off, limit_s, switches_off=True)
        for rail in bench.rails.values()
        if rail.has_supply and not rail.opened
    ]
    if bench.has("supply") and not bench.opened("power_analyzer"):
        steps.append(Step("supply off", bench.switch_supply_off, limit_s, switches_off=True))
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


def _share(all_s: float, steps: int, bench: Bench) -> float:
    """The wall time for each of so many steps, of one for each further DAQ, and of one for each fed rail."""
    rails = sum(rail.has_supply for rail in bench.rails.values())
    return all_s / (steps + max(len(bench.daqs) - 1, 0) + rails)


def _noted(step: Step, done: list[str]) -> Callable[[], None]:
    def action() -> None:
        step.action()
        done.append(step.name)

    return action
