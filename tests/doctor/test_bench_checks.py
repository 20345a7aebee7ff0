# SPDX-License-Identifier: Apache-2.0
"""Faults of a bench, planted on the virtual one: the doctor names each first, and says what mends it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from hil.cli import doctor
from hil.config import load_rig
from hil.doctor import State, bench_findings

SIM = (Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml").read_text("utf-8")


@dataclass(frozen=True)
class Fault:
    """What is wrong with the bench, and how the doctor says so."""

    name: str
    check: str
    said: str
    twin: str = ""
    config: tuple[str, str] = ("", "")


FAULTS = (
    Fault("wrong probe", "probe and console", "066DFF", config=('"remote:{service.probe}"', '"066DFF00"')),
    Fault("busy console port", "probe and console", "console", twin='console_port = "busy"'),
    Fault("JP6 on", "DAQ, ground and back-feed", "JP6", twin='jp6 = "on"'),
    Fault("floating ground", "DAQ, ground and back-feed", "ground floats", twin='ground = "floating"'),
    Fault("wrong slot", "power analyzer", "slot|module", config=("channel = 1", "channel = 3")),
    Fault("neighbour's channel on", "power analyzer", "channel", twin="neighbour_channel_on = true"),
    Fault("relay without driver", "supply of the board, relay", "24 mA", twin='relay = "without_driver"'),
    Fault("coil not connected", "part", "does not reach", twin="wires.debug_connection.open = true"),
    Fault("another part", "part", "0x435", twin='target = "another"'),
    Fault("sensor wire open", "wires", "sensor's wire is open", twin="wires.sensor.open = true"),
    Fault("marker wire open", "wires", "marker_active is open", twin="wires.marker_active.open = true"),
)


@pytest.mark.short_form(1)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_named_first(fault: Fault, tmp_path: Path) -> None:
    file = tmp_path / "planted.toml"
    assert fault.config[0] in SIM
    text = SIM.replace(*fault.config, 1) if fault.config[0] else SIM
    file.write_text(f"{text.rstrip()}\n{fault.twin}\n", "utf-8")
    found = list(bench_findings(load_rig(file)))
    wrong = [finding for finding in found if finding.state is State.WRONG]
    assert wrong[0].check == fault.check
    assert re.search(fault.said, f"{wrong[0].told} {wrong[0].mend}", re.DOTALL)
    assert wrong[0].mend


def test_the_virtual_bench_is_fit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    doctor.doctor("sim", tmp_path)
    told = capsys.readouterr().out
    assert "the bench is fit" in told
    assert "✗" not in told
    assert "✓ wires" in told


def test_a_wrong_rig_file_is_named_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(SIM.replace("supply_voltage =", "suply_voltage =", 1), "utf-8")
    with pytest.raises(typer.Exit):
        doctor.doctor(str(file), tmp_path)
    told = capsys.readouterr().out
    assert "✗ rig file" in told
    assert "'supply_voltage'" in told
    assert f"mend: hil rig check {file}" in told


def test_a_first_rig_file_is_written_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hil.instruments.discovery.KINDS", {"NI device": lambda: [("Dev7", "USB-6363")]})
    target = tmp_path / "rigs" / "first.toml"
    doctor.doctor(discover=target)
    assert 'device = "Dev7"' in target.read_text("utf-8")
    assert "NI device: Dev7 (USB-6363)" in capsys.readouterr().out
    with pytest.raises(Exception, match="is there already"):
        doctor.doctor(discover=target)
