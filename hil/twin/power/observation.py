# SPDX-License-Identifier: Apache-2.0
"""What the supply current depends on, read off the part."""

from typing import NamedTuple

from hil.boards import Board
from hil.twin.power.low_power import POWER_DOWN_MODES, LowPower
from hil.twin.power.operating_point import Mode, OperatingPoint
from hil.twin.power.peripheral_clocks import RunningClocks
from hil.twin.soc.assembly import Peripherals
from hil.twin.soc.stm32l4 import pwr as pwr_registers
from hil.twin.soc.stm32l4.clock_tree import Clocks


class _ClockSettings(NamedTuple):
    wake_hz: int
    msi_range: int | None


class _PowerSettings(NamedTuple):
    voltage_range: int
    sram2_retained: bool
    monitor_enabled: bool
    peripheral_monitors: tuple[int, int]


class Observer:
    """Reads the operating point off a part, at every change of it.

    Most changes are of one register: what follows from clocks and from PWR is kept while those stay.
    """

    def __init__(self, board: Board, blocks: Peripherals, low_power: LowPower, spread: float) -> None:
        self._part = board.part
        self._console_pin = board.console.tx
        self._blocks = blocks
        self._low_power = low_power
        self._spread = spread
        self._running_clocks = RunningClocks(board.part, blocks.rcc, blocks.kernel_clocks, blocks.adc_common)
        self._clocks: Clocks | None = None
        self._clocked_by_lse = False
        self._clock_settings = _ClockSettings(0, None)
        self._power_words: tuple[int, int, int] | None = None
        self._power_settings = _PowerSettings(1, False, False, (0, 0))

    def observe(
        self,
        mode: Mode,
        *,
        code_in_sram: bool,
        vdd_v: float,
        temperature_c: float,
        charging_current_a: float,
        external_current_a: float,
        nrst_low: bool,
    ) -> OperatingPoint:
        """The operating point of a part with a supply, as of now."""
        blocks, low_power = self._blocks, self._low_power
        rcc, flash, adc_common = blocks.rcc, blocks.flash, blocks.adc_common
        dbgmcu = blocks.dbgmcu
        clocks, lse = rcc.clocks, rcc.oscillators["lse"]
        # A new object after every change of a frequency's setting.
        if clocks is not self._clocks or lse.ready is not self._clocked_by_lse:
            self._clocks, self._clocked_by_lse = clocks, lse.ready
            self._clock_settings = _ClockSettings(rcc.wake_hz, rcc.msi_range if clocks.msi_hz else None)
        wake_hz, msi_range = self._clock_settings
        voltage_range, sram2_retained, monitor_enabled, peripheral_monitors = self._power()
        stopped = mode not in ("run", "sleep", "lprun", "lpsleep", "reset")
        powered_down = mode in POWER_DOWN_MODES
        keeps_clock = dbgmcu.keeps_standby_clocked if powered_down else dbgmcu.keeps_stop_clocked
        operation = flash.operation
        return OperatingPoint(
            mode=mode,
            vdd_v=vdd_v,
            temperature_c=temperature_c,
            part=self._part,
            spread=self._spread,
            waking=low_power.waking,
            voltage_range=voltage_range,
            hclk_hz=clocks.hclk_hz,
            art_on=flash.caches_on,
            code_in_sram=code_in_sram,
            flash_off_in_sleep=flash.powered_down_in_sleep,
            clocked_in_stop=stopped and keeps_clock,
            wake_hz=wake_hz,
            msi_range=msi_range,
            hsi16_on=bool(clocks.hsi16_hz),
            hse_crystal_on=rcc.oscillators.hse_crystal_on,
            lse_on=lse.on,
            lse_drive=rcc.lse_drive,
            lsi_on=rcc.oscillators["lsi"].on,
            iwdg_on=blocks.iwdg.started,
            pll_vco_hz=clocks.pll_vco_hz,
            rtc_source=rcc.rtc_source,
            sram2_retained=sram2_retained,
            voltage_detector_on=monitor_enabled or flash.options.brown_out_level > 0,
            peripheral_monitors=peripheral_monitors,
            vrefbuf_on=blocks.vrefbuf.buffering,
            lcd_on=blocks.lcd is not None and blocks.lcd.works,
            switch_booster_on=blocks.syscfg.booster_on,
            floating_inputs=blocks.floating_inputs,
            floating_wakeup_pins=blocks.pin_events.floating_wakeup_pins if powered_down else (),
            console_pin=self._console_pin,
            peripheral_clocks=() if stopped else self._running_clocks.rows(),
            adc_rates_hz=tuple(adc.conversion_rate_hz for adc in blocks.adcs.values() if adc.enabled),
            reference_buffer_on=adc_common.reference_buffer_on,
            temperature_sensor_on=adc_common.temperature_sensor_on,
            flash_activity=None if operation is None else operation.activity,
            flash_peak=operation is not None and flash.peak,
            load_current_a=vdd_v * blocks.load_siemens + charging_current_a,
            external_current_a=external_current_a,
            nrst_low=nrst_low,
        )

    def _power(self) -> _PowerSettings:
        pwr = self._blocks.pwr
        words = pwr.words[pwr_registers.CR1], pwr.words[pwr_registers.CR2], pwr.words[pwr_registers.CR3]
        if words != self._power_words:
            self._power_words = words
            self._power_settings = _PowerSettings(
                pwr.voltage_range, pwr.sram2_retained, pwr.monitor_enabled, pwr.peripheral_monitors
            )
        return self._power_settings
