# SPDX-License-Identifier: Apache-2.0
"""What a firmware does, told from what the debug port showed of it."""

from dataclasses import replace

import pytest

from hil.rig.core_looks import CoreLooks, _function_at

SLEEPS = CoreLooks(
    asleep=(True, False, True),
    deep=(True, False, True),
    exceptions=(0, 16, 0),
    locked_up=False,
    pwr_cr1=2,
    rcc_csr=0x0C00_0000,
    cfsr=0,
    hfsr=0,
    functions=(),
    heard=b"",
)
AWAKE = replace(SLEEPS, asleep=(False,) * 3, functions=(frozenset({"main"}), frozenset({"delay"})))


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
    assert replace(SLEEPS, pwr_cr1=pwr_cr1, deep=(deep, not deep, deep)).mode == mode


def test_a_core_that_no_look_found_asleep_has_no_mode() -> None:
    assert AWAKE.mode is None
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
    assert fault == "the core is in HardFault; CFSR 0x00008200, HFSR 0x40000000"
    assert "locked up" in (replace(AWAKE, locked_up=True).crash() or "")
    lost = frozenset({"TIM2_IRQHandler", "Default_Handler"})
    assert replace(AWAKE, functions=(lost, lost)).crash() == "it hangs in Default_Handler"
    assert replace(AWAKE, functions=(lost, frozenset({"main"}))).crash() is None, "it has left it again"


def test_resets_are_those_that_no_debugger_makes() -> None:
    assert SLEEPS.resets == ()
    assert replace(SLEEPS, rcc_csr=0x2400_0000).resets == ("the independent watchdog",)
    assert replace(SLEEPS, rcc_csr=0xC000_0000).resets == (
        "the window watchdog",
        "an illegal low-power entry",
    )


def test_a_function_is_the_last_name_before_an_address() -> None:
    symbols = {"main": 0x100, "$t": 0x104, "weak": 0x200, "handler": 0x200}
    assert _function_at(symbols, 0x110) == {"main"}
    assert _function_at(symbols, 0x2FF) == {"weak", "handler"}
    assert _function_at(symbols, 0x10) == frozenset()
