# SPDX-License-Identifier: Apache-2.0
"""All peripherals of the STM32L476, made and connected to each other."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import numpy as np

from hil.twin.core.bus import Bus
from hil.twin.core.core import Core
from hil.twin.peripherals.adc import Adc
from hil.twin.peripherals.adc_common import AdcCommon
from hil.twin.peripherals.analog_inputs import AnalogInputs
from hil.twin.peripherals.clock_gates import GATES
from hil.twin.peripherals.crc import Crc
from hil.twin.peripherals.dbgmcu import Dbgmcu
from hil.twin.peripherals.dma import Dma
from hil.twin.peripherals.dma_bus import DmaBus
from hil.twin.peripherals.exti import LINE_RTC_WAKEUP, Exti
from hil.twin.peripherals.flash import Flash
from hil.twin.peripherals.gpio import GpioPort
from hil.twin.peripherals.interrupts import InterruptLines
from hil.twin.peripherals.iwdg import Iwdg
from hil.twin.peripherals.memory_map import BASE, IRQ
from hil.twin.peripherals.pwr import Pwr
from hil.twin.peripherals.rcc import Rcc
from hil.twin.peripherals.registers import RegisterBlock
from hil.twin.peripherals.rtc import Rtc
from hil.twin.peripherals.syscfg import Syscfg
from hil.twin.peripherals.tim import Tim
from hil.twin.peripherals.unmodelled import Unmodelled
from hil.twin.peripherals.usart import Usart
from hil.twin.pins import PORT_WIDTHS, Pins

_WAKEUP_PINS: Final = {"PA0": 1, "PC13": 2, "PE6": 3, "PA2": 4, "PC5": 5}
"""WKUP1 to WKUP5 (DS10198 Rev 8, Table 16)."""
_USART2_TX, _USART2_RX, _USART2_FUNCTION = 2, 3, 7
"""PA2 and PA3, AF7: the pins behind the Nucleo's virtual COM port (UM1724 Rev 14, 6.8)."""
_USART2_DMA: Final = (7, 6, 2)
"""DMA1 channels for TX and RX, and their request code (ChibiOS, STM32L4xx registry)."""
_TIMERS: Final = {
    "TIM2": ("TIM2", 32),
    "TIM6": ("TIM6_DAC", 16),
    "TIM7": ("TIM7", 16),
    "TIM15": ("TIM1_BRK_TIM15", 16),
    "TIM16": ("TIM1_UP_TIM16", 16),
}
_ADC_TRIGGERS: Final = {11: "TIM2", 13: "TIM6", 14: "TIM15"}
"""EXTSEL codes of the timers' TRGO (ST's HAL, LL_ADC_REG_TRIG_EXT)."""
_SYSTEM_BUS: Final = (0x4000_0000, 0x6000_0000)
"""The part of the address space that holds what DMA reaches."""

Block = TypeVar("Block", bound=RegisterBlock)


class Peripherals:
    """The peripherals by their names.

    ``request_reset(cause)`` is called by those that reset the part, ``on_wakeup_line`` with the level of the
    RTC's wake-up output, ``on_wakeup_pin`` after an enabled edge on a WKUP pin.
    """

    def __init__(
        self,
        core: Core,
        pins: Pins,
        seed: int,
        supply_v: Callable[[], float],
        temperature_c: Callable[[], float],
        request_reset: Callable[[str], None],
    ) -> None:
        scheduler = core.scheduler
        interrupts = InterruptLines(core.set_interrupt)
        self.blocks: dict[str, RegisterBlock] = {}
        self.on_wakeup_line: Callable[[bool], None] = lambda level: None
        self.on_wakeup_pin: Callable[[], None] = lambda: None
        self._core = core

        self.rcc = self._add(Rcc(scheduler, interrupts.source(IRQ["RCC"])))
        self.pwr = self._add(Pwr(scheduler))
        self.exti = self._add(Exti(interrupts, core.send_event))
        self.syscfg = self._add(Syscfg())
        self.dbgmcu = self._add(Dbgmcu())
        self.rtc = self._add(Rtc(scheduler, lambda: self.rcc.rtc_hz))
        self.iwdg = self._add(Iwdg(scheduler, self.rcc.force_lsi, partial(request_reset, "iwdg")))
        self.crc = self._add(Crc())
        self.flash = self._add(
            Flash(
                scheduler,
                interrupts.source(IRQ["FLASH"]),
                core.memory.flash,
                core.memory.invalidate,
                core.set_flash_timing,
            )
        )
        self.ports = {port: self._add(GpioPort(port, pins, scheduler, supply_v)) for port in PORT_WIDTHS}
        peripheral_bus = Bus(core.memory)
        dma_bus = DmaBus(core.memory, peripheral_bus)
        self.dma1 = self._add(Dma("DMA1", dma_bus, interrupts))
        self.dma2 = self._add(Dma("DMA2", dma_bus, interrupts))
        self.timers = {
            name: self._add(
                Tim(
                    name,
                    scheduler,
                    interrupts.source(IRQ[irq]),
                    partial(self.rcc.timer_hz, name),
                    counter_bits=bits,
                )
            )
            for name, (irq, bits) in _TIMERS.items()
        }
        self.usart2 = self._add(
            Usart(
                "USART2",
                scheduler,
                interrupts.source(IRQ["USART2"]),
                partial(self.rcc.usart_kernel_hz, "USART2"),
                self.dma1,
                _USART2_DMA,
            )
        )
        self.adc_common = self._add(AdcCommon(partial(self.rcc.bus_hz, "ADC"), self.rcc.adc_async_hz), "ADC")
        self.adc1 = self._add(
            Adc(
                scheduler,
                interrupts.source(IRQ["ADC1_2"]),
                self.adc_common,
                AnalogInputs(self.ports, supply_v, temperature_c),
                {code: self.timers[name] for code, name in _ADC_TRIGGERS.items()},
                ((self.dma1, 1, 0), (self.dma2, 3, 0)),
                np.random.default_rng([seed, BASE["ADC1"]]),
            ),
            "ADC",
        )
        self.unmodelled = {
            name: self._add(Unmodelled(name), "ADC" if name.startswith("ADC") else name)
            for name in BASE
            if name not in self.blocks
        }
        for block in self.blocks.values():
            core.attach(block)
            if _SYSTEM_BUS[0] <= block.base < _SYSTEM_BUS[1]:
                peripheral_bus.attach(block)
        self._connect(pins, request_reset)

    def reset(self) -> None:
        """A system reset, without the flags that tell its cause: what a reset leaves alone stays."""
        for block in self.blocks.values():
            block.reset()

    def enter_standby(self) -> None:
        """Lose the supply of the core domain, which the watchdog and RCC_CSR are not part of."""
        for block in self.blocks.values():
            if block is self.rcc:
                self.rcc.enter_standby()
            elif block is not self.iwdg:
                block.reset()

    def power_on_reset(self) -> None:
        """A power-on reset: also the backup domain and the debug settings."""
        self.dbgmcu.power_on_reset()
        self.pwr.power_on_reset()
        self.rcc.power_on_reset()
        self.reset()

    def set_powered(self, powered: bool) -> None:
        """Give or take the ports' supply."""
        for port in self.ports.values():
            port.set_powered(powered)

    def retime(self) -> None:
        """A clock changed: the core and every block follow."""
        hclk_hz = self.rcc.clocks.hclk_hz
        if hclk_hz and hclk_hz != self._core.hclk_hz:
            self._core.set_hclk_hz(hclk_hz)
        for timer in self.timers.values():
            timer.retime()
        self.usart2.retime()
        self.rtc.retime()

    def freeze_for_debug(self, halted: bool) -> None:
        """Stop or resume the counters that DBGMCU freezes while a debugger holds the core."""
        for name, timer in self.timers.items():
            timer.freeze(halted and self.dbgmcu.freezes(name))
        self.rtc.freeze(halted and self.dbgmcu.freezes("RTC"))
        self.iwdg.freeze(halted and self.dbgmcu.freezes("IWDG"))

    def _connect(self, pins: Pins, request_reset: Callable[[str], None]) -> None:
        self.rcc.listeners.append(self.retime)
        self.rcc.backup_access = lambda: self.pwr.backup_access
        self.rcc.on_backup_domain_reset = self.rtc.reset_backup_domain
        self.rcc.on_peripheral_reset = self._reset_peripheral
        self.rtc.backup_access = lambda: self.pwr.backup_access
        self.rtc.on_wakeup_line = self._rtc_wakeup
        self.adc1.core_asleep = lambda: self._core.state == "sleeping"
        self.flash.on_option_load = partial(request_reset, "option_bytes")
        self._core.on_flash_write = self.flash.array_write
        self.syscfg.on_exti_select = self._reselect_exti
        for port, block in self.ports.items():
            block.on_input = partial(self._pin_changed, port)
        for name, number in _WAKEUP_PINS.items():
            pins[name].external_listeners.append(partial(self._wakeup_pin_changed, number))
        port_a = self.ports["A"]
        self.usart2.tx_routed = partial(port_a.has_alternate, _USART2_TX, _USART2_FUNCTION)
        self.usart2.rx_routed = partial(port_a.has_alternate, _USART2_RX, _USART2_FUNCTION)
        self.usart2.on_tx_idle = partial(port_a.set_alternate_output, _USART2_TX, _USART2_FUNCTION)

    def _add(self, block: Block, gate: str | None = None) -> Block:
        self.blocks[block.name] = block
        gate = gate or block.name
        if gate in GATES:
            block.is_clocked = partial(self._is_enabled, gate)
        return block

    def _is_enabled(self, gate: str) -> bool:
        return self.rcc.is_enabled(gate)

    def _reset_peripheral(self, gate: str) -> None:
        names = ("ADC1", "ADC123_COMMON") if gate == "ADC" else (gate,)
        for name in names:
            self.blocks[name].reset()

    def _rtc_wakeup(self, level: bool) -> None:
        self.pwr.flag_internal_wakeup(level)
        self.exti.set_level(LINE_RTC_WAKEUP, level)
        self.on_wakeup_line(level)

    def _pin_changed(self, port: str, index: int, level: bool) -> None:
        if self.syscfg.exti_port(index) == port:
            self.exti.set_level(index, level)

    def _wakeup_pin_changed(self, number: int, _time_ps: int, level: bool | None) -> None:
        # The wake-up logic looks at the pad itself, whatever the port's configuration.
        if level is not None and self.pwr.wakeup_pin(number, rising=level):
            self.on_wakeup_pin()

    def _reselect_exti(self) -> None:
        for line in range(16):
            port = self.ports[self.syscfg.exti_port(line)]
            self.exti.set_level(line, port.input_level(line))
