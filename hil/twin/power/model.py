# SPDX-License-Identifier: Apache-2.0
"""The supply current of an operating point, from its part's tables, whose numbers are DS10198 Rev 8's."""

from functools import lru_cache
from typing import Literal

from hil.datasheet.figures import interpolate
from hil.parts import Part, Regime
from hil.twin.power import wake_up
from hil.twin.power.operating_point import OperatingPoint
from hil.twin.power.spread import of_figure, of_line, of_scalar

_PLL_IN_RUN_ROWS_ABOVE_HZ = 48_000_000
"""Tables 27 to 44: PLL on above 48 MHz, HSE bypass up to there."""
_PLL_VCO_HZ = [64e6, 96e6, 192e6, 344e6]
"""The columns of Table 62's supply current."""
_BOOSTER_COLUMN_EDGES_V = (2.0, 2.7)
"""Table 75: up to 2.0 V, up to 2.7 V, above."""
_WITHOUT_LOAD = 0
"""Column of Table 84's supply current."""
FLOATING_INPUT_A = 2e-6
FLOATING_CONSOLE_PIN_A = 300e-6
"""Assumption floating_input: measured on other parts and boards, see there."""
_FLASH_DURATION = {"write": "flash_prog_dword", "erase": "flash_page_erase"}
_HELD_IN_RESET_HZ = 4_000_000
_IWDG_ROWS_C = 25.0
_MIN_TABLE_VDD_V = 1.8
"""The first row of Tables 45 to 50."""


@lru_cache(maxsize=512)
def supply_current_a(point: OperatingPoint) -> float:
    """The current from VDD, VDDA and VBAT together, in A."""
    if point.mode == "off":
        return point.external_current_a
    point = _point_inside_tables(point)
    current_a = point.load_current_a + point.external_current_a
    if point.nrst_low:
        # assumption nrst_pull_up
        pull_up_ohm = point.part.fact("nrst_filter").extra["pullup_ohm"][1]
        current_a += point.vdd_v / pull_up_ohm
    if point.mode == "reset":
        # assumption held_in_reset
        held = point.part.run_current("sleep_flash_on_range1", _HELD_IN_RESET_HZ, point.temperature_c)
        return current_a + of_figure(held, point.spread)
    if point.waking is not None:
        return current_a + wake_up.current_a(point.part, point.waking)
    if point.mode in ("run", "sleep", "lprun", "lpsleep"):
        return current_a + _clocked_a(point) + _analog_a(point)
    if point.clocked_in_stop:
        # assumption dbg_stop
        table = f"sleep_flash_on_range{point.voltage_range}"
        clocked = point.part.run_current(table, point.wake_hz, point.temperature_c)
        return current_a + of_figure(clocked, point.spread) + _low_speed_a(point) + _analog_a(point)
    return current_a + _stopped_a(point) + _analog_a(point)


def _point_inside_tables(point: OperatingPoint) -> OperatingPoint:
    # assumption outside_tables
    vdd_v, temperature_c = inside_tables(point.part, point.vdd_v, point.temperature_c)
    return point._replace(temperature_c=temperature_c, vdd_v=vdd_v)


def inside_tables(part: Part, supply_v: float, temperature_c: float) -> tuple[float, float]:
    """The nearest voltage and temperature that Tables 45 to 50 have."""
    low_c, high_c = part.temperature_range_c
    return min(max(supply_v, _MIN_TABLE_VDD_V), part.vdd_max_v), min(max(temperature_c, low_c), high_c)


def _line(point: OperatingPoint, fact_id: str) -> tuple[float, ...]:
    return of_line(point.part, fact_id, point.spread)


def _scalar(point: OperatingPoint, fact_id: str) -> float:
    return of_scalar(point.part, fact_id, point.spread)


def _regime(point: OperatingPoint) -> Regime:
    if point.mode in ("lprun", "lpsleep"):
        return "lprun"
    return "range2" if point.voltage_range == 2 else "range1"


def _clocked_a(point: OperatingPoint) -> float:
    regime = _regime(point)
    if point.mode == "lpsleep":
        table = "lpsleep_flash_pd" if point.flash_off_in_sleep else "lpsleep_flash_on"
    elif point.mode == "sleep":
        table = f"sleep_flash_on_{regime}"
    else:
        table = _run_table(point)  # assumption run_code
    current_a = _table_a(point, table)
    for row, clock_hz in point.peripheral_clocks:
        current_a += point.part.peripheral_current_a_per_hz(row, regime) * clock_hz
    # assumption run_oscillators; the rows of the low-power regulator are measured on MSI and include it
    if point.msi_range is not None and regime != "lprun":
        current_a += _line(point, "msi_by_range")[point.msi_range]
    if point.hsi16_on:
        current_a += _scalar(point, "hsi16")
    if point.hse_crystal_on:
        current_a += _scalar(point, "hse")
    if point.pll_vco_hz and point.hclk_hz <= _PLL_IN_RUN_ROWS_ABOVE_HZ:
        current_a += interpolate(point.pll_vco_hz, _PLL_VCO_HZ, list(_line(point, "pll_by_vco")))
    if point.flash_activity is not None:
        current_a += _flash_a(point.part, point.flash_activity, point.flash_peak)
    return current_a + _low_speed_a(point)


@lru_cache(maxsize=512)
def code_current_a(point: OperatingPoint) -> float | None:
    """What the tables' reduced code draws at a point, in A; None where what other code draws is not known."""
    if point.waking is not None or point.mode not in ("run", "lprun"):
        return None
    if not (point.art_on or point.code_in_sram):
        return None
    return _table_a(_point_inside_tables(point), _run_table(point))


def _run_table(point: OperatingPoint) -> str:
    if point.code_in_sram:
        return f"run_sram1_{_regime(point)}"
    return f"run_flash_art_{'on' if point.art_on else 'off'}_{_regime(point)}"


def _table_a(point: OperatingPoint, table: str) -> float:
    return of_figure(point.part.run_current(table, point.hclk_hz, point.temperature_c), point.spread)


def _flash_a(part: Part, activity: Literal["write", "erase"], peak: bool) -> float:
    """Table 63: the peak, then what makes the average over the operation the printed one."""
    figures = part.fact("flash_idd").extra
    peak_a: float = figures[f"{activity}_peak"]
    if peak:
        return peak_a
    average_a: float = figures[f"{activity}_avg_typ"]
    duration_s = part.fact(_FLASH_DURATION[activity]).typ_scalar()
    peak_s: float = figures[f"{activity}_peak_s"]
    # assumption flash_busy
    return (average_a * duration_s - peak_a * peak_s) / (duration_s - peak_s)


def _low_speed_a(point: OperatingPoint) -> float:
    current_a = _line(point, "lse_by_drive")[point.lse_drive] if point.lse_on else 0.0
    return current_a + (_scalar(point, "lsi") if point.lsi_on else 0.0)


def _lcd_a(point: OperatingPoint) -> float:
    """What the LCD controller adds, by the rows of Stop with and without it (assumption lcd_current)."""
    stop = "stop2" if point.mode == "stop2" else "stop1"
    alone = point.rtc_source == "off" and point.lsi_on
    rows = ("rtc_off_lcd_lsi", "rtc_off_lcd_off") if alone else ("rtc_lsi_lcd", "rtc_lsi")
    with_a, without_a = (
        of_figure(point.part.supply_current(f"{stop}_{row}", point.vdd_v, point.temperature_c), point.spread)
        for row in rows
    )
    # The row of the LCD alone has the LSI in it, which is counted by itself.
    return with_a - without_a - (_scalar(point, "lsi") if alone else 0.0)


def _stopped_a(point: OperatingPoint) -> float:
    def row_a(table: str) -> float:
        figure = point.part.supply_current(table, point.vdd_v, point.temperature_c)
        return of_figure(figure, point.spread)

    rtc = point.rtc_source
    if point.mode == "stop0":
        current_a = row_a("stop0_rtc_off")
        if rtc != "off":
            current_a += row_a(f"stop1_rtc_{rtc}") - row_a("stop1_rtc_off_lcd_off")  # assumption stop0_rtc
    elif point.mode in ("stop1", "stop2"):
        current_a = row_a(f"{point.mode}_rtc_off_lcd_off" if rtc == "off" else f"{point.mode}_rtc_{rtc}")
    elif point.mode == "standby":
        iwdg_or_not = "" if rtc.startswith("lse") else "_no_iwdg"
        current_a = row_a(f"standby_rtc_{rtc}{iwdg_or_not}")
        if point.sram2_retained:
            current_a += row_a("standby_sram2_adder")
    else:
        # Shutdown has no LSI: an RTC on it stands still.
        current_a = row_a("shutdown_rtc_off" if rtc in ("off", "lsi") else f"shutdown_rtc_{rtc}")
    current_a += lse_drive_a(point.part, rtc, point.lse_drive if point.lse_on else None, point.spread)
    if point.mode == "standby" and point.iwdg_on:
        # With the LSI that it runs on; printed at 25 °C only (assumption standby_iwdg).
        without = "standby_rtc_lsi" if rtc == "lsi" else "standby_rtc_off"
        current_a += sum(
            sign * point.part.supply_current(f"{without}_{row}", point.vdd_v, _IWDG_ROWS_C).typ
            for sign, row in ((1, "iwdg"), (-1, "no_iwdg"))
        )
    elif point.lsi_on and rtc != "lsi" and point.mode != "shutdown":
        current_a += _scalar(point, "lsi")
    if point.hsi16_on and point.mode.startswith("stop"):
        current_a += _scalar(point, "hsi16")
    return current_a


def lse_drive_a(part: Part, rtc_source: str, lse_drive: int | None, spread: float) -> float:
    """What the LSE draws beyond a row of Tables 45 to 50; ``lse_drive`` is ``None`` if it is off.

    The rows are with the lowest drive (assumption stop_lse_drive); without RTC the LSE is not in them.
    """
    if lse_drive is None:
        return 0.0
    by_drive_a = of_line(part, "lse_by_drive", spread)
    return by_drive_a[lse_drive] - (by_drive_a[0] if rtc_source.startswith("lse") else 0.0)


def _analog_a(point: OperatingPoint) -> float:
    """Analog blocks and inputs that software left on (assumption left_on_in_stop)."""
    current_a = _scalar(point, "bor_pvd_adder") if point.voltage_detector_on else 0.0
    for fact_id, count in zip(("pvm12_adder", "pvm34_adder"), point.peripheral_monitors, strict=True):
        current_a += count * _scalar(point, fact_id)
    # assumption floating_input
    current_a += point.floating_inputs * FLOATING_INPUT_A
    for pin in point.floating_wakeup_pins:
        current_a += FLOATING_CONSOLE_PIN_A if pin == point.console_pin else FLOATING_INPUT_A
    if point.lcd_on:
        current_a += _lcd_a(point)
    if point.vrefbuf_on:
        current_a += _line(point, "vrefbuf_idda")[_WITHOUT_LOAD]
    if point.switch_booster_on:
        # assumption switch_booster
        column = sum(point.vdd_v > edge_v for edge_v in _BOOSTER_COLUMN_EDGES_V)
        current_a += _line(point, "io_booster")[column]
    for rate_hz in point.adc_rates_hz:
        # assumption adc_enabled
        for fact_id in ("adc_idda", "adc_ivref_single"):
            rates_hz = [float(rate) for rate in point.part.fact(fact_id).extra["fs_sps"]]
            current_a += interpolate(
                max(rate_hz, min(rates_hz)),
                rates_hz,
                list(_line(point, fact_id)),
            )
    if point.reference_buffer_on:
        current_a += _scalar(point, "vrefint_buf_when_adc_converts")
    if point.temperature_sensor_on:
        current_a += _scalar(point, "temp_sensor")
    return current_a
