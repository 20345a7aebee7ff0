# SPDX-License-Identifier: Apache-2.0
"""The converters: what leaves an analog output, what an analog input reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.twin.daq.bench import AnalogSource
from hil.twin.daq.device import AI_RANGES_V, AO_RANGE_V, CONVERTER_BITS
from hil.twin.daq.timebase import Timebase
from hil.twin.signal import Signal

# NI 6361 Device Specifications give INL 60 ppm of range for the inputs. The other figures are ASSUMPTIONS of
# the order those specifications have, within one degree of the last self-calibration; the rig file overrides
# them.
DEFAULT_AO_GAIN = 63e-6
DEFAULT_AO_OFFSET_V = 330e-6
DEFAULT_AI_GAIN = 62e-6
DEFAULT_AI_OFFSET = 94e-6
"""Fraction of the range, INL included."""
DEFAULT_AI_NOISE = 31.5e-6
"""RMS, fraction of the range."""

_SEGMENTS_KEPT = 8


@dataclass(frozen=True)
class Generation:
    """Samples that an output puts out on a sample clock, from ``start_tick`` every ``divisor`` ticks.

    ``total`` samples in all, ``None`` for ever; past the end of ``samples_v`` it starts over (regeneration).
    """

    start_tick: int
    divisor: int
    samples_v: NDArray[np.float64]
    total: int | None

    @cached_property
    def mean_v(self) -> float:
        """The mean of its samples, in volts."""
        return float(self.samples_v.mean())

    def voltage_v(self, tick: int) -> float:
        """The voltage at a timebase tick; the last sample holds."""
        index = max(0, (tick - self.start_tick) // self.divisor)
        if self.total is not None:
            index = min(index, self.total - 1)
        return float(self.samples_v[index % len(self.samples_v)])

    def voltages_v(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """The voltages at timebase ticks."""
        indices = np.maximum((ticks - self.start_tick) // self.divisor, 0)
        if self.total is not None:
            indices = np.minimum(indices, self.total - 1)
        voltages_v: NDArray[np.float64] = self.samples_v[indices % len(self.samples_v)]
        return voltages_v


class AnalogOutput:
    """One analog output: 0 V after power-up, then what was last written or is being generated."""

    def __init__(self, timebase: Timebase, rng: np.random.Generator, config: Mapping[str, Any]) -> None:
        self._timebase = timebase
        self._gain = 1 + rng.uniform(-1, 1) * float(config.get("ao_gain_accuracy", DEFAULT_AO_GAIN))
        self._offset_v = rng.uniform(-1, 1) * float(config.get("ao_offset_accuracy_v", DEFAULT_AO_OFFSET_V))
        self._segments: deque[tuple[int, Generation]] = deque(maxlen=_SEGMENTS_KEPT)
        self.changed: Signal[[]] = Signal()
        """Called whenever something else is put out."""
        self.hold(0, 0.0)

    @property
    def highest_v(self) -> float:
        """The highest voltage of what is put out now, in volts."""
        return float(self._segments[-1][1].samples_v.max())

    def voltage_v(self, time_ps: int) -> float:
        """The voltage at the terminal at ``time_ps``, in volts; also for the recent past and the future."""
        for start_ps, generation in reversed(self._segments):
            if time_ps >= start_ps:
                return generation.voltage_v(self._timebase.tick_at(time_ps))
        return self._segments[0][1].voltage_v(0)

    def alternating_v(self, time_ps: int) -> float:
        """The voltage at ``time_ps`` less the mean of what is being put out, in volts."""
        for start_ps, generation in reversed(self._segments):
            if time_ps >= start_ps:
                return generation.voltage_v(self._timebase.tick_at(time_ps)) - generation.mean_v
        return 0.0

    def voltages_v(self, times_ps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The voltages at the terminal at ``times_ps``, which rise."""
        start_ps, generation = self._segments[-1]
        if len(times_ps) and times_ps[0] >= start_ps:
            return generation.voltages_v(self._timebase.ticks_at(times_ps))
        return np.array([self.voltage_v(int(time_ps)) for time_ps in times_ps])

    def hold(self, time_ps: int, volts: float) -> None:
        """Put out one value (volts as written, before the device's errors)."""
        samples = self._convert(np.array([volts]))
        self._put(time_ps, Generation(0, 1, samples, 1))

    def generate(self, time_ps: int, divisor: int, samples_v: NDArray[np.float64], total: int | None) -> None:
        """Start a clocked generation at ``time_ps``."""
        generation = Generation(self._timebase.tick_at(time_ps), divisor, self._convert(samples_v), total)
        self._put(time_ps, generation)

    def replace(self, time_ps: int, samples_v: NDArray[np.float64]) -> None:
        """Go on with other samples at the place that the generation has reached."""
        running = self._segments[-1][1]
        generation = Generation(running.start_tick, running.divisor, self._convert(samples_v), running.total)
        self._put(time_ps, generation)

    def freeze(self, time_ps: int) -> None:
        """Stop generating; the present value holds."""
        present = np.array([self.voltage_v(time_ps)])
        self._put(time_ps, Generation(0, 1, present, 1))

    def _put(self, time_ps: int, generation: Generation) -> None:
        self._segments.append((time_ps, generation))
        self.changed()

    def _convert(self, volts: NDArray[np.float64]) -> NDArray[np.float64]:
        step_v = 2 * AO_RANGE_V / 2**CONVERTER_BITS
        codes = np.clip(np.round(volts / step_v), -(2 ** (CONVERTER_BITS - 1)), 2 ** (CONVERTER_BITS - 1) - 1)
        return np.asarray(codes * step_v * self._gain + self._offset_v, dtype=np.float64)


class AnalogInput:
    """The converter that all analog inputs share."""

    def __init__(self, rng: np.random.Generator, config: Mapping[str, Any]) -> None:
        gain = float(config.get("ai_gain_accuracy", DEFAULT_AI_GAIN))
        offset = float(config.get("ai_offset_accuracy", DEFAULT_AI_OFFSET))
        self._noise = float(config.get("ai_noise_rms", DEFAULT_AI_NOISE))
        self._rng = rng
        self._gains = {range_v: 1 + gain * rng.uniform(-1, 1) for range_v in AI_RANGES_V}
        self._offsets_v = {range_v: offset * range_v * rng.uniform(-1, 1) for range_v in AI_RANGES_V}
        self.sources: dict[str, AnalogSource] = {}

    @staticmethod
    def range_for(minimum_v: float, maximum_v: float) -> float:
        """The smallest input range that holds both limits, in volts; 10 V if none does."""
        largest_v = max(abs(minimum_v), abs(maximum_v))
        return next((range_v for range_v in AI_RANGES_V if range_v >= largest_v), AI_RANGES_V[-1])

    def read(self, channel: str, range_v: float, time_ps: int) -> float:
        """One conversion of a channel at ``time_ps``, in volts. An unconnected input reads 0 V and noise."""
        source = self.sources.get(channel)
        true_v = source.voltage_v(time_ps) if source is not None else 0.0
        noisy_v = true_v * self._gains[range_v] + self._offsets_v[range_v]
        noisy_v += self._noise * range_v * float(self._rng.standard_normal())
        step_v = 2 * range_v / 2**CONVERTER_BITS
        code = min(max(round(noisy_v / step_v), -(2 ** (CONVERTER_BITS - 1))), 2 ** (CONVERTER_BITS - 1) - 1)
        return float(code * step_v)
