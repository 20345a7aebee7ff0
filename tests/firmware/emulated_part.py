# SPDX-License-Identifier: Apache-2.0
"""A firmware image on the emulated part, without a bench around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from hil.firmware.image import FLASH_START, Image
from hil.twin.mcu import Stm32l476
from hil.twin.pins import make_pins

PS_PER_S = 10**12
LSE_START_S = 2.0
"""DS10198 Rev 8, table 58: typical."""
SERVE = 0x5345_5256
CONTROL, REQUEST, RESPONSE, COMMAND, STATUS = 8, 12, 16, 20, 24


class Part:
    """A powered part that runs an image, with its console and markers recorded."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.console = ""
        self.edges: list[tuple[float, str, bool | None]] = []
        pins = make_pins()
        self.mcu = Stm32l476(pins, seed=1)
        for segment in image.segments:
            start = segment.address - FLASH_START
            self.mcu.core.memory.flash[start : start + len(segment.data)] = np.frombuffer(
                segment.data, np.uint8
            )
            self.mcu.core.memory.invalidate(segment.address, len(segment.data))
        self.mcu.usart2.on_transmit = self._byte_sent
        for name in ("PA8", "PB10"):
            pins[name].listeners.append(self._listener(name))
        self.mcu.set_supply_voltage(3.0)
        self.run(1e-3)

    def _byte_sent(self, time_ps: int, byte: int, baud: float) -> None:
        self.console += chr(byte)

    def _listener(self, name: str) -> Callable[[int, bool | None], None]:
        return lambda time_ps, level: self.edges.append((time_ps / PS_PER_S, name, level))

    def charge_by_clock(self, start_s: float, end_s: float) -> dict[tuple[str, float], tuple[float, float]]:
        """What the part draws between two instants (s) to come: time in s and charge in C by mode and core
        clock in MHz.
        """
        self._run_to(start_s)
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
        self._run_to(end_s)
        self.mcu.supply.record = record  # type: ignore[method-assign]
        edges_ps = np.array([time_ps for time_ps, _ in steps] + [self.mcu.scheduler.now_ps])
        durations_s = np.diff(edges_ps) / PS_PER_S
        charges_c = self.mcu.supply.mean_current_a(edges_ps) * durations_s
        found: dict[tuple[str, float], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for (_, where), duration_s, charge_c in zip(steps, durations_s, charges_c, strict=True):
            found[where] = (found[where][0] + duration_s, found[where][1] + charge_c)
        return dict(found)

    def _run_to(self, time_s: float) -> None:
        self.run(time_s - self.now_s)

    @property
    def now_s(self) -> float:
        """The time since the part was made, in s."""
        return self.mcu.scheduler.now_ps / PS_PER_S

    def rises(self, pin: str) -> list[float]:
        """When the part drove a marker high, in s."""
        return [time_s for time_s, name, level in self.edges if name == pin and level]

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        end_ps = self.mcu.scheduler.now_ps + round(duration_s * PS_PER_S)
        while self.mcu.scheduler.now_ps < end_ps:
            self.mcu.scheduler.advance_to(end_ps)

    def reset(self) -> None:
        """A pulse on NRST."""
        self.mcu.set_nrst(True)
        self.run(1e-4)
        self.mcu.set_nrst(False)

    def read(self, address: int) -> int:
        """A word, as the debugger sees it."""
        return self.mcu.core.debug_read(address, 4)

    def write(self, address: int, value: int) -> None:
        """Write a word, as the debugger does."""
        self.mcu.core.debug_write(address, 4, value)

    def serve(self) -> int:
        """Start the mailbox service; its address."""
        mailbox = self.image.symbol("hil_mailbox")
        self.mcu.set_nrst(True)
        self.run(1e-4)
        self.write(mailbox + CONTROL, SERVE)
        self.write(mailbox + REQUEST, ~SERVE & 0xFFFF_FFFF)
        self.mcu.set_nrst(False)
        self.run(0.02)
        return mailbox

    def command(self, mailbox: int, command: int, request: int) -> int:
        """Run a mailbox command; its status."""
        self.write(mailbox + COMMAND, command)
        self.write(mailbox + REQUEST, request)
        self.run(0.01)
        assert self.read(mailbox + RESPONSE) == request
        return self.read(mailbox + STATUS)
