# SPDX-License-Identifier: Apache-2.0
"""Error queue and status registers, as SCPI-99 and IEEE 488.2 define them."""

from __future__ import annotations

from collections import deque
from enum import IntFlag

QUEUE_CAPACITY = 20
"""Entries the error queue holds before -350 takes the last place (assumption: SCPI leaves the depth to the
maker)."""

MESSAGE_MAX = 255
"""Longest error message in characters (SCPI-99 volume 2, section 21.8.1)."""

MESSAGES = {
    -101: "Invalid character",
    -102: "Syntax error",
    -103: "Invalid separator",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -121: "Invalid character in number",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -141: "Invalid character data",
    -151: "Invalid string data",
    -171: "Invalid expression",
    -214: "Trigger deadlock",
    -213: "Init ignored",
    -211: "Trigger ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -252: "Missing media",
    -254: "Media full",
    -256: "File name not found",
    -257: "File name error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -410: "Query INTERRUPTED",
}
"""Error messages of SCPI-99 volume 2, section 21.8."""


class ScpiError(Exception):
    """A command that went wrong: it goes to the error queue, never to the connection.

    ``code`` is the SCPI number, ``detail`` the device-dependent part after the semicolon that SCPI-99 section
    21.8.1
    allows: what exactly was wrong with the command.
    """

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"{code} {MESSAGES[code]}: {detail}")
        self.code = code
        self.detail = detail


class StandardEvent(IntFlag):
    """Bits of the standard event status register (N6705C Operating and Service Guide, Standard Event Status
    Group).
    """

    OPERATION_COMPLETE = 1
    QUERY_ERROR = 4
    DEVICE_ERROR = 8
    EXECUTION_ERROR = 16
    COMMAND_ERROR = 32
    POWER_ON = 128


class StatusByte(IntFlag):
    """Bits of the status byte (N6705C Operating and Service Guide, Status Byte Register)."""

    ERROR_QUEUE = 4
    QUESTIONABLE = 8
    MESSAGE_AVAILABLE = 16
    EVENT_STATUS = 32
    MASTER_SUMMARY = 64
    OPERATION = 128


class Operation(IntFlag):
    """Bits of the operation status group (N6705C and N6700C Operating and Service Guides)."""

    CONSTANT_VOLTAGE = 1
    CONSTANT_CURRENT = 2
    OFF = 4
    WAITING_FOR_MEASURE_TRIGGER = 8
    MEASURE_ACTIVE = 32


class Questionable(IntFlag):
    """Bits of the questionable status group (N6705C Operating and Service Guide)."""

    OVER_VOLTAGE = 1
    OVER_CURRENT = 2
    POSITIVE_LIMIT = 128
    PROTECTION = 2048
    """Another protection than the channel's own has disabled the output: the watchdog."""


def event_bit(code: int) -> StandardEvent:
    """The standard event bit that an error of this number sets (SCPI-99, section 21.8.2)."""
    if -199 <= code <= -100:
        return StandardEvent.COMMAND_ERROR
    if -299 <= code <= -200:
        return StandardEvent.EXECUTION_ERROR
    if -499 <= code <= -400:
        return StandardEvent.QUERY_ERROR
    return StandardEvent.DEVICE_ERROR


class StatusGroup:
    """Condition, event and enable registers with transition filters."""

    def __init__(self) -> None:
        self.condition = 0
        self.event = 0
        self.preset()

    def preset(self) -> None:
        """What ``STATus:PRESet`` does: nothing enabled, rising edges latch."""
        self.enable = 0
        self.positive_transition = 0x7FFF
        self.negative_transition = 0

    def update(self, condition: int) -> None:
        """Take the conditions as they are now and latch the transitions the filters let through."""
        rising = condition & ~self.condition & self.positive_transition
        falling = ~condition & self.condition & self.negative_transition
        self.event |= rising | falling
        self.condition = condition

    def take_event(self) -> int:
        """Read and clear the event register."""
        event, self.event = self.event, 0
        return event

    @property
    def summary(self) -> bool:
        """Whether an enabled event is latched."""
        return bool(self.event & self.enable)


class Status:
    """Everything ``*CLS``, ``*ESR?``, ``*STB?`` and ``SYSTem:ERRor?`` deal with."""

    def __init__(self) -> None:
        self.operation = StatusGroup()
        self.questionable = StatusGroup()
        self.standard_event = int(StandardEvent.POWER_ON)
        self.standard_event_enable = 0
        self.service_request_enable = 0
        self._errors: deque[tuple[int, str]] = deque()

    def error(self, code: int, detail: str = "") -> None:
        """Queue an error and set its standard event bit."""
        self.standard_event |= event_bit(code)
        if len(self._errors) >= QUEUE_CAPACITY:
            self._errors[-1] = (-350, "")
        else:
            self._errors.append((code, detail))

    def next_error(self) -> str:
        """Answer of ``SYSTem:ERRor?``: the oldest error, removed from the queue."""
        if not self._errors:
            return '+0,"No error"'
        code, detail = self._errors.popleft()
        message = f"{MESSAGES[code]};{detail}" if detail else MESSAGES[code]
        printable = "".join(character if character.isprintable() else "." for character in message)
        return f'{code:+d},"{printable[:MESSAGE_MAX].replace(chr(34), chr(39))}"'

    def clear(self) -> None:
        """What ``*CLS`` does: queue and event registers, not the enables."""
        self._errors.clear()
        self.standard_event = 0
        self.operation.event = 0
        self.questionable.event = 0

    def take_standard_event(self) -> int:
        """Read and clear the standard event register."""
        event, self.standard_event = self.standard_event, 0
        return event

    def byte(self, *, message_available: bool) -> int:
        """The status byte as ``*STB?`` reports it."""
        value = StatusByte(0)
        if self._errors:
            value |= StatusByte.ERROR_QUEUE
        if self.questionable.summary:
            value |= StatusByte.QUESTIONABLE
        if message_available:
            value |= StatusByte.MESSAGE_AVAILABLE
        if self.standard_event & self.standard_event_enable:
            value |= StatusByte.EVENT_STATUS
        if self.operation.summary:
            value |= StatusByte.OPERATION
        if value & self.service_request_enable:
            value |= StatusByte.MASTER_SUMMARY
        return int(value)
