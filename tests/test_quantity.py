# SPDX-License-Identifier: Apache-2.0
"""Quantities: texts with units in, SI floats inside, texts out."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil import quantity
from hil.errors import QuantityError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.0 V", "V", 3.0),
        ("1.4 uA", "A", 1.4e-6),
        ("1.4 µA", "A", 1.4e-6),  # U+00B5, on keyboards
        ("1.4 μA", "A", 1.4e-6),  # U+03BC, in Greek fonts
        ("10 uA", "A", 1e-5),
        ("4 MHz", "Hz", 4e6),
        ("25 °C", "degC", 25.0),
        ("-40°C", "degC", -40.0),
        ("2 °C", "delta_degC", 2.0),
        ("2 K", "delta_degC", 2.0),
        ("50 ppm", "ratio", 50e-6),
        ("0.025 %", "ratio", 2.5e-4),
        ("225 mA h", "C", 810.0),
        ("1e-3 s", "s", 1e-3),
    ],
)
def test_parse(text: str, unit: str, value: float) -> None:
    assert quantity.parse(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("115200", "Hz", "has no unit"),
        ("3 A", "V", "is not a voltage"),
        ("3 volt meter", "V", "is not a voltage"),
        ("3 Vx", "V", "unknown unit 'Vx'"),
        ("three V", "V", "is not a number with a unit"),
        ("3 V)", "V", "malformed unit"),
        ("3 V**9999999", "V", "malformed unit"),
        ("1e999 V", "V", "too large"),
        ("3 V", "ratio", "is not a relative figure"),
        ("", "V", "is not a number with a unit"),
    ],
)
def test_parse_refuses_and_says_what_would_be_right(text: str, unit: str, reason: str) -> None:
    with pytest.raises(QuantityError) as caught:
        quantity.parse(text, unit)
    assert reason in caught.value.message
    assert "such as" in caught.value.expected


@given(st.text(max_size=20), st.sampled_from(["V", "A", "s", "degC", "delta_degC", "ratio"]))
def test_parse_never_fails_otherwise(text: str, unit: str) -> None:
    with contextlib.suppress(QuantityError):
        assert isinstance(quantity.parse(f"1 {text}", unit), float)
