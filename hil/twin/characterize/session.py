# SPDX-License-Identifier: Apache-2.0
"""The bench of the characterisation: its part, and stock client libraries on its instruments."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence

import grpc
import nidaqmx
import numpy as np
import pyvisa
from nidaqmx.constants import AcquisitionType, Edge, LineGrouping
from numpy.typing import NDArray

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.characterize import image
from hil.twin.characterize.steps import Step, Then
from hil.twin.errors import TwinError

SAMPLE_S = 5.12e-6
"""The power analyzer's shortest sample (N6700C Operating and Service Guide, SENSe:SWEep:TINTerval)."""

_RIG = {
    "wiring": {
        "trigger": {"pin": "PA0", "terminal": "Dev1/port0/line1"},
        "trigger_edge": {"pin": "PA0", "terminal": "Dev1/PFI2"},
        "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"},
        "marker_width": {"pin": "PA8", "terminal": "Dev1/ctr1"},
        "debug_isolation": {"terminal": "Dev1/port0/line0", "active": "high"},
    },
    "twin": {"seed": 1, "ambient_temperature": "25 °C", "power_on_at_start": False},
}
_RANGES_A = (10e-6, 1e-3, 100e-3)
"""The analyzer's current ranges that a part of a few mA needs."""
_HEADROOM = 0.9
"""How much of a range an expected current may fill, so that a part that draws more is still measured."""
_LONG_POINTS = 4096
"""21 ms: noise is then below the last digit of the smallest figures."""
_OVERLOAD_A = 1e30
"""The analyzer answers 9.9E37 for a range that is too small."""
_START_S = 1e-3
"""Long against the reset temporisation (250 µs typical: DS10198 Rev 8, T25) and the firmware's start."""
_STEPS_S = 20e-3
"""Time for the firmware's steps; the slowest are an LSI's and a regulator's start."""
_LSE_START_S = 2.5
"""Beyond the typical start-up of 2 s (DS10198 Rev 8, T58)."""
_MAILBOX = 0x2000_0000
_READY, _GO = 0x5944_4552, 0x4F47_4F47
_FLASH_START = 0x0800_0000
_PATIENCE_S = 10.0


class Session:
    """One part on one bench. Use as a context manager."""

    def __init__(self) -> None:
        self._cleanup = contextlib.ExitStack()
        self.bench = Bench(bench_config.parse(_RIG, "hil twin characterize"))
        self._load(image.segments(image.build()))

    def __enter__(self) -> Session:
        with contextlib.ExitStack() as cleanup:
            analyzer = self.bench.analyzer.serve("127.0.0.1", 0)
            cleanup.callback(analyzer.close)
            daq = self.bench.daq.serve("127.0.0.1", 0)
            cleanup.callback(daq.close)
            host, port = analyzer.address.split(":")
            # The manager stays open: it is one for the whole process, and closing it closes others' sessions.
            visa = pyvisa.ResourceManager("@py").open_resource(
                f"TCPIP::{host}::{port}::SOCKET",
                read_termination="\n",
                write_termination="\n",
                timeout=30_000,
            )
            assert isinstance(visa, pyvisa.resources.MessageBasedResource)
            self._visa = visa
            cleanup.callback(visa.close)
            channel = grpc.insecure_channel(daq.address)
            cleanup.callback(channel.close)
            self._daq = nidaqmx.GrpcSessionOptions(channel, "")
            # The relay lets the debug lines go again when its task ends.
            relay = cleanup.enter_context(nidaqmx.Task(grpc_options=self._daq))
            relay.do_channels.add_do_chan("Dev1/port0/line0", line_grouping=LineGrouping.CHAN_PER_LINE)
            relay.write(True)
            self._trigger = cleanup.enter_context(nidaqmx.Task(grpc_options=self._daq))
            self._trigger.do_channels.add_do_chan(
                "Dev1/port0/line1", line_grouping=LineGrouping.CHAN_PER_LINE
            )
            self._trigger.write(False)
            self._command("*RST", "EMUL PS2Q,(@1)", "CURR:LIM 0.1,(@1)", "SENS:CURR:RANG:AUTO OFF,(@1)")
            self._nulls_a = {range_a: self._read_a(range_a, _LONG_POINTS) for range_a in _RANGES_A}
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    # Supply, ambient and time

    def power_cycle(self, voltage_v: float = 3.0) -> None:
        """Supply off and on again at 25 °C: the part starts anew."""
        self._command("OUTP OFF,(@1)")
        self.set_temperature(25.0)
        self.pass_time(_START_S)
        self.set_voltage(voltage_v)
        self._command("OUTP ON,(@1)")
        self.pass_time(_START_S)

    def set_voltage(self, voltage_v: float) -> None:
        """Change the supply voltage."""
        self._command(f"VOLT {voltage_v:.6g},(@1)")

    def set_temperature(self, temperature_c: float) -> None:
        """Change the ambient temperature, which the part follows at once."""
        with self.bench.lock:
            self.bench.mcu.set_temperature(temperature_c)

    def pass_time(self, seconds: float) -> None:
        """Wait."""
        with self.bench.lock:
            self.bench.advance(seconds)

    # The firmware

    def command(self, steps: Sequence[Step], then: Then) -> None:
        """Have the firmware run ``steps`` and go on as ``then`` says.

        Raises:
            TwinError: the firmware does not listen, or does not come to the end of its steps.
        """
        words = [then, len(steps)]
        for step in steps:
            words += [step.kind, step.address, step.mask, step.value]
        with self.bench.lock:
            core = self.bench.mcu.core
            if core.debug_read(_MAILBOX, 4) != _READY:
                raise TwinError("the characterisation's firmware does not listen")
            core.debug_write_block(_MAILBOX + 4, struct.pack(f"<{len(words)}I", *words))
            core.debug_write(_MAILBOX, 4, _GO)
            self.bench.advance(_STEPS_S)
            if then is Then.LISTEN and core.debug_read(_MAILBOX, 4) != _READY:
                raise TwinError(f"the firmware waits in its steps {steps!r}")

    def start(self, steps: Sequence[Step], then: Then, *, lse: Sequence[Step] = ()) -> None:
        """Power-cycle the part and bring it into a condition; ``lse`` are steps that start the crystal."""
        self.power_cycle()
        if lse:
            self.command(lse, Then.LISTEN)
            self.pass_time(_LSE_START_S)
        self.command(steps, then)

    # Measurements

    def current_a(self, expected_a: float, points: int = 1024) -> float:
        """Mean current over ``points`` samples on the range that suits, less the range's reading at zero."""
        fitting = (range_a for range_a in _RANGES_A if expected_a < _HEADROOM * range_a)
        range_a = next(fitting, _RANGES_A[-1])
        return self._read_a(range_a, points) - self._nulls_a[range_a]

    def sleeping_current_a(self) -> float:
        """Mean current of a part that sleeps, on the finest range that holds it."""
        for range_a in _RANGES_A[:-1]:
            reading_a = self._read_a(range_a, _LONG_POINTS)
            if reading_a < _OVERLOAD_A:
                return reading_a - self._nulls_a[range_a]
        return self._read_a(_RANGES_A[-1], _LONG_POINTS) - self._nulls_a[_RANGES_A[-1]]

    def wake_waveform_a(self, points: int, delay_s: float) -> NDArray[np.float64]:
        """Samples of the current around a rising edge at the trigger pin ``delay_s`` after their start."""
        self._range(_RANGES_A[-1], points)
        # Not *OPC?, whose answer waits for the acquisition.
        self._visa.write("TRIG:ACQ:SOUR BUS,(@1);:INIT:ACQ (@1);*TRG")
        self._check_errors()
        self.pass_time(delay_s)
        self._trigger.write(True)
        text = self._visa.query("FETC:ARR:CURR? (@1)")
        self._trigger.write(False)
        return np.array([float(item) for item in text.split(",")]) - self._nulls_a[_RANGES_A[-1]]

    def wake_latency_s(self, *, from_reset: bool) -> float:
        """Seconds from a rising edge at the trigger pin to the part's first instruction.

        After a sleep the first instruction makes the marker's edge. ``from_reset``: the part starts anew and
        makes the marker with several instructions; it makes the marker's end with the same ones, so that the
        marker's width is what they took.
        """
        with self._counters() as (separation, width):
            self._trigger.write(True)
            latency_s = float(separation.read(timeout=_PATIENCE_S))
            if from_reset:
                latency_s -= float(width.read(timeout=_PATIENCE_S))
            self._trigger.write(False)
        return latency_s

    @contextlib.contextmanager
    def _counters(self) -> Iterator[tuple[nidaqmx.Task, nidaqmx.Task]]:
        span = {"min_val": 10e-9, "max_val": 1.0}
        with (
            nidaqmx.Task(grpc_options=self._daq) as separation,
            nidaqmx.Task(grpc_options=self._daq) as width,
        ):
            channel = separation.ci_channels.add_ci_two_edge_sep_chan(
                "Dev1/ctr0", first_edge=Edge.RISING, second_edge=Edge.RISING, **span
            )
            channel.ci_two_edge_sep_first_term = "/Dev1/PFI2"
            channel.ci_two_edge_sep_second_term = "/Dev1/PFI9"
            width.ci_channels.add_ci_pulse_width_chan("Dev1/ctr1", starting_edge=Edge.RISING, **span)
            for task in (separation, width):
                task.timing.cfg_implicit_timing(sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=16)
                task.start()
            yield separation, width

    def _range(self, range_a: float, points: int) -> None:
        self._command(
            f"SENS:CURR:RANG {range_a:.6g},(@1)",
            f"SENS:SWE:TINT {SAMPLE_S:.6g},(@1)",
            f"SENS:SWE:POIN {points},(@1)",
        )

    def _read_a(self, range_a: float, points: int) -> float:
        self._range(range_a, points)
        reading_a = float(self._visa.query("MEAS:CURR? (@1)"))
        self._check_errors()
        return reading_a

    def _check_errors(self) -> None:
        error = self._visa.query("SYST:ERR?")
        if not error.startswith("+0"):
            raise TwinError(f"the power analyzer reports {error}")

    def _command(self, *commands: str) -> None:
        # The answer proves that all of it has been done.
        self._visa.query(";:".join((*commands, "*OPC?")).replace(";:*", ";*"))

    def _load(self, segments: Sequence[image.Segment]) -> None:
        memory = self.bench.mcu.core.memory
        for segment in segments:
            offset = segment.address - _FLASH_START
            memory.flash[offset : offset + len(segment.data)] = np.frombuffer(segment.data, np.uint8)
            memory.invalidate(segment.address, len(segment.data))
