# SPDX-License-Identifier: Apache-2.0
"""All UARTs, I2Cs and SPIs of the part, by their names, with their pins and DMA requests."""

from functools import partial

from hil.twin.ip.alternate_function import AlternateFunction
from hil.twin.ip.i2c_v2.i2c import I2c
from hil.twin.ip.spi_v3.spi import Spi
from hil.twin.ip.usart_v3.usart import Lpuart, UartPins, Usart
from hil.twin.soc.routing import Routing


def make_uarts(routing: Routing) -> dict[str, Usart]:
    """The USARTs, UARTs and LPUARTs."""
    found = {}
    for block in routing.blocks.of("usart_v3"):
        clear_to_send = routing.pin_signal(f"{block.name}_CTS")
        kind = Lpuart if block.traits.get("low_power") else Usart
        uart = kind(
            block,
            routing.scheduler,
            routing.interrupts.of(block),
            partial(routing.clocks.kernel_hz, block.name),
            partial(routing.clocks.reception_in_stop_hz, block.name),
            *routing.requests(block),
            UartPins(
                routing.pin_signal(f"{block.name}_TX"),
                routing.pin_signal(f"{block.name}_RX"),
                clear_to_send.read,
                routing.pin_signal(f"{block.name}_RTS_DE").drive,
            ),
        )
        clear_to_send.listen(uart.cts_changed)
        found[block.name] = uart
    return found


def make_i2cs(routing: Routing) -> dict[str, I2c]:
    """The I2Cs."""
    found = {}
    for block in routing.blocks.of("i2c_v2"):
        clock, data = routing.pin_signal(f"{block.name}_SCL"), routing.pin_signal(f"{block.name}_SDA")
        found[block.name] = I2c(
            block,
            routing.scheduler,
            routing.interrupts.of(block, "event"),
            routing.interrupts.of(block, "error"),
            partial(routing.clocks.kernel_hz, block.name),
            partial(routing.clocks.reception_in_stop_hz, block.name),
            *routing.requests(block),
            partial(_both_routed, clock, data),
        )
    return found


def make_spis(routing: Routing) -> dict[str, Spi]:
    """The SPIs."""
    found = {}
    for block in routing.blocks.of("spi_v3"):
        select = routing.pin_signal(f"{block.name}_NSS")
        spi = Spi(
            block,
            routing.scheduler,
            routing.interrupts.of(block),
            partial(routing.clocks.bus_hz, block.name),
            *routing.requests(block),
            routing.pin_signal(f"{block.name}_SCK"),
            select,
        )
        select.listen(spi.nss_changed)
        found[block.name] = spi
    return found


def _both_routed(clock: AlternateFunction, data: AlternateFunction) -> bool:
    return clock.routed() and data.routed()
