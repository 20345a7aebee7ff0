# SPDX-License-Identifier: Apache-2.0
"""An oscillator or PLL that takes its time to start."""

from collections.abc import Callable

from hil.twin.core.scheduler import Event, Scheduler


class Oscillator:
    """Ready some time after it was switched on; never if ``start_ps`` gives ``None`` (no crystal)."""

    def __init__(
        self, scheduler: Scheduler, start_ps: Callable[[], int | None], on_ready: Callable[[], None]
    ) -> None:
        self._scheduler = scheduler
        self._start_ps = start_ps
        self._on_ready = on_ready
        self._starting: Event | None = None
        self.on = False
        self.ready = False
        self.dead = False
        """A fault: it does not start the next time it is switched on."""

    def switch(self, on: bool) -> None:
        """Start or stop; starting one that runs does nothing."""
        if on == self.on:
            return
        self.on = on
        self.ready = False
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        delay_ps = self._start_ps() if on and not self.dead else None
        if delay_ps is not None:
            self._starting = self._scheduler.after(delay_ps, self._started)

    def stall(self) -> None:
        """Stop oscillating although switched on, until it is switched off and on again."""
        self.switch(False)
        self.on = True

    def force_ready(self) -> None:
        """Run without a start-up: after a reset, or as a wake-up clock whose start is in the latency."""
        self.switch(False)
        self.on = True
        self.ready = True

    def _started(self) -> None:
        self._starting = None
        self.ready = True
        self._on_ready()
