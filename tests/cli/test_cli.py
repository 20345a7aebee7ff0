# SPDX-License-Identifier: Apache-2.0
"""The command as it is typed: what is printed, and the exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from hil.cli import rig
from hil.errors import ConfigError
from hil.instruments import daq_driver

MODEL = Path(__file__).parents[2] / "firmware" / "model" / "anomaly.tflite"
RIGS = Path(__file__).parents[2] / "rig_configs"


def hil(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hil.cli import app; app()", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=cwd, timeout=60, check=False)


@pytest.mark.parametrize(
    ("content", "told"), [(b"hello", "not a .tflite file"), (MODEL.read_bytes()[:500], "damaged or cut off")]
)
def test_a_file_that_is_no_network_is_not_built_in(tmp_path: Path, content: bytes, told: str) -> None:
    model = tmp_path / "mine.tflite"
    model.write_bytes(content)
    run = hil("firmware", "build", "--model", str(model))
    assert run.returncode == 1
    assert run.stderr.startswith(f"hil: {model}: read: {told}")
    assert run.stderr.count("\n") == 1


def test_a_wrong_rig_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text("nam = 'x'\n", "utf-8")
    run = hil("rig", "check", "bench.toml", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("hil: bench.toml:1: nam: unknown key 'nam'")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("system", "machine", "grpc", "has_driver"),
    [
        ("linux", "x86_64", None, True),
        ("win32", "AMD64", None, True),
        ("linux", "aarch64", None, False),
        ("darwin", "arm64", None, False),
        ("darwin", "x86_64", None, False),
        ("win32", "ARM64", None, False),
        ("darwin", "arm64", "192.168.1.41:31763", True),
    ],
)
def test_a_machine_without_a_driver_for_the_daq_is_told_of_the_way_through_another(
    system: str, machine: str, grpc: str | None, has_driver: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daq_driver.sys, "platform", system)  # type: ignore[attr-defined]
    monkeypatch.setattr(daq_driver.platform, "machine", lambda: machine)  # type: ignore[attr-defined]
    if has_driver:
        daq_driver.require(grpc)
    else:
        with pytest.raises(ConfigError, match=rf"no driver for .* on {machine}.*\[daq\] grpc"):
            daq_driver.require(grpc)


def test_the_check_of_a_rig_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daq_driver.platform, "machine", lambda: "aarch64")  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="no driver for"):
        rig.check(str(RIGS / "nucleo.toml"))
    rig.check(str(RIGS / "sim.toml"))


def test_exit_statuses_are_told() -> None:
    run = hil("--help")
    assert all(word in run.stdout for word in ("Exit status: 0 done", "130 Ctrl-C", "--show-completion"))


def test_a_log_has_what_the_line_leaves_out(tmp_path: Path) -> None:
    run = hil("--log-file", "hil.log", "rig", "check", "no\x1bsuch", cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    log = (tmp_path / "hil.log").read_text("utf-8")
    assert "Traceback" in log
    assert "ConfigError: no rig named" in log
    assert "\x1b" not in log


def test_what_is_said_to_an_instrument_is_shown_on_demand(tmp_path: Path) -> None:
    said = (
        "from hil.cli import log; from hil.instruments import exchange;"
        "log.start(1, None); exchange.message('power_analyzer', '*IDN?', 'N6705\\x1b[2J')"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert "message power_analyzer: *IDN? -> N6705\\x1b[2J" in done.stderr
    assert hil("-v", "--log-file", "no/such/folder", "rigs", cwd=tmp_path).stderr.startswith("hil: no/such/")


def test_hil_test_becomes_a_run_of_pytest_and_says_which(tmp_path: Path) -> None:
    run = hil("test", "--rig", "no such", "-k", "boot or fits", cwd=tmp_path)
    assert run.stdout.splitlines()[0] == (
        "runs: python -m pytest '--rig=no such' --hil-any-firmware -k 'boot or fits'"
    )
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no such" in run.stderr
