# SPDX-License-Identifier: Apache-2.0
"""An open wire at the sensor's pin is the bench's fault, and is found before the firmware is blamed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.config import load_rig
from hil.errors import RigError
from hil.rig import sensor_wire

CONFIG = load_rig(Path(__file__).parents[2] / "rig_configs" / "sim.toml")


class Wire:
    """An analog output, and what an input reads at the pin: ``gain`` of it, and ``offset_v``."""

    def __init__(self, gain: float, offset_v: float) -> None:
        self.gain, self.offset_v = gain, offset_v
        self.driven_v: list[float] = []

    def set_voltage(self, terminal: str, voltage_v: float) -> None:
        assert terminal == "Dev1/ao0"
        self.driven_v.append(voltage_v)

    def acquire(self, terminals: list[str], _rate_hz: float, count: int) -> NDArray[np.float64]:
        assert terminals == ["Dev1/ai0"]
        return np.full((1, count), self.gain * self.driven_v[-1] + self.offset_v)


@pytest.mark.parametrize(("gain", "offset_v"), [(1.0, 0.0), (1.0, 0.045), (0.99, 0.0)])
def test_a_pin_that_follows_is_left_at_its_lowest_voltage(gain: float, offset_v: float) -> None:
    wire = Wire(gain, offset_v)
    sensor_wire.check(cast(Any, wire), CONFIG)
    assert wire.driven_v == [1.5, 0.0]


@pytest.mark.parametrize(
    ("gain", "offset_v", "told"),
    [(0.0, 0.0, "reads 0.* V with Dev1/ao0 at 1.5"), (0.0, 1.5, "with Dev1/ao0 at 0"), (0.9, 0.0, "1.35")],
)
def test_a_pin_that_does_not_is_the_bench_s_fault(gain: float, offset_v: float, told: str) -> None:
    """An open readback reads 0 V or floats at some voltage; an open output leaves the pin where it was."""
    with pytest.raises(RigError, match=told) as error:
        sensor_wire.check(cast(Any, Wire(gain, offset_v)), CONFIG)
    assert "from Dev1/ao0 and from Dev1/ai0 to PA0" in str(error.value)


def test_what_is_allowed_grows_with_the_output_s_own_accuracy() -> None:
    assert CONFIG.daq is not None
    coarse = CONFIG.daq.analog_output.model_copy(update={"gain": 0.02, "offset_v": 0.1})
    config = CONFIG.model_copy(update={"daq": CONFIG.daq.model_copy(update={"analog_output": coarse})})
    sensor_wire.check(cast(Any, Wire(0.9, 0.0)), config)


def test_a_rig_without_a_readback_is_not_asked() -> None:
    wiring = CONFIG.wiring.model_copy(update={"sensor_readback": None})
    sensor_wire.check(cast(Any, SimpleNamespace()), CONFIG.model_copy(update={"wiring": wiring}))
