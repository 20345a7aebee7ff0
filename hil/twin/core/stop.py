# SPDX-License-Identifier: Apache-2.0
"""Why the emulator stopped."""

from __future__ import annotations

import enum


class Stop(enum.Enum):
    """Why `Emulator.run` returned."""

    DEADLINE = enum.auto()
    REQUEST = enum.auto()
    MASKS_WRITTEN = enum.auto()
    FLOATING_POINT_TRAP = enum.auto()
    SUPERVISOR_CALL = enum.auto()
    BREAKPOINT_INSTRUCTION = enum.auto()
    BREAKPOINT_UNIT = enum.auto()
    EXCEPTION_RETURN = enum.auto()
    WAIT_FOR_INTERRUPT = enum.auto()
    WAIT_FOR_EVENT = enum.auto()
    UNDEFINED = enum.auto()
    INVALID_STATE = enum.auto()
    NO_COPROCESSOR = enum.auto()
    EXECUTE_NEVER = enum.auto()
    DATA_FAULT = enum.auto()
    UNALIGNED = enum.auto()
    DIVISION_BY_ZERO = enum.auto()
    WATCHPOINT = enum.auto()
    IT_BLOCK = enum.auto()
    FETCH_FAULT = enum.auto()
    FORBIDDEN_ACCESS = enum.auto()
    FORBIDDEN_FETCH = enum.auto()
    STEPPED = enum.auto()


INSIDE_BLOCK = frozenset(
    (
        Stop.DATA_FAULT,
        Stop.UNDEFINED,
        Stop.NO_COPROCESSOR,
        Stop.UNALIGNED,
        Stop.FORBIDDEN_ACCESS,
        Stop.FORBIDDEN_FETCH,
        Stop.DIVISION_BY_ZERO,
        Stop.WATCHPOINT,
        Stop.IT_BLOCK,
        Stop.BREAKPOINT_INSTRUCTION,
        Stop.BREAKPOINT_UNIT,
    )
)
"""The instruction at PC, maybe in the middle of a block, was not executed."""
NOT_EXECUTED = INSIDE_BLOCK | {Stop.FETCH_FAULT, Stop.INVALID_STATE, Stop.EXECUTE_NEVER}
"""The instruction at PC was not executed."""
