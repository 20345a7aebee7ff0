# SPDX-License-Identifier: Apache-2.0
"""A rail beside the part's supply: what feeds it, and what measures its current."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from hil.config.models import RailConfig
from hil.config.tables import InstrumentTable
from hil.errors import RigError
from hil.instruments.protocols import Ammeter, Clock, Identity, PowerAnalyzer, Supply
from hil.measurement.accuracy import RangeAccuracy
from hil.rig.current_path import Tables, accuracies, open_path
from hil.rig.switching import SUPPLY_TOLERANCE, Act, RailRecord, SwitchingRecord

_RISE_S = 2.0
"""Bench time that the rail gets for rising, as the part's supply does (hil/rig/states.py)."""


class Rail:
    """One rail, whose instruments are opened at their first use. Opening its supply switches it off."""

    def __init__(
        self,
        name: str,
        config: RailConfig,
        record: SwitchingRecord,
        open_driver: Callable[[str, InstrumentTable], Any],
        clock: Callable[[], Clock],
        before: Callable[[], object],
    ) -> None:
        """Nothing is opened yet.

        Args:
            name: as in the rig's file.
            config: its table.
            record: of all that is switched on the bench.
            open_driver: from the name of an instrument, "rails.radio.supply", and its table to the driver.
            clock: gives the bench's time.
            before: called before an instrument is opened.
        """
        self.name, self.config = name, config
        self._record = RailRecord(name, record)
        self._open_driver, self._clock, self._before = open_driver, clock, before

    @property
    def opened(self) -> bool:
        """Whether an instrument of it has been used."""
        return "power_analyzer" in self.__dict__

    @property
    def has_supply(self) -> bool:
        """Whether the rig switches it."""
        return self.config.supplied_by is not None

    @property
    def has_ammeter(self) -> bool:
        """Whether the rig measures its current."""
        return self.config.measured_by is not None

    @property
    def is_on(self) -> bool | None:
        """Whether its supply is switched on; None while that is not known."""
        return self._record.is_on

    @property
    def ranges(self) -> Sequence[RangeAccuracy]:
        """Its ammeter's accuracy. Raises RigError if it has none."""
        table = self.config.measured_by
        if table is None:
            raise self._missing("ammeter")
        return accuracies(table)

    @cached_property
    def power_analyzer(self) -> PowerAnalyzer:
        """Supply and ammeter, one instrument or two; only what there is can be asked."""
        self._before()
        return self._opened()

    @property
    def supply(self) -> Supply:
        """What supplies it. Raises RigError if the rig has nothing that does."""
        if not self.has_supply:
            raise self._missing("supply")
        return self.power_analyzer

    @property
    def ammeter(self) -> Ammeter:
        """What measures its current. Raises RigError if the rig has nothing that does."""
        if not self.has_ammeter:
            raise self._missing("ammeter")
        return self.power_analyzer

    def on(self) -> None:
        """Switch it on, at the voltage of the rig's file, and prove the voltage where its supply reads it.

        Raises:
            SafetyError: the part is not proven to be supplied.
            RigError: the voltage does not come; the rail is off again.
        """
        config, supply = self.config, self.supply
        supply.supply_on(config.voltage_v, config.current_limit_a)
        deadline_s = self._clock().now_s() + _RISE_S
        while supply.capabilities.reads_voltage:
            voltage_v = supply.measure_voltage_v()
            if abs(voltage_v - config.voltage_v) <= SUPPLY_TOLERANCE * config.voltage_v:
                break
            if self._clock().now_s() >= deadline_s:
                supply.supply_off()
                raise RigError(
                    f"the rail has {voltage_v:.3f} V",
                    where=f"rails.{self.name}",
                    operation="switch on",
                    expected=f"{config.voltage_v:g} V within {_RISE_S:g} s",
                    hint="a short circuit, the current limit, or a sense line that is not connected",
                )
        self._record.is_on = True

    def off(self) -> None:
        """Switch it off."""
        self.supply.supply_off()

    def force_off(self) -> None:
        """Switch it off, opened or not, whatever else on the bench answers."""
        if not self.opened:
            self.__dict__["power_analyzer"] = self._opened()
        self.power_analyzer.supply_off()

    def close(self) -> None:
        """Switch it off and release its instruments."""
        self.power_analyzer.close()

    def identities(self) -> dict[str, Identity]:
        """Who answers, by the names of the instruments: "rails.radio.power_analyzer"."""
        role = (
            "power_analyzer" if self.has_supply and self.has_ammeter else next(iter(self.config.instruments))
        )
        return {f"rails.{self.name}.{role}": self.power_analyzer.identity()}

    def _opened(self) -> PowerAnalyzer:
        if self.has_supply:
            self._record.note(Act.SUPPLY_OFF, "at the start")
        config = self.config
        return open_path(
            Tables(config.power_analyzer, config.supply, config.ammeter),
            lambda kind, table: self._open_driver(f"rails.{self.name}.{kind}", table),
            self._record,
            role=f"rails.{self.name}",
            leads=f"the ammeter's + goes to what hangs on the rail {self.name}, its − to ground",
        )

    def _missing(self, what: str) -> RigError:
        return RigError(
            f"the rail {self.name!r} has no {what}",
            where=f"rails.{self.name}",
            expected=f"a [rails.{self.name}.{what}] or [rails.{self.name}.power_analyzer] table",
        )
