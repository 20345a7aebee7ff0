# SPDX-License-Identifier: Apache-2.0
"""What a build of the firmware generates before it compiles: for programs that take some of its sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hil.boards import REFERENCE, Board
from hil.firmware.build import FIRMWARE_DIR

GENERATED = ("protocol.h", "registers.h", "tables.c")
"""Each made by the tool of its name in firmware/tools. CMake calls the same tools."""


def generate(folder: Path, firmware_dir: Path = FIRMWARE_DIR) -> None:
    """Write the generated sources into ``folder``. Raises CalledProcessError."""
    arguments = {"registers.h": [Board.load(REFERENCE).part.svd]}
    for name in GENERATED:
        tool = firmware_dir / "tools" / f"{Path(name).stem}.py"
        subprocess.run([sys.executable, str(tool), str(folder / name), *arguments.get(name, [])], check=True)
