# SPDX-License-Identifier: Apache-2.0
"""What the part draws: recorded at every change of what that depends on, planned as far as it is known."""

from collections.abc import Callable

from hil.twin.core.scheduler import Scheduler
from hil.twin.power.flash_activity import Activity, FlashActivity, SupplyModel
from hil.twin.power.operating_point import OperatingPoint
from hil.twin.power.supply_trace import SupplyTrace

_MOST_DEVIATION = 0.5
"""No block of instructions draws so much more or less than the tables' code (`code_current`)."""


class SupplyCurrent:
    """Keeps ``trace``. What programming and erasing will draw is planned when they begin."""

    def __init__(
        self,
        scheduler: Scheduler,
        flash: FlashActivity,
        model: SupplyModel,
        point: Callable[[], OperatingPoint],
        code: Callable[[], tuple[int, float]],
        leads_a: Callable[[], float],
    ) -> None:
        """``point`` is asked for the operating point as of now, ``code`` for the cycles executed so far and
        how many cycles of the tables' code more they were worth, ``leads_a`` for what flows between the
        supply's own leads, also while they feed nothing.
        """
        self.trace = SupplyTrace(scheduler)
        self.part_a = 0.0
        """What the part drew when something last changed, wherever from."""
        self._leads_a = leads_a
        self._connected = True
        self._scheduler = scheduler
        self._flash = flash
        self._model = model
        self._point = point
        self._code = code
        self._settled_ps = 0
        self._settled_code = code()
        self._code_a: float | None = None
        """What the tables' code draws since then; None where other code's current is not known."""
        self._by_activity: dict[tuple[Activity | None, bool], float] = {}
        """The current by what the flash does, as long as nothing else changes."""
        flash.activity_changed.connect(self._flash_activity_changed)

    def connect(self, connected: bool) -> None:
        """Whether a supply drives VDD; where none does, the part lives on its capacitors or on its pins, and
        nothing flows from the supply.
        """
        if connected is not self._connected:
            self.settle()
            self._connected = connected
            self.update()

    def settle(self) -> None:
        """What the program drew until now, beyond what the tables' code draws, goes into the trace.

        It is spread evenly over the time since the last call.
        """
        now_ps = self._scheduler.now_ps
        if now_ps <= self._settled_ps:
            return
        cycles, deviation = self._code()
        since_cycles = cycles - self._settled_code[0]
        since = deviation - self._settled_code[1]
        if self._connected and self._code_a is not None and since_cycles > 0 and since:
            # A block that was left early has given cycles back; what it drew has not.
            relative = min(max(since / since_cycles, -_MOST_DEVIATION), _MOST_DEVIATION)
            self.trace.add_between(self._settled_ps, now_ps, self._code_a * relative)
        self._settled_ps, self._settled_code = now_ps, (cycles, deviation)

    def update(self) -> None:
        """Something else than the flash's activity may have changed."""
        self.settle()
        self._by_activity.clear()
        point = self._point()
        self._code_a = self._model.code_current_a(point)
        self.part_a = self._model.supply_current_a(point) - point.external_current_a
        if not self._connected:
            self.trace.record(self._scheduler.now_ps, self._leads_a())
            return
        self.trace.record(self._scheduler.now_ps, self._model.supply_current_a(point))
        operation = self._flash.operation
        if operation is not None:
            if point.flash_peak:
                plain = point._replace(flash_peak=False)
                self.trace.plan(operation.peak_end_ps, self._model.supply_current_a(plain))
            idle = point._replace(flash_activity=None, flash_peak=False)
            self.trace.plan(operation.end_ps, self._model.supply_current_a(idle))

    def _flash_activity_changed(self) -> None:
        # What the code draws beyond the tables' is the same before and after: a later call settles it.
        if not self._connected:
            return
        operation, now_ps = self._flash.operation, self._scheduler.now_ps
        if operation is None:
            self.trace.record(now_ps, self._current_a(None, peak=False))
        else:
            self.trace.record(now_ps, self._current_a(operation.activity, peak=True))
            self.trace.plan(operation.peak_end_ps, self._current_a(operation.activity, peak=False))
            self.trace.plan(operation.end_ps, self._current_a(None, peak=False))

    def _current_a(self, activity: Activity | None, *, peak: bool) -> float:
        # Asked thrice per double word programmed, with nothing else changed since: the answers are kept.
        current_a = self._by_activity.get((activity, peak))
        if current_a is None:
            point = self._point()._replace(flash_activity=activity, flash_peak=peak)
            current_a = self._model.supply_current_a(point)
            self._by_activity[activity, peak] = current_a
        return current_a
