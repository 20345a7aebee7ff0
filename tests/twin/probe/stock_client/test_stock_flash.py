# SPDX-License-Identifier: Apache-2.0
"""pyOCD programs and erases the virtual flash with its own algorithm for the part."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.twin.probe.stock_client.conftest import COUNTING, FLASH, LiveBench, Program

Make = Callable[[int], LiveBench]
PAGE = 2048
PAGES = 512


def test_load_programs_an_elf_file_that_then_runs(live: Make, program: Program) -> None:
    bench = live(COUNTING)
    bench.core.memory["flash"][:] = 0xFF
    do = bench.commander()
    do(f"load {program.elf}")
    assert bench.flash[: len(program.image)] == program.image
    do("reset")
    bench.advance(0.001)
    assert bench.word(program.symbols["counter"]) > 10


def test_load_at_an_address_keeps_what_is_beside(live: Make, program: Program, tmp_path: Path) -> None:
    bench = live(COUNTING)
    data = random.Random(5).randbytes(5000)
    (tmp_path / "data.bin").write_bytes(data)
    do = bench.commander(keep_unwritten=True)
    do(f"load {tmp_path / 'data.bin'} {FLASH + 0x8_0000 - 1000:#x}")  # across the border of the banks
    flash = bench.flash
    start = 0x8_0000 - 1000
    assert flash[start : start + len(data)] == data
    assert flash[: len(program.image)] == program.image


def test_programming_takes_the_time_of_its_double_words(live: Make, tmp_path: Path) -> None:
    bench = live(COUNTING)
    (tmp_path / "data.bin").write_bytes(random.Random(6).randbytes(2 * PAGE))
    do = bench.commander(smart_flash=False)
    before_s = bench.bench.now_s
    do(f"load {tmp_path / 'data.bin'} {FLASH + 0x4_0000:#x}")
    taken_s = bench.bench.now_s - before_s
    # DS10198 Rev 8, T63: 81.69 us a double word, 22.02 ms a page
    pure_s = 2 * (PAGE / 8 * 81.69e-6 + 22.02e-3)
    assert pure_s < taken_s < 2 * pure_s


def test_sectors_and_the_whole_flash_are_erased(live: Make) -> None:
    bench = live(COUNTING)
    cells = bench.core.memory["flash"]
    cells[:] = 0
    do = bench.commander()
    do(f"erase {FLASH + 5 * PAGE:#x} 2")
    do(f"erase {FLASH + 300 * PAGE:#x}")
    blank = {int(page) for page in np.flatnonzero((cells.reshape(PAGES, PAGE) == 0xFF).all(axis=1))}
    assert blank == {5, 6, 300}
    assert np.count_nonzero(cells == 0xFF) == 3 * PAGE
    do("erase")
    assert (cells == 0xFF).all()
