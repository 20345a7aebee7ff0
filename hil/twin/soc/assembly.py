# SPDX-License-Identifier: Apache-2.0
"""All peripherals of the part, made and connected to each other."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import numpy as np

from hil.boards import Board
from hil.twin.core.bus import Bus
from hil.twin.core.core import Core
from hil.twin.ip import iwdg_v2 as iwdg
from hil.twin.ip.bdma_v2 import Dma
from hil.twin.ip.crc_v3 import Crc
from hil.twin.ip.exti_v1 import LINE_PVD, LINE_RTC_ALARM, LINE_RTC_WAKEUP, LINE_TAMPER, Exti
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.interrupts import InterruptLines
from hil.twin.ip.iwdg_v2 import Iwdg
from hil.twin.ip.lcd_v2 import Lcd
from hil.twin.ip.lptim_v1.lptim import Lptim
from hil.twin.ip.memory_map import BASE, IRQ
from hil.twin.ip.otg_v1 import OtgFs
from hil.twin.ip.pin_functions import SIGNALS, Signal
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.ip.rng_v1 import Rng
from hil.twin.ip.rtc_v2.rtc import Rtc
from hil.twin.ip.rtc_v2.tamper import TAMPER_PINS
from hil.twin.ip.usart_v3.usart import Lpuart, Usart
from hil.twin.ip.vrefbuf_v1 import Vrefbuf
from hil.twin.ip.wwdg_v1 import Wwdg
from hil.twin.pins import PORT_WIDTHS, Pins
from hil.twin.soc.analog import Analog
from hil.twin.soc.dma_bus import DmaBus
from hil.twin.soc.dma_requests import DmaRequest
from hil.twin.soc.serial_buses import make_i2cs, make_spis
from hil.twin.soc.stm32l4.clock_gates import GATES
from hil.twin.soc.stm32l4.dbgmcu import Dbgmcu
from hil.twin.soc.stm32l4.flash import Flash
from hil.twin.soc.stm32l4.kernel_clocks import KernelClocks
from hil.twin.soc.stm32l4.option_bytes import OptionBytes
from hil.twin.soc.stm32l4.pwr import Pwr
from hil.twin.soc.stm32l4.rcc import Rcc
from hil.twin.soc.stm32l4.syscfg import Syscfg
from hil.twin.soc.timers import Timers
from hil.twin.soc.unmodelled import Unmodelled, UnmodelledRegisters, reserved_between

_WAKEUP_PINS: Final = {"PA0": 1, "PC13": 2, "PE6": 3, "PA2": 4, "PC5": 5}
"""WKUP1 to WKUP5 (DS10198 Rev 8, Table 16)."""
_UARTS: Final = ("USART1", "USART2", "USART3", "UART4", "UART5", "LPUART1")
_LOW_POWER_TIMERS: Final = ("LPTIM1", "LPTIM2")
_SHARED_GATES: Final = {"VREFBUF": "SYSCFG"}
"""Blocks that another block's clock gate clocks (RM0351, RCC_AHB2ENR and RCC_APB2ENR)."""
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
        board: Board,
        core: Core,
        pins: Pins,
        seed: int,
        supply_v: Callable[[], float],
        battery_v: Callable[[], float],
        temperature_c: Callable[[], float],
        request_reset: Callable[[str], None],
    ) -> None:
        part, scheduler = board.part, core.scheduler
        interrupts = InterruptLines(core.set_interrupt)
        self.blocks: dict[str, RegisterBlock] = {}
        self.on_wakeup_line: Callable[[bool], None] = lambda level: None
        self.on_wakeup_pin: Callable[[], None] = lambda: None
        self.unmodelled = UnmodelledRegisters(lambda: scheduler.now_ps)
        self._core = core
        self._rtc_wakeup = False
        self.load_siemens = 0.0
        """Of outputs that are high into a load, and of pull resistors that work against a driven level."""
        self.floating_inputs = 0
        """Digital inputs with a level that nothing defines."""
        self._lse_failed = False
        self._debug_frozen = False
        self._low_power_frozen = False
        self._wakeup_pins = {number: pins[name] for name, number in _WAKEUP_PINS.items()}

        self.rcc = self._add(Rcc(board, scheduler, interrupts.source(IRQ["RCC"])))
        self.pwr = self._add(Pwr(part, scheduler))
        self.exti = self._add(Exti(interrupts, core.send_event))
        self.syscfg = self._add(Syscfg())
        self.vrefbuf = self._add(Vrefbuf(), "SYSCFG")
        self.dbgmcu = self._add(Dbgmcu(part.device_id_code))
        self.rtc = self._add(Rtc(scheduler, lambda: self.rcc.rtc_hz))
        self.iwdg = self._add(
            Iwdg(
                scheduler,
                lambda: self.rcc.oscillators.lsi_nominal_hz,
                self.rcc.force_lsi,
                partial(request_reset, "iwdg"),
            )
        )
        self.crc = self._add(Crc())
        self.flash = self._add(
            Flash(
                part,
                scheduler,
                interrupts.source(IRQ["FLASH"]),
                core.memory["flash"],
                OptionBytes(core.memory["system"]),
                core.memory.invalidate,
                core.set_flash_timing,
            )
        )
        pull_ohm = part.fact("pull_resistors").typ_scalar()
        self.ports = {
            port: self._add(GpioPort(port, pins, scheduler, supply_v, pull_ohm)) for port in PORT_WIDTHS
        }
        peripheral_bus = Bus(core.memory)
        dma_bus = DmaBus(core.memory, peripheral_bus)
        self.dma1 = self._add(Dma("DMA1", dma_bus, interrupts))
        self.dma2 = self._add(Dma("DMA2", dma_bus, interrupts))
        controllers = {"DMA1": self.dma1, "DMA2": self.dma2}
        self.timers = Timers(scheduler, interrupts, self.rcc, self.ports, controllers)
        for timer in self.timers.values():
            self._add(timer)
        self.kernel_clocks = KernelClocks(self.rcc)
        self._uart_inputs: dict[tuple[str, int], list[tuple[int, Callable[[int, bool], None]]]] = {}
        """By port and pin: the UARTs that may listen there, and in which alternate function."""
        self.uarts = {name: self._add(self._make_uart(name, interrupts)) for name in _UARTS}
        self.i2cs = make_i2cs(scheduler, interrupts, self.kernel_clocks, self.ports, controllers)
        self.spis = make_spis(scheduler, interrupts, self.rcc, self.ports, controllers)
        for bus in (*self.i2cs.values(), *self.spis.values()):
            self._add(bus)
        self.wwdg = self._add(
            Wwdg(
                scheduler,
                interrupts.source(IRQ["WWDG"]),
                partial(self.rcc.bus_hz, "WWDG"),
                partial(request_reset, "wwdg"),
            )
        )
        self.rng = self._add(
            Rng(
                scheduler,
                interrupts.source(IRQ["RNG"]),
                self.kernel_clocks.clk48_hz,
                np.random.default_rng([seed, BASE["RNG"]]),
            )
        )
        self.low_power_timers = {
            name: self._add(
                Lptim(
                    name,
                    scheduler,
                    interrupts.source(IRQ[name]),
                    partial(self.kernel_clocks.low_power_timer_hz, name),
                    encoder=f"{name}_IN2" in SIGNALS,
                )
            )
            for name in _LOW_POWER_TIMERS
        }
        self.analog = Analog(
            part,
            scheduler,
            interrupts,
            self.rcc,
            self.exti,
            pins,
            self.ports,
            self.timers,
            controllers,
            seed=seed,
            supply_v=supply_v,
            battery_v=battery_v,
            temperature_c=temperature_c,
        )
        for block, gate in self.analog:
            self._add(block, gate)
        self.adc_common, self.adcs = self.analog.adc_common, self.analog.adcs
        self.lcd = Lcd(scheduler, interrupts.source(IRQ["LCD"]), lambda: self.rcc.lcd_hz)
        if "LCD" not in part.lacks_blocks:
            self._add(self.lcd)
        self.otg_fs = self._add(OtgFs(scheduler, self.kernel_clocks.clk48_hz))
        for name in [name for name in BASE if name not in self.blocks and name not in part.lacks_blocks]:
            self._add(Unmodelled(name), _SHARED_GATES.get(name))
        for gap in reserved_between(self.blocks.values()):
            self._add(gap)
        for block in self.blocks.values():
            core.attach(block)
            if _SYSTEM_BUS[0] <= block.base < _SYSTEM_BUS[1]:
                peripheral_bus.attach(block)
        clocked = (
            *(self.timers.values(), self.uarts.values(), self.low_power_timers.values()),
            (self.wwdg, self.rng, self.lcd, self.otg_fs),
        )
        self._retime: dict[str, Callable[[], None]] = {
            block.name: block.retime for group in clocked for block in group
        }
        """What follows a clock or its own gate."""
        self._retime["ADC"] = self.analog.retime
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
        """A power-on or brown-out reset: also the debug settings and the flags of resets and wake-ups."""
        self.dbgmcu.power_on_reset()
        self.pwr.power_on_reset()
        self.rcc.power_on_reset()
        self.flash.options.load()
        self.reset()

    def start_hardware_watchdogs(self) -> None:
        """After a reset: the watchdogs run that the option bytes start (RM0351, FLASH_OPTR)."""
        if self.flash.options.starts_iwdg:
            self.iwdg.start()
        if self.flash.options.starts_wwdg:
            self.rcc.open_gate("WWDG")
            self.wwdg.start()

    def lose_backup_domain(self) -> None:
        """Neither VDD nor VBAT supplies the backup domain."""
        self.rcc.reset_backup_domain()

    def sum_loads(self) -> None:
        """What hangs on a port's pins changed."""
        self.load_siemens = sum(port.load_siemens for port in self.ports.values())
        self.floating_inputs = sum(port.floating_inputs for port in self.ports.values())

    @property
    def floating_wakeup_pins(self) -> tuple[str, ...]:
        """The enabled WKUP pins with a level that nothing defines."""
        return tuple(
            pin.name
            for number, pin in self._wakeup_pins.items()
            if self.pwr.wakeup_pin_enabled(number)
            and not (pin.external_level is not None or pin.has_source or self.pwr.pulled(pin.name))
        )

    def set_powered(self, powered: bool) -> None:
        """Give or take the ports' supply; PWR's pull resistors stay."""
        for name, port in self.ports.items():
            port.set_powered(powered, self.pwr.pulls(name))

    def retime(self) -> None:
        """A clock changed: the core and every block follow."""
        hclk_hz = self.rcc.clocks.hclk_hz
        if hclk_hz and hclk_hz != self._core.hclk_hz:
            self._core.set_hclk_hz(hclk_hz)
        self.rtc.retime()
        for retime in self._retime.values():
            retime()

    def _gates_changed(self, gates: tuple[str, ...]) -> None:
        for name in gates:
            if name in self._retime:
                self._retime[name]()

    def freeze_for_debug(self, halted: bool) -> None:
        """Stop or resume the counters that DBGMCU freezes while a debugger holds the core."""
        for name, timer in self.timers.items():
            timer.freeze(halted and self.dbgmcu.freezes(name))
        for name, low_power_timer in self.low_power_timers.items():
            low_power_timer.freeze(halted and self.dbgmcu.freezes(name))
        self.rtc.freeze(halted and self.dbgmcu.freezes("RTC"))
        self.wwdg.freeze(halted and self.dbgmcu.freezes("WWDG"))
        self._debug_frozen = halted and self.dbgmcu.freezes("IWDG")
        self._freeze_iwdg()

    def freeze_in_low_power(self, mode: str) -> None:
        """Stop or resume the counter that the option bytes freeze in Stop or Standby."""
        self._low_power_frozen = self.flash.options.freezes_iwdg_in(mode)
        self._freeze_iwdg()

    def _freeze_iwdg(self) -> None:
        self.iwdg.freeze(self._debug_frozen or self._low_power_frozen)

    def _connect(self, pins: Pins, request_reset: Callable[[str], None]) -> None:
        self.rcc.listeners.append(self.retime)
        self.rcc.gate_listeners.append(self._gates_changed)
        self.rcc.backup_access = lambda: self.pwr.backup_access
        self.rcc.on_backup_domain_reset = self.rtc.reset_backup_domain
        self.rcc.on_peripheral_reset = self._reset_peripheral
        self.rcc.on_lse_failure = self._lse_failure
        self.pwr.on_supply_low = partial(self.exti.set_level, LINE_PVD)
        self.rtc.backup_access = lambda: self.pwr.backup_access and not self.rcc.backup_domain_held
        self.rtc.on_wakeup_line = partial(self._rtc_line, LINE_RTC_WAKEUP)
        self.rtc.on_alarm_line = partial(self._rtc_line, LINE_RTC_ALARM)
        self.rtc.on_stamp_line = lambda level: self._rtc_line(LINE_TAMPER, level or self._lse_failed)
        self.rtc.tamper.level = lambda index: pins[TAMPER_PINS[index]].external_level
        for index, tamper_pin in enumerate(TAMPER_PINS):
            pins[tamper_pin].external_listeners.append(partial(self._tamper_pin_changed, index))
        self._core.polling.allow_store(self.iwdg.base + iwdg.KR, self.iwdg.ignores_key)
        for adc in self.adcs.values():
            adc.core_asleep = lambda: self._core.state == "sleeping"
        self.flash.on_option_load = partial(request_reset, "option_bytes")
        self._core.on_flash_write = self.flash.array_write
        self.flash.on_busy = self._core.set_flash_busy
        self.syscfg.on_exti_select = self._reselect_exti
        for port, block in self.ports.items():
            block.on_input = partial(self._pin_changed, port)
        self.pwr.wakeup_pin_level = lambda number: self._wakeup_pins[number].external_level
        for name, number in _WAKEUP_PINS.items():
            pins[name].external_listeners.append(partial(self._wakeup_pin_changed, number))
        for name, uart in self.uarts.items():
            for signal in uart.pins:
                uart.pins[signal] = Signal(f"{name}_{signal}", self.ports)
                for function, names in SIGNALS[f"{name}_{signal}"].items():
                    for pin in names:
                        listeners = self._uart_inputs.setdefault((pin[1], int(pin[2:])), [])
                        listeners.append((function, partial(uart.pin_changed, signal)))
            clear_to_send = Signal(f"{name}_CTS", self.ports)
            clear_to_send.listen(uart.cts_changed)
            uart.flow.cts_level = clear_to_send.read
            uart.flow.drive_rts = Signal(f"{name}_RTS_DE", self.ports).drive
        for name, low_power_timer in self.low_power_timers.items():
            low_power_timer.on_output = Signal(f"{name}_OUT", self.ports).drive
            inputs = {pin: Signal(f"{name}_{pin}", self.ports) for pin in ("IN1", "IN2", "ETR")}
            low_power_timer.inputs.levels = {pin: signal.read for pin, signal in inputs.items()}
            low_power_timer.inputs.runs = partial(self.kernel_clocks.low_power_timer_runs, name)
            for pin, source in inputs.items():
                source.listen(partial(low_power_timer.inputs.changed, pin))

    def _make_uart(self, name: str, interrupts: InterruptLines) -> Usart:
        kind = Lpuart if name == "LPUART1" else Usart
        controllers = {"DMA1": self.dma1, "DMA2": self.dma2}
        return kind(
            name,
            self._core.scheduler,
            interrupts.source(IRQ[name]),
            partial(self.kernel_clocks.hz, name),
            partial(self.kernel_clocks.reception_in_stop_hz, name),
            DmaRequest(f"{name}_TX", controllers),
            DmaRequest(f"{name}_RX", controllers),
        )

    def _add(self, block: Block, gate: str | None = None) -> Block:
        self.blocks[block.name] = block
        block.unknowns = self.unmodelled
        for offset in block.polled:
            self._core.polling.allow(block.base + offset, partial(block.changes_at_ps, offset))
        for offset in block.counters:
            self._core.polling.allow_counter(block.base + offset, partial(block.counting, offset))
        gate = gate or block.name
        if gate in GATES:
            block.is_clocked = partial(self._is_enabled, gate)
        return block

    def _is_enabled(self, gate: str) -> bool:
        return self.rcc.is_enabled(gate)

    def _reset_peripheral(self, gate: str) -> None:
        names = (*self.adcs, "ADC123_COMMON") if gate == "ADC" else (gate,)
        for name in names:
            self.blocks[name].reset()

    def _rtc_line(self, line: int, level: bool) -> None:
        if line == LINE_RTC_WAKEUP:
            self.timers.rtc_wakeup(level)
        self.exti.set_level(line, level)
        wakeup = self.rtc.wakes
        if wakeup != self._rtc_wakeup:
            self._rtc_wakeup = wakeup
            self.pwr.flag_internal_wakeup(wakeup)
            self.on_wakeup_line(wakeup)

    def _lse_failure(self, failed: bool) -> None:
        self._lse_failed = failed
        self.exti.set_level(LINE_TAMPER, failed or self.rtc.stamp_line)

    def _tamper_pin_changed(self, index: int, _time_ps: int, level: bool | None) -> None:
        self.rtc.tamper.changed(index)
        if index == 0 and level is not None:
            self.rtc.stamp_pin_changed(level)

    def _pin_changed(self, port: str, index: int, level: bool) -> None:
        if self.syscfg.exti_port(index) == port:
            self.exti.set_level(index, level)
        for function, line_changed in self._uart_inputs.get((port, index), ()):
            if level or self.ports[port].has_alternate(index, function):
                line_changed(self._core.scheduler.now_ps, level)

    def _wakeup_pin_changed(self, number: int, _time_ps: int, level: bool | None) -> None:
        # The wake-up logic looks at the pad itself, whatever the port's configuration.
        if level is not None and self.pwr.wakeup_pin(number, rising=level):
            self.on_wakeup_pin()

    def _reselect_exti(self) -> None:
        for line in range(16):
            port = self.ports[self.syscfg.exti_port(line)]
            self.exti.set_level(line, port.input_level(line))
