# SPDX-License-Identifier: Apache-2.0
"""What a firmware does, told from what the debug port showed of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from hil.boards import Board
from hil.firmware.image import Image, Segment
from hil.rig.core_looks import CoreLooks, Halt, _function_at
from hil.rig.part_registers import PartRegisters

PART = Board.load("nucleo_l476rg").part


def registers(**words: int) -> PartRegisters:
    return PartRegisters({"PWR_CR1": 2, "PWR_SR1": 0, "RCC_CSR": 0x0C00_0000} | words, "USART2", PART)


def halt(*names: str, exception: int = 0) -> Halt:
    return Halt(0x0800_0210, frozenset(names), exception)


SLEEPS = CoreLooks(
    asleep=(True, False, True),
    deep=(True, False, True),
    exceptions=(0, 16, 0),
    resets_seen=0,
    pwr_cr1=(2, 2, 2),
    locked_up=False,
    registers=registers(),
    cfsr=0,
    hfsr=0,
    halts=(),
    heard=b"",
)
AWAKE = replace(SLEEPS, asleep=(False,) * 3, halts=(halt("main"), halt("delay")))


@pytest.mark.parametrize(
    ("pwr_cr1", "deep", "mode"),
    [
        (0, True, "stop0"),
        (1, True, "stop1"),
        (0x202, True, "stop2"),
        (3, True, "standby"),
        (4, True, "shutdown"),
        (7, True, "shutdown"),
        (2, False, "sleep"),
        (0x4002, False, "lpsleep"),
    ],
)
def test_the_mode_is_that_of_the_registers_while_the_core_sleeps(pwr_cr1: int, deep: bool, mode: str) -> None:
    assert (
        replace(
            SLEEPS, registers=registers(PWR_CR1=pwr_cr1), pwr_cr1=(pwr_cr1,) * 3, deep=(deep, not deep, deep)
        ).mode
        == mode
    )


def test_the_regulator_that_counts_is_the_one_asleep() -> None:
    between = replace(SLEEPS, deep=(False,) * 3, pwr_cr1=(0x4002, 0x0002, 0x4002))
    assert between.mode == "lpsleep", "the core was awake at the second look, and at the last halt"
    assert replace(between, pwr_cr1=(None,) * 3, registers=registers(PWR_CR1=0x4002)).mode == "lpsleep"


def test_several_modes_by_turns_are_all_named() -> None:
    assert SLEEPS.deep_modes == ()
    turns = replace(SLEEPS, pwr_cr1=(0, 1, 2))
    assert turns.deep_modes == ("stop0", "stop2"), "the core was awake at the second look"
    assert str(turns).startswith("sleeps in stop0 and stop2 by its registers")


def test_a_core_that_no_look_found_asleep_has_no_mode() -> None:
    assert AWAKE.mode is None
    assert replace(AWAKE, registers=registers(PWR_SR1=1 << 8)).mode == "standby"
    assert AWAKE.whereabouts == "runs in delay, main"


def test_what_is_seen_is_told_in_a_line() -> None:
    assert str(SLEEPS) == "sleeps in stop2 by its registers, is silent on the console"
    assert str(replace(SLEEPS, heard=b"\r\nready\r\n")).endswith(', says "ready" on the console')
    assert str(replace(AWAKE, heard=b"\xfe\x80")).endswith("main, says nothing readable on the console")


def test_a_sound_firmware_has_not_crashed() -> None:
    assert SLEEPS.crash() is None
    assert AWAKE.crash() is None
    assert replace(SLEEPS, exceptions=(3, 3, 16)).crash() is None, "what a handler has mended is no crash"


def test_a_fault_a_lock_up_and_an_error_handler_are_crashes() -> None:
    fault = replace(AWAKE, exceptions=(0, 3, 3), cfsr=0x8200, hfsr=0x4000_0000).crash()
    assert (
        fault
        == "the core is in the exception HardFault in delay at 0x08000210; CFSR 0x00008200, HFSR 0x40000000"
    )
    assert "locked up" in (replace(AWAKE, locked_up=True).crash() or "")
    lost = halt("TIM2_IRQHandler", "Default_Handler")
    hangs = "it hangs in Default_Handler at 0x08000210"
    assert replace(AWAKE, halts=(lost, lost)).crash() == hangs
    assert replace(AWAKE, halts=(lost, halt("main"))).crash() is None, "it has left it again"
    asleep = replace(SLEEPS, exceptions=(0, 3, 3), cfsr=0x8200).crash() or ""
    assert asleep.startswith("the core is in the exception HardFault;"), "its handler waits in WFI"
    assert replace(SLEEPS, halts=(lost,)).crash() == hangs, "it waits in WFI there"


def test_an_interrupt_that_still_comes_hides_no_hang() -> None:
    lost, tick = halt("Error_Handler"), halt("SysTick_Handler", exception=15)
    hangs = "it hangs in Error_Handler at 0x08000210"
    assert replace(AWAKE, halts=(lost, tick)).crash() == hangs
    assert replace(AWAKE, halts=(tick, halt("main"), lost)).crash() is None
    assert replace(AWAKE, halts=(tick, tick)).crash() is None
    in_a_handler = halt("Error_Handler", exception=31)
    assert replace(AWAKE, halts=(in_a_handler,)).crash() == hangs


def test_resets_are_those_that_no_debugger_makes() -> None:
    assert SLEEPS.why_reset() is None
    once = replace(SLEEPS, registers=registers(RCC_CSR=0x2400_0000))
    assert once.why_reset() == (
        "it was reset within seconds of its start, by the independent watchdog (RCC_CSR 0x24000000)"
    )
    twice = replace(SLEEPS, registers=registers(RCC_CSR=0xC000_0000)).why_reset()
    assert "the window watchdog, an illegal low-power entry" in (twice or "")


def test_resets_are_counted_whatever_the_firmware_makes_of_its_flags() -> None:
    cleared = replace(SLEEPS, registers=registers(RCC_CSR=0), resets_seen=8)
    assert cleared.why_reset() == (
        "it was reset at least 8 times in 4.1 s, by a cause that the firmware has cleared "
        "(RCC_CSR 0x00000000)"
    )
    own = replace(SLEEPS, registers=registers(RCC_CSR=0x1400_0000), resets_seen=8)
    assert "by the program itself" in (own.why_reset() or "")


@pytest.mark.parametrize("words", [{"PWR_CR1": 3}, {"PWR_SR1": 1 << 8}], ids=["enters it", "has left it"])
def test_a_wake_from_standby_is_no_reset(words: dict[str, int]) -> None:
    standby = replace(SLEEPS, registers=registers(RCC_CSR=0x1C00_0000, **words), resets_seen=8)
    assert standby.why_reset() is None


def test_a_function_is_the_last_name_before_an_address_that_has_code() -> None:
    symbols = {"main": 0x100, "$t": 0x104, "weak": 0x200, "handler": 0x200}
    image = Image(Path("x.elf"), "", 0x80, (Segment(0x80, bytes(0x300)),), symbols)
    assert _function_at(image, 0x110) == {"main"}
    assert _function_at(image, 0x2FF) == {"weak", "handler"}
    assert _function_at(image, 0x90) == frozenset()
    assert _function_at(image, 0xFFFF_FFF9) == frozenset(), "an exception's return"
