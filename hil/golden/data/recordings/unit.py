# SPDX-License-Identifier: Apache-2.0
"""What a number in a recording means: a voltage at the sensor's pin, or an acceleration."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.errors import QuantityError
from hil.golden.data.sensor import STANDARD_GRAVITY_M_S2, Sensor

# pint is not asked: to it, g is the gram.
_VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "μV": 1e-6, "Volts": 1.0, "volts": 1.0}
_G = {"g": 1.0, "mg": 1e-3, "G": 1.0, "gn": 1.0}
_M_S2 = ("m/s^2", "m/s²", "m/s2", "m/s**2", "m/s/s")

_NUMBER = r"\s*(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_TEXT = re.compile(_NUMBER + r"?\s*(?P<unit>\S+)\s*")
_SENSITIVITY = re.compile(_NUMBER + r"\s*(?P<volts>[^\s/]+)\s*/\s*(?P<per>\S+)\s*")


@dataclass(frozen=True)
class Unit:
    """One unit of a recording: so many volts at the pin, or so many g."""

    factor: float
    is_voltage: bool

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read what 1 in the file means: "V", "mV", "g", "9.81 m/s^2", "50 g" (a WAV file's full scale).

        Raises:
            QuantityError: neither a voltage nor an acceleration.
        """
        match = _TEXT.fullmatch(text)
        number = float(match["number"] or 1.0) if match else 0.0
        name = match["unit"] if match else ""
        if number > 0.0:
            if name in _VOLTS:
                return cls(number * _VOLTS[name], is_voltage=True)
            if name in _G:
                return cls(number * _G[name], is_voltage=False)
            if name in _M_S2:
                return cls(number / STANDARD_GRAVITY_M_S2, is_voltage=False)
        raise QuantityError(
            f"{text!r} is no unit of a recording",
            expected="V or mV at the sensor's pin, g or m/s^2, or so many of them such as 50 g",
        )

    def volts(self, values: npt.NDArray[np.float64], sensor: Sensor) -> npt.NDArray[np.float64]:
        """The voltage at the pin, before any clipping."""
        scaled = values * self.factor
        return scaled if self.is_voltage else sensor.bias_v + sensor.sensitivity_v_per_g * scaled


def parse_sensitivity(text: str) -> float:
    """Volts per g of the sensor at the pin, from "100 mV/g" or "10.2 mV/(m/s^2)".

    Raises:
        QuantityError: no sensitivity.
    """
    match = _SENSITIVITY.fullmatch(text)
    per = match["per"].removeprefix("(").removesuffix(")") if match else ""
    if match and match["volts"] in _VOLTS and float(match["number"]) > 0 and per in (*_G, *_M_S2):
        volts = float(match["number"]) * _VOLTS[match["volts"]]
        return volts / _G[per] if per in _G else volts * STANDARD_GRAVITY_M_S2
    raise QuantityError(
        f"{text!r} is no sensitivity of an accelerometer", expected='"100 mV/g" or "10.2 mV/(m/s^2)"'
    )
