# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.measurement.text import uncertain, with_unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.4e-6, "A", "3.4 µA"),
        (1e-3, "A", "1 mA"),
        (0.00099996, "A", "1 mA"),
        (12.3456, "s", "12.35 s"),
        (36000.0, "s", "36000 s"),
        (-2.5e-9, "C", "-2.5 nC"),
        (0.0, "A", "0 A"),
        (213.4, "day", "213.4 day"),
        (0.000123, "", "0.000123"),
        (80e6, "Hz", "80 MHz"),
    ],
)
def test_with_unit(value: float, unit: str, text: str) -> None:
    assert with_unit(value, unit) == text


@pytest.mark.parametrize(
    ("value", "uncertainty", "unit", "text"),
    [
        (1.6704e-6, 9.7e-9, "A", "1.6704 ± 0.0097 µA"),
        (10.00012, 2e-5, "s", "10.000120 ± 0.000020 s"),
        (2e-9, 8e-9, "A", "2.0 ± 8.0 nA"),
        (0.0, 8e-9, "A", "0.0 ± 8.0 nA"),
        (7.0, 0.0, "", "7"),
    ],
)
def test_uncertain_keeps_two_digits_of_the_uncertainty(
    value: float, uncertainty: float, unit: str, text: str
) -> None:
    assert uncertain(value, uncertainty, unit) == text
