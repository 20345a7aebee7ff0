# SPDX-License-Identifier: Apache-2.0
"""What a debugger does to the core through the debug port."""

from __future__ import annotations

import pytest

from hil.twin.core import BusFault

DHCSR, DCRSR, DCRDR, DEMCR = 0xE000_EDF0, 0xE000_EDF4, 0xE000_EDF8, 0xE000_EDFC
FP_CTRL, FP_COMP0 = 0xE000_2000, 0xE000_2008
DFSR = 0xE000_ED30
KEY = 0xA05F << 16
S_HALT, S_SLEEP, S_LOCKUP, S_RESET = 1 << 17, 1 << 18, 1 << 19, 1 << 25
R0, R1, PC, XPSR, SPECIAL, S1 = 0, 1, 15, 16, 20, 65

COUNT = """
start:
 ldr r7, =0x40000000
 movs r0, #0
loop:
 adds r0, #1
middle:
 adds r0, #1
 adds r0, #1
 b loop
"""


def halt(m):
    m.core.debug_write(DHCSR, 4, KEY | 3)


def read_register(m, selector):
    m.core.debug_write(DCRSR, 4, selector)
    return m.core.debug_read(DCRDR, 4)


def write_register(m, selector, value):
    m.core.debug_write(DCRDR, 4, value)
    m.core.debug_write(DCRSR, 4, 1 << 16 | selector)


def test_halt_stops_the_program_and_resume_continues_it(machine):
    m = machine(COUNT)
    m.run_cycles(100)
    halt(m)
    assert m.core.state == "halted"
    status = m.word(DHCSR)
    assert status & S_HALT
    assert status & 3 == 3
    count = read_register(m, R0)
    m.run_cycles(100)
    assert read_register(m, R0) == count
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.run_cycles(100)
    halt(m)
    assert count + 50 < read_register(m, R0) < count + 100


def test_polling_the_debugger_moves_no_time(machine):
    m = machine(COUNT)
    m.run_cycles(10)
    before = m.scheduler.now_ps, m.core.cycle_count
    for _ in range(100):
        m.word(DHCSR)
    assert (m.scheduler.now_ps, m.core.cycle_count) == before


def test_software_cannot_enable_debug(machine):
    m = machine("start:\n ldr r0, =0xE000EDF0\n ldr r1, =0xA05F0003\n str r1, [r0]\n1: b 1b")
    m.run_cycles(100)
    assert m.core.state == "running"


def test_registers_can_be_written_while_halted(machine):
    m = machine(COUNT)
    halt(m)
    for selector, value in ((R1, 0x1234_5678), (S1, 0x3F80_0000), (18, 0x2000_0800), (SPECIAL, 0x0000_4001)):
        write_register(m, selector, value)
        assert read_register(m, selector) == value
    write_register(m, SPECIAL, 0)
    write_register(m, PC, m.symbols["middle"])
    assert read_register(m, PC) == m.symbols["middle"]


def test_step_executes_one_instruction(machine):
    m = machine(COUNT)
    m.run_cycles(20)
    halt(m)
    write_register(m, PC, m.symbols["loop"])
    write_register(m, R0, 0)
    addresses = []
    for _ in range(5):
        m.core.debug_write(DHCSR, 4, KEY | 0xD)
        m.run_cycles(20)
        assert m.word(DHCSR) & S_HALT
        addresses.append(read_register(m, PC) - m.symbols["loop"])
    assert addresses == [2, 4, 6, 0, 2]
    assert read_register(m, R0) == 4


def test_breakpoint_unit_halts_before_the_instruction(machine):
    m = machine(COUNT)
    m.run_cycles(40)
    halt(m)
    assert m.word(FP_CTRL) & 0xF0 == 0x60
    address = m.symbols["middle"]
    m.core.debug_write(FP_CTRL, 4, 3)
    m.core.debug_write(FP_COMP0, 4, address & ~3 | 1 | (0x8000_0000 if address & 2 else 0x4000_0000))
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.run_cycles(100)
    assert m.core.state == "halted"
    assert read_register(m, PC) == address
    assert m.word(DFSR) & 2
    m.core.debug_write(FP_COMP0, 4, 0)
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.run_cycles(100)
    assert m.core.state == "running"


def test_breakpoint_in_the_middle_charges_only_what_was_executed(machine):
    m = machine(COUNT)
    address = m.symbols["middle"]
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.core.debug_write(FP_CTRL, 4, 3)
    m.core.debug_write(FP_COMP0, 4, address & ~3 | 1 | (0x8000_0000 if address & 2 else 0x4000_0000))
    m.run_cycles(100)
    assert m.core.cycle_count == 3  # MOV, MOVS, ADDS


def test_bkpt_halts_with_a_debugger_and_faults_without(machine):
    source = "start:\n ldr r7, =0x40000000\n nop\nhere:\n bkpt #0\n b .\nhandler:\n str r7, [r7]\n b ."
    m = machine(source, {3: "handler"})
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.run_cycles(100)
    assert m.core.state == "halted"
    assert read_register(m, PC) == m.symbols["here"]
    free = machine(source, {3: "handler"})
    free.run_cycles(100)
    assert len(free.recorder.stores) == 1


def test_program_written_to_ram_runs_like_a_flash_algorithm(machine, assembler):
    m = machine(COUNT)
    m.run_cycles(10)
    halt(m)
    for increment in (1, 5):
        code, _ = assembler(f"adds r0, #{increment}\nadds r0, #{increment}\nbkpt #0\n")
        m.core.debug_write_block(0x2000_0100, code)
        write_register(m, R0, 100)
        write_register(m, XPSR, 0x0100_0000)
        write_register(m, PC, 0x2000_0100)
        m.core.debug_write(DHCSR, 4, KEY | 1)
        assert m.scheduler.advance_until(lambda: m.core.state == "halted", m.scheduler.now_ps + 10**9)
        assert read_register(m, R0) == 100 + 2 * increment


def test_vector_catch_halts_at_the_first_instruction_after_reset(machine):
    m = machine(COUNT)
    m.run_cycles(100)
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.core.debug_write(DEMCR, 4, 1)
    m.core.debug_write(0xE000_ED0C, 4, 0x05FA_0004)
    assert m.core.state == "halted"
    assert read_register(m, PC) == m.symbols["start"]
    assert m.word(DHCSR) & S_RESET
    assert not m.word(DHCSR) & S_RESET  # sticky until read


def test_halt_requested_under_reset_takes_effect_on_release(machine):
    m = machine(COUNT)
    m.core.hold_in_reset(True)
    halt(m)
    assert m.core.state == "reset"
    m.core.hold_in_reset(False)
    assert m.core.state == "halted"
    assert read_register(m, PC) == m.symbols["start"]


def test_sleeping_core_can_be_halted(machine):
    m = machine("start:\n wfi\nafter:\n b .")
    m.run_cycles(10)
    assert m.word(DHCSR) & S_SLEEP
    halt(m)
    assert m.core.state == "halted"
    assert read_register(m, PC) == m.symbols["after"]


def test_locked_up_core_shows_it_and_can_be_halted(machine):
    m = machine("start:\n udf #0")
    m.run_cycles(50)
    assert m.word(DHCSR) & S_LOCKUP
    halt(m)
    assert m.core.state == "halted"


def test_bus_out_of_reach_or_address_unmapped_is_a_bus_fault(machine):
    m = machine(COUNT)
    with pytest.raises(BusFault, match="0x60000000"):
        m.core.debug_read(0x6000_0000, 4)
    with pytest.raises(BusFault, match="0x40001000"):
        m.core.debug_write(0x4000_1000, 4, 0)
    m.core.debug_access_ok = False
    with pytest.raises(BusFault, match="stopped"):
        m.core.debug_read(0x2000_0000, 4)


def test_rom_table_leads_to_the_components(machine):
    m = machine(COUNT)
    table = 0xE00F_F000
    parts = []
    for index in range(4):
        base = table + (m.word(table + 4 * index) & 0xFFFF_F000) & 0xFFFF_FFFF
        parts.append((base, m.word(base + 0xFE0) & 0xFF | (m.word(base + 0xFE4) & 0xF) << 8))
    assert parts == [(0xE000_E000, 0x00C), (0xE000_1000, 0x002), (0xE000_2000, 0x003), (0xE000_0000, 0x001)]
    assert m.word(table + 0xFE0) | (m.word(table + 0xFE4) & 0xF) << 8 == 0x415


def test_flash_is_written_only_through_its_controller(machine):
    m = machine("start:\n ldr r0, =0x08010000\n movs r1, #5\n str r1, [r0]\n ldr r2, [r0]\n b .")
    writes: list[tuple[int, int, int]] = []
    m.flash_written = lambda *store: writes.append(store)
    m.run_cycles(50)
    m.core.debug_write(0x0800_0000, 4, 1)
    assert writes == [(0x0801_0000, 4, 5), (0x0800_0000, 4, 1)]
    halt(m)
    assert read_register(m, 2) == 0xFFFF_FFFF


def test_bit_band_alias_reaches_one_bit_of_ram(machine):
    m = machine("start:\n ldr r0, =0x22000108\n movs r1, #1\n str r1, [r0]\n ldr r2, [r0]\n b .")
    m.core.memory["sram1"][8:12] = 0
    m.run_cycles(50)
    assert m.word(0x2000_0008) == 1 << 2
    halt(m)
    assert read_register(m, 2) == 1


def test_sram_is_seeded_noise_after_power_up(machine):
    first, second = machine(COUNT), machine(COUNT)
    assert (first.core.memory["sram1"] == second.core.memory["sram1"]).all()
    assert len(set(first.core.memory["sram2"][:64].tolist())) > 16
    before = first.core.memory["sram1"].copy()
    first.core.power_off()
    assert first.core.state == "unpowered"
    with pytest.raises(BusFault, match="powered"):
        first.word(DHCSR)
    first.core.power_on()
    assert (first.core.memory["sram1"] != before).any()


def test_breakpoint_without_a_debugger_does_nothing(machine):
    m = machine(COUNT)
    address = m.symbols["middle"]
    m.core.debug_write(FP_CTRL, 4, 3)
    m.core.debug_write(FP_COMP0, 4, address & ~3 | 1 | (0x8000_0000 if address & 2 else 0x4000_0000))
    m.run_cycles(100)
    assert m.core.state == "running"
    m.core.debug_write(DHCSR, 4, KEY | 1)
    m.run_cycles(100)
    assert m.core.state == "halted"


def test_program_may_change_code_of_its_own_page_through_the_flash_controller(machine, assembler):
    new_code, _ = assembler("movs r0, #2\nbx lr\n")
    m = machine(
        f"""
start:
 ldr r7, =0x40000000
 bl patched
 str r0, [r7]
 ldr r1, =0x{int.from_bytes(new_code, "little"):08x}
 adr r2, patched
 str r1, [r2]
 nop
 bl patched
 str r0, [r7]
 b .
.balign 4
patched:
 movs r0, #1
 bx lr
"""
    )

    def program(address: int, width: int, value: int) -> None:
        offset = address - 0x0800_0000
        m.core.memory["flash"][offset : offset + width] = list(value.to_bytes(width, "little"))
        m.core.memory.invalidate(address, width)

    m.flash_written = program
    m.run_cycles(100)
    assert m.recorder.values == [1, 2]
