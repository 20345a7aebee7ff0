# SPDX-License-Identifier: Apache-2.0
"""What a wake costs on the emulated part at 3.0 V and 25 °C, and where the charge goes."""

from __future__ import annotations

import pytest

from hil.boards import REFERENCE, Board
from hil.firmware.build import build
from hil.firmware.image import Image
from tests.firmware.emulated_part import Part

L476 = Board.load(REFERENCE).part

PERIOD_S = 10.0
WINDOW_S = 0.512
AVERAGE_BUDGET_A = 20e-6


@pytest.fixture(scope="module")
def by_clock() -> dict[tuple[str, float], tuple[float, float]]:
    """The charge of one period, from the middle of one sleep to the middle of the next."""
    part = Part(Image.load(build()))
    part.advance(3.0)
    middle_s = part.rises("PB10")[-1] + PERIOD_S / 2
    return part.charge_by_clock(middle_s, middle_s + PERIOD_S)


def test_average_current_keeps_the_budget(by_clock: dict[tuple[str, float], tuple[float, float]]) -> None:
    for (mode, clock_mhz), (duration_s, charge_c) in by_clock.items():
        print(f"{mode:8} {clock_mhz:6.2f} MHz {1e3 * duration_s:9.3f} ms {1e6 * charge_c:7.3f} µC")
    average_a = sum(charge_c for _, charge_c in by_clock.values()) / PERIOD_S
    print(f"average {1e6 * average_a:.3f} µA")
    assert average_a < AVERAGE_BUDGET_A


def test_sampling_is_low_power_sleep_with_the_flash_off(
    by_clock: dict[tuple[str, float], tuple[float, float]],
) -> None:
    (sampling,) = [figures for (mode, _), figures in by_clock.items() if mode == "lpsleep"]
    duration_s, charge_c = sampling
    assert duration_s == pytest.approx(WINDOW_S, abs=2e-3)
    adc_a = sum(min(L476.fact(name).typ) for name in ("adc_idda", "adc_ivref_single"))  # type: ignore[arg-type,type-var]
    flash_off_a = L476.run_current("lpsleep_flash_pd", 200e3, 25.0).typ
    flash_on_a = L476.run_current("lpsleep_flash_on", 200e3, 25.0).typ
    assert flash_off_a + adc_a < charge_c / duration_s < flash_on_a + adc_a


def test_sleep_between_wakes_is_the_datasheets_and_the_lsi(
    by_clock: dict[tuple[str, float], tuple[float, float]],
) -> None:
    duration_s, charge_c = by_clock["stop2", 0.0]
    assert duration_s > PERIOD_S - 0.6
    typical_a = L476.supply_current("stop2_rtc_lse_quartz", 3.0, 25.0).typ
    typical_a += L476.fact("lsi").typ_scalar()  # which the crystal's clock security system needs
    assert charge_c / duration_s == pytest.approx(typical_a, rel=0.01)
