# SPDX-License-Identifier: Apache-2.0
"""Small images in the manner of vendors' examples, built by each compiler, and parts that run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.image import Image
from hil.twin.uart_line import Format
from tests.twin.bare_part import BarePart

SOURCES = Path(__file__).with_name("firmware")
TRAPS = SOURCES.parents[1] / "traps" / "firmware"
RESULTS = 0x1000_0000
STEP, COUNT, VALUE, OTHER = range(4)
_COMMON = (
    "-ffreestanding",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Werror",
    f"-I{FIRMWARE_DIR / 'src'}",
    f"-I{TRAPS}",
)
COMPILERS = {
    **{
        f"gcc -{level}": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", f"-{level}")
        for level in ("Os", "O2", "O0")
    },
    "clang": (
        *(sys.executable, "-m", "ziglang", "cc", "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4"),
        *("-O2", "-fno-sanitize=undefined", "-Wl,-z,max-page-size=4096", "-Wno-unknown-warning-option"),
    ),
}


class ExamplePart(BarePart):
    """A part with an example in its flash, on 3 V and at 25 °C."""

    def start(self) -> None:
        """Switch the supply on, with results of zero."""
        self.mcu.set_supply_voltage(3.0)
        self.advance(1e-6)
        self.advance(300e-6)
        for place in range(4):
            self.mcu.core.memory.write_ram(RESULTS + 4 * place, bytes(4))

    def result(self, place: int) -> int:
        """What the program reports there."""
        return self.mcu.core.memory.read(RESULTS + 4 * place, 4) or 0

    def backup(self, index: int) -> int:
        """A backup register of the RTC."""
        return self.mcu.peripherals.rtc.words[0x50 + 4 * index]

    def drive(self, pin: str, level: bool) -> None:
        """Drive a pin from outside."""
        self.pins[pin].set_external_level(level, self.now_ps)

    def frame(self, pin: str, data: int, baud: float) -> None:
        """A UART's frame on a pin that idles high."""
        for level in (*Format().levels(data), True):
            self.drive(pin, level)
            self.advance(1 / baud)

    def advance_until(self, condition: Callable[[], bool], limit_s: float) -> None:
        """Let time pass until a condition holds."""
        limit_ps = self.now_ps + round(limit_s * 1e12)
        while self.now_ps < limit_ps:
            if condition():
                return
            self.advance(100e-6)
        raise AssertionError(f"not within {limit_s:g} s: step {self.result(STEP):#x}, mode {self.mcu.mode}")


@pytest.fixture(scope="session", params=COMPILERS)
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    """Compiles an example, once, by one of the compilers."""
    compiler = COMPILERS[request.param]
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not installed")
    folder = tmp_path_factory.mktemp("examples")
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    built: dict[str, Image] = {}

    def compile_example(name: str) -> Image:
        if name not in built:
            elf = folder / f"{name}.elf"
            sources = [str(SOURCES / file) for file in ("startup.c", f"{name}.c")]
            link = (f"-Wl,-T,{SOURCES / 'example.ld'}", "-Wl,--entry=Reset_Handler")
            subprocess.run(
                [*compiler, *_COMMON, *sources, *link, "-o", str(elf)], check=True, env=environment
            )
            built[name] = Image.load(elf)
        return built[name]

    return compile_example


@pytest.fixture
def example(build: Callable[[str], Image]) -> Iterator[Callable[[str], ExamplePart]]:
    """Makes a part that runs an example, its supply just switched on.

    Nothing that the examples do is named as not modelled.
    """
    parts: list[ExamplePart] = []

    def make(name: str) -> ExamplePart:
        part = ExamplePart(build(name))
        parts.append(part)
        part.start()
        return part

    yield make
    assert [str(access) for part in parts for access in part.mcu.peripherals.unmodelled.accesses] == []
