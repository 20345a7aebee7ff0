# SPDX-License-Identifier: Apache-2.0
"""What the ADC's input multiplexer reaches: pins, reference, temperature sensor, battery divider."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from hil.parts import Part
from hil.twin.peripherals.gpio import GpioPort

_CHANNEL_PINS: Final = {
    **{channel: ("C", channel - 1) for channel in range(1, 5)},
    **{channel: ("A", channel - 5) for channel in range(5, 13)},
    13: ("C", 4),
    14: ("C", 5),
    15: ("B", 0),
    16: ("B", 1),
}
"""Pins of ADC1_IN1 to ADC1_IN16 (DS10198 Rev 8, Table 16)."""

CHANNEL_VREFINT: Final = 0
CHANNEL_TEMPERATURE: Final = 17
CHANNEL_VBAT: Final = 18
_TEMPERATURE_REFERENCE_C: Final = 30.0


class AnalogInputs:
    """The voltages at the inputs of ADC1."""

    def __init__(
        self,
        part: Part,
        ports: Mapping[str, GpioPort],
        supply_v: Callable[[], float],
        battery_v: Callable[[], float],
        temperature_c: Callable[[], float],
    ) -> None:
        self._part = part
        self._ports = ports
        self._supply_v = supply_v
        self._battery_v = battery_v
        self._temperature_c = temperature_c

    def supply_v(self) -> float:
        """VDDA, which is also VREF+ on every board here (their files say so under [ties])."""
        return self._supply_v()

    def voltage_v(self, channel: int, time_ps: int) -> float | None:
        """The voltage at a channel in volts, ``None`` if it floats.

        A pin reaches the ADC only through its analog switch, GPIOx_ASCR (RM0351, GPIO section, analog mode).
        """
        if channel == CHANNEL_VREFINT:
            return self._part.fact("vrefint").typ_scalar()
        if channel == CHANNEL_TEMPERATURE:
            at_30c_v = self._part.fact("temp_sensor_v30").typ_scalar()
            slope_v_per_c = self._part.fact("temp_sensor_slope").typ_scalar()
            return at_30c_v + slope_v_per_c * (self._temperature_c() - _TEMPERATURE_REFERENCE_C)
        if channel == CHANNEL_VBAT:
            return self._battery_v() / 3  # the divider by 3 (ST's HAL, LL_ADC_CHANNEL_VBAT)
        pin = self._pin(channel)
        return None if pin is None else pin[0].voltage_v(pin[1], time_ps)

    def voltages_v(self, channel: int, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
        """What :meth:`voltage_v` would answer at each of ``times_ps``, if nothing is switched meanwhile."""
        pin = self._pin(channel)
        if pin is not None:
            return pin[0].voltages_v(pin[1], times_ps)
        level_v = self.voltage_v(channel, int(times_ps[0]))
        return None if level_v is None else np.full(len(times_ps), level_v)

    def _pin(self, channel: int) -> tuple[GpioPort, int] | None:
        """The pin that is connected to a channel, by its port and number."""
        where = _CHANNEL_PINS.get(channel)
        if where is None:
            return None
        port, index = self._ports[where[0]], where[1]
        return (port, index) if port.analog_switch_closed(index) else None
