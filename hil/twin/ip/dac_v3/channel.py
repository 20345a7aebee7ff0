# SPDX-License-Identifier: Apache-2.0
"""One channel of the digital-to-analog converter (RM0351, DAC section): holding register, waves, output.

Assumption dac_output: a value is at the output at the instant of its trigger, exactly and into any load.
"""

from collections.abc import Callable
from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.pins import Pin

FULL_SCALE: Final = 4096
_LARGEST: Final = FULL_SCALE - 1
_SEED: Final = 0xAAA
"""The noise generator's register after WAVE was off (RM0351, DAC noise generation)."""
_TAPS: Final = (0, 1, 4, 6)
"""Of the same register, which shifts to the right: X^12 + X^6 + X^4 + X + 1."""
_WIDEST_MASK: Final = 11
_OFF, _NOISE = 0, 1
_FACTORY_TRIM: Final = 0x11
"""Assumption dac_output: the buffer needs a trimming just above mid-scale."""
_PIN_MODES: Final = frozenset({0, 1, 2, 4, 5, 6})
_INTERNAL_MODES: Final = frozenset({1, 3, 5, 6, 7})
"""MODE codes whose output reaches the pin, and the other analog blocks (RM0351, DAC_MCR)."""

EN, TEN, DMAEN, DMAUDRIE, CEN = 1, 1 << 2, 1 << 12, 1 << 13, 1 << 14


class DacChannel:
    """What one half of DAC_CR and DAC_MCR controls. It is the source of the voltage that it puts out.

    ``reference_v`` gives VREF+; ``on_output`` is called when the voltage for other blocks may have changed.
    """

    def __init__(self, pin: Pin, reference_v: Callable[[], float], on_output: Callable[[], None]) -> None:
        self._pin = pin
        self._reference_v = reference_v
        self._on_output = on_output
        self.control = 0
        self.mode = 0
        self.trim = 0
        self._holding = 0
        self.output = 0
        """DOR."""
        self._noise = _SEED
        self._triangle = 0
        self._rising = True

    def reset(self) -> None:
        """System reset: off, the pin let go."""
        self.control = self.mode = self.trim = self._holding = self.output = 0
        self._restart_waves()
        self._connect()

    @property
    def enabled(self) -> bool:
        """EN."""
        return bool(self.control & EN)

    @property
    def settings_locked(self) -> bool:
        """Whether MODE cannot be written: the channel is on or being calibrated (RM0351, DAC_MCR)."""
        return bool(self.control & (EN | CEN))

    @property
    def trigger_code(self) -> int | None:
        """The trigger that an enabled channel waits for; ``None`` if it needs none."""
        return field(self.control, 3, 3) if self.control & (EN | TEN) == EN | TEN else None

    @property
    def calibrated(self) -> bool:
        """CAL_FLAG: in calibration the trimming reaches the buffer's offset."""
        return bool(self.control & CEN) and self.trim >= _FACTORY_TRIM

    @property
    def reaches_blocks(self) -> bool:
        """Whether the output is connected to the ADCs, comparators and amplifiers."""
        return self.enabled and self.mode in _INTERNAL_MODES

    def voltage_v(self, time_ps: int) -> float:
        """The output voltage now, VREF+ times DOR / 4096 (RM0351, DAC output voltage), in volts."""
        return self._reference_v() * self.output / FULL_SCALE

    def set_control(self, control: int) -> None:
        """A half of CR was written."""
        self.control = control
        if field(control, 6, 2) == _OFF:
            self._restart_waves()
        self._follow_holding()
        self._connect()

    def set_mode(self, mode: int) -> None:
        """A half of MCR was written."""
        self.mode = mode
        self._connect()

    def hold(self, code: int) -> None:
        """The holding register gets a value of 12 bit."""
        self._holding = code
        self._follow_holding()

    def convert(self) -> None:
        """A trigger: the holding register and the wave's present value go to the output."""
        wave = field(self.control, 6, 2)
        amplitude = field(self.control, 8, 4)
        code = self._holding
        if wave == _NOISE:
            code += self._noise & (2 << min(amplitude, _WIDEST_MASK)) - 1
            self._noise = _shifted(self._noise)
        elif wave:
            code += self._triangle
            self._step_triangle((2 << min(amplitude, _WIDEST_MASK)) - 1)
        self._put(min(code, _LARGEST))

    def _step_triangle(self, top: int) -> None:
        self._rising = self._triangle < top if self._rising else self._triangle <= 0
        self._triangle += 1 if self._rising else -1

    def _restart_waves(self) -> None:
        self._noise, self._triangle, self._rising = _SEED, 0, True

    def _follow_holding(self) -> None:
        if not self.control & TEN:
            self._put(self._holding)

    def _put(self, code: int) -> None:
        if code != self.output:
            self.output = code
            self._connect()

    def _connect(self) -> None:
        self._pin.drive_analog(self if self.enabled and self.mode in _PIN_MODES else None)
        self._on_output()


def _shifted(noise: int) -> int:
    """The next value of the noise generator; zero gets a one, so that it never stays there."""
    fed = sum(noise >> tap & 1 for tap in _TAPS) % 2 if noise else 1
    return noise >> 1 | fed << 11
