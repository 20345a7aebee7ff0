# SPDX-License-Identifier: Apache-2.0
"""The high-speed external oscillator, by what the board has at its pins (RM0351, RCC section)."""

from pathlib import Path

import pytest

from hil.boards import REFERENCE, board
from hil.datasheet.figures import DatasheetError
from tests.twin.powered_part import Part

CR, CFGR, PLLCFGR, CIER, CIFR, CICR, BDCR = 0x00, 0x08, 0x0C, 0x18, 0x1C, 0x20, 0x90
HSEON, HSERDY, HSEBYP, CSSON, PLLON = 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 24
MSION, MSI_4_MHZ, HSE, PLL = 1, 0x61, 2, 3
CSSF = 1 << 8
NMI = 2
HSE_8_TO_80_MHZ = 3 | 20 << 8 | 1 << 24  # /1, x20, /2, R output on
NONE, CRYSTAL, CLOCK = '"none"', '8_000_000\nhse_source = "crystal"', '8_000_000\nhse_source = "clock"'


@pytest.fixture
def board_with(tmp_path):
    """The path of a copy of the reference board that has something else at the HSE's pins."""

    def write(hse):
        text = (Path(board.__file__).parent / f"{REFERENCE}.toml").read_text(encoding="utf-8")
        first, _, rest = text.partition('hse = "none"')
        path = tmp_path / "other_board.toml"
        path.write_text(f"{first}hse = {hse}{rest}", encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("at_the_pins", "control", "ready"),
    [
        (NONE, HSEON, False),
        (NONE, HSEON | HSEBYP, False),
        (CRYSTAL, HSEON, True),
        (CRYSTAL, HSEON | HSEBYP, False),
        (CLOCK, HSEON | HSEBYP, True),
        (CLOCK, HSEON, False),
    ],
)
def test_it_gets_ready_with_the_setting_that_the_board_wants(board_with, at_the_pins, control, ready):
    part = Part(board=board_with(at_the_pins))
    part.set_bits("RCC", CR, control & HSEBYP)
    part.set_bits("RCC", CR, control)
    part.advance(1.9e-3)
    assert bool(part.read("RCC", CR) & HSERDY) is (ready and at_the_pins == CLOCK)
    part.advance(0.2e-3)  # a crystal's 2 ms: DS10198 Rev 8, T57
    assert bool(part.read("RCC", CR) & HSERDY) is ready


@pytest.fixture
def crystal(board_with):
    """A part whose 8 MHz crystal runs."""
    part = Part(board=board_with(CRYSTAL))
    part.set_bits("RCC", CR, HSEON)
    part.advance(2.1e-3)
    return part


def test_a_clock_plan_on_the_crystal(crystal):
    crystal.write("RCC", CFGR, HSE)
    assert crystal.mcu.core.hclk_hz == 8_000_000
    crystal.write("RCC", CFGR, 0)
    crystal.write("RCC", PLLCFGR, HSE_8_TO_80_MHZ)
    crystal.set_bits("RCC", CR, PLLON)
    crystal.advance(20e-6)
    crystal.write("RCC", CFGR, PLL)
    assert crystal.mcu.core.hclk_hz == 80_000_000
    # What the system clock hangs on by the PLL stays on.
    crystal.write("RCC", CR, MSI_4_MHZ)
    assert crystal.read("RCC", CR) & (HSEON | PLLON) == HSEON | PLLON


def test_its_interrupt_tells_that_it_is_ready(board_with):
    part = Part(board=board_with(CRYSTAL))
    part.write("RCC", CIER, 1 << 4)
    part.set_bits("RCC", CR, HSEON)
    part.advance(2.1e-3)
    assert part.read("RCC", CIFR) == 1 << 4
    part.write("RCC", CICR, 1 << 4)
    assert part.read("RCC", CIFR) == 0


def test_bypass_is_chosen_while_it_is_off(crystal):
    crystal.set_bits("RCC", CR, HSEBYP)
    assert not crystal.read("RCC", CR) & HSEBYP
    crystal.write("RCC", CR, MSI_4_MHZ)
    crystal.set_bits("RCC", CR, HSEBYP)
    assert crystal.read("RCC", CR) & HSEBYP


def test_a_running_crystal_draws_its_own_current(crystal):
    with_crystal_a = crystal.current_a
    crystal.write("RCC", CR, MSI_4_MHZ)
    assert with_crystal_a - crystal.current_a == pytest.approx(0.44e-3)  # DS10198 Rev 8, T57


def test_rtc_on_a_thirty_second_of_it_until_stop(crystal):
    crystal.enable_clock(0x58, 28)
    crystal.set_bits("PWR", 0x00, 1 << 8)
    crystal.write("RCC", BDCR, 1 << 15 | 3 << 8)
    assert crystal.mcu.peripherals.rcc.rtc_hz == 250_000
    crystal.mcu.peripherals.rcc.enter_stop(stop_2=False)
    assert crystal.mcu.peripherals.rcc.rtc_hz == 0


@pytest.mark.parametrize(("selection", "divider", "hz"), [(4, 0, 8e6), (4, 3, 1e6), (2, 1, 2e6), (0, 0, 0)])
def test_a_timer_measures_mco(crystal, selection, divider, hz):
    crystal.write("RCC", CFGR, selection << 24 | divider << 28)
    assert crystal.mcu.peripherals.kernel_clocks.oscillator_hz("mco") == hz
    named = [access for access in crystal.mcu.peripherals.unmodelled.accesses if "MCOSEL" in access.register]
    assert bool(named) is bool(hz)  # no edges are at the pin


@pytest.mark.parametrize("by_pll", [False, True])
def test_a_failure_goes_over_to_the_wake_up_clock_and_asks_for_the_nmi(crystal, by_pll):
    crystal.set_bits("RCC", CR, CSSON)
    crystal.write("RCC", PLLCFGR, HSE_8_TO_80_MHZ)
    crystal.set_bits("RCC", CR, PLLON)
    crystal.advance(20e-6)
    crystal.write("RCC", CFGR, PLL if by_pll else HSE)
    crystal.mcu.peripherals.rcc.stop_hse()
    assert crystal.read("RCC", CIFR) == CSSF
    assert crystal.read("RCC", CR) & (HSEON | HSERDY | CSSON | MSION) == MSION
    assert bool(crystal.read("RCC", CR) & PLLON) is not by_pll
    assert crystal.read("RCC", CFGR) & 0xF == 0
    assert crystal.mcu.core.hclk_hz == 4_000_000
    assert crystal.mcu.core._nvic.level >> NMI & 1
    crystal.write("RCC", CICR, CSSF)
    assert not crystal.mcu.core._nvic.level >> NMI & 1
    assert crystal.read("RCC", CIFR) == 0


def test_a_failure_breaks_timers_that_listen(crystal):
    crystal.enable_clock(0x60, 11)
    for control, kept in ((1 << 15, True), (1 << 15 | 1 << 12, False)):
        crystal.mcu.peripherals.rcc.oscillators["hse"].force_ready()
        crystal.set_bits("RCC", CR, HSEON | CSSON)
        crystal.pins["PB12"].set_external_level(True, crystal.now_ps)
        crystal.write("TIM1", 0x44, control | 1 << 13)
        crystal.mcu.peripherals.rcc.stop_hse()
        assert bool(crystal.read("TIM1", 0x44) & 1 << 15) is kept


def test_without_css_a_failure_is_not_told(crystal):
    crystal.mcu.peripherals.rcc.stop_hse()
    assert crystal.read("RCC", CIFR) == 0
    assert not crystal.read("RCC", CR) & HSERDY


@pytest.mark.parametrize(
    ("hse", "what"), [("3_000_000", "4000000 to"), ("8_000_000", "hse_source"), ('"fitted"', "4000000 to")]
)
def test_a_board_s_file_that_cannot_be_is_refused(board_with, hse, what):
    with pytest.raises(DatasheetError, match=what):
        board.Board.load(board_with(hse))
