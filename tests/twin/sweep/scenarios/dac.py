# SPDX-License-Identifier: Apache-2.0
"""The DAC: what its registers do to its two outputs."""

from __future__ import annotations

from hil.twin.ip.dac_v3.dac import (
    CCR,
    CR,
    DHR8RD,
    DHR12R1,
    DHR12R2,
    MCR,
    SR,
    SWTRIGR,
    TRIGGER_TIMERS,
)
from tests.twin.bare_part import BLOCKS
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

EN, TEN, DMAEN, DMAUDRIE, CEN = 1, 1 << 2, 1 << 12, 1 << 13, 1 << 14
NOISE, TRIANGLE, SOFTWARE = 1 << 6, 2 << 6, 7 << 3
DATA = tuple(range(DHR12R1, DHR8RD + 4, 4))


def _both(control: int) -> int:
    return control | control << 16


@scenario("DAC1", CR, MCR, *DATA)
def held_values(s: Subject) -> None:
    """Every data register is written in turn, without triggers; channels off and on."""
    s.write("DAC1", MCR, _both(1))
    s.write("DAC1", CR, _both(EN))
    for register in DATA:
        s.write("DAC1", register, 0x0120_0340)
        s.sample()


@scenario("DAC1", CR, SWTRIGR)
def triggered_by_software(s: Subject) -> None:
    """Two triggers with new values before each."""
    s.begin()
    for wave in (0, NOISE | 3 << 8, TRIANGLE | 3 << 8):
        s.write("DAC1", CR, 0)
        s.write("DAC1", CR, _both(EN | TEN | SOFTWARE | wave))
        for code in (0x100, 0x200, 0x300):
            s.write("DAC1", DHR12R1, code)
            s.write("DAC1", DHR12R2, code + 1)
            s.write("DAC1", SWTRIGR, 3)
            s.sample()


def _waves(wave: int, amplitude: int) -> None:
    @scenario("DAC1", CR)
    def waves(s: Subject) -> None:
        """A wave over a few hundred triggers."""
        s.write("DAC1", CR, _both(EN | TEN | SOFTWARE | wave | amplitude << 8))
        for _ in range(600):
            s.write("DAC1", SWTRIGR, 3)
        s.sample()


for _amplitude in (0, 3, 8):
    _waves(NOISE, _amplitude)


def _by_timer(code: int, timer: str) -> None:
    @scenario("DAC1", CR)
    def by_timer(s: Subject) -> None:
        """A timer's updates move the held values."""
        s.write("DAC1", CR, _both(EN | TEN | code << 3))
        s.write("DAC1", DHR12R1, 0x123)
        s.write("DAC1", DHR12R2, 0x456)
        s.write(timer, 0x2C, 100)
        s.write(timer, 0x04, 2 << 4)
        s.write(timer, 0x00, 1)
        s.advance(60e-6)


for _code, _timer in TRIGGER_TIMERS.items():
    _by_timer(_code, _timer)


def _by_dma(channel: int, register: int, code: int, timer: str) -> None:
    @scenario("DAC1", CR, SR)
    def by_dma(s: Subject) -> None:
        """DMA feeds a channel until its items are used up; then it is told of the underrun."""
        s.begin()
        s.dma(f"DAC1_CH{channel}", BLOCKS["DAC1"].base + register, to_peripheral=True, width=2)
        s.write(timer, 0x2C, 39)
        s.write(timer, 0x04, 2 << 4)
        s.write(timer, 0x00, 1)
        s.write("DAC1", CR, (EN | TEN | code << 3 | DMAEN | DMAUDRIE) << 16 * (channel - 1))
        for _ in range(3):
            s.advance(100e-6)
        s.write("DAC1", SR, 0)
        s.sample()


_by_dma(1, DHR12R1, 0, "TIM6")
_by_dma(2, DHR12R2, 2, "TIM7")


@scenario("DAC1", CR, CCR)
def calibration(s: Subject) -> None:
    """Trimmings around the right one."""
    s.begin()
    s.write("DAC1", CR, _both(CEN))
    for trim in (0x11, 0x10):
        s.write("DAC1", CCR, _both(trim))
        s.sample()
