# SPDX-License-Identifier: Apache-2.0
"""The look-ups, against figures read off the pages of DS10198 Rev 8 by hand."""

import math

import pytest

from hil.datasheet import batteries
from hil.datasheet.figures import DatasheetError, interpolate
from hil.parts import Part

L476 = Part.load("stm32l476")


@pytest.mark.parametrize(
    ("table", "vdd_v", "temperature_c", "typ_a", "max_a"),
    [
        ("stop2_rtc_lse_quartz", 3.0, 25, 1.67e-6, 3.4e-6),  # T45 p138
        ("stop2_rtc_lse_quartz", 3.6, 85, 16.2e-6, 41e-6),
        ("stop1_rtc_lse_quartz", 3.0, 25, 7.1e-6, 18e-6),  # T46 p140
        ("stop0_rtc_off", 1.8, 105, 356e-6, 773e-6),  # T47 p142
        ("standby_rtc_off_no_iwdg", 3.0, 25, 150e-9, 263e-9),  # T48 p143
    ],
)
def test_a_printed_low_power_figure_comes_back_as_printed(table, vdd_v, temperature_c, typ_a, max_a):
    figure = L476.supply_current(table, vdd_v, temperature_c)
    assert figure.typ == pytest.approx(typ_a)
    assert figure.max == pytest.approx(max_a)
    assert figure.source.startswith("DS10198 Rev 8")


def test_between_rows_voltage_is_linear_and_temperature_logarithmic():
    # T45: 1.67 µA at 3.0 V and 1.87 µA at 3.6 V, both at 25 °C.
    assert L476.supply_current("stop2_rtc_lse_quartz", 3.3, 25).typ == pytest.approx(1.77e-6)
    # Half-way between 25 and 55 °C is the geometric mean.
    middle = L476.supply_current("stop2_rtc_lse_quartz", 3.0, 40).typ
    assert middle == pytest.approx(math.sqrt(1.67e-6 * 4.29e-6))


def test_colder_than_the_tables_takes_the_25_degree_column():
    cold = L476.supply_current("stop2_rtc_lse_quartz", 3.0, -10)
    assert cold.typ == pytest.approx(1.67e-6)


@pytest.mark.parametrize(("vdd_v", "temperature_c"), [(1.6, 25), (3.7, 25), (3.0, 130), (3.0, -41)])
def test_conditions_outside_the_operating_range_are_refused(vdd_v, temperature_c):
    with pytest.raises(DatasheetError, match="T23"):
        L476.supply_current("stop2_rtc_lse_quartz", vdd_v, temperature_c)


def test_a_row_without_maximum_says_so():
    assert L476.supply_current("standby_rtc_off_iwdg", 3.0, 25).max is None
    with pytest.raises(DatasheetError):  # printed at 25 °C only
        L476.supply_current("standby_rtc_off_iwdg", 3.0, 85)


def test_run_current_is_linear_in_frequency_and_temperature():
    assert L476.run_current("run_flash_art_on_range1", 80e6, 25).typ == pytest.approx(10.2e-3)  # T27
    assert L476.run_current("sleep_flash_on_range2", 4e6, 25).max == pytest.approx(0.28e-3)  # T42
    # 4 MHz: 0.55 mA, 8 MHz: 0.98 mA (T27)
    assert L476.run_current("run_flash_art_on_range2", 6e6, 25).typ == pytest.approx(0.765e-3)


def test_peripheral_rows_and_facts_are_si():
    assert L476.peripheral_current_a_per_hz("tim6", "range1") == pytest.approx(1.1e-12)  # T51
    wake_up = L476.fact("wakeup_stop2_flash_msi4_range2")  # T52 p152: 10.6 typ, 15.8 max µs
    assert (wake_up.typ, wake_up.max) == (pytest.approx(10.6e-6), pytest.approx(15.8e-6))
    adc = L476.fact("adc_idda")  # T76 p178
    assert adc.extra["fs_sps"] == (5e6, 1e6, 1e4)
    assert adc.typ[2] == pytest.approx(16e-6)


@pytest.mark.parametrize("look_up", [L476.fact, lambda name: L476.supply_current(name, 3.0, 25)])
def test_an_unknown_name_is_one_clear_error(look_up):
    with pytest.raises(DatasheetError, match=r"'stop3'.*on file"):
        look_up("stop3")


def test_every_data_file_loads_and_every_line_has_a_source():
    for fact_id in L476.fact_ids:
        assert L476.fact(fact_id).source


def test_interpolation_leaves_out_what_is_not_printed():
    assert interpolate(2.0, [1, 2, 3], [10.0, math.nan, 30.0]) == pytest.approx(20.0)


def test_battery_capacity_is_in_coulomb():
    assert batteries.get("cr2032_panasonic").capacity_c == pytest.approx(0.225 * 3600)
    with pytest.raises(DatasheetError, match="cr2032_panasonic"):
        batteries.get("cr2033")
