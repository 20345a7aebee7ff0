# SPDX-License-Identifier: Apache-2.0
"""Programs that write flash, and what the part is like meanwhile: the same with and without the shortcut."""

import random
from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass
class Seen:
    """All that can be told of a run."""

    cells: bytes
    results: bytes
    registers: tuple[int, int]
    trace: tuple[list[int], list[float], list[float]]
    observed: list[tuple[int, object, bool, float]]
    cycles: int
    handled: int
    """Stores into flash that Python has carried out."""


def run(
    script: list[Step],
    shortcut: bool,
    for_s: float = 0.05,
    events: dict[int, Callable[[Mcu], None]] | None = None,
) -> Seen:
    """Run ``script`` on a part; ``events`` act at their instants (ps), and look at the part after that."""
    mcu = Mcu(Board.load(REFERENCE), make_pins(), seed=1)
    code, _ = assemble(INTERPRETER)
    image = np.array([STACK, CODE | 1], dtype="<u4").tobytes().ljust(CODE - 0x0800_0000, b"\xff") + code
    mcu.core.memory.flash[: len(image)] = np.frombuffer(image, dtype=np.uint8)
    flash = mcu.peripherals.flash
    if not shortcut:
        flash.is_unobserved = lambda: False
    seen = Seen(b"", b"", (0, 0), ([], [], []), [], 0, 0)
    carry_out = mcu.core.on_flash_write

    def store(address: int, width: int, value: int) -> None:
        seen.handled += 1
        carry_out(address, width, value)

    mcu.core.on_flash_write = store
    mcu.core._emulator.access.on_flash_write = store
    # What the code draws is spread evenly between two looks at it. The two ways look at other instants.
    mcu._current.settle = lambda: None
    mcu.set_nrst(True)
    mcu.set_supply_voltage(3.0)
    mcu.scheduler.advance_to(PS_PER_S // 1000)
    rows = np.array([*script, (0, 0, 0)], dtype="<u4").tobytes()
    assert SCRIPT + len(rows) < RESULTS
    assert mcu.core.memory.write_ram(SCRIPT, rows)
    assert mcu.core.memory.write_ram(RESULTS, bytes(STACK - RESULTS - 256))
    mcu.set_nrst(False)

    def look(act: Callable[[Mcu], None]) -> None:
        act(mcu)
        now_ps = mcu.scheduler.now_ps
        seen.observed.append((now_ps, flash.activity, flash.peak, mcu.supply.current_at_a(now_ps)))

    for time_ps, act in (events or {}).items():
        mcu.scheduler.at(time_ps, lambda act=act: look(act))
    mcu.scheduler.advance_to(mcu.scheduler.now_ps + round(for_s * PS_PER_S))
    supply = mcu.supply
    seen.trace = tuple(
        getattr(supply, name)[supply._first : supply._end].tolist()
        for name in ("_times_ps", "_currents_a", "_charges")
    )
    seen.cells = mcu.core.memory.flash.tobytes()
    seen.results = mcu.core.memory.sram1[RESULTS - 0x2000_0000 : -256].tobytes()
    seen.registers = flash.read(0x10, 4), flash.read(0x14, 4)
    seen.cycles = mcu.core.cycle_count
    return seen


def compare(script: list[Step], **how: object) -> tuple[Seen, Seen]:
    """Run with and without, and hold the two against each other."""
    with_it, without = run(script, True, **how), run(script, False, **how)
    for name in ("cells", "results", "registers", "observed", "cycles"):
        assert getattr(with_it, name) == getattr(without, name), name
    assert with_it.trace == without.trace
    return with_it, without


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


def test_a_page_takes_one_double_word_of_python_and_is_the_same() -> None:
    script = UNLOCK + double_words(PAGE, PAGE_SIZE // 8, random.Random(1)) + [(LOAD, SR, 0)]
    with_it, without = compare(script)
    assert without.handled == PAGE_SIZE // 4
    # Each part of the program, and each 25 us or so an event, costs a few.
    assert with_it.handled <= 16
    assert with_it.registers[0] == 0
    assert len(with_it.trace[0]) > 3 * PAGE_SIZE // 8


def test_the_alias_at_zero_and_a_fast_clock_are_the_same() -> None:
    random_ = random.Random(2)
    fast = [(STORE, ACR, 0x704), (STORE, RCC_CR, 0xBB)]  # MSI at 48 MHz
    alias = double_words(PAGE - 0x0800_0000 + 2 * PAGE_SIZE, 20, random_)
    compare(UNLOCK + fast + double_words(PAGE, 40, random_) + alias)


def test_wait_states_are_the_same() -> None:
    slow = [(STORE, ACR, 4)]  # no caches, no prefetch
    with_it, without = compare(UNLOCK + slow + double_words(PAGE, 40, random.Random(4)))
    assert with_it.handled < without.handled / 4


def test_a_program_that_reads_what_it_writes_waits_for_the_end() -> None:
    script = [*UNLOCK]
    for index in range(20):
        at = PAGE + 8 * index
        script += double_word(at, 0x1111 * index, ~(0x1111 * index) & 0xFFFF_FFFF)[:4]
        script += [(LOAD, at, 0), (LOAD, at + 4, 0), (LOAD, SR, 0), (WAIT, SR, BSY), (LOAD, CR, 0)]
    with_it, _ = compare(script)
    words = np.frombuffer(with_it.results, dtype="<u4")[:80].reshape(20, 4)
    assert words[7].tolist() == [0x7777, 0xFFFF_8888, 0, PG | OPTLOCK]
    assert with_it.handled < 20


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
    seen = run([*UNLOCK, *before, (STORE, CR, PER | STRT | page), (LOAD, SR, 0)], shortcut=False)
    status = np.frombuffer(seen.results, dtype="<u4")[2 if warm else 0]
    assert bool(status & BSY) is not stalled


def test_time_goes_on_while_the_core_waits_for_its_bank() -> None:
    halves = []

    def look(mcu: Mcu) -> None:
        halves.append((mcu.scheduler.now_ps - mcu.core.time_ps, mcu.core.cycle_count))

    events = dict.fromkeys(range(PS_PER_S // 500, PS_PER_S // 50, PS_PER_S // 500), look)
    run([*UNLOCK, (STORE, CR, PER | STRT | 8 << 3), (LOAD, SR, 0)], shortcut=False, events=events)
    assert all(0 <= behind_ps < 1_000_000 for behind_ps, _ in halves)
    cycles = np.diff([count for _, count in halves])
    assert np.allclose(cycles, 8000, atol=2)  # 2 ms at 4 MHz


def test_a_core_that_stood_still_meanwhile_does_not_wait_longer() -> None:
    written: list[bool] = []

    def plan(mcu: Mcu) -> None:
        tell_core = mcu.peripherals.flash.on_busy

        def busy(end_ps: int, banks: int) -> None:
            tell_core(end_ps, banks)
            if banks:
                mcu.scheduler.at(end_ps - 70_000_000, mcu.core.debug_halt)
                mcu.scheduler.at(end_ps - 20_000_000, lambda: mcu.core.debug_resume(step=False))
                mcu.scheduler.at(
                    end_ps + 20_000_000,
                    lambda: written.append(mcu.core.memory.read(RESULTS, 4) == 0x5A5A_5A5A),
                )

        mcu.peripherals.flash.on_busy = busy

    steps = [*double_word(PAGE, 1, 2)[:3], (STORE, RESULTS, 0x5A5A_5A5A)]
    run([*UNLOCK, *steps], shortcut=False, events={PS_PER_S // 1000 + 1: plan})
    assert written == [True]


def mistake(at: int, random_: random.Random) -> list[Step]:
    """Something that the shortcut has no answer to."""
    return random_.choice(
        (
            [(STORE, CR, PG), (STORE, at, 1), (STORE, at + 4, 2), (STORE, at + 8, 3), (STORE, at + 12, 4)],
            [(STORE, CR, PG), (STORE, at + 4, 1)],
            [(STORE, CR, PG), (STORE, at, 1), (STORE, at + 12, 1)],
            [(STORE, CR, PG), (STORE, at, 1), (STORE, CR, 0), (STORE, CR, PG)],
            [(STORE, CR, PG), (STORE_HALF, at, 1)],
            [(STORE, CR, PG), (STORE, at, 1), (STORE_HALF, at + 4, 1)],
            [(STORE, CR, 0), (STORE, at, 1)],
            [(STORE, CR, PG | EOPIE), (STORE, at, 1), (STORE, at + 4, 2)],
            [(STORE, CR, PG | ERRIE), (STORE, at + 4, 1)],
            [(STORE, CR, PG), (STORE, at - 64, 5), (STORE, at - 60, 6)],
            [(STORE, CR, PG), (STORE, at, 7), (STORE, at + 4, 8), (STORE, CR, LOCK), (LOAD, CR, 0)],
            [(STORE, CR, PG), (STORE, at, 7), (STORE, at + 4, 8), (STORE, CR, 0), (LOAD, CR, 0)],
            [(STORE, CR, LOCK), (STORE, at, 1), *UNLOCK],
            [(STORE, CR, PER | 9 << 3), (STORE, CR, PER | 9 << 3 | STRT)],
            [(LOAD, at, 0), (LOAD, SR, 0), (LOAD, CR, 0), (STORE_HALF, CR, PG)],
        )
    )


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_in_between_the_part_is_the_same(seed: int) -> None:
    random_ = random.Random(seed)
    script, at = [*UNLOCK], PAGE + random_.randrange(256) * 8
    for _ in range(12):
        count = random_.randrange(1, 12)
        script += double_words(at, count, random_)
        at += 8 * count
        script += mistake(at, random_)
        at += 16
        if random_.random() < 0.8:
            script += [(WAIT, SR, BSY), (LOAD, SR, 0), (STORE, SR, ERRORS), (LOAD, CR, 0)]
    events: dict[int, Callable[[Mcu], None]] = {
        1_000_000_000 + random_.randrange(30_000_000_000): random_.choice(
            (lambda mcu: None, lambda mcu: mcu.set_temperature(85.0), lambda mcu: mcu.set_temperature(25.0))
        )
        for _ in range(20)
    }
    if seed % 4 == 3:  # the supply breaks off what is under way
        events[1_000_000_000 + random_.randrange(10_000_000_000)] = lambda mcu: mcu.set_supply_voltage(1.0)
    compare(script, events=events)


@pytest.mark.parametrize("threshold_a", [1e-3, 5e-3, 1.0])
def test_who_watches_a_threshold_is_told_at_the_same_instants(threshold_a: float) -> None:
    told: list[list[tuple[int, bool]]] = []

    def watch(mcu: Mcu) -> None:
        crossings: list[tuple[int, bool]] = []
        told.append(crossings)
        mcu.supply.watch(threshold_a, lambda above: crossings.append((mcu.scheduler.now_ps, above)))

    script = UNLOCK + double_words(PAGE, 60, random.Random(3))
    compare(script, events={2_000_000_000: watch})
    assert told[0] == told[1]
    assert len(told[0]) > 50 or threshold_a != 5e-3


def test_who_wants_every_record_is_told_at_the_same_instants() -> None:
    told: list[list[tuple[int, float]]] = []

    def watch(mcu: Mcu) -> None:
        records: list[tuple[int, float]] = []
        told.append(records)
        mcu.supply.on_record = lambda current_a: records.append((mcu.scheduler.now_ps, current_a))

    compare(UNLOCK + double_words(PAGE, 60, random.Random(3)), events={2_000_000_000: watch})
    assert told[0] == told[1]
    assert len(told[0]) > 50


def test_who_wants_to_know_of_the_next_activity_is_told_at_the_same_instants() -> None:
    told: list[int] = []

    def watch(mcu: Mcu) -> None:
        flash = mcu.peripherals.flash
        notify = flash.on_activity

        def begins() -> None:
            notify()
            told.append(mcu.scheduler.now_ps)

        flash.on_activity = begins

    compare(UNLOCK + double_words(PAGE, 60, random.Random(3)), events={2_000_000_000: watch})
    count = len(told) // 2
    assert told[:count] == told[count:]
    assert count > 30
