# SPDX-License-Identifier: Apache-2.0
"""All I2C and SPI controllers of the part, by their names, with their pins and DMA requests."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.bdma_v2 import Dma
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.i2c_v2.i2c import I2c
from hil.twin.ip.interrupts import InterruptLines
from hil.twin.ip.memory_map import IRQ
from hil.twin.ip.pin_functions import Signal
from hil.twin.ip.spi_v3.spi import Spi
from hil.twin.soc.dma_requests import DmaRequest
from hil.twin.soc.stm32l4.kernel_clocks import KernelClocks
from hil.twin.soc.stm32l4.rcc import Rcc

I2C_NAMES: Final = ("I2C1", "I2C2", "I2C3")
SPI_NAMES: Final = ("SPI1", "SPI2", "SPI3")


def make_i2cs(
    scheduler: Scheduler,
    interrupts: InterruptLines,
    kernel_clocks: KernelClocks,
    ports: Mapping[str, GpioPort],
    controllers: Mapping[str, Dma],
) -> dict[str, I2c]:
    """The I2Cs."""
    found = {}
    for name in I2C_NAMES:
        block = I2c(
            name,
            scheduler,
            interrupts.source(IRQ[f"{name}_EV"]),
            interrupts.source(IRQ[f"{name}_ER"]),
            partial(kernel_clocks.hz, name),
            partial(kernel_clocks.reception_in_stop_hz, name),
            DmaRequest(f"{name}_TX", controllers),
            DmaRequest(f"{name}_RX", controllers),
        )
        block.routed = partial(_both_routed, Signal(f"{name}_SCL", ports), Signal(f"{name}_SDA", ports))
        found[name] = block
    return found


def make_spis(
    scheduler: Scheduler,
    interrupts: InterruptLines,
    rcc: Rcc,
    ports: Mapping[str, GpioPort],
    controllers: Mapping[str, Dma],
) -> dict[str, Spi]:
    """The SPIs."""
    found = {}
    for name in SPI_NAMES:
        block = Spi(
            name,
            scheduler,
            interrupts.source(IRQ[name]),
            partial(rcc.bus_hz, name),
            DmaRequest(f"{name}_TX", controllers),
            DmaRequest(f"{name}_RX", controllers),
        )
        clock, select = Signal(f"{name}_SCK", ports), Signal(f"{name}_NSS", ports)
        block.routed, block.drive_clock = clock.routed, clock.drive
        block.nss_level, block.drive_nss = partial(_level, select), select.drive
        select.listen(block.nss_changed)
        found[name] = block
    return found


def _level(signal: Signal) -> bool | None:
    return signal.level


def _both_routed(clock: Signal, data: Signal) -> bool:
    return clock.routed() and data.routed()
