# SPDX-License-Identifier: Apache-2.0
"""What makes the output let go, and when: protections at their own delays, and the watchdog."""

from __future__ import annotations

import pytest


def send(scpi, message: str) -> None:
    """Send commands and wait until they have been carried out without an error."""
    scpi.write(message)
    assert scpi.query("SYST:ERR?") == '+0,"No error"'


def test_over_voltage_ends_the_output_after_its_delay_and_never_exceeds_its_level(scpi, bench) -> None:
    send(scpi, "VOLT:PROT:REM 3.6,(@1);:VOLT 3.3,(@1);:OUTP ON,(@1);:VOLT 3.7,(@1)")
    assert bench.mcu.voltage_v == pytest.approx(3.6)
    bench.advance(59e-6)
    assert bench.mcu.voltage_v == pytest.approx(3.6)
    bench.advance(2e-6)
    assert bench.mcu.voltage_v == 0.0
    assert scpi.query("STAT:QUES:COND? (@1);:STAT:OPER:COND? (@1)") == "1;4"


def test_a_protection_leaves_the_programmed_state_and_clearing_it_brings_the_output_back(scpi, bench) -> None:
    send(scpi, "VOLT:PROT:REM 3.6,(@1);:OUTP ON,(@1);:VOLT 3.7,(@1)")
    bench.advance(1e-3)
    send(scpi, "VOLT 3.3,(@1);:OUTP ON,(@1)")
    assert bench.mcu.voltage_v == 0.0
    assert scpi.query("OUTP? (@1)") == "1"
    send(scpi, "OUTP:PROT:CLE (@1)")
    assert bench.mcu.voltage_v == pytest.approx(3.3)
    assert scpi.query("OUTP? (@1);STAT:QUES:COND? (@1)") == "1;0"


def test_clearing_while_the_cause_persists_trips_again(scpi, bench) -> None:
    send(scpi, "VOLT:PROT:REM 3.6,(@1);:OUTP ON,(@1);:VOLT 3.7,(@1)")
    bench.advance(1e-3)
    send(scpi, "OUTP:PROT:CLE (@1)")
    bench.advance(1e-3)
    assert bench.mcu.voltage_v == 0.0


def test_over_current_trips_20_ms_after_the_limit_is_reached(scpi, bench) -> None:
    send(scpi, "CURR:LIM 0.05,(@1);:CURR:PROT:STAT ON,(@1);:VOLT 3,(@1);:OUTP ON,(@1)")
    bench.advance(0.1234)
    bench.mcu.supply.becomes(0.06)
    bench.advance(10e-3)
    assert int(scpi.query("STAT:OPER:COND? (@1)")) == 2  # 1 ms passes in the query
    bench.advance(8.999e-3)
    assert bench.mcu.voltage_v == pytest.approx(3.0)
    bench.advance(2e-6)
    assert bench.mcu.voltage_v == 0.0
    assert int(scpi.query("STAT:QUES:COND? (@1)")) == 2


@pytest.mark.parametrize("delay_s", [0.0, 5e-3, 0.255])
def test_the_over_current_delay_is_programmable(scpi, bench, delay_s: float) -> None:
    send(scpi, f"CURR:LIM 0.05,(@1);:CURR:PROT:STAT ON,(@1);DEL {delay_s},(@1);:VOLT 3,(@1);:OUTP ON,(@1)")
    bench.mcu.supply.becomes(0.06)
    if delay_s:
        bench.advance(delay_s - 1e-6)
        assert bench.mcu.voltage_v == pytest.approx(3.0)
    bench.advance(2e-6)
    assert bench.mcu.voltage_v == 0.0


def test_a_short_inrush_does_not_trip(scpi, bench) -> None:
    send(scpi, "CURR:LIM 0.05,(@1);:CURR:PROT:STAT ON,(@1);:VOLT 3,(@1);:OUTP ON,(@1)")
    for _ in range(5):
        bench.mcu.supply.becomes(0.2)
        bench.advance(19e-3)
        bench.mcu.supply.becomes(1e-6)
        bench.advance(1e-3)
    assert bench.mcu.voltage_v == pytest.approx(3.0)


def test_without_protection_the_limit_is_shown_and_nothing_more(scpi, bench) -> None:
    send(scpi, "CURR:LIM 0.05,(@1);:VOLT 3,(@1);:OUTP ON,(@1)")
    bench.mcu.supply.becomes(0.06)
    bench.advance(1)
    assert scpi.query("STAT:QUES:COND? (@1);:STAT:OPER:COND? (@1)") == "128;2"
    bench.mcu.supply.becomes(0.04)
    assert scpi.query("STAT:QUES:COND? (@1);:STAT:OPER:COND? (@1)") == "0;1"


def test_protection_switched_on_in_the_middle_of_an_overload_counts_from_there(scpi, bench) -> None:
    send(scpi, "CURR:LIM 0.05,(@1);:VOLT 3,(@1);:OUTP ON,(@1)")
    bench.mcu.supply.becomes(0.06)
    bench.advance(1)
    send(scpi, "CURR:PROT:STAT ON,(@1)")
    bench.advance(19e-3)
    assert bench.mcu.voltage_v == pytest.approx(3.0)
    bench.advance(2e-3)
    assert bench.mcu.voltage_v == 0.0


def test_the_limit_holds_the_voltage_of_a_short(scpi, bench, analyzer) -> None:
    currents_a: list[float] = []
    analyzer.channel.source.short_current_changed.connect(currents_a.append)
    send(scpi, "CURR:LIM 0.1,(@1);:VOLT 3,(@1);:OUTP ON,(@1)")
    analyzer.channel.source.short_ohm = 2.0
    assert bench.mcu.voltage_v == pytest.approx(0.2)
    assert currents_a[-1] == pytest.approx(0.1)
    assert scpi.query("STAT:QUES:COND? (@1);:STAT:OPER:COND? (@1)") == "128;2"
    analyzer.channel.source.short_ohm = 1e3
    assert bench.mcu.voltage_v == pytest.approx(3.0)
    assert currents_a[-1] == pytest.approx(3e-3)


def test_the_watchdog_disables_the_output_when_nobody_speaks(scpi, bench) -> None:
    assert scpi.query("OUTP:PROT:WDOG?;:OUTP:PROT:WDOG:DEL?") == "0;60"
    send(scpi, "OUTP:PROT:WDOG:DEL 10;:OUTP:PROT:WDOG ON;:VOLT 3,(@1);:OUTP ON,(@1)")
    for _ in range(3):
        bench.advance(9.99)
        assert scpi.query("*OPC?") == "1"  # any message counts
    assert bench.mcu.voltage_v == pytest.approx(3.0)
    bench.advance(9.99)
    assert bench.mcu.voltage_v == pytest.approx(3.0)
    bench.advance(0.02)
    assert bench.mcu.voltage_v == 0.0
    assert scpi.query("STAT:QUES:COND? (@1);:OUTP? (@1)") == "2048;1"
    send(scpi, "OUTP:PROT:CLE (@1)")
    assert bench.mcu.voltage_v == pytest.approx(3.0)
    bench.advance(11)
    assert bench.mcu.voltage_v == 0.0  # it watches on


def test_the_watchdog_is_off_until_it_is_switched_on_and_after_a_reset(scpi, bench) -> None:
    send(scpi, "OUTP:PROT:WDOG:DEL 1;:OUTP:PROT:WDOG ON;*RST;:VOLT 3,(@1);:OUTP ON,(@1)")
    bench.advance(4000)
    assert bench.mcu.voltage_v == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("command", "code"),
    [("OUTP:PROT:WDOG:DEL 0", -222), ("OUTP:PROT:WDOG:DEL 3601", -222), ("OUTP:PROT:WDOG ON,(@1)", -108)],
)
def test_wrong_watchdog_settings(scpi, command: str, code: int) -> None:
    scpi.write(command)
    assert int(scpi.query("SYST:ERR?").split(",")[0]) == code
