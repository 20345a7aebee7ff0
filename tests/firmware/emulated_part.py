# SPDX-License-Identifier: Apache-2.0
"""A firmware image on the emulated part, without a bench around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial

import numpy as np

from hil.boards import REFERENCE
from hil.firmware.image import Image
from hil.instruments.records import Record, RecordParser, command_line
from tests.twin.bare_part import PS_PER_S, BarePart

BAUD = 115200
LSE_START_S = 2.0
"""DS10198 Rev 8, table 58: typical."""
SERVE = 0x5345_5256
CONTROL, REQUEST, RESPONSE, COMMAND, STATUS = 8, 12, 16, 20, 24


class Part(BarePart):
    """A powered part that runs an image, with its console and markers recorded."""

    def __init__(
        self, image: Image, board: str = REFERENCE, markers: tuple[str, str] = ("PA8", "PB10")
    ) -> None:
        super().__init__(image, board=board)
        self.image = image
        self.console = ""
        self.records: list[Record] = []
        self.asked = 0
        self.edges: list[tuple[float, str, bool | None]] = []
        self.mcu.console_uart.transmitted.connect(self._byte_sent)
        for name in markers:
            self.pins[name].level_out_changed.connect(self._listener(name))
        self.mcu.set_supply_voltage(3.0)
        self.advance(1e-3)

    def _byte_sent(self, time_ps: int, byte: int, baud: float) -> None:
        self.console += chr(byte)

    def _listener(self, name: str) -> Callable[[int, bool | None], None]:
        return lambda time_ps, level: self.edges.append((time_ps / PS_PER_S, name, level))

    def charge_by_clock(self, start_s: float, end_s: float) -> dict[tuple[str, float], tuple[float, float]]:
        """What the part draws between two instants (s) to come: time in s and charge in C by mode and core
        clock in MHz.
        """
        self.advance_to(round(start_s * PS_PER_S))
        steps: list[tuple[int, tuple[str, float]]] = []
        record = self.mcu.supply.record

        def note(time_ps: int, current_a: float) -> None:
            mode = self.mcu.mode
            clock_hz = 0 if mode.startswith("stop") else self.mcu.peripherals.rcc.clocks.hclk_hz
            if steps and steps[-1][0] == time_ps:
                steps.pop()
            steps.append((time_ps, (mode, clock_hz / 1e6)))
            record(time_ps, current_a)

        self.mcu.supply.record = note  # type: ignore[method-assign]
        note(self.mcu.scheduler.now_ps, self.mcu.supply.current_a)
        self.advance_to(round(end_s * PS_PER_S))
        self.mcu.supply.record = record  # type: ignore[method-assign]
        edges_ps = np.array([time_ps for time_ps, _ in steps] + [self.mcu.scheduler.now_ps])
        durations_s = np.diff(edges_ps) / PS_PER_S
        charges_c = self.mcu.supply.mean_current_a(edges_ps) * durations_s
        found: dict[tuple[str, float], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for (_, where), duration_s, charge_c in zip(steps, durations_s, charges_c, strict=True):
            found[where] = (found[where][0] + duration_s, found[where][1] + charge_c)
        return dict(found)

    def rises(self, pin: str) -> list[float]:
        """When the part drove a marker high, in s."""
        return [time_s for time_s, name, level in self.edges if name == pin and level]

    def type(self, data: bytes) -> None:
        """What a terminal sends at 115200 baud, bit by bit; returns after the last stop bit."""
        pin, scheduler = self.pins[self.board.console.rx], self.mcu.scheduler
        start_ps = scheduler.now_ps
        for number, byte in enumerate(data):
            for bit, level in enumerate((0, *(byte >> shift & 1 for shift in range(8)), 1)):
                time_ps = start_ps + (10 * number + bit) * PS_PER_S // BAUD
                scheduler.at(time_ps, partial(pin.set_external_level, bool(level), time_ps))
        self.advance(10 * len(data) / BAUD)

    def wake_console(self, timeout_s: float = 3.0) -> None:
        """Type a line feed, and wait for READY."""
        self.console = ""
        self.type(b"\n")
        self.run_until(lambda: " READY " in self.console and self.console.endswith("\n"), timeout_s)

    def ask(self, verb: str, timeout_s: float = 5.0, **fields: object) -> dict[str, str]:
        """The answer to a command of a part that listens; ``kind`` is ACK or NAK."""
        self.asked += 1
        return self.exchange(command_line(self.asked, verb, fields), self.asked, timeout_s)

    def exchange(self, line: bytes, sequence: int, timeout_s: float = 5.0) -> dict[str, str]:
        """The one answer to a line; ``records`` keeps all that came."""
        self.console = ""
        self.type(line)

        def answers() -> list[Record]:
            self.records = RecordParser().feed(self.console.encode("ascii"), 0.0, 0.0)
            return [record for record in self.records if record.fields.get("cmd") == str(sequence)]

        self.run_until(lambda: bool(answers()), timeout_s)
        (answer,) = answers()
        return {"kind": answer.kind, **answer.fields}

    def run_until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Let time pass until a condition holds, looked at every millisecond."""
        end_s = self.now_s + timeout_s
        while not condition():
            assert self.now_s < end_s, f"not within {timeout_s} s; console: {self.console!r}"
            self.advance(1e-3)

    def reset(self) -> None:
        """A pulse on NRST."""
        self.mcu.set_nrst(True)
        self.advance(1e-4)
        self.mcu.set_nrst(False)

    def serve(self) -> int:
        """Start the mailbox service; its address."""
        mailbox = self.image.symbol("hil_mailbox")
        self.mcu.set_nrst(True)
        self.advance(1e-4)
        self.write_word(mailbox + CONTROL, SERVE)
        self.write_word(mailbox + REQUEST, ~SERVE & 0xFFFF_FFFF)
        self.mcu.set_nrst(False)
        self.advance(0.02)
        return mailbox

    def command(self, mailbox: int, command: int, request: int) -> int:
        """Run a mailbox command; its status."""
        self.write_word(mailbox + COMMAND, command)
        self.write_word(mailbox + REQUEST, request)
        self.advance(0.01)
        assert self.read_word(mailbox + RESPONSE) == request
        return self.read_word(mailbox + STATUS)
