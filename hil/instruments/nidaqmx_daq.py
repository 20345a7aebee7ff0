# SPDX-License-Identifier: Apache-2.0
"""An NI X Series device through nidaqmx: the driver on this machine, or an NI gRPC Device Server on the
network.

One task per purpose, closed on every way out: a task that outlives its use keeps its resource reserved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NoReturn

import grpc
import nidaqmx
import nidaqmx.errors
import numpy as np
from nidaqmx.constants import (
    AcquisitionType,
    Edge,
    LineGrouping,
    RegenerationMode,
    TerminalConfiguration,
)
from nidaqmx.system import Device, System
from nidaqmx.task.channels import CIChannel
from numpy.typing import NDArray

from hil.errors import (
    ConnectError,
    DeviceError,
    DeviceTimeoutError,
    InstrumentTimeoutError,
    ProtocolError,
    SafetyError,
)
from hil.instruments.counter_ranges import COUNTER_BITS, LONGEST_INTERVAL_S, timebase_hz
from hil.instruments.grpc_deadline import Deadline
from hil.instruments.interrupts import whole_exchange
from hil.instruments.protocols import CounterMeasurement, Identity

_GATES = {"ctr0": "PFI9", "ctr1": "PFI4", "ctr2": "PFI1", "ctr3": "PFI6"}
"""Default gate input of each counter (NI X Series user manual, default counter/timer terminals)."""

_SHORTEST_TICKS = 2
"""Ticks in the shortest interval asked for: fewer than two say nothing about its length."""

_PFI_COUNT = 16
"""PFI 0 to 7 are the lines of port 1, PFI 8 to 15 those of port 2 (NI X Series user manual, PFI)."""

_COUNTER_BUFFER = 1000
"""Samples that a counter buffers beyond those asked for, so that it never overruns while nobody reads."""

_INPUT_RANGE_V = 10.0
"""Analog input range, the widest of the X Series."""

_TIMEOUT_MARGIN_S = 10.0
"""Added to the length of a finite output or acquisition before it counts as stuck (assumption)."""

_INVALID_DEVICE = -200220
_RESERVED = (-50103, -50105)
_READ_TIMEOUTS = (-200284, -200474)
"""DAQmx error codes: no such device; resource reserved; samples not there in time (buffered, on demand)."""


class NiDaq:
    """One device. ``limits_v`` and ``lines`` are all that it may drive: what is not wired is refused."""

    def __init__(
        self,
        device: str,
        *,
        grpc_target: str | None,
        limits_v: Mapping[str, tuple[float, float]],
        lines: Sequence[str],
        serial: str | None = None,
    ) -> None:
        """Connect and check who answers.

        Args:
            device: device name in NI MAX.
            grpc_target: ``host:port`` of a gRPC Device Server, or None for the driver on this machine.
            limits_v: lowest and highest voltage of each analog output that is wired.
            lines: digital lines that may be driven.
            serial: the serial number (hexadecimal) that must answer, if given.

        Raises:
            ConnectError: no server, no driver, no such device, or another one.
        """
        self._device = device
        self._limits_v = dict(limits_v)
        self._lines = frozenset(lines)
        self._channel: grpc.Channel | None = None
        self._options: nidaqmx.GrpcSessionOptions | None = None
        if grpc_target is not None:
            # The default limit of 4 MiB would cap a read at 524,286 samples.
            unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
            self._channel = grpc.insecure_channel(grpc_target, options=unlimited)
            timed = grpc.intercept_channel(self._channel, Deadline())
            self._options = nidaqmx.GrpcSessionOptions(timed, "")
        self._outputs: dict[str, nidaqmx.Task] = {}
        try:
            self._identity = self._identify(serial)
        except BaseException:
            if self._channel is not None:
                self._channel.close()
            raise

    def identity(self) -> Identity:
        """The device's identity; the version is that of the NI-DAQmx driver."""
        return self._identity

    def play(self, terminal: str, samples_v: NDArray[np.float64], rate_hz: float, *, repeat: bool) -> None:
        """Put out a waveform, over and over with ``repeat``, else once and wait for its end.

        Raises:
            SafetyError: the terminal is not wired, or a sample is outside the wire's limits.
        """
        samples_v = np.ascontiguousarray(samples_v, dtype=np.float64)
        low_v, high_v = self._check_voltages(terminal, samples_v)
        self._stop_outputs()
        task = self._task()
        self._outputs[terminal] = task
        with _explained(f"play on {terminal}"):
            task.ao_channels.add_ao_voltage_chan(terminal, min_val=low_v, max_val=high_v)
            mode = AcquisitionType.CONTINUOUS if repeat else AcquisitionType.FINITE
            task.timing.cfg_samp_clk_timing(rate_hz, sample_mode=mode, samps_per_chan=samples_v.size)
            if repeat:
                task.out_stream.regen_mode = RegenerationMode.ALLOW_REGENERATION
            task.write(samples_v, auto_start=False)
            task.start()
            if not repeat:
                task.wait_until_done(timeout=samples_v.size / rate_hz + _TIMEOUT_MARGIN_S)
                self._stop_outputs()

    def set_voltage(self, terminal: str, voltage_v: float) -> None:
        """Put out a constant voltage; ends a running waveform.

        Raises:
            SafetyError: the terminal is not wired, or the voltage is outside the wire's limits.
        """
        self._check_voltages(terminal, np.array([voltage_v]))
        self._stop_outputs()
        self._write_voltage(terminal, voltage_v)

    def acquire(self, terminals: Sequence[str], rate_hz: float, count: int) -> NDArray[np.float64]:
        """``count`` samples of each analog input against ground, in volts, of shape (terminals, count).

        Single-ended, because the wires end at one input each: left to itself the device takes the difference
        to the input eight terminals on (NI X Series user manual, analog input ground-reference settings).
        """
        with self._task() as task, _explained(f"acquire {', '.join(terminals)}"):
            for terminal in terminals:
                task.ai_channels.add_ai_voltage_chan(
                    terminal,
                    terminal_config=TerminalConfiguration.RSE,
                    min_val=-_INPUT_RANGE_V,
                    max_val=_INPUT_RANGE_V,
                )
            task.timing.cfg_samp_clk_timing(rate_hz, sample_mode=AcquisitionType.FINITE, samps_per_chan=count)
            task.start()
            values = task.read(
                number_of_samples_per_channel=count, timeout=count / rate_hz + _TIMEOUT_MARGIN_S
            )
            return np.asarray(values, dtype=np.float64).reshape(len(terminals), count)

    def write_line(self, line: str, level: bool) -> None:
        """Drive a digital line, which keeps the level. Raises SafetyError if it is not wired."""
        if line not in self._lines:
            raise SafetyError(
                f"line {line} refused",
                where="daq",
                operation="write line",
                expected=f"a wired line ({', '.join(sorted(self._lines)) or 'there is none'})",
                hint="add it to [wiring]",
            )
        with self._task() as task, _explained(f"write {line}"):
            task.do_channels.add_do_chan(line, line_grouping=LineGrouping.CHAN_PER_LINE)
            task.write(level, auto_start=True)

    def read_line(self, line: str) -> bool:
        """The level at a digital line's screw; a line that is driven goes on being driven."""
        with self._task() as task, _explained(f"read {line}"):
            channel = task.di_channels.add_di_chan(line, line_grouping=LineGrouping.CHAN_PER_LINE)
            channel.di_tristate = False  # else an output would be let go (NI-DAQmx help, DI.Tristate)
            return bool(task.read())

    def read_gates(self) -> Mapping[str, bool]:
        """The level at every PFI terminal, by its name."""
        lines = ",".join(f"{self._device}/port{1 + n // 8}/line{n % 8}" for n in range(_PFI_COUNT))
        with self._task() as task, _explained("read the PFI terminals"):
            task.di_channels.add_di_chan(lines, line_grouping=LineGrouping.CHAN_PER_LINE)
            return {f"PFI{number}": bool(level) for number, level in enumerate(task.read())}

    def gate_of(self, counter: str) -> str:
        """The PFI terminal of a counter's gate."""
        return self._gate(counter).rpartition("/")[2]

    def round_trip(self) -> None:
        """Ask for the serial number."""
        with _explained("round trip"):
            _ = Device(self._device, grpc_options=self._options).serial_num

    def pulse_widths(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` high pulses on its gate."""
        return self._armed(counter, count, "pulse width", longest_s, first=None, second=None)

    def pulse_periods(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` periods between rising edges on its gate."""
        return self._armed(counter, count, "period", longest_s, first=None, second=None)

    def edge_separation(
        self, counter: str, first: str, second: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` times from a rising edge at ``first`` to the next one at ``second``.

        ``first`` and ``second`` name the counters on whose gates the signals are wired; the device routes
        them.
        """
        return self._armed(counter, count, "edge separation", longest_s, first=first, second=second)

    def stop(self) -> None:
        """Stop every output and put all wired analog outputs to 0 V.

        All of them, because an output holds the last voltage of whoever used it before, a killed process
        too; and each of them, also where a running output cannot be stopped.
        """
        with ExitStack() as stack:
            for terminal in self._limits_v:
                stack.callback(self._write_voltage, terminal, 0.0)
            self._stop_outputs()

    def close(self) -> None:
        """Stop the outputs and release the device."""
        try:
            self.stop()
        finally:
            if self._channel is not None:
                self._channel.close()

    @contextmanager
    def _armed(
        self,
        counter: str,
        count: int,
        quantity: str,
        longest_s: float,
        *,
        first: str | None,
        second: str | None,
    ) -> Iterator[CounterMeasurement]:
        # DAQmx takes the timebase from the range that it is asked for.
        span = {"min_val": _SHORTEST_TICKS / timebase_hz(longest_s), "max_val": longest_s}
        with self._task() as task:
            with _explained(f"arm {counter} for {quantity}"):
                channels = task.ci_channels
                if first is not None and second is not None:
                    channel = channels.add_ci_two_edge_sep_chan(
                        counter, first_edge=Edge.RISING, second_edge=Edge.RISING, **span
                    )
                    channel.ci_two_edge_sep_first_term = self._gate(first)
                    channel.ci_two_edge_sep_second_term = self._gate(second)
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
                    where="daq",
                    operation=f"arm {counter} for {quantity}",
                    expected=f"{timebase_hz(longest_s):g} Hz, with which the counter does not roll over",
                )
            yield _ArmedCounter(task, channel, count, f"{quantity} on {counter}", 2**COUNTER_BITS / rate_hz)

    def _gate(self, counter: str) -> str:
        """The PFI terminal of a counter's gate, "/Dev1/PFI9" for "Dev1/ctr0"."""
        device, _, name = counter.partition("/")
        if name not in _GATES:
            raise ProtocolError(f"{counter} has no gate", where="daq", expected=f"one of {', '.join(_GATES)}")
        return f"/{device}/{_GATES[name]}"

    def _check_voltages(self, terminal: str, samples_v: NDArray[np.float64]) -> tuple[float, float]:
        if terminal not in self._limits_v:
            raise SafetyError(
                f"output on {terminal} refused",
                where="daq",
                expected=f"a wired output ({', '.join(sorted(self._limits_v)) or 'there is none'})",
                hint="add it to [wiring] with its limits",
            )
        low_v, high_v = self._limits_v[terminal]
        if samples_v.size == 0 or not bool(np.all((samples_v >= low_v) & (samples_v <= high_v))):
            raise SafetyError(
                f"{samples_v.min(initial=np.inf):g} V to {samples_v.max(initial=-np.inf):g} V refused",
                where="daq",
                operation=f"output on {terminal}",
                expected=f"{low_v:g} V to {high_v:g} V, the wire's limits",
            )
        return low_v, high_v

    def _write_voltage(self, terminal: str, voltage_v: float) -> None:
        low_v, high_v = self._limits_v[terminal]
        with self._task() as task, _explained(f"set {terminal}"):
            task.ao_channels.add_ao_voltage_chan(
                terminal, min_val=min(low_v, voltage_v), max_val=max(high_v, voltage_v)
            )
            task.write(voltage_v, auto_start=True)

    def _stop_outputs(self) -> None:
        """Stop and clear the running output tasks; the voltages stay where they are."""
        while self._outputs:
            terminal, task = self._outputs.popitem()
            with _explained(f"stop {terminal}"), task:
                task.stop()

    def _task(self) -> nidaqmx.Task:
        with _explained("create a task"):
            return nidaqmx.Task(grpc_options=self._options)

    def _identify(self, serial: str | None) -> Identity:
        with _explained("identify"):
            system = System.local() if self._options is None else System.remote(self._options)
            version = system.driver_version
            device = Device(self._device, grpc_options=self._options)
            found = f"{device.serial_num:X}"
            identity = Identity(
                "National Instruments",
                device.product_type,
                found,
                f"NI-DAQmx {version.major_version}.{version.minor_version}.{version.update_version}",
            )
        if serial is not None and int(serial, 16) != device.serial_num:
            raise ConnectError(
                f"serial number {found} answers",
                where="daq",
                operation="connect",
                expected=serial,
                hint="check [daq] device",
            )
        return identity


class _ArmedCounter:
    """A started counter task; its values are waited for."""

    def __init__(
        self, task: nidaqmx.Task, channel: CIChannel, count: int, operation: str, reach_s: float
    ) -> None:
        self._task = task
        self._channel = channel
        self._count = count
        self._operation = operation
        self._reach_s = reach_s

    def wait(self, timeout_s: float) -> NDArray[np.float64]:
        """The values in seconds.

        Raises:
            DeviceTimeoutError: the signal did not come.
            DeviceError: it came more slowly than the counter can tell.
        """
        try:
            with _explained(self._operation):
                values = self._task.read(number_of_samples_per_channel=self._count, timeout=timeout_s)
                rolled_over = self._channel.ci_tc_reached
        except _NothingCameError as error:  # the DAQ works; what it waited for is the device's to give
            raise DeviceTimeoutError(
                f"fewer than {self._count} value(s) within {timeout_s:g} s",
                where="daq",
                operation=self._operation,
                hint="the firmware does not drive the pin, or its wire is open",
            ) from error
        if rolled_over:
            raise DeviceError(
                f"an interval of {self._reach_s:.1f} s or more, and which of the values is too small by "
                "so much is not known",
                where="daq",
                operation=self._operation,
                hint="if it may take so long, state the longest interval: longest_s",
            )
        return np.atleast_1d(np.asarray(values, dtype=np.float64))


class _NothingCameError(InstrumentTimeoutError):
    """The device answered that the samples asked for were not there in time."""


@contextmanager
def _explained(operation: str) -> Iterator[None]:
    """Turn nidaqmx's errors into the controller's."""
    try:
        with whole_exchange():
            yield
    except nidaqmx.errors.DaqError as error:
        _explain(error, operation)
    except nidaqmx.errors.RpcError as error:
        late = error.rpc_code is grpc.StatusCode.DEADLINE_EXCEEDED
        raise (InstrumentTimeoutError if late else ConnectError)(
            _one_line(error),
            where="daq",
            operation=operation,
            hint="is the gRPC Device Server alive, and at the address of [daq] grpc?",
        ) from error
    except nidaqmx.errors.Error as error:  # no driver on this machine
        raise ConnectError(
            _one_line(error),
            where="daq",
            operation=operation,
            hint="check [daq] grpc; without it the NI-DAQmx driver must be installed",
        ) from error


def _explain(error: nidaqmx.errors.DaqError, operation: str) -> NoReturn:
    """Raise the controller's error for a DAQmx error."""
    code, text = error.error_code, _one_line(error)
    if code == _INVALID_DEVICE:
        raise ConnectError(
            text, where="daq", operation=operation, hint="check [daq] device in NI MAX"
        ) from error
    if code in _READ_TIMEOUTS:
        raise _NothingCameError(text, where="daq", operation=operation) from error
    hint = "close the program that holds the device, or reset it in NI MAX" if code in _RESERVED else ""
    raise ProtocolError(text, where="daq", operation=operation, hint=hint) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
