# SPDX-License-Identifier: Apache-2.0
"""The screw terminals of all DAQs on the bench, by the names that the rig file's wiring gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hil.twin.daq.bench import AnalogSource
from hil.twin.daq.x_series import XSeriesDevice
from hil.twin.errors import WiringError
from hil.twin.pins import Listener
from hil.twin.signal import Signal


class Terminals:
    """Finds the device of a terminal. A wire ends at a box, whatever name its driver has given it since."""

    def __init__(self, devices: Mapping[str, XSeriesDevice]) -> None:
        """``devices`` are by the names that the rig file gives them."""
        self._devices = devices

    def device(self, terminal: str) -> XSeriesDevice:
        """The device that has the terminal "Dev1/ao0".

        Raises:
            WiringError: no device of that name is on the bench.
        """
        name = terminal.partition("/")[0]
        if name not in self._devices:
            raise WiringError(f"no DAQ has the terminal {terminal!r}; there are {', '.join(self._devices)}")
        return self._devices[name]

    def analog_output(self, name: str) -> AnalogSource:
        """The voltage on an analog output."""
        return self.device(name).analog_output(name)

    def connect_analog_input(self, name: str, source: AnalogSource) -> None:
        """Feed an analog input."""
        self.device(name).connect_analog_input(name, source)

    def edge_listener(self, counter: str) -> Listener:
        """What to call at every edge on a counter's input."""
        return self.device(counter).edge_listener(counter)

    def line_driven(self, line: str) -> Signal[[int, bool | None]]:
        """Tells when a DAQ drives a digital line to another level, or lets go of it (``None``)."""
        return self.device(line).line_driven(line)

    def line_edges(self, line: str) -> Listener:
        """What to call at every edge of what is connected to a digital line."""
        return self.device(line).line_edges(line)

    def connect_line(self, line: str, read: Callable[[], bool | None]) -> None:
        """What a digital line reads while no DAQ drives it."""
        self.device(line).connect_line(line, read)
