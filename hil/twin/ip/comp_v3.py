# SPDX-License-Identifier: Apache-2.0
"""Comparators COMP1 and COMP2 (RM0351, COMP section): inputs, window mode, output to pins and EXTI.

Not modelled: hysteresis, power modes and blanking. The timers name in their option registers that no
comparator reaches them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.alternate_function import AlternateFunction
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.pins import AnalogSource, Pins

COMP1_CSR: Final = 0x00
COMP2_CSR: Final = 0x04
_CSR: Final = (COMP1_CSR, COMP2_CSR)

_EN, _WINMODE, _POLARITY, _BRGEN, _SCALEN = 1, 1 << 9, 1 << 15, 1 << 22, 1 << 23
_VALUE, _LOCK = 1 << 30, 1 << 31
_NOT_MODELLED: Final = 3 << 2 | 3 << 16 | 7 << 18
"""PWRMODE, HYST, BLANKING."""
_DAC_1, _DAC_2, _FIRST_PIN = 4, 5, 6
"""INMSEL codes; those below are the scaler's (ST's HAL, LL_COMP_INPUT_MINUS)."""
_SCALER: Final = (0.25, 0.5, 0.75, 1.0)

_STEP_PS: Final = 2_000_000
_STEPS: Final = 50
"""Assumption comparator_watch."""


@dataclass(frozen=True)
class _Pins:
    """The pins of one comparator, by INPSEL and from the INMSEL code 6 on."""

    plus: tuple[str, str]
    minus: tuple[str, str]


_PINS: Final = (_Pins(("PC5", "PB2"), ("PB1", "PC4")), _Pins(("PB4", "PB6"), ("PB3", "PB7")))
"""DS10198 Rev 8, Table 16; ST's HAL, LL_COMP_INPUT."""

Voltages = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64] | None]
"""Of an input at some instants, in volts; ``None`` if nothing is connected."""


class Comparators(RegisterBlock):
    """Both comparators.

    ``on_output(index, level)`` is called when an output changes; ``dac_output`` gives what a channel of the
    DAC puts inside.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(_CSR, 0)
    writable: ClassVar[Mapping[int, int]] = {COMP1_CSR: 0x80DF_80FD, COMP2_CSR: 0x80DF_82FD}
    not_modelled: ClassVar[Mapping[int, int]] = dict.fromkeys(_CSR, _NOT_MODELLED)

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        pins: Pins,
        ports: Mapping[str, GpioPort],
        outputs: tuple[AlternateFunction, AlternateFunction],
        reference_v: float,
        dac_output: Callable[[int], AnalogSource | None],
        on_output: Callable[[int, bool], None],
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._pins = pins
        self._ports = ports
        self._reference_v = reference_v
        self._dac_output = dac_output
        self._on_output = on_output
        self._outputs = outputs
        self._levels = [False, False]
        self._looks: list[Event | None] = [None, None]
        for name in {name for both in _PINS for name in (*both.plus, *both.minus)}:
            pins[name].external_level_changed.connect(lambda _time_ps, _level: self.refresh())
            pins[name].level_out_changed.connect(lambda _time_ps, _level: self.refresh())
            pins[name].analog_changed.connect(self.refresh)

    def reset(self) -> None:
        """System reset: both off."""
        super().reset()
        self.refresh()

    def read_word(self, offset: int) -> int:
        """VALUE is the output, polarity included."""
        word = super().read_word(offset)
        if offset not in _CSR or not word & _EN:
            return word
        index = offset // 4
        self._put(index, self._level_at(index, np.array([self._scheduler.now_ps]))[0])
        return word | (_VALUE if self._levels[index] else 0)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; LOCK keeps it until a reset."""
        if self.words.get(offset, 0) & _LOCK:
            return
        self.store(offset, value)
        self.refresh()
        for output, level in zip(self._outputs, self._levels, strict=True):
            output.drive(level)

    def refresh(self) -> None:
        """An input may have stepped, or a setting has changed."""
        for index in (0, 1):
            event = self._looks[index]
            if event is not None:
                event.cancel()
                self._looks[index] = None
            if self.words[_CSR[index]] & _EN:
                self._put(index, self._level_at(index, np.array([self._scheduler.now_ps]))[0])
                if self._changes_by_itself(index):
                    self._look(index)
            else:
                self._put(index, False)

    def _look(self, index: int) -> None:
        """Plan the next change of an output that its inputs bring about, or another look."""
        times_ps = self._scheduler.now_ps + _STEP_PS * np.arange(1, _STEPS + 1)
        changed = np.flatnonzero(self._level_at(index, times_ps) != self._levels[index])
        if len(changed):
            level = not self._levels[index]
            time_ps = int(times_ps[changed[0]])
            self._looks[index] = self._scheduler.at(time_ps, partial(self._changes, index, level))
        else:
            self._looks[index] = self._scheduler.at(int(times_ps[-1]), partial(self._look, index))

    def _changes(self, index: int, level: bool) -> None:
        self._put(index, level)
        self._look(index)

    def _put(self, index: int, level: bool) -> None:
        if bool(level) != self._levels[index]:
            self._levels[index] = bool(level)
            self._outputs[index].drive(bool(level))
            self._on_output(index, bool(level))

    def _level_at(self, index: int, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        plus_v, minus_v = self._plus(index)(times_ps), self._minus(index)(times_ps)
        inverted = bool(self.words[_CSR[index]] & _POLARITY)
        if plus_v is None or minus_v is None:
            # An open input decides nothing: the output stays low before the polarity.
            return np.full(len(times_ps), inverted)
        found: npt.NDArray[np.bool_] = (plus_v > minus_v) != inverted
        return found

    def _plus_pin(self, index: int) -> str:
        window = index == 1 and self.words[COMP2_CSR] & _WINMODE
        source = 0 if window else index
        return _PINS[source].plus[field(self.words[_CSR[source]], 7)]

    def _minus_pin(self, index: int) -> str | None:
        code = field(self.words[_CSR[index]], 4, 3)
        return _PINS[index].minus[code - _FIRST_PIN] if code >= _FIRST_PIN else None

    def _plus(self, index: int) -> Voltages:
        return self._pin_voltages(self._plus_pin(index))

    def _minus(self, index: int) -> Voltages:
        pin = self._minus_pin(index)
        return self._internal_voltages(index) if pin is None else self._pin_voltages(pin)

    def _pin_voltages(self, name: str) -> Voltages:
        return partial(self._ports[name[1]].voltages_v, int(name[2:]))

    def _internal_voltages(self, index: int) -> Voltages:
        code = field(self.words[_CSR[index]], 4, 3)

        def voltages_v(times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
            if code in (_DAC_1, _DAC_2):
                output = self._dac_output(code - _DAC_1)
                level_v = None if output is None else output.voltage_v(int(times_ps[0]))
            else:
                level_v = self._scaler_v(code)
            return None if level_v is None else np.full(len(times_ps), level_v)

        return voltages_v

    def _scaler_v(self, code: int) -> float | None:
        """A tap of the divider that both share; without its bridge every tap has the whole reference."""
        enables = self.words[COMP1_CSR] | self.words[COMP2_CSR]
        if not enables & _SCALEN:
            return None
        return self._reference_v * (_SCALER[code] if enables & _BRGEN else 1.0)

    def _changes_by_itself(self, index: int) -> bool:
        """Whether an input may change without that anybody says so: a wire that no level drives."""
        names = (self._plus_pin(index), self._minus_pin(index))
        pins = [self._pins[name] for name in names if name is not None]
        return any(
            pin.level_out is None and pin.external_level is None and pin.analog_out is None for pin in pins
        )
