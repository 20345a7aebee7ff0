# SPDX-License-Identifier: Apache-2.0
"""The firmware with all traps, compiled once, and parts that run one of its entries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hil.firmware.image import FLASH_START, Image
from tests.twin.bare_part import PS_PER_S, BarePart
from tests.twin.traps.compiled import compile_traps

SUPPLY_V = 3.0


class TrapPart(BarePart):
    """A part whose flash holds the trap firmware; `start` powers it."""

    def __init__(self, image: Image, entry: str, seed: int = 1) -> None:
        super().__init__(image, seed=seed)
        flash = self.mcu.core.memory["flash"]
        word = image.symbol("entry") - FLASH_START
        flash[word : word + 4] = np.array([image.symbol(entry) | 1], dtype="<u4").view(np.uint8)

    def start(self, duration_s: float = 0.01) -> TrapPart:
        """Switch the supply on and let the firmware get where it goes."""
        self.mcu.set_supply_voltage(SUPPLY_V)
        self.advance(duration_s)
        return self

    def time_of_mode(self, mode: str, limit_s: float) -> float:
        """Let time pass until the part is in a mode, and return when that was, in s."""
        scheduler = self.mcu.scheduler
        limit_ps = scheduler.now_ps + round(limit_s * PS_PER_S)
        assert scheduler.advance_until(lambda: self.mcu.mode == mode, limit_ps), f"never in {mode}"
        return scheduler.now_ps / PS_PER_S

    def drive(self, pin: str, level: bool | None) -> None:
        """Drive a pin from outside, or let go of it."""
        self.pins[pin].set_external_level(level, self.mcu.scheduler.now_ps)


@pytest.fixture(scope="session")
def trap_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The traps' firmware, compiled by the pinned compiler."""
    return compile_traps(tmp_path_factory.mktemp("traps"))


@pytest.fixture
def trap_part(trap_image: Image) -> Callable[..., TrapPart]:
    """Makes the part for an entry, `x_trap` or `x_avoided`, without supply yet."""

    def make(entry: str, seed: int = 1) -> TrapPart:
        return TrapPart(trap_image, entry, seed)

    return make
