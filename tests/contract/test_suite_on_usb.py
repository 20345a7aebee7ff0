# SPDX-License-Identifier: Apache-2.0
"""The whole suite as a desk has it: pyOCD's drivers of USB probes, and PyVISA-py's sessions of an instrument
on LAN, in place of the remote probe and the socket that the rig ``sim`` uses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hil.report import exchange
from hil.results import test_log
from hil.results.test_log import TestOutcome
from tests.usb_probes import cmsis_dap, stlink_v2_1

REPOSITORY = Path(__file__).resolve().parents[2]
SIM = REPOSITORY / "rig_configs" / "sim.toml"
EXCHANGE = REPOSITORY / "docs" / "exchange_sim.md"
"""What the suite says to the instruments on the rig ``sim``."""
SOCKET = "TCPIP::{service.power_analyzer.host}::{service.power_analyzer.port}::SOCKET"
VXI_11 = "TCPIP::{service.vxi11.host},{service.vxi11.port}::inst0::INSTR"
HISLIP = "TCPIP::{service.hislip.host}::hislip0,{service.hislip.port}::INSTR"

DESKS = {
    "stlink": (stlink_v2_1.SERIAL, VXI_11, "STM32 STLink"),
    "cmsis-dap": (cmsis_dap.SERIAL, HISLIP, "Probe CMSIS-DAP"),
}


def run_pytest(folder: Path, kind: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    serial, resource, _ = DESKS[kind]
    text = SIM.read_text("utf-8")
    for old, new in (("remote:{service.probe}", serial), (SOCKET, resource)):
        assert text.count(old) == 1
        text = text.replace(old, new)
    rig = folder / "desk.toml"
    rig.write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.usb_probes.plugin"]
    command += [f"--usb-probe={kind}", f"--rig={rig}", f"--results={folder / 'results'}", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=1200, check=False)


@pytest.mark.parametrize("kind", sorted(DESKS))
def test_the_suite_passes(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "exchange.jsonl"
    run = run_pytest(tmp_path, kind, f"--log-exchange={log}")
    assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr
    (folder,) = (tmp_path / "results").iterdir()
    record = test_log.read(folder / "tests.jsonl")
    assert record.collected
    assert {verdict.outcome for verdict in record.tests} == {TestOutcome.PASSED}
    board = json.loads((folder / "run.json").read_text("utf-8"))
    assert DESKS[kind][2] in json.dumps(board)
    said = exchange.page(exchange.read(log))
    assert said.splitlines() == EXCHANGE.read_text("utf-8").splitlines(), (
        "see CONTRIBUTING.md, A desk's connections"
    )


@pytest.mark.parametrize("kind", sorted(DESKS))
def test_a_probe_that_is_opened_without_a_session_fails(tmp_path: Path, kind: str) -> None:
    run = run_pytest(
        tmp_path, kind, "-p", "tests.usb_probes.identity_without_session", "tests/hil/test_boot.py"
    )
    assert run.returncode != pytest.ExitCode.OK
    assert "AssertionError" in run.stdout
