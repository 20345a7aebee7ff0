# SPDX-License-Identifier: Apache-2.0
"""Power that fails at any instant: the part comes back, and what it counted is whole.

A cell at VBAT keeps the backup domain, as in a product: on the board as delivered, which ties VBAT to VDD,
every loss of power begins anew from zero. Half of the kills come at any time while the part is awake, half
between two stores to backup registers. HIL_POWER_KILLS sets their number.
"""

from __future__ import annotations

import os
import random
import zlib
from dataclasses import dataclass

import pytest

from hil.firmware.build import build
from hil.firmware.image import Image
from tests.firmware.emulated_part import LSE_START_S, Part

SEED = 4
KILLS = int(os.environ.get("HIL_POWER_KILLS", "150"))
AWAKE_S = 0.83
"""From power-on: 0.25 s for the console, 0.51 s of sampling, the rest. Beyond it the part is in Stop 2."""
BKP0R, BKP_COUNT = 0x50, 32
COPY_WORDS = 15
BOOT_TIMEOUT_S = 0.1


@dataclass(frozen=True)
class Counters:
    """What a copy holds, by the layout that firmware/src/state.h describes."""

    sequence: int
    wakes: int
    anomalies: int
    resets: int


def copies(part: Part) -> list[Counters]:
    """The copies whose CRC is right."""
    words = [part.mcu.peripherals.rtc.words[BKP0R + 4 * index] for index in range(BKP_COUNT)]
    whole = []
    for start in (0, COPY_WORDS):
        *content, crc = words[start : start + COPY_WORDS]
        if zlib.crc32(b"".join(word.to_bytes(4, "little") for word in content)) == crc:
            whole.append(Counters(content[0], content[1], content[2], content[5] & 0xFFFF))
    return whole


def newest(part: Part) -> Counters | None:
    return max(copies(part), key=lambda counters: counters.sequence, default=None)


class Killer:
    """Runs a part and kills its power."""

    def __init__(self, part: Part, draw: random.Random) -> None:
        self._part = part
        self._draw = draw
        self._rtc = part.mcu.peripherals.rtc
        self._write = self._rtc.write_word
        self._stores_left: int | None = None
        self._dying = False
        self._rtc.write_word = self._watched  # type: ignore[method-assign]

    def _watched(self, offset: int, value: int) -> None:
        if self._dying:
            return  # the emulated core stops at the end of a block of instructions; its power is gone already
        self._write(offset, value)
        if offset >= BKP0R and self._stores_left is not None:
            self._stores_left -= 1
            if self._stores_left == 0:
                self._dying = True
                self._part.mcu.scheduler.after(0, self.off)

    def off(self) -> None:
        self._stores_left = None
        self._dying = False
        self._part.mcu.set_supply_voltage(0.0)

    def kill(self) -> None:
        """Lose power at any instant of the time awake."""
        self._part.advance(self._draw.uniform(0.0, AWAKE_S))
        self.off()

    def kill_in_a_store(self) -> None:
        """Lose power between two of the stores to backup registers of a start or a wake."""
        self._stores_left = self._draw.randint(1, 2 * COPY_WORDS)
        self._part.advance(AWAKE_S)
        self.off()

    def start(self) -> None:
        """Give the power back."""
        self._part.console = ""
        self._part.mcu.set_supply_voltage(3.0)


def killed_part(mutant: str | None = None) -> Part:
    part = Part(Image.load(build(mutant=mutant)))
    part.mcu.set_backup_supply(3.0)
    part.advance(LSE_START_S + 2.0)
    assert newest(part) is not None
    return part


def whole_after_kills(part: Part, count: int) -> None:
    """Kill the power that often; fails where a counter is lost or torn, or the part does not come back."""
    draw = random.Random(SEED)
    killer = Killer(part, draw)
    for number in range(count):
        where = f"kill {number} of seed {SEED}"
        before = newest(part)
        assert before is not None
        killer.start()
        if number % 2:
            killer.kill()
        else:
            killer.kill_in_a_store()
        kept = newest(part)
        assert kept is not None, f"{where}: no whole copy after {before}"
        # A start is counted in a store, a wake in the next one.
        assert kept.sequence - before.sequence == kept.resets + kept.wakes - before.resets - before.wakes, (
            where
        )
        assert 0 <= kept.wakes - before.wakes <= 1, where
        assert 0 <= kept.resets - before.resets <= 1, where
        assert kept.anomalies - before.anomalies == kept.wakes - before.wakes, (
            where
        )  # the sensor's wire is open
        part.advance(draw.choice((1e-6, 1e-4, 1e-2)))
    before = newest(part)
    killer.start()
    part.run_until(lambda: "log=1" in part.console, BOOT_TIMEOUT_S)
    part.advance(1.0)
    after = newest(part)
    assert before is not None
    assert after is not None
    assert (after.wakes, after.resets) == (before.wakes + 1, before.resets + 1)


def test_power_kills_leave_the_old_counters_or_the_new(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{KILLS} power kills, seed {SEED}")
    whole_after_kills(killed_part(), KILLS)


def test_part_comes_back_from_every_kill() -> None:
    part = killed_part()
    draw = random.Random(SEED)
    killer = Killer(part, draw)
    for _ in range(KILLS):
        killer.kill()
        part.advance(1e-3)
        killer.start()
        part.run_until(lambda: "log=1" in part.console, BOOT_TIMEOUT_S)
        part.run_until(lambda: " READY " in part.console, BOOT_TIMEOUT_S)


def test_one_copy_overwritten_in_place_would_be_torn() -> None:
    """The fault that the test above is for, planted."""
    with pytest.raises(AssertionError, match="no whole copy"):
        whole_after_kills(killed_part("one_copy"), KILLS)


def test_without_a_cell_a_loss_of_power_begins_anew() -> None:
    part = Part(Image.load(build()))
    part.advance(LSE_START_S + 2.0)
    part.mcu.set_supply_voltage(0.0)
    part.advance(1e-3)
    part.console = ""
    part.mcu.set_supply_voltage(3.0)
    part.advance(LSE_START_S + 0.1)
    assert " anomalies=0 " in part.console
    assert " log=0" in part.console
