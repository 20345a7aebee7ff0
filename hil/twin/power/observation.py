# SPDX-License-Identifier: Apache-2.0
"""What the supply current depends on, read off the part."""

from hil.twin.peripherals.assembly import Peripherals
from hil.twin.power.low_power import POWER_DOWN_MODES, LowPower
from hil.twin.power.operating_point import Mode, OperatingPoint
from hil.twin.power.peripheral_clocks import RunningClocks


def observe(
    mode: Mode,
    blocks: Peripherals,
    low_power: LowPower,
    clocks_of_peripherals: RunningClocks,
    *,
    code_in_sram: bool,
    vdd_v: float,
    temperature_c: float,
    spread: float,
    charging_current_a: float,
    external_current_a: float,
    nrst_low: bool,
) -> OperatingPoint:
    """The operating point of a part with a supply, as of now."""
    rcc, pwr, adc, dbgmcu = blocks.rcc, blocks.pwr, blocks.adc1, blocks.dbgmcu
    clocks = rcc.clocks
    stopped = mode not in ("run", "sleep", "lprun", "lpsleep", "reset")
    keeps_clock = dbgmcu.keeps_standby_clocked if mode in POWER_DOWN_MODES else dbgmcu.keeps_stop_clocked
    return OperatingPoint(
        mode=mode,
        vdd_v=vdd_v,
        temperature_c=temperature_c,
        spread=spread,
        waking=low_power.waking,
        voltage_range=pwr.voltage_range,
        hclk_hz=clocks.hclk_hz,
        art_on=blocks.flash.caches_on,
        code_in_sram=code_in_sram,
        flash_off_in_sleep=blocks.flash.powered_down_in_sleep,
        clocked_in_stop=stopped and keeps_clock,
        wake_hz=rcc.wake_hz,
        msi_range=rcc.msi_range if clocks.msi_hz else None,
        hsi16_on=bool(clocks.hsi16_hz),
        lse_on=rcc.oscillators["lse"].on,
        lse_drive=rcc.lse_drive,
        lsi_on=rcc.oscillators["lsi"].on,
        iwdg_on=blocks.iwdg.started,
        pll_vco_hz=clocks.pll_vco_hz,
        rtc_source=rcc.rtc_source,
        sram2_retained=pwr.sram2_retained,
        voltage_detector_on=pwr.monitor_enabled or blocks.flash.brown_out_level > 0,
        peripheral_monitors=pwr.peripheral_monitors,
        vrefbuf_on=blocks.vrefbuf.buffering,
        switch_booster_on=blocks.syscfg.booster_on,
        floating_inputs=blocks.floating_inputs,
        floating_wakeup_pins=blocks.floating_wakeup_pins if mode in POWER_DOWN_MODES else (),
        peripheral_clocks=() if stopped else clocks_of_peripherals.rows(),
        adc_rate_hz=adc.conversion_rate_hz if adc.enabled else None,
        reference_buffer_on=blocks.adc_common.reference_buffer_on,
        temperature_sensor_on=blocks.adc_common.temperature_sensor_on,
        flash_activity=blocks.flash.activity,
        flash_peak=blocks.flash.peak,
        load_current_a=vdd_v * blocks.load_siemens + charging_current_a,
        external_current_a=external_current_a,
        nrst_low=nrst_low,
    )
