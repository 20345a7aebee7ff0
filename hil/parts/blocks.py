# SPDX-License-Identifier: Apache-2.0
"""The peripherals of a part as its files describe them: addresses, versions, clocks, requests, pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hil.datasheet.figures import DatasheetError

_OWN_KEYS = frozenset({"ip", "base", "size", "gate", "interrupts"})


@dataclass(frozen=True)
class Block:
    """One peripheral's registers."""

    name: str
    base: int
    size: int = 0x400
    ip: str = ""
    """The version of the hardware, "usart_v3"; empty where it has no name."""
    gate: str = ""
    """The clock gate that clocks its registers; empty if they are always clocked."""
    behind_bridge: bool = False
    """It is on an APB, whose bridge turns narrow accesses into wide ones."""
    interrupts: Mapping[str, str] = field(default_factory=dict)
    """The NVIC line behind each of its requests; "all" where they share one."""
    traits: Mapping[str, Any] = field(default_factory=dict)
    """What this instance has of what its hardware version allows, such as a timer's ``channels``."""


class Gate(NamedTuple):
    """A peripheral's bit in the clock controller's enable registers."""

    register: str
    bit: int


class DmaRoute(NamedTuple):
    """One way of a DMA request: the controller, its channel from 1 on, and the request's code there."""

    controller: str
    channel: int
    code: int


@dataclass(frozen=True)
class Blocks:
    """All peripherals of a part, and what leads from one to the other."""

    by_name: Mapping[str, Block]
    interrupts: Mapping[str, int]
    """Numbers of the NVIC's lines."""
    gates: Mapping[str, Gate]
    kernel_clocks: Mapping[str, int]
    """Positions of the fields that select a kernel clock."""
    run_in_stop_2: frozenset[str]
    alternate_functions: Mapping[str, Mapping[int, tuple[str, ...]]]
    """By signal, "USART2_TX": the pins that carry it, by the number of the alternate function."""
    dma_requests: Mapping[str, tuple[DmaRoute, ...]]
    """By request, "USART2_TX"."""

    def of(self, ip: str) -> tuple[Block, ...]:
        """The instances of one hardware version, in the order of the part's file."""
        return tuple(block for block in self.by_name.values() if block.ip == ip)

    def __getitem__(self, name: str) -> Block:
        return self.by_name[name]


def read(
    blocks: Mapping[str, Any],
    clocks: Mapping[str, Any],
    pins: Mapping[str, Any],
    dma: Mapping[str, Any],
    lacking: frozenset[str],
) -> Blocks:
    """Make the tables from a part's files, without the blocks that it lacks.

    Gates of lacking blocks stay known, since the clock controller reserves their bits.

    Raises:
        DatasheetError: a block names an interrupt, or a DMA request a controller, that the part has not.
    """
    gates = {
        name: Gate(register, bit) for register, bits in clocks["gates"].items() for name, bit in bits.items()
    }
    first, end = blocks["bus"]["apb"]
    found = {}
    for name, entry in blocks["blocks"].items():
        gate = entry.get("gate", name)
        found[name] = Block(
            name,
            entry["base"],
            entry.get("size", Block.size),
            entry.get("ip", ""),
            gate if gate in gates else "",
            first <= entry["base"] < end,
            entry.get("interrupts", {}),
            {key: value for key, value in entry.items() if key not in _OWN_KEYS},
        )
    lines = blocks["interrupts"]
    for block in found.values():
        for line in block.interrupts.values():
            if line not in lines:
                raise DatasheetError(f"{block.name}: the part has no interrupt line {line!r}")
    requests = {name: tuple(DmaRoute(*route) for route in routes) for name, routes in dma["requests"].items()}
    for name, routes in requests.items():
        for route in routes:
            if route.controller not in found:
                raise DatasheetError(f"DMA request {name}: the part has no block {route.controller!r}")
    return Blocks(
        {name: block for name, block in found.items() if name not in lacking},
        lines,
        gates,
        clocks["kernel_clocks"],
        frozenset(clocks["stop_2"]["blocks"]),
        {
            signal: {int(number): tuple(names) for number, names in functions.items()}
            for signal, functions in pins["alternate_functions"].items()
        },
        requests,
    )
