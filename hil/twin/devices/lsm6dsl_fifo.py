# SPDX-License-Identifier: Apache-2.0
"""The FIFO of the LSM6DSL (ST's datasheet DocID028475; registers as in ST's lsm6dsl_reg.h).

It stores sets of three words, of the gyroscope and of the accelerometer, at its own data rate. What is in it
is worked out when somebody looks: a set's words follow from when it was stored.
"""

from collections.abc import Callable, MutableSequence
from typing import Final

from hil.twin.core.scheduler import Event, Scheduler

CTRL1: Final = 0x06
CTRL2: Final = 0x07
CTRL3: Final = 0x08
CTRL5: Final = 0x0A
CONFIGURATION: Final = (CTRL3, CTRL5)
"""Registers whose writing starts the FIFO anew."""
STATUS1: Final = 0x3A
STATUS2: Final = 0x3B
STATUS3: Final = 0x3C
STATUS4: Final = 0x3D
DATA_OUT_L: Final = 0x3E
DATA_OUT_H: Final = 0x3F

CAPACITY_WORDS: Final = 2048
"""4 KiB."""
_MODE_BYPASS, _MODE_FIFO = 0, 1
_DECIMATION: Final = (0, 1, 2, 3, 4, 8, 16, 32)
_EMPTY, _FULL, _OVER_RUN, _WATERMARK = 1 << 4, 1 << 5, 1 << 6, 1 << 7
_AXES: Final = 3
_PS_PER_S: Final = 10**12


class Fifo:
    """``registers`` are the sensor's; ``acceleration(time_ps)`` gives the codes of the three axes then.

    Modelled: bypass, FIFO and continuous mode (the trigger modes act as continuous), decimation, threshold.
    The gyroscope's words are zero: it stands still. ``on_level`` gets whether the threshold is reached.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        registers: Callable[[], MutableSequence[int]],
        rates_millihertz: tuple[int, ...],
        acceleration: Callable[[int], tuple[int, int, int]],
        on_level: Callable[[bool], None],
    ) -> None:
        self._scheduler = scheduler
        self._registers = registers
        self._rates_millihertz = rates_millihertz
        self._acceleration = acceleration
        self._on_level = on_level
        self._due: Event | None = None
        self._started_ps = 0
        self._read_words = 0
        self._overrun = False
        self._low_byte_taken = False

    def restart(self) -> None:
        """The configuration was written: empty, and filling from now on."""
        self._started_ps = self._scheduler.now_ps
        self._read_words = 0
        self._overrun = self._low_byte_taken = False
        self.plan()

    def read(self, register: int) -> int:
        """A status or data register; the high byte of the data takes the word out."""
        waiting = self._waiting_words()
        if register == STATUS1:
            return waiting & 0xFF
        if register == STATUS2:
            flags = (0 if waiting else _EMPTY) | (_OVER_RUN if self._overrun else 0)
            flags |= _FULL if waiting + self._set_words > CAPACITY_WORDS else 0
            return waiting >> 8 | flags | (_WATERMARK if self._reached(waiting) else 0)
        if register in (STATUS3, STATUS4):
            pattern = self._read_words % self._set_words if self._set_words else 0
            return pattern if register == STATUS3 else 0
        word = self._word(self._read_words) if waiting else 0
        if register == DATA_OUT_L:
            self._low_byte_taken = True
            return word & 0xFF
        if waiting and self._low_byte_taken:
            self._read_words += 1
            self._low_byte_taken = False
            self.plan()
        return word >> 8

    def plan(self) -> None:
        """Tell whether the threshold is reached, or when it will be."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        reached = self._reached(self._waiting_words())
        self._on_level(reached)
        if not reached and self._threshold and self._set_words and self._rate_millihertz:
            sets = -(-(self._read_words + self._threshold) // self._set_words)
            self._due = self._scheduler.at(self._time_of_set_ps(sets), self.plan)

    @property
    def _threshold(self) -> int:
        return self._registers()[CTRL1] | (self._registers()[CTRL2] & 7) << 8

    def _reached(self, waiting: int) -> bool:
        return bool(self._threshold) and waiting >= self._threshold

    @property
    def _set_words(self) -> int:
        """Words in a set: three of each sensor that is stored."""
        return _AXES * sum(bool(field) for field in self._decimations)

    @property
    def _decimations(self) -> tuple[int, int]:
        """Of gyroscope and accelerometer; zero is not stored. Those of one set are taken to be equal."""
        word = self._registers()[CTRL3]
        return _DECIMATION[word >> 3 & 7], _DECIMATION[word & 7]

    @property
    def _rate_millihertz(self) -> int:
        """Sets per 1000 s."""
        word = self._registers()[CTRL5]
        code = word >> 3 & 0xF
        if word & 7 == _MODE_BYPASS or code >= len(self._rates_millihertz):
            return 0
        return self._rates_millihertz[code] // max(*self._decimations, 1)

    def _time_of_set_ps(self, number: int) -> int:
        return self._started_ps - (-number * 1000 * _PS_PER_S // self._rate_millihertz)

    def _waiting_words(self) -> int:
        """Words stored and not read; of too many the oldest are lost, or the newest if it stops when full."""
        if not self._set_words or not self._rate_millihertz:
            return 0
        sets = (self._scheduler.now_ps - self._started_ps) * self._rate_millihertz // (1000 * _PS_PER_S)
        room = CAPACITY_WORDS // self._set_words * self._set_words
        stored = sets * self._set_words
        if stored - self._read_words > room:
            self._overrun = True
            if self._registers()[CTRL5] & 7 == _MODE_FIFO:
                return room if not self._read_words else max(0, room - self._read_words)
            self._read_words = stored - room
        return stored - self._read_words

    def _word(self, number: int) -> int:
        index, axis = divmod(number, self._set_words)
        if (self._set_words > _AXES and axis < _AXES) or not self._decimations[1]:
            return 0
        return self._acceleration(self._time_of_set_ps(index + 1))[axis % _AXES] & 0xFFFF
