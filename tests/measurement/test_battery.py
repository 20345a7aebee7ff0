# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.datasheet import batteries
from hil.errors import MeasurementError
from hil.measurement import battery


def test_life_is_capacity_over_current() -> None:
    cell = batteries.get("cr2032_panasonic")
    life = battery.life(cell, 25e-6, 0.5e-6)
    assert life.days == pytest.approx(225e-3 / 25e-6 / 24)  # 225 mAh at 25 µA: 9000 h
    assert life.expanded_uncertainty_days == pytest.approx(0.02 * life.days)


@pytest.mark.parametrize("average_a", [0.0, -1e-9])
def test_no_current_empties_no_battery(average_a: float) -> None:
    with pytest.raises(MeasurementError, match="empties no battery"):
        battery.life(batteries.get("cr2032_panasonic"), average_a, 1e-9)
