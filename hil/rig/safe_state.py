# SPDX-License-Identifier: Apache-2.0
"""How a bench is left, whatever has happened on it: nothing driven, nothing connected, nothing supplied."""

from __future__ import annotations

from hil.rig.bench import Bench
from hil.rig.teardown import Step

STEP_LIMIT_S = 15.0
"""Wall time for one step of the way down. Each takes well under a second when all is well; a driver gives an
answer up after 10 s at most, and the next step on the same instrument must not meet the one before."""
_OFF_LIMIT_S = 2.4
"""Wall time for a step up to the supply's end. All four fit the 10 s that an end has: one that hangs must not
keep the supply on."""


def safe_state_steps(bench: Bench) -> list[Step]:
    """Order: stop driving pins, let go of the probe, open its lines, and only then cut the supply."""
    steps = []
    if bench.opened("daq"):
        steps.append(Step("outputs to 0 V", bench.daq.stop, _OFF_LIMIT_S, switches_off=True))
    supplied_by_us = bench.opened("power_analyzer")
    if bench.opened("board"):
        if supplied_by_us:
            steps.append(Step("probe released", bench.board.abandon, _OFF_LIMIT_S))
        else:
            steps.append(Step("probe detached", bench.board.detach, _OFF_LIMIT_S))
    if bench.opened("daq") and bench.has_lines:
        steps.append(Step("lines open", bench.open_lines, _OFF_LIMIT_S, switches_off=True))
    if supplied_by_us:
        steps.append(Step("supply off", bench.power_analyzer.supply_off, _OFF_LIMIT_S, switches_off=True))
    if bench.opened("daq"):
        steps.append(Step("DAQ released", bench.daq.close, STEP_LIMIT_S))
    if supplied_by_us:
        steps.append(Step("power analyzer released", bench.power_analyzer.close, STEP_LIMIT_S))
    if bench.opened("console"):
        steps.append(Step("console released", bench.console.close, STEP_LIMIT_S))
    if bench.opened("clock"):
        steps.append(Step("clock released", bench.clock.close, STEP_LIMIT_S))
    return steps
