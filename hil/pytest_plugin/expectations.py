# SPDX-License-Identifier: Apache-2.0
"""What a test expects of a device, in its user's own words: text on its console, and what it draws.

uart.expect("ready", within="2 s")
current.settles_below("2 uA", within="5 s")
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from hil import quantity
from hil.errors import ConfigError, DeviceError, DeviceTimeoutError, StateError
from hil.measurement.budget import Budget, rectangle, scatter_of_mean
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

from .accuracy import RigAccuracy
from .recording import Recorder, WaveformStore
from .stimuli import Device

if TYPE_CHECKING:
    from hil.instruments.protocols import Ammeter, Console
    from hil.rig import Rig

_POLL_S = 0.01
_PERIOD_S = 1e-3
"""Of a log, unless the ammeter is slower (assumption: what a user waits for takes milliseconds)."""
_AVERAGED_S = 10e-3
"""Means over so long are held against a current, so that no single noisy sample decides (assumption)."""
_QUIET_SHARE = 0.1
"""Of the time allowed, that has to be quiet at its end, to be called settled (assumption)."""


class Uart:
    """The ``uart`` fixture: the firmware's console as text."""

    def __init__(self, rig: Rig, device: Device) -> None:
        self._rig, self._device = rig, device
        self._console: Console = rig.console
        self._taken = 0
        self._text = ""

    @contextmanager
    def connected(self) -> Generator[None]:
        """Have the console's lines connected inside the ``with``, to a device whose current is measured.

        After ``device.reset()`` they are connected anyway.
        """
        with self._rig.console_lines():
            self._forget()
            yield

    def send(self, text: str) -> None:
        """Send text, with the line end that the firmware wants."""
        self._console.send(text.encode())

    def expect(self, pattern: str, within: str) -> re.Match[str]:
        """Wait until a regular expression is in what came since the last match; returns the match.

        Raises:
            DeviceTimeoutError: it did not come in time; the message shows what came instead.
            StateError: the lines are not connected.
        """
        from hil.foreign_text import visible
        from hil.rig import State

        limit_s = quantity.parse(within, "s")
        if self._rig.state is State.MEASURING:
            raise StateError(
                "the console's lines are not connected",
                where="uart",
                operation="expect",
                hint="device.reset() connects them, or: with uart.connected()",
            )
        ends_s = self._rig.clock.now_s() + limit_s
        while True:
            self._take()
            if match := re.search(pattern, self._text):
                self._text = self._text[match.end() :]
                return match
            if self._rig.clock.now_s() >= ends_s:
                break
            self._rig.clock.sleep(_POLL_S)
        said = f'it said "{visible(self._text)[-_SHOWN:]}"' if self._text else "it said nothing"
        raise DeviceTimeoutError(
            f"{pattern!r} did not come within {within}; {said}", where="uart", operation="expect"
        )

    def _take(self) -> None:
        self._console.poll()
        count = self._console.heard_bytes
        if count < self._taken:  # cleared: the device was started anew
            self._forget()
        new = count - self._taken
        if new:
            self._text += self._console.heard[-new:].decode("ascii", "replace")
            self._taken = count

    def _forget(self) -> None:
        self._console.clear()
        self._taken, self._text = 0, ""


_SHOWN = 60


class Current:
    """The ``current`` fixture: expectations of what the device draws, recorded as measurements."""

    def __init__(
        self,
        device: Device,
        ammeter: Ammeter,
        supply_v: float,
        accuracy: RigAccuracy,
        measure: Recorder,
        waveforms: WaveformStore,
        name: str,
    ) -> None:
        self._device, self._ammeter, self._accuracy = device, ammeter, accuracy
        self._measure, self._waveforms, self._name, self._supply_v = measure, waveforms, name, supply_v

    def settles_below(self, limit: str, within: str) -> None:
        """It gets below ``limit`` within a time, and stays there for the rest of it.

        A tenth of the time has to be quiet; the mean of that is what is held against the limit.
        """
        limit_a, within_s = quantity.parse(limit, "A"), quantity.parse(within, "s")
        log = self._log(within_s)
        means_a, step_s = _means(log)
        above = np.flatnonzero(means_a >= limit_a)
        settled_s = 0.0 if not above.size else (int(above[-1]) + 1) * step_s
        latest_s = within_s * (1 - _QUIET_SHARE)
        if settled_s > latest_s:
            raise DeviceError(
                f"it still draws {means_a[-1] * 1e6:.4g} µA at the end of {within}"
                if means_a[-1] >= limit_a
                else f"it was above {limit} {settled_s:.3g} s after the beginning, and {within} was allowed",
                where="current",
                operation=f"settle below {limit}",
            )
        quiet_a = log.slice(log.start_s + settled_s, log.start_s + log.duration_s).current_a
        self._measure(
            _time(
                f"time until below {limit}",
                settled_s,
                step_s,
                Limit.at_most(latest_s, f"the test: within {within}, a tenth of it quiet"),
            ),
            self._mean(f"current, settled below {limit}", quiet_a, Limit.at_most(limit_a, "the test")),
        )

    def rises_above(self, level: str, within: str) -> None:
        """It gets above ``level`` within a time: the device has woken, or does something."""
        level_a, within_s = quantity.parse(level, "A"), quantity.parse(within, "s")
        means_a, step_s = _means(self._log(within_s))
        above = np.flatnonzero(means_a > level_a)
        if not above.size:
            raise DeviceError(
                f"it draws {means_a.max() * 1e6:.4g} µA at most within {within}",
                where="current",
                operation=f"rise above {level}",
            )
        rose_s = int(above[0]) * step_s
        self._measure(_time(f"time until above {level}", rose_s, step_s, Limit.at_most(within_s, "the test")))

    def averages_below(self, limit: str, over: str) -> None:
        """Its mean over a time, best of several whole periods, is below ``limit``."""
        samples_a = self._log(quantity.parse(over, "s")).current_a
        limit_a = quantity.parse(limit, "A")
        self._measure(self._mean(f"current over {over}", samples_a, Limit.at_most(limit_a, "the test")))

    def _mean(self, name: str, samples_a: NDArray[np.float64], limit: Limit) -> Measurement:
        budget = Budget.of(self._accuracy.mean_current_a(samples_a), scatter_of_mean("noise", samples_a, "A"))
        mean = Estimate.of(float(samples_a.mean()), budget)
        return Measurement.of(name, mean, "A", limit, headline=True)

    def _log(self, duration_s: float) -> Waveform:
        self._device.measured()
        period_s = max(_PERIOD_S, self._ammeter.capabilities.log_period_s)
        if duration_s < 2 * max(period_s, _AVERAGED_S):
            raise ConfigError(f"{duration_s:g} s: too short to be looked at", expected="20 ms or more")
        waveform = self._ammeter.log(duration_s, period_s)
        self._waveforms.save(self._name, waveform, (), self._supply_v)
        return waveform


def _time(name: str, value_s: float, step_s: float, limit: Limit) -> Measurement:
    """A time that is known to one mean of the log."""
    budget = Budget.of(rectangle("edge", step_s, "s", "one mean of the log"))
    return Measurement.of(name, Estimate.of(value_s, budget), "s", limit)


def _means(waveform: Waveform) -> tuple[NDArray[np.float64], float]:
    """Means over :data:`_AVERAGED_S`, and the time between them."""
    count = max(1, round(_AVERAGED_S / waveform.period_s))
    whole = len(waveform) // count * count
    return waveform.current_a[:whole].reshape(-1, count).mean(axis=1), count * waveform.period_s


@pytest.fixture
def uart(rig: Rig, device: Device) -> Uart:
    """The firmware's console as text: ``uart.expect("ready", within="2 s")``."""
    if not rig.has("console"):
        pytest.skip(f"rig {rig.config.name} has no [console]; add its port and baud")
    return Uart(rig, device)


@pytest.fixture
def current(
    request: pytest.FixtureRequest,
    rig: Rig,
    device: Device,
    ammeter: Ammeter,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
    waveforms: WaveformStore,
) -> Current:
    """What the device draws: ``current.settles_below("2 uA", within="5 s")``."""
    supply_v = rig.config.board.supply_voltage_v
    return Current(
        device, ammeter, supply_v, rig_accuracy, measure, waveforms, f"current, {request.node.name}"
    )
