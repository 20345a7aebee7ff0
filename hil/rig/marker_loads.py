# SPDX-License-Identifier: Apache-2.0
"""Measures what hangs on the marker pins: the current that each takes from the supply while it is high.

The debugger holds the core and moves one pin after the other, low and high in turn; the power analyzer sees
the difference. What is the same in both readings, the part's own current and the debugger's, drops out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hil.datasheet import ni_x_series
from hil.measurement.accuracy import RangeAccuracy, of_difference
from hil.measurement.budget import Budget, rectangle, scatter_of_mean
from hil.measurement.uncertainty import Estimate
from hil.rig.bench import Bench

MARKERS = ("marker_inference", "marker_active")
"""Roles in the wiring of pins that the firmware drives."""

READINGS = 5
"""Of each level. Their scatter is part of the uncertainty."""

_AHB2ENR = 0x4002_104C
_GPIOA = 0x4800_0000
_PORT_STEP = 0x400
_MODER, _BSRR = 0x00, 0x18
"""RCC and GPIO of the STM32L4 (RM0351, memory map, RCC_AHB2ENR, GPIOx_MODER and GPIOx_BSRR)."""


@dataclass(frozen=True)
class PinLoad:
    """What the wire at one marker pin draws while the pin is high."""

    role: str
    pin: str
    supply_voltage_v: float
    current_a: Estimate
    measured: bool
    """False: from NI's document, since the rig cannot measure it."""


def from_documents(bench: Bench, roles: Mapping[str, str]) -> list[PinLoad]:
    """What NI's document allows the wires of ``roles`` (role, pin) to draw at the board's supply voltage."""
    supply_v = bench.config.board.supply_voltage_v
    loads = []
    for role, pin in roles.items():
        stated_a = supply_v / getattr(bench.config.wiring, role).input_resistance_ohm
        most_a = max(stated_a, supply_v / ni_x_series.PULL_DOWN_LEAST_OHM)
        # No upper limit of the resistance is stated: the current may also be zero.
        half_width_a = max(most_a - stated_a, stated_a)
        name = f"current into the wire at {role}"
        budget = Budget.of(rectangle(name, half_width_a, "A", ni_x_series.PULL_DOWN_SOURCE))
        estimate = Estimate.of(stated_a, budget)
        loads.append(PinLoad(role, pin, supply_v, estimate, measured=False))
    return loads


def measure(bench: Bench, roles: Mapping[str, str]) -> list[PinLoad]:
    """Measure the wires of ``roles`` (role, pin) on a supplied board whose core the debugger holds.

    The pins are outputs afterwards: reset the part before it is used for anything else.
    """
    board, ammeter = bench.board, bench.ammeter
    supply_v = bench.supply.measure_voltage_v()
    ports = {ord(pin[1]) - ord("A") for pin in roles.values()}
    _change(bench, _AHB2ENR, 0, sum(1 << port for port in ports))
    for pin in roles.values():
        port, number = _place(pin)
        _write(bench, port + _BSRR, 1 << number + 16)
        _change(bench, port + _MODER, 3 << 2 * number, 1 << 2 * number)
    loads = []
    for role, pin in roles.items():
        port, number = _place(pin)
        differences_a, highest_a = [], 0.0
        for _ in range(READINGS):
            low_a = ammeter.measure_current_a()
            _write(bench, port + _BSRR, 1 << number)
            high_a = ammeter.measure_current_a()
            _write(bench, port + _BSRR, 1 << number + 16)
            differences_a.append(high_a - low_a)
            highest_a = max(highest_a, abs(low_a), abs(high_a))
        current_a = float(np.mean(differences_a))
        budget = Budget.of(
            scatter_of_mean(f"scatter of the wire at {role}", np.array(differences_a), "A"),
            _accuracy_a(bench, highest_a - abs(current_a), highest_a),
        )
        loads.append(PinLoad(role, pin, supply_v, Estimate.of(current_a, budget), measured=True))
    board.reset(halt=True)
    return loads


def _accuracy_a(bench: Bench, low_a: float, high_a: float) -> Budget:
    """What the ammeter's accuracy leaves open in the difference of two readings, in amperes.

    In one range both share its offset, which cancels, and its gain, which counts for the difference. The core
    is held, so nothing runs that could draw more than the higher reading in between.
    """
    config = bench.config.measured_by
    assert config is not None  # its readings are being judged
    rows = [RangeAccuracy(row.range_a, row.gain, row.offset_a, row.source) for row in config.ranges]
    return of_difference(np.array([high_a]), np.array([low_a]), rows, largest_a=abs(high_a))


def _place(pin: str) -> tuple[int, int]:
    """The registers' address of a pin's port, and the pin's number in it."""
    return _GPIOA + _PORT_STEP * (ord(pin[1]) - ord("A")), int(pin[2:])


def _write(bench: Bench, address: int, value: int) -> None:
    bench.board.write_memory(address, value.to_bytes(4, "little"))


def _change(bench: Bench, address: int, clear: int, bits: int) -> None:
    value = int.from_bytes(bench.board.read_memory(address, 4), "little")
    _write(bench, address, value & ~clear | bits)
