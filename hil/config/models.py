# SPDX-License-Identifier: Apache-2.0
"""What a rig configuration file says, validated: every quantity in SI, every unknown key refused.

The keys in the file are the field names without their unit suffix: ``supply_voltage = "3.0 V"`` is
``supply_voltage_v``. Instruments are optional tables; a rig without one skips the tests that need it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hil.config.boards import BOARDS, BoardDefinition
from hil.config.quantities import (
    Current,
    Duration,
    Frequency,
    Ratio,
    Resistance,
    Temperature,
    TemperatureDifference,
    Voltage,
)
from hil.datasheet import ni_x_series


class _Table(BaseModel):
    """A table of the file: keys are closed, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BoardConfig(_Table):
    """``[board]``: the device under test and the conditions it is measured in."""

    name: Literal["nucleo_l476rg"]
    mcu: str | None = None
    """The part on the board. The board's type says it already; a name that contradicts it is refused."""
    supply_voltage_v: Voltage = Field(alias="supply_voltage")
    """VDD that the power analyzer (or the board's own regulator) provides."""
    supply_current_limit_a: Current = Field(alias="supply_current_limit", gt=0)
    ambient_temperature_c: Temperature = Field(alias="ambient_temperature", ge=-40, le=125)
    """Ambient of the part; limits are interpolated to it (range: DS10198 Rev 8, table 23)."""
    ambient_uncertainty_c: TemperatureDifference = Field(alias="ambient_uncertainty", ge=0)
    """Half width of the interval that holds the ambient temperature."""

    @property
    def definition(self) -> BoardDefinition:
        """The board type's pins and limits."""
        return BOARDS[self.name]


class ProbeConfig(_Table):
    """``[probe]``: the debug probe, as pyOCD knows it."""

    uid: str = Field(min_length=1)
    """pyOCD unique id: an ST-LINK serial number, or ``remote:host:port``."""
    target: str = Field(min_length=1)
    """pyOCD target type."""
    frequency_hz: Frequency = Field(alias="frequency", gt=0)
    """SWD clock."""


class CurrentRange(_Table):
    """Accuracy of one current measurement range: ``gain`` of the reading plus ``offset_a``."""

    range_a: Current = Field(alias="range", gt=0)
    gain: Ratio = Field(ge=0)
    offset_a: Current = Field(alias="offset", ge=0)
    source: str = Field(min_length=1)


class VoltageAccuracy(_Table):
    """Accuracy of a voltage: ``gain`` of the value plus ``offset_v``."""

    gain: Ratio = Field(ge=0)
    offset_v: Voltage = Field(alias="offset", ge=0)
    source: str = Field(min_length=1)


class PowerAnalyzerConfig(_Table):
    """``[power_analyzer]``: supplies the board and measures its current."""

    driver: Literal["n6705c"]
    resource: str = Field(min_length=1)
    """VISA resource name."""
    channel: int = Field(ge=1, le=4)
    """Slot of the N6781A; an N6705C has four."""
    serial: str | None = None
    """Serial number that must answer at the address; not checked when absent."""
    calibration_date: date | None = None
    """Date of the last calibration, for the record of the run."""
    ranges: tuple[CurrentRange, ...] = Field(min_length=1)
    """Current ranges, in the order of the file."""
    output_watchdog_s: Duration | None = Field(default=None, alias="output_watchdog", ge=1, le=3600)
    """How long the instrument keeps its outputs on without a message, so that a controller that was killed
    leaves nothing supplied; longer than the longest pause between messages. Without it, for ever."""
    smallest_seamless_range_a: Current | None = Field(default=None, alias="smallest_seamless_range", gt=0)
    """A result of bring-up: the smallest range that was seen to take part in seamless ranging, with a
    resistor whose current it alone resolves. Absent: none below the second smallest is relied on."""
    sense: Literal["local", "remote"] = "local"
    """``remote`` where the sense leads are wired to the board; they are of no use before that is said."""
    shared_mainframe: bool = False
    """Other channels are somebody else's and may be on. Without it one that is on is refused."""
    voltage: VoltageAccuracy
    """Accuracy of the voltage measurement."""


class DaqConfig(_Table):
    """``[daq]``: plays the sensor's signal, times the markers, moves relays."""

    driver: Literal["nidaqmx"]
    device: str = Field(pattern=r"^[A-Za-z0-9_\-]+$")
    """Device name in NI MAX, "Dev1"."""
    grpc: str | None = None
    """``host:port`` of an NI gRPC Device Server; without it the NI-DAQmx driver of this machine is used."""
    serial: str | None = Field(default=None, pattern=r"^(0x)?[0-9A-Fa-f]{1,8}$")
    """Serial number in hexadecimal that must answer under the device name; not checked when absent."""
    calibration_date: date | None = None
    analog_output: VoltageAccuracy
    timebase_accuracy: Ratio = Field(gt=0)
    """Accuracy of the counters' timebase."""
    timebase_source: str = Field(min_length=1)


class ConsoleConfig(_Table):
    """``[console]``: the serial port on which the firmware reports."""

    port: str = Field(min_length=1)
    """Device ("/dev/serial/by-id/...", "COM5") or a pyserial URL."""
    baud: int = Field(gt=0)
    """Bit rate; a count of symbols per second by definition, hence without a unit."""


class ClockConfig(_Table):
    """``[clock]``: whose time the bench lives in."""

    address: str = Field(default="wall", pattern=r"^(wall|tcp://.+)$")
    """``wall``, or ``tcp://host:port`` of a bench clock."""


class AnalogWire(_Table):
    """A DAQ analog output wired to a pin, and the voltages it may carry."""

    pin: str
    terminal: str
    minimum_v: Voltage = Field(alias="minimum")
    maximum_v: Voltage = Field(alias="maximum")


class CounterWire(_Table):
    """A pin wired to the default gate input of a DAQ counter."""

    pin: str
    terminal: str
    input_resistance_ohm: Resistance = Field(
        alias="input_resistance", default=ni_x_series.PULL_DOWN_OHM, gt=0
    )
    """Of the DAQ's terminal, or of a buffer in front of it, to ground. The pin feeds it while it is high. A
    run measures what it draws; this figure counts where the rig cannot."""


class InputWire(_Table):
    """A pin wired to a DAQ analog input."""

    pin: str
    terminal: str


class SupplyReadbackWire(_Table):
    """The part's supply wired to a DAQ analog input, single-ended against the board's ground."""

    pin: Literal["VDD"]
    terminal: str


class RelayWire(_Table):
    """A DAQ line that drives a relay. ``active`` is the level at which the relay does what its role says."""

    terminal: str
    active: Literal["high", "low"]


class WiringConfig(_Table):
    """``[wiring]``: one wire per role. A role without a wire is a capability that the rig lacks."""

    sensor: AnalogWire | None = None
    """The voltage that stands for the vibration sensor."""
    sensor_readback: InputWire | None = None
    """What really stands at the sensor's pin, for telling a broken wire from a deaf firmware."""
    marker_inference: CounterWire | None = None
    """High while the network runs."""
    marker_active: CounterWire | None = None
    """High from the wake-up to the entry into Stop 2."""
    debug_connection: RelayWire | None = None
    """Relay with normally open contacts in SWDIO, SWCLK, NRST, PA2 and PA3. The active level connects the
    lines. At rest nothing feeds current into the part: with an undriven line, without the DAQ, without us."""
    supply_readback: SupplyReadbackWire | None = None
    """VDD at the board. Without it VDD is read by the analyzer, behind the analyzer's own output relay."""


class BringUpConfig(_Table):
    """``[bringup]``: who is at the bench while ``hil bringup`` proves it, and how long its results count."""

    attended: bool = True
    """Whether somebody is there to look, to hold an ohmmeter and to answer."""
    hands: str | None = Field(default=None, pattern=r"^tcp://.+$")
    """``tcp://host:port`` of a program that moves wires when it is told to; without it a person does."""
    valid_for_s: Duration = Field(default=90 * 86400.0, alias="valid_for", gt=0)
    """How long results count. The default of 90 days is an assumption, a quarter of a calibration period."""


class ServiceConfig(_Table):
    """``[service]``: a program that the bench needs, started for the run and ended with it."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """Program and arguments; ``{python}`` and ``{rig_file}`` are filled in."""
    ready_timeout_s: Duration = Field(alias="ready_timeout", default=30.0, gt=0)
    """How long it may take to print its ready line."""


class RigConfig(_Table):
    """A whole rig configuration file."""

    name: str = Field(pattern=r"^[A-Za-z0-9_\-]+$")
    board: BoardConfig
    probe: ProbeConfig | None = None
    power_analyzer: PowerAnalyzerConfig | None = None
    daq: DaqConfig | None = None
    console: ConsoleConfig | None = None
    clock: ClockConfig = ClockConfig()
    wiring: WiringConfig = WiringConfig()
    bringup: BringUpConfig = BringUpConfig()
    service: ServiceConfig | None = None
    twin: dict[str, Any] | None = None
    """Settings of a virtual bench; the controller does not look inside."""
    file: Path = Field(default=Path(), exclude=True)
    """Where it was loaded from; filled in by :func:`hil.config.load_rig`."""
