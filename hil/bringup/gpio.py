# SPDX-License-Identifier: Apache-2.0
"""The part's pins, moved and read through the debug port while its core is halted.

Addresses and fields are those of RM0351 (RCC_AHB2ENR; GPIO registers).
"""

from __future__ import annotations

from hil import boards
from hil.instruments.protocols import Board

_RCC_AHB2ENR = 0x4002_104C
_PORTS = "ABCDEFGH"
_GPIOA, _PORT_SIZE = 0x4800_0000, 0x400
_MODER, _PUPDR, _IDR, _BSRR = 0x00, 0x0C, 0x10, 0x18
_OUTPUT, _ANALOG = 1, 3
_PULL_DOWN = 2
_DEBUG_PINS = ("PA13", "PA14")
"""SWDIO and SWCLK, which are left alone."""


class Pins:
    """The pins that a board leads to its connectors."""

    def __init__(self, board: Board, definition: boards.Board) -> None:
        """Clock the ports. The core must be halted after a reset: no program works the pins meanwhile."""
        self._board = board
        self._names = sorted(definition.pins - set(_DEBUG_PINS))
        self._ports = sorted({name[1] for name in self._names})
        enable = self._read(_RCC_AHB2ENR)
        for port in self._ports:
            enable |= 1 << _PORTS.index(port)
        self._write(_RCC_AHB2ENR, enable)

    def listen(self) -> None:
        """Make every pin an input with a pull-down."""
        for name in self._names:
            self._set(name, _MODER, 0)
            self._set(name, _PUPDR, _PULL_DOWN)

    def high(self) -> frozenset[str]:
        """Names of the inputs that read high."""
        words = {port: self._read(_address(port) + _IDR) for port in self._ports}
        return frozenset(name for name in self._names if words[name[1]] >> int(name[2:]) & 1)

    def drive(self, name: str, level: bool) -> None:
        """Drive a pin."""
        self._write(_address(name[1]) + _BSRR, 1 << int(name[2:]) << (0 if level else 16))
        self._set(name, _PUPDR, 0)
        self._set(name, _MODER, _OUTPUT)

    def release(self) -> None:
        """Make every pin analog, as after a reset."""
        for name in self._names:
            self._set(name, _PUPDR, 0)
            self._set(name, _MODER, _ANALOG)

    def _set(self, name: str, register: int, field: int) -> None:
        """Set a field of two bits."""
        address, position = _address(name[1]) + register, 2 * int(name[2:])
        word = self._read(address)
        wanted = word & ~(3 << position) | field << position
        if wanted != word:
            self._write(address, wanted)

    def _read(self, address: int) -> int:
        return int.from_bytes(self._board.read_memory(address, 4), "little")

    def _write(self, address: int, value: int) -> None:
        self._board.write_memory(address, value.to_bytes(4, "little"))


def _address(port: str) -> int:
    return _GPIOA + _PORT_SIZE * _PORTS.index(port)
