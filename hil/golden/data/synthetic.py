# SPDX-License-Identifier: Apache-2.0
"""A fleet of made-up machines as a data set: each visited at several moments, some of them with a fault."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from hil.golden.data.analog_path import WINDOW_S, AnalogPath
from hil.golden.data.dataset import Advance, Dataset, Group
from hil.golden.data.faults import EARLY, FAULTS, MODERATE, SEVERE
from hil.golden.data.pin_signal import PLAY_RATE_HZ
from hil.golden.data.sensor import SENSOR
from hil.golden.data.vibration import BUFFER_S
from hil.golden.data.windows import machine_windows
from hil.golden.features import SAMPLE_RATE_HZ, WINDOW_SAMPLES, features

SEVERITIES = {"early": EARLY, "moderate": MODERATE, "severe": SEVERE}
_MACHINES_PER_SET, _MACHINES_PER_FAULT = 100_000, 10_000
_FAULTY = 9
"""The faults' set; 1 to 3 are those of normal running."""
_SEVERITY_STREAM = 7


@dataclass(frozen=True)
class FleetSize:
    """How many machines, and how long each is listened to."""

    training: int = 150
    threshold: int = 150
    test: int = 100
    per_fault: int = 30
    """Machines for each fault and severity; the same ones for every severity."""
    moments: int = 4
    windows_per_moment: int = 4
    """Of the eight that fit into a moment's buffer, so that they do not overlap."""


def synthetic(seed: int, size: FleetSize | None = None, advance: Advance | None = None) -> Dataset:
    """Machines of the family in hil.golden.data.machine; the same seed gives the same fleet.

    Args:
        seed: 1 or more; fleets of different seeds share no machine, nor one with a seed below 1,000,000.
        size: of the fleet.
        advance: told how far it is.

    Raises:
        ValueError: seed below 1.
    """
    if seed < 1:
        raise ValueError(f"a fleet's seed is 1 or more, got {seed}")
    size = size or FleetSize()
    healthy = {"training": size.training, "threshold": size.threshold, "test": size.test}
    total = sum(healthy.values()) + len(FAULTS) * len(SEVERITIES) * size.per_fault
    done = 0

    def machine(set_number: int, index: int, fault: str | None = None, severity: float = 0.0) -> Group:
        nonlocal done
        machine_seed = seed * 1_000_000 + set_number * _MACHINES_PER_SET + index
        codes = [
            machine_windows([machine_seed], size.windows_per_moment, fault, severity, moment)
            # A fault is visited once per severity: more machines tell more than more moments.
            for moment in range(size.moments if fault is None else 1)
        ]
        done += 1
        if advance is not None and done % 10 == 0:
            advance("listening to machines", done / total)
        return Group(f"machine {machine_seed}", features(np.concatenate(codes)))

    parts = {
        name: [machine(set_number, index) for index in range(count)]
        for set_number, (name, count) in enumerate(healthy.items(), start=1)
    }
    rng = np.random.default_rng([seed, _SEVERITY_STREAM])
    faults: dict[str, dict[str, list[Group]]] = {}
    for fault_number, fault in enumerate(FAULTS):
        drawn = rng.uniform(size=size.per_fault)
        faults[fault] = {
            name: [
                machine(_FAULTY, fault_number * _MACHINES_PER_FAULT + index, fault, low + (high - low) * at)
                for index, at in enumerate(drawn)
            ]
            for name, (low, high) in SEVERITIES.items()
        }
    return Dataset(
        training=parts["training"],
        threshold=parts["threshold"],
        test=parts["test"],
        faults={fault: dict(by_severity) for fault, by_severity in faults.items()},
        source={
            "kind": "synthetic",
            "generator": "hil.golden.data.machine, hil.golden.data.faults",
            "seed": seed,
            "fleet": asdict(size),
            "severities": {name: list(band) for name, band in SEVERITIES.items()},
            "buffer_s": BUFFER_S,
            "play_rate_hz": PLAY_RATE_HZ,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "window_samples": WINDOW_SAMPLES,
            "window_s": WINDOW_S,
            "sensor": asdict(SENSOR),
            "analog_path": asdict(AnalogPath()),
        },
    )
