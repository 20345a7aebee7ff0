# SPDX-License-Identifier: Apache-2.0
"""Quantities at the border: text with a unit in, SI floats inside; hil.measurement.text writes them.

Inside the project a number is a float in SI units with the unit in its name (``current_a``, ``period_s``).
Two deviations are wanted, because every datasheet uses them: temperatures are in degrees Celsius
(``temperature_c``), and relative figures ("50 ppm", "0.025 %") become plain fractions.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any

import pint

from hil.errors import QuantityError

_NUMBER_AND_UNIT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*)?")

_UNIT = re.compile(r"[A-Za-zµμ°Ω]+(?:(?:\s*[*/]\s*|\s+)[A-Za-zµμ°Ω]+)*")
"""What is handed to pint as a unit: words, "*" and "/". pint evaluates expressions; none is needed."""

_PARTS_OF_ONE = {"%": 1e2, "ppm": 1e6}
"""Relative units: so many of them make one."""

_EXAMPLES = {
    "V": '"3.0 V"',
    "A": '"100 mA"',
    "s": '"10 s"',
    "Hz": '"4 MHz"',
    "degC": '"25 °C"',
    "delta_degC": '"2 °C"',
    "ratio": '"50 ppm" or "0.025 %"',
    "ohm": '"10 kohm"',
    "m/s/s/V": '"12.3 m/s/s/V"',
    "C": '"225 mA h"',
    "W": '"5 mW"',
    "J": '"3 uJ"',
}

_NAMES = {
    "V": "a voltage",
    "A": "a current",
    "s": "a time",
    "Hz": "a frequency",
    "degC": "a temperature",
    "delta_degC": "a temperature difference",
    "ratio": "a relative figure",
    "ohm": "a resistance",
    "m/s/s/V": "an acceleration per volt",
    "C": "a charge",
    "W": "a power",
    "J": "an energy",
}


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    """The one unit registry; made at the first use, because it costs 0.1 s."""
    return pint.UnitRegistry()


def parse(text: str, unit: str) -> float:
    """Read a quantity such as ``"1.4 uA"`` and return it as a float in ``unit``.

    Args:
        text: a decimal number and a unit; "u", "µ" (U+00B5) and "μ" (U+03BC) all mean micro.
        unit: the unit wanted, and with it the dimension: "V", "A", "s", "Hz", ...; "degC" for a temperature
            in degrees Celsius, "delta_degC" for a difference of two temperatures, "ratio" for "%" and "ppm".

    Raises:
        QuantityError: no number, no unit, an unknown unit, or a unit of another dimension.
    """
    wanted = f"{_NAMES.get(unit, unit)} with its unit, such as {_EXAMPLES.get(unit, f'1 {unit}')}"
    match = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if match is None:
        raise QuantityError(f"{text!r} is not a number with a unit", expected=wanted)
    number, unit_text = float(match[1]), match[2]
    if unit_text is None:
        raise QuantityError(f"{text!r} has no unit", expected=wanted)
    if unit == "ratio":
        if unit_text not in _PARTS_OF_ONE:
            raise QuantityError(f"{text!r} is not a relative figure", expected=wanted)
        return number / _PARTS_OF_ONE[unit_text]
    if _UNIT.fullmatch(unit_text) is None:
        raise QuantityError(f"{text!r} has a malformed unit {unit_text!r}", expected=wanted)
    registry = _registry()
    if unit == "delta_degC" and unit_text in ("°C", "degC"):
        unit_text = "delta_degC"  # "± 2 °C" is how people write a difference
    try:
        value = float(registry.Quantity(number, registry.Unit(unit_text)).to(unit).magnitude)
    except pint.UndefinedUnitError as error:
        raise QuantityError(f"{text!r} has an unknown unit {unit_text!r}", expected=wanted) from error
    except pint.DimensionalityError as error:
        raise QuantityError(f"{text!r} is not {_NAMES.get(unit, f'in {unit}')}", expected=wanted) from error
    except (pint.PintError, ValueError) as error:  # ValueError: "log(m)"-like units without a plain factor
        raise QuantityError(f"{text!r} has a malformed unit {unit_text!r}", expected=wanted) from error
    if not math.isfinite(value):
        raise QuantityError(f"{text!r} is too large to be a quantity", expected=wanted)
    return float(f"{value:.15g}")  # "10 uA" is 1e-05, without the last digit's noise of the conversion
