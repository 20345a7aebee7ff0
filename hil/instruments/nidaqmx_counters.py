# SPDX-License-Identifier: Apache-2.0
"""The counters of an NI X Series device: armed for a kind of interval, and waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType, Edge
from nidaqmx.task.channels import CIChannel
from numpy.typing import NDArray

from hil.errors import DeviceError, DeviceTimeoutError, ProtocolError
from hil.instruments.counter_ranges import COUNTER_BITS, timebase_hz
from hil.instruments.nidaqmx_errors import NothingCameError, explained
from hil.instruments.protocols import CounterMeasurement

_GATES = {"ctr0": "PFI9", "ctr1": "PFI4", "ctr2": "PFI1", "ctr3": "PFI6"}
"""Default gate input of each counter (NI X Series user manual, default counter/timer terminals)."""

_SHORTEST_TICKS = 2
"""Ticks in the shortest interval asked for: fewer than two say nothing about its length."""

_COUNTER_BUFFER = 1000
"""Samples that a counter buffers beyond those asked for, so that it never overruns while nobody reads."""


def gate(counter: str, role: str) -> str:
    """The PFI terminal of a counter's gate, "/Dev1/PFI9" for "Dev1/ctr0".

    Raises:
        ProtocolError: it is no counter.
    """
    device, _, name = counter.partition("/")
    if name not in _GATES:
        raise ProtocolError(f"{counter} has no gate", where=role, expected=f"one of {', '.join(_GATES)}")
    return f"/{device}/{_GATES[name]}"


@contextmanager
def armed(
    make_task: Callable[[], nidaqmx.Task],
    counter: str,
    count: int,
    quantity: Literal["pulse width", "period", "edge separation"],
    longest_s: float,
    *,
    role: str,
    between: tuple[str, str] | None = None,
) -> Iterator[CounterMeasurement]:
    """Measure ``count`` intervals in a task of its own, which ends with the ``with``.

    Args:
        make_task: makes an empty one.
        counter: which counts.
        count: how many values.
        quantity: what an interval is.
        longest_s: longest interval in seconds, from which DAQmx takes the timebase.
        role: the DAQ's table, for messages.
        between: of an edge separation: the counters at whose gates the two signals are wired.
    """
    span = {"min_val": _SHORTEST_TICKS / timebase_hz(longest_s), "max_val": longest_s}
    with make_task() as task:
        with explained(role, f"arm {counter} for {quantity}"):
            channels = task.ci_channels
            if between is not None:
                channel = channels.add_ci_two_edge_sep_chan(
                    counter, first_edge=Edge.RISING, second_edge=Edge.RISING, **span
                )
                channel.ci_two_edge_sep_first_term = gate(between[0], role)
                channel.ci_two_edge_sep_second_term = gate(between[1], role)
            elif quantity == "period":
                channel = channels.add_ci_period_chan(counter, edge=Edge.RISING, **span)
            else:
                channel = channels.add_ci_pulse_width_chan(counter, starting_edge=Edge.RISING, **span)
            # Continuous, because a finite counter task has to be of two samples or more.
            task.timing.cfg_implicit_timing(
                sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=count + _COUNTER_BUFFER
            )
            task.start()
            rate_hz = channel.ci_ctr_timebase_rate
        # A timebase that another version of DAQmx might choose is held against what was asked of it.
        if not longest_s * rate_hz < 2**COUNTER_BITS:
            raise ProtocolError(
                f"the timebase of {rate_hz:g} Hz was chosen for intervals of up to {longest_s:g} s",
                where=role,
                operation=f"arm {counter} for {quantity}",
                expected=f"{timebase_hz(longest_s):g} Hz, with which the counter does not roll over",
            )
        yield _ArmedCounter(task, channel, count, role, f"{quantity} on {counter}", 2**COUNTER_BITS / rate_hz)


class _ArmedCounter:
    """A started counter task; its values are waited for."""

    def __init__(
        self, task: nidaqmx.Task, channel: CIChannel, count: int, role: str, operation: str, reach_s: float
    ) -> None:
        self._task = task
        self._channel = channel
        self._count = count
        self._role = role
        self._operation = operation
        self._reach_s = reach_s

    def wait(self, timeout_s: float) -> NDArray[np.float64]:
        """The values in seconds.

        Raises:
            DeviceTimeoutError: the signal did not come.
            DeviceError: it came more slowly than the counter can tell.
        """
        try:
            with explained(self._role, self._operation):
                values = self._task.read(number_of_samples_per_channel=self._count, timeout=timeout_s)
                rolled_over = self._channel.ci_tc_reached
        except NothingCameError as error:  # the DAQ works; what it waited for is the device's to give
            raise DeviceTimeoutError(
                f"fewer than {self._count} value(s) within {timeout_s:g} s",
                where=self._role,
                operation=self._operation,
                hint="the firmware does not drive the pin, or its wire is open",
            ) from error
        if rolled_over:
            raise DeviceError(
                f"an interval of {self._reach_s:.1f} s or more, and which of the values is too small by "
                "so much is not known",
                where=self._role,
                operation=self._operation,
                hint="if it may take so long, state the longest interval: longest_s",
            )
        return np.atleast_1d(np.asarray(values, dtype=np.float64))
