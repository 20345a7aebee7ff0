# SPDX-License-Identifier: Apache-2.0
"""The LCD controller's frames, flags and current."""

import pytest

from hil.twin.soc.stm32l4.clock_tree import LSI_HZ
from tests.twin.powered_part import Part

CR, FCR, SR, CLR, RAM = 0x00, 0x04, 0x08, 0x0C, 0x14
ENS, SOF, UDR, UDD, RDY, FCRSF = (1 << bit for bit in range(6))
SOFIE, UDDIE = 1 << 1, 1 << 3
IRQ = 78
PERIOD_S = 16 / LSI_HZ
"""Of ck_div, with the smallest divider."""


@pytest.fixture
def part(part: Part) -> Part:
    """The LSI on, and selected for RTC and LCD."""
    part.enable_clock(0x58, 28)
    part.enable_clock(0x58, 9)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x94, 1)
    part.advance(1e-3)
    part.write("RCC", 0x90, 2 << 8)
    return part


def flags(part: Part) -> int:
    return part.read("LCD", SR)


@pytest.mark.parametrize(("duty", "phases"), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 8)])
@pytest.mark.parametrize(("prescaler", "divider"), [(0, 0), (3, 5)])
def test_a_frame_begins_at_the_rate_of_its_dividers_and_duty(part, duty, phases, prescaler, divider):
    part.write("LCD", FCR, prescaler << 22 | divider << 18)
    part.write("LCD", CR, 1 | duty << 2)
    assert flags(part) & (ENS | RDY | SOF) == ENS | RDY
    frame_s = 2**prescaler * (16 + divider) * phases / LSI_HZ
    for _ in range(2):
        part.advance(0.95 * frame_s)
        assert not flags(part) & SOF
        part.advance(0.05 * frame_s + 1e-9)
        assert flags(part) & SOF
        part.write("LCD", CLR, SOF)


def test_without_lcdclk_no_frame_comes(part):
    part.write("RCC", 0x90, 1 << 16)
    part.write("RCC", 0x90, 0)
    part.write("LCD", CR, 1)
    part.advance(0.1)
    assert not flags(part) & SOF
    part.write("RCC", 0x90, 2 << 8)
    part.advance(2 * PERIOD_S)
    assert flags(part) & SOF


@pytest.mark.parametrize(
    ("enable", "asked", "flag"), [(SOFIE, 0, SOF), (UDDIE, UDR, UDD)], ids=["SOF", "UDD"]
)
def test_frames_interrupt(part, enable, asked, flag):
    part.write("LCD", FCR, enable)
    part.write("LCD", CR, 1)
    part.write("LCD", SR, asked)
    part.advance(1.1 * PERIOD_S)
    assert part.mcu.core._nvic.level >> 16 + IRQ & 1
    part.write("LCD", CLR, flag)
    assert not part.mcu.core._nvic.level >> 16 + IRQ & 1


def test_the_memory_is_locked_while_an_update_is_asked_for(part):
    part.write("LCD", CR, 1)
    part.write("LCD", RAM, 0x1234)
    part.write("LCD", SR, UDR)
    part.write("LCD", RAM, 0x5678)
    assert part.read("LCD", RAM) == 0x1234
    part.advance(1.1 * PERIOD_S)
    assert flags(part) & (UDR | UDD) == UDD
    part.write("LCD", RAM, 0x5678)
    assert part.read("LCD", RAM) == 0x5678


def test_a_new_configuration_is_in_force_one_clock_later(part):
    part.write("LCD", FCR, 1 << 22)
    assert not flags(part) & FCRSF
    part.advance(1.1 / LSI_HZ)
    assert flags(part) & FCRSF


def test_it_stops_at_the_end_of_a_frame_and_keeps_its_duty_until_then(part):
    part.write("LCD", CR, 1)
    part.write("LCD", CR, 1 | 3 << 2)
    assert part.read("LCD", CR) == 1
    part.write("LCD", CR, 0)
    assert flags(part) & ENS
    part.advance(1.1 * PERIOD_S)
    assert not flags(part) & ENS


@pytest.mark.parametrize("mode", ["stop1", "stop2"])
@pytest.mark.parametrize(("rtc", "row"), [(0, "rtc_off_lcd_lsi"), (1 << 15, "rtc_lsi_lcd")])
def test_its_current_in_stop_is_the_printed_row(part, mode, rtc, row):
    part.write("RCC", 0x90, 2 << 8 | rtc)
    part.write("LCD", CR, 1)
    part.write("GPIOA", 0x00, 0xFFFF_FFFF)
    part.write("PWR", 0x00, part.read("PWR", 0x00) & ~7 | int(mode[-1]))
    core = part.mcu.core
    core._system_control.scr = 4
    core.debug_halt()
    core.debug_resume(step=False)
    part.advance(1e-3)
    assert part.mcu.mode == mode
    printed_a = part.mcu.part.supply_current(f"{mode}_{row}", 3.0, 25.0).typ
    assert part.current_a == pytest.approx(printed_a, rel=0.02)
