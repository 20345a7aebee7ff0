# SPDX-License-Identifier: Apache-2.0
"""UARTs: what goes out, what comes in, in Stop too."""

from __future__ import annotations

from hil.twin.signal import Signal
from tests.twin.bare_part import BLOCKS
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

CR1, CR2, CR3, BRR, GTPR, RTOR, RQR, ISR, ICR, RDR, TDR = range(0, 0x2C, 4)
UE, RE, TE = 1, 4, 8
GOOD = (False, True, False, True, True, False, False, True, False, True, True)
WITHOUT_STOP = (False, False, False, True, True, False, False, True, True, False, True)
HSI16_HZ = 16e6


ADDRESS = (False, True, False, True, False, True, False, False, True, True, True)
"""0x95: an address, since the highest bit is set."""
Place = tuple[str, int, int]
"""Port, pin and alternate function."""


def _add(name: str, tx: Place, rx: Place, cts: Place, rts: Place, divider: int, gate: int) -> None:
    pin = f"P{rx[0][-1]}{rx[1]}"
    bit_s = 256 * divider / HSI16_HZ / 256 if name != "LPUART1" else divider / 256 / HSI16_HZ

    def route(s: Subject) -> None:
        for port, index, function in (tx, rx):
            s.alternates(port, {index: function})
        s.drive(pin, True)
        s.write("RCC", 0x00, 0x163)
        s.advance(10e-6)
        s.write("RCC", 0x88, 2 << gate)
        uart = s.mcu.peripherals.uarts[name]
        uart.transmitted = Signal()  # nobody listens any more who did in an earlier run
        uart.transmitted.connect(
            lambda time_ps, data, baud: s.note(time_ps - s.start_ps, data, baud, uart.levels(data))
        )

    def receive(s: Subject, levels: tuple[bool, ...]) -> None:
        for level in levels:
            s.drive(pin, level)
            s.advance(bit_s)

    @scenario(name, BRR, CR1, CR2, TDR, RQR)
    def send(s: Subject) -> None:
        """Frames of nine bits go out; a further one waits, and is thrown away or not."""
        route(s)
        s.write(name, BRR, divider)
        s.write(name, CR2, 0)
        s.write(name, CR1, UE | TE | RE | 1 << 12)
        s.advance(12 * bit_s)
        s.write(name, TDR, 0x155)
        s.write(name, TDR, 0x0AA)
        s.write(name, RQR, 0)
        s.advance(30 * bit_s)

    def listen(control: int, control_3: int) -> None:
        @scenario(name, CR1, CR3, RQR, ICR)
        def interrupts(s: Subject) -> None:
            """Frames come in, good ones and wrong ones, that nobody reads in time."""
            route(s)
            s.write(name, BRR, divider)
            s.write(name, CR3, control_3)
            s.write(name, CR1, control)
            s.advance(12 * bit_s)
            receive(s, GOOD)
            s.write(name, RQR, 0)
            s.advance(12 * bit_s)
            receive(s, WITHOUT_STOP)
            s.write(name, TDR, 0x55)
            receive(s, GOOD)
            s.advance(15 * bit_s)
            s.write(name, ICR, 0)
            s.note(s.blocks[name].words[ISR], s.blocks[name].words[RDR])

    listen(UE | RE | TE, 0)
    listen(UE | RE | TE | 1 << 10 | 1 << 12, 0)

    @scenario(name, ICR, CR3)
    def noise(s: Subject) -> None:
        """A pulse in the middle of a bit is noise; its flag is cleared, or not."""
        route(s)
        s.write(name, BRR, divider)
        s.write(name, CR3, 0)
        s.write(name, CR1, UE | RE)
        receive(s, (False, True, True))
        for level, bits in ((False, 0.47), (True, 0.06), (False, 0.47)):
            s.drive(pin, level)
            s.advance(bits * bit_s)
        receive(s, (True, True, True, True, True, True, True))
        s.write(name, ICR, 0)
        s.note(s.blocks[name].words[ISR])

    @scenario(name, CR3)
    def dma(s: Subject) -> None:
        """DMA waits for both directions."""
        route(s)
        s.dma(f"{name}_RX", BLOCKS[name].base + RDR, width=1)
        s.dma(f"{name}_TX", BLOCKS[name].base + TDR, width=1, to_peripheral=True)
        s.write(name, BRR, divider)
        s.write(name, CR3, 0)
        s.write(name, CR1, UE | RE | TE)
        receive(s, GOOD)
        s.advance(10 * bit_s)

    @scenario(name, CR1, CR3, ICR)
    def wake(s: Subject) -> None:
        """A frame comes in Stop 1 and asks for a wake-up."""
        route(s)
        s.write(name, BRR, divider)
        s.write(name, CR3, 1 << 22 | 3 << 20)
        s.write(name, CR1, UE | RE | 2)
        s.sleep_deeply(1)
        receive(s, GOOD)
        s.advance(5 * bit_s)
        s.write(name, ICR, 0)
        s.note(s.blocks[name].words[ISR])

    def line_modes(control: int, control_2: int, requests: int) -> None:
        @scenario(name, CR1, CR2, CR3, RTOR, RQR, ICR)
        def line(s: Subject) -> None:
            """Frames, an address among them, a long low level, and silence."""
            route(s)
            s.write(name, BRR, divider)
            s.write(name, RTOR, 20)
            s.write(name, CR2, control_2)
            s.write(name, CR3, 0)
            s.write(name, CR1, control)
            receive(s, GOOD)
            s.write(name, RQR, requests)
            s.note(s.blocks[name].words[ISR])
            receive(s, GOOD)
            s.note(s.blocks[name].words[ISR], s.blocks[name].words[RDR])
            receive(s, ADDRESS)
            s.note(s.blocks[name].words[ISR], s.blocks[name].words[RDR])
            s.drive(pin, False)
            s.advance(10.3 * bit_s)
            s.drive(pin, True)
            s.advance(40 * bit_s)
            s.write(name, ICR, 0)
            s.note(s.blocks[name].words[ISR])

    line_modes(UE | RE, 0x4D << 24 | 1 << 14 | 1 << 23, 0)
    line_modes(UE | RE | 1 << 26, 1 << 23, 0)
    line_modes(UE | RE, 1 << 20, 0)
    line_modes(UE | RE | 1 << 11 | 1 << 13, 0x05 << 24, 4)
    line_modes(UE | RE | 1 << 13, 0, 4)

    def flow(control_3: int) -> None:
        @scenario(name, CR1, CR3, ICR)
        def modem_lines(s: Subject) -> None:
            """A frame goes out as CTS goes high, then a further one; one comes in."""
            for port, index, function in (cts, rts):
                s.alternates(port, {index: function})
            cts_pin = f"P{cts[0][-1]}{cts[1]}"
            s.drive(cts_pin, False)
            route(s)
            s.write(name, BRR, divider)
            s.write(name, CR3, control_3)
            s.write(name, CR1, UE | RE | TE)
            s.advance(12 * bit_s)
            s.write(name, TDR, 0x55)
            s.drive(cts_pin, True)
            s.write(name, TDR, 0x66)
            s.advance(25 * bit_s)
            s.drive(cts_pin, False)
            s.advance(25 * bit_s)
            receive(s, GOOD)
            s.write(name, ICR, 0)
            s.sample()

    for control_3 in (0, 1 << 9, 1 << 14):
        flow(control_3)

    @scenario(name, CR3)
    def dma_after_an_error(s: Subject) -> None:
        """A frame without a stop bit asks for DMA, or does not."""
        route(s)
        s.dma(f"{name}_RX", BLOCKS[name].base + RDR, width=1)
        s.write(name, BRR, divider)
        s.write(name, CR3, 1 << 6)
        s.write(name, CR1, UE | RE)
        receive(s, WITHOUT_STOP)
        s.advance(10 * bit_s)


_add("USART2", ("GPIOA", 2, 7), ("GPIOA", 3, 7), ("GPIOA", 0, 7), ("GPIOA", 1, 7), 139, 2)
_add("LPUART1", ("GPIOB", 11, 8), ("GPIOB", 10, 8), ("GPIOB", 13, 8), ("GPIOB", 12, 8), 35_557, 10)
