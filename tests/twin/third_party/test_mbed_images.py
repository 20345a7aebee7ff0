# SPDX-License-Identifier: Apache-2.0
"""Mbed firmware on ST's HAL and on RTX, as others built it: it must start, run and sleep.

Nothing of these images is ours and no source is needed: what is expected follows from the boards' drawings,
from what Mbed promises (a wait takes at least its time by the microsecond timer) and from the datasheet.
Both start the 32.768 kHz crystal, lock the MSI at 48 MHz to it, and make 80 MHz from it with the PLL.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.twin.bare_part import PS_PER_S, BarePart

SUPPLY_V = 3.0
LSE_START_S = 2.0
"""Typical start-up time of the LSE: DS10198 Rev 8, table 58."""
HCLK_HZ = 32_768 * 1465 / 6 * 40 / 4
"""The locked MSI is a whole multiple of the crystal, 48.005 MHz in range 11 (DS10198 Rev 8, MSI in PLL mode);
the images write M = 6, N = 40, R = 4."""
US_TIMER_HZ = HCLK_HZ / 80
"""Mbed's microsecond timer, TIM5, divides what it takes for 80 MHz by 80."""
CODE_S = 20e-6
"""More than any path takes between two waits: 1,600 cycles."""

RUN_80_MHZ_A, SLEEP_80_MHZ_A = 10.2e-3, 2.96e-3
"""Run from flash, cache on, and Sleep, flash on; 80 MHz, 25 °C, 3.0 V: DS10198 Rev 8, tables 27 and 42."""
MSI_48_MHZ_A = 155e-6
"""MSI, range 11; DS10198 Rev 8, table 61. The tables above are taken with an external clock."""
APB1_BRIDGE, GPIOA, GPIOB, TIM5, USART2 = 0.9e-12, 4.8e-12, 4.8e-12, 6.5e-12, 5.5e-12
"""A/Hz in range 1, USART2 with its kernel clock (1.4 + 4.1 µA/MHz); DS10198 Rev 8, table 51."""
RCC_CFGR, RCC_BDCR, FLASH_ACR, TIM5_CNT = 0x08, 0x90, 0x00, 0x24
MSI_PLL_MODE, SWS_PLL, FOUR_WAIT_STATES = 1 << 2, 0xC, 4


class Board(BarePart):
    """A supplied part that runs an image, and what its pins did: (time in s, level)."""

    def __init__(self, image: bytes) -> None:
        super().__init__(image)
        self.edges: dict[str, list[tuple[float, bool | None]]] = {}
        # The rows that these tests sum are for ST's reduced code; what other code draws is left out.
        self.mcu._current.settle = lambda: None
        self.mcu.set_supply_voltage(SUPPLY_V)

    def watch(self, *names: str) -> None:
        for name in names:
            seen = self.edges.setdefault(name, [])
            self.pins[name].level_out_changed.connect(
                lambda at, level, seen=seen: seen.append((at / PS_PER_S, level))
            )

    def read(self, block: str, offset: int) -> int:
        return self.mcu.peripherals.blocks[block].read(offset, 4)

    def currents_a(self, start_s: float, end_s: float, step_s: float) -> np.ndarray:
        """The mean currents of the windows of that past interval."""
        edges = np.arange(round(start_s * PS_PER_S), round(end_s * PS_PER_S), round(step_s * PS_PER_S))
        return np.asarray(self.mcu.supply.mean_current_a(edges.astype(np.int64)))


def assert_runs_at_80_mhz_on_the_crystal(board: Board) -> None:
    assert board.mcu.core.hclk_hz == pytest.approx(HCLK_HZ, rel=1e-7)
    assert board.read("RCC", RCC_CFGR) & 0xC == SWS_PLL
    assert board.read("RCC", 0) & MSI_PLL_MODE
    assert board.read("RCC", RCC_BDCR) & 3 == 3, "the crystal is on and ready"
    assert board.read("FLASH", FLASH_ACR) & 7 == FOUR_WAIT_STATES


def test_mbed_on_the_nucleo_waits_for_the_crystal_then_lights_its_led_at_80_mhz(
    third_party_image: Callable[[str], bytes],
) -> None:
    board = Board(third_party_image("nucleo_l476rg"))
    board.watch("PA2", "PA5")
    board.advance_to(round((LSE_START_S) * PS_PER_S))
    assert board.mcu.core.hclk_hz == 4_000_000, "it waits on the MSI as reset left it"
    assert not board.edges["PA5"]
    board.advance_to(round((LSE_START_S + 0.002) * PS_PER_S))
    assert_runs_at_80_mhz_on_the_crystal(board)
    assert board.pins["PA2"].level_out is True, "USART2_TX idles high"
    first, lit = board.edges["PA5"]
    assert (first[1], lit[1]) == (False, True), "LD2 on PA5"

    count, start_s = board.read("TIM5", TIM5_CNT), board.mcu.scheduler.now_ps / PS_PER_S
    board.advance_to(round((start_s + 0.01) * PS_PER_S))
    assert board.read("TIM5", TIM5_CNT) - count == pytest.approx(0.01 * US_TIMER_HZ, abs=2)
    awake_a = RUN_80_MHZ_A + MSI_48_MHZ_A + HCLK_HZ * (APB1_BRIDGE + GPIOA + TIM5 + USART2)
    assert board.currents_a(start_s, start_s + 0.01, 0.009)[0] == pytest.approx(awake_a, rel=0.02)


@pytest.fixture(scope="module")
def rtx(third_party_image: Callable[[str], bytes]) -> Board:
    board = Board(third_party_image("l475_iot01a"))
    board.watch("PA5", "PB14")
    board.advance_to(round((LSE_START_S + 6.5) * PS_PER_S))
    return board


def test_two_threads_of_rtx_wait_their_times_by_the_tick_and_by_the_microsecond_timer(rtx: Board) -> None:
    assert_runs_at_80_mhz_on_the_crystal(rtx)
    led1 = np.diff([at for at, _ in rtx.edges["PA5"][1:]])  # the pin's set-up comes first
    half_s = 500_000 / US_TIMER_HZ
    assert len(led1) == 11
    assert np.all((led1 >= half_s) & (led1 < half_s + CODE_S)), led1

    tick_s = 80_000 / HCLK_HZ
    led2 = np.diff([at for at, _ in rtx.edges["PB14"][1:]])
    assert len(led2) == 8
    assert 749 * tick_s <= led2[0] <= 750 * tick_s + CODE_S, "a delay begins somewhere within a tick"
    assert led2[1:] == pytest.approx(750 * tick_s, abs=375 / HCLK_HZ), "a reload off by one is 750 cycles"


def test_idle_rtx_sleeps_with_the_datasheets_current_and_wakes_at_each_tick(rtx: Board) -> None:
    start_s = 8.1
    currents = rtx.currents_a(start_s, start_s + 0.1, 10e-6)
    asleep_a = SLEEP_80_MHZ_A + MSI_48_MHZ_A + HCLK_HZ * (APB1_BRIDGE + GPIOA + GPIOB + TIM5)
    assert np.median(currents) == pytest.approx(asleep_a, rel=0.02)
    awake = currents > 1.02 * asleep_a
    ticks = np.flatnonzero(awake[1:] & ~awake[:-1])
    assert len(ticks) == pytest.approx(0.1 * HCLK_HZ / 80_000, abs=1), "SysTick's reload is 79,999"
