# SPDX-License-Identifier: Apache-2.0
"""An ADC's injected sequences (RM0351, ADC section: injected channel management; fields as in stm32l476xx.h).

Modelled: software and timer triggers, EXTI line 15, automatic injection. The queue of contexts is not: what
JSQR says when a sequence begins is what it converts. Discontinuous mode and oversampling are not either.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from hil.twin.core.scheduler import Event
from hil.twin.ip.adc_v3.sampling import CFGR
from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.tim import Tim

JSQR: Final = 0x4C
JDR1: Final = 0x80
JEOC, JEOS = 1 << 5, 1 << 6
JEXTSEL: Final = 0xF << 2
TRIGGER_EXTI_15: Final = 6
"""The JEXTSEL code of the EXTI's line (ST's HAL, LL_ADC_INJ_TRIG_EXT_EXTI_LINE15)."""
_JAUTO: Final = 1 << 25


class Converter(Protocol):
    """What the sequence does to its converter."""

    def convert_injected(self, channel: int, done: Callable[[int], None]) -> Event | None:
        """Begin a conversion; ``done`` gets its result. None without a clock."""

    def interrupt_regular(self) -> None:
        """Break off the regular conversion that is under way; it is made again later."""

    def resume_regular(self) -> None:
        """Go on with the regular sequence where it was."""

    def flag_injected(self, flags: int, *, over: bool) -> None:
        """Set flags; ``over`` ends JADSTART."""


class Injected:
    """``triggers`` maps JEXTSEL codes to the timers whose TRGO they select."""

    def __init__(
        self,
        words: Callable[[], dict[int, int]],
        converter: Converter,
        triggers: Mapping[int, Tim],
        started: Callable[[], bool],
    ) -> None:
        """``started`` says whether JADSTART is set."""
        self._words = words
        self._converter = converter
        self._triggers = triggers
        self._started = started
        self._event: Event | None = None
        self._rank = 0
        self.running = False
        """A sequence is under way."""
        for code, timer in triggers.items():
            timer.trigger_output.converters.append((self, code))

    @property
    def automatic(self) -> bool:
        """JAUTO: a sequence follows each regular one."""
        return bool(self._words()[CFGR] & _JAUTO)

    @property
    def waits_for_trigger(self) -> bool:
        """JEXTEN, which automatic injection disables."""
        return bool(field(self._words()[JSQR], 6, 2)) and not self.automatic

    @property
    def unknown_trigger(self) -> bool:
        """Whether the selected trigger is one without model: compare events and TRGO2."""
        code = field(self._words()[JSQR], 2, 4)
        return self.waits_for_trigger and code not in self._triggers and code != TRIGGER_EXTI_15

    @property
    def rate_hz(self) -> float:
        """Mean conversions per second that a timer triggers."""
        word = self._words()[JSQR]
        timer = self._triggers.get(field(word, 2, 4)) if self._started() and self.waits_for_trigger else None
        return 0.0 if timer is None else timer.trgo_hz * (field(word, 0, 2) + 1)

    def listens(self, index: int) -> bool:
        """Whether a sequence waits for the trigger with that JEXTSEL code."""
        return self._started() and self.waits_for_trigger and field(self._words()[JSQR], 2, 4) == index

    def internal_trigger(self, index: int) -> None:
        """A pulse of the trigger with that JEXTSEL code; one during a sequence is lost."""
        if self.listens(index) and not self.running:
            self.begin()

    def begin(self) -> None:
        """Convert the sequence, before what is left of the regular one."""
        self._converter.interrupt_regular()
        self._rank = 0
        self.running = True
        self._convert()

    def stop(self) -> None:
        """JADSTP, or the converter is switched off."""
        if self._event is not None:
            self._event.cancel()
        self._event = None
        self.running = False

    def _convert(self) -> None:
        channel = field(self._words()[JSQR], 8 + 6 * self._rank, 5)
        self._event = self._converter.convert_injected(channel, self._converted)

    def _converted(self, result: int) -> None:
        words = self._words()
        words[JDR1 + 4 * self._rank] = result
        if self._rank < field(words[JSQR], 0, 2):
            self._rank += 1
            self._converter.flag_injected(JEOC, over=False)
            self._convert()
            return
        self.running, self._event = False, None
        self._converter.flag_injected(JEOC | JEOS, over=not self.waits_for_trigger and not self.automatic)
        self._converter.resume_regular()
