# SPDX-License-Identifier: Apache-2.0
"""One file gives the firmware's C and the controller's Python their common numbers."""

import re
import subprocess
import sys
from pathlib import Path

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.protocol import clock_plans, errors, modes


def test_the_header_has_the_numbers_that_python_reads(tmp_path: Path) -> None:
    header = tmp_path / "protocol.h"
    subprocess.run([sys.executable, FIRMWARE_DIR / "tools" / "protocol.py", header], check=True)
    text = header.read_text(encoding="ascii")
    numbers = {name: int(number) for name, number in re.findall(r"ERROR_(\w+) = (\d+)", text)}
    assert numbers == {"NONE": 0} | {name: number for name, (number, _) in errors().items()}
    assert re.findall(r"MODE_(\w+),", text) == [name.upper() for name in modes()]
    assert f"CLOCK_PLAN_COUNT {len(clock_plans())}u" in text


def test_no_number_stands_twice() -> None:
    numbers = [number for number, _ in errors().values()]
    assert len(numbers) == len(set(numbers))
    assert max(numbers) == errors()["FAULT"][0], "from there on the exceptions' numbers are added"
