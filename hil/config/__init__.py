# SPDX-License-Identifier: Apache-2.0
"""The rig configuration: TOML with units, validated, with errors that name the file and the line."""

from hil.config.boards import BOARDS, BoardDefinition
from hil.config.load import available_rigs, load_rig, resolve
from hil.config.models import (
    AnalogWire,
    BoardConfig,
    ClockConfig,
    ConsoleConfig,
    CounterWire,
    CurrentRange,
    DaqConfig,
    InputWire,
    PowerAnalyzerConfig,
    ProbeConfig,
    RelayWire,
    RigConfig,
    ServiceConfig,
    VoltageAccuracy,
    WiringConfig,
)

__all__ = [
    "BOARDS",
    "AnalogWire",
    "BoardConfig",
    "BoardDefinition",
    "ClockConfig",
    "ConsoleConfig",
    "CounterWire",
    "CurrentRange",
    "DaqConfig",
    "InputWire",
    "PowerAnalyzerConfig",
    "ProbeConfig",
    "RelayWire",
    "RigConfig",
    "ServiceConfig",
    "VoltageAccuracy",
    "WiringConfig",
    "available_rigs",
    "load_rig",
    "resolve",
]
