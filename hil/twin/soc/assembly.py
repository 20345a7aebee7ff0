# SPDX-License-Identifier: Apache-2.0
"""All peripherals of the part, made and connected to each other."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import numpy as np

from hil.boards import Board
from hil.parts import Block, Blocks
from hil.twin.core.bus import Bus
from hil.twin.core.core import Core
from hil.twin.ip import iwdg_v2 as iwdg
from hil.twin.ip.bdma_v2 import Dma
from hil.twin.ip.crc_v3 import Crc
from hil.twin.ip.exti_v1 import LINE_PVD, LINE_RTC_ALARM, LINE_RTC_WAKEUP, LINE_TAMPER, Exti
from hil.twin.ip.gpio_v2 import GpioPort
from hil.twin.ip.interrupts import InterruptLines, InterruptSource
from hil.twin.ip.iwdg_v2 import Iwdg
from hil.twin.ip.lcd_v2 import Lcd
from hil.twin.ip.otg_v1 import OtgFs
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.ip.rng_v1 import Rng
from hil.twin.ip.rtc_v2.rtc import Rtc
from hil.twin.ip.rtc_v2.tamper import TAMPER_PINS
from hil.twin.ip.vrefbuf_v1 import Vrefbuf
from hil.twin.ip.wwdg_v1 import Wwdg
from hil.twin.pins import Pins
from hil.twin.signal import Signal
from hil.twin.soc.analog import Analog
from hil.twin.soc.dma_bus import DmaBus
from hil.twin.soc.pin_events import PinEvents
from hil.twin.soc.routing import Routing
from hil.twin.soc.serial_buses import make_i2cs, make_spis, make_uarts
from hil.twin.soc.stm32l4.dbgmcu import Dbgmcu
from hil.twin.soc.stm32l4.flash import Flash
from hil.twin.soc.stm32l4.kernel_clocks import KernelClocks
from hil.twin.soc.stm32l4.option_bytes import OptionBytes
from hil.twin.soc.stm32l4.pwr import Pwr
from hil.twin.soc.stm32l4.rcc import Rcc
from hil.twin.soc.stm32l4.syscfg import Syscfg
from hil.twin.soc.timers import Timers, make_low_power_timers
from hil.twin.soc.unmodelled import Unmodelled, UnmodelledRegisters, reserved_between

_SYSTEM_BUS: Final = (0x4000_0000, 0x6000_0000)
"""The part of the address space that holds what DMA reaches."""

Made = TypeVar("Made", bound=RegisterBlock)


class Peripherals:
    """The peripherals by their names.

    ``request_reset(cause)`` is called by those that reset the part. ``wakeup_line_changed`` tells of the
    RTC's wake-up output.
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
        flash_is_closed: Callable[[], bool],
    ) -> None:
        part, blocks, scheduler = board.part, board.part.blocks, core.scheduler
        interrupts = InterruptLines(blocks.interrupts, core.set_interrupt)
        self.blocks: dict[str, RegisterBlock] = {}
        self.wakeup_line_changed: Signal[[bool]] = Signal(required=True)
        self.unmodelled = UnmodelledRegisters(part.svd, lambda: scheduler.now_ps)
        self._core = core
        self._rtc_wakeup = False
        self.load_siemens = 0.0
        """Of outputs that are high into a load, and of pull resistors that work against a driven level."""
        self.floating_inputs = 0
        """Digital inputs with a level that nothing defines."""
        self._lse_failed = False
        self._debug_frozen = False
        self._low_power_frozen = False

        self._make_system(board, core, pins, interrupts, request_reset, flash_is_closed)
        pull_ohm = part.fact("pull_resistors").typ_scalar()
        self.ports = {
            block.name.removeprefix("GPIO"): self._add(GpioPort(block, pins, scheduler, supply_v, pull_ohm))
            for block in blocks.of("gpio_v2")
        }
        peripheral_bus = Bus(core.memory)
        dma_bus = DmaBus(core.memory, peripheral_bus)
        self.dma = {
            block.name: self._add(
                Dma(block, dma_bus, [interrupts.source(line) for line in block.interrupts.values()])
            )
            for block in blocks.of("bdma_v2")
        }
        self.kernel_clocks = KernelClocks(blocks, self.rcc)
        routing = Routing(blocks, scheduler, interrupts, self.kernel_clocks, self.ports, self.dma)
        self._make_timers_and_buses(routing)
        self._make_clock_users(routing, seed, request_reset)
        self.analog = Analog(
            part,
            routing,
            self.rcc,
            self.exti,
            pins,
            self.timers,
            seed=seed,
            supply_v=supply_v,
            battery_v=battery_v,
            temperature_c=temperature_c,
            core_asleep=lambda: core.state == "sleeping",
        )
        for analog_block in self.analog:
            self._add(analog_block)
        self.adc_common, self.adcs = self.analog.adc_common, self.analog.adcs
        self.lcd: Lcd | None = None
        for block in blocks.of("lcd_v2"):
            self.lcd = self._add(Lcd(block, scheduler, interrupts.of(block), lambda: self.rcc.lcd_hz))
        self.otg_fs = self._add(OtgFs(blocks["OTG_FS"], scheduler, self.kernel_clocks.clk48_hz))
        self._fill_gaps(blocks)
        self._put_on_buses(peripheral_bus)
        self.pin_events = PinEvents(scheduler, pins, self.ports, self.exti, self.syscfg, self.rtc, self.pwr)
        for name, uart in self.uarts.items():
            self.pin_events.lead_to(uart, name, blocks.alternate_functions)
        clocked = (
            *(self.timers.values(), self.uarts.values(), self.low_power_timers.values()),
            *((self.wwdg, self.rng, self.otg_fs), () if self.lcd is None else (self.lcd,)),
        )
        self._retime: dict[str, Callable[[], None]] = {
            block.name: block.retime for group in clocked for block in group
        }
        """What follows a clock or its own gate."""
        self._retime["ADC"] = self.analog.retime
        self._connect(request_reset)

    def _make_system(
        self,
        board: Board,
        core: Core,
        pins: Pins,
        interrupts: InterruptLines,
        request_reset: Callable[[str], None],
        flash_is_closed: Callable[[], bool],
    ) -> None:
        """Clocks, power, EXTI, the backup domain, the flash: what every program needs."""
        part, blocks, scheduler = board.part, board.part.blocks, core.scheduler
        self.rcc = self._add(
            Rcc(
                blocks["RCC"],
                board,
                scheduler,
                interrupts.of(blocks["RCC"]),
                backup_access=lambda: self.pwr.backup_access,
            )
        )
        self.pwr = self._add(
            Pwr(blocks["PWR"], part, scheduler, lambda number: self.pin_events.wakeup_pin_level(number))
        )
        self.exti = self._add(
            Exti(blocks["EXTI"], _exti_sources(blocks["EXTI"], interrupts), core.send_event)
        )
        self.syscfg = self._add(Syscfg(blocks["SYSCFG"]))
        self.vrefbuf = self._add(Vrefbuf(blocks["VREFBUF"]))
        self.dbgmcu = self._add(Dbgmcu(blocks["DBGMCU"], part.device_id_code))
        self.rtc = self._add(
            Rtc(
                blocks["RTC"],
                scheduler,
                lambda: self.rcc.rtc_hz,
                backup_access=lambda: self.pwr.backup_access and not self.rcc.backup_domain_held,
                tamper_level=lambda index: pins[TAMPER_PINS[index]].external_level,
            )
        )
        self.iwdg = self._add(
            Iwdg(
                blocks["IWDG"],
                scheduler,
                lambda: self.rcc.oscillators.lsi_nominal_hz,
                self.rcc.force_lsi,
                partial(request_reset, "iwdg"),
            )
        )
        self.crc = self._add(Crc(blocks["CRC"]))
        self.flash = self._add(
            Flash(
                blocks["FLASH"],
                part,
                scheduler,
                interrupts.of(blocks["FLASH"]),
                core.memory["flash"],
                OptionBytes(core.memory["system"]),
                core.memory.invalidate,
                core.set_flash_timing,
                flash_is_closed,
            )
        )

    def _make_timers_and_buses(self, routing: Routing) -> None:
        self.timers = Timers(routing)
        for timer in self.timers.values():
            self._add(timer)
        self.uarts = make_uarts(routing)
        self.i2cs = make_i2cs(routing)
        self.spis = make_spis(routing)
        for bus in (*self.uarts.values(), *self.i2cs.values(), *self.spis.values()):
            self._add(bus)

    def _make_clock_users(self, routing: Routing, seed: int, request_reset: Callable[[str], None]) -> None:
        """Single blocks with a clock beside their bus's."""
        blocks, scheduler, interrupts = routing.blocks, routing.scheduler, routing.interrupts
        self.wwdg = self._add(
            Wwdg(
                blocks["WWDG"],
                scheduler,
                interrupts.of(blocks["WWDG"]),
                partial(self.rcc.bus_hz, "WWDG"),
                partial(request_reset, "wwdg"),
            )
        )
        self.rng = self._add(
            Rng(
                blocks["RNG"],
                scheduler,
                interrupts.of(blocks["RNG"]),
                self.kernel_clocks.clk48_hz,
                np.random.default_rng([seed, blocks["RNG"].base]),
            )
        )
        self.low_power_timers = make_low_power_timers(routing)
        for low_power_timer in self.low_power_timers.values():
            self._add(low_power_timer)

    def _fill_gaps(self, blocks: Blocks) -> None:
        """What the part has and the twin does not model, and addresses that hold nothing."""
        for block in blocks.by_name.values():
            if block.name not in self.blocks:
                self._add(Unmodelled(block))
        for gap in reserved_between(self.blocks.values()):
            self._add(gap)

    def _put_on_buses(self, peripheral_bus: Bus) -> None:
        for device in self.blocks.values():
            self._core.attach(device)
            if _SYSTEM_BUS[0] <= device.base < _SYSTEM_BUS[1]:
                peripheral_bus.attach(device)

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

    def _connect(self, request_reset: Callable[[str], None]) -> None:
        self.rcc.clocks_changed.connect(self.retime)
        self.rcc.gates_changed.connect(self._gates_changed)
        self.rcc.backup_domain_reset.connect(self.rtc.reset_backup_domain)
        self.rcc.peripheral_reset.connect(self._reset_peripheral)
        self.rcc.security.lse_failed.connect(self._lse_failure)
        self.rcc.security.hse_failed.connect(self._hse_failure)
        self.pwr.supply_low.connect(partial(self.exti.set_level, LINE_PVD))
        self.rtc.wakeup_line_changed.connect(partial(self._rtc_line, LINE_RTC_WAKEUP))
        self.rtc.alarm_line_changed.connect(partial(self._rtc_line, LINE_RTC_ALARM))
        self.rtc.stamp_line_changed.connect(self._stamp_line)
        self._core.polling.allow_store(self.iwdg.base + iwdg.KR, self.iwdg.ignores_key)
        self.flash.option_load.connect(partial(request_reset, "option_bytes"))
        self.flash.busy.connect(self._core.set_flash_busy)

    def _add(self, block: Made) -> Made:
        self.blocks[block.name] = block
        block.unknowns = self.unmodelled
        for offset in block.polled:
            self._core.polling.allow(block.base + offset, partial(block.changes_at_ps, offset))
        for offset in block.counters:
            self._core.polling.allow_counter(block.base + offset, partial(block.counting, offset))
        if block.gate:
            block.connect_clock(partial(self._is_enabled, block.gate))
        return block

    def _is_enabled(self, gate: str) -> bool:
        return self.rcc.is_enabled(gate)

    def _reset_peripheral(self, gate: str) -> None:
        names = (*self.adcs, "ADC123_COMMON") if gate == "ADC" else (gate,)
        for name in names:
            self.blocks[name].reset()

    def _stamp_line(self, level: bool) -> None:
        self._rtc_line(LINE_TAMPER, level or self._lse_failed)

    def _rtc_line(self, line: int, level: bool) -> None:
        if line == LINE_RTC_WAKEUP:
            self.timers.rtc_wakeup(level)
        self.exti.set_level(line, level)
        wakeup = self.rtc.wakes
        if wakeup != self._rtc_wakeup:
            self._rtc_wakeup = wakeup
            self.pwr.flag_internal_wakeup(wakeup)
            self.wakeup_line_changed(wakeup)

    def _hse_failure(self, failed: bool) -> None:
        """The clock security system asks for the NMI until software clears its flag, and breaks timers."""
        self._core.set_nmi(failed)
        if failed:
            for timer in self.timers.values():
                timer.system_break()

    def _lse_failure(self, failed: bool) -> None:
        self._lse_failed = failed
        self.exti.set_level(LINE_TAMPER, failed or self.rtc.stamp_line)


def _exti_sources(block: Block, interrupts: InterruptLines) -> dict[int, InterruptSource]:
    """The interrupt behind each line; the part's file names lines ("16") and ranges of them ("5-9")."""
    found = {}
    for lines, interrupt in block.interrupts.items():
        first, _, last = lines.partition("-")
        for line in range(int(first), int(last or first) + 1):
            found[line] = interrupts.source(interrupt)
    return found
