# SPDX-License-Identifier: Apache-2.0
"""The rig configuration: TOML with units, validated, with errors that name the file and the line."""

from hil.config.bring_up import BringUpResults, bring_up_file, fingerprint, load_bring_up
from hil.config.load import available_rigs, load_rig, resolve
from hil.config.models import (
    AnalogWire,
    BoardConfig,
    BringUpConfig,
    ClockConfig,
    ConsoleConfig,
    ContactWire,
    CounterWire,
    DeviceConfig,
    InputWire,
    ProbeConfig,
    RelayWire,
    RigConfig,
    ServiceConfig,
    ShakerWire,
    WiringConfig,
)
from hil.config.tables import (
    AmmeterTable,
    CurrentRange,
    DaqTable,
    PowerAnalyzerTable,
    SupplyTable,
    VoltageAccuracy,
)

__all__ = [
    "AmmeterTable",
    "AnalogWire",
    "BoardConfig",
    "BringUpConfig",
    "BringUpResults",
    "ClockConfig",
    "ConsoleConfig",
    "ContactWire",
    "CounterWire",
    "CurrentRange",
    "DaqTable",
    "DeviceConfig",
    "InputWire",
    "PowerAnalyzerTable",
    "ProbeConfig",
    "RelayWire",
    "RigConfig",
    "ServiceConfig",
    "ShakerWire",
    "SupplyTable",
    "VoltageAccuracy",
    "WiringConfig",
    "available_rigs",
    "bring_up_file",
    "fingerprint",
    "load_bring_up",
    "load_rig",
    "resolve",
]
