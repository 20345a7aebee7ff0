# SPDX-License-Identifier: Apache-2.0
"""The registers of a part that tell what it draws asleep, with what else its files say of its sleep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.parts.blocks import Blocks

_PORT_WORDS = {"MODER": 0x00, "PUPDR": 0x0C, "IDR": 0x10, "ODR": 0x14}
"""Of every port of the version gpio_v2."""


@dataclass(frozen=True)
class Uart:
    """A UART whose rate is read."""

    base: int
    enable: int
    """Address of the register that switches its clock on."""
    enable_bit: int
    source_shift: int
    """Position of its clock's source in RCC_CCIPR."""


@dataclass(frozen=True)
class SleepRegisters:
    """Which registers are read, and how. :attr:`hil.parts.part.Part.sleep_registers` makes it."""

    words: Mapping[str, int]
    """Addresses by the reference manual's names: "PWR_CR1"."""
    ports: str
    """Letters of the ports: "ABCDEFGH"."""
    enables: Mapping[int, int]
    """Bits by the address of their enable register: the clocks that a look needs."""
    uarts: Mapping[str, Uart]
    msi_hz: tuple[float, ...]
    """By RCC_CR.MSIRANGE."""
    hsi16_hz: float
    lse_hz: float
    wake_up_pins: tuple[str, ...]
    """In the order of their bits in PWR_CR3."""
    debug_pins: frozenset[str]
    """Pins that have pulls from a reset on."""
    pull_ohm: float
    """A pin's own pull, typically."""
    least_pull_ohm: float
    rtc_flags: Mapping[int, str]
    """Flags of RTC_ISR that are wake-up events, by their bits."""
    io_booster_edges_v: tuple[float, ...]
    """Supply voltages between the columns of the booster's current."""
    slowest_adc: int
    """Column of the ADC's currents at the lowest rate that is printed."""
    port_bases: Mapping[str, int]

    def pin_register(self, port: str, name: str) -> int:
        """Address of a port's register: "MODER" of port "B"."""
        return self.port_bases[port] + _PORT_WORDS[name]

    @property
    def pin_words(self) -> Mapping[str, int]:
        """Addresses of the ports' registers that are read, by their names: "GPIOB_MODER"."""
        return {
            f"GPIO{port}_{name}": self.pin_register(port, name) for port in self.ports for name in _PORT_WORDS
        }


def read(table: Mapping[str, Any], blocks: Blocks) -> SleepRegisters:
    """From the part's registers.toml and its blocks."""
    bases = {name: block.base for name, block in blocks.by_name.items()} | table["bases"]
    rcc = bases["RCC"]

    def enable(gate: str) -> tuple[int, int]:
        register, bit = blocks.gates[gate]
        return rcc + table["look"]["enable_offsets"][register], bit

    enables: dict[int, int] = {}
    for gate in table["look"]["gates"]:
        if gate not in blocks.gates:
            continue  # of a smaller part
        address, bit = enable(gate)
        enables[address] = enables.get(address, 0) | 1 << bit
    ports = {block.name.removeprefix("GPIO"): block.base for block in blocks.of("gpio_v2")}
    uarts = {
        block.name: Uart(block.base, *enable(block.name), blocks.kernel_clocks[block.name])
        for block in blocks.of("usart_v3")
    }
    clocks, pins, columns = table["clocks"], table["pins"], table["columns"]
    return SleepRegisters(
        words={
            f"{block}_{name}": bases[block] + offset
            for block, registers in table["offsets"].items()
            for name, offset in registers.items()
        },
        ports="".join(sorted(ports)),
        enables=enables,
        uarts=uarts,
        msi_hz=tuple(clocks["msi_hz"]),
        hsi16_hz=clocks["hsi16_hz"],
        lse_hz=clocks["lse_hz"],
        wake_up_pins=tuple(pins["wake_up"]),
        debug_pins=frozenset(pins["debug"]),
        pull_ohm=pins["pull_ohm"],
        least_pull_ohm=pins["least_pull_ohm"],
        rtc_flags={int(bit): name for bit, name in table["wake_up_flags"]["RTC_ISR"].items()},
        io_booster_edges_v=tuple(columns["io_booster_edges_v"]),
        slowest_adc=columns["slowest_adc"],
        port_bases=ports,
    )
