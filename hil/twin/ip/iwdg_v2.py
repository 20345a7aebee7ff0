# SPDX-License-Identifier: Apache-2.0
"""Independent watchdog (RM0351, IWDG section), clocked by the LSI."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.ip.tick_counter import TickCounter

KR: Final = 0x00
PR: Final = 0x04
RLR: Final = 0x08
SR: Final = 0x0C
WINR: Final = 0x10

_KEY_RELOAD, _KEY_ACCESS, _KEY_START = 0xAAAA, 0x5555, 0xCCCC
_LONGEST_PRESCALER: Final = 6


class Iwdg(RegisterBlock):
    """The IWDG: once started it cannot be stopped, and resets the part when it is not reloaded in time."""

    resets: ClassVar[Mapping[int, int]] = {KR: 0, PR: 0, RLR: 0xFFF, SR: 0, WINR: 0xFFF}
    writable: ClassVar[Mapping[int, int]] = {KR: 0, PR: 0x7, RLR: 0xFFF, SR: 0, WINR: 0xFFF}

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        lsi_hz: Callable[[], int],
        on_start: Callable[[], None],
        on_expiry: Callable[[], None],
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._counter = TickCounter(scheduler)
        self._lsi_hz = lsi_hz
        self._on_start = on_start
        self._on_expiry = on_expiry
        self._expiry: Event | None = None
        self._unlocked = False
        self._frozen = False
        self.started = False

    def reset(self) -> None:
        """System reset: stopped."""
        super().reset()
        self.started = self._unlocked = False
        self._count()

    def freeze(self, frozen: bool) -> None:
        """Stop counting (debug, or a low-power mode that the option bytes exclude)."""
        if frozen != self._frozen:
            self._frozen = frozen
            self._count()

    def write_word(self, offset: int, value: int) -> None:
        """Write a key, or with access granted the prescaler, the reload value or the window."""
        if offset != KR:
            if self._unlocked:
                self.store(offset, value)
                if offset == WINR:
                    self._reload()
                else:
                    self._count()
            return
        key = value & 0xFFFF
        self._unlocked = key == _KEY_ACCESS
        if key == _KEY_START:
            self.start()
        elif key == _KEY_RELOAD and self.started:
            if self.words[RLR] - self._counter.count > self.words[WINR]:
                self._on_expiry()
            else:
                self._reload()

    def start(self) -> None:
        """Let it count, for ever: the start key, or IWDG_SW of the option bytes."""
        if not self.started:
            self.started = True
            self._on_start()
            self._reload()

    def ignores_key(self, value: int) -> bool:
        """Whether writing ``value`` to IWDG_KR now would do nothing."""
        return value & 0xFFFF == _KEY_RELOAD and not self.started and not self._unlocked

    def _reload(self) -> None:
        self._counter.set_count(0)
        self._count()

    def _count(self) -> None:
        divider = 4 << min(self.words[PR], _LONGEST_PRESCALER)
        self._counter.set_rate(self._lsi_hz() if self.started and not self._frozen else 0, divider)
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        time_ps = self._counter.time_of(self.words[RLR] + 1)
        if time_ps is not None:
            self._expiry = self._scheduler.at(max(time_ps, self._scheduler.now_ps), self._expire)

    def _expire(self) -> None:
        self._expiry = None
        self._on_expiry()
