# SPDX-License-Identifier: Apache-2.0
"""The instruments in one current's path, opened and guarded: a supply, an ammeter, or what is both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hil.config.tables import AmmeterTable, InstrumentTable, PowerAnalyzerTable, SupplyTable
from hil.instruments.protocols import PowerAnalyzer
from hil.measurement.accuracy import RangeAccuracy
from hil.rig.guarded import GuardedAmmeter, GuardedAnalyzer, GuardedSupply
from hil.rig.switching import SupplyRecord


@dataclass(frozen=True)
class Tables:
    """What the rig's file says of them. One alone, or a supply and an ammeter."""

    power_analyzer: PowerAnalyzerTable | None
    supply: SupplyTable | None
    ammeter: AmmeterTable | None


def open_path(
    tables: Tables,
    open_driver: Callable[[str, InstrumentTable], Any],
    record: SupplyRecord,
    *,
    role: str = "power_analyzer",
    leads: str,
) -> PowerAnalyzer:
    """Open them. Where there is only one of the two, only its half of the protocol is there.

    Args:
        tables: at least one of them is there.
        open_driver: from the table's name and the table to the driver.
        record: told of every act.
        role: what messages call the ammeter.
        leads: where its leads belong, for messages.
    """
    both, supply, ammeter = tables.power_analyzer, tables.supply, tables.ammeter
    opened: Any
    if both is not None:
        instrument = open_driver("power_analyzer", both)
        ranges = accuracies(both)
        opened = GuardedAnalyzer(instrument, instrument, record, ranges, role=role, leads=leads)
    elif supply is None:
        assert ammeter is not None  # the caller has looked
        meter = open_driver("ammeter", ammeter)
        opened = GuardedAmmeter(meter, record, accuracies(ammeter), role=role, leads=leads)
    elif ammeter is None:
        opened = GuardedSupply(open_driver("supply", supply), record)
    else:
        source = open_driver("supply", supply)
        try:
            meter = open_driver("ammeter", ammeter)
        except BaseException:
            source.close()
            raise
        opened = GuardedAnalyzer(source, meter, record, accuracies(ammeter), role=role, leads=leads)
    return cast(PowerAnalyzer, opened)


def accuracies(table: AmmeterTable) -> Sequence[RangeAccuracy]:
    """The accuracy of each range."""
    return [RangeAccuracy(row.range_a, row.gain, row.offset_a, row.source) for row in table.ranges]
