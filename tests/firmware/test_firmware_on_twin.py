# SPDX-License-Identifier: Apache-2.0
"""The image on the emulated part: what no rig can provoke, such as faults, a dead crystal, damaged data."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hil.firmware.build import build
from hil.firmware.image import Image
from tests.firmware.emulated_part import LSE_START_S, Part

BKP1R = 0x4000_2854
COPY_WORDS = 15
DHCSR, DCRSR, DCRDR = 0xE000_EDF0, 0xE000_EDF4, 0xE000_EDF8


@pytest.fixture
def part() -> Part:
    return Part(Image.load(build()))


def without_crc(console: str) -> list[str]:
    return [line.split("*")[0] for line in console.splitlines()]


def test_waits_for_the_crystal_asleep_then_cycles(part: Part) -> None:
    part.advance(LSE_START_S / 2)
    assert part.mcu.mode == "sleep"
    part.advance(5.0 - LSE_START_S / 2)
    assert part.mcu.mode == "stop2"
    assert [(name, level) for _, name, level in part.edges[-4:]] == [
        ("PB10", True),
        ("PA8", True),
        ("PA8", False),
        ("PB10", False),
    ]
    before = len(part.edges)
    part.advance(9.0)
    first_active_s = part.edges[before - 4][0]
    assert part.edges[before][0] - first_active_s == pytest.approx(10.0, abs=1e-3)


def test_warm_start_does_not_wait_for_the_crystal(part: Part) -> None:
    part.advance(3.0)
    part.console = ""
    part.reset()
    part.advance(0.1)
    assert "BOOT" in part.console


def test_fault_is_reported_after_the_reset_it_causes(part: Part) -> None:
    part.advance(LSE_START_S + 0.2)  # it samples, asleep: not in Stop 2, where no debugger reaches it
    part.console = ""
    execute_never = 0xE000_0000
    part.write_word(DHCSR, 0xA05F_0003)  # C_HALT, C_DEBUGEN
    part.advance(1e-3)
    part.write_word(DCRDR, execute_never)
    part.write_word(DCRSR, 0x0001_000F)  # PC
    part.write_word(DHCSR, 0xA05F_0001)
    part.advance(0.1)
    assert [line.split()[1:] for line in without_crc(part.console)][1] == ["ERR", "code=35"]  # 32 + HardFault
    part.console = ""
    part.reset()
    part.advance(0.1)
    assert "ERR" not in part.console


def anomalies_at_boot(part: Part) -> int:
    """Reset the part; the count in its BOOT record."""
    part.console = ""
    part.reset()
    part.advance(0.1)
    match = re.search(r"BOOT .* anomalies=(\d+)", part.console)
    assert match is not None, part.console
    return int(match[1])


def test_counters_survive_a_reset_and_not_a_wrong_crc(part: Part) -> None:
    part.advance(3.0)
    assert "anomalies=1 wake=1" in part.console  # the sensor's wire is open
    assert anomalies_at_boot(part) == 1
    for copy in range(2):
        part.write_word(BKP1R + 4 * COPY_WORDS * copy, 77)
    assert anomalies_at_boot(part) == 0


def with_half_a_model(image: Image) -> Image:
    """The image as flash holds it whose programming stopped within the model: the rest is erased."""
    first, end = image.symbol("hil_model") + 400, image.symbol("hil_model_end")
    segments = []
    for segment in image.segments:
        data = bytearray(segment.data)
        for address in range(max(first, segment.address), min(end, segment.address + len(data))):
            data[address - segment.address] = 0xFF
        segments.append(replace(segment, data=bytes(data)))
    return replace(image, segments=tuple(segments))


def test_damaged_model_is_an_error_and_never_a_hang() -> None:
    part = Part(with_half_a_model(Image.load(build())))
    part.advance(3.0)
    assert without_crc(part.console)[1:] == ["@1 READY proto=1", "@2 ERR code=1"]
    assert part.mcu.mode == "stop2"
    mailbox = part.serve()
    assert part.command(mailbox, command=1, request=7) == 1


def test_unknown_mailbox_command_is_refused(part: Part) -> None:
    mailbox = part.serve()
    assert part.command(mailbox, command=99, request=1) == 18
    assert part.command(mailbox, command=1, request=2) == 0
