# SPDX-License-Identifier: Apache-2.0
"""Instruments whose acts on the board go through the record of switching, which may refuse them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hil.config.models import ContactWire, RelayWire
from hil.errors import InstrumentError, ProtocolError
from hil.instruments.counter_ranges import LONGEST_INTERVAL_S
from hil.instruments.protocols import (
    Ammeter,
    ArmedCapture,
    CounterMeasurement,
    Daq,
    Identity,
    Parts,
    Progress,
    Supply,
    SupplyCondition,
)
from hil.measurement.accuracy import RangeAccuracy, of_mean
from hil.measurement.budget import Budget, scatter_of_mean
from hil.measurement.capabilities import Capabilities
from hil.measurement.waveform import Waveform
from hil.rig.switching import Act, SupplyRecord, SwitchingRecord


class GuardedDaq:
    """A DAQ that drives no pin and closes no line of a part without supply."""

    def __init__(
        self,
        daq: Daq,
        record: SwitchingRecord,
        device: str,
        relay: RelayWire | None = None,
        contacts: Mapping[str, ContactWire] | None = None,
    ) -> None:
        """Outputs go to 0 V, the lines and all contacts open at once, as an earlier user may have left them.

        Args:
            daq: the driver.
            record: asked before every act.
            device: the device's name, with which its terminals begin.
            relay: the relay in the debug and console lines, if the device drives it.
            contacts: those at the part's pins that it drives, by their lines.
        """
        self._daq, self._record, self._device, self._relay = daq, record, device, relay
        self._contacts = contacts or {}
        self._closed = set(self._contacts)
        self.stop()
        if relay is not None:
            self.write_line(relay.terminal, relay.active == "low")

    def identity(self) -> Identity:
        """The device's identity."""
        return self._daq.identity()

    def play(self, terminal: str, samples_v: NDArray[np.float64], rate_hz: float, *, repeat: bool) -> None:
        """Put out a waveform. Raises SafetyError beyond the wire's limits, or without a proven supply."""
        self._record.note(Act.OUTPUT_DRIVEN, terminal)
        self._daq.play(terminal, samples_v, rate_hz, repeat=repeat)

    def set_voltage(self, terminal: str, voltage_v: float) -> None:
        """Put out a voltage. Raises SafetyError beyond the wire's limits, or without a proven supply."""
        self._record.note(Act.OUTPUT_DRIVEN, f"{terminal} {voltage_v:g} V")
        self._daq.set_voltage(terminal, voltage_v)

    def acquire(self, terminals: Sequence[str], rate_hz: float, count: int) -> NDArray[np.float64]:
        """Read ``count`` samples of each analog input."""
        return self._daq.acquire(terminals, rate_hz, count)

    def write_line(self, line: str, level: bool) -> None:
        """Drive a digital line. Raises SafetyError where it is not wired, or the relay must not close."""
        if self._relay is not None and line == self._relay.terminal:
            closes = level == (self._relay.active == "high")
            self._record.note(Act.LINES_CLOSED if closes else Act.LINES_OPEN, line)
        if line in self._contacts:
            closes = level == (self._contacts[line].active == "high")
            (self._closed.add if closes else self._closed.discard)(line)
        self._daq.write_line(line, level)

    def read_line(self, line: str) -> bool:
        """Read a digital line."""
        return self._daq.read_line(line)

    def read_gates(self, counter: str) -> Mapping[str, bool]:
        """The level at every programmable input of the device that has the counter."""
        return self._daq.read_gates(counter)

    def gate_of(self, counter: str) -> str:
        """The programmable input of a counter."""
        return self._daq.gate_of(counter)

    def round_trip(self) -> None:
        """One exchange that changes nothing."""
        self._daq.round_trip()

    def pulse_widths(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` high pulses on its gate."""
        return self._daq.pulse_widths(counter, count, longest_s)

    def pulse_periods(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` periods between rising edges on its gate."""
        return self._daq.pulse_periods(counter, count, longest_s)

    def edge_separation(
        self, counter: str, first: str, second: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` times from an edge at ``first`` to the next one at ``second``."""
        return self._daq.edge_separation(counter, first, second, count, longest_s)

    def stop(self) -> None:
        """Stop every output, put all wired analog outputs to 0 V, and open every contact."""
        self._record.note(Act.OUTPUTS_AT_REST, self._device)
        try:
            self._daq.stop()
        finally:
            for line in sorted(self._closed):
                self.write_line(line, self._contacts[line].active == "low")

    def close(self) -> None:
        """Stop the outputs and release the device."""
        self._record.note(Act.OUTPUTS_AT_REST, self._device)
        self._daq.close()


_REVERSED = 3.0
"""A mean current that is more expanded uncertainties than this below zero is no current of a part that is
supplied. Three leave room for what the uncertainty does not hold, such as charge that flows back."""


@dataclass(frozen=True)
class _GuardedCapture:
    """An armed capture whose errors are on record."""

    take: Callable[[], Waveform]


class GuardedSupply:
    """A supply whose switching is on record; after its errors nothing is known of VDD."""

    def __init__(self, supply: Supply, record: SupplyRecord) -> None:
        """Nothing is switched.

        Args:
            supply: the driver.
            record: told of every act and of every error.
        """
        self._supply, self._record = supply, record

    @property
    def capabilities(self) -> Capabilities:
        """What the instrument can do."""
        return self._supply.capabilities

    def identity(self) -> Identity:
        """The instrument's identity."""
        return self._supply.identity()

    def condition(self) -> SupplyCondition:
        """How the instrument stands."""
        return self._supply.condition()

    def round_trip(self) -> None:
        """One exchange that changes nothing."""
        self._supply.round_trip()

    def supply_on(self, voltage_v: float, current_limit_a: float) -> None:
        """Supply the board, limits and protection first. Raises SafetyError beyond the board's limits."""
        self._record.note_supply_on(voltage_v)
        self._supply.supply_on(voltage_v, current_limit_a)

    def supply_off(self) -> None:
        """Switch the supply off."""
        self._record.note(Act.SUPPLY_OFF)
        self._supply.supply_off()

    def measure_voltage_v(self) -> float:
        """Voltage at the output terminals."""
        with _vdd_lost_on_error(self._record):
            return self._supply.measure_voltage_v()

    def close(self) -> None:
        """Switch the supply off and release the instrument."""
        self._record.note(Act.SUPPLY_OFF)
        self._supply.close()


class GuardedAmmeter:
    """An ammeter that lies in a supply: after its errors nothing is known of the supply's voltage."""

    def __init__(
        self,
        ammeter: Ammeter,
        record: SupplyRecord,
        ranges: Sequence[RangeAccuracy],
        *,
        role: str = "power_analyzer",
        leads: str = "",
    ) -> None:
        """Nothing is measured.

        Args:
            ammeter: the driver.
            record: told of every error.
            ranges: the ammeter's accuracy, for telling a current that flows the wrong way.
            role: what messages call it.
            leads: where its leads belong, for the message on such a current.
        """
        self._ammeter, self._record, self._ranges = ammeter, record, ranges
        self._role, self._leads = role, leads

    @property
    def capabilities(self) -> Capabilities:
        """What the instrument can do."""
        return self._ammeter.capabilities

    def identity(self) -> Identity:
        """The instrument's identity."""
        return self._ammeter.identity()

    def round_trip(self) -> None:
        """One exchange that changes nothing."""
        self._ammeter.round_trip()

    def measure_current_a(self) -> float:
        """Mean current over 100 ms."""
        with _vdd_lost_on_error(self._record):
            current_a = self._ammeter.measure_current_a()
        self._refuse_reversed(np.array([current_a]))
        return current_a

    def capture(self, duration_s: float, period_s: float) -> Waveform:
        """A short, fast current waveform from now on."""
        return self.arm_capture(duration_s, period_s).take()

    def arm_capture(self, duration_s: float, period_s: float) -> ArmedCapture:
        """Prepare a capture, so that taking it begins without further delay."""
        with _vdd_lost_on_error(self._record):
            armed = self._ammeter.arm_capture(duration_s, period_s)
        return _GuardedCapture(lambda: self._taken(armed))

    def _taken(self, armed: ArmedCapture) -> Waveform:
        with _vdd_lost_on_error(self._record):
            waveform = armed.take()
        self._refuse_reversed(waveform.current_a)
        return waveform

    def log(
        self,
        duration_s: float,
        period_s: float,
        progress: Progress | None = None,
        *,
        range_a: float | None = None,
        parts: Parts | None = None,
    ) -> Waveform:
        """A long current waveform from now on, without gaps."""
        with _vdd_lost_on_error(self._record):
            waveform = self._ammeter.log(duration_s, period_s, progress, range_a=range_a, parts=parts)
        self._refuse_reversed(waveform.current_a)
        return waveform

    def close(self) -> None:
        """Release the instrument."""
        self._ammeter.close()

    def _refuse_reversed(self, samples_a: NDArray[np.float64]) -> None:
        """Raise ProtocolError where the part seems to feed its supply: a mean below minus three times U."""
        mean_a = float(samples_a.mean())
        if mean_a >= 0:
            return
        noise = [scatter_of_mean("noise", samples_a, "A")] if samples_a.size > 1 else []
        uncertainty_a = Budget.of(of_mean(samples_a, self._ranges), *noise).expanded_uncertainty
        if mean_a < -_REVERSED * uncertainty_a:
            raise ProtocolError(
                f"the mean current is {mean_a:.4g} A: a reversed ammeter, or another source feeds the part",
                where=self._role,
                operation="measure",
                expected=f"at least {-_REVERSED * uncertainty_a:.4g} A",
                hint=self._leads,
            )


class GuardedAnalyzer(GuardedSupply, GuardedAmmeter):
    """Supply and ammeter of the part or of a rail, one instrument or two."""

    def __init__(
        self,
        supply: Supply,
        ammeter: Ammeter,
        record: SupplyRecord,
        ranges: Sequence[RangeAccuracy],
        *,
        role: str = "power_analyzer",
        leads: str = "",
    ) -> None:
        """Nothing is switched and nothing measured.

        Args:
            supply: the supply's driver.
            ammeter: the ammeter's; the same object where one instrument is both.
            record: told of every act and of every error.
            ranges: the ammeter's accuracy, for telling a current that flows the wrong way.
            role: what messages call it.
            leads: where the ammeter's leads belong.
        """
        GuardedSupply.__init__(self, supply, record)
        GuardedAmmeter.__init__(self, ammeter, record, ranges, role=role, leads=leads)
        both: tuple[object, object] = (supply, ammeter)
        self._one = both[0] is both[1]

    @property
    def capabilities(self) -> Capabilities:
        """What the instruments can do together."""
        source, meter = self._supply.capabilities, self._ammeter.capabilities
        return replace(
            meter, can_source=source.can_source, source_v=source.source_v, reads_voltage=source.reads_voltage
        )

    def identity(self) -> Identity:
        """The supply's identity, and the ammeter's where that is another instrument."""
        supply = self._supply.identity()
        if self._one:
            return supply
        ammeter = self._ammeter.identity()
        return Identity(
            *(f"{one} and {other}" for one, other in zip(astuple(supply), astuple(ammeter), strict=True))
        )

    def round_trip(self) -> None:
        """One exchange with each instrument that changes nothing."""
        self._supply.round_trip()
        if not self._one:
            self._ammeter.round_trip()

    def close(self) -> None:
        """Switch the supply off and release the instruments."""
        try:
            GuardedSupply.close(self)
        finally:
            if not self._one:
                self._ammeter.close()


@contextmanager
def _vdd_lost_on_error(record: SupplyRecord) -> Generator[None]:
    # A protection may have tripped, or the instrument may be gone.
    try:
        yield
    except InstrumentError as error:
        record.note(Act.VDD_LOST, str(error))
        raise
