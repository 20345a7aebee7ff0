# SPDX-License-Identifier: Apache-2.0
"""EXTI and SYSCFG: what leads to interrupts and events."""

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

IMR1, EMR1, RTSR1, FTSR1, SWIER1, PR1 = range(0, 0x18, 4)
BANK2 = 0x20
PORTS = "ABCDEFGH"


def _edges(s: Subject) -> None:
    """Rising and falling edges at every pin of port A and of every other configurable line."""
    for level in (False, True, False):
        for pin in range(16):
            s.drive(f"PA{pin}", level)
        for line in (16, 18, 19, 20, 21, 22):
            s.mcu.peripherals.exti.set_level(line, level)
        s.advance(1e-6)


@scenario("EXTI", IMR1, RTSR1, PR1)
def rising(s: Subject) -> None:
    """Rising edges set pending bits; some are cleared."""
    s.begin()
    s.write("GPIOA", 0x00, 0)
    s.write("EXTI", RTSR1, 0x007D_FFFF)
    s.write("EXTI", IMR1, 0xFF82_0000)
    s.advance(1e-6)
    _edges(s)
    s.write("EXTI", PR1, 0)
    s.sample()


@scenario("EXTI", EMR1, FTSR1)
def falling(s: Subject) -> None:
    """Falling edges, as events."""
    s.begin()
    s.write("GPIOA", 0x00, 0)
    s.write("EXTI", IMR1, 0xFF82_0000)
    s.write("EXTI", EMR1, 0)
    s.write("EXTI", FTSR1, 0x007D_FFFF)
    s.advance(1e-6)
    _edges(s)


@scenario("EXTI")
def by_software(s: Subject) -> None:
    """Software pends lines of both banks."""
    for bank, lines in ((0, 0x007D_FFFF), (BANK2, 0x78)):
        s.write("EXTI", EMR1 + bank, 0)
        s.write("EXTI", IMR1 + bank, 0xFF82_0000 if not bank else 0x87)
        s.write("EXTI", SWIER1 + bank, lines)
        s.sample()
        s.write("EXTI", PR1 + bank, 0)
        s.sample()


@scenario("EXTI", SWIER1, SWIER1 + BANK2)
def by_one_bit(s: Subject) -> None:
    """Software pends one line."""
    s.write("EXTI", SWIER1, 0)
    s.write("EXTI", SWIER1 + BANK2, 0)
    s.sample()


@scenario("SYSCFG")
def selected_ports(s: Subject) -> None:
    """Ports A and B at different levels behind the EXTI's multiplexers."""
    s.begin()
    for name in PORTS:
        s.write(f"GPIO{name}", 0x00, 0)
    s.write("EXTI", RTSR1, 0xFFFF)
    s.write("EXTI", IMR1, 0xFFFF)
    for level in (False, True):
        for pin in range(16):
            s.drive(f"PA{pin}", level)
    s.advance(1e-6)
