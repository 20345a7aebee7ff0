# SPDX-License-Identifier: Apache-2.0
"""pyOCD's commander on the virtual part: breakpoints, watchpoints, steps, memory, registers, faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twin.probe.stock_client.conftest import COUNTING, FAULTING, SLEEPING, LiveBench, Program

RAM = 0x2000_4000
Make = Callable[[int], LiveBench]


def pc(do: Any) -> int:
    return int(re.search(r"0x[0-9a-f]{8}", do("reg pc"))[0], 16)  # type: ignore[index]


def test_a_breakpoint_stops_before_its_function_every_time(live: Make, program: Program) -> None:
    bench = live(COUNTING)
    do = bench.commander()
    do("reset halt")
    address = program.symbols["square"]
    for counter, side in ((1, 1), (1, 2), (2, 2), (2, 2)):
        do(f"break {address:#x}")
        do("go")
        assert "Halted" in do("status")
        assert pc(do) == address
        assert bench.word(program.symbols["counter"]) == counter
        assert f"r0 = 0x{side:08x}" in do("reg r0")
        do(f"rmbreak {address:#x}")  # or the breakpoint unit stops there again, as the real one does
        do("step")
    do("go")
    assert "Running" in do("status")


def test_where_and_symbol_name_what_the_elf_file_says(live: Make, program: Program) -> None:
    do = live(COUNTING).commander()
    do.session.target.elf = str(program.elf)
    do("reset halt")
    do("break square")
    do("go")
    assert "square" in do("where")
    assert f"{program.symbols['sum_of_squares'] | 1:#x}" in do("symbol sum_of_squares")


def test_a_watchpoint_stops_after_the_store(live: Make, program: Program) -> None:
    bench = live(COUNTING)
    do = bench.commander()
    do("reset halt")
    do(f"break {program.symbols['work']:#x}")
    do("go")
    do(f"rmbreak {program.symbols['work']:#x}")
    total = program.symbols["total"]
    do(f"watch {total:#x} w 4")
    for counter in (1, 2, 3):
        do("go")
        assert "Halted" in do("status")
        assert bench.word(total) == counter * counter + 4
        assert "DWTTRAP" in do("show fault")
    do(f"rmwatch {total:#x}")
    do("go")
    assert "Running" in do("status")


def test_steps_go_through_a_call_one_instruction_at_a_time(live: Make, program: Program) -> None:
    do = live(COUNTING).commander()
    do("reset halt")
    do(f"break {program.symbols['square']:#x}")
    do("go")
    do(f"rmbreak {program.symbols['square']:#x}")
    inside = range(program.symbols["square"], program.symbols["sum_of_squares"])
    addresses = [program.symbols["square"]]
    while addresses[-1] in inside and len(addresses) < 30:
        do("step")
        addresses.append(pc(do))
    assert all(0 < step <= 4 for step in np.diff(addresses[:-1])), [hex(a) for a in addresses]
    assert addresses[-1] in range(program.symbols["sum_of_squares"], program.symbols["rtt_put"])


def test_memory_is_read_written_filled_compared_and_found(live: Make, tmp_path: Path) -> None:
    bench = live(COUNTING)
    do = bench.commander()
    do(f"fill {RAM:#x} 64 0xaa")
    do(f"write8 {RAM + 1:#x} 0x11")
    do(f"write16 {RAM + 2:#x} 0x3322")
    do(f"write32 {RAM + 4:#x} 0x77665544 0xbbaa9988")
    assert "aa 11 22 33  44 55 66 77  88 99 aa bb" in do(f"read8 {RAM:#x} 12")
    assert "5544 7766 9988 bbaa" in do(f"read16 {RAM + 4:#x} 8")
    assert "77665544 bbaa9988" in do(f"read32 {RAM + 4:#x} 8")
    assert "bbaa998877665544" in do(f"read64 {RAM + 4:#x} 8")
    saved = tmp_path / "saved.bin"
    do(f"savemem {RAM:#x} 64 {saved}")
    assert saved.read_bytes() == bytes.fromhex("aa112233445566778899aabb") + b"\xaa" * 52
    assert "match" in do(f"compare {RAM:#x} {saved}")
    do(f"write8 {RAM + 40:#x} 0")
    assert f"{RAM + 40:08x}" in do(f"compare {RAM:#x} {saved}").lower()
    assert f"{RAM + 4:08x}" in do(f"find {RAM:#x} 64 0x44 0x55 0x66 0x77").lower()


def test_an_address_without_memory_is_an_error_and_not_the_end(live: Make) -> None:
    do = live(COUNTING).commander()
    with pytest.raises(Exception, match="60000000"):
        do("read32 0x60000000")
    assert "Halted" in do("status")


def test_core_registers_are_written(live: Make) -> None:
    do = live(COUNTING).commander()
    do("wreg r3 0x12345678")
    assert "0x12345678" in do("reg r3")
    do("wreg control 2")
    assert "0x00000002" in do("reg control")


def test_peripheral_registers_are_read_by_their_addresses_and_disassembly_is_thumb(
    live: Make, program: Program
) -> None:
    do = live(COUNTING).commander()
    assert "10076415" in do("read32 0xE0042000")  # DBGMCU_IDCODE: RM0351, revision 4
    assert "push" in do(f"disasm {program.symbols['work']:#x} 8")


def test_a_fault_is_caught_and_reported(live: Make, program: Program) -> None:
    do = live(FAULTING).commander()
    assert "Fault_Handler" not in do("status")
    fault = do("show fault")
    assert "FORCED" in fault
    assert "IMPRECISERR" in fault or ("PRECISERR" in fault and "BFAR = 0x60000000" in fault)
    handler = program.symbols["Fault_Handler"]
    assert handler <= pc(do) < handler + 16

    do("set vector-catch h")
    do("reset")
    assert "Halted" in do("status")
    assert pc(do) == handler


def test_a_sleeping_core_shows_it(live: Make) -> None:
    do = live(COUNTING).commander()
    assert "Running" in do("go") or "Running" in do("status")
    sleeper = live(SLEEPING)
    do = sleeper.commander(connect_mode="under-reset")
    do("reset")
    sleeper.advance(0.01)
    assert "Sleeping" in do("status")
    do("halt")
    assert "Halted" in do("status")
