# SPDX-License-Identifier: Apache-2.0
"""All timers of the part, and what leads to and from them: pins, clocks to measure, triggers, DMA.

Interrupts, counters and channels: RM0351, TIM sections. What software may connect to TI1 and ETR instead of a
pin: ST's HAL (HAL_TIMEx_RemapConfig, STM32L486). Of the internal triggers the HAL names TIM2's ITR1 only; for
the others see the assumption timer_triggers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.bdma_v2 import Dma
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.interrupts import InterruptLines
from hil.twin.ip.memory_map import IRQ
from hil.twin.ip.pin_functions import SIGNALS, Signal
from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1 import registers as reg
from hil.twin.ip.timer_v1.tim import ALL_FLAGS, RemappedTim, Tim
from hil.twin.soc.dma_requests import DmaRequest
from hil.twin.soc.stm32l4.rcc import Rcc

_COMPARE_FLAGS: Final = 0x1E
_TRIGGER_FLAGS: Final = 0x60


@dataclass(frozen=True)
class _Kind:
    """What one timer has; ``interrupts`` are (flags in SR, line)."""

    interrupts: tuple[tuple[int, str], ...]
    bits: int = 16
    channels: int = 0
    complementary: int = 0


def _advanced(break_irq: str, update_irq: str, trigger_irq: str, compare_irq: str) -> _Kind:
    lines = (
        (reg.BIF, break_irq),
        (reg.UIF, update_irq),
        (_TRIGGER_FLAGS, trigger_irq),
        (_COMPARE_FLAGS, compare_irq),
    )
    return _Kind(lines, channels=4, complementary=3)


_KINDS: Final[dict[str, _Kind]] = {
    "TIM1": _advanced("TIM1_BRK_TIM15", "TIM1_UP_TIM16", "TIM1_TRG_COM_TIM17", "TIM1_CC"),
    "TIM8": _advanced("TIM8_BRK", "TIM8_UP", "TIM8_TRG_COM", "TIM8_CC"),
    "TIM2": _Kind(((ALL_FLAGS, "TIM2"),), bits=32, channels=4),
    "TIM3": _Kind(((ALL_FLAGS, "TIM3"),), channels=4),
    "TIM4": _Kind(((ALL_FLAGS, "TIM4"),), channels=4),
    "TIM5": _Kind(((ALL_FLAGS, "TIM5"),), bits=32, channels=4),
    "TIM6": _Kind(((ALL_FLAGS, "TIM6_DAC"),)),
    "TIM7": _Kind(((ALL_FLAGS, "TIM7"),)),
    "TIM15": _Kind(((ALL_FLAGS, "TIM1_BRK_TIM15"),), channels=2, complementary=1),
    "TIM16": _Kind(((ALL_FLAGS, "TIM1_UP_TIM16"),), channels=1, complementary=1),
    "TIM17": _Kind(((ALL_FLAGS, "TIM1_TRG_COM_TIM17"),), channels=1, complementary=1),
}
_INTERNAL_TRIGGERS: Final[dict[str, tuple[str, str, str, str]]] = {
    "TIM1": ("TIM15", "TIM2", "TIM3", "TIM4"),
    "TIM8": ("TIM1", "TIM2", "TIM4", "TIM5"),
    "TIM2": ("TIM1", "TIM8", "TIM3", "TIM4"),
    "TIM3": ("TIM1", "TIM2", "TIM15", "TIM4"),
    "TIM4": ("TIM1", "TIM2", "TIM3", "TIM8"),
    "TIM5": ("TIM2", "TIM3", "TIM4", "TIM8"),
    "TIM15": ("TIM2", "TIM3", "TIM16", "TIM17"),
}
"""Masters behind ITR0 to ITR3; TIM16 and TIM17 have no TRGO and send OC1. Assumption timer_triggers."""
_WITHOUT_TRGO: Final = ("TIM16", "TIM17")
_REMAPPED_CLOCKS: Final[dict[str, tuple[str, ...]]] = {
    "TIM15": ("", "lse"),
    "TIM16": ("", "lsi", "lse", "rtc_wakeup"),
    "TIM17": ("", "msi", "hse", "mco"),
}
"""What TI1_RMP, the lowest bits of OR1, connects to TI1; of these HSE/32 is absent, MCO is not modelled."""


class Timers(Mapping[str, Tim]):
    """The timers by their names."""

    def __init__(
        self,
        scheduler: Scheduler,
        interrupts: InterruptLines,
        rcc: Rcc,
        ports: Mapping[str, GpioPort],
        controllers: Mapping[str, Dma],
    ) -> None:
        self._rcc = rcc
        self._timers = {
            name: (RemappedTim if name in _REMAPPED_CLOCKS else Tim)(
                name,
                scheduler,
                tuple((flags, interrupts.source(IRQ[irq])) for flags, irq in kind.interrupts),
                partial(rcc.timer_hz, name),
                counter_bits=kind.bits,
                channels=kind.channels,
                complementary=kind.complementary,
            )
            for name, kind in _KINDS.items()
        }
        for name, timer in self._timers.items():
            self._connect_pins(name, timer, ports)
            self._connect_dma(name, timer, controllers)
            self._connect_triggers(name, timer)

            if name in _REMAPPED_CLOCKS:
                timer.inputs.clock_hz = partial(self._clock_at_ti1_hz, name)
                timer.inputs.internal = partial(self._is_remapped, name)

    def __getitem__(self, name: str) -> Tim:
        return self._timers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._timers)

    def __len__(self) -> int:
        return len(self._timers)

    def rtc_wakeup(self, level: bool) -> None:
        """The RTC's wake-up flag, which TIM16 can capture."""
        if self._remapping("TIM16") == "rtc_wakeup":
            self._timers["TIM16"].inputs.set_level(0, level)

    def _connect_pins(self, name: str, timer: Tim, ports: Mapping[str, GpioPort]) -> None:
        signals = [Signal(f"{name}_CH{number}", ports) for number in range(1, timer.channels.count + 1)]
        timer.inputs.pin_level = lambda index: bool(signals[index].level)
        for channel, signal in enumerate(signals):
            timer.outputs.connect(channel, signal.drive)
            signal.listen(partial(timer.inputs.set_pin, channel))
            negative = f"{name}_CH{channel + 1}N"
            if negative in SIGNALS:
                timer.outputs.connect_complementary(channel, Signal(negative, ports).drive)
        Signal(f"{name}_ETR", ports).listen(timer.slave.set_etr)
        break_input = Signal(f"{name}_BKIN", ports)
        break_input.listen(timer.set_break)
        timer.outputs.break_level = lambda: break_input.level

    @staticmethod
    def _connect_dma(name: str, timer: Tim, controllers: Mapping[str, Dma]) -> None:
        timer.requests.update = DmaRequest(f"{name}_UP", controllers)
        timer.requests.trigger = DmaRequest(f"{name}_TRIG", controllers)
        timer.requests.commutation = DmaRequest(f"{name}_COM", controllers)
        for channel in range(timer.channels.count):
            timer.requests.compare[channel] = DmaRequest(f"{name}_CH{channel + 1}", controllers)

    def _connect_triggers(self, name: str, timer: Tim) -> None:
        for index, master in enumerate(_INTERNAL_TRIGGERS.get(name, ())):
            output = self._timers[master].trigger_output
            followers = output.reference_followers if master in _WITHOUT_TRGO else output.followers
            followers.append((timer.slave, index))

    def _remapping(self, name: str) -> str:
        choices = _REMAPPED_CLOCKS.get(name)
        if choices is None:
            return ""
        return choices[field(self._timers[name].words[reg.OR1], 0, (len(choices) - 1).bit_length())]

    def _is_remapped(self, name: str) -> bool:
        return bool(self._remapping(name))

    def _clock_at_ti1_hz(self, name: str) -> int:
        clocks = self._rcc.clocks
        running_hz = {"lse": clocks.lse_hz, "lsi": clocks.lsi_hz, "msi": clocks.msi_hz}
        return running_hz.get(self._remapping(name), 0)
