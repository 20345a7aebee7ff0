# SPDX-License-Identifier: Apache-2.0
"""How often the stated intervals hold the truth, on a bench that draws other errors than the rig assumes.

The rig takes specifications for rectangles. This bench draws normal errors with the specification at two
standard deviations: of the ammeter's and the voltmeter's gains and offsets, of the DAQ's timebase, of the
room's temperature. The virtual instrument's own front end makes the readings, and the rig's own measurement
code the intervals. The part is a waveform of which every charge is known.

``<measurand>_coverage`` is the part of all seeds whose interval holds the truth, 0.95 by intention.
``<measurand>_k95`` is twice the part of U that holds 95 % of the errors. It is 2 where U is right; below 1.6
the intervals are too wide, above 2.4 too narrow.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Benchmark, Results, Say, Target
from hil.config import load_rig
from hil.measurement import duty_cycle
from hil.measurement.budget import Budget, scatter_of_mean
from hil.measurement.phase_budget import phase_budget
from hil.measurement.phases import PhaseName, segment
from hil.measurement.pulse import find_pulse
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.ambient import AmbientSlope
from hil.twin.analyzer import averaging
from hil.twin.analyzer.ranges import DEFAULT_CURRENT_RANGES, SAMPLE_S, Meter, Range
from hil.twin.daq.timebase import Timebase
from hil.twin.power.supply_trace import SupplyTrace

SEEDS = 400
LOG_S, FINE_S = 20 * SAMPLE_S, SAMPLE_S
PERIOD_S = 1.0
WAKES = 4
SLEEP_A, SAMPLING_A, COMPUTING_A, NETWORK_A = 1.78e-6, 40.3e-6, 2.99e-3, 3.05e-3
SAMPLING_S, COMPUTING_S, NETWORK_S = 0.1, 6.6e-3, 198.8e-6
BURSTS = {
    "bursty_2ma": (2e-3, 40e-6, 1e-3),
    "bursty_5ma": (5e-3, 20e-6, 1e-3),
    "bursty_rare": (5e-3, 20e-6, 10e-3),
}
"""Current, length and period of the bursts of three sensors that a log averages."""
INTERVALS_S = {"wake_period": 10.0, "period_60s": 60.0, "period_10min": 600.0}
SUPPLY_V = 3.0
_PS = 1e12
_RIG = Path(__file__).resolve().parents[1] / "rig_configs" / "sim.toml"


def measure(say: Say, seeds: int = SEEDS) -> Results:
    """Return coverage and k95 of every measurand, and the number of seeds."""
    config = load_rig(_RIG)
    accuracy = RigAccuracy(config)
    slope = AmbientSlope.of(config.board.definition.part, SUPPLY_V, config.board.ambient_temperature_c)
    voltage = config.power_analyzer.voltage if config.power_analyzer is not None else None
    assert voltage is not None  # the virtual bench has an analyzer
    ratios: dict[str, list[float]] = defaultdict(list)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        room_k = rng.standard_normal() * config.board.ambient_uncertainty_c / 2
        meter = Meter(DEFAULT_CURRENT_RANGES, rng, errors="normal")
        voltmeter = Meter((Range(20.0, voltage.gain, voltage.offset_v, 0.0),), rng, errors="normal")
        read_v = float(voltmeter.read(np.array([SUPPLY_V]), 0.1, None)[0])
        supply = Estimate.of(read_v, accuracy.voltage_v(read_v))
        found = {"supply_voltage": (supply, SUPPLY_V)}
        found |= _duty_cycle(meter, accuracy, slope, room_k, supply, rng)
        found |= {name: _bursts(meter, accuracy, slope, room_k, *burst) for name, burst in BURSTS.items()}
        found |= _intervals(accuracy, rng)
        found["latency_current"] = _latency(meter, rng)
        for name, (estimate, truth) in found.items():
            ratios[name].append(abs(estimate.value - truth) / estimate.expanded_uncertainty)
        if seed % 50 == 49:
            say(f"{seed + 1} of {seeds} seeds")
    results: Results = {"seeds": float(seeds)}
    for name, ratio in ratios.items():
        results[f"{name}_coverage"] = float(np.mean(np.array(ratio) <= 1))
        results[f"{name}_k95"] = 2 * float(np.quantile(ratio, 0.95))
    return results


def _duty_cycle(
    meter: Meter,
    accuracy: RigAccuracy,
    slope: AmbientSlope,
    room_k: float,
    supply: Estimate,
    rng: np.random.Generator,
) -> dict[str, tuple[Estimate, float]]:
    sleep_s = PERIOD_S - SAMPLING_S - COMPUTING_S - NETWORK_S
    levels = (SLEEP_A, SAMPLING_A, COMPUTING_A, NETWORK_A)
    warm_a = dict(zip(levels, np.array(levels) + room_k * slope.at(np.array(levels)), strict=True))
    trace = SupplyTrace()
    time_s = 0.5 + rng.uniform(0, LOG_S)
    trace.record(0, warm_a[SLEEP_A])
    for _ in range(WAKES):
        for level, length_s in (
            (SAMPLING_A, SAMPLING_S),
            (COMPUTING_A, COMPUTING_S),
            (NETWORK_A, NETWORK_S),
            (SLEEP_A, sleep_s),
        ):
            trace.record(round(time_s * _PS), warm_a[level])
            time_s += length_s
    waveform = _log(trace, meter, time_s - PERIOD_S / 4)
    phases = segment(waveform)
    asleep = [
        waveform.slice(phase.start_s + 0.1, phase.end_s - LOG_S).current_a
        for phase in phases
        if phase.name is PhaseName.SLEEP
    ]
    samples_a = np.concatenate(asleep)
    sleep = Estimate.of(
        float(samples_a.mean()),
        Budget.of(accuracy.mean_current_a(samples_a), scatter_of_mean("noise", samples_a, "A")),
    )
    computing_c = COMPUTING_A * COMPUTING_S + NETWORK_A * NETWORK_S
    period_c = SLEEP_A * sleep_s + SAMPLING_A * SAMPLING_S + computing_c
    found = {
        "stop2_current": (sleep, SLEEP_A),
        "average_current": (
            duty_cycle.measure(waveform, phases).average_a(accuracy.mean_current_a),
            period_c / PERIOD_S,
        ),
    }
    truths = {
        PhaseName.SLEEP: (sleep_s, SLEEP_A * sleep_s),
        PhaseName.SAMPLING: (SAMPLING_S, SAMPLING_A * SAMPLING_S),
        PhaseName.INFERENCE: (COMPUTING_S + NETWORK_S, computing_c),
    }
    for row in phase_budget(waveform, phases, supply, accuracy.mean_current_a):
        duration_s, charge_c = truths[row.name]
        name = str(row.name)
        found[f"{name}_duration"] = (row.duration_s, duration_s)
        found[f"{name}_charge"] = (row.charge_c, charge_c)
        found[f"{name}_energy"] = (row.energy_j, charge_c * SUPPLY_V)
    return found


def _bursts(
    meter: Meter,
    accuracy: RigAccuracy,
    slope: AmbientSlope,
    room_k: float,
    burst_a: float,
    burst_s: float,
    every_s: float,
) -> tuple[Estimate, float]:
    levels = np.array([SLEEP_A, burst_a])
    sleep_a, awake_a = levels + room_k * slope.at(levels)
    trace = SupplyTrace()
    trace.record(0, float(sleep_a))
    count = round(0.2 / every_s)
    for number in range(count):
        begins_s = (number + 0.1) * every_s
        trace.record(round(begins_s * _PS), float(awake_a))
        trace.record(round((begins_s + burst_s) * _PS), float(sleep_a))
    samples_a = _log(trace, meter, count * every_s).current_a
    estimate = Estimate.of(float(samples_a.mean()), accuracy.mean_current_a(samples_a))
    return estimate, SLEEP_A + (burst_a - SLEEP_A) * burst_s * count / (samples_a.size * LOG_S)


def _latency(meter: Meter, rng: np.random.Generator) -> tuple[Estimate, float]:
    trace = SupplyTrace()
    begins_s = 1.5e-3 + rng.uniform(0, FINE_S)
    trace.record(0, COMPUTING_A)
    trace.record(round(begins_s * _PS), NETWORK_A)
    trace.record(round((begins_s + NETWORK_S) * _PS), COMPUTING_A)
    pulse = find_pulse(_log(trace, meter, 1.9e-3, FINE_S), NETWORK_A - COMPUTING_A)
    return pulse.duration_s, NETWORK_S


def _intervals(accuracy: RigAccuracy, rng: np.random.Generator) -> dict[str, tuple[Estimate, float]]:
    timebase = Timebase(rng, 0)
    timebase.error_ppb = round(rng.standard_normal() * 25_000)
    found = {}
    for name, truth_s in {**INTERVALS_S, "latency_counter": NETWORK_S}.items():
        hz = 100_000_000 if truth_s < 40 else 20_000_000 if truth_s < 200 else 100_000
        first_ps = int(rng.integers(0, 10**12))
        ticks = timebase.tick_at(first_ps + round(truth_s * _PS), hz) - timebase.tick_at(first_ps, hz)
        longest_s = 40.0 if hz == 100_000_000 else 200.0 if hz == 20_000_000 else 3600.0
        read_s = ticks / hz
        found[name] = (Estimate.of(read_s, accuracy.interval_s(read_s, longest_s)), truth_s)
    return found


def _log(trace: SupplyTrace, meter: Meter, duration_s: float, sample_s: float = LOG_S) -> Waveform:
    sample_ps = round(sample_s * _PS)
    edges_ps = sample_ps * np.arange(int(duration_s * _PS) // sample_ps + 1, dtype=np.int64)
    return Waveform(0.0, sample_s, averaging.averages(trace, meter, edges_ps, None))


_MEASURANDS = (
    "supply_voltage",
    "stop2_current",
    "average_current",
    *(
        f"{phase}_{what}"
        for phase in ("sleep", "sampling", "inference")
        for what in ("duration", "charge", "energy")
    ),
    *BURSTS,
    *INTERVALS_S,
    "latency_counter",
    "latency_current",
)
BENCHMARK = Benchmark(
    "how often stated intervals hold the truth",
    measure,
    {f"{name}_coverage": Target("at least", 0.93) for name in _MEASURANDS}
    | {f"{name}_k95": Target("at least", 1.6) for name in _MEASURANDS},
)
