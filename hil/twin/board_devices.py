# SPDX-License-Identifier: Apache-2.0
"""What else is soldered to the board: devices on the part's buses, as the board's file lists them.

A device is on the bus for as long as the bench exists. Its supply is not the part's, and nothing that it
draws is in the part's current: no board's file has a figure. It is reached through whichever pins the part's
bus is routed to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from hil.boards import Board
from hil.twin.core.scheduler import Scheduler
from hil.twin.devices.lsm6dsl import Lsm6dsl
from hil.twin.errors import BenchConfigError
from hil.twin.ip.bus_devices import I2cDevice
from hil.twin.mcu import Mcu
from hil.twin.pins import Pins


class _Model(Protocol):
    def __call__(self, scheduler: Scheduler, pins: Pins, wires: Mapping[str, str]) -> I2cDevice:
        """A device whose signals end at the pins that ``wires`` names."""


def _lsm6dsl(scheduler: Scheduler, pins: Pins, wires: Mapping[str, str]) -> Lsm6dsl:
    """It lies still: nothing on the bench shakes the board."""
    return Lsm6dsl(scheduler, int1=pins[wires["int1"]])


_MODELS: Final[dict[str, _Model]] = {"LSM6DSL": _lsm6dsl}


def attach(board: Board, mcu: Mcu, pins: Pins) -> list[str]:
    """Put every device that has a model on its bus; returns the names of those that have none.

    Raises:
        BenchConfigError: the board's file names a bus that the part has not.
    """
    unmodelled = []
    buses = mcu.peripherals.i2cs
    for name, wires in board.devices.items():
        model = _MODELS.get(name)
        if wires["bus"] not in buses:
            raise BenchConfigError(
                f"{board.name}: devices.{name}: expected a bus of {', '.join(buses)}, not {wires['bus']!r}"
            )
        if model is None:
            unmodelled.append(f"{name} on {wires['bus']} of the board")
        else:
            buses[wires["bus"]].devices.append(model(mcu.scheduler, pins, wires))
    return unmodelled
