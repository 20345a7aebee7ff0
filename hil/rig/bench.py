# SPDX-License-Identifier: Apache-2.0
"""The instruments of a rig, each opened at its first use.

Drivers are imported there too: pyOCD, nidaqmx and PyVISA take a second and a half together, and a rig
without a DAQ needs no nidaqmx.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, TypeVar

from hil.config import RigConfig, drivers
from hil.config.drivers import Surroundings
from hil.config.tables import DaqTable, InstrumentTable
from hil.errors import HilError, InstrumentError, RigError
from hil.instruments.clock import open_clock
from hil.instruments.exchange import observed
from hil.instruments.protocols import (
    Ammeter,
    Board,
    Clock,
    Console,
    Daq,
    Identity,
    PowerAnalyzer,
    Supply,
    Thermometer,
)
from hil.rig.current_path import Tables, open_path
from hil.rig.daqs import Daqs, RigDaq
from hil.rig.guarded import GuardedDaq
from hil.rig.rails import Rail
from hil.rig.switching import Act, Switching, SwitchingRecord

T = TypeVar("T")

_TABLES = {
    "board": "probe",
    "daq": "daq",
    "power_analyzer": "power_analyzer",
    "console": "console",
    "thermometer": "thermometer",
}
"""The configuration's table behind each instrument."""

_RELAY_SETTLING_S = 0.02
"""Bench time from moving the relay to quiet lines. An assumption: a reed or signal relay bounces for a few
milliseconds at most."""

_CLOCK_ON_THE_WAY_DOWN_S = 0.5
"""Wall time that the bench's clock gets there to answer; a sound one takes milliseconds (assumption)."""

_VDD_RATE_HZ, _VDD_SAMPLES = 10_000.0, 1000
"""One reading of VDD by the DAQ: 100 ms, whole periods of both 50 Hz and 60 Hz mains."""


class Bench:
    """What stands on the bench, from a configuration whose addresses are all known."""

    def __init__(
        self, config: RigConfig, on_switching: Callable[[Switching], None] = lambda entry: None
    ) -> None:
        """Nothing is opened yet.

        Args:
            config: every address is known.
            on_switching: told every act on the board's supply, lines and driven pins.
        """
        self.config = config
        self._goes_down = False
        self._clock_is_late = False
        supplies = config.supplied_by is not None
        self.switching = SwitchingRecord(
            config.board.definition.supply_minimum_v if supplies else None, self._time_s, on_switching
        )

    def has(self, name: str) -> bool:
        """Whether the rig has that instrument, or that role in its wiring.

        Raises:
            RigError: there is no such instrument or role at all.
        """
        if name == "supply":
            return self.config.supplied_by is not None
        if name == "ammeter":
            return self.config.measured_by is not None
        if name == "power_analyzer":
            return self.has("supply") and self.has("ammeter")
        if name.startswith("rails."):
            return name.removeprefix("rails.") in self.rails
        if name.startswith("daqs."):
            return name in self.daqs
        if name in _TABLES:
            return getattr(self.config, _TABLES[name]) is not None
        if name in type(self.config.wiring).model_fields:
            return getattr(self.config.wiring, name) is not None
        known = (*_TABLES, "supply", "ammeter", *type(self.config.wiring).model_fields)
        raise RigError(f"no instrument or wire is called {name!r}", expected=f"one of {', '.join(known)}")

    @cached_property
    def daqs(self) -> dict[str, RigDaq]:
        """The DAQs by their tables' names: "daq", "daqs.signal"."""
        return {
            role: RigDaq(role, table.device, partial(self._open_daq, role, table))
            for role, table in self.config.daq_tables.items()
        }

    def opened(self, name: str) -> bool:
        """Whether the instrument has been used, and so has something to be put away."""
        return name in self.__dict__

    @cached_property
    def clock(self) -> Clock:
        """The bench's time."""
        return open_clock(self.config.clock.address)

    @cached_property
    def board(self) -> Board:
        """The device under test behind its debug probe; connecting is up to its user."""
        probe = self.config.probe
        if probe is None:
            raise self._missing("board")
        from hil.instruments.pyocd_board import PyocdBoard

        board: Board = observed("board", PyocdBoard(probe.uid, probe.target, probe.frequency_hz))
        return board

    @property
    def daq(self) -> Daq:
        """The DAQs as one, limited to what is wired. Opening one puts what it drives at rest."""
        if not self.daqs:
            raise self._missing("daq")
        return Daqs([*self.daqs.values()])

    def _open_daq(self, role: str, table: DaqTable) -> Daq:
        relay = self.config.wiring.debug_connection
        if relay is not None and not _is_of(table, relay.terminal):
            relay = None
        contacts = {
            contact.terminal: contact
            for contact in self.config.contacts.values()
            if _is_of(table, contact.terminal)
        }
        guarded = GuardedDaq(self._opened(role, table), self.switching, table.device, relay, contacts)
        if relay is not None:
            self._let_contacts_settle()
        return guarded

    @property
    def supply(self) -> Supply:
        """What supplies the part, limited to the board's supply range."""
        if not self.has("supply"):
            raise self._missing("supply")
        return self.power_analyzer

    @property
    def ammeter(self) -> Ammeter:
        """What measures the part's current."""
        if not self.has("ammeter"):
            raise self._missing("ammeter")
        return self.power_analyzer

    @cached_property
    def power_analyzer(self) -> PowerAnalyzer:
        """The supply and ammeter, one instrument or two, limited to the board's supply range. On a rig that
        has only one of them, only what that one can do.

        The DAQ and the rails are opened before it: no switching of the supply may meet lines, outputs or
        rails that a killed run has left closed, driven or on.
        """
        self._put_at_rest()
        return self._open_power_analyzer()

    @cached_property
    def rails(self) -> dict[str, Rail]:
        """The rails beside the part's supply, by their names."""
        return {
            name: Rail(name, config, self.switching, self._opened, lambda: self.clock, self._daq_at_rest)
            for name, config in self.config.rails.by_name().items()
        }

    def rails_on(self) -> None:
        """Switch every rail on that is not."""
        for rail in self.rails.values():
            if rail.has_supply and not rail.is_on:
                rail.on()

    def rails_off(self) -> None:
        """Switch every rail off that is not proven to be."""
        for rail in self.rails.values():
            if rail.has_supply and rail.is_on is not False:
                rail.off()

    def _daq_at_rest(self) -> None:
        """Open the DAQs, which puts what they drive at rest."""
        for one in self.daqs.values():
            _ = one.daq

    def _put_at_rest(self) -> None:
        """Open what may feed the part, which puts it at rest or switches it off."""
        self._daq_at_rest()
        for rail in self.rails.values():
            if rail.has_supply:
                _ = rail.power_analyzer

    def switch_supply_off(self) -> None:
        """Switch the supply off, opened or not, whether the DAQ answers or not."""
        if not self.opened("power_analyzer"):
            self.__dict__["power_analyzer"] = self._open_power_analyzer()
        self.power_analyzer.supply_off()

    def _open_power_analyzer(self) -> PowerAnalyzer:
        config = self.config
        if config.supplied_by is None and config.measured_by is None:
            raise self._missing("power_analyzer")
        if config.supplied_by is not None:
            self.switching.note(Act.SUPPLY_OFF, "at the start")
        jumper = config.board.definition.supply_jumper
        return open_path(
            Tables(config.power_analyzer, config.supply, config.ammeter),
            self._opened,
            self.switching,
            leads=f"the analyzer's + goes to the MCU's side of {jumper}, its - to GND; is every line open?",
        )

    def _opened(self, role: str, table: InstrumentTable) -> Any:
        return observed(role, drivers.find(table.driver).open(table, self._surroundings(role)))

    def _surroundings(self, role: str) -> Surroundings:
        definition, wiring = self.config.board.definition, self.config.wiring
        table = self.config.daq_tables.get(role)
        driven = [wire for wire in (wiring.sensor, wiring.shaker) if wire is not None]
        lines = [
            wire for wire in (wiring.debug_connection, *self.config.contacts.values()) if wire is not None
        ]
        of_rail = re.fullmatch(r"rails\.(\w+)\.\w+", role)
        rail = None if of_rail is None else self.config.rails.by_name()[of_rail[1]]
        return Surroundings(
            role=role,
            clock=self.clock if table is None else None,
            voltage_maximum_v=definition.supply_maximum_v if rail is None else rail.voltage_maximum_v,
            current_maximum_a=definition.supply_current_maximum_a if rail is None else rail.current_limit_a,
            limits_v={
                wire.terminal: (wire.minimum_v, wire.maximum_v)
                for wire in driven
                if table is not None and _is_of(table, wire.terminal)
            },
            lines=tuple(
                wire.terminal for wire in lines if table is not None and _is_of(table, wire.terminal)
            ),
        )

    @cached_property
    def console(self) -> Console:
        """The firmware's console."""
        config = self.config.console
        if config is None:
            raise self._missing("console")
        from hil.instruments.serial_console import SerialConsole

        return SerialConsole(config.port, config.baud, self.clock)

    @cached_property
    def thermometer(self) -> Thermometer:
        """What measures the temperature around the part."""
        if self.config.thermometer is None:
            raise self._missing("thermometer")
        thermometer: Thermometer = self._opened("thermometer", self.config.thermometer)
        return thermometer

    @property
    def has_lines(self) -> bool:
        """Whether a relay opens and closes the debug and console lines."""
        return self.config.wiring.debug_connection is not None

    @property
    def lines_device(self) -> str | None:
        """The DAQ that drives the relay in the debug and console lines, by its device's name."""
        relay = self.config.wiring.debug_connection
        return None if relay is None else relay.terminal.partition("/")[0]

    def read_vdd_v(self) -> float:
        """VDD at the board in volts: by the DAQ where that is wired, else by the analyzer."""
        wire = self.config.wiring.supply_readback
        if wire is None:
            voltage_v = self.supply.measure_voltage_v()
        else:
            voltage_v = float(self.daq.acquire([wire.terminal], _VDD_RATE_HZ, _VDD_SAMPLES).mean())
        self.switching.note_vdd(voltage_v)
        return voltage_v

    def open_lines(self) -> None:
        """Open the debug and console lines, if the rig has a relay in them."""
        self._move_relay(connected=False)

    def close_lines(self) -> None:
        """Close the debug and console lines, if the rig has a relay in them.

        Raises:
            SafetyError: the part is not proven to be supplied.
        """
        self._move_relay(connected=True)

    def _move_relay(self, *, connected: bool) -> None:
        relay = self.config.wiring.debug_connection
        if relay is None:
            return
        known = self.switching.lines_open
        level = connected == (relay.active == "high")
        self.daq.write_line(relay.terminal, level)
        if self.daq.read_line(relay.terminal) is not level:
            driven, found = ("high", "low") if level else ("low", "high")
            raise InstrumentError(
                f"{relay.terminal} is {found} after it was driven {driven}",
                where="daq",
                operation=f"{'close' if connected else 'open'} the debug and console lines",
                hint="see what else drives or shorts the relay's line",
            )
        if known is None or known == connected:  # the contacts move
            self._let_contacts_settle()

    def go_down(self) -> None:
        """Say that the way down has begun: nothing waits for the bench's clock any more."""
        self._goes_down = True

    def _time_s(self) -> float | None:
        """The bench's time for the record, None where its clock does not say it."""
        if self._goes_down:
            return self._in_a_moment(lambda: self.clock.now_s())
        try:
            return self.clock.now_s()
        except HilError:
            return None

    def _let_contacts_settle(self) -> None:
        if self._goes_down:
            self._in_a_moment(lambda: self.clock.sleep(_RELAY_SETTLING_S))
        else:
            self.clock.sleep(_RELAY_SETTLING_S)

    def _in_a_moment(self, ask: Callable[[], T]) -> T | None:
        """What the clock answers; None from the first time on that it does not answer in a moment."""
        if self._clock_is_late:
            return None
        outcome: queue.SimpleQueue[T | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put(ask())
            except HilError:
                self._clock_is_late = True
                outcome.put(None)

        threading.Thread(target=work, daemon=True).start()
        try:
            return outcome.get(timeout=_CLOCK_ON_THE_WAY_DOWN_S)
        except queue.Empty:
            self._clock_is_late = True
            return None

    def identities(self) -> dict[str, Identity]:
        """Who answers at each address; opens every instrument that has an identity."""
        own = {
            name: (self.daqs[name].daq if name in self.daqs else getattr(self, name)).identity()
            for name in ("board", *self.daqs, "power_analyzer", "supply", "ammeter", "thermometer")
            if self.has(name) and not (name in ("supply", "ammeter") and self.has("power_analyzer"))
        }
        return own | {name: who for rail in self.rails.values() for name, who in rail.identities().items()}

    def _missing(self, name: str) -> RigError:
        return RigError(
            f"the rig has no {name}",
            where=self.config.name,
            expected=f"a [{_TABLES.get(name, name)}] table in {self.config.file}",
        )


def _is_of(table: DaqTable, terminal: str) -> bool:
    """Whether a terminal is one of that DAQ."""
    return terminal.partition("/")[0] == table.device
