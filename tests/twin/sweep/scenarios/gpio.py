# SPDX-License-Identifier: Apache-2.0
"""Ports."""

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

MODER, OTYPER, PUPDR, ODR, BSRR, LCKR, AFRL, AFRH, BRR = 0, 4, 0x0C, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28
SWD_PINS = (13, 14)


@scenario("GPIOA", MODER, OTYPER, ODR)
def high_outputs(s: Subject) -> None:
    """All pins are high outputs."""
    s.begin()
    s.write("GPIOA", ODR, 0xFFFF)
    s.write("GPIOA", MODER, 0x5555_5555)
    s.advance(1e-6)


@scenario("GPIOA", BSRR, BRR)
def half_outputs(s: Subject) -> None:
    """All pins are outputs, of which half are set and half are reset by one store."""
    s.write("GPIOA", MODER, 0x5555_5555)
    for before, change in ((0x0000, 0x0000), (0xFFFF, 0x0000)):
        s.write("GPIOA", ODR, before)
        s.write("GPIOA", BRR, 0)
        s.write("GPIOA", BSRR, change)
        s.advance(1e-6)


@scenario("GPIOA", PUPDR)
def pulled_inputs(s: Subject) -> None:
    """All pins are inputs with a pull-up and nothing outside."""
    for pin in range(16):
        s.drive(f"PA{pin}", None)
    s.begin()
    s.write("GPIOA", PUPDR, 0x5555_5555)
    s.write("GPIOA", MODER, 0)
    s.advance(1e-6)


@scenario("GPIOA", MODER)
def driven_inputs(s: Subject) -> None:
    """All pins but SWD's are inputs that the outside drives."""
    s.begin()
    s.write("GPIOA", MODER, 0x2800_0000)
    for pin in range(16):
        s.drive(f"PA{pin}", pin not in SWD_PINS)
    s.advance(10e-6)


@scenario("GPIOA", LCKR)
def lock(s: Subject) -> None:
    """The configuration of some pins is locked, then changed for all."""
    s.begin()
    for key in (0x1_0F0F, 0x0F0F, 0x1_0F0F):
        s.write("GPIOA", LCKR, key)
    for offset, value in (
        (MODER, 0x6955_5555),
        (OTYPER, 0xFFFF),
        (PUPDR, 0x5555_5555),
        (AFRL, ~0),
        (AFRH, ~0),
    ):
        s.blocks["GPIOA"].write(offset, 4, value & 0xFFFF_FFFF)
    s.advance(1e-6)


@scenario("GPIOA", AFRL, AFRH)
def alternate_functions(s: Subject) -> None:
    """Every pin carries a signal: of timers, of SPI1, SWD, and one that clocks TIM1 from outside."""
    s.write("SPI1", 0x04, 0x704)
    s.write("SPI1", 0x00, 0x46)
    for timer in ("TIM2", "TIM3", "TIM1"):
        s.write(timer, 0x18, 0x6868)
        s.write(timer, 0x1C, 0x6868)
        s.write(timer, 0x20, 0x1111)
        for channel in range(4):
            s.write(timer, 0x34 + 4 * channel, 50)
        s.write(timer, 0x2C, 100)
    s.write("TIM1", 0x44, 0x8000)
    s.write("TIM1", 0x08, 0x4000)
    for timer in ("TIM2", "TIM3", "TIM1"):
        s.write(timer, 0x24, 10)
        s.write(timer, 0x00, 1)
    s.drive("PA12", False)
    s.begin()
    s.write("GPIOA", AFRL, 0x2255_1111)
    s.write("GPIOA", AFRH, 0x1001_1111)
    s.write("GPIOA", MODER, 0xAAAA_AAAA)
    s.advance(1e-6)
    s.drive("PA12", True)
    s.advance(1e-6)
    s.note(s.read("TIM1", 0x24))
