# SPDX-License-Identifier: Apache-2.0
"""The udev rules name every probe that pyOCD opens, and are printed or written as they are."""

import re
import subprocess
import sys
from pathlib import Path

from pyocd.probe.stlink.usb import STLinkUSBInterface

from hil.cli.udev import RULES, rules_text


def hil(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hil.cli import app; app()", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def rule_lines() -> list[str]:
    return [line for line in rules_text().splitlines() if line and not line.startswith("#")]


def test_every_st_link_that_pyocd_opens_has_a_rule() -> None:
    (line,) = [line for line in rule_lines() if 'idVendor}=="0483"' in line]
    match = re.search(r'ATTRS\{idProduct\}=="([0-9a-f|]+)"', line)
    assert match is not None
    assert {int(product, 16) for product in match[1].split("|")} == set(STLinkUSBInterface.USB_PID_EP_MAP)
    assert STLinkUSBInterface.USB_VID == 0x0483


def test_every_rule_gives_access_and_keeps_the_modem_manager_away() -> None:
    devices = [line for line in rule_lines() if line.startswith("ATTRS")]
    assert len(devices) == 2
    for line in devices:
        assert 'TAG+="uaccess"' in line
        assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in line
        assert not line.endswith("\\"), "udev joins lines only where nothing follows the backslash"


def test_the_rules_are_printed_or_written(tmp_path: Path) -> None:
    assert hil("udev").stdout == rules_text()
    assert hil("udev", "--install", "--folder", str(tmp_path)).returncode == 0
    assert (tmp_path / RULES).read_text("utf-8") == rules_text()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    run = hil("udev", "--install", "--folder", str(tmp_path / "nowhere"))
    assert run.returncode == 1
    assert "sudo tee" in run.stderr
    assert run.stderr.count("\n") == 1
