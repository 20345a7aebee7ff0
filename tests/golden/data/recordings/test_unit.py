# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.errors import QuantityError
from hil.golden.data.recordings.unit import Unit, parse_sensitivity
from hil.golden.data.sensor import SENSOR


@pytest.mark.parametrize(
    ("text", "factor", "is_voltage"),
    [
        ("V", 1.0, True),
        ("mV", 1e-3, True),
        ("2.5 V", 2.5, True),
        ("g", 1.0, False),
        ("50g", 50.0, False),
        ("9.80665 m/s^2", 1.0, False),
        ("m/s²", 1 / 9.80665, False),
        ("1e2 mg", 0.1, False),
    ],
)
def test_units_are_read(text: str, factor: float, is_voltage: bool):
    unit = Unit.parse(text)
    assert unit.factor == pytest.approx(factor)
    assert unit.is_voltage is is_voltage


@pytest.mark.parametrize("text", ["", "1", "A", "gram", "0 V", "-1 g", "V g", "mm/s"])
def test_other_units_are_refused(text: str):
    with pytest.raises(QuantityError, match="is no unit of a recording"):
        Unit.parse(text)


def test_an_acceleration_passes_through_the_sensor():
    values = np.array([0.0, 1.0, -0.5])
    assert Unit.parse("g").volts(values, SENSOR).tolist() == pytest.approx([1.5, 2.3, 1.1])
    assert Unit.parse("mV").volts(1000 * values, SENSOR).tolist() == pytest.approx([0.0, 1.0, -0.5])


def test_sensitivities_are_read():
    assert parse_sensitivity("100 mV/g") == pytest.approx(0.1)
    assert parse_sensitivity("0.8V/g") == pytest.approx(0.8)
    assert parse_sensitivity("10.197 mV/(m/s^2)") == pytest.approx(0.1, rel=1e-4)
    for text in ("100 mV", "100 /g", "-1 mV/g", "0 V/g", "1 A/g", "1 V/s"):
        with pytest.raises(QuantityError):
            parse_sensitivity(text)
