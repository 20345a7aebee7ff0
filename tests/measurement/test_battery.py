# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace

import pytest

from hil.boards import REFERENCE, Board
from hil.datasheet import batteries
from hil.errors import MeasurementError
from hil.measurement import battery
from hil.measurement.uncertainty import Estimate

PART = Board.load(REFERENCE).part
COIN = batteries.get("cr2032_panasonic")
PAIR = batteries.get("l91_energizer_pair")


def test_life_is_capacity_over_current() -> None:
    life = battery.life(COIN, Estimate(25e-6, 0.5e-6), PART)
    assert life.days.value == pytest.approx(225e-3 / 25e-6 / 24)  # 225 mAh at 25 µA: 9000 h
    assert life.days.expanded_uncertainty == pytest.approx(0.02 * life.days.value)
    assert not life.bounded


def test_reading_a_chart_adds_to_the_uncertainty() -> None:
    life = battery.life(PAIR, Estimate(100e-6, 2e-6), PART)
    assert life.days.value == pytest.approx(3500e-3 / 100e-6 / 24)
    relative = math.hypot(0.02 / 1.959964, 0.03 / math.sqrt(3))
    assert life.days.standard_uncertainty == pytest.approx(relative * life.days.value)


def test_no_more_than_the_shelf_life_is_claimed() -> None:
    life = battery.life(PAIR, Estimate(5e-6, 0.1e-6), PART)
    assert life.days == Estimate(20 * 365.25, 0.0)
    assert life.charge_days.value == pytest.approx(3500e-3 / 5e-6 / 24)
    assert life.bounded
    assert any("shelf life of 20 years at 21 °C" in note and "79.9 ±" in note for note in life.notes)


def test_a_charge_that_may_fall_short_of_the_shelf_life_leaves_that_open() -> None:
    just_more_a = 3500e-3 / (20.1 * 365.25 * 24)
    life = battery.life(PAIR, Estimate(just_more_a, 0.0), PART)
    lowest = life.charge_days.value - life.charge_days.expanded_uncertainty
    assert life.days.value - life.days.expanded_uncertainty == pytest.approx(lowest)


def test_a_cell_without_a_stated_shelf_life_is_bounded_by_its_charge_alone() -> None:
    unstated = replace(COIN, shelf_life_days=None)
    assert not battery.life(unstated, Estimate(1e-6, 0.0), PART).bounded


def test_what_the_part_cannot_use_is_said() -> None:
    told = " ".join(battery.life(PAIR, Estimate(20e-6, 0.0), PART).notes)
    assert "down to 1.6 V, but the part needs 1.71 V" in told
    assert "reaches 3.6 V" in told
    assert "the part needs" not in " ".join(battery.life(COIN, Estimate(20e-6, 0.0), PART).notes)


@pytest.mark.parametrize("average_a", [0.0, -1e-9])
def test_no_current_empties_no_battery(average_a: float) -> None:
    with pytest.raises(MeasurementError, match="empties no battery"):
        battery.life(COIN, Estimate(average_a, 1e-9), PART)


@pytest.mark.parametrize(
    ("days", "text"),
    [(Estimate(843.1, 14.2), "2.308 ± 0.039 years"), (Estimate(180.4, 2.6), "180.4 ± 2.6 days")],
)
def test_a_life_is_told_in_years(days: Estimate, text: str) -> None:
    assert battery.in_years(days) == text
