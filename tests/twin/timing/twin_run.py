# SPDX-License-Identifier: Apache-2.0
"""Runs an image on the virtual bench, from power-on, and reads what it measured with its own cycle
counter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil.twin.bench import Bench
from hil.twin.bench_config import load
from hil.twin.serve import POWER_ON
from tests.twin.timing.image_build import Image

_RIG = Path(__file__).parents[3] / "rig_configs" / "sim.toml"
_LIMIT_S = 2.0


@dataclass(frozen=True)
class Setting:
    """Clock and flash access control (RM0351 3.7.1): LATENCY, PRFTEN, ICEN with DCEN."""

    name: str
    fast: bool
    wait_states: int
    prefetch: bool
    caches: bool

    @property
    def acr(self) -> int:
        return self.wait_states | self.prefetch << 8 | (0x600 if self.caches else 0)


SETTINGS = (
    Setting("16 MHz, 0 WS", False, 0, False, False),
    Setting("80 MHz, 4 WS, caches", True, 4, False, True),
    Setting("80 MHz, 4 WS, caches, prefetch", True, 4, True, True),
    Setting("80 MHz, 4 WS, prefetch", True, 4, True, False),
    Setting("80 MHz, 4 WS, nothing", True, 4, False, False),
)


def run(image: Image, setting: Setting) -> tuple[int, int]:
    """Return the cycles that the program measured for itself, and its result."""
    bench = Bench(load(_RIG))
    content = image.with_setting(setting.acr, setting.fast)
    bench.mcu.core.memory["flash"][: len(content)] = np.frombuffer(content, dtype=np.uint8)
    bench.analyzer.execute(POWER_ON)
    if not bench.advance_until(lambda: bench.mcu.core.state == "sleeping", _LIMIT_S):
        raise RuntimeError(f"the program did not end within {_LIMIT_S:g} s of bench time")
    read = bench.mcu.core.debug_read
    return read(image.symbols["program_cycles"], 4), read(image.symbols["program_result"], 4)
