# SPDX-License-Identifier: Apache-2.0
"""Asking for many instants at once gives what asking for each gives, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from hil.twin.core.scheduler import Scheduler
from hil.twin.daq.analog import AnalogOutput
from hil.twin.daq.timebase import Timebase
from hil.twin.ip.tick_counter import TickCounter
from hil.twin.noise import Noise
from hil.twin.wiring import SensorWire

DAY_PS = 86_400 * 10**12
TIMES_PS = np.array([0, 1, 9_999, 10_000, 123_456_789_012, 10**15 + 7, DAY_PS - 1, 30 * DAY_PS + 12_345])


@pytest.mark.parametrize("seed", range(5))
def test_ticks(seed: int) -> None:
    timebase = Timebase(np.random.default_rng(seed))
    assert timebase.ticks_at(TIMES_PS).tolist() == [timebase.tick_at(int(time_ps)) for time_ps in TIMES_PS]


@pytest.mark.parametrize("total", [None, 5, 50])
def test_a_generated_signal_with_noise(total: int | None) -> None:
    def wire() -> SensorWire:
        output = AnalogOutput(Timebase(np.random.default_rng(1)), np.random.default_rng(2), {})
        output.generate(10**9, 10_000, np.linspace(0.0, 3.5, 7), total)
        return SensorWire(output, 1e-3, np.random.default_rng(3), lambda: 3.0)

    times_ps = np.arange(0, 5000) * 70_000_000  # from before the generation on, and past a block of noise
    at_once, one_by_one = wire(), wire()
    parts = [at_once.voltages_v(part) for part in np.split(times_ps, [100, 101, 4500])]
    assert np.concatenate(parts).tolist() == [one_by_one.voltage_v(int(time_ps)) for time_ps in times_ps]


@pytest.mark.parametrize(("rate_hz", "divider", "step"), [(4_000_000, 1, 2000), (32_768, 3, 5)])
def test_counts(rate_hz: int, divider: int, step: int) -> None:
    counter = TickCounter(Scheduler())
    assert counter.times_of(0, step, 3).size == 0
    counter.set_rate(rate_hz, divider)
    expected = [counter.time_of(7 + index * step) for index in range(40)]
    assert counter.times_of(7, step, 40).tolist() == expected


def test_noise_does_not_depend_on_the_portions() -> None:
    whole = Noise(np.random.default_rng(4), 16).take(100)
    noise = Noise(np.random.default_rng(4), 16)
    assert np.array_equal(np.concatenate([noise.take(count) for count in (1, 15, 0, 40, 44)]), whole)
