# SPDX-License-Identifier: Apache-2.0
"""What the ADCs' input multiplexers reach: pins, reference, temperature sensor, battery divider, the DAC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from hil.parts import Part
from hil.twin.ip.adc_v3.common import AdcCommon
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.pins import AnalogSource

Internal = Literal["vrefint", "temperature", "vbat", "dac_1", "dac_2"]


@dataclass(frozen=True)
class _Channels:
    """What the channels of one ADC reach."""

    pins: Mapping[int, tuple[str, int]]
    internal: Mapping[int, Internal]


_BY_ALL: Final = {channel: ("C", channel - 1) for channel in range(1, 5)}
_BY_ADC12: Final = {
    **_BY_ALL,
    **{channel: ("A", channel - 5) for channel in range(5, 13)},
    13: ("C", 4),
    14: ("C", 5),
    15: ("B", 0),
    16: ("B", 1),
}
_CHANNELS: Final = {
    "ADC1": _Channels(_BY_ADC12, {0: "vrefint", 17: "temperature", 18: "vbat"}),
    "ADC2": _Channels(_BY_ADC12, {17: "dac_1", 18: "dac_2"}),
    "ADC3": _Channels(
        {**_BY_ALL, **{channel: ("F", channel - 3) for channel in range(6, 14)}},
        {14: "dac_1", 15: "dac_2", 17: "temperature", 18: "vbat"},
    ),
}
"""Pins: DS10198 Rev 8, Table 16 (ADC123_IN, ADC12_IN, ADC3_IN). Internal channels: ST's HAL
(LL_ADC_CHANNEL_VREFINT and those that follow it)."""

_TEMPERATURE_REFERENCE_C: Final = 30.0


class AnalogInputs:
    """The voltages at the inputs of one ADC; ``dac_output`` gives what a channel of the DAC puts inside."""

    def __init__(
        self,
        part: Part,
        adc: str,
        common: AdcCommon,
        ports: Mapping[str, GpioPort],
        dac_output: Callable[[int], AnalogSource | None],
        *,
        supply_v: Callable[[], float],
        battery_v: Callable[[], float],
        temperature_c: Callable[[], float],
    ) -> None:
        self._part = part
        self._channels = _CHANNELS[adc]
        self._common = common
        self._ports = ports
        self._dac_output = dac_output
        self._supply_v = supply_v
        self._battery_v = battery_v
        self._temperature_c = temperature_c

    def supply_v(self) -> float:
        """VDDA, which is also VREF+ on every board here (their files say so under [ties])."""
        return self._supply_v()

    def voltages_v(self, channel: int, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
        """The voltage at a channel at each of ``times_ps`` in volts, if nothing is switched meanwhile;
        ``None`` if it floats.

        A pin reaches the ADC only through its analog switch, GPIOx_ASCR (RM0351, GPIO section, analog mode).
        """
        pin = self._channels.pins.get(channel)
        if pin is not None:
            port, index = self._ports[pin[0]], pin[1]
            return port.voltages_v(index, times_ps) if port.analog_switch_closed(index) else None
        level_v = self._internal_v(self._channels.internal.get(channel), int(times_ps[0]))
        return None if level_v is None else np.full(len(times_ps), level_v)

    def _internal_v(self, source: Internal | None, time_ps: int) -> float | None:
        """The voltage of a source that is connected."""
        if source in ("dac_1", "dac_2"):
            output = self._dac_output(0 if source == "dac_1" else 1)
            return None if output is None else output.voltage_v(time_ps)
        if source == "vrefint" and self._common.reference_buffer_on:
            return self._part.fact("vrefint").typ_scalar()
        if source == "temperature" and self._common.temperature_sensor_on:
            at_30c_v = self._part.fact("temp_sensor_v30").typ_scalar()
            slope_v_per_c = self._part.fact("temp_sensor_slope").typ_scalar()
            return at_30c_v + slope_v_per_c * (self._temperature_c() - _TEMPERATURE_REFERENCE_C)
        if source == "vbat" and self._common.battery_divider_on:
            return self._battery_v() / 3  # the divider by 3 (ST's HAL, LL_ADC_CHANNEL_VBAT)
        return None
