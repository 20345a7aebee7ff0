# SPDX-License-Identifier: Apache-2.0
"""Field types of the rig configuration: a text with a unit in the file, an SI float in the model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from hil import quantity


def _of(unit: str) -> BeforeValidator:
    """A validator that reads a quantity of the dimension of ``unit`` and returns it in ``unit``."""

    def read(value: Any) -> float:
        # A bare TOML number is handed on as its text, so that it fails for the right reason: no unit.
        return quantity.parse(value if isinstance(value, str) else repr(value), unit)

    return BeforeValidator(read)


Voltage = Annotated[float, _of("V")]
"""Volts."""
Current = Annotated[float, _of("A")]
"""Amperes."""
Duration = Annotated[float, _of("s")]
"""Seconds."""
Frequency = Annotated[float, _of("Hz")]
"""Hertz."""
Temperature = Annotated[float, _of("degC")]
"""Degrees Celsius."""
TemperatureDifference = Annotated[float, _of("delta_degC")]
"""A difference of two temperatures in degrees Celsius."""
Resistance = Annotated[float, _of("ohm")]
"""Ohms."""
AccelerationPerVolt = Annotated[float, _of("m/s/s/V")]
"""Metres per second squared for each volt."""
Ratio = Annotated[float, _of("ratio")]
"""A relative figure ("0.025 %", "50 ppm") as a fraction of one."""
