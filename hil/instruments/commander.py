# SPDX-License-Identifier: Apache-2.0
"""Commands to the firmware over its console: wake it, ask, get exactly one answer.

The part mostly sleeps. A falling edge on its receive pin wakes it, and the byte that did it is lost, so a
lone line feed goes first; ``READY`` says that the part listens. It goes on listening until no byte has come
for :data:`LISTENING_S`. Every command is answered by ``ACK`` or ``NAK`` with the command's sequence number.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import CommandError, DeviceTimeoutError
from hil.instruments.device_errors import name_of
from hil.instruments.protocols import Clock, Console
from hil.instruments.records import SEQUENCE_MAX, Record, command_line

LISTENING_S = 0.25
"""How long the part listens after the last byte (the console protocol, version 1)."""
MARGIN_S = 0.05
"""Assumption: what the way through driver, USB and probe may add to that, either way. Around the end of the
listening time nobody knows whether the part still listens; a command waits until it certainly sleeps."""
WAKE_TIMEOUT_S = 3.0
"""Assumption: the longest window (1.024 s), its evaluation on the slowest clock and a report end within this;
a part that is woken while it samples is ready after that."""
ANSWER_TIMEOUT_S = 3.0
"""Assumption: the same for an answer; the slowest command runs a whole duty cycle."""
_POLL_S = 0.01

_ANSWERS = ("ACK", "NAK")


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    record: Record
    """The ``ACK``."""
    before: tuple[Record, ...]
    """Records that came between the command and its answer, in order."""

    def integer(self, key: str, base: int = 10) -> int:
        """A field of the ``ACK`` as an integer. Raises DeviceError if it has none of that name."""
        return self.record.integer(key, base)


class Commander:
    """Speaks to the firmware. Waiting is the bench clock's business, so it works on any bench."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Nothing is sent yet."""
        self._console = console
        self._clock = clock
        self._seq = 0
        self._heard: Record | None = None
        self.corrupted_answers = 0
        """Lines that were no valid record while an answer was awaited."""
        self.stray_answers = 0
        """Valid answers to no command that was waiting: late ones, or second ones."""

    def started_anew(self) -> None:
        """Forget that the part was listening: it was reset or lost its power, and the console is cleared."""
        self._heard = None

    def wake(self, timeout_s: float = WAKE_TIMEOUT_S) -> Record:
        """Wake the part and return its ``READY``.

        Raises:
            DeviceTimeoutError: it does not get ready.
        """
        self._console.poll()
        seen = len(self._console.records)
        garbage = self._console.garbage_lines
        self._console.send(b"\n")
        deadline_s = self._clock.now_s() + timeout_s
        while True:
            self._console.poll()
            for record in self._console.records[seen:]:
                if record.kind == "READY":
                    self._heard = record
                    return record
            self._wait(deadline_s, "wake the part", "READY", timeout_s, garbage)

    def ask(self, verb: str, timeout_s: float = ANSWER_TIMEOUT_S, **fields: object) -> Answer:
        """Order ``verb`` with ``fields``, waking the part first where it may sleep.

        Raises:
            ValueError: a field that a line cannot carry.
            CommandError: the part refuses, or received something else than was sent.
            DeviceTimeoutError: it does not wake, or does not answer within ``timeout_s``.
        """
        self._seq += 1
        return self.exchange(command_line(self._seq, verb, fields), self._seq, timeout_s)

    def exchange(self, line: bytes, seq: int, timeout_s: float = ANSWER_TIMEOUT_S) -> Answer:
        """Send a line as it is and wait for the answer to ``seq``: for lines that are wrong on purpose.

        Raises:
            CommandError, DeviceTimeoutError: as :meth:`ask`.
        """
        self._make_it_listen()
        self._console.poll()
        seen = first = len(self._console.records)
        garbage = self._console.garbage_lines
        self._console.send(line)
        deadline_s = self._clock.now_s() + timeout_s
        operation = line.decode("ascii", errors="replace").strip()
        try:
            while True:
                self._console.poll()
                records = self._console.records
                for number, record in enumerate(records[seen:], start=seen):
                    if record.kind not in _ANSWERS:
                        continue
                    self._heard = record
                    answered = record.integer("cmd")
                    if answered == seq or (answered == SEQUENCE_MAX and record.kind == "NAK"):
                        return self._accepted(Answer(record, tuple(records[first:number])), operation)
                    self.stray_answers += 1
                seen = len(records)
                self._wait(deadline_s, operation, "answer", timeout_s, garbage)
        finally:
            self.corrupted_answers += self._console.garbage_lines - garbage

    def _accepted(self, answer: Answer, operation: str) -> Answer:
        if answer.record.kind == "ACK":
            return answer
        number = answer.record.integer("error")
        unreadable = answer.record.integer("cmd") == SEQUENCE_MAX
        raise CommandError(
            f"refused with error {number}: {name_of(number)}",
            number=number,
            where="console",
            operation=operation,
            hint="the line did not arrive as it was sent: look at baud rate and wiring" if unreadable else "",
        )

    def _make_it_listen(self) -> None:
        """Wake the part unless it certainly listens."""
        self._console.poll()
        told = [record for record in self._console.records if record.kind in (*_ANSWERS, "READY")]
        if self._heard is not None:
            told.append(self._heard)
        if told:
            last = max(told, key=lambda record: record.received_s)
            now_s = self._clock.now_s()
            # The last look at the port may be long past: only then did the part certainly listen.
            if now_s < last.not_before_s + LISTENING_S - MARGIN_S:
                return
            asleep_s = last.received_s + LISTENING_S + MARGIN_S
            if now_s < asleep_s:
                self._clock.sleep(asleep_s - now_s)
        self.wake()

    def _wait(self, deadline_s: float, operation: str, what: str, timeout_s: float, garbage: int) -> None:
        """Let a moment pass. Raises DeviceTimeoutError at the deadline."""
        remaining_s = deadline_s - self._clock.now_s()
        if remaining_s <= 0:
            raise DeviceTimeoutError(
                f"no {what} within {timeout_s:g} s; meanwhile {self._console.garbage_lines - garbage} "
                "line(s) of garbage",
                where="console",
                operation=operation,
                hint="garbage means a wrong clock or baud rate, none at all an open wire or a part that "
                "does not wake",
            )
        self._clock.sleep(min(_POLL_S, remaining_s))
