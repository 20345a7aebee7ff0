# SPDX-License-Identifier: Apache-2.0
"""What every block is made with: the part's data, time, interrupt lines, clocks, pins and DMA channels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hil.parts import Block, Blocks, DmaRoute
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.alternate_function import AlternateFunction
from hil.twin.ip.bdma_v2 import Dma
from hil.twin.ip.clock_source import ClockSource
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.interrupts import InterruptLines


class DmaRequest:
    """One peripheral's request line; without a route nobody ever serves it."""

    def __init__(self, routes: tuple[DmaRoute, ...], controllers: Mapping[str, Dma]) -> None:
        self._routes = [(controllers[route.controller], route.channel, route.code) for route in routes]

    def __iter__(self) -> Iterator[tuple[Dma, int, int]]:
        return iter(self._routes)

    def __call__(self) -> bool:
        """Ask for one transfer; false if no enabled channel serves it."""
        return any(dma.request(channel, code) for dma, channel, code in self._routes)


@dataclass(frozen=True)
class Routing:
    """The ways between the blocks of one part."""

    blocks: Blocks
    scheduler: Scheduler
    interrupts: InterruptLines
    clocks: ClockSource
    ports: Mapping[str, GpioPort]
    controllers: Mapping[str, Dma]

    def pin_signal(self, name: str) -> AlternateFunction:
        """A signal, "USART2_TX", on the pins that carry it; on none if the part has no such signal."""
        return AlternateFunction(self.blocks.alternate_functions.get(name, {}), self.ports)

    def request(self, name: str) -> DmaRequest:
        """A DMA request, "USART2_TX"; one that nobody serves if the part has no such request."""
        return DmaRequest(self.blocks.dma_requests.get(name, ()), self.controllers)

    def requests(self, block: Block) -> tuple[DmaRequest, DmaRequest]:
        """A serial interface's requests to transmit and to receive."""
        return self.request(f"{block.name}_TX"), self.request(f"{block.name}_RX")
