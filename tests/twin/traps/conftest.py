# SPDX-License-Identifier: Apache-2.0
"""The firmware with all traps, compiled once, and parts that run one of its entries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.image import FLASH_START, Image
from hil.twin.mcu import Stm32l476
from hil.twin.pins import make_pins

PS_PER_S = 10**12
SUPPLY_V = 3.0
SOURCES = Path(__file__).with_name("firmware")


class TrapPart:
    """A part whose flash holds the trap firmware; `start` powers it."""

    def __init__(self, image: Image, entry: str, seed: int = 1) -> None:
        self.pins = make_pins()
        self.mcu = Stm32l476(self.pins, seed=seed)
        flash = self.mcu.core.memory.flash
        for segment in image.segments:
            start = segment.address - FLASH_START
            flash[start : start + len(segment.data)] = np.frombuffer(segment.data, np.uint8)
        word = image.symbol("entry") - FLASH_START
        flash[word : word + 4] = np.array([image.symbol(entry) | 1], dtype="<u4").view(np.uint8)

    def start(self, duration_s: float = 0.01) -> TrapPart:
        """Switch the supply on and let the firmware get where it goes."""
        self.mcu.set_supply_voltage(SUPPLY_V)
        self.run(duration_s)
        return self

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        end_ps = self.mcu.scheduler.now_ps + round(duration_s * PS_PER_S)
        while self.mcu.scheduler.now_ps < end_ps:
            self.mcu.scheduler.advance_to(end_ps)

    def time_of_mode(self, mode: str, limit_s: float) -> float:
        """Let time pass until the part is in a mode, and return when that was, in s."""
        scheduler = self.mcu.scheduler
        limit_ps = scheduler.now_ps + round(limit_s * PS_PER_S)
        assert scheduler.advance_until(lambda: self.mcu.mode == mode, limit_ps), f"never in {mode}"
        return scheduler.now_ps / PS_PER_S

    def drive(self, pin: str, level: bool | None) -> None:
        """Drive a pin from outside, or let go of it."""
        self.pins[pin].set_external_level(level, self.mcu.scheduler.now_ps)

    @property
    def current_a(self) -> float:
        """The supply current now."""
        return self.mcu.supply.current_a

    def mean_current_a(self, duration_s: float) -> float:
        """The mean supply current over the time to come."""
        start_ps = self.mcu.scheduler.now_ps
        self.run(duration_s)
        edges_ps = np.array([start_ps, self.mcu.scheduler.now_ps], dtype=np.int64)
        return float(self.mcu.supply.mean_current_a(edges_ps)[0])


@pytest.fixture(scope="session")
def trap_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The traps' firmware, compiled by the pinned compiler."""
    folder = tmp_path_factory.mktemp("traps")
    elf = folder / "traps.elf"
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    target = ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp")
    flags = ("-O2", "-ffreestanding", "-nostdlib", "-fno-sanitize=undefined", "-Wall", "-Wextra", "-Werror")
    link = (f"-Wl,-T,{SOURCES / 'traps.ld'}", "-Wl,--entry=Reset_Handler", "-Wl,-z,max-page-size=4096")
    command = [sys.executable, "-m", "ziglang", "cc", *target, *flags, f"-I{FIRMWARE_DIR / 'src'}"]
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    subprocess.run([*command, *sources, *link, "-o", str(elf)], check=True, env=environment)
    return Image.load(elf)


@pytest.fixture
def trap_part(trap_image: Image) -> Callable[..., TrapPart]:
    """Makes the part for an entry, `x_trap` or `x_avoided`, without supply yet."""

    def make(entry: str, seed: int = 1) -> TrapPart:
        return TrapPart(trap_image, entry, seed)

    return make
