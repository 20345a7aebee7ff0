# SPDX-License-Identifier: Apache-2.0
"""The mainframe and its channel through stock PyVISA."""

from __future__ import annotations

import numpy as np
import pytest

from hil.twin.analyzer import PowerAnalyzer
from hil.twin.errors import BenchConfigError


def errors(scpi) -> list[int]:
    found = []
    while (entry := scpi.query("SYST:ERR?")) != '+0,"No error"':
        found.append(int(entry.split(",")[0]))
    return found


def send(scpi, message: str) -> None:
    """Send commands and wait until they have been carried out without an error."""
    scpi.write(message)
    assert errors(scpi) == []


def test_identity(scpi) -> None:
    maker, model, serial, firmware = scpi.query("*IDN?").split(",")
    assert (maker, model) == ("Keysight Technologies", "N6705C")
    assert serial
    assert firmware
    assert scpi.query("SYST:CHAN:MOD? (@1)") == '"N6781A"'


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("VOLTT 3,(@1)", -113),
        ("VOLT", -109),
        ("VOLT 3", -109),
        ("VOLT 3,(@1),4", -108),
        ("VOLT 30,(@1)", -222),
        ("VOLT 3,(@2)", -222),
        ("VOLT 3 A,(@1)", -131),
        ("SENS:SWE:POIN 3 V,(@1)", -138),
        ("OUTP maybe,(@1)", -141),
        ("FORM BIN", -224),
        ("VOLT (@1)", -104),
        ("*TST 1", -113),
        ("VOLT'", -151),
        ("é", -101),
        ("ABOR:ACQ", -109),
        ("TRIG:ACQ (@1)", -211),
        ("INIT:ELOG (@1)", -221),
    ],
)
def test_errors_are_queued_with_their_standard_number(scpi, command: str, code: int) -> None:
    scpi.write_raw(command.encode("utf-8") + b"\n")
    assert errors(scpi) == [code]


def test_fetch_without_data_queues_an_error_and_answers_nothing(scpi) -> None:
    scpi.write("FETC:ARR:CURR? (@1)")
    assert errors(scpi) == [-230]
    scpi.write("INIT:ACQ (@1);:FETC:ARR:CURR? (@1)")
    assert errors(scpi) == [-214]


def test_error_queue_overflows_in_its_last_place(scpi) -> None:
    for _ in range(25):
        scpi.write("BAD")
    found = errors(scpi)
    assert len(found) == 20
    assert found[-1] == -350


def test_status_bits(scpi) -> None:
    send(scpi, "*CLS;*ESE 32")
    assert int(scpi.query("*STB?")) == 0
    scpi.write("BAD")
    assert int(scpi.query("*STB?")) & 0x24 == 0x24
    assert int(scpi.query("*ESR?")) == 32
    assert int(scpi.query("*ESR?")) == 0
    scpi.write("*OPC")
    assert int(scpi.query("*ESR?")) == 1


def test_chained_queries_answer_in_one_line(scpi) -> None:
    send(scpi, "VOLT 1.5,(@1);CURR:LIM 200 mA,(@1)")
    assert scpi.query("VOLT? (@1);CURR:LIM? (@1);*OPC?") == "+1.50000000E+00;+2.00000000E-01;1"
    assert float(scpi.query("VOLT? MAX,(@1)")) == 20.4


def test_output_supplies_the_board(scpi, bench) -> None:
    send(scpi, "EMUL PS2Q,(@1);FUNC VOLT,(@1);VOLT 3.3,(@1);CURR:LIM 0.2,(@1)")
    assert bench.mcu.voltage_v == 0.0
    send(scpi, "OUTP ON,(@1)")
    assert scpi.query("OUTP? (@1)") == "1"
    assert bench.mcu.voltage_v == pytest.approx(3.3)
    assert float(scpi.query("MEAS:VOLT? (@1)")) == pytest.approx(3.3)
    send(scpi, "OUTP OFF,(@1)")
    assert scpi.query("STAT:OPER:COND? (@1)") == "4"
    assert bench.mcu.voltage_v == 0.0


def test_measure_averages_over_its_integration_time(scpi, bench) -> None:
    bench.mcu.supply.set(0.01024, 3e-6)
    before_s = bench.now_s
    send(scpi, "SENS:CURR:RANG:AUTO ON,(@1);:SENS:SWE:TINT 20.48E-6,(@1);POIN 1000,(@1)")
    assert float(scpi.query("MEAS:CURR? (@1)")) == pytest.approx(2e-6, rel=1e-6)
    assert bench.now_s - before_s == pytest.approx(20.48e-3)


def test_scope_waveform_is_the_exact_mean_of_each_sample(scpi, bench) -> None:
    step_s = 3.5 * 5.12e-6
    bench.mcu.supply.set(step_s, 5e-3)
    send(scpi, "SENS:FUNC:CURR ON,(@1);:SENS:CURR:RANG:AUTO ON,(@1);:SENS:SWE:TINT 6e-6,(@1);POIN 6,(@1)")
    assert float(scpi.query("SENS:SWE:TINT? (@1)")) == pytest.approx(5.12e-6)
    send(scpi, "FORM REAL;FORM:BORD NORM;:TRIG:ACQ:SOUR BUS,(@1);:INIT:ACQ (@1);*TRG")
    samples = scpi.query_binary_values("FETC:ARR:CURR? (@1)", "f", is_big_endian=True, container=np.array)
    assert samples == pytest.approx([1e-6, 1e-6, 1e-6, (5e-3 + 1e-6) / 2, 5e-3, 5e-3], rel=1e-6)
    assert bench.now_s == pytest.approx(6 * 5.12e-6)
    again = scpi.query_binary_values("FETC:ARR:CURR? (@1)", "f", is_big_endian=True, container=np.array)
    assert np.array_equal(again, samples)


@pytest.mark.parametrize(
    ("asked_s", "used_s"), [(5.12e-6, 5.12e-6), (1e-5, 10.24e-6), (1e-3, 1.31072e-3), (0.04, 0.04)]
)
def test_sample_interval_is_quantised(scpi, asked_s: float, used_s: float) -> None:
    send(scpi, f"SENS:SWE:TINT {asked_s},(@1)")
    assert float(scpi.query("SENS:SWE:TINT? (@1)")) == pytest.approx(used_s)


def test_pretrigger_samples_come_from_before_the_trigger(scpi, bench) -> None:
    send(scpi, "SENS:CURR:RANG:AUTO ON,(@1);:SENS:SWE:TINT 10.24e-6,(@1);POIN 4,(@1);OFFS:POIN -2,(@1)")
    send(scpi, "INIT:ACQ (@1)")
    assert scpi.query("STAT:OPER:COND? (@1)") == str(4 + 8 + 32)
    now_s = bench.now_s
    bench.mcu.supply.set(now_s + 1.0, 2e-3)
    bench.advance(1.0)
    send(scpi, "TRIG:ACQ (@1)")
    samples = scpi.query_ascii_values("FETC:ARR:CURR? (@1)")
    assert samples == pytest.approx([1e-6, 1e-6, 2e-3, 2e-3], rel=1e-6)


def test_fixed_range_overloads(scpi, bench) -> None:
    bench.mcu.supply.set(5.12e-6, 2e-3)
    send(scpi, "SENS:CURR:RANG 1e-3,(@1);:SENS:SWE:TINT 5.12e-6,(@1);POIN 2,(@1);:TRIG:ACQ:SOUR IMM,(@1)")
    send(scpi, "INIT:ACQ (@1)")
    assert scpi.query_ascii_values("FETC:ARR:CURR? (@1)") == pytest.approx([1e-6, 9.9e37])
    assert float(scpi.query("FETC:CURR? (@1)")) == pytest.approx(9.9e37)


def test_external_log_is_gapless_and_waits_when_empty(scpi, bench) -> None:
    bench.mcu.supply.set(0.05, 1e-3)
    send(scpi, "FORM REAL;FORM:BORD SWAP;:SENS:ELOG:FUNC:CURR ON,(@1);:SENS:ELOG:CURR:RANG:AUTO ON,(@1)")
    send(scpi, "SENS:ELOG:PER 0.01024,(@1);:TRIG:ELOG:SOUR BUS,(@1);:INIT:ELOG (@1);:TRIG:ELOG (@1)")
    log: list[float] = []
    while len(log) < 10:
        log += scpi.query_binary_values("FETC:ELOG? 3,(@1)", "f")
    expected = (
        [1e-6] * 4 + [(0.05 - 0.04096) / 0.01024 * 1e-6 + (0.0512 - 0.05) / 0.01024 * 1e-3] + [1e-3] * 5
    )
    assert log[:10] == pytest.approx(expected, rel=1e-5)
    assert bench.now_s <= 0.14
    scpi.write("ABOR:ELOG (@1);:FETC:ELOG? 3,(@1)")
    assert errors(scpi) == [-230]


def test_external_log_with_voltage_interleaves_records(scpi, bench) -> None:
    send(scpi, "VOLT 3,(@1);:OUTP ON,(@1);:SENS:ELOG:FUNC:CURR ON,(@1);VOLT ON,(@1)")
    send(scpi, "SENS:ELOG:PER 102.4e-6,(@1);:TRIG:ELOG:SOUR IMM,(@1);:INIT:ELOG (@1)")
    records = scpi.query_ascii_values("FETC:ELOG? 2,(@1)")
    assert records == pytest.approx([1e-6, 3.0, 1e-6, 3.0], rel=1e-6)
    assert bench.now_s == pytest.approx(0.02)


def test_external_log_with_extremes_has_average_minimum_and_maximum(scpi, bench) -> None:
    send(scpi, "SENS:ELOG:FUNC:CURR ON,(@1);CURR:MINM ON,(@1)")
    send(scpi, "SENS:ELOG:PER 102.4e-6,(@1);:TRIG:ELOG:SOUR IMM,(@1)")
    assert float(scpi.query("SENS:ELOG:PER? (@1)")) == pytest.approx(307.2e-6)
    start_s = bench.now_s
    bench.mcu.supply.set(start_s + 61.44e-6, 1e-3)
    bench.mcu.supply.set(start_s + 92.16e-6, 1e-6)
    send(scpi, "INIT:ELOG (@1)")
    average_a, minimum_a, maximum_a = scpi.query_ascii_values("FETC:ELOG? 1,(@1)")
    assert (minimum_a, maximum_a) == pytest.approx((1e-6, 1e-3))
    assert average_a == pytest.approx(1e-6 + 999e-6 * 30.72 / 307.2)


@pytest.mark.parametrize(("asked_s", "used_s"), [(102.4e-6, 102.4e-6), (1e-3, 1.00352e-3), (0.1, 0.10000384)])
def test_log_period_is_quantised(scpi, asked_s: float, used_s: float) -> None:
    send(scpi, f"SENS:ELOG:PER {asked_s},(@1)")
    assert float(scpi.query("SENS:ELOG:PER? (@1)")) == pytest.approx(used_s, rel=1e-9)


def test_a_fetch_before_the_first_period_is_over_is_an_empty_block(scpi, bench) -> None:
    send(scpi, "FORM REAL;:SENS:ELOG:FUNC:CURR ON,(@1);:SENS:ELOG:PER 0.1,(@1)")
    send(scpi, "TRIG:ELOG:SOUR IMM,(@1);:INIT:ELOG (@1)")
    assert len(scpi.query_binary_values("FETC:ELOG? 10,(@1)", "f", is_big_endian=True)) == 0
    assert bench.now_s == pytest.approx(0.02)
    assert scpi.query("*OPC?") == "1"


def test_external_log_loses_what_nobody_fetches_for_20_s(scpi, bench) -> None:
    send(
        scpi,
        "SENS:ELOG:FUNC:CURR ON,(@1);:SENS:ELOG:PER 0.1024,(@1);:TRIG:ELOG:SOUR IMM,(@1);:INIT:ELOG (@1)",
    )
    bench.advance(19)
    assert errors(scpi) == []
    bench.advance(11)
    assert set(errors(scpi)) == {-230}
    assert len(scpi.query_ascii_values("FETC:ELOG? 1000,(@1)")) == 195


def test_reset_restores_everything(scpi, bench) -> None:
    send(scpi, "VOLT 3,(@1);:OUTP ON,(@1);:FORM REAL;:SENS:SWE:POIN 7,(@1);*RST")
    assert bench.mcu.voltage_v == 0.0
    assert scpi.query("VOLT? (@1);:OUTP? (@1);:FORM?;:SENS:SWE:POIN? (@1)") == (
        "+0.00000000E+00;0;ASC;+1.02400000E+03"
    )


def test_history_is_given_up_when_nobody_needs_it(bench) -> None:
    PowerAnalyzer(bench, {})
    bench.advance(100.5)
    assert bench.mcu.supply.discarded_ps == 100 * 10**12


def test_history_is_kept_while_an_acquisition_needs_it(scpi, bench) -> None:
    send(scpi, "SENS:SWE:TINT 40e-3,(@1);POIN 1000,(@1);:TRIG:ACQ:SOUR IMM,(@1);:INIT:ACQ (@1)")
    start_ps = bench.scheduler.now_ps
    bench.advance(20)
    assert bench.mcu.supply.discarded_ps <= start_ps
    bench.advance(30)
    assert bench.mcu.supply.discarded_ps > start_ps
    assert len(scpi.query_ascii_values("FETC:ARR:CURR? (@1)")) == 1000


def test_errors_of_the_instrument_stay_within_its_accuracy(bench) -> None:
    analyzer = PowerAnalyzer(bench, {})
    analyzer.execute(b"SENS:CURR:RANG:AUTO ON,(@1);:SENS:SWE:TINT 5.12e-6,(@1);POIN 50000,(@1)")
    for true_a, bound_a in ((1.2e-6, 8e-9), (0.5e-3, 100e-9), (50e-3, 10e-6), (1.0, 250e-6)):
        bench.mcu.supply.steps = [(0, true_a)]
        reading_a = float(analyzer.execute(b"MEAS:CURR? (@1)"))
        assert reading_a != true_a
        assert abs(reading_a - true_a) < 0.03e-2 * true_a + bound_a


def test_bad_configuration_names_the_entry(bench) -> None:
    with pytest.raises(BenchConfigError, match="current_ranges"):
        PowerAnalyzer(bench, {"current_ranges": [{"full_scale_a": 1.0}]})
