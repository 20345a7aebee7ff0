# SPDX-License-Identifier: Apache-2.0
"""LPTIM1: PWM on the bus clock, and what its inputs do."""

from __future__ import annotations

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

ISR, ICR, IER, CFGR, CR, CMP, ARR = range(0, 0x1C, 4)
COUNTMODE, ENC = 1 << 23, 1 << 24


@scenario("LPTIM1")
def low_power_timer(s: Subject) -> None:
    """PWM in continuous mode, told of nothing; a new end of the count comes while counting."""
    s.alternates("GPIOB", {2: 1})
    s.write("LPTIM1", IER, 0)
    s.write("LPTIM1", CFGR, 0x0020_0000)
    s.write("LPTIM1", CR, 1)
    s.write("LPTIM1", ARR, 40)
    s.write("LPTIM1", CMP, 15)
    s.advance(10e-6)
    s.write("LPTIM1", ICR, 0)
    s.write("LPTIM1", CR, 5)
    s.advance(33e-6)
    s.write("LPTIM1", CMP, 25)
    s.write("LPTIM1", ARR, 30)
    s.advance(47e-6)
    s.write("LPTIM1", ICR, 0)
    s.sample()


def _driven(configuration: int, start: int, width_s: float) -> None:
    @scenario("LPTIM1", CFGR, IER, ICR)
    def driven(s: Subject) -> None:
        """The trigger comes twice, and both inputs turn forwards, back and forwards."""
        s.alternates("GPIOB", {2: 1, 5: 1, 6: 1, 7: 1})
        pins = ("PB5", "PB7", "PB5", "PB7")
        for pin in ("PB5", "PB6", "PB7"):
            s.drive(pin, False)
        s.write("LPTIM1", IER, 0)
        s.write("LPTIM1", CFGR, configuration)
        s.write("LPTIM1", CR, 1)
        s.write("LPTIM1", ARR, 30)
        s.write("LPTIM1", CMP, 2)
        s.advance(10e-6)
        s.write("LPTIM1", CR, 1 | start)
        for _ in range(2):
            for level in (True, False):
                s.drive("PB6", level)
                s.advance(width_s)
        for order in (pins, pins, pins, pins[::-1], pins):
            for pin, level in zip(order, (True, True, False, False), strict=True):
                s.drive(pin, level)
                s.advance(width_s)
        s.write("LPTIM1", ICR, 0)
        s.sample()


_driven(0, 4, 3e-6)
_driven(COUNTMODE, 4, 3e-6)
_driven(COUNTMODE, 4, 0.3e-6)
_driven(COUNTMODE | 3 << 3, 4, 1.2e-6)
_driven(1 | 1 << 3, 4, 3e-6)
_driven(ENC | 2 << 1, 4, 3e-6)
_driven(1 << 17, 4, 0.4e-6)
_driven(1 << 17 | 3 << 6, 4, 1.2e-6)
_driven(1 << 17 | 1 << 19, 4, 3e-6)
_driven(1 << 17, 2, 12e-6)
