# SPDX-License-Identifier: Apache-2.0
"""The instruments of a rig, each opened at its first use.

Drivers are imported there too: pyOCD, nidaqmx and PyVISA take a second and a half together, and a rig
without a DAQ needs no nidaqmx.
"""

from __future__ import annotations

from functools import cached_property

from hil.config import RigConfig
from hil.errors import RigError
from hil.instruments.clock import open_clock
from hil.instruments.protocols import Board, Clock, Console, Daq, Identity, PowerAnalyzer

_TABLES = {"board": "probe", "daq": "daq", "power_analyzer": "power_analyzer", "console": "console"}
"""The configuration's table behind each instrument."""


class Bench:
    """What stands on the bench, from a configuration whose addresses are all known."""

    def __init__(self, config: RigConfig) -> None:
        """Nothing is opened yet."""
        self.config = config

    def has(self, name: str) -> bool:
        """Whether the rig has that instrument, or that role in its wiring.

        Raises:
            RigError: there is no such instrument or role at all.
        """
        if name in _TABLES:
            return getattr(self.config, _TABLES[name]) is not None
        if name in type(self.config.wiring).model_fields:
            return getattr(self.config.wiring, name) is not None
        known = (*_TABLES, *type(self.config.wiring).model_fields)
        raise RigError(f"no instrument or wire is called {name!r}", expected=f"one of {', '.join(known)}")

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

        return PyocdBoard(probe.uid, probe.target, probe.frequency_hz)

    @cached_property
    def daq(self) -> Daq:
        """The data acquisition device, limited to what is wired."""
        config, wiring = self.config.daq, self.config.wiring
        if config is None:
            raise self._missing("daq")
        from hil.instruments.nidaqmx_daq import NiDaq

        sensor, relay = wiring.sensor, wiring.debug_isolation
        return NiDaq(
            config.device,
            grpc_target=config.grpc,
            limits_v={sensor.terminal: (sensor.minimum_v, sensor.maximum_v)} if sensor else {},
            lines=[relay.terminal] if relay else [],
            serial=config.serial,
        )

    @cached_property
    def power_analyzer(self) -> PowerAnalyzer:
        """The supply and ammeter, limited to the board's supply range."""
        config = self.config.power_analyzer
        if config is None:
            raise self._missing("power_analyzer")
        from hil.instruments.n6705c import open_n6705c

        return open_n6705c(
            config.resource,
            channel=config.channel,
            voltage_maximum_v=self.config.board.definition.supply_maximum_v,
            current_maximum_a=self.config.board.definition.supply_current_maximum_a,
            clock=self.clock,
            serial=config.serial,
            output_watchdog_s=config.output_watchdog_s,
        )

    @cached_property
    def console(self) -> Console:
        """The firmware's console."""
        config = self.config.console
        if config is None:
            raise self._missing("console")
        from hil.instruments.serial_console import SerialConsole

        return SerialConsole(config.port, config.baud, self.clock)

    def identities(self) -> dict[str, Identity]:
        """Who answers at each address; opens every instrument that has an identity."""
        return {
            name: getattr(self, name).identity()
            for name in ("board", "daq", "power_analyzer")
            if self.has(name)
        }

    def _missing(self, name: str) -> RigError:
        return RigError(
            f"the rig has no {name}",
            where=self.config.name,
            expected=f"a [{_TABLES[name]}] table in {self.config.file}",
        )
