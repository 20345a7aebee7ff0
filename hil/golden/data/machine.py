# SPDX-License-Identifier: Apache-2.0
"""A small gear drive: a four-pole motor whose shaft carries a pinion and runs in a 6205 bearing.

Everything here is acceleration in g at the bearing's housing. A *machine* (seed) has levels, phases and
housing modes of its own; a *moment* of it has a load, a drift of load and speed, and noise.

The machine is an invention: levels, modes and loads are assumptions, chosen so that a healthy one lies in
zone A or B of ISO 10816-3 (machines of 15 to 300 kW on a rigid support: up to 1.4 and 2.8 mm/s rms). Its
bearing is real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.golden.data.sensor import STANDARD_GRAVITY_M_S2, Sensor

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]

SYNCHRONOUS_HZ = 30.0
"""Four poles on a 60 Hz line."""
FULL_LOAD_SLIP = 1 / 30
"""1740 rpm at full load; assumption, usual for a small motor. The speed falls in proportion to the load."""
GEAR_TEETH = 20
"""Teeth of the pinion; its mesh is at 20 times the shaft speed (assumption)."""
BROADBAND_G = 0.056
"""rms of the healthy machine's broadband vibration below the sensor's edge, at full load (assumption)."""
MESH_G = 0.11
"""Peak of the healthy gear's mesh line at full load (assumption)."""

_LOADS = (0.6, 1.0)  # of full load, from moment to moment; assumption
_LOAD_DRIFT = 0.03  # rms of the load's slow change within one buffer; assumption
_FASTEST_DRIFT_HZ = 1.5  # a window of half a second sees most of one swing; assumption
_SHAFT_LINES_G = (0.0375, 0.025, 0.015, 0.010, 0.006)  # peak per order of the shaft speed; assumption
_SIDEBAND_G = 0.015
_MODES = ((430.0, 0.05, 0.45), (790.0, 0.04, 1.0))  # of the housing: Hz, damping ratio, share; assumption
_INTERNAL_RATE_HZ = 4000.0  # at least this; the spectrum is cut at the sensor's edge afterwards

# Half widths of what differs between machines, relative; assumptions.
_LEVEL_SPREAD = 0.25
_MODE_SPREAD = 0.015
_NOISE_SPREAD = 0.12


@dataclass(frozen=True)
class Mode:
    """A resonance of the housing."""

    frequency_hz: float
    damping: float
    share: float
    """Of an impact's peak."""

    def gain(self, frequency_hz: Array) -> Spectrum:
        """Acceleration response to a force, 1 at the natural frequency."""
        r = frequency_hz / self.frequency_hz
        return np.asarray(2 * self.damping * r**2 / (1 - r**2 + 2j * self.damping * r))


@dataclass(frozen=True)
class Machine:
    """What distinguishes one machine from its sisters."""

    shaft_lines_g: tuple[float, ...]
    mesh_g: float
    sidebands_g: tuple[float, float]
    broadband_g: float
    modes: tuple[Mode, ...]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Machine:
        """A machine of the family."""

        def level(nominal: float) -> float:
            return nominal * float(rng.uniform(1 - _LEVEL_SPREAD, 1 + _LEVEL_SPREAD))

        return cls(
            shaft_lines_g=tuple(level(nominal) for nominal in _SHAFT_LINES_G),
            mesh_g=level(MESH_G),
            sidebands_g=(level(_SIDEBAND_G), level(_SIDEBAND_G)),
            broadband_g=BROADBAND_G * float(rng.uniform(1 - _NOISE_SPREAD, 1 + _NOISE_SPREAD)),
            modes=tuple(
                Mode(frequency_hz * float(rng.uniform(1 - _MODE_SPREAD, 1 + _MODE_SPREAD)), damping, share)
                for frequency_hz, damping, share in _MODES
            ),
        )


class Moment:
    """One buffer's time base and operating point, exactly periodic over the buffer.

    Attributes:
        duration_s: length of the buffer and period of everything in it.
        time_s: the internal time base.
        turns: whole turns of the shaft in the buffer.
        load: share of full load at time_s.
        shaft_rad: angle of the shaft at time_s.
    """

    def __init__(self, duration_s: float, rng: np.random.Generator) -> None:
        count = 2 ** math.ceil(math.log2(duration_s * _INTERNAL_RATE_HZ))
        self.duration_s = duration_s
        self.time_s: Array = np.arange(count) * (duration_s / count)
        mean_load = float(rng.uniform(*_LOADS))
        swings, their_integral = self._drift(rng)
        self.load: Array = mean_load + _LOAD_DRIFT * swings
        self.turns = round(SYNCHRONOUS_HZ * (1 - FULL_LOAD_SLIP * mean_load) * duration_s)
        mean_hz = self.turns / duration_s
        slowing_turns = SYNCHRONOUS_HZ * FULL_LOAD_SLIP * _LOAD_DRIFT * their_integral
        start_rad = float(rng.uniform(0, 2 * np.pi))
        self.shaft_rad: Array = start_rad + 2 * np.pi * (mean_hz * self.time_s - slowing_turns)

    def _drift(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """A slow random change of rms 1 and its integral over time, both periodic in the buffer."""
        cycles = np.arange(1, max(1, math.floor(_FASTEST_DRIFT_HZ * self.duration_s)) + 1)
        phases_rad = rng.uniform(0, 2 * np.pi, cycles.size)
        spectrum = np.zeros(self.time_s.size // 2 + 1, dtype=np.complex128)
        spectrum[cycles] = np.exp(1j * phases_rad) * (self.time_s.size * math.sqrt(0.5 / cycles.size))
        swings = np.fft.irfft(spectrum, self.time_s.size)
        spectrum[cycles] /= 2j * np.pi * cycles / self.duration_s
        integral = np.fft.irfft(spectrum, self.time_s.size)
        return swings, integral

    @property
    def shaft_hz(self) -> float:
        """Mean speed of the shaft."""
        return self.turns / self.duration_s

    @property
    def frequency_hz(self) -> Array:
        """Frequencies of `numpy.fft.rfft` over time_s."""
        return np.asarray(np.fft.rfftfreq(self.time_s.size, self.duration_s / self.time_s.size))

    def line(self, order: float, peak_g: float | Array, phase_rad: float) -> Array:
        """A line at `order` times the shaft speed; an order times the buffer's turns must be whole."""
        return np.asarray(peak_g * np.cos(order * self.shaft_rad + phase_rad))

    def half_order(self) -> float:
        """The order nearest to one half that is whole in the buffer."""
        return 0.5 if self.turns % 2 == 0 else (self.turns // 2) / self.turns

    def time_of_turn(self, turn: Array) -> Array:
        """When the shaft has made `turn` turns, by inverting the shaft angle; wraps at the buffer's end."""
        angle = np.append(self.shaft_rad, self.shaft_rad[0] + 2 * np.pi * self.turns)
        time_s = np.append(self.time_s, self.duration_s)
        return np.asarray(np.interp(self.shaft_rad[0] + 2 * np.pi * (turn % self.turns), angle, time_s))

    def peak_g_of_velocity(self, order: float, rms_m_s: float) -> float:
        """Peak acceleration of a line at `order` whose velocity has the given rms."""
        return math.sqrt(2) * rms_m_s * 2 * math.pi * order * self.shaft_hz / STANDARD_GRAVITY_M_S2


def healthy_spectrum(machine: Machine, moment: Moment, sensor: Sensor, rng: np.random.Generator) -> Spectrum:
    """Spectrum over the moment's time base of the machine without a fault, the sensor's noise included."""
    lines_g = np.zeros(moment.time_s.size)

    def phase() -> float:
        return float(rng.uniform(0, 2 * np.pi))

    for order, peak_g in enumerate(machine.shaft_lines_g, start=1):
        lines_g += moment.line(order, peak_g, phase())
    lines_g += moment.line(GEAR_TEETH, machine.mesh_g * moment.load, phase())
    for side, peak_g in zip((-1, 1), machine.sidebands_g, strict=True):
        lines_g += moment.line(GEAR_TEETH + side, peak_g * moment.load, phase())
    broadband_g = _broadband(machine, moment, sensor, rng) * (0.7 + 0.3 * moment.load)
    return np.fft.rfft(lines_g + broadband_g) + _sensor_noise(moment, sensor, rng)


def _white(moment: Moment, sensor: Sensor, rng: np.random.Generator) -> Spectrum:
    """Noise of density 1 per bin up to the sensor's edge: one draw per line, in order of frequency."""
    line_count = math.floor(sensor.bandwidth_hz * moment.duration_s)
    drawn = rng.standard_normal((line_count, 2))
    spectrum = np.zeros(moment.time_s.size // 2 + 1, dtype=np.complex128)
    spectrum[1 : line_count + 1] = drawn[:, 0] + 1j * drawn[:, 1]
    return spectrum


def _scaled_to(spectrum: Spectrum, shape: Array, rms: float) -> Spectrum:
    """`spectrum`, white, given a shape and an expected rms.

    The rms of a real signal of n samples whose lines are s_k is sqrt(2 sum |s_k|²) / n; E|white|² = 2.
    """
    lines = spectrum != 0
    expected = math.sqrt(4.0 * float(np.sum(shape[lines] ** 2))) / (2 * (spectrum.size - 1))
    return spectrum * shape * (rms / expected)


def _broadband(machine: Machine, moment: Moment, sensor: Sensor, rng: np.random.Generator) -> Array:
    """The machine's noise at full load: a floor, a 1/f rise and the housing's modes."""
    frequency_hz = moment.frequency_hz
    shape = 1.0 + 60.0 / (frequency_hz + 30.0)
    for mode in machine.modes:
        wider = Mode(mode.frequency_hz, 2 * mode.damping, mode.share)
        shape += 0.5 * mode.share * np.abs(wider.gain(frequency_hz))
    spectrum = _scaled_to(_white(moment, sensor, rng), shape, machine.broadband_g)
    return np.asarray(np.fft.irfft(spectrum, moment.time_s.size))


def _sensor_noise(moment: Moment, sensor: Sensor, rng: np.random.Generator) -> Spectrum:
    rms_g = sensor.noise_density_g_per_rthz * math.sqrt(sensor.bandwidth_hz)
    return _scaled_to(_white(moment, sensor, rng), np.ones(moment.time_s.size // 2 + 1), rms_g)
