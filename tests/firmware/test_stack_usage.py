# SPDX-License-Identifier: Apache-2.0
"""The stack keeps within its budget: on paper for every path through the code, on the part for what runs."""

from __future__ import annotations

import shutil
from typing import get_args

import numpy as np
import pytest

from hil.firmware.build import Toolchain, build
from hil.firmware.image import Image
from tests.firmware.emulated_part import LSE_START_S, PS_PER_S, Part
from tests.firmware.stack_usage import EXCEPTION_FRAME_BYTES, StackUsage

BUDGET_BYTES = 1536
"""Of the 4 KB that the linker script keeps free for it."""
POINTED = dict.fromkeys(("run_once", "hil_mailbox_serve"), "run")
"""Who calls through a pointer, and whom: the mailbox's door, which firmware/src/mailbox.c fills."""
PAINT = 0xA5A5_5A5A
SRAM1 = 0x2000_0000


def bound_bytes(toolchain: Toolchain) -> int:
    """What main and the deepest handler above it take; handlers share one priority, a fault ends all."""
    usage = StackUsage(build(toolchain=toolchain))
    for caller, called in POINTED.items():
        function = usage.functions.get(caller)
        if function is not None and function.indirect_calls:
            assert called in usage.functions, f"{caller} calls through a pointer, and there is no {called}"
            function.calls.add(called)
            function.indirect_calls = 0
    indirect = [function.name for function in usage.functions.values() if function.indirect_calls]
    assert not indirect, f"calls through pointers, which nothing here can follow: {indirect}"
    main, way = usage.deepest("Reset_Handler")
    handlers = [
        name for name in usage.functions if name.endswith(("_IRQHandler", "_interrupt", "SysTick_Handler"))
    ]
    assert len(handlers) >= 8
    fault, _ = usage.deepest("fault_report")
    interrupt = max(usage.deepest(name)[0] for name in handlers)
    bound = main + 2 * EXCEPTION_FRAME_BYTES + interrupt + fault
    print(f"{toolchain}: {bound} bytes; {main} by {' > '.join(way)}; handler {interrupt}, fault {fault}")
    return bound


@pytest.mark.parametrize("toolchain", get_args(Toolchain))
def test_no_path_takes_more_than_the_budget(toolchain: Toolchain) -> None:
    if toolchain == "gcc" and shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    assert bound_bytes(toolchain) <= BUDGET_BYTES


def test_painted_stack_stays_below_the_bound() -> None:
    image = Image.load(build())
    part = Part(image)
    bottom, top = image.symbol("bss_end"), image.symbol("stack_top")
    stack = part.mcu.core.memory["sram1"][bottom - SRAM1 : top - SRAM1].view("<u4")
    part.mcu.set_nrst(True)
    part.advance(1e-4)
    stack[:] = PAINT
    part.mcu.set_nrst(False)
    part.advance(LSE_START_S + 2.0)
    part.wake_console()
    for verb, fields in (
        ("TEST", {}),
        ("LOG", {}),
        ("STATUS", {}),
        ("INFER", {"in": "7f" * 32}),
        ("RUN", {}),
    ):
        assert part.ask(verb, **fields)["kind"] == "ACK"
    part.advance(12.0)
    assert part.mcu.scheduler.now_ps > 12 * PS_PER_S
    used = top - bottom - 4 * int(np.flatnonzero(stack != PAINT)[0])
    print(f"{used} bytes used")
    assert used <= bound_bytes("zig")
