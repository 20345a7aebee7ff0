# SPDX-License-Identifier: Apache-2.0
"""Slave modes of a timer (RM0351, TIM sections: timer synchronisation, clock selection, encoder interface).

Codes of SMS, TS and the encoder's counting rule as ST's HAL names them (TIM_SLAVEMODE_x, TIM_TS_x,
TIM_ENCODERMODE_x). The internal triggers are pulses: a master's level does not gate a slave. The filter and
the prescaler of ETR are not modelled.
"""

from collections.abc import Callable, MutableMapping
from typing import Final, Protocol

from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.inputs import InputChannels
from hil.twin.ip.timer_v1.registers import CR1, DIR, SMCR

_ENCODER_1, _ENCODER_2, _ENCODER_12, _RESET, _GATED, _TRIGGER, _EXTERNAL, _RESET_TRIGGER = range(1, 9)
_TS_INTERNAL: Final = 4
"""TS codes below are ITR0 to ITR3."""
_TI1_EDGES, _TI1, _TI2, _ETR = range(4, 8)
_ECE, _ETP = 1 << 14, 1 << 15


class Counter(Protocol):
    """What the controller does to its timer."""

    def reinitialise(self) -> None:
        """As software's UG does."""

    def start(self) -> None:
        """Set CEN."""

    def clock(self) -> None:
        """One edge of an external clock."""

    def step(self, direction: int) -> None:
        """One edge of an encoder: up (1) or down (-1)."""

    def flag_trigger(self) -> None:
        """TIF."""

    def trigger_rises(self) -> None:
        """A rising edge of the trigger, in any mode."""

    def retime(self) -> None:
        """Whether the counter counts may have changed."""


class SlaveController:
    """Watches a timer's trigger and acts on its counter."""

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        inputs: InputChannels,
        counter: Counter,
        commutates: Callable[[], bool],
    ) -> None:
        """``commutates`` says whether a rising edge of the trigger commutates the outputs."""
        self._words = words
        self._inputs = inputs
        self._counter = counter
        self._etr = False
        self._commutates = commutates
        inputs.edge.connect(self._input_edge)

    @property
    def mode(self) -> int:
        """SMS."""
        smcr = self._words()[SMCR]
        return smcr & 7 | smcr >> 13 & 8

    @property
    def clocked_outside(self) -> bool:
        """Whether the counter counts edges instead of its kernel clock."""
        return self.encodes or self.mode == _EXTERNAL or bool(self._words()[SMCR] & _ECE)

    @property
    def encodes(self) -> bool:
        """Whether an encoder says where the counter goes."""
        return _ENCODER_1 <= self.mode <= _ENCODER_12

    @property
    def gate_open(self) -> bool:
        """Whether the trigger's level lets the counter count."""
        if self.mode != _GATED:
            return True
        selected = self._selected
        if selected in (_TI1, _TI2):
            return self._inputs.filtered(selected - _TI1)
        return self._etr_level if selected == _ETR else False

    def listens(self, index: int) -> bool:
        """Whether a pulse on that internal trigger would do anything."""
        if self._selected != index:
            return False
        return self.mode != 0 or self._inputs.captures_trigger or self._commutates()

    def internal_trigger(self, index: int) -> None:
        """A pulse on ITR0 to ITR3."""
        if self._selected == index:
            self._edge(rising=True)

    def set_etr(self, level: bool) -> None:
        """ETR has this level now."""
        if level == self._etr:
            return
        self._etr = level
        rising = self._etr_level
        if self._words()[SMCR] & _ECE and rising:
            self._counter.clock()
        if self._selected == _ETR:
            self._edge(rising=rising)

    @property
    def _selected(self) -> int:
        return field(self._words()[SMCR], 4, 3)

    @property
    def _etr_level(self) -> bool:
        return self._etr is not bool(self._words()[SMCR] & _ETP)

    def watches_ti1(self) -> bool:
        """Whether the edges of TI1 act on the counter."""
        return self.mode > 0 and (self.mode <= _ENCODER_12 or self._selected in (_TI1_EDGES, _TI1))

    def _input_edge(self, index: int, _level: bool) -> None:
        if index > 1 or not (self.mode or self._commutates()):
            return
        if self.encodes:
            self._count_quadrature(index)
        elif index == 0 and self._selected == _TI1_EDGES:
            self._edge(rising=True)
        elif self._selected == _TI1 + index:
            self._edge(rising=self._inputs.filtered(index))

    def _edge(self, *, rising: bool) -> None:
        mode = self.mode
        if rising:
            self._inputs.triggered()
            self._counter.trigger_rises()
        if not mode or not (rising or mode == _GATED):
            return
        self._counter.flag_trigger()
        if mode in (_RESET, _RESET_TRIGGER):
            self._counter.reinitialise()
        if mode in (_TRIGGER, _RESET_TRIGGER):
            self._counter.start()
        if mode == _EXTERNAL:
            self._counter.clock()
        if mode == _GATED:
            self._counter.retime()

    def _count_quadrature(self, index: int) -> None:
        """An edge of one phase counts up or down by the level of the other."""
        if self.mode not in (_ENCODER_12, _ENCODER_1 + index):
            return
        rising, other = self._inputs.filtered(index), self._inputs.filtered(index ^ 1)
        up = rising is not other if index == 0 else rising is other
        words = self._words()
        words[CR1] = words[CR1] & ~DIR if up else words[CR1] | DIR
        self._counter.step(1 if up else -1)
