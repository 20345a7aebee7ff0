# SPDX-License-Identifier: Apache-2.0
"""Vibration of the made-up gear drive in volts at the sensor's pin, running normally or with a fault.

It is exactly periodic over the requested duration: the shaft makes whole turns, the impacts are whole in
number, load and speed drift back to where they began and the noise is shaped on multiples of 1/duration. A
DAQ may repeat the buffer without a step. The waveform depends on (duration, fault, severity, seed, moment)
and not on the sample rate.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hil.golden.data.faults import Scene, fault_spectrum
from hil.golden.data.machine import Machine, Moment, healthy_spectrum
from hil.golden.data.pin_signal import PLAY_RATE_HZ, PinSignal
from hil.golden.data.sensor import SENSOR, Sensor

BUFFER_S = 4.096
"""Length of a played buffer: eight windows of the firmware."""

_MACHINE, _MOMENT, _FAULT = range(3)  # streams of random numbers


def vibration(
    duration_s: float,
    rate_hz: float,
    *,
    fault: str | None = None,
    severity: float = 0.0,
    seed: int,
    moment: int = 0,
    sensor: Sensor = SENSOR,
) -> npt.NDArray[np.float64]:
    """One exactly periodic buffer of vibration, in volts at the sensor's pin.

    Args:
        duration_s: length of the buffer and period of the signal, at least 0.5 s (e.g. 4.096 s).
        rate_hz: sample rate, at least 2 kHz; duration_s * rate_hz must be a whole number of samples.
        fault: None for normal running, or one of `hil.golden.data.faults.FAULTS`.
        severity: 0 (none) .. 1 (bad) of the fault, see `hil.golden.data.faults`.
        seed: the machine. The same seed is the same machine with any fault.
        moment: another time at the same machine: its load, drift, phases and noise.
        sensor: what makes volts of the acceleration.

    Returns:
        float64 [duration_s * rate_hz], within the sensor's rails.

    Raises:
        ValueError: an argument is out of its range; the message says which.
    """
    sample_count = round(duration_s * rate_hz)
    if duration_s < 0.5 or rate_hz < 2000.0 or abs(sample_count - duration_s * rate_hz) > 1e-6 * sample_count:
        raise ValueError(
            f"vibration() takes >= 0.5 s at >= 2000 Hz and a whole number of samples, "
            f"got {duration_s} s at {rate_hz} Hz"
        )
    machine = Machine.drawn(np.random.default_rng([seed, _MACHINE]))
    rng = np.random.default_rng([seed, _MOMENT, moment])
    running = Moment(duration_s, rng)
    spectrum = healthy_spectrum(machine, running, sensor, rng)
    if fault is not None:
        scene = Scene(machine, running, np.random.default_rng([seed, _FAULT, moment]))
        spectrum = spectrum + fault_spectrum(fault, severity, scene)

    # Bins up to the sensor's edge, re-sampled at the wanted rate: exact, because the signal is band-limited.
    line_count = math.floor(sensor.bandwidth_hz * duration_s) + 1
    resampled = np.zeros(sample_count // 2 + 1, dtype=np.complex128)
    resampled[1:line_count] = spectrum[1:line_count] * (sample_count / running.time_s.size)
    return sensor.volts(np.fft.irfft(resampled, sample_count))


def vibration_signal(
    seed: int, fault: str | None = None, severity: float = 0.0, moment: int = 0
) -> PinSignal:
    """What the DAQ plays of a machine: one buffer of BUFFER_S.

    Raises:
        ValueError: an unknown fault, or a severity outside 0 .. 1.
    """
    volts = vibration(BUFFER_S, PLAY_RATE_HZ, fault=fault, severity=severity, seed=seed, moment=moment)
    return PinSignal(f"machine {seed}, {fault or 'normal'}, moment {moment}", volts)
