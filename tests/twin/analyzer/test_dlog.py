# SPDX-License-Identifier: Apache-2.0
"""The internal data log through stock PyVISA: set up, run, export, read back, stale set-ups."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest


def send(scpi, message: str) -> None:
    """Send commands and wait until they have been carried out without an error."""
    scpi.write(message)
    assert scpi.query("SYST:ERR?") == '+0,"No error"'


def error(scpi, message: str) -> int:
    scpi.write(message)
    return int(scpi.query("SYST:ERR?").split(",")[0])


def block(scpi, query: str) -> bytes:
    return bytes(scpi.query_binary_values(query, "B", container=bytes))


def exported(scpi, name: str = "data1.csv") -> list[dict[str, str]]:
    send(scpi, f'MMEM:EXP:DLOG "internal:\\{name}"')
    text = block(scpi, f'MMEM:DATA? "internal:\\{name}"').decode("ascii")
    return list(csv.DictReader(io.StringIO("".join(text.splitlines(keepends=True)[6:]))))


CURRENT_ONLY = "SENS:DLOG:FUNC:CURR ON,(@1);VOLT OFF,(@1);MINM OFF;:SENS:DLOG:CURR:RANG:AUTO ON,(@1)"


def test_a_log_is_exported_as_comma_separated_values(scpi, bench) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:PER 20.48e-6;TIME 0.002048;:TRIG:DLOG:SOUR IMM")
    bench.mcu.supply.set(61.44e-6, 2e-3)
    bench.mcu.supply.set(71.68e-6, 1e-6)
    send(scpi, 'INIT:DLOG "internal:\\data1.dlog"')
    bench.advance(0.01)
    rows = exported(scpi)
    assert list(rows[0]) == ["Sample", "Curr avg 1"]
    assert len(rows) == 100
    assert [float(row["Curr avg 1"]) for row in rows[:5]] == pytest.approx(
        [1e-6, 1e-6, 1e-6, (2e-3 + 1e-6) / 2, 1e-6], rel=1e-6
    )


def test_the_file_itself_opens_as_free_readers_do_it(scpi, bench) -> None:
    send(
        scpi,
        "VOLT 3,(@1);:OUTP ON,(@1);:SENS:DLOG:FUNC:CURR ON,(@1);VOLT ON,(@1);:SENS:DLOG:PER 0.001;TIME 1",
    )
    send(scpi, 'INIT:DLOG "INTERNAL:/Run 1.dlog"')
    bench.advance(1.1)
    head, found, data = block(scpi, 'MMEM:DATA? "run 1.dlog"').partition(b"</dlog>\n")
    log = ET.fromstring(head + found)
    interval_s = float(log.findtext("frame/tint") or "nan")
    assert interval_s == pytest.approx(0.00100352)
    assert [log.findtext(f"channel/{name}") for name in ("sense_volt", "sense_curr", "ident/model")] == [
        "1",
        "1",
        "N6781A",
    ]
    values = np.frombuffer(data[8:], ">f4").reshape(-1, 2)
    assert len(values) == round(1 / interval_s)
    assert values[0] == pytest.approx([3.0, 1e-6])


def test_extremes_are_those_of_the_samples_within(scpi, bench) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:FUNC:MINM ON;:SENS:DLOG:PER 0.01;TIME 0.1")
    bench.mcu.supply.set(0.021, 5e-3)
    bench.mcu.supply.set(0.0211, 1e-6)
    send(scpi, 'INIT:DLOG "a.dlog"')
    bench.advance(0.2)
    row = exported(scpi)[2]
    assert (float(row["Curr min 1"]), float(row["Curr max 1"])) == pytest.approx((1e-6, 5e-3), rel=1e-6)
    assert float(row["Curr avg 1"]) == pytest.approx(1e-6 + 5e-3 * 0.01, rel=0.01)


@pytest.mark.parametrize(("quantities", "factor"), [(0, 1), (1, 2), (3, 6)])
def test_a_stale_set_up_stretches_the_next_program_s_trace(scpi, bench, quantities: int, factor: int) -> None:
    """An earlier user logged more; the next one sets what he knows of and takes the period he asked for."""
    if quantities:
        extremes = "ON" if quantities == 3 else "OFF"
        send(scpi, f"SENS:DLOG:FUNC:VOLT ON,(@1);MINM {extremes}")
    else:
        send(scpi, "SENS:DLOG:FUNC:VOLT OFF,(@1)")
    send(scpi, "SENS:DLOG:FUNC:CURR ON,(@1);:SENS:DLOG:PER 20.48e-6;TIME 0.02048")
    send(scpi, 'INIT:DLOG "b.dlog"')
    bench.advance(0.1)
    assert len(exported(scpi)) == pytest.approx(1000 / factor, abs=1)
    assert float(scpi.query("SENS:DLOG:PER?")) == pytest.approx(20.48e-6 * factor)
    send(scpi, "*RST")
    assert scpi.query("SENS:DLOG:FUNC:CURR? (@1);:SENS:DLOG:FUNC:MINM?") == "0;0"


def test_settings_outlive_the_connection(scpi, server) -> None:
    import pyvisa

    send(scpi, "SENS:DLOG:FUNC:MINM ON;:SENS:DLOG:TIME 7")
    host, port = server.address.split(":")
    manager = pyvisa.ResourceManager("@py")
    other = manager.open_resource(f"TCPIP::{host}::{port}::SOCKET", read_termination="\n")
    assert other.query("SENS:DLOG:FUNC:MINM?;:SENS:DLOG:TIME?") == "1;+7.00000000E+00"
    other.close()


def test_a_bus_trigger_with_samples_before_it(scpi, bench) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:PER 0.01024;TIME 0.1024;OFFS 30;:TRIG:DLOG:SOUR BUS")
    send(scpi, 'INIT:DLOG "c.dlog"')
    bench.advance(1.0)
    bench.mcu.supply.set(bench.now_s, 1e-3)
    send(scpi, "*TRG")
    bench.advance(0.2)
    currents_a = [float(row["Curr avg 1"]) for row in exported(scpi)]
    assert currents_a == pytest.approx([1e-6] * 3 + [1e-3] * 7, rel=1e-6)


def test_an_aborted_log_keeps_what_it_has(scpi, bench) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:PER 0.1024;TIME 1000")
    send(scpi, 'INIT:DLOG "d.dlog"')
    bench.advance(3.0)
    send(scpi, "ABOR:DLOG")
    assert len(exported(scpi)) == 29
    assert error(scpi, "TRIG:DLOG") == -211


def test_averages_between_the_markers(scpi, bench) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:PER 0.1024;TIME 10.24")
    bench.mcu.supply.set(5.12, 3e-6)
    send(scpi, 'INIT:DLOG "e.dlog"')
    bench.advance(11)
    send(scpi, "SENS:DLOG:MARK1:POIN 0;:SENS:DLOG:MARK2:POIN 10.24")
    assert float(scpi.query("FETC:DLOG:CURR? (@1)")) == pytest.approx(2e-6, rel=1e-6)
    send(scpi, "SENS:DLOG:MARK1:POIN 6;:SENS:DLOG:MARK2:POIN 8")
    answers = scpi.query("FETC:DLOG:CURR? (@1);:FETC:DLOG:CURR:MAX? (@1);:FETC:DLOG:CURR:MIN? (@1)")
    assert [float(answer) for answer in answers.split(";")] == pytest.approx([3e-6] * 3, rel=1e-6)


def test_a_long_log_gives_up_the_history_it_has_used(scpi, bench) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:PER 1;TIME 500")
    send(scpi, 'INIT:DLOG "f.dlog"')
    bench.advance(300)
    assert bench.mcu.supply.discarded_ps > 290 * 10**12
    bench.advance(300)
    assert len(exported(scpi)) == 500


def test_the_period_grows_with_a_file_that_would_be_too_long(scpi) -> None:
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:PER 20.48e-6;TIME 100000000")
    assert error(scpi, 'INIT:DLOG "g.dlog"') == -254  # 2 GB, more than the drive has
    send(scpi, "SENS:DLOG:TIME 1000")
    send(scpi, 'INIT:DLOG "g.dlog";:ABOR:DLOG')
    assert float(scpi.query("SENS:DLOG:PER?")) == pytest.approx(20.48e-6)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('INIT:DLOG "external:\\a.dlog"', -252),
        ('INIT:DLOG "a|b"', -257),
        ('INIT:DLOG ""', -257),
        ("INIT:DLOG (@1)", -104),
        ("INIT:DLOG", -109),
        ('MMEM:DATA? "nothing.csv"', -256),
        ('MMEM:DEL "nothing.csv"', -256),
        ('MMEM:EXP:DLOG "a.csv"', -230),
        ("FETC:DLOG:CURR? (@1)", -230),
        ("TRIG:DLOG", -211),
        ("SENS:DLOG:PER 1e-6", -222),
        ("SENS:DLOG:PER 1,(@1)", -108),
        ("SENS:DLOG:FUNC:CURR ON", -109),
        ("SENS:DLOG:OFFS 101", -222),
    ],
)
def test_mistakes(scpi, message: str, code: int) -> None:
    assert error(scpi, message) == code


def test_nothing_to_log_and_two_logs_at_once(scpi, bench) -> None:
    send(scpi, "SENS:DLOG:FUNC:VOLT OFF,(@1)")
    assert error(scpi, 'INIT:DLOG "h.dlog"') == -221
    send(scpi, f"{CURRENT_ONLY};:SENS:DLOG:TIME 10")
    send(scpi, 'INIT:DLOG "h.dlog"')
    assert error(scpi, 'INIT:DLOG "i.dlog"') == -213
    bench.advance(11)
    send(scpi, 'INIT:DLOG "i.dlog";:ABOR:DLOG;:MMEM:DEL "h.dlog"')
    assert error(scpi, 'MMEM:DATA? "h.dlog"') == -256
