# SPDX-License-Identifier: Apache-2.0
"""Every way in which pyOCD resets a part, and what each leaves alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pyocd.core import exceptions

from tests.twin.probe.stock_client.conftest import COUNTING, SLEEPING, LiveBench, Program

RCC_AHB3ENR, RCC_CSR, AHB3ENR_QSPIEN = 0x4002_1050, 0x4002_1094, 1 << 8
PINRSTF, SFTRSTF, RMVF = 1 << 26, 1 << 28, 1 << 23
Make = Callable[[int], LiveBench]

WHOLE_PART = {
    "default": SFTRSTF | PINRSTF,
    "system": SFTRSTF | PINRSTF,
    "sysresetreq": SFTRSTF | PINRSTF,
    "hardware": PINRSTF,
    "n_srst": PINRSTF,
}
"""The flags that say why: SYSRESETREQ pulls NRST as well (RM0351, system reset)."""
CORE_ALONE = ("core", "vectreset", "emulated")


@pytest.mark.parametrize("halt", [False, True])
@pytest.mark.parametrize("kind", [*WHOLE_PART, *CORE_ALONE])
def test_reset(live: Make, program: Program, kind: str, halt: bool) -> None:
    bench = live(COUNTING)
    do = bench.commander()
    do(f"write32 {RCC_CSR:#x} {RMVF:#x}")
    do(f"write32 {RCC_CSR:#x} 0")
    do(f"write32 {RCC_AHB3ENR:#x} {AHB3ENR_QSPIEN:#x}")
    do("wreg r7 0x7777")
    counter = program.symbols["counter"]
    do(f"write32 {counter:#x} 0x10000000")
    do(f"reset {'halt ' if halt else ''}{kind}")

    assert ("Halted" if halt else "Running") in do("status")
    if halt:
        pc = int(re.search(r"0x[0-9a-f]{8}", do("reg pc"))[0], 16)  # type: ignore[index]
        assert pc == program.symbols["Reset_Handler"]
        assert bench.word(counter) == 0x1000_0000
    else:
        assert bench.word(counter) < 0x1000_0000
    flags = do(f"read32 {RCC_CSR:#x}")
    seen = int(flags.split()[1], 16) & (PINRSTF | SFTRSTF)
    kept = f"{AHB3ENR_QSPIEN:08x}" in do(f"read32 {RCC_AHB3ENR:#x}")
    assert (seen, kept) == ((WHOLE_PART[kind], False) if kind in WHOLE_PART else (0, True))


def test_nreset_is_held_and_let_go(live: Make) -> None:
    bench = live(COUNTING)
    do = bench.commander()
    do("set nreset 0")
    assert bench.core.state == "reset"
    do("set nreset 1")
    assert bench.core.state != "reset"


def test_a_part_in_stop_2_is_reached_under_reset_only(live: Make, program: Program) -> None:
    bench = live(SLEEPING)
    bench.advance(0.01)
    assert bench.bench.mcu.mode == "stop2"
    with pytest.raises(exceptions.DebugError, match="No cores were discovered"):
        bench.connect(connect_mode="attach")
    session = bench.connect(connect_mode="under-reset")
    assert session.target.is_halted()
    assert session.target.read_core_register("pc") == program.symbols["Reset_Handler"]


def test_once_a_debugger_was_there_the_sleeping_part_answers(live: Make) -> None:
    bench = live(SLEEPING)
    bench.connect(connect_mode="under-reset").close()
    bench.advance(0.01)
    assert bench.bench.mcu.mode == "stop2"
    session = bench.connect(connect_mode="attach")  # DBGMCU_CR outlives resets and debuggers
    session.target.halt()
    assert session.target.is_halted()
