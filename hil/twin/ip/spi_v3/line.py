# SPDX-License-Identifier: Apache-2.0
"""The bits of an SPI's frame on the lines: their order, their CRC, and devices that answer."""

from collections.abc import Iterable
from typing import Final

from hil.twin.ip.bus_devices import SpiDevice

_FLOATING: Final = 0xFF
"""What an undriven MISO reads as: an assumption."""


def reversed_bits(value: int, bits: int) -> int:
    """Turn the order of the lowest bits round."""
    return int(f"{value:0{bits}b}"[::-1], 2)


def crc_of(crc: int, frame: int, bits: int, polynomial: int, crc_bits: int) -> int:
    """Take a frame, highest bit first, into a CRC (RM0351, SPI CRC)."""
    top = 1 << (crc_bits - 1)
    for bit in reversed(range(bits)):
        feed = bool(crc & top) ^ bool(frame >> bit & 1)
        crc = crc << 1 & 2 * top - 1 ^ (polynomial & 2 * top - 1 if feed else 0)
    return crc


def exchange_with_devices(
    selected: Iterable[tuple[SpiDevice, frozenset[int]]], frame: int, bits: int, mode: int
) -> int:
    """Send a frame, highest bit first, to devices with their modes; return what the first one answers.

    A device that samples at the other edge sees every bit one clock late, and so does the controller
    (assumption spi_open_lines).
    """
    devices = list(selected)
    value = 0
    for byte in frame.to_bytes(2 if bits > 8 else 1, "big"):
        answers = []
        for device, modes in devices:
            late = mode not in modes
            answer = device.exchange(byte >> 1 if late else byte)
            answers.append(answer >> 1 | 0x80 if late else answer)
        value = value << 8 | (answers[0] if answers else _FLOATING)
    return value & (1 << bits) - 1
