# SPDX-License-Identifier: Apache-2.0
"""Programs that write flash, and what the part is like meanwhile."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from hil.boards import REFERENCE, Board
from hil.twin.mcu import Mcu
from hil.twin.pins import make_pins
from tests.twin.core.conftest import assemble

PS_PER_S = 10**12
CODE, PAGE, PAGE_SIZE = 0x0800_0400, 0x0800_4000, 2048
SCRIPT, RESULTS, STACK = 0x2000_1000, 0x2001_0000, 0x2001_8000
ACR, KEYR, SR, CR = 0x4002_2000, 0x4002_2008, 0x4002_2010, 0x4002_2014
RCC_CR, IWDG_KR = 0x4002_1000, 0x4000_3000
PG, PER, STRT, EOPIE, ERRIE = 1, 2, 1 << 16, 1 << 24, 1 << 25
OPTLOCK, LOCK = 1 << 30, 1 << 31
BSY, ERRORS = 1 << 16, 0xC3FB
STORE, STORE_HALF, LOAD, WAIT = 1, 2, 3, 4
# Carries out the script at r0: rows of operation, address, value. Loads leave what they found at r1.
INTERPRETER = """
    movw r0, #0x1000
    movt r0, #0x2000
    movw r1, #0x0000
    movt r1, #0x2001
next:
    ldmia r0!, {r2, r3, r4}
    cmp r2, #1
    beq store
    cmp r2, #2
    beq half
    cmp r2, #3
    beq load
    cmp r2, #4
    beq wait
idle:
    wfi
    b idle
store:
    nop
    mov r6, r4
    str r6, [r3]
    b next
half:
    strh r4, [r3]
    b next
load:
    ldr r5, [r3]
    str r5, [r1], #4
    b next
wait:
    ldr r5, [r3]
    tst r5, r4
    bne wait
    b next
"""
Step = tuple[int, int, int]
UNLOCK: list[Step] = [(STORE, KEYR, 0x4567_0123), (STORE, KEYR, 0xCDEF_89AB)]


def run(
    script: list[Step],
    for_s: float = 0.05,
    events: dict[int, Callable[[Mcu], None]] | None = None,
) -> tuple[Mcu, bytes]:
    """Run ``script`` on a part; ``events`` act at their instants (ps). Return it and what its loads found."""
    mcu = Mcu(Board.load(REFERENCE), make_pins(), seed=1)
    code, _ = assemble(INTERPRETER)
    image = np.array([STACK, CODE | 1], dtype="<u4").tobytes().ljust(CODE - 0x0800_0000, b"\xff") + code
    mcu.core.memory["flash"][: len(image)] = np.frombuffer(image, dtype=np.uint8)
    mcu.set_nrst(True)
    mcu.set_supply_voltage(3.0)
    mcu.scheduler.advance_to(PS_PER_S // 1000)
    rows = np.array([*script, (0, 0, 0)], dtype="<u4").tobytes()
    assert SCRIPT + len(rows) < RESULTS
    assert mcu.core.memory.write_ram(SCRIPT, rows)
    assert mcu.core.memory.write_ram(RESULTS, bytes(STACK - RESULTS - 256))
    mcu.set_nrst(False)
    for time_ps, act in (events or {}).items():
        mcu.scheduler.at(time_ps, lambda act=act: act(mcu))
    mcu.scheduler.advance_to(mcu.scheduler.now_ps + round(for_s * PS_PER_S))
    return mcu, mcu.core.memory["sram1"][RESULTS - 0x2000_0000 : -256].tobytes()


def double_word(address: int, low: int, high: int) -> list[Step]:
    """As ST's driver programs: PG, both words, wait for the end, no PG."""
    return [
        (STORE, CR, PG),
        (STORE, address, low),
        (STORE, address + 4, high),
        (STORE, IWDG_KR, 0xAAAA),
        (WAIT, SR, BSY),
        (STORE, CR, 0),
    ]


def double_words(address: int, count: int, random_: random.Random) -> list[Step]:
    return [
        step
        for index in range(count)
        for step in double_word(address + 8 * index, random_.getrandbits(32), random_.getrandbits(32))
    ]


@pytest.mark.parametrize("before", [[], [(STORE, ACR, 4)], [(STORE, ACR, 0x704), (STORE, RCC_CR, 0xBB)]])
@pytest.mark.parametrize("at", [PAGE, PAGE - 0x0800_0000])
def test_a_page_is_programmed_double_word_by_double_word(before: list[Step], at: int) -> None:
    """At 4 MHz, with wait states, and at 48 MHz; by both addresses of the array."""
    words = random.Random(1)
    mcu, results = run(UNLOCK + before + double_words(at, PAGE_SIZE // 8, words) + [(LOAD, SR, 0)])
    again = random.Random(1)
    wanted = [again.getrandbits(32) for _ in range(PAGE_SIZE // 4)]
    cells = mcu.core.memory["flash"][PAGE - 0x0800_0000 :][:PAGE_SIZE].view("<u4")
    assert cells.tolist() == wanted
    assert np.frombuffer(results, dtype="<u4")[0] == 0
    assert mcu.core.memory["flash"][PAGE - 0x0800_0000 + PAGE_SIZE] == 0xFF


def test_a_program_that_reads_what_it_writes_waits_for_the_end() -> None:
    script = [*UNLOCK]
    for index in range(20):
        at = PAGE + 8 * index
        script += double_word(at, 0x1111 * index, ~(0x1111 * index) & 0xFFFF_FFFF)[:4]
        script += [(LOAD, at, 0), (LOAD, at + 4, 0), (LOAD, SR, 0), (WAIT, SR, BSY), (LOAD, CR, 0)]
    _, results = run(script)
    words = np.frombuffer(results, dtype="<u4")[:80].reshape(20, 4)
    assert words[7].tolist() == [0x7777, 0xFFFF_8888, 0, PG | OPTLOCK]


BANK_2, LATENCY_4, CACHES = 1 << 11, 4, 3 << 9
ERASE_PS = 22_020_000_000  # DS10198 Rev 8, T63: page erase, typical


@pytest.mark.parametrize(
    ("page", "acr", "warm", "stalled"),
    [
        (8 << 3, 0, False, True),
        (8 << 3, LATENCY_4, True, True),  # no cache to run from
        (8 << 3, LATENCY_4 | CACHES, False, True),
        (8 << 3, LATENCY_4 | CACHES, True, False),
        (8 << 3 | BANK_2, 0, False, False),
        (8 << 3 | BANK_2, LATENCY_4, False, False),
    ],
)
def test_code_in_a_bank_that_is_erased_waits_for_it_unless_it_is_cached(page, acr, warm, stalled) -> None:
    before = [(STORE, ACR, acr), *([(LOAD, SR, 0)] * 2 if warm else [])]
    _, results = run([*UNLOCK, *before, (STORE, CR, PER | STRT | page), (LOAD, SR, 0)])
    status = np.frombuffer(results, dtype="<u4")[2 if warm else 0]
    assert bool(status & BSY) is not stalled


def test_time_goes_on_while_the_core_waits_for_its_bank() -> None:
    halves = []

    def look(mcu: Mcu) -> None:
        halves.append((mcu.scheduler.now_ps - mcu.core.time_ps, mcu.core.cycle_count))

    events = dict.fromkeys(range(PS_PER_S // 500, PS_PER_S // 50, PS_PER_S // 500), look)
    run([*UNLOCK, (STORE, CR, PER | STRT | 8 << 3), (LOAD, SR, 0)], events=events)
    assert all(0 <= behind_ps < 1_000_000 for behind_ps, _ in halves)
    cycles = np.diff([count for _, count in halves])
    assert np.allclose(cycles, 8000, atol=2)  # 2 ms at 4 MHz


def test_a_core_that_stood_still_meanwhile_does_not_wait_longer() -> None:
    written: list[bool] = []

    def plan(mcu: Mcu) -> None:
        def busy(end_ps: int, banks: int) -> None:
            if banks:
                mcu.scheduler.at(end_ps - 70_000_000, mcu.core.debug_halt)
                mcu.scheduler.at(end_ps - 20_000_000, lambda: mcu.core.debug_resume(step=False))
                mcu.scheduler.at(
                    end_ps + 20_000_000,
                    lambda: written.append(mcu.core.memory.read(RESULTS, 4) == 0x5A5A_5A5A),
                )

        mcu.peripherals.flash.busy.connect(busy)

    steps = [*double_word(PAGE, 1, 2)[:3], (STORE, RESULTS, 0x5A5A_5A5A)]
    run([*UNLOCK, *steps], events={PS_PER_S // 1000 + 1: plan})
    assert written == [True]
