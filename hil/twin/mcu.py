# SPDX-License-Identifier: Apache-2.0
"""The microcontroller as a whole: core and peripherals, supply, resets, low-power modes, supply current."""

from typing import Final

from hil.boards import Board
from hil.twin.core.core import Core
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.core.surroundings import Surroundings
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.pins import Pins
from hil.twin.power import code_current, model, wake_up
from hil.twin.power.backup_supply import BackupSupply
from hil.twin.power.low_power import POWER_DOWN_MODES, LowPower
from hil.twin.power.observation import Observer
from hil.twin.power.operating_point import Mode, OperatingPoint, WakeUp
from hil.twin.power.supply_current import SupplyCurrent
from hil.twin.power.supply_ramp import SupplyRamp
from hil.twin.power.supply_trace import SupplyTrace
from hil.twin.read_protection import ReadProtection
from hil.twin.signal import check_connected
from hil.twin.soc.assembly import Peripherals
from hil.twin.soc.memories import memory_map
from hil.twin.soc.stm32l4 import system_memory
from hil.twin.soc.stm32l4.clock_tree import LSI_HZ

_RESET_HCLK_HZ: Final = 4_000_000  # MSI range 6: RM0351, RCC, "after reset"
_ROOM_TEMPERATURE_C: Final = 25.0
_TYPICAL: Final = 1
"""Index of the typical threshold in Table 25's columns (minimum, typical, maximum)."""
_SWD_PINS, _SWD_FUNCTION = (13, 14), 0
"""SWDIO and SWCLK on port A (DS10198 Rev 8, Table 17: alternate function 0)."""
_RESET_FLAGS: Final = {"software": ("software", "pin"), "iwdg": ("iwdg", "pin")} | {
    "wwdg": ("wwdg", "pin"),
    "low_power": ("low_power", "pin"),
    "option_bytes": ("option_bytes", "pin"),
}
"""Flags in RCC_CSR per cause: an internal reset also pulls NRST low (RM0351, system reset)."""


class Mcu:
    """One part on its board. It starts without supply; :meth:`set_supply_voltage` powers it.

    ``spread`` says where it lies between the typical (0) and the maximum (1) currents of the datasheet,
    ``lsi_hz`` how fast its internal low-speed oscillator is.
    ``supply`` is the current it draws; ``external_current_a`` is what the board adds to that at the terminal.
    VBAT is tied to VDD unless :meth:`set_backup_supply` gives it a cell of its own.
    """

    def __init__(
        self, board: Board, pins: Pins, seed: int, spread: float = 0.0, lsi_hz: int = LSI_HZ
    ) -> None:
        self.board = board
        self.part = part = board.part
        self.scheduler = Scheduler()
        self.core = Core(
            self.scheduler,
            memory_map(part),
            Surroundings(
                refuses_sleep=lambda deep: self._low_power.refuses(deep),
                sleeps=self._core_sleeps,
                wakes=lambda: self._low_power.wake(),
                changed=self._core_changed,
                system_reset=self.system_reset,
                flash_is_closed=lambda: self._protection.closes_flash(),
                closed_to_debugger=lambda address, size: self._protection.refusal(address, size),
                flash_written=lambda *store: self.peripherals.flash.array_write(*store),
            ),
            hclk_hz=_RESET_HCLK_HZ,
            deviation=code_current.deviation,
            seed=seed,
        )
        self._vdd_v = 0.0
        self._temperature_c = _ROOM_TEMPERATURE_C
        self._external_current_a = 0.0
        self._lead_current_a = 0.0
        self._powered = False
        self._nrst_low = False
        self._on_battery = True
        self._halted = False
        self.debug_port_losses = 0
        """How often the debug port has lost its supply, and its state with it."""
        self._powering: Event | None = None
        self._leaving_power_down: Event | None = None
        self.peripherals = Peripherals(
            board,
            self.core,
            pins,
            seed,
            supply_v=lambda: self._vdd_v,
            battery_v=lambda: self.battery_voltage_v,
            temperature_c=lambda: self._temperature_c,
            request_reset=self._request_reset,
            flash_is_closed=lambda: self._protection.closes_flash(),
        )
        blocks = self.peripherals
        self.console_uart = blocks.uarts[board.console.uart]
        blocks.rcc.oscillators.lsi_nominal_hz = lsi_hz
        self._low_power = LowPower(
            part, self.scheduler, self.core, blocks.rcc, blocks.pwr, blocks.exti, blocks.dbgmcu
        )
        self._observer = Observer(board, blocks, self._low_power, spread)
        self._current = SupplyCurrent(
            self.scheduler,
            blocks.flash,
            model,
            self._operating_point,
            self.core.code_executed,
            leads_a=lambda: self._lead_current_a,
        )
        self._backup = BackupSupply(part, blocks.rcc, blocks.pwr, spread)
        self._ramp = SupplyRamp(self.scheduler, self._supply_is)
        self._protection = ReadProtection(self.core, blocks.flash.options, blocks.rtc.base)
        blocks.flash.unprotected.connect(self._erase_with_flash)
        self._connect()
        system_memory.program(self.core.memory["system"], part, board.package, seed)

    def _connect(self) -> None:
        blocks, low_power = self.peripherals, self._low_power
        low_power.mode_changed.connect(self._mode_changed)
        low_power.powering_down.connect(self._enter_power_down)
        blocks.wakeup_line_changed.connect(self._wakeup_line)
        blocks.pin_events.wakeup_pin_used.connect(self._leave_power_down)
        blocks.rcc.clocks_changed.connect(self._update_current)
        blocks.rcc.gates_changed.connect(lambda gates: self._update_current())
        blocks.pwr.regulator_changed.connect(self._regulator_changed)
        blocks.dbgmcu.changed.connect(self._debug_settings_changed)
        blocks.adc_common.changed.connect(self._update_current)
        for adc in blocks.adcs.values():
            adc.power_changed.connect(self._update_current)
        blocks.vrefbuf.power_changed.connect(self._update_current)
        if blocks.lcd is not None:
            blocks.lcd.power_changed.connect(self._update_current)
        blocks.syscfg.power_changed.connect(self._update_current)
        blocks.flash.caches_changed.connect(self._update_current)
        for port in blocks.ports.values():
            port.load_changed.connect(self._load_changed)
            port.charge_drawn.connect(self._charge_drawn)
        check_connected(self)

    # What the bench does to the part

    @property
    def mode(self) -> Mode:
        """The part's mode; "reset" also while the supply has not been good for long enough."""
        if not self._powered:
            held = self._powering is not None or self._vdd_v >= self._off_below_v
            return "reset" if held else "off"
        if self._low_power.mode in POWER_DOWN_MODES:
            return self._low_power.mode
        return "reset" if self.core.state == "reset" else self._low_power.mode

    @property
    def _off_below_v(self) -> float:
        """Up to the lowest brown-out threshold nothing works: assumption held_in_reset."""
        threshold_v: float = self.part.fact("bor_V").extra["bor0_rise"][_TYPICAL]
        return threshold_v

    @property
    def supply(self) -> SupplyTrace:
        """The current that the part draws, in A, known up to now."""
        self._current.settle()
        return self._current.trace

    @property
    def supply_voltage_v(self) -> float:
        """The voltage at VDD and VDDA, in V."""
        return self._vdd_v

    @property
    def battery_voltage_v(self) -> float:
        """The voltage at VBAT, in V: the cell's, or VDD's where there is none."""
        return self._vdd_v if self._backup.cell_v is None else self._backup.cell_v

    @property
    def battery_supply(self) -> SupplyTrace:
        """The current out of the cell at VBAT; negative while VDD charges it, zero without a cell."""
        return self._backup.trace

    @property
    def external_current_a(self) -> float:
        """Current in A at the supply terminal that the part does not draw; negative: it enters elsewhere."""
        return self._external_current_a

    @external_current_a.setter
    def external_current_a(self, current_a: float) -> None:
        self._external_current_a = current_a
        self._update_current()

    @property
    def lead_current_a(self) -> float:
        """Current of a load across the supply's own leads, in A: drawn also while the part gets nothing."""
        return self._lead_current_a

    @lead_current_a.setter
    def lead_current_a(self, current_a: float) -> None:
        self._lead_current_a = current_a
        self._update_current()

    @property
    def part_current_a(self) -> float:
        """What the part draws now, from its supply or from whatever else feeds it, in A."""
        return self._current.part_a

    def connect_supply(self, connected: bool) -> None:
        """Whether a supply drives VDD: only then does its current flow from there."""
        self._current.connect(connected)

    @property
    def adc_noise_lsb(self) -> float:
        """Standard deviation of the ADCs' conversion noise, in LSB at 12 bit."""
        return self.peripherals.adcs["ADC1"].sampling.noise_lsb

    @adc_noise_lsb.setter
    def adc_noise_lsb(self, noise_lsb: float) -> None:
        for adc in self.peripherals.adcs.values():
            adc.sampling.noise_lsb = noise_lsb

    def set_supply_voltage(self, voltage_v: float) -> None:
        """VDD and VDDA, one net on the board, have this voltage now, and VBAT unless a cell feeds it.

        Above the rising threshold of the brown-out level in the option bytes the part starts after the reset
        temporisation; below the falling one it is held in reset and its memory is lost (DS10198 Rev 8, Table
        25). The backup domain lives on what is at VBAT, down to the lowest VBAT (Table 23).
        """
        self._ramp.stop()
        self._supply_is(voltage_v)

    def ramp_supply_voltage(self, voltage_v: float, duration_s: float) -> None:
        """VDD goes evenly to this voltage from now on, until :meth:`set_supply_voltage` says otherwise."""
        self._ramp.start(self._vdd_v, voltage_v, round(duration_s * PS_PER_S))

    def _supply_is(self, voltage_v: float) -> None:
        self._vdd_v = voltage_v
        self._check_supply()
        self.peripherals.pwr.supply_changed(voltage_v)
        self._update_current()

    def set_backup_supply(self, cell_v: float | None) -> None:
        """A cell of this voltage feeds VBAT from now on; ``None`` ties VBAT to VDD, as the board does."""
        self._backup.cell_v = cell_v
        self._check_supply()
        self._update_current()

    @property
    def temperature_c(self) -> float:
        """Around the part and its board, in degrees Celsius."""
        return self._temperature_c

    def set_temperature(self, temperature_c: float) -> None:
        """The die and the ambient have this temperature now, in °C."""
        self._temperature_c = temperature_c
        self._update_current()

    @property
    def nrst_low(self) -> bool:
        """Whether something outside pulls NRST low."""
        return self._nrst_low

    @property
    def swd_obstacle(self) -> str | None:
        """Why nothing answers on SWDIO and SWCLK, ``None`` if the debug port does."""
        if not self._powered:
            return "the board is not powered; switch the power analyzer's output on"
        if not self.core.debug_access_ok and self._low_power.in_power_down:
            return (
                f"the part is in {self._low_power.mode}, where its debug port has no supply unless "
                "DBGMCU_CR.DBG_STANDBY is set; connect under reset"
            )
        port = self.peripherals.ports["A"]
        if not all(port.has_alternate(index, _SWD_FUNCTION) for index in _SWD_PINS):
            return (
                "the program uses PA13 or PA14 for something else than SWDIO and SWCLK; connect under reset"
            )
        return None

    def set_nrst(self, asserted: bool) -> None:
        """Pull NRST low from outside, or let it go."""
        if asserted == self._nrst_low:
            return
        self._nrst_low = asserted
        if self._powered:
            if asserted:
                self._reset_core_domain("pin")
            self.core.hold_in_reset(asserted)
        self._update_current()

    # Resets and supply

    def _check_supply(self) -> None:
        lowest_battery_v = self.part.fact("vbat_operating").min_scalar()
        if self._powered and self._low_power.mode == "shutdown":
            # Nothing watches VDD in Shutdown, so nothing switches to VBAT (assumption shutdown_unmonitored).
            if self._vdd_v < lowest_battery_v:
                self._power_off()
                self.peripherals.lose_backup_domain()
            return
        level = self.peripherals.flash.options.brown_out_level
        thresholds_v = self.part.fact("bor_V").extra
        if self._vdd_v < thresholds_v[f"bor{level}_fall"][_TYPICAL]:
            self._power_off()
        elif self._vdd_v >= thresholds_v[f"bor{level}_rise"][_TYPICAL]:
            self._start()
        # The backup domain is on VBAT while the detector of level 0 finds VDD too low (assumption
        # backup_switch).
        on_battery = self._vdd_v < thresholds_v["bor0_fall"][_TYPICAL]
        if on_battery and not self._on_battery and self._backup.cell_v is not None:
            self.peripherals.rtc.switched_to_battery()
        self._on_battery = on_battery
        if (self.battery_voltage_v if on_battery else self._vdd_v) < lowest_battery_v:
            self.peripherals.lose_backup_domain()

    def _start(self) -> None:
        if not self._powered and self._powering is None:
            delay_s = self.part.fact("reset_temporization").typ_scalar()
            self._powering = self.scheduler.after(round(delay_s * PS_PER_S), self._power_on)

    def _erase_with_flash(self) -> None:
        """Read protection went back to level 0: SRAM2 and the backup registers are erased with the flash."""
        self.core.memory["sram2"][:] = 0
        self.core.memory.invalidate(self.part.sram2.base, self.part.sram2.size)
        self.peripherals.rtc.erase_backup_registers()

    def _brown_out_reset(self) -> None:
        """The detector fired although the supply is good."""
        self._power_off()
        self._start()
        self._update_current()

    def _power_on(self) -> None:
        self._powering = None
        self._powered = True
        blocks = self.peripherals
        self._protection.power_on_reset()
        blocks.power_on_reset()
        blocks.rcc.flag_reset("bor", "pin")
        blocks.pwr.flag_internal_wakeup(blocks.rtc.wakes)
        blocks.set_powered(True)
        self._end_low_power()
        blocks.start_hardware_watchdogs()
        self.core.hold_in_reset(self._nrst_low)
        self.core.power_on()
        self._update_current()

    def _power_off(self) -> None:
        if self._powering is not None:
            self._powering.cancel()
            self._powering = None
        if self._powered:
            self._powered = False
            self.debug_port_losses += 1
            self._cancel_leaving()
            self.core.power_off()
            self.peripherals.set_powered(False)
            self.peripherals.power_on_reset()
            self._end_low_power()

    def _request_reset(self, cause: str) -> None:
        # A reset asked for by a register access happens when the access is over.
        self.scheduler.after(0, lambda: self.system_reset(cause))

    def system_reset(self, cause: str) -> None:
        """The system is reset now: by software, a watchdog, or another of RCC_CSR's causes."""
        if not self._powered:
            return
        self._reset_core_domain(*_RESET_FLAGS.get(cause, (cause,)))
        self.core.hold_in_reset(self._nrst_low)  # the watchdog also ends Standby
        self.core.reset(cause)
        self._check_supply()  # loading the option bytes may have raised the brown-out level
        self._update_current()

    def _reset_core_domain(self, *flags: str) -> None:
        self._cancel_leaving()
        self.peripherals.reset()
        self.peripherals.rcc.flag_reset(*flags)
        self._end_low_power()
        if self.peripherals.flash.options.erases_sram2_at_reset:
            self.core.memory.lose_content(self.core.memory["sram2"])
        self.peripherals.start_hardware_watchdogs()

    # Low-power modes

    def _core_sleeps(self, deep: bool) -> None:
        mode = self._low_power.wanted(deep)
        if mode is not None and self.peripherals.flash.options.resets_on_entry(mode):
            self._request_reset("low_power")
            return
        self._low_power.sleep(deep)
        adc_enabled = any(adc.enabled for adc in self.peripherals.adcs.values())
        adc_uses_sensor = adc_enabled and self.peripherals.adc_common.temperature_sensor_on
        if adc_uses_sensor and self._low_power.mode in ("stop1", "stop2"):
            # assumption errata_worst_case, 2.1.19: the reference is corrupted
            self.scheduler.after(0, self._brown_out_reset)

    def _enter_power_down(self) -> None:
        """The core domain loses its supply: backup domain, PWR's flags and, on request, SRAM2 stay.

        With DBG_STANDBY it only is in reset: SRAMs and debug port stay (RM0351, DBGMCU_CR).
        """
        blocks = self.peripherals
        if self._low_power.mode == "standby":
            blocks.pwr.flag_standby()
        self._low_power.in_power_down = True
        if not blocks.dbgmcu.keeps_standby_clocked:
            self._lose_core_domain()
        self._reset_for_power_down()
        blocks.set_powered(False)
        self.core.hold_in_reset(True)
        self._update_current()
        self._wakeup_line(blocks.rtc.wakes)
        if blocks.pwr.wakeup_pin_flagged:
            self._leave_power_down()

    def _reset_for_power_down(self) -> None:
        """What Standby or Shutdown, and leaving it, resets; the mode stays."""
        mode, blocks = self._low_power.mode, self.peripherals
        settings = blocks.pwr.kept_settings
        blocks.flash.options.load()
        if mode == "standby":
            blocks.enter_standby()
        else:
            blocks.reset()
        blocks.pwr.restore_settings(settings)
        self._low_power.mode = mode

    def _lose_core_domain(self) -> None:
        """The regulator is off: what Standby and Shutdown do not keep is gone."""
        memory = self.core.memory
        keeps_sram2 = self._low_power.mode == "standby" and self.peripherals.pwr.sram2_retained
        memory.lose_content(*((memory["sram1"],) if keeps_sram2 else ()))
        self.core.lose_debug_state()
        self.core.debug_access_ok = False
        self.debug_port_losses += 1
        self.peripherals.dbgmcu.power_on_reset()

    def _debug_settings_changed(self) -> None:
        """DBGMCU was written: without DBG_STANDBY a part in Standby or Shutdown is off from now on."""
        keeps = self.peripherals.dbgmcu.keeps_standby_clocked
        if self._low_power.in_power_down and self.core.debug_access_ok and not keeps:
            self._lose_core_domain()
        self._core_changed()

    def _wakeup_line(self, level: bool) -> None:
        if level and self.peripherals.pwr.internal_wakeup_enabled:
            self._leave_power_down()

    def _leave_power_down(self) -> None:
        mode = self._low_power.mode
        if mode not in POWER_DOWN_MODES or self._leaving_power_down is not None or self.core.state != "reset":
            return
        rcc, pwr = self.peripherals.rcc, self.peripherals.pwr
        latency_ps = wake_up.latency_ps(
            self.part, mode, "msi", rcc.wake_hz, pwr.voltage_range, low_power_regulator=False
        )
        self._low_power.begin_waking(WakeUp(mode, "msi", rcc.wake_hz), latency_ps)
        self._leaving_power_down = self.scheduler.after(latency_ps, self._left_power_down)
        self._update_current()

    def _left_power_down(self) -> None:
        self._leaving_power_down = None
        blocks = self.peripherals
        self._reset_for_power_down()  # a debugger may have written to registers meanwhile
        if self._low_power.mode != "standby":
            blocks.rcc.flag_reset("bor", "pin")  # Shutdown ends with a power-on reset of the core domain
        self._end_low_power()
        blocks.start_hardware_watchdogs()
        blocks.set_powered(True)
        self.core.hold_in_reset(self._nrst_low)
        self._check_supply()  # nothing watched it in Shutdown
        self._update_current()

    def _cancel_leaving(self) -> None:
        if self._leaving_power_down is not None:
            self._leaving_power_down.cancel()
            self._leaving_power_down = None
        if self._powered:
            self.peripherals.set_powered(True)

    # Supply current

    def _core_changed(self) -> None:
        halted = self.core.state == "halted"
        if halted or self._halted:
            self._halted = halted
            self.peripherals.freeze_for_debug(halted)
        self._update_current()

    def _end_low_power(self) -> None:
        self._low_power.reset()
        self.peripherals.freeze_in_low_power(self._low_power.mode)

    def _mode_changed(self) -> None:
        self.peripherals.freeze_in_low_power(self._low_power.mode)
        self._update_current()

    def _regulator_changed(self) -> None:
        self._low_power.regulator_changed()
        self._update_current()

    def _update_current(self) -> None:
        on_battery = not self._powered and self._vdd_v < self._off_below_v
        self._backup.update(self.scheduler.now_ps, None if on_battery else self._vdd_v, self._temperature_c)
        self._current.update()

    def _load_changed(self) -> None:
        self.peripherals.sum_loads()
        self._update_current()

    def _charge_drawn(self, charge_c: float) -> None:
        self.supply.add_charge(self.scheduler.now_ps, charge_c)

    def _operating_point(self) -> OperatingPoint:
        mode = self.mode
        if mode == "off":
            outside_a = self._lead_current_a + (self._external_current_a if self._vdd_v else 0.0)
            return OperatingPoint(
                "off", self._vdd_v, self._temperature_c, self.part, external_current_a=outside_a
            )
        return self._observer.observe(
            mode,
            code_in_sram=self.core.executes_from_sram,
            vdd_v=self._vdd_v,
            temperature_c=self._temperature_c,
            charging_current_a=self._backup.charging_current_a,
            external_current_a=self._external_current_a + self._lead_current_a,
            nrst_low=self._nrst_low,
        )
