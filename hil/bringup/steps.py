# SPDX-License-Identifier: Apache-2.0
"""The eleven steps, in the order of safety: each relies on those before it and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.bringup.board_supply import bring_the_board_up
from hil.bringup.by_hand import check_by_hand
from hil.bringup.instruments import check_analyzer, check_daq, check_ports
from hil.bringup.loads import log_against_the_clock, measure_known_loads
from hil.bringup.part import start_the_part
from hil.bringup.session import Session
from hil.bringup.sleep import measure_sleep
from hil.bringup.wires import measure_wires, time_pulses


@dataclass(frozen=True)
class Step:
    """One step. ``check`` returns what it measured, in one line."""

    title: str
    needs: tuple[str, ...]
    """Instruments without which it is left out."""
    check: Callable[[Session], str]


STEPS = (
    Step("by hand, unpowered", (), check_by_hand),
    Step("probe and console port", (), check_ports),
    Step("DAQ", ("daq",), check_daq),
    Step("power analyzer", ("power_analyzer",), check_analyzer),
    Step("known loads", ("power_analyzer",), measure_known_loads),
    Step("log against the clock", ("power_analyzer",), log_against_the_clock),
    Step("supply of the board", ("power_analyzer",), bring_the_board_up),
    Step("part and firmware", ("board", "power_analyzer"), start_the_part),
    Step("wires and marker loads", ("board", "daq", "power_analyzer"), measure_wires),
    Step("pulses into the counters", ("board", "daq"), time_pulses),
    Step("sleep current", ("board", "power_analyzer", "console"), measure_sleep),
)
