# SPDX-License-Identifier: Apache-2.0
"""A small kernel of our own, made as real ones are, on the virtual part.

It switches tasks in PendSV with the lazily stacked floating-point context, starts the first one from SVC,
serves unprivileged tasks through SVC, guards stacks with the MPU, and sleeps without ticks: SysTick off,
Stop 2, LPTIM1 on the crystal.  What its tasks compute is known; what the part draws meanwhile follows from
the datasheet.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hil.firmware.image import FLASH_START, Image
from tests.twin.bare_part import BarePart

SOURCES = Path(__file__).with_name("firmware")
SUPPLY_V = 3.0
ROUNDS, FAST_ROUNDS = 12, 400
BUSY_S = 0.8
STOP2_A, STOP2_RTC_LSE_A = 1.18e-6, 1.59e-6
"""Stop 2 without RTC, and with the RTC on an LSE quartz, at 25 °C and 3.0 V: DS10198 Rev 8, table 45."""
RUN_80_MHZ_A = 10.2e-3
"""Run from flash at 80 MHz, cache on, peripherals off, at 25 °C and 3.0 V: DS10198 Rev 8, table 27."""


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Image:
    folder = tmp_path_factory.mktemp("kernel")
    elf = folder / "kernel.elf"
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "thumb-freestanding-eabihf"]
    command += ["-mcpu=cortex_m4+vfp4d16sp", "-O2", "-ffreestanding", "-nostdlib", "-ffp-contract=off"]
    command += ["-fno-sanitize=undefined", "-Wall", "-Wextra", "-Werror", f"-Wl,-T,{SOURCES / 'link.ld'}"]
    command += ["-Wl,--entry=Reset_Handler", "-Wl,-z,max-page-size=4096"]
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    subprocess.run([*command, *sources, "-o", str(elf)], check=True, env=environment)
    return Image.load(elf)


class KernelPart(BarePart):
    """A supplied part that runs the kernel."""

    def __init__(self, image: Image, overflow: bool = False) -> None:
        self._image = image
        super().__init__(image)
        self.mcu.core.memory["flash"][image.symbol("overflow_wanted") - FLASH_START] = overflow
        self.mcu.set_supply_voltage(SUPPLY_V)

    def word(self, name: str) -> int:
        return self.mcu.core.memory.read(self._image.symbol(name), 4)

    def number(self, name: str) -> np.float32:
        return np.array([self.word(name)], dtype=np.uint32).view(np.float32)[0]

    def run_to_the_end_of_start_up(self) -> None:
        """Let the crystal start: until the kernel's first tick."""
        for _ in range(100):
            self.advance(0.05)
            if self.word("kernel_ticks"):
                return
        raise AssertionError("the kernel's tick never starts")


def slow_sum() -> np.float32:
    total, factor = np.float32(0), np.float32(0.999)
    for round_number in range(1, ROUNDS + 1):
        step = np.float32(round_number)
        for _ in range(80_000):
            total = total * factor + step
    return total


def fast_sum() -> np.float32:
    total = np.float32(0)
    for round_number in range(1, FAST_ROUNDS + 1):
        total = total * np.float32(0.5) + np.float32(round_number)
    return total


def consumed_mean() -> np.float32:
    mean = np.float32(0)
    for round_number in range(1, ROUNDS + 1):
        for i in range(6):
            mean += (np.float32(round_number * 10 + i) - mean) * np.float32(0.125)
    return mean


def hash_result() -> int:
    value = 2166136261
    for _ in range(ROUNDS):
        for i in range(1000):
            value = (value ^ (i & 0xFF)) * 16777619 & 0xFFFF_FFFF
    return value


@dataclass(frozen=True)
class Observed:
    """What was seen of one run, from the kernel's first tick on."""

    part: KernelPart
    mean_a: float
    """Over the first `BUSY_S`."""
    active: float
    """The share of that in which the core executed at 80 MHz."""
    stops: int
    ticks: int
    """In the first `BUSY_S`."""


@pytest.fixture(scope="module")
def observed(image) -> Observed:
    part = KernelPart(image)
    part.run_to_the_end_of_start_up()
    cycles, stops, ticks = part.mcu.core.cycle_count, part.word("board_stops"), part.word("kernel_ticks")
    mean_a = part.mean_current_a(BUSY_S)
    active = (part.mcu.core.cycle_count - cycles) / 80e6 / BUSY_S
    stops, ticks = part.word("board_stops") - stops, part.word("kernel_ticks") - ticks
    part.advance(1.5 - BUSY_S)  # all tasks have ended by tick 1200
    return Observed(part, mean_a, active, stops, ticks)


def test_tasks_compute_what_they_should_while_they_preempt_each_other(observed):
    part = observed.part
    assert part.word("fault_flags") == 0
    assert part.word("finished") == 6
    assert part.word("consumed") == 6 * ROUNDS
    assert part.word("shared_updates") == ROUNDS + FAST_ROUNDS // 20
    assert part.word("preemptions") >= ROUNDS  # or the floating-point contexts were never at stake
    assert part.number("slow_sum") == slow_sum()
    assert part.number("fast_sum") == fast_sum()
    assert part.number("consumed_mean") == consumed_mean()
    assert part.word("hash_result") == hash_result()
    assert part.word("kernel_switches") > 40 * ROUNDS
    assert part.mcu.peripherals.unmodelled.accesses == []


def test_it_draws_what_it_executes(observed):
    assert 0.05 < observed.active < 0.3
    assert observed.stops > 100
    assert observed.mean_a == pytest.approx(
        observed.active * RUN_80_MHZ_A, rel=0.15
    )  # Stop 2 is lost in that


def test_the_tick_keeps_time_across_stops(observed):
    """Every stop loses less than a tick."""
    assert BUSY_S * 1024 - observed.stops - 2 <= observed.ticks <= BUSY_S * 1024 + 2


def test_it_stays_in_stop_2_when_all_tasks_wait(observed):
    part = observed.part
    ticks = part.word("kernel_ticks")
    assert part.mcu.mode == "stop2"
    assert STOP2_A < part.mean_current_a(10.0) < STOP2_RTC_LSE_A
    assert part.mcu.mode == "stop2"
    assert part.word("kernel_ticks") == ticks


def test_a_stack_overflow_ends_in_the_guard(image):
    part = KernelPart(image, overflow=True)
    part.run_to_the_end_of_start_up()
    part.advance(0.6)
    assert part.word("fault_flags") & 0x82 == 0x82  # DACCVIOL, MMARVALID
    assert part.word("fault_address") < 32  # in the guard, the lowest bytes of that stack
    assert part.word("finished") < 6
