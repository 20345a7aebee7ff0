# SPDX-License-Identifier: Apache-2.0
"""Figures are checked against the printed tables of DS10198 Rev 8."""

import pytest

from hil.parts import Part
from hil.twin.power import wake_up
from hil.twin.power.assumptions import ASSUMPTIONS
from hil.twin.power.model import supply_current_a
from hil.twin.power.operating_point import OperatingPoint, WakeUp

L476 = Part.load("stm32l476")
STOP2 = OperatingPoint(
    "stop2", vdd_v=3.0, temperature_c=25.0, part=L476, rtc_source="lse_quartz", lse_on=True
)
RUN_80MHZ = OperatingPoint("run", 3.0, 25.0, L476, hclk_hz=80_000_000, art_on=True, pll_vco_hz=160_000_000)


@pytest.mark.parametrize(
    ("changes", "expected_a", "source"),
    [
        ({}, 1.67e-6, "T45"),
        ({"rtc_source": "off", "lse_on": False}, 1.18e-6, "T45"),
        ({"rtc_source": "lsi", "lse_on": False, "lsi_on": True}, 1.64e-6, "T45"),
        ({"temperature_c": 85.0}, 15.5e-6, "T45"),
        ({"vdd_v": 3.6}, 1.87e-6, "T45"),
        ({"mode": "stop1"}, 7.1e-6, "T46"),
        ({"mode": "stop0", "rtc_source": "off", "lse_on": False}, 111e-6, "T47"),
        ({"mode": "standby"}, 652e-9, "T48"),
        ({"mode": "standby", "sram2_retained": True}, 888e-9, "T48"),
        ({"mode": "shutdown"}, 554e-9, "T49"),
        ({"mode": "off"}, 0.0, ""),
        ({"vdd_v": 4.0}, 1.87e-6, "T45: beyond the table its last row"),
        ({"temperature_c": -40.0}, 1.67e-6, "T45: the 25 degree column"),
        ({"lse_drive": 3}, 1.67e-6 + 380e-9, "T45, T58"),
        ({"hsi16_on": True}, 1.67e-6 + 155e-6, "T45, T59"),
        ({"lsi_on": True}, 1.67e-6 + 110e-9, "T45, T61"),
        ({"adc_rates_hz": (0.0,)}, 1.67e-6 + 16.6e-6, "T45, T76"),
        ({"voltage_detector_on": True}, 1.67e-6 + 1.1e-6, "T45, T25"),
        ({"clocked_in_stop": True, "voltage_range": 2, "wake_hz": 4_000_000}, 240e-6 + 250e-9, "T42, T58"),
    ],
)
def test_low_power_modes(changes, expected_a, source):
    assert supply_current_a(STOP2._replace(**changes)) == pytest.approx(expected_a, rel=1e-6), source


@pytest.mark.parametrize(
    ("changes", "expected_a", "source"),
    [
        ({}, 10.2e-3, "T27: the PLL is in the row"),
        ({"art_on": False}, 10.0e-3, "T29"),
        ({"mode": "sleep"}, 2.96e-3, "T42"),
        ({"msi_range": 6}, 10.2e-3 + 11e-6, "T27, T60"),
        ({"hclk_hz": 4_000_000, "voltage_range": 2, "pll_vco_hz": 0}, 0.55e-3, "T27"),
        ({"hclk_hz": 16_000_000, "pll_vco_hz": 64_000_000}, 2.19e-3 + 150e-6, "T27, T62"),
        (
            {"mode": "lprun", "hclk_hz": 2_000_000, "msi_range": 5, "pll_vco_hz": 0},
            272e-6,
            "T27: MSI is in the row",
        ),
        (
            {"mode": "lpsleep", "hclk_hz": 2_000_000, "flash_off_in_sleep": True, "pll_vco_hz": 0},
            81e-6,
            "T44",
        ),
        ({"peripheral_clocks": (("tim6", 80_000_000),)}, 10.2e-3 + 88e-6, "T27, T51"),
        ({"flash_activity": "erase", "flash_peak": True}, 17.2e-3, "T27, T63"),
        ({"flash_activity": "erase"}, 10.2e-3 + 3.393284e-3, "T27, T63: 7 mA for 41 us of 22.02 ms"),
        ({"flash_activity": "write"}, 10.2e-3 + 3.309650e-3, "T27, T63: 7 mA for 2 us of 81.69 us"),
        ({"adc_rates_hz": (1e6,)}, 10.2e-3 + 190e-6, "T27, T76"),
    ],
)
def test_run_modes(changes, expected_a, source):
    assert supply_current_a(RUN_80MHZ._replace(**changes)) == pytest.approx(expected_a, rel=1e-6), source


@pytest.mark.parametrize(
    ("mode", "clock", "hz", "voltage_range", "seconds"),
    [
        ("stop2", "msi", 4_000_000, 2, 10.6e-6),
        ("stop2", "msi", 48_000_000, 1, 8.0e-6),
        ("stop2", "hsi16", 16_000_000, 1, 7.3e-6),
        ("stop1", "msi", 24_000_000, 2, 6.3e-6),
        ("stop0", "hsi16", 16_000_000, 2, 4.5e-6),
        ("shutdown", "msi", 4_000_000, 1, 256e-6),
        ("sleep", "msi", 4_000_000, 2, 1.5e-6),
    ],
)
def test_wake_up_times_are_table_52s(mode, clock, hz, voltage_range, seconds):
    assert wake_up.latency_ps(L476, mode, clock, hz, voltage_range, False) == round(seconds * 1e12)


@pytest.mark.parametrize(
    ("point", "typ_a", "max_a", "source"),
    [
        (STOP2._replace(rtc_source="off", lse_on=False), 1.18e-6, 2.8e-6, "T45"),
        (RUN_80MHZ, 10.2e-3, 11.22e-3, "T27"),
        (STOP2._replace(hsi16_on=True), 1.67e-6 + 155e-6, 3.4e-6 + 190e-6, "T45, T59"),
        (STOP2._replace(lse_drive=3), 1.67e-6 + 0.38e-6, 3.4e-6 + 0.38e-6, "T45, T58: no maximum"),
        (STOP2._replace(vrefbuf_on=True), 1.67e-6 + 16e-6, 3.4e-6 + 25e-6, "T45, T84"),
    ],
)
def test_spread_lies_between_typical_and_maximum(point, typ_a, max_a, source):
    for spread, expected_a in ((0.0, typ_a), (0.5, (typ_a + max_a) / 2), (1.0, max_a)):
        assert supply_current_a(point._replace(spread=spread)) == pytest.approx(expected_a), source


def test_waking_draws_table_45s_current():
    assert wake_up.current_a(L476, WakeUp("stop2", "msi", 4_000_000)) == pytest.approx(2.24e-3)
    assert wake_up.current_a(L476, WakeUp("stop2", "hsi16", 16_000_000)) == pytest.approx(2.1e-3)
    between = wake_up.current_a(L476, WakeUp("stop2", "msi", 8_000_000))
    assert 1.9e-3 < between < 2.24e-3


def test_assumptions_are_named_once():
    ids = [identifier for identifier, _ in ASSUMPTIONS]
    assert len(ids) == len(set(ids))
