# SPDX-License-Identifier: Apache-2.0
"""What the tables of a rig file have in common, and what each kind of instrument's table must say.

A driver brings a table of its own, derived from the one of its kind. It adds the keys that only this
instrument has, such as where it is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hil.config.quantities import Current, Ratio, TemperatureDifference, Voltage


class Table(BaseModel):
    """A table of the file: keys are closed, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CurrentRange(Table):
    """Accuracy of one current measurement range: ``gain`` of the reading plus ``offset_a``."""

    range_a: Current = Field(alias="range", gt=0)
    """Full scale."""
    gain: Ratio = Field(ge=0)
    """Bound of the error that grows with the reading."""
    offset_a: Current = Field(alias="offset", ge=0)
    """Bound of the error that every reading has."""
    source: str = Field(min_length=1)
    """Document that says so; a text that begins with "assumption" stands in every report."""


class VoltageAccuracy(Table):
    """Accuracy of a voltage: ``gain`` of the value plus ``offset_v``."""

    gain: Ratio = Field(ge=0)
    """Bound of the error that grows with the value."""
    offset_v: Voltage = Field(alias="offset", ge=0)
    """Bound of the error that every value has."""
    source: str = Field(min_length=1)
    """Document that says so."""


@dataclass(frozen=True)
class Contradiction:
    """One statement of the file that another one, or the board, contradicts."""

    path: tuple[str | int, ...]
    """Keys and indices to the statement, as in the file."""
    message: str
    expected: str


class InstrumentTable(Table):
    """What every instrument's table says."""

    addresses: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where the instrument is found: they may change without another bench, and may hold a
    ``{service.NAME}``."""

    driver: str = Field(min_length=1)
    """The name under which a driver is registered."""
    calibration_date: date | None = Field(default=None, examples=[date(2026, 1, 31)])
    """Date of the last calibration, for the record of the run."""
    calibration_due: date | None = Field(default=None, examples=[date(2027, 1, 31)])
    """Last day on which the calibration holds. After it, every uncertainty that the instrument's accuracy is
    part of says so, and so does the run."""

    def claims(self) -> dict[str, str]:
        """What no other run may use at the same time: a name for messages, and the key of its lock."""
        return {}

    @property
    def outlet(self) -> str:
        """Which part of the instrument the table uses, "channel 1"; empty where it uses all of it."""
        return ""

    @property
    def leaves_the_rest(self) -> bool:
        """Whether other tables may use the rest of the instrument."""
        return False

    def check_machine(self, file: Path) -> None:
        """Refuse a machine on which nothing can reach the instrument.

        Raises:
            ConfigError: there is no driver for it.
        """

    def contradictions(self) -> Iterator[Contradiction]:
        """What of the table contradicts itself; paths are relative to the table."""
        yield from ()


class SupplyTable(InstrumentTable):
    """``[supply]``: supplies the board."""

    voltage: VoltageAccuracy
    """Accuracy of the voltage measurement."""

    @property
    def watchdog_s(self) -> float | None:
        """How long the outputs stay on without a message, in seconds, if the file sets that."""
        return None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a bring-up tells beside the instrument's identity."""
        return ()


class AmmeterTable(InstrumentTable):
    """``[ammeter]``: measures the board's current."""

    ranges: tuple[CurrentRange, ...] = Field(min_length=1)
    """Current ranges, in the order of the file."""
    smallest_seamless_range_a: Current | None = Field(
        default=None, alias="smallest_seamless_range", gt=0, examples=["10 uA"]
    )
    """A result of bring-up: the smallest range that was seen to take part in seamless ranging, with a
    resistor whose current it alone resolves. Absent: none below the second smallest is relied on."""


class PowerAnalyzerTable(SupplyTable, AmmeterTable):
    """``[power_analyzer]``: supplies the board and measures its current."""


class DaqTable(InstrumentTable):
    """``[daq]``: plays the sensor's signal, times the markers, moves relays."""

    device: str = Field(pattern=r"^[A-Za-z0-9_\-]+$")
    """The device's name, with which the terminals of ``[wiring]`` begin."""
    analog_output: VoltageAccuracy
    """Accuracy of the analog outputs."""
    timebase_accuracy: Ratio = Field(gt=0)
    """Accuracy of the counters' timebase."""
    timebase_source: str = Field(min_length=1)
    """Document that says so."""


class ThermometerTable(InstrumentTable):
    """``[thermometer]``: measures the temperature around the part."""

    accuracy_c: TemperatureDifference = Field(alias="accuracy", gt=0, examples=["0.1 K"])
    """Bound of its error. A sleep current changes by some percent per kelvin, so that a trend of one wants
    0.05 K."""
    source: str = Field(min_length=1, examples=["TMP117 data sheet, 0.1 K from -20 °C to 50 °C"])
    """Document that says so."""
