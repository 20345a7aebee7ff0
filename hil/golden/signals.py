# SPDX-License-Identifier: Apache-2.0
"""Vibration of a small gear drive, in volts at the sensor pin: normal running and five named faults.

The signal is made from what a machine does, so that a fault changes the spectrum as it does on a machine:
lines at the shaft's harmonics (imbalance, looseness), gear mesh with sidebands at the shaft speed (gear wear)
and impacts at the bearing's defect frequencies that ring the housing's modes (race faults).

It is exactly periodic over the requested duration: the shaft makes whole turns, the impacts are whole in
number and the noise is shaped on multiples of 1/duration. A DAQ may repeat the buffer without a step.
The waveform depends on (duration, fault, severity, seed) and not on the sample rate.

The machine is an invention: levels, modes and loads below are assumptions, chosen to fill the ADC's range.
Its bearing is real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FAULTS = ("outer_race", "inner_race", "imbalance", "looseness", "gear_wear")

Frequencies = npt.NDArray[np.floating[Any]]

BIAS_V = 1.5
"""Output of the sensor at rest: half of a 3 V supply."""
MINIMUM_V, MAXIMUM_V = 0.05, 2.95
"""The sensor's output rails (assumption); the signal is clipped there as a real sensor's would be."""
BANDWIDTH_HZ = 960.0
"""The sensor's low-pass edge (assumption: ideal), below half the firmware's 2 kHz sample rate."""
SHAFT_HZ = 29.0
"""Nominal shaft speed: 1740 rpm, a four-pole motor on 60 Hz under load."""
GEAR_TEETH = 20
"""Pinion on the shaft; its mesh is at 20 times the shaft speed (assumption)."""

_SPEED_SPREAD = 0.012  # speed falls by twice this between the lightest load and full load; assumption
_SPEED_DRIFT = 0.002  # slow wander within one buffer, relative; assumption
_RENDER_RATE_HZ = 16384.0  # internal rate, far above BANDWIDTH_HZ so that impact times are resolved

# Normal running, peak volts per line (assumptions).
_SHAFT_LINES_V = (0.030, 0.020, 0.012, 0.008, 0.005)
_MESH_V, _SIDEBAND_V = 0.090, 0.012
_NOISE_V = 0.045  # rms of the broadband part below BANDWIDTH_HZ
# The housing's modes: frequency in Hz, damping ratio, share of an impact (assumptions).
_MODES = ((430.0, 0.05, 0.45), (790.0, 0.04, 1.0))

# Growth of each fault at severity 1 (assumptions).
_IMBALANCE_V = 0.75
_LOOSENESS_V = 0.42
_WEAR_MESH_V, _WEAR_SIDEBAND_V = 0.16, 0.26
_OUTER_IMPACT_V, _INNER_IMPACT_V = 0.62, 0.85
_IMPACT_JITTER = 0.01  # rms slip of the rolling elements, in impact periods


@dataclass(frozen=True)
class Bearing:
    """Geometry of a ball bearing and its defect frequencies, as multiples of the shaft speed.

    Formulas: rolling without slip, outer ring fixed (e.g. R. B. Randall, "Vibration-based Condition
    Monitoring", Wiley 2011, section 2.2.3).
    """

    name: str
    ball_count: int
    ball_diameter_m: float
    pitch_diameter_m: float
    contact_angle_rad: float = 0.0

    @property
    def _ratio(self) -> float:
        return self.ball_diameter_m / self.pitch_diameter_m * math.cos(self.contact_angle_rad)

    @property
    def bpfo(self) -> float:
        """Ball pass frequency of the outer race, per shaft turn."""
        return self.ball_count / 2 * (1 - self._ratio)

    @property
    def bpfi(self) -> float:
        """Ball pass frequency of the inner race, per shaft turn."""
        return self.ball_count / 2 * (1 + self._ratio)


BEARING_6205 = Bearing("6205-2RS JEM SKF", ball_count=9, ball_diameter_m=7.94e-3, pitch_diameter_m=39.04e-3)
"""Drive-end bearing of the Case Western Reserve University Bearing Data Center's test stand ("Bearing
Information": 9 balls of 0.3126 in on a 1.537 in pitch circle; published multiples BPFO 3.5848,
BPFI 5.4152)."""


@dataclass(frozen=True)
class _Running:
    """One buffer's operating point and its time base."""

    duration_s: float
    time_s: npt.NDArray[np.float64]
    shaft_rad: npt.NDArray[np.float64]  # shaft angle at time_s
    turns: int
    load: float  # 0.6 .. 1

    def times_of_turn(self, turn: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """When the shaft has made `turn` turns, by inverting the shaft angle; wraps at the buffer's end."""
        angle = np.append(self.shaft_rad, self.shaft_rad[0] + 2 * np.pi * self.turns)
        time = np.append(self.time_s, self.duration_s)
        wanted = self.shaft_rad[0] + 2 * np.pi * (turn % self.turns)
        return np.asarray(np.interp(wanted, angle, time))


def vibration(
    duration_s: float, rate_hz: float, *, fault: str | None = None, severity: float = 0.0, seed: int
) -> npt.NDArray[np.float64]:
    """One exactly periodic buffer of vibration, in volts at the sensor pin.

    Args:
        duration_s: length of the buffer and period of the signal, at least 0.5 s (e.g. 4.096 s).
        rate_hz: sample rate, at least 2 kHz; duration_s * rate_hz must be a whole number of samples.
        fault: None for normal running, or one of `FAULTS`.
        severity: 0 (none) .. 1 (bad) of the fault.
        seed: operating point, phases and noise. The same seed gives the same machine with any fault.

    Returns:
        float64 [duration_s * rate_hz], 0.05 .. 2.95 V around 1.5 V.

    Raises:
        ValueError: an argument is out of its range; the message says which.
    """
    sample_count = round(duration_s * rate_hz)
    if duration_s < 0.5 or rate_hz < 2000.0 or abs(sample_count - duration_s * rate_hz) > 1e-6 * sample_count:
        raise ValueError(
            f"vibration() takes >= 0.5 s at >= 2000 Hz and a whole number of samples, "
            f"got {duration_s} s at {rate_hz} Hz"
        )
    if fault is not None and fault not in FAULTS:
        raise ValueError(f"unknown fault {fault!r}; one of {', '.join(FAULTS)} or None")
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity is 0 .. 1, got {severity}")

    rng = np.random.default_rng(seed)
    running = _operating_point(duration_s, rng)
    spectrum = np.fft.rfft(_normal_lines(running, rng)) + _noise_spectrum(running, rng)
    if fault is not None and severity > 0.0:
        spectrum += _fault_spectrum(running, fault, severity, rng)

    # Bins up to the sensor's edge, re-sampled at the wanted rate: exact, because the signal is band-limited.
    rendered_count = running.time_s.size
    line_count = math.floor(BANDWIDTH_HZ * duration_s) + 1
    resampled = np.zeros(sample_count // 2 + 1, dtype=np.complex128)
    resampled[1:line_count] = spectrum[1:line_count] * (sample_count / rendered_count)
    volts = BIAS_V + np.fft.irfft(resampled, sample_count)
    return np.clip(volts, MINIMUM_V, MAXIMUM_V)


def adc_codes(volts: npt.NDArray[np.float64], vdda_v: float = 3.0) -> npt.NDArray[np.uint16]:
    """Codes of an ideal 12-bit ADC with reference `vdda_v`: 4096 * V / VDDA, rounded, in 0..4095."""
    return np.clip(np.floor(volts * (4096.0 / vdda_v) + 0.5), 0, 4095).astype(np.uint16)


def _operating_point(duration_s: float, rng: np.random.Generator) -> _Running:
    load = rng.uniform(0.6, 1.0)
    speed_hz = SHAFT_HZ * (1.0 + _SPEED_SPREAD * (0.8 - load) / 0.2)
    turns = round(speed_hz * duration_s)
    count = 2 * math.ceil(duration_s * _RENDER_RATE_HZ / 2)
    time_s = np.arange(count) * (duration_s / count)
    # The wander is one slow cycle per buffer, so speed and angle are periodic too.
    wander_rad = turns * _SPEED_DRIFT  # d/dt of wander_rad * sin(slow) is the drift in speed
    slow = 2 * np.pi * time_s / duration_s + rng.uniform(0, 2 * np.pi)
    steady_rad = rng.uniform(0, 2 * np.pi) + 2 * np.pi * turns * time_s / duration_s
    shaft_rad = steady_rad + wander_rad * np.sin(slow)
    return _Running(duration_s, np.asarray(time_s, dtype=np.float64), shaft_rad, turns, load)


def _line(running: _Running, order: float, amplitude_v: float, phase_rad: float) -> npt.NDArray[np.float64]:
    """A line at `order` times the shaft speed; an order times the buffer's turns must be whole."""
    return np.asarray(amplitude_v * np.cos(order * running.shaft_rad + phase_rad))


def _normal_lines(running: _Running, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    volts = np.zeros_like(running.time_s)
    for order, amplitude_v in enumerate(_SHAFT_LINES_V, start=1):
        volts += _line(running, order, amplitude_v * rng.uniform(0.8, 1.2), rng.uniform(0, 2 * np.pi))
    volts += _line(running, GEAR_TEETH, _MESH_V * running.load, rng.uniform(0, 2 * np.pi))
    for side in (-1, 1):
        volts += _line(running, GEAR_TEETH + side, _SIDEBAND_V * running.load, rng.uniform(0, 2 * np.pi))
    return volts


def _noise_spectrum(running: _Running, rng: np.random.Generator) -> npt.NDArray[np.complex128]:
    """Broadband noise on the buffer's own lines: a floor, a 1/f rise and the housing's modes."""
    count = running.time_s.size
    frequency_hz = np.fft.rfftfreq(count, running.duration_s / count)
    line_count = math.floor(BANDWIDTH_HZ * running.duration_s) + 1
    shape = np.zeros_like(frequency_hz)
    lines = slice(1, line_count)
    shape[lines] = 1.0 + 60.0 / (frequency_hz[lines] + 30.0)
    for mode_hz, damping, share in _MODES:
        shape[lines] += 0.5 * share * np.abs(_mode_gain(frequency_hz[lines], mode_hz, 2 * damping))
    # One draw per line in order of frequency, so the noise does not depend on the internal rate.
    drawn = rng.standard_normal((line_count - 1, 2))
    rms_v = _NOISE_V * (0.7 + 0.3 * running.load)
    spectrum = np.zeros(frequency_hz.size, dtype=np.complex128)
    spectrum[lines] = shape[lines] * (drawn[:, 0] + 1j * drawn[:, 1])
    # rms of a real signal whose line k is s_k: sqrt(2 * sum |s_k|^2) / count; E|drawn|^2 = 2.
    expected_rms = math.sqrt(2.0 * float(np.sum(2.0 * shape[lines] ** 2))) / count
    return spectrum * (rms_v / expected_rms)


def _mode_gain(frequency_hz: Frequencies, mode_hz: float, damping: float) -> npt.NDArray[np.complex128]:
    """Acceleration response of one mode, with a gain of 1 at its natural frequency."""
    r = frequency_hz / mode_hz
    return np.asarray(2 * damping * r**2 / (1 - r**2 + 2j * damping * r))


def _fault_spectrum(
    running: _Running, fault: str, severity: float, rng: np.random.Generator
) -> npt.NDArray[np.complex128]:
    if fault == "outer_race":
        # A spall in the load zone: every ball hits it with about the same force.
        return _impact_spectrum(running, BEARING_6205.bpfo, severity * _OUTER_IMPACT_V, 0.1, rng)
    if fault == "inner_race":
        # The spall turns with the shaft through the load zone, so the force varies once per turn.
        return _impact_spectrum(running, BEARING_6205.bpfi, severity * _INNER_IMPACT_V, 0.9, rng)
    volts = np.zeros_like(running.time_s)
    if fault == "imbalance":
        volts += _line(running, 1, severity * _IMBALANCE_V, rng.uniform(0, 2 * np.pi))
        volts += _line(running, 2, 0.08 * severity * _IMBALANCE_V, rng.uniform(0, 2 * np.pi))
    elif fault == "looseness":
        # Rattle: many harmonics, and half orders where the part lifts off every second turn.
        half_order = 0.5 if running.turns % 2 == 0 else (running.turns // 2) / running.turns
        for harmonic in range(1, 17):
            amplitude_v = severity * _LOOSENESS_V / (1.0 + 0.35 * harmonic)
            volts += _line(running, harmonic, amplitude_v, rng.uniform(0, 2 * np.pi))
            if harmonic <= 6:
                order = harmonic - 1 + half_order
                volts += _line(running, order, 0.3 * amplitude_v, rng.uniform(0, 2 * np.pi))
    else:  # gear_wear: the mesh grows and is modulated ever deeper by the turning of the worn wheel
        volts += _line(running, GEAR_TEETH, severity * _WEAR_MESH_V, rng.uniform(0, 2 * np.pi))
        for distance in range(1, 6):
            for side in (-distance, distance):
                amplitude_v = severity * _WEAR_SIDEBAND_V / distance
                volts += _line(running, GEAR_TEETH + side, amplitude_v, rng.uniform(0, 2 * np.pi))
    return np.fft.rfft(volts)


def _impact_spectrum(
    running: _Running, order: float, peak_v: float, modulation: float, rng: np.random.Generator
) -> npt.NDArray[np.complex128]:
    """Impacts `order` times per shaft turn, each ringing the housing's modes to about `peak_v`.

    Their number is rounded to whole impacts per buffer: at 4 s the order moves by less than 0.2 %.
    """
    count = running.time_s.size
    impact_count = round(order * running.turns)
    jitter = rng.normal(0.0, _IMPACT_JITTER, impact_count)
    turn = (np.arange(impact_count) + rng.uniform() + jitter) * (running.turns / impact_count)
    force = (1.0 + modulation * np.cos(2 * np.pi * turn)) / (1.0 + modulation)

    # An impulse between two samples of the internal rate is shared by both, which keeps its time.
    position = running.times_of_turn(turn) * (count / running.duration_s)
    before = np.floor(position).astype(np.int64)
    share = position - before
    impulses = np.zeros(count)
    np.add.at(impulses, before % count, force * (1.0 - share))
    np.add.at(impulses, (before + 1) % count, force * share)

    frequency_hz = np.fft.rfftfreq(count, running.duration_s / count)
    response = np.zeros(frequency_hz.size, dtype=np.complex128)
    for mode_hz, damping, mode_share in _MODES:
        # An impulse rings a mode of unit peak gain to 4 pi * damping * f_mode / rate.
        ring = 4 * np.pi * damping * mode_hz * running.duration_s / count
        response += peak_v * mode_share / ring * _mode_gain(frequency_hz, mode_hz, damping)
    return np.asarray(np.fft.rfft(impulses) * response)
