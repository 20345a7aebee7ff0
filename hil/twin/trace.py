# SPDX-License-Identifier: Apache-2.0
"""A trace of the part as a value change dump, which GTKWave, PulseView, Surfer and others open.

Times are bench time in picoseconds. Signals: ``power`` has the mode (as text and as a number), the clock in
Hz, the supply voltage and current; ``reset`` whether the core is held in reset, and NRST; ``pins`` each
pin of the package as the world sees it, with its role on the bench; ``console`` the bytes and the last line.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from io import TextIOBase
from pathlib import Path
from typing import IO, Any, BinaryIO, cast, get_args

import numpy as np
from vcd import VCDWriter

from hil.twin.bench import Bench
from hil.twin.console import ConsoleServer
from hil.twin.errors import TwinError
from hil.twin.pins import Pin
from hil.twin.power.operating_point import Mode
from hil.twin.status import CLOCKLESS

MODES: tuple[str, ...] = get_args(Mode)
"""The modes in the order of their numbers in the trace."""

BONDED_PORTS = ("A", "B", "C", "H")
"""Ports that the LQFP64 package brings out, besides PD2 (DS10198 Rev 8, pinouts)."""

_CHUNK_BYTES = 1 << 16
_FLUSH_S = 0.5
"""Wall-clock time after which the file has what was traced, so that a viewer may open it meanwhile."""


class WholeLines(TextIOBase):
    """Text to a file in pieces that end with a line: what a killed process leaves behind still opens."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting: list[str] = []
        self._size = 0
        self._flushed_s = time.monotonic()

    def write(self, text: str) -> int:
        """Take text; see :class:`WholeLines`."""
        self._waiting.append(text)
        self._size += len(text)
        late = time.monotonic() > self._flushed_s + _FLUSH_S
        if (late or self._size >= _CHUNK_BYTES) and text.endswith("\n"):
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Hand on all there is."""
        self._file.write("".join(self._waiting).encode("utf-8"))
        self._file.flush()
        self._waiting.clear()
        self._size = 0
        self._flushed_s = time.monotonic()

    def close(self) -> None:
        """Hand on all there is, and end the file."""
        if not self._file.closed:
            self.flush()
            self._file.close()


class Trace:
    """Writes from the moment it is made until :meth:`close`. The bench's lock is held while it is made.

    Raises:
        TwinError: the file cannot be written.
    """

    def __init__(self, bench: Bench, console: ConsoleServer, path: Path) -> None:
        self._bench = bench
        try:
            self._lines = WholeLines(path.open("wb"))
        except OSError as error:
            raise TwinError(f"the trace {path} cannot be written: {error.strerror}") from error
        self._lock = threading.Lock()
        """The bench may be busy for ever when it is to end: closing does not wait for it."""
        self._closed = False
        self._last_ps = bench.scheduler.now_ps
        self._writer = VCDWriter(
            cast("IO[str]", self._lines),
            timescale="1 ps",
            comment="modes: " + ", ".join(f"{number} {mode}" for number, mode in enumerate(MODES)),
            init_timestamp=self._last_ps,
        )
        add = self._writer.register_var
        mcu = bench.mcu
        self._mode = add("power", "mode", "string", init=mcu.mode)
        self._mode_number = add("power", "mode_number", "integer", size=8, init=MODES.index(mcu.mode))
        self._clock = add("power", "clock_hz", "integer", size=32, init=self._clock_hz(mcu.mode))
        self._current = add("power", "current_a", "real", init=mcu.supply.current_a)
        self._voltage = add("power", "supply_v", "real", init=mcu.supply_voltage_v)
        self._held = add("reset", "core_held", "wire", size=1, init=mcu.mode in ("off", "reset"))
        self._nrst = add("reset", "nrst", "wire", size=1, init=not mcu.nrst_low)
        roles: dict[str, list[str]] = {}
        for role, wire in bench.config.wires.items():
            roles.setdefault(wire.pin or "", []).append(role)
        for name, pin in bench.pins.items():
            if name[1] in BONDED_PORTS or name == "PD2":
                title = "_".join([name, *roles.get(name, ())])
                self._watch_pin(pin, add("pins", title, "wire", size=1, init=_level(pin)))
        self._bytes = {
            "sent": add("console", "sent", "wire", size=8, init="z"),
            "typed": add("console", "typed", "wire", size=8, init="z"),
        }
        self._line = add("console", "line", "string", init="")
        mcu.supply.recorded.connect(self._current_recorded)
        console.byte_passed.connect(self._console_byte)
        self._console = console
        self._writer.flush()

    def close(self) -> None:
        """Write what is still to be written, and end the file; later changes are not traced."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._bench.mcu.supply.recorded.disconnect(self._current_recorded)
                self._write_planned_steps()
                self._writer.close(self._last_ps)
                self._lines.close()

    def _change(self, variable: Any, value: Any) -> None:
        with self._lock:
            if not self._closed:
                self._write_planned_steps()
                self._writer.change(variable, self._last_ps, value)

    def _write_planned_steps(self) -> None:
        """The current may have changed since by a plan, of which nobody tells."""
        now_ps, supply = self._bench.scheduler.now_ps, self._bench.mcu.supply
        if now_ps > self._last_ps:
            start_ps, self._last_ps = max(self._last_ps, supply.known_from_ps), now_ps
            for step_ps in supply.step_times_ps(start_ps, now_ps).tolist():
                (current_a,) = supply.mean_current_a(np.array([step_ps, step_ps + 1]))
                self._writer.change(self._current, step_ps, float(current_a))

    def _clock_hz(self, mode: str) -> int:
        return 0 if mode in CLOCKLESS else self._bench.mcu.peripherals.rcc.clocks.hclk_hz

    def _current_recorded(self, current_a: float) -> None:
        """Whatever changes the part's state asks for its current anew."""
        mcu = self._bench.mcu
        mode = mcu.mode
        self._change(self._mode, mode)
        self._change(self._mode_number, MODES.index(mode))
        self._change(self._clock, self._clock_hz(mode))
        self._change(self._current, current_a)
        self._change(self._voltage, mcu.supply_voltage_v)
        self._change(self._held, mode in ("off", "reset"))
        self._change(self._nrst, not mcu.nrst_low)

    def _watch_pin(self, pin: Pin, variable: Any) -> None:
        def changed(_time_ps: int, _level_now: bool | None) -> None:
            self._change(variable, _level(pin))

        listener: Callable[[int, bool | None], None] = changed
        pin.level_out_changed.connect(listener)
        pin.external_level_changed.connect(listener)

    def _console_byte(self, direction: str, byte: int) -> None:
        self._change(self._bytes[direction], byte & 0xFF)
        if direction == "sent" and byte == ord("\n"):
            # Blanks would end the value: viewers read a string up to the next one.
            self._change(self._line, self._console.last_line.replace(" ", "_"))


def _level(pin: Pin) -> bool | str:
    """What a voltmeter would find: what the part drives, else what the world does, else nothing."""
    level = pin.external_level if pin.level_out is None else pin.level_out
    return "z" if level is None else level
