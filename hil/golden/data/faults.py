# SPDX-License-Identifier: Apache-2.0
"""The named faults of hil.golden.data.machine, and what their severity means.

Severity is linear in what the fault adds to the machine's vibration, 0 (nothing) to 1:

* imbalance, misalignment, looseness: severity times 9 mm/s rms of velocity. ISO 10816-3 (15 to 300 kW, rigid
  support) puts the boundary of zones B and C at 2.8 mm/s and that of C and D at 4.5 mm/s.
* races, ball, cracked tooth: the peak of an impact is severity times 8 (tooth: 12) times the healthy
  machine's broadband rms. A healthy signal's own crest factor is about 4.
* gear wear: the mesh line grows by severity times 150 % of the healthy one and its n-th pair of sidebands by
  severity times 200 % / n of it.

MODERATE severity, 0.4 to 0.6, is thus where the standard's zones C and D meet: run on for a limited time,
plan the repair. The figures for impacts and gears are assumptions, set so that a severity means as much
alarm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hil.golden.data.bearing import BEARING_6205
from hil.golden.data.machine import BROADBAND_G, GEAR_TEETH, MESH_G, Array, Machine, Moment, Spectrum

EARLY, MODERATE, SEVERE = (0.2, 0.3), (0.4, 0.6), (0.9, 1.0)
"""Bands of severity."""

_VELOCITY_M_S = 9e-3
_IMPACT_G = 8 * BROADBAND_G
_TOOTH_IMPACT_G = 12 * BROADBAND_G
_IMPACT_JITTER = 0.01  # rms slip of the rolling elements, in impact periods; assumption


@dataclass(frozen=True)
class Scene:
    """Where a fault happens: a machine at a moment, with random numbers of its own."""

    machine: Machine
    moment: Moment
    rng: np.random.Generator

    def phase(self) -> float:
        """An angle that nobody chose."""
        return float(self.rng.uniform(0, 2 * np.pi))


def fault_spectrum(fault: str, severity: float, scene: Scene) -> Spectrum:
    """What a fault adds to the machine's spectrum, in g over the moment's time base.

    Raises:
        ValueError: an unknown fault, or a severity outside 0 .. 1.
    """
    if fault not in _SPECTRA:
        raise ValueError(f"unknown fault {fault!r}; one of {', '.join(FAULTS)} or None")
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity is 0 .. 1, got {severity}")
    return severity * _SPECTRA[fault](scene)


def _imbalance(scene: Scene) -> Spectrum:
    """The centre of mass is off the axis: the shaft's own line."""
    return _lines(scene, {1: 1.0, 2: 0.04})


def _misalignment(scene: Scene) -> Spectrum:
    """The coupling bends twice per turn: the second order above all, with the first and third."""
    return _lines(scene, {1: 0.45, 2: 0.85, 3: 0.28})


def _looseness(scene: Scene) -> Spectrum:
    """Rattle: many harmonics, and half orders where the part lifts off every second turn."""
    half = scene.moment.half_order()
    shares: dict[float, float] = {}
    for harmonic in range(1, 17):
        # Acceleration falls slowly with the order, so velocity falls by the order once more.
        shares[harmonic] = 1.0 / (1.0 + 0.35 * harmonic) / harmonic
        if harmonic <= 6:
            order = harmonic - 1 + half
            shares[order] = 0.3 / (1.0 + 0.35 * harmonic) / order
    return _lines(scene, shares)


def _lines(scene: Scene, velocity_shares: dict[float, float]) -> Spectrum:
    """Lines at orders of the shaft whose velocities have the given shares and together the full rms."""
    whole = math.sqrt(sum(share**2 for share in velocity_shares.values()))
    acceleration_g = np.zeros(scene.moment.time_s.size)
    for order, share in velocity_shares.items():
        peak_g = scene.moment.peak_g_of_velocity(order, _VELOCITY_M_S * share / whole)
        acceleration_g += scene.moment.line(order, peak_g, scene.phase())
    return np.fft.rfft(acceleration_g)


def _gear_wear(scene: Scene) -> Spectrum:
    """The mesh grows and is modulated ever deeper by the turning of the worn wheel."""
    load = scene.moment.load
    acceleration_g = scene.moment.line(GEAR_TEETH, 1.5 * MESH_G * load, scene.phase())
    for distance in range(1, 6):
        for side in (-distance, distance):
            peak_g = 2.0 * MESH_G / distance * load
            acceleration_g += scene.moment.line(GEAR_TEETH + side, peak_g, scene.phase())
    return np.fft.rfft(acceleration_g)


def _tooth_crack(scene: Scene) -> Spectrum:
    """One tooth gives way: an impact per turn of the shaft."""
    return _impacts(scene, 1.0, _TOOTH_IMPACT_G, modulation=0.0, modulation_order=0.0)


def _outer_race(scene: Scene) -> Spectrum:
    """A spall in the load zone: every ball hits it with about the same force."""
    return _impacts(scene, BEARING_6205.bpfo, _IMPACT_G, modulation=0.1, modulation_order=1.0)


def _inner_race(scene: Scene) -> Spectrum:
    """The spall turns with the shaft through the load zone, so the force varies once per turn."""
    return _impacts(scene, BEARING_6205.bpfi, _IMPACT_G, modulation=0.9, modulation_order=1.0)


def _ball(scene: Scene) -> Spectrum:
    """The spall meets a race twice per spin of its ball, which the cage carries through the load zone."""
    return _impacts(scene, 2 * BEARING_6205.bsf, _IMPACT_G, modulation=0.9, modulation_order=BEARING_6205.ftf)


def _impacts(
    scene: Scene, order: float, peak_g: float, *, modulation: float, modulation_order: float
) -> Spectrum:
    """Impacts `order` times per shaft turn, each ringing the housing's modes to about `peak_g`.

    Their number and that of the modulation's cycles are rounded to whole ones per buffer: at 4 s the orders
    of impacts move by less than 0.5 %, which is within the slip of a real bearing.
    """
    moment = scene.moment
    count = moment.time_s.size
    impact_count = max(1, round(order * moment.turns))
    jitter = scene.rng.normal(0.0, _IMPACT_JITTER, impact_count)
    turn = (np.arange(impact_count) + scene.rng.uniform() + jitter) * (moment.turns / impact_count)
    cycles_per_turn = round(modulation_order * moment.turns) / moment.turns
    force = (1.0 + modulation * np.cos(2 * np.pi * cycles_per_turn * turn)) / (1.0 + modulation)

    # An impulse between samples of the time base becomes a cubic B-spline over the four around it, which
    # keeps its time; the spline's own spectrum is divided out below.
    position = moment.time_of_turn(turn) * (count / moment.duration_s)
    before = np.floor(position).astype(np.int64)
    late = position - before
    shares = (
        (1 - late) ** 3 / 6,
        (3 * late**3 - 6 * late**2 + 4) / 6,
        (-3 * late**3 + 3 * late**2 + 3 * late + 1) / 6,
        late**3 / 6,
    )
    impulses = np.zeros(count)
    for sample, share in enumerate(shares, start=-1):
        np.add.at(impulses, (before + sample) % count, force * share)

    frequency_hz = moment.frequency_hz
    spline: Array = np.sinc(frequency_hz * moment.duration_s / count) ** 4
    response = np.zeros(frequency_hz.size, dtype=np.complex128)
    for mode in scene.machine.modes:
        # An impulse rings a mode of unit peak gain to 4 pi * damping * f_mode / rate.
        ring = 4 * np.pi * mode.damping * mode.frequency_hz * moment.duration_s / count
        response += peak_g * mode.share / ring * mode.gain(frequency_hz)
    return np.asarray(np.fft.rfft(impulses) * response / spline)


_SPECTRA: dict[str, Callable[[Scene], Spectrum]] = {
    "outer_race": _outer_race,
    "inner_race": _inner_race,
    "ball": _ball,
    "imbalance": _imbalance,
    "misalignment": _misalignment,
    "looseness": _looseness,
    "gear_wear": _gear_wear,
    "tooth_crack": _tooth_crack,
}

FAULTS = tuple(_SPECTRA)
"""Names of the faults."""
