# SPDX-License-Identifier: Apache-2.0
"""DMA: a channel moves a few items."""

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import SRAM, Subject

IFCR, CSELR, CHANNELS = 0x04, 0xA8, 7


def _add(channel: int) -> None:
    control, count, peripheral, memory = range(0x08 + 0x14 * channel, 0x18 + 0x14 * channel, 4)

    def move(s: Subject, settings: int) -> None:
        s.write("DMA1", CSELR, 0)
        s.write("DMA1", count, 4)
        s.write("DMA1", peripheral, SRAM + 0x40)
        s.write("DMA1", memory, SRAM + 0x88)
        s.write("DMA1", control, settings)
        for _ in range(6):
            s.mcu.peripherals.dma["DMA1"].request(channel + 1, 0)
            s.sample()
        s.write("DMA1", IFCR, 0)

    @scenario("DMA1", control, count, peripheral, memory, IFCR, CSELR)
    def move_half_words(s: Subject) -> None:
        """Half-words from one place to another, with increments; nobody is told."""
        move(s, 0x5C1)

    @scenario("DMA1", control)
    def move_bytes(s: Subject) -> None:
        """Bytes from and to the same place, told of."""
        move(s, 0x00F)

    @scenario("DMA1", control)
    def fail(s: Subject) -> None:
        """From an address that nothing has."""
        s.write("DMA1", count, 4)
        s.write("DMA1", peripheral, 0x6000_0000)
        s.write("DMA1", memory, SRAM)
        s.write("DMA1", control, 0x5C1)
        s.mcu.peripherals.dma["DMA1"].request(channel + 1, 0)
        s.sample()


_add(0)


@scenario("DMA1", IFCR)
def flags_of_all(s: Subject) -> None:
    """All channels have all flags; some are cleared."""
    for channel in range(CHANNELS):
        s.mcu.peripherals.dma["DMA1"]._flag(channel, 0xE)
    s.write("DMA1", IFCR, 0)
    s.sample()


@scenario("DMA1", CSELR)
def requests_of_all(s: Subject) -> None:
    """All channels wait for request 0, which comes."""
    s.write("DMA1", CSELR, 0)
    for channel in range(CHANNELS):
        s.write("DMA1", 0x0C + 0x14 * channel, 4)
        s.write("DMA1", 0x08 + 0x14 * channel, 1)
        s.note(s.mcu.peripherals.dma["DMA1"].listens(channel + 1, 0))
