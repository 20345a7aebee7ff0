# SPDX-License-Identifier: Apache-2.0
"""SEGGER RTT: pyOCD finds the firmware's control block in RAM, reads its channel and writes the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from pyocd.debug.rtt import RTTControlBlock
from pyocd.probe.tcp_client_probe import RemoteMemoryInterface

from tests.twin.probe.stock_client.conftest import COUNTING, LiveBench

SRAM1, SEARCHED = 0x2000_0000, 0x1000
"""Where the control block is looked for: the first RAM in pyOCD's memory map is SRAM2."""
Make = Callable[[int], LiveBench]


def read_until(channel: object, wanted: bytes) -> bytes:
    """Read a channel until it has given as much as is wanted; every read lets some bench time pass."""
    text = b""
    for _ in range(100):
        text += channel.read()  # type: ignore[attr-defined]
        if len(text) >= len(wanted):
            break
    return text


def test_both_channels_of_a_running_program(live: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # pyOCD 0.46 hands the bytes to its remote probe, whose JSON has no bytes.
    write = RemoteMemoryInterface.write_memory_block8
    monkeypatch.setattr(
        RemoteMemoryInterface,
        "write_memory_block8",
        lambda self, at, data, **attributes: write(self, at, list(data), **attributes),
    )
    session = live(COUNTING).connect()
    block = RTTControlBlock.from_target(session.target, address=SRAM1, size=SEARCHED)
    block.start()
    session.target.resume()
    up, down = block.up_channels[0], block.down_channels[0]
    assert (up.name, down.name) == ("Terminal", "Terminal")
    assert read_until(up, b"hello from the part\n") == b"hello from the part\n"
    for round_the_rings in range(10):  # 64 bytes up and 16 down
        text = f"twelve {round_the_rings:05}".encode()
        assert down.write(text) == len(text)
        assert read_until(up, text) == text.upper()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_rtt_command_shows_what_the_part_says(live: Make) -> None:
    command = live(COUNTING).pyocd("rtt", "-a", hex(SRAM1), "-s", hex(SEARCHED))
    keyboard, terminal = os.openpty()
    with (
        os.fdopen(keyboard, "wb"),
        os.fdopen(terminal, "rb") as stdin,
        subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"hello from the part\n"
        finally:
            process.kill()
