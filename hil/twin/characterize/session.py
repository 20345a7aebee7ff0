# SPDX-License-Identifier: Apache-2.0
"""The bench of the characterisation: its part, and stock client libraries on its instruments."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence

import grpc
import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType, Edge, LineGrouping
from numpy.typing import NDArray

from hil.twin import bench_config
from hil.twin.analyzer import PowerAnalyzer
from hil.twin.bench import Bench
from hil.twin.characterize import image
from hil.twin.characterize.analyzer_client import AnalyzerClient
from hil.twin.characterize.battery_bench import BatteryBench
from hil.twin.characterize.steps import Step, Then
from hil.twin.errors import TwinError

_RIG = {
    "wiring": {
        "trigger": {"pin": "PA0", "terminal": "Dev1/port0/line1"},
        "trigger_edge": {"pin": "PA0", "terminal": "Dev1/PFI2"},
        "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"},
        "marker_width": {"pin": "PA8", "terminal": "Dev1/ctr1"},
        # At rest, so that no debug or console line feeds the part.
        "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
    },
    "twin": {"seed": 1, "ambient_temperature": "25 °C", "power_on_at_start": False},
}
_BATTERY_POINTS = 262_144
"""1.3 s: noise is then well below 2 % of the smallest figure, the 4 nA of an idle backup domain."""
_START_S = 1e-3
"""Long against the reset temporisation (250 µs typical: DS10198 Rev 8, T25) and the firmware's start."""
_STEPS_S = 20e-3
"""Time for the firmware's steps; the slowest are an LSI's and a regulator's start."""
_LSE_START_S = 2.5
"""Beyond the typical start-up of 2 s (DS10198 Rev 8, T58)."""
_MAILBOX = 0x2000_0000
_READY, _GO = 0x5944_4552, 0x4F47_4F47
_PATIENCE_S = 10.0


class Battery:
    """What feeds VBAT, and its ammeter."""

    def __init__(self, analyzer: AnalyzerClient) -> None:
        self._analyzer = analyzer

    def renew(self, voltage_v: float) -> None:
        """A new cell: the backup domain is without supply before."""
        self._analyzer.switch(on=False)
        self._analyzer.set_voltage(voltage_v)
        self._analyzer.switch(on=True)

    def set_voltage(self, voltage_v: float) -> None:
        """Change the cell's voltage."""
        self._analyzer.set_voltage(voltage_v)

    def current_a(self, expected_a: float) -> float:
        """Mean current out of the cell."""
        return self._analyzer.current_a(expected_a, _BATTERY_POINTS)


class Session:
    """One part on one bench. Use as a context manager."""

    def __init__(self) -> None:
        self._cleanup = contextlib.ExitStack()
        self.bench = Bench(bench_config.parse(_RIG, "hil twin characterize"))
        self.part = self.bench.board.part
        """Whose figures are measured."""
        self._battery: Battery | None = None
        self._load(image.segments(image.build()))

    def __enter__(self) -> Session:
        with contextlib.ExitStack() as cleanup:
            daq = self.bench.daq.serve("127.0.0.1", 0)
            cleanup.callback(daq.close)
            channel = grpc.insecure_channel(daq.address)
            cleanup.callback(channel.close)
            self._daq = nidaqmx.GrpcSessionOptions(channel, "")
            self._trigger = cleanup.enter_context(nidaqmx.Task(grpc_options=self._daq))
            self._trigger.do_channels.add_do_chan(
                "Dev1/port0/line1", line_grouping=LineGrouping.CHAN_PER_LINE
            )
            self._trigger.write(False)
            self._analyzer = AnalyzerClient(self.bench.analyzer, cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    # Supply, ambient and time

    def power_cycle(self, voltage_v: float = 3.0) -> None:
        """Supply off and on again at 25 °C: the part starts anew."""
        self.switch_off()
        self._analyzer.set_voltage(voltage_v)
        self._analyzer.switch(on=True)
        self.pass_time(_START_S)

    def switch_off(self) -> None:
        """Supply off, at 25 °C."""
        self._analyzer.switch(on=False)
        self.set_temperature(25.0)
        self.pass_time(_START_S)

    def set_voltage(self, voltage_v: float) -> None:
        """Change the supply voltage."""
        self._analyzer.set_voltage(voltage_v)

    @contextlib.contextmanager
    def battery(self) -> Iterator[Battery]:
        """A second analyzer feeds VBAT, which is then not tied to VDD."""
        if self._battery is None:
            analyzer = PowerAnalyzer(BatteryBench(self.bench), {})
            self._battery = Battery(AnalyzerClient(analyzer, self._cleanup, _BATTERY_POINTS))
        try:
            yield self._battery
        finally:
            with self.bench.lock:
                self.bench.mcu.set_backup_supply(None)

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
        return self._analyzer.current_a(expected_a, points)

    def sleeping_current_a(self) -> float:
        """Mean current of a part that sleeps, on the finest range that holds it."""
        return self._analyzer.finest_current_a()

    def wake_waveform_a(self, points: int, delay_s: float) -> NDArray[np.float64]:
        """Samples of the current around a rising edge at the trigger pin ``delay_s`` after their start."""
        self._analyzer.begin_waveform(points)
        self.pass_time(delay_s)
        self._trigger.write(True)
        samples_a = self._analyzer.waveform_a()
        self._trigger.write(False)
        return samples_a

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

    def _load(self, segments: Sequence[image.Segment]) -> None:
        memory = self.bench.mcu.core.memory
        for segment in segments:
            memory.preload(segment.address, segment.data)
