# SPDX-License-Identifier: Apache-2.0
"""The boards a rig can hold: which pins reach a connector and what their supply may be."""

from __future__ import annotations

from dataclasses import dataclass

from hil.datasheet import stm32l476


@dataclass(frozen=True)
class BoardDefinition:
    """What does not depend on the bench: the board type's pins and its supply limits."""

    name: str
    mcu: str
    pins: frozenset[str]
    """Port pins of the package, "PA0" ..."""
    supply_minimum_v: float
    """Lowest operating VDD in volts."""
    supply_maximum_v: float
    """Highest operating VDD in volts; no instrument may ever be told to exceed it."""
    supply_current_maximum_a: float
    """Highest current into all VDD pins together in amperes; no current limit may be set above it."""
    source: str
    """Where the pins and limits are written down."""


_LQFP64_PINS = {f"P{port}{number}" for port in "ABC" for number in range(16)} | {"PD2", "PH0", "PH1"}
"""Ports A, B and C whole, of D and H only three pins (DS10198 Rev 8, LQFP64 pinout)."""

BOARDS = {
    "nucleo_l476rg": BoardDefinition(
        name="nucleo_l476rg",
        mcu="stm32l476rg",
        pins=frozenset(_LQFP64_PINS),
        supply_minimum_v=stm32l476.VDD_MIN_V,
        supply_maximum_v=stm32l476.VDD_MAX_V,
        supply_current_maximum_a=stm32l476.fact("abs_max_current").extra["sum_ivdd"],
        source="UM1724 Rev 14, table 1 (part and package); DS10198 Rev 8, tables 23 (VDD) and 21 (current)",
    ),
}
"""Boards by the name used in a rig configuration."""
