# SPDX-License-Identifier: Apache-2.0
"""The image on the emulated part: what no rig can provoke, such as faults, a dead crystal, damaged data."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hil.firmware.build import MODEL_FILE, build
from hil.firmware.image import FLASH_START, Image
from hil.twin.mcu import Stm32l476
from hil.twin.pins import make_pins

PS_PER_S = 10**12
LSE_START_S = 2.0  # DS10198 Rev 8, table 58: typical
BKP1R = 0x4000_2854
DHCSR, DCRSR, DCRDR = 0xE000_EDF0, 0xE000_EDF4, 0xE000_EDF8
SERVE = 0x5345_5256
CONTROL, REQUEST, RESPONSE, COMMAND, STATUS = 8, 12, 16, 20, 24


class Part:
    """A powered part that runs an image, with its console and markers recorded."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.console = ""
        self.edges: list[tuple[float, str, bool | None]] = []
        pins = make_pins()
        self.mcu = Stm32l476(pins, seed=1)
        for segment in image.segments:
            start = segment.address - FLASH_START
            self.mcu.core.memory.flash[start : start + len(segment.data)] = np.frombuffer(
                segment.data, np.uint8
            )
            self.mcu.core.memory.invalidate(segment.address, len(segment.data))
        self.mcu.usart2.on_transmit = self._byte_sent
        for name in ("PA8", "PB10"):
            pins[name].listeners.append(self._listener(name))
        self.mcu.set_supply_voltage(3.0)
        self.run(1e-3)

    def _byte_sent(self, time_ps: int, byte: int, baud: float) -> None:
        self.console += chr(byte)

    def _listener(self, name: str) -> Callable[[int, bool | None], None]:
        return lambda time_ps, level: self.edges.append((time_ps / PS_PER_S, name, level))

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        end_ps = self.mcu.scheduler.now_ps + round(duration_s * PS_PER_S)
        while self.mcu.scheduler.now_ps < end_ps:
            self.mcu.scheduler.advance_to(end_ps)

    def reset(self) -> None:
        """A pulse on NRST."""
        self.mcu.set_nrst(True)
        self.run(1e-4)
        self.mcu.set_nrst(False)

    def read(self, address: int) -> int:
        """A word, as the debugger sees it."""
        return self.mcu.core.debug_read(address, 4)

    def write(self, address: int, value: int) -> None:
        """Write a word, as the debugger does."""
        self.mcu.core.debug_write(address, 4, value)

    def serve(self) -> int:
        """Start the mailbox service; its address."""
        mailbox = self.image.symbol("hil_mailbox")
        self.mcu.set_nrst(True)
        self.run(1e-4)
        self.write(mailbox + CONTROL, SERVE)
        self.write(mailbox + REQUEST, ~SERVE & 0xFFFF_FFFF)
        self.mcu.set_nrst(False)
        self.run(0.02)
        return mailbox

    def command(self, mailbox: int, command: int, request: int) -> int:
        """Run a mailbox command; its status."""
        self.write(mailbox + COMMAND, command)
        self.write(mailbox + REQUEST, request)
        self.run(0.01)
        assert self.read(mailbox + RESPONSE) == request
        return self.read(mailbox + STATUS)


@pytest.fixture
def part() -> Part:
    return Part(Image.load(build()))


def without_crc(console: str) -> list[str]:
    return [line.split("*")[0] for line in console.splitlines()]


def test_waits_for_the_crystal_asleep_then_cycles(part: Part) -> None:
    part.run(LSE_START_S / 2)
    assert part.mcu.mode == "sleep"
    part.run(5.0 - LSE_START_S / 2)
    assert part.mcu.mode == "stop2"
    assert [(name, level) for _, name, level in part.edges[-4:]] == [
        ("PB10", True),
        ("PA8", True),
        ("PA8", False),
        ("PB10", False),
    ]
    before = len(part.edges)
    part.run(9.0)
    first_active_s = part.edges[before - 4][0]
    assert part.edges[before][0] - first_active_s == pytest.approx(10.0, abs=1e-3)


def test_warm_start_does_not_wait_for_the_crystal(part: Part) -> None:
    part.run(3.0)
    part.console = ""
    part.reset()
    part.run(0.1)
    assert "BOOT" in part.console


def test_dead_crystal_is_reported_every_5_s(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part.mcu.peripherals.rcc.oscillators["lse"], "_start_ps", lambda: None)
    part.run(11.0)
    assert without_crc(part.console) == ["@0 ERR code=17", "@1 ERR code=17"]
    assert part.mcu.mode == "sleep"


def test_fault_is_reported_after_the_reset_it_causes(part: Part) -> None:
    part.run(LSE_START_S + 0.2)  # it samples, asleep: the debugger can reach it, as it could not in Stop 2
    part.console = ""
    execute_never = 0xE000_0000
    part.write(DHCSR, 0xA05F_0003)  # C_HALT, C_DEBUGEN
    part.run(1e-3)
    part.write(DCRDR, execute_never)
    part.write(DCRSR, 0x0001_000F)  # PC
    part.write(DHCSR, 0xA05F_0001)
    part.run(0.1)
    assert [line.split()[1:] for line in without_crc(part.console)][1] == ["ERR", "code=35"]  # 32 + HardFault
    part.console = ""
    part.reset()
    part.run(0.1)
    assert "ERR" not in part.console


def anomalies_at_boot(part: Part) -> int:
    """Reset the part; the count in its BOOT record."""
    part.console = ""
    part.reset()
    part.run(0.1)
    match = re.search(r"BOOT .* anomalies=(\d+)", part.console)
    assert match is not None, part.console
    return int(match[1])


def test_counters_survive_a_reset_and_not_a_wrong_crc(part: Part) -> None:
    part.run(3.0)
    assert "anomalies=1 wake=1" in part.console  # the sensor's wire is open
    assert anomalies_at_boot(part) == 1
    part.write(BKP1R, 77)
    assert anomalies_at_boot(part) == 0


def test_damaged_model_is_an_error_and_never_a_hang(tmp_path: Path) -> None:
    model = tmp_path / "damaged.tflite"
    model.write_bytes(MODEL_FILE.read_bytes()[:400])
    part = Part(Image.load(build(model=model, build_dir=tmp_path / "build")))
    part.run(3.0)
    assert without_crc(part.console)[1:] == ["@1 ERR code=1"]
    assert part.mcu.mode == "stop2"
    mailbox = part.serve()
    assert part.command(mailbox, command=1, request=7) == 1


def test_unknown_mailbox_command_is_refused(part: Part) -> None:
    mailbox = part.serve()
    assert part.command(mailbox, command=99, request=1) == 18
    assert part.command(mailbox, command=1, request=2) == 0
