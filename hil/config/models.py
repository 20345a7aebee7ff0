# SPDX-License-Identifier: Apache-2.0
"""What a rig configuration file says, validated: every quantity in SI, every unknown key refused.

The keys in the file are the field names without their unit suffix: ``supply_voltage = "3.0 V"`` is
``supply_voltage_v``. Instruments are optional tables; a rig without one skips the tests that need it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from hil import boards
from hil.boards import Board, Device
from hil.config.quantities import (
    AccelerationPerVolt,
    Current,
    Duration,
    Frequency,
    Resistance,
    Temperature,
    TemperatureDifference,
    Voltage,
)
from hil.config.tables import (
    AmmeterTable,
    DaqTable,
    InstrumentTable,
    PowerAnalyzerTable,
    SupplyTable,
    Table,
    ThermometerTable,
)
from hil.datasheet import ni_x_series
from hil.datasheet.figures import DatasheetError


def _known_board(name: str) -> str:
    if not name.endswith(".toml") and name not in boards.names():
        known = ", ".join(repr(known) for known in boards.names())
        raise PydanticCustomError("literal_error", "not known", {"expected": known})
    try:
        Board.load(name)
    except DatasheetError as error:
        raise ValueError(str(error)) from error
    return name


class DeviceConfig(Table):
    """A device on a bus or UART of the part. On a real bench the entry states what is connected there; the
    virtual bench attaches its model.
    """

    kind: str = Field(pattern=r"^[a-z0-9_\-]+$")
    """What it is, in lower case. The virtual bench has to have a model of that name."""
    name: str | None = Field(default=None, min_length=1, examples=["gearbox"])
    """What messages and the report call it; without it, its kind."""
    bus: str = Field(pattern=rf"^({'|'.join(boards.BUS_SIGNALS)})\d+$")
    """The part's peripheral."""
    pins: dict[str, str] = Field(examples=[{"scl": "PB8", "sda": "PB9", "int1": "PB5"}])
    """The part's pins by signal: those of the bus (`scl` and `sda`; `sck`, `miso`, `mosi` and `cs`; the
    part's `tx` and `rx`), and those that the device has besides."""
    address: int | None = Field(default=None, ge=0x08, le=0x77, examples=[0x6B])
    """Seven bits on I2C, for a device that is set to another than its usual one."""
    baud: int | None = Field(default=None, gt=0, examples=[9600])
    """Rate of a device on a UART, a count of symbols per second. Such a device needs it."""

    @property
    def definition(self) -> Device:
        """The device as the board's own are described."""
        return Device(self.name or self.kind, self.kind, self.bus, self.pins, self.address, self.baud)


class BoardConfig(Table):
    """``[board]``: the device under test and the conditions it is measured in."""

    name: Annotated[str, AfterValidator(_known_board)]
    """A board that hil-rig knows, or the path of a board's own .toml file, relative to the rig file."""
    mcu: str | None = None
    """The part on the board. The board's type says it already; a name that contradicts it is refused."""
    supply_voltage_v: Voltage = Field(alias="supply_voltage")
    """VDD that the power analyzer (or the board's own regulator) provides."""
    supply_current_limit_a: Current = Field(alias="supply_current_limit", gt=0)
    """Current at which the supply stops giving more."""
    ambient_temperature_c: Temperature = Field(alias="ambient_temperature", ge=-40, le=125)
    """Ambient of the part; limits are interpolated to it (range: DS10198 Rev 8, table 23)."""
    ambient_uncertainty_c: TemperatureDifference = Field(alias="ambient_uncertainty", ge=0)
    """Half width of the interval that holds the ambient temperature."""

    devices: tuple[DeviceConfig, ...] = ()
    """What is connected to buses of the part, beside what is soldered to the board: `[[board.devices]]`."""

    @property
    def definition(self) -> Board:
        """What the board is: its part, pins and limits."""
        return Board.load(self.name)

    @property
    def connected(self) -> tuple[Device, ...]:
        """All devices on buses of the part: the board's own, then those of the rig."""
        return (*self.definition.devices, *(device.definition for device in self.devices))


class ProbeConfig(Table):
    """``[probe]``: the debug probe, as pyOCD knows it."""

    uid: str = Field(min_length=1)
    """pyOCD unique id: an ST-LINK serial number, or ``remote:host:port``."""
    target: str = Field(min_length=1)
    """pyOCD target type."""
    frequency_hz: Frequency = Field(alias="frequency", gt=0)
    """SWD clock."""
    levels: Literal["own", "target"] = "own"
    """What the probe drives its lines to. An ST-LINK/V2-1 on a Nucleo drives its own 3.3 V. A stand-alone
    ST-LINK/V2 or STLINK-V3SET has level shifters that the target feeds; only their lines may stay connected
    to a part that is switched off."""


class ConsoleConfig(Table):
    """``[console]``: the serial port on which the firmware reports."""

    port: str = Field(min_length=1)
    """Device ("/dev/serial/by-id/...", "COM5") or a pyserial URL."""
    baud: int = Field(gt=0)
    """Bit rate; a count of symbols per second by definition, hence without a unit."""


class ClockConfig(Table):
    """``[clock]``: whose time the bench lives in."""

    address: str = Field(default="wall", pattern=r"^(wall|tcp://[!-~]+)$")
    """``wall``, or ``tcp://host:port`` of a bench clock."""


class AnalogWire(Table):
    """A DAQ analog output wired to a pin, and the voltages it may carry."""

    pin: str
    """The part's pin."""
    terminal: str
    """The DAQ's terminal, with the device's name before it."""
    minimum_v: Voltage = Field(alias="minimum")
    """Lowest voltage that is ever put on the wire."""
    maximum_v: Voltage = Field(alias="maximum")
    """Highest voltage that is ever put on the wire."""


class CounterWire(Table):
    """A pin wired to the default gate input of a DAQ counter."""

    pin: str
    """The part's pin."""
    terminal: str
    """The DAQ's terminal, with the device's name before it."""
    input_resistance_ohm: Resistance = Field(
        alias="input_resistance", default=ni_x_series.PULL_DOWN_OHM, gt=0, examples=["1 Mohm"]
    )
    """Of the DAQ's terminal, or of a buffer in front of it, to ground. The pin feeds it while it is high. A
    run measures what it draws; this figure counts where the rig cannot."""


class InputWire(Table):
    """A pin wired to a DAQ analog input."""

    pin: str
    """The part's pin."""
    terminal: str
    """The DAQ's terminal, with the device's name before it."""


class SupplyReadbackWire(Table):
    """The part's supply wired to a DAQ analog input, single-ended against the board's ground."""

    pin: Literal["VDD"]
    """Always the part's supply."""
    terminal: str
    """The DAQ's terminal, with the device's name before it."""


class RelayWire(Table):
    """A DAQ line that drives a relay. ``active`` is the level at which the relay does what its role says."""

    terminal: str
    """The DAQ's terminal, with the device's name before it."""
    active: Literal["high", "low"]
    """Level of the line at which the relay connects."""


class ShakerWire(Table):
    """A DAQ analog output wired to the amplifier of a shaker, which moves the board along its z axis."""

    terminal: str
    """The DAQ's terminal, with the device's name before it."""
    sensitivity_m_per_s2_per_v: AccelerationPerVolt = Field(alias="sensitivity", gt=0)
    """Acceleration for each volt, in the band of the signal. The amplifier passes no constant voltage."""
    minimum_v: Voltage = Field(alias="minimum")
    """Lowest voltage that is ever put on the wire."""
    maximum_v: Voltage = Field(alias="maximum")
    """Highest voltage that is ever put on the wire."""


class ContactWire(Table):
    """A DAQ line that works a contact at a pin: a relay's, or an open-drain driver's.

    Through 1 kohm it connects the pin with the part's own ground or supply, so that it feeds nothing into a
    part that is switched off, and is no short circuit for a pin that is an output.
    """

    pin: str
    """The part's pin."""
    terminal: str
    """The DAQ's terminal, with the device's name before it."""
    active: Literal["high", "low"]
    """Level of the line at which the contact is closed."""
    connects: Literal["low", "high"]
    """Level that the closed contact gives the pin. An open one leaves it to the pulls of board and part."""


_CONTACT = {"pin": "PB3", "terminal": "Dev1/port0/line4", "active": "high", "connects": "low"}
"""An example."""


class WiringConfig(Table):
    """``[wiring]``: one wire per role. A role without a wire is a capability that the rig lacks."""

    sensor: AnalogWire | None = None
    """The voltage that stands for the vibration sensor."""
    shaker: ShakerWire | None = None
    """What moves the accelerometer of a firmware that samples one. Without it such a firmware hears no
    machine, and the tests that need one are skipped."""
    sensor_readback: InputWire | None = None
    """What really stands at the sensor's pin, for telling a broken wire from a deaf firmware."""
    marker_inference: CounterWire | None = None
    """High while the network runs."""
    marker_active: CounterWire | None = None
    """High from the wake-up to the entry into Stop 2."""
    debug_connection: RelayWire | None = None
    """Relay with normally open contacts in the debug and console lines. The active level connects the
    lines. At rest nothing feeds current into the part: with an undriven line, without the DAQ, without us."""
    button: ContactWire | None = None
    """Beside the board's button, or where a product has one."""
    contact_1: ContactWire | None = Field(default=None, examples=[_CONTACT])
    """At any digital input of the part: a door, a float switch, an interrupt line."""
    contact_2: ContactWire | None = Field(default=None, examples=[_CONTACT])
    """As ``contact_1``."""
    supply_readback: SupplyReadbackWire | None = None
    """VDD at the board. Without it VDD is read by the analyzer, behind the analyzer's own output relay."""


class BringUpConfig(Table):
    """``[bringup]``: who is at the bench while ``hil bringup`` proves it, and how long its results count."""

    attended: bool = True
    """Whether somebody is there to look, to hold an ohmmeter and to answer."""
    hands: str | None = Field(default=None, pattern=r"^tcp://.+$")
    """``tcp://host:port`` of a program that moves wires when it is told to; without it a person does."""
    valid_for_s: Duration = Field(default=90 * 86400.0, alias="valid_for", gt=0)
    """How long results count. The default of 90 days is an assumption, a quarter of a calibration period."""


class RailConfig(Table):
    """``[rails.NAME]``: a supply beside the part's, such as a radio module's, with instruments of its own.

    It goes on after the part's supply is proven, and off before the part's supply goes off: what hangs on it
    must not feed a part that is switched off.
    """

    voltage_v: Voltage = Field(alias="voltage", gt=0, examples=["3.3 V"])
    """What the rail's supply is set to."""
    voltage_maximum_v: Voltage = Field(alias="voltage_maximum", gt=0, examples=["3.6 V"])
    """What all that hangs on the rail stands. No instrument is told to exceed it."""
    current_limit_a: Current = Field(alias="current_limit", gt=0, examples=["200 mA"])
    """Current at which the rail's supply stops giving more."""
    feeds: tuple[str, ...] = Field(default=(), examples=[["lsm6dsl"]])
    """Names of the devices of `[[board.devices]]` that hang on it."""
    power_analyzer: PowerAnalyzerTable | None = None
    """Its supply and ammeter in one instrument: `[rails.NAME.power_analyzer]`, as `[power_analyzer]`."""
    supply: SupplyTable | None = None
    """Its supply, where the ammeter is another instrument or there is none."""
    ammeter: AmmeterTable | None = None
    """Its ammeter, where the supply is another instrument or the board's own."""

    @property
    def supplied_by(self) -> SupplyTable | None:
        """The table of what supplies the rail; None where the rig does not supply it."""
        return self.power_analyzer or self.supply

    @property
    def measured_by(self) -> AmmeterTable | None:
        """The table of what measures the rail's current; None where nothing does."""
        return self.power_analyzer or self.ammeter

    @property
    def instruments(self) -> dict[str, InstrumentTable]:
        """Its tables whose driver is looked up by name, by the table's name in the rail."""
        return _present(power_analyzer=self.power_analyzer, supply=self.supply, ammeter=self.ammeter)


class RailsConfig(Table):
    """``[rails]``: one table per rail. :func:`hil.config.load_rig` gives it a field for each in the file."""

    def by_name(self) -> dict[str, RailConfig]:
        """The rails by their names, in the order of the file."""
        return dict(self)


def _present(**tables: InstrumentTable | None) -> dict[str, InstrumentTable]:
    return {name: table for name, table in tables.items() if table is not None}


class DaqsConfig(Table):
    """``[daqs]``: a table per DAQ beside ``[daq]``. :func:`hil.config.load_rig` gives it a field for each."""

    def by_name(self) -> dict[str, DaqTable]:
        """The DAQs by their names, in the order of the file."""
        return dict(self)


class ServiceConfig(Table):
    """``[service]``: a program that the bench needs, started for the run and ended with it."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """Program and arguments; ``{python}`` and ``{rig_file}`` are filled in."""
    ready_timeout_s: Duration = Field(alias="ready_timeout", default=30.0, gt=0)
    """How long it may take to print its ready line."""


class RigConfig(Table):
    """A whole rig configuration file."""

    name: str = Field(pattern=r"^[A-Za-z0-9_\-]+$")
    board: BoardConfig
    probe: ProbeConfig | None = None
    power_analyzer: PowerAnalyzerTable | None = None
    """The part's supply and ammeter in one instrument; :func:`hil.config.load_rig` reads it as the driver's
    own table."""
    supply: SupplyTable | None = None
    """The part's supply, where the ammeter is another instrument or there is none."""
    ammeter: AmmeterTable | None = None
    """The part's ammeter, where the supply is another instrument or there is none."""
    daq: DaqTable | None = None
    daqs: DaqsConfig = DaqsConfig()
    thermometer: ThermometerTable | None = None
    """What measures the temperature around the part. It goes on the record with every measurement."""
    rails: RailsConfig = RailsConfig()
    console: ConsoleConfig | None = None
    clock: ClockConfig = ClockConfig()
    wiring: WiringConfig = WiringConfig()
    bringup: BringUpConfig = BringUpConfig()
    service: ServiceConfig | None = None
    twin: dict[str, Any] | None = None
    """Settings of a virtual bench; the controller does not look inside."""
    file: Path = Field(default=Path(), exclude=True)
    """Where it was loaded from; filled in by :func:`hil.config.load_rig`."""

    @property
    def supplied_by(self) -> SupplyTable | None:
        """The table of what supplies the part; None where the rig does not supply it."""
        return self.power_analyzer or self.supply

    @property
    def measured_by(self) -> AmmeterTable | None:
        """The table of what measures the part's current; None where nothing does."""
        return self.power_analyzer or self.ammeter

    @property
    def instruments(self) -> dict[str, InstrumentTable]:
        """The tables whose driver is looked up by name, by the table's name: "daq", "daqs.signal",
        "rails.radio.supply".
        """
        own = _present(
            power_analyzer=self.power_analyzer,
            supply=self.supply,
            ammeter=self.ammeter,
            **self.daq_tables,
            thermometer=self.thermometer,
        )
        rails = {
            f"rails.{rail}.{name}": table
            for rail, config in self.rails.by_name().items()
            for name, table in config.instruments.items()
        }
        return own | rails

    @property
    def daq_tables(self) -> dict[str, DaqTable]:
        """The tables of all DAQs, by the tables' names: "daq", "daqs.signal"."""
        first = {} if self.daq is None else {"daq": self.daq}
        return first | {f"daqs.{name}": table for name, table in self.daqs.by_name().items()}

    def daq_at(self, terminal: str) -> DaqTable | None:
        """The table of the DAQ whose terminal it is; None where no DAQ of the rig has it."""
        device = terminal.partition("/")[0]
        return next((table for table in self.daq_tables.values() if table.device == device), None)

    @property
    def timed_by(self) -> DaqTable | None:
        """The table of the DAQ whose counters time the markers; without markers that of ``[daq]``."""
        markers = (self.wiring.marker_inference, self.wiring.marker_active)
        return next((self.daq_at(wire.terminal) for wire in markers if wire is not None), self.daq)

    @property
    def contacts(self) -> dict[str, ContactWire]:
        """The wiring's contacts by their roles."""
        wires = {role: getattr(self.wiring, role) for role in type(self.wiring).model_fields}
        return {role: wire for role, wire in wires.items() if isinstance(wire, ContactWire)}
