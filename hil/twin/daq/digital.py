# SPDX-License-Identifier: Apache-2.0
"""Digital terminals: the PFI inputs that counters and triggers listen to, and the static lines."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.daq.device import LINES, PFI_TERMINALS, TERMINALS, line_of_pfi, pfi_of_line
from hil.twin.signal import Signal

EdgeListener = Callable[[int, bool], None]
"""Called with the time in picoseconds and the new level."""


class _Edges(Signal[[int, bool]]):
    """Tells of edges, and tells ``watched`` of each new listener."""

    __slots__ = ("_watched",)

    def __init__(self, watched: Signal[[]]) -> None:
        super().__init__()
        self._watched = watched

    def connect(self, listener: Callable[[int, bool], object]) -> None:
        super().connect(listener)
        self._watched()


class Terminal:
    """One digital input terminal. Undriven it reads low: the device pulls it down (NI 6361
    specifications).
    """

    def __init__(self) -> None:
        self.level = False
        self.watched: Signal[[]] = Signal()
        """Tells when somebody begins to listen to edges; who makes them need not before."""
        self.changed: Signal[[int, bool]] = _Edges(self.watched)
        """Tells of each edge: its time in picoseconds and the new level."""

    def set_level(self, time_ps: int, level: bool | None) -> None:
        """The outside drives ``level``; ``None`` lets go."""
        new = bool(level)
        if new != self.level:
            self.level = new
            self.changed(time_ps, new)


class DigitalLines:
    """The lines of ports 0 to 2. Those of ports 1 and 2 share their screws with the PFI terminals."""

    def __init__(self) -> None:
        self.terminals = {name: Terminal() for name in TERMINALS}
        self.driven: dict[str, Signal[[int, bool | None]]] = {line: Signal() for line in LINES}
        """By lines: tells the time in picoseconds and the level driven, ``None`` once the line is let go."""
        self.readers: dict[str, Callable[[], bool | None]] = {}
        self.overloaded: set[str] = set()
        """Lines whose load pulls them low whatever the device drives."""
        self._driven: dict[str, bool] = {}
        self._inputs = {line: Terminal() for line in LINES if pfi_of_line(line) is None}

    def input(self, line: str) -> Terminal:
        """The level at a line's screw with its edges, for change detection."""
        pfi = pfi_of_line(line)
        return self.terminals[pfi] if pfi is not None else self._inputs[line]

    def put(self, time_ps: int, terminal: str, level: bool) -> None:
        """The device puts a signal on a terminal; a PFI's screw carries it outside."""
        if terminal in PFI_TERMINALS:
            self.drive(time_ps, line_of_pfi(terminal), level)
        else:
            self.terminals[terminal].set_level(time_ps, level)

    def pulse(self, time_ps: int, terminal: str) -> None:
        """A pulse of no length, if anything listens to it."""
        if self.terminals[terminal].changed or terminal in PFI_TERMINALS:
            self.put(time_ps, terminal, True)
            self.put(time_ps, terminal, False)

    def drive(self, time_ps: int, line: str, level: bool | None) -> None:
        """Drive a line, or let it go with ``None``."""
        if self._driven.get(line) is level:
            return
        if level is None:
            del self._driven[line]
        else:
            self._driven[line] = level
        self.input(line).set_level(time_ps, level)
        self.driven[line](time_ps, level)

    def read(self, line: str) -> bool:
        """The level at the screw: what the device drives, else what is connected, else low."""
        if line in self.overloaded:
            return False
        if line in self._driven:
            return self._driven[line]
        if line in self.readers:
            return bool(self.readers[line]())
        pfi = pfi_of_line(line)
        return self.terminals[pfi].level if pfi is not None else False

    def release_all(self, time_ps: int) -> None:
        """Let every line go."""
        for line in tuple(self._driven):
            self.drive(time_ps, line, None)
