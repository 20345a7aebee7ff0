# SPDX-License-Identifier: Apache-2.0
"""An NI X Series device through nidaqmx: the driver on this machine, or an NI gRPC Device Server on the
network.

One task per purpose, closed on every way out: a task that outlives its use keeps its resource reserved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

import grpc
import nidaqmx
import nidaqmx.errors
import numpy as np
from nidaqmx.constants import (
    AcquisitionType,
    LineGrouping,
    RegenerationMode,
    TerminalConfiguration,
)
from nidaqmx.system import Device, System
from numpy.typing import NDArray

from hil.errors import (
    ConnectError,
    SafetyError,
)
from hil.instruments.counter_ranges import LONGEST_INTERVAL_S
from hil.instruments.grpc_deadline import Deadline
from hil.instruments.nidaqmx_counters import armed, gate
from hil.instruments.nidaqmx_errors import explained
from hil.instruments.protocols import CounterMeasurement, Identity

_PFI_COUNT = 16
"""PFI 0 to 7 are the lines of port 1, PFI 8 to 15 those of port 2 (NI X Series user manual, PFI)."""

_INPUT_RANGE_V = 10.0
"""Analog input range, the widest of the X Series."""

_TIMEOUT_MARGIN_S = 10.0
"""Added to the length of a finite output or acquisition before it counts as stuck (assumption)."""


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
        role: str = "daq",
    ) -> None:
        """Connect and check who answers.

        Args:
            device: device name in NI MAX.
            grpc_target: ``host:port`` of a gRPC Device Server, or None for the driver on this machine.
            limits_v: lowest and highest voltage of each analog output that is wired.
            lines: digital lines that may be driven.
            serial: the serial number (hexadecimal) that must answer, if given.
            role: the device's table in the rig file, for messages.

        Raises:
            ConnectError: no server, no driver, no such device, or another one.
        """
        self._device, self._role = device, role
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
        with self._explained(f"play on {terminal}"):
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
        with self._task() as task, self._explained(f"acquire {', '.join(terminals)}"):
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
                where=self._role,
                operation="write line",
                expected=f"a wired line ({', '.join(sorted(self._lines)) or 'there is none'})",
                hint="add it to [wiring]",
            )
        with self._task() as task, self._explained(f"write {line}"):
            task.do_channels.add_do_chan(line, line_grouping=LineGrouping.CHAN_PER_LINE)
            task.write(level, auto_start=True)

    def read_line(self, line: str) -> bool:
        """The level at a digital line's screw; a line that is driven goes on being driven."""
        with self._task() as task, self._explained(f"read {line}"):
            channel = task.di_channels.add_di_chan(line, line_grouping=LineGrouping.CHAN_PER_LINE)
            channel.di_tristate = False  # else an output would be let go (NI-DAQmx help, DI.Tristate)
            return bool(task.read())

    def read_gates(self, counter: str) -> Mapping[str, bool]:
        """The level at every PFI terminal of the device, whose counter is named, by the terminal's name."""
        lines = ",".join(f"{self._device}/port{1 + n // 8}/line{n % 8}" for n in range(_PFI_COUNT))
        with self._task() as task, self._explained("read the PFI terminals"):
            task.di_channels.add_di_chan(lines, line_grouping=LineGrouping.CHAN_PER_LINE)
            return {f"PFI{number}": bool(level) for number, level in enumerate(task.read())}

    def gate_of(self, counter: str) -> str:
        """The PFI terminal of a counter's gate."""
        return gate(counter, self._role).rpartition("/")[2]

    def round_trip(self) -> None:
        """Ask for the serial number."""
        with self._explained("round trip"):
            _ = Device(self._device, grpc_options=self._options).serial_num

    def pulse_widths(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` high pulses on its gate."""
        return armed(self._task, counter, count, "pulse width", longest_s, role=self._role)

    def pulse_periods(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` periods between rising edges on its gate."""
        return armed(self._task, counter, count, "period", longest_s, role=self._role)

    def edge_separation(
        self, counter: str, first: str, second: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` times from a rising edge at ``first`` to the next one at ``second``.

        ``first`` and ``second`` name the counters on whose gates the signals are wired; the device routes
        them.
        """
        return armed(
            self._task,
            counter,
            count,
            "edge separation",
            longest_s,
            role=self._role,
            between=(first, second),
        )

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

    def _check_voltages(self, terminal: str, samples_v: NDArray[np.float64]) -> tuple[float, float]:
        if terminal not in self._limits_v:
            raise SafetyError(
                f"output on {terminal} refused",
                where=self._role,
                expected=f"a wired output ({', '.join(sorted(self._limits_v)) or 'there is none'})",
                hint="add it to [wiring] with its limits",
            )
        low_v, high_v = self._limits_v[terminal]
        if samples_v.size == 0 or not bool(np.all((samples_v >= low_v) & (samples_v <= high_v))):
            raise SafetyError(
                f"{samples_v.min(initial=np.inf):g} V to {samples_v.max(initial=-np.inf):g} V refused",
                where=self._role,
                operation=f"output on {terminal}",
                expected=f"{low_v:g} V to {high_v:g} V, the wire's limits",
            )
        return low_v, high_v

    def _write_voltage(self, terminal: str, voltage_v: float) -> None:
        low_v, high_v = self._limits_v[terminal]
        with self._task() as task, self._explained(f"set {terminal}"):
            task.ao_channels.add_ao_voltage_chan(
                terminal, min_val=min(low_v, voltage_v), max_val=max(high_v, voltage_v)
            )
            task.write(voltage_v, auto_start=True)

    def _stop_outputs(self) -> None:
        """Stop and clear the running output tasks; the voltages stay where they are."""
        while self._outputs:
            terminal, task = self._outputs.popitem()
            with self._explained(f"stop {terminal}"), task:
                task.stop()

    def _explained(self, operation: str) -> AbstractContextManager[None]:
        return explained(self._role, operation)

    def _task(self) -> nidaqmx.Task:
        with self._explained("create a task"):
            return nidaqmx.Task(grpc_options=self._options)

    def _identify(self, serial: str | None) -> Identity:
        with self._explained("identify"):
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
                where=self._role,
                operation="connect",
                expected=serial,
                hint=f"check [{self._role}] device",
            )
        return identity
