# SPDX-License-Identifier: Apache-2.0
"""Low-power modes (RM0351, PWR section): which one WFI enters, and what waking from it takes."""

from typing import Final

from hil.parts import Part
from hil.twin.core.core import Core
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.exti_v1 import Exti
from hil.twin.power import wake_up
from hil.twin.power.operating_point import Mode, WakeUp
from hil.twin.signal import Signal
from hil.twin.soc.stm32l4.clock_tree import SystemClock
from hil.twin.soc.stm32l4.dbgmcu import Dbgmcu
from hil.twin.soc.stm32l4.pwr import DeepSleepMode, Pwr
from hil.twin.soc.stm32l4.rcc import Rcc

STOP_MODES: Final = ("stop0", "stop1", "stop2")
POWER_DOWN_MODES: Final = ("standby", "shutdown")


class LowPower:
    """The part's mode.

    ``powering_down`` tells that the core asked for Standby or Shutdown, ``mode_changed`` of any change.
    """

    def __init__(
        self,
        part: Part,
        scheduler: Scheduler,
        core: Core,
        rcc: Rcc,
        pwr: Pwr,
        exti: Exti,
        dbgmcu: Dbgmcu,
    ) -> None:
        self._part = part
        self._scheduler = scheduler
        self._core = core
        self._rcc = rcc
        self._pwr = pwr
        self._exti = exti
        self._dbgmcu = dbgmcu
        self._waking_end: Event | None = None
        self.mode: Mode = "run"
        self.in_power_down = False
        """The part is in Standby or Shutdown, or leaves it."""
        self.waking: WakeUp | None = None
        """Set while the part is on its way to Run."""
        self.powering_down: Signal[[]] = Signal(required=True)
        self.mode_changed: Signal[[]] = Signal(required=True)

    @property
    def running_mode(self) -> Mode:
        """Run or low-power run by the regulator."""
        return "lprun" if self._pwr.low_power_regulator else "run"

    def reset(self) -> None:
        """A reset of the core domain ends every mode."""
        self._end_waking()
        self.mode = "run"
        self.in_power_down = False
        self._core.debug_access_ok = True

    def regulator_changed(self) -> None:
        """LPR was written while running."""
        if self.mode in ("run", "lprun"):
            self.mode = self.running_mode

    def refuses(self, deep: bool) -> bool:
        """Whether WFI or WFE is ignored: Stop is not entered while a wake-up is pending (RM0351, PWR section,
        entering Stop 0, 1 and 2).
        """
        return deep and self._pwr.deep_sleep_mode in STOP_MODES and self._exti.wakeup_pending

    def wanted(self, deep: bool) -> DeepSleepMode | None:
        """The mode below Sleep that WFI or WFE asks for, ``None`` if it is Sleep."""
        return self._pwr.deep_sleep_mode if deep else None

    def sleep(self, deep: bool) -> None:
        """The core executed WFI or WFE and waits; ``deep`` is SCR.SLEEPDEEP."""
        self._end_waking()
        if deep:
            self._pwr.enter_deep_sleep(self._rcc.clocks.hclk_hz)
        mode = self.wanted(deep)
        if mode is None or self._rcc.msi_flag_stuck:
            # assumption errata_worst_case, 2.1.15: the entry is never finished, the clocks go on
            self.mode = "lpsleep" if self._pwr.low_power_regulator else "sleep"
            self._rcc.set_asleep(True)
        elif mode in STOP_MODES:
            self.mode = mode
            self._core.debug_access_ok = self._dbgmcu.keeps_stop_clocked
            self._rcc.enter_stop(stop_2=mode == "stop2")
        else:
            self.mode = mode
            # The core is in the middle of its instruction: it is taken away when that is over.
            self._scheduler.after(0, self.powering_down)
        self.mode_changed()

    def wake(self) -> int:
        """The core wakes from Sleep or Stop; returns the time in ps until it executes again."""
        mode = self.mode
        if mode in STOP_MODES:
            self._rcc.leave_stop()
            clock = "hsi16" if self._rcc.wake_source is SystemClock.HSI16 else "msi"
        else:
            self._rcc.set_asleep(False)
            clock = "msi"
        self._core.debug_access_ok = True
        hclk_hz = self._rcc.clocks.hclk_hz
        latency_ps = wake_up.latency_ps(
            self._part,
            mode,
            clock,
            hclk_hz,
            self._pwr.voltage_range,
            self._pwr.low_power_regulator,
            "sram1" if self._core.executes_from_sram else "flash",
        )
        self.mode = self.running_mode
        if mode in STOP_MODES:
            self.begin_waking(
                WakeUp(mode, "hsi16" if clock == "hsi16" else "msi", self._rcc.wake_hz), latency_ps
            )
        self.mode_changed()
        return latency_ps

    def begin_waking(self, waking: WakeUp, latency_ps: int) -> None:
        """Draw the wake-up current for the wake-up time."""
        self.waking = waking
        self._waking_end = self._scheduler.after(latency_ps, self._awake)

    def _awake(self) -> None:
        self._end_waking()
        self.mode_changed()

    def _end_waking(self) -> None:
        self.waking = None
        if self._waking_end is not None:
            self._waking_end.cancel()
            self._waking_end = None
