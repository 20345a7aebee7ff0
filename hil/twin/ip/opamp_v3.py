# SPDX-License-Identifier: Apache-2.0
"""Operational amplifiers OPAMP1 and OPAMP2 (RM0351, OPAMP section): follower and programmable gain.

Not modelled: the standalone mode, whose feedback is outside, the low-power mode, the supply range, and
calibration with its trimmings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from hil.parts import Block
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.pins import AnalogSource, Pins, sampler

OPAMP1_CSR: Final = 0x00
OPAMP2_CSR: Final = 0x10
_CSR: Final = (OPAMP1_CSR, OPAMP2_CSR)
_TRIMMINGS: Final = (0x04, 0x08, 0x14, 0x18)

_EN, _VPSEL = 1, 1 << 10
_OPAMODE: Final = 3 << 2
_VMSEL: Final = 3 << 8
_LOW_POWER_AND_CALIBRATION: Final = 1 << 1 | 7 << 12
_RANGE: Final = 1 << 31
_FOLLOWER, _PGA = 3, 2


@dataclass(frozen=True)
class _Pins:
    """Where an amplifier's terminals are."""

    plus: str
    output: str


_PINS: Final = (_Pins("PA0", "PA3"), _Pins("PA6", "PB0"))
"""DS10198 Rev 8, Table 16; ST's HAL, OPAMP driver."""


class _Amplifier:
    """The output of one amplifier, as the source of the voltage on its pin (assumption opamp_output)."""

    def __init__(self, gain: Callable[[], int], source: "_Input", supply_v: Callable[[], float]) -> None:
        self._gain = gain
        self._source = source
        self._supply_v = supply_v

    def voltage_v(self, time_ps: int) -> float:
        """The output voltage at an instant, in volts."""
        return float(self.voltages_v(np.array([time_ps], dtype=np.int64))[0])

    def voltages_v(self, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The same at many instants."""
        input_v = self._source(times_ps)
        if input_v is None:
            return np.zeros(len(times_ps))
        return np.clip(input_v * self._gain(), 0.0, self._supply_v())


_Input = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64] | None]


class OpAmps(RegisterBlock):
    """Both amplifiers; ``dac_output`` gives what a channel of the DAC puts inside."""

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys((*_CSR, *_TRIMMINGS), 0)
    writable: ClassVar[Mapping[int, int]] = {
        OPAMP1_CSR: 0x8000_773F,
        OPAMP2_CSR: 0x0000_773F,
        **dict.fromkeys(_TRIMMINGS, 0x1F1F),
    }
    not_modelled: ClassVar[Mapping[int, int]] = {
        OPAMP1_CSR: _LOW_POWER_AND_CALIBRATION | _RANGE,
        OPAMP2_CSR: _LOW_POWER_AND_CALIBRATION,
        **dict.fromkeys(_TRIMMINGS, 0x1F1F),
    }
    stored_only: ClassVar[Mapping[int, int]] = dict.fromkeys(_CSR, _VMSEL)
    """Where a filter's capacitor would hang; only the standalone mode needs it otherwise."""

    def __init__(
        self,
        block: Block,
        pins: Pins,
        ports: Mapping[str, GpioPort],
        supply_v: Callable[[], float],
        dac_output: Callable[[int], AnalogSource | None],
    ) -> None:
        super().__init__(block)
        self._pins = pins
        self._ports = ports
        self._dac_output = dac_output
        self._amplifiers = tuple(
            _Amplifier(self._gain_of(index), self._input_of(index), supply_v) for index in (0, 1)
        )
        for both in _PINS:
            pin = pins[both.plus]
            pin.external_level_changed.connect(lambda _time_ps, _level: self.refresh())
            pin.level_out_changed.connect(lambda _time_ps, _level: self.refresh())
            pin.analog_changed.connect(self.refresh)

    def reset(self) -> None:
        """System reset: both off."""
        super().reset()
        self.refresh()

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        self.store(offset, value)
        if offset in _CSR:
            standalone = field(self.words[offset], 2, 2) not in (_PGA, _FOLLOWER)
            if self.words[offset] & _EN and standalone and self.unknowns is not None:
                self.unknowns.without_effect(self, offset, _OPAMODE)
            self.refresh()

    def refresh(self) -> None:
        """An input may have stepped, or a setting has changed."""
        for index, amplifier in enumerate(self._amplifiers):
            control = self.words[_CSR[index]]
            driving = control & _EN and field(control, 2, 2) in (_PGA, _FOLLOWER)
            self._pins[_PINS[index].output].drive_analog(amplifier if driving else None)

    def _gain_of(self, index: int) -> Callable[[], int]:
        def gain() -> int:
            control = self.words[_CSR[index]]
            return 1 if field(control, 2, 2) == _FOLLOWER else 2 << field(control, 4, 2)

        return gain

    def _input_of(self, index: int) -> _Input:
        def voltages_v(times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
            if self.words[_CSR[index]] & _VPSEL:
                output = self._dac_output(index)
                return None if output is None else sampler(output)(times_ps)
            plus = _PINS[index].plus
            return self._ports[plus[1]].voltages_v(int(plus[2:]), times_ps)

        return voltages_v
