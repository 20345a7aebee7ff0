# SPDX-License-Identifier: Apache-2.0
"""General-purpose I/O ports (RM0351, GPIO section): they drive the pins and read what drives them."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from hil.parts import Block
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.pins import PORT_WIDTHS, Pin, Pins, sampler
from hil.twin.signal import Signal

MODER: Final = 0x00
OTYPER: Final = 0x04
OSPEEDR: Final = 0x08
PUPDR: Final = 0x0C
IDR: Final = 0x10
ODR: Final = 0x14
BSRR: Final = 0x18
LCKR: Final = 0x1C
AFRL: Final = 0x20
AFRH: Final = 0x24
BRR: Final = 0x28
ASCR: Final = 0x2C

_LCKK, _LOCK_STORES = 1 << 16, 3
_CONFIGURATION_BITS: Final = {MODER: 2, OTYPER: 1, OSPEEDR: 2, PUPDR: 2, AFRL: 4, AFRH: 4}
"""Bits per pin of the registers that LCKR locks (RM0351, GPIOx_LCKR)."""
_INPUT, _OUTPUT, _ALTERNATE, _ANALOG = range(4)
_PULL_UP, _PULL_DOWN = 1, 2
_PAD_F: Final = 5e-12
"""Capacitance of an I/O pin, typical (DS10198 Rev 8, Table 70, C_IO)."""
_VIH, _VIL = 0.7, 0.3
"""Input thresholds as fractions of VDD (DS10198 Rev 8, Table 70)."""

# All pins but the debug port's are analog after reset (DS10198 Rev 8, 3.9.5); the values are QEMU's.
_MODER_RESET: Final = {"A": 0xABFF_FFFF, "B": 0xFFFF_FEBF, "H": 0x0000_000F}
_PUPDR_RESET: Final = {"A": 0x6400_0000, "B": 0x0000_0100}
_OSPEEDR_RESET: Final = {"A": 0x0C00_0000}


class GpioPort(RegisterBlock):
    """One port and its pins.

    ``input_changed(index, level)`` tells of a pin's digital input, ``load_changed`` that the current through
    the pull resistors and loads may be another, ``charge_drawn`` what charging a load takes, in coulombs.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(
        (OTYPER, IDR, ODR, BSRR, LCKR, AFRL, AFRH, BRR, ASCR, MODER, OSPEEDR, PUPDR), 0
    )
    writable: ClassVar[Mapping[int, int]] = dict.fromkeys((OTYPER, ODR, ASCR), 0xFFFF) | {
        IDR: 0,
        BSRR: 0,
        BRR: 0,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({BSRR, BRR})
    stored_only: ClassVar[Mapping[int, int]] = {OSPEEDR: 0xFFFF_FFFF}
    """The slope of an edge, which nothing on the bench sees."""
    polled: ClassVar[frozenset[int]] = frozenset({IDR})

    def __init__(
        self, block: Block, pins: Pins, scheduler: Scheduler, supply_v: Callable[[], float], pull_ohm: float
    ) -> None:
        super().__init__(block)
        self.port = port = block.name.removeprefix("GPIO")
        self._pull_ohm = pull_ohm
        """Of a pull-up or pull-down resistor."""
        self._pins: list[Pin] = [pins[f"P{port}{index}"] for index in range(PORT_WIDTHS[port])]
        self._scheduler = scheduler
        self._supply_v = supply_v
        self._alternate_levels: dict[tuple[int, int], bool] = {}
        self._inputs = [False] * len(self._pins)
        self._lock_stores = 0
        """Stores of the lock sequence that have come."""
        self._powered = False
        self._standby_pulls = (0, 0)
        self._opposed_pulls = 0
        self._load_siemens = 0.0
        self.floating_inputs = 0
        """Pins in input mode with a level that nothing defines."""
        self._alternate_inputs: dict[tuple[int, int], Signal[[bool]]] = {}
        """Who gets the digital input of a pin while it has an alternate function."""
        self.input_changed: Signal[[int, bool]] = Signal(required=True)
        self.load_changed: Signal[[]] = Signal(required=True)
        self.charge_drawn: Signal[[float]] = Signal(required=True)
        self._load_reset_values()
        for index, pin in enumerate(self._pins):
            pin.external_level_changed.connect(partial(self._outside_changed, index))
            pin.load_changed.connect(self._count_loads)
            pin.analog_changed.connect(partial(self._outside_changed, index, 0, None))

    def reset(self) -> None:
        """System reset: all pins let go."""
        super().reset()
        self._lock_stores = 0
        self._load_reset_values()
        self._refresh()

    def set_powered(self, powered: bool, standby_pulls: tuple[int, int] = (0, 0)) -> None:
        """Without power the port drives nothing; ``standby_pulls`` are the pins PWR pulls up and down."""
        self._powered = powered
        self._standby_pulls = standby_pulls
        self._refresh()

    def set_alternate_output(self, index: int, function: int, level: bool | None) -> None:
        """The peripheral behind alternate function ``function`` of a pin drives ``level``, or lets go."""
        if level is None:
            self._alternate_levels.pop((index, function), None)
        else:
            self._alternate_levels[index, function] = level
        self._drive(index)

    def alternate_input(self, index: int, function: int) -> Signal[[bool]]:
        """Tells of a pin's digital input while the pin is switched to that alternate function."""
        return self._alternate_inputs.setdefault((index, function), Signal())

    def has_alternate(self, index: int, function: int) -> bool:
        """Whether the pin is switched to that alternate function."""
        return self._mode(index) == _ALTERNATE and self._alternate(index) == function

    def analog_switch_closed(self, index: int) -> bool:
        """Whether the pin is connected to the ADC (GPIOx_ASCR, which only the L47x/L48x have)."""
        return bool(self.words[ASCR] >> index & 1)

    def voltage_v(self, index: int, time_ps: int) -> float | None:
        """The voltage at a pin; ``None`` if neither the part nor the outside defines it."""
        pin = self._pins[index]
        if pin.level_out is not None:
            return self._supply_v() if pin.level_out else 0.0
        if pin.analog_out is not None and pin.external_level is None:
            return pin.analog_out.voltage_v(time_ps)
        outside_v = pin.voltage_v(time_ps)
        if outside_v is None and pin.external_level is not None:
            outside_v = self._supply_v() if pin.external_level else 0.0
        if outside_v is None:
            pull = self._pull(index)
            if pull is None:
                return None if math.isinf(pin.load_ohm) else 0.0
            return self._supply_v() * self._share_of_load(pin) if pull else 0.0
        return outside_v

    def voltages_v(self, index: int, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
        """What :meth:`voltage_v` would answer at each of ``times_ps``, if nothing is switched meanwhile."""
        pin = self._pins[index]
        if pin.level_out is None and pin.analog_out is not None and pin.external_level is None:
            return sampler(pin.analog_out)(times_ps)
        outside_v = pin.voltages_v(times_ps) if pin.level_out is None else None
        if outside_v is not None:
            return outside_v
        level_v = self.voltage_v(index, int(times_ps[0]))
        return None if level_v is None else np.full(len(times_ps), level_v)

    def _share_of_load(self, pin: Pin) -> float:
        """Which part of VDD a load takes from the pull-up resistor that feeds it."""
        return 1.0 if math.isinf(pin.load_ohm) else pin.load_ohm / (pin.load_ohm + self._pull_ohm)

    @property
    def load_siemens(self) -> float:
        """What VDD feeds: outputs and pull-up resistors that are high into a load, and pull resistors that
        work against a driven level (typical resistance).
        """
        if not self._opposed_pulls and not self._load_siemens:
            return 0.0
        return self._load_siemens + self._opposed_pulls / self._pull_ohm

    def read_word(self, offset: int) -> int:
        """GPIOx_IDR samples the pins, the rest reads as written."""
        if offset == IDR:
            return sum(self.input_level(index) << index for index in range(len(self._pins)))
        return super().read_word(offset)

    def changes_at_ps(self, offset: int) -> int | None:
        """IDR follows events, but for a pin on an analog source, whose level may change at any time."""
        return self._scheduler.now_ps if any(pin.has_source for pin in self._pins) else None

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and drive the pins accordingly."""
        odr = self.words[ODR]
        if offset == BSRR:
            self._write_odr((odr & ~(value >> 16)) | (value & 0xFFFF))
        elif offset == BRR:
            self._write_odr(odr & ~value)
        elif offset == ODR:
            self._write_odr(value)
        elif offset == LCKR:
            self._lock(value)
        else:
            kept = self._locked_bits(offset)
            self.store(offset, self.words[offset] & kept | value & ~kept)
            if offset in (MODER, OTYPER, PUPDR, AFRL, AFRH):
                self._refresh()

    def _lock(self, value: int) -> None:
        """LCKR: stores of the same pins, with LCKK as 1, 0, 1, lock their configuration until a reset."""
        if self.words[LCKR] & _LCKK:
            return
        key, pins = bool(value & _LCKK), value & 0xFFFF
        begun = self._lock_stores and pins == self.words[LCKR]
        self._lock_stores = self._lock_stores + 1 if begun and key is (self._lock_stores == 2) else int(key)
        self.words[LCKR] = pins
        if self._lock_stores == _LOCK_STORES:
            self.words[LCKR] |= _LCKK

    def _locked_bits(self, offset: int) -> int:
        """The bits of a configuration register that are locked."""
        width = _CONFIGURATION_BITS.get(offset)
        if width is None or not self.words[LCKR] & _LCKK:
            return 0
        first = 8 if offset == AFRH else 0
        pins = [pin for pin in range(16) if self.words[LCKR] >> pin & 1 and 0 <= (pin - first) * width < 32]
        return sum(((1 << width) - 1) << (pin - first) * width for pin in pins)

    def _write_odr(self, value: int) -> None:
        changed = (self.words[ODR] ^ value) & ((1 << len(self._pins)) - 1)
        self.words[ODR] = value & 0xFFFF
        while changed:
            index = (changed & -changed).bit_length() - 1
            changed &= changed - 1
            self._drive(index)
            if self._pull(index) is not None or self._pins[index].load_ohm < math.inf:
                self._count_loads()

    def _load_reset_values(self) -> None:
        self.words[MODER] = _MODER_RESET.get(self.port, 0xFFFF_FFFF)
        self.words[PUPDR] = _PUPDR_RESET.get(self.port, 0)
        self.words[OSPEEDR] = _OSPEEDR_RESET.get(self.port, 0)

    def _mode(self, index: int) -> int:
        return self.words[MODER] >> 2 * index & 3

    def _alternate(self, index: int) -> int:
        return self.words[AFRH if index >= 8 else AFRL] >> 4 * (index & 7) & 0xF

    def _pull(self, index: int) -> bool | None:
        if not self._powered:
            up, down = self._standby_pulls
            return True if up >> index & 1 else False if down >> index & 1 else None
        if self._mode(index) == _ANALOG:
            return None
        return {_PULL_UP: True, _PULL_DOWN: False}.get(self.words[PUPDR] >> 2 * index & 3)

    def _refresh(self) -> None:
        for index in range(len(self._pins)):
            self._drive(index)
        self._count_loads()

    def _count_loads(self) -> None:
        """Pull resistors that work against a level, inputs without one, outputs into a load."""
        self._opposed_pulls = self.floating_inputs = 0
        self._load_siemens = sum(1 / pin.load_ohm for pin in self._pins if pin.level_out)
        for index, pin in enumerate(self._pins):
            pull = self._pull(index)
            if pull is None:
                undriven = pin.external_level is None and not pin.has_source and math.isinf(pin.load_ohm)
                undriven = undriven and pin.analog_out is None
                self.floating_inputs += self._powered and undriven and self._mode(index) == _INPUT
                continue
            if pin.level_out is not None:
                self._opposed_pulls += pin.level_out is not pull
            elif pin.external_level is not None:
                # Against a level from outside the current is VDD's only through a pull-up.
                self._opposed_pulls += pull and not pin.external_level
            elif pull and not pin.has_source:
                self._load_siemens += 1 / (pin.load_ohm + self._pull_ohm)
        self.load_changed()

    def _drive(self, index: int) -> None:
        mode = self._mode(index)
        level: bool | None = None
        if mode == _OUTPUT:
            level = bool(self.words[ODR] >> index & 1)
        elif mode == _ALTERNATE:
            level = self._alternate_levels.get((index, self._alternate(index)))
        if level and self.words[OTYPER] >> index & 1:
            level = None
        pin = self._pins[index]
        before = pin.level_out
        pin.drive(level if self._powered else None, self._scheduler.now_ps)
        if pin.level_out and before is not pin.level_out:
            # A rising edge charges the pad and what hangs on it (DS10198 Rev 8, I/O dynamic current
            # consumption; assumption run_gpio_switching).
            self.charge_drawn((_PAD_F + pin.load_f) * self._supply_v())
        self._input_changed(index)

    def input_level(self, index: int) -> bool:
        """The level that the pin's input stage reads; low in analog mode."""
        if self._mode(index) == _ANALOG or not self._powered:
            return False
        voltage_v = self.voltage_v(index, self._scheduler.now_ps)
        if voltage_v is None:
            return False  # nothing defines the level: the twin reads zero
        supply_v = self._supply_v()
        if voltage_v >= _VIH * supply_v:
            return True
        return self._inputs[index] and voltage_v > _VIL * supply_v

    def _outside_changed(self, index: int, _time_ps: int, _level: bool | None) -> None:
        self._input_changed(index)
        if self._pull(index) is not None or self._mode(index) == _INPUT:
            self._count_loads()

    def _input_changed(self, index: int) -> None:
        level = self.input_level(index)
        if level != self._inputs[index]:
            self._inputs[index] = level
            self.input_changed(index, level)
            if self._mode(index) == _ALTERNATE:
                listeners = self._alternate_inputs.get((index, self._alternate(index)))
                if listeners is not None:
                    listeners(level)
