# SPDX-License-Identifier: Apache-2.0
"""The DAQs of a rig, each opened at its first use, and all of them as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hil.errors import RigError
from hil.instruments.counter_ranges import LONGEST_INTERVAL_S
from hil.instruments.protocols import CounterMeasurement, Daq, Identity


class RigDaq:
    """One DAQ of the rig. Opening it puts at rest what it drives."""

    def __init__(self, role: str, device: str, open_daq: Callable[[], Daq]) -> None:
        """Nothing is opened yet.

        Args:
            role: its table in the rig's file: "daq", "daqs.signal".
            device: the device's name, with which its terminals begin.
            open_daq: opens it.
        """
        self.role, self.device = role, device
        self._open = open_daq

    @cached_property
    def daq(self) -> Daq:
        """The device, opened."""
        return self._open()

    @property
    def opened(self) -> bool:
        """Whether it has been used, and so has something to be put away."""
        return "daq" in self.__dict__

    def stop(self) -> None:
        """Put at rest what it drives, opened or not."""
        self.daq.stop()

    @property
    def named(self) -> str:
        """What the steps of the way down call it."""
        return "DAQ" if self.role == "daq" else f"DAQ {self.role.removeprefix('daqs.')}"


class Daqs:
    """All DAQs of a rig as one: an order goes to the device with whose name its terminal begins.

    A device that does not answer keeps nobody from the others.
    """

    def __init__(self, daqs: Sequence[RigDaq]) -> None:
        """Nothing is opened yet. The first of ``daqs`` is the rig's ``[daq]``."""
        self._daqs = tuple(daqs)

    def identity(self) -> Identity:
        """That of ``[daq]``."""
        return self._daqs[0].daq.identity()

    def play(self, terminal: str, samples_v: NDArray[np.float64], rate_hz: float, *, repeat: bool) -> None:
        """Put out a waveform. Raises SafetyError beyond the wire's limits, or without a proven supply."""
        self._at(terminal).play(terminal, samples_v, rate_hz, repeat=repeat)

    def set_voltage(self, terminal: str, voltage_v: float) -> None:
        """Put out a voltage. Raises SafetyError beyond the wire's limits, or without a proven supply."""
        self._at(terminal).set_voltage(terminal, voltage_v)

    def acquire(self, terminals: Sequence[str], rate_hz: float, count: int) -> NDArray[np.float64]:
        """Read ``count`` samples of each analog input. Raises RigError for inputs of two devices."""
        return self._at(*terminals).acquire(terminals, rate_hz, count)

    def write_line(self, line: str, level: bool) -> None:
        """Drive a digital line. Raises SafetyError where it is not wired, or the relay must not close."""
        self._at(line).write_line(line, level)

    def read_line(self, line: str) -> bool:
        """Read a digital line."""
        return self._at(line).read_line(line)

    def read_gates(self, counter: str) -> Mapping[str, bool]:
        """The level at every programmable input of the device that has the counter."""
        return self._at(counter).read_gates(counter)

    def gate_of(self, counter: str) -> str:
        """The programmable input of a counter."""
        return self._at(counter).gate_of(counter)

    def round_trip(self) -> None:
        """One exchange with ``[daq]`` that changes nothing."""
        self._daqs[0].daq.round_trip()

    def pulse_widths(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` high pulses on its gate."""
        return self._at(counter).pulse_widths(counter, count, longest_s)

    def pulse_periods(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` periods between rising edges on its gate."""
        return self._at(counter).pulse_periods(counter, count, longest_s)

    def edge_separation(
        self, counter: str, first: str, second: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` times from an edge at ``first`` to the next one at ``second``.

        Raises RigError for counters of two devices.
        """
        daq = self._at(counter, first, second)
        return daq.edge_separation(counter, first, second, count, longest_s)

    def stop(self) -> None:
        """Put every output of every device to 0 V, and open every contact; of the others too if one fails."""
        with ExitStack() as stack:
            for one in reversed(self._daqs):
                stack.callback(one.stop)

    def close(self) -> None:
        """:meth:`stop`, and release the devices that were opened."""
        with ExitStack() as stack:
            for one in reversed(self._daqs):
                if one.opened:
                    stack.callback(one.daq.close)

    def _at(self, *terminals: str) -> Daq:
        devices = {terminal.partition("/")[0] for terminal in terminals}
        found = [one for one in self._daqs if one.device in devices]
        if len(found) == len(devices) == 1:
            return found[0].daq
        known = ", ".join(one.device for one in self._daqs)
        raise RigError(
            f"no DAQ has {' and '.join(terminals)}",
            where="daq",
            expected=f"terminals of one device of {known}",
            hint="the terminals' names begin with the device's, as in [wiring]",
        )
