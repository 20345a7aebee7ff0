# SPDX-License-Identifier: Apache-2.0
"""What NI's document says of the terminals of an X Series device, for both ends of their wires."""

from functools import cache
from typing import Any

from hil.datasheet.figures import load


@cache
def _figures() -> dict[str, dict[str, Any]]:
    return load("ni_x_series.toml")


def _number(name: str, key: str) -> float:
    return float(_figures()[name][key])


PULL_DOWN_OHM = _number("pfi_pull_down", "typ_ohm")
"""Typical resistance from a PFI or port terminal to ground, in ohm."""
PULL_DOWN_LEAST_OHM = _number("pfi_pull_down", "min_ohm")
"""The least that NI guarantees of it; there is no upper limit."""
PULL_DOWN_SOURCE = str(_figures()["pfi_pull_down"]["source"])
ANALOG_INPUT_OHM = _number("analog_input", "min_ohm")
"""Least resistance of an analog input, in ohm."""
LINE_DRIVE_A = _number("line_drive", "max_a")
"""The most that one digital line may drive, in amperes."""


def input_resistance_ohm(terminal: str) -> float:
    """What hangs between a terminal that is used as an input and ground, typically, in ohm.

    ``terminal`` is a DAQmx name with or without its device: "Dev1/ctr0", "PFI9", "Dev1/ai0".
    """
    kind = terminal.partition("/")[2] or terminal
    return ANALOG_INPUT_OHM if kind.startswith("ai") else PULL_DOWN_OHM
