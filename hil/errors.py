# SPDX-License-Identifier: Apache-2.0
"""Every error the controller raises on purpose, under one root.

Three families matter to whoever reads a failed run:

* the *bench* is at fault (:class:`InstrumentError`, :class:`RigError`, :class:`SafetyError`): nothing is
  known about the device under test, the run is broken, not the firmware;
* the *device under test* is at fault (:class:`DeviceError`): the bench works, the device does not;
* the *user* can mend it (:class:`ConfigError`, :class:`FirmwareBuildError`, :class:`ImageError`, ...).

A fault of the bench is never a :class:`DeviceError`, so it never looks like a failure of the device. ::

    HilError
    ├── QuantityError
    ├── ConfigError
    ├── SafetyError
    ├── InstrumentError
    │   ├── ConnectError
    │   ├── InstrumentTimeoutError
    │   ├── ProtocolError
    │   └── OverloadError
    ├── DeviceError
    │   ├── DeviceTimeoutError
    │   ├── MailboxError
    │   └── CommandError
    ├── RigError
    │   ├── RigBusyError
    │   ├── ServiceError
    │   ├── StateError
    │   ├── BringUpError
    │   └── TeardownError
    ├── FirmwareBuildError
    ├── ImageError
    ├── ModelError
    ├── RecordingError
    ├── MeasurementError
    ├── InconclusiveError
    └── ResultsError
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hil.foreign_text import visible


class HilError(Exception):
    """Root of the controller's errors. ``str()`` is one line: where, doing what, what happened, what else.

    An instrument's words in it cannot command a terminal: see :func:`hil.foreign_text.visible`.

    Args:
        message: what happened, with the values that show it.
        where: the instrument, file or component concerned ("power_analyzer", "hil_mailbox").
        operation: what was being done ("supply on", "program").
        expected: what would have been right.
        hint: what to try next.
    """

    def __init__(
        self, message: str, *, where: str = "", operation: str = "", expected: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.operation = operation
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.where, self.operation, self.message) if part)
        if self.expected:
            text += f"; expected {self.expected}"
        if self.hint:
            text += f"; try: {self.hint}"
        return visible(text)


class QuantityError(HilError, ValueError):
    """A text is not a quantity of the wanted dimension: "3.0" has no unit, "3 A" is not a voltage."""


class ConfigError(HilError):
    """A rig configuration is wrong. Carries the file, the line (from 1) and the dotted key."""

    def __init__(
        self,
        message: str,
        *,
        file: Path | None = None,
        line: int | None = None,
        key: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        place = "" if file is None else str(file) if line is None else f"{file}:{line}"
        super().__init__(message, where=place, operation=key, expected=expected, hint=hint)
        self.file = file
        self.line = line
        self.key = key


class SafetyError(HilError):
    """An order was refused before it reached an instrument because it could damage the board or the bench."""


class InstrumentError(HilError):
    """An instrument of the bench failed. Says nothing about the device under test."""


class ConnectError(InstrumentError):
    """An instrument does not answer at its address, or another one answers there."""


class InstrumentTimeoutError(InstrumentError):
    """An instrument accepted an order and did not finish it in time."""


class ProtocolError(InstrumentError):
    """An instrument answered something that its manual does not allow, or reported an error of its own."""


class OverloadError(InstrumentError):
    """A reading is out of the instrument's range (9.9E37 in SCPI) and is no measurement."""


class DeviceError(HilError):
    """The device under test did not do what it must, seen with instruments that work."""


class DeviceTimeoutError(DeviceError):
    """The device under test did not do something in time: no record, no pulse, no mailbox answer."""


class MailboxError(DeviceError):
    """The firmware answered a mailbox command with an error, or its mailbox is not what the contract says."""


class CommandError(DeviceError):
    """The firmware refused a command of the console. Carries the number of the error that it gave."""

    def __init__(
        self, message: str, *, number: int, where: str = "", operation: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, where=where, operation=operation, hint=hint)
        self.number = number


class RigError(HilError):
    """The bench as a whole: its service, its lock, its states, its shutdown."""


class RigBusyError(RigError):
    """Another process holds the rig."""


class ServiceError(RigError):
    """The program that the bench needs did not start, did not become ready, or died."""


class StateError(RigError):
    """A transition between states of the board is not possible on this rig."""


class BringUpError(RigError):
    """The bring-up found something wrong on the bench."""


class TeardownError(RigError):
    """Steps of the rig's shutdown failed or ran out of time; the other steps were still done.

    ``errors`` holds one entry per failed step; ``str()`` lists them, one indented line each.
    """

    def __init__(self, errors: Sequence[HilError], *, where: str) -> None:
        super().__init__(
            f"{len(errors)} step(s) of the shutdown failed, the others were done",
            where=where,
            hint="check the bench by eye before touching it: an output may still be on",
        )
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {error}" for error in self.errors)])


class FirmwareBuildError(HilError):
    """The firmware did not build; ``message`` holds the tool's own words."""


class ImageError(HilError):
    """A firmware image cannot be used: not an ELF for this part, no such symbol, outside the flash."""


class ModelError(HilError):
    """A network file or a generated table is missing, malformed or does not match another."""


class RecordingError(HilError):
    """A recording of a machine cannot be used: unreadable, incomplete, or its rate or unit is not stated."""


class MeasurementError(HilError):
    """Measured data cannot be evaluated: no phase found, too few samples, units that do not meet."""


class InconclusiveError(HilError):
    """A measurement is too uncertain for its limit: the device has not failed, and has not passed."""


class ResultsError(HilError):
    """A results folder or the history cannot be read or written."""


def one_line(error: BaseException) -> str:
    """A library's words in one line, as those of :class:`HilError` are."""
    return " ".join(str(error).split()) or type(error).__name__
