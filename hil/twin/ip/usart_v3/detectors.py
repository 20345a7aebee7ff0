# SPDX-License-Identifier: Apache-2.0
"""What a USART's receiver finds on its line besides frames: breaks, the baud rate, its own address.

Source: RM0351, USART section: LIN break detection, auto baud rate detection, multiprocessor communication.
"""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.usart_v3.registers import (
    ABRE,
    ABREN,
    ABRF,
    ABRMOD_AT,
    ADD_AT,
    ADDM7,
    BRR,
    CMF,
    CR1,
    CR2,
    FE,
    ISR,
    LBDF,
    LBDL,
    LINEN,
    MME,
    OVER8,
    RE,
    RWU,
    RXNE,
    UE,
    WAKE,
)
from hil.twin.uart_line import Format

Words = Callable[[], MutableMapping[int, int]]

_LAST_SAMPLE: Final = 10 / 16
"""Where in a bit the receiver looks for the last time (RM0351, USART, oversampling by 16)."""
_MEASURED: Final = ((True, 1, 1), (False, 2, 2), (False, 2, 8), (False, 5, 8))
"""By ABRMOD: the edges that end the measurement, rising or falling, the how manieth, and the bits up to it.

The falling edge of the start bit is the first one. Mode 0 measures the start bit, mode 1 up to a first bit
that is 1 and a second that is 0, mode 2 a frame 0x7F and mode 3 a frame 0x55, both up to bit 7.
"""
_EXPECTED: Final = {2: 0x7F, 3: 0x55}
_DIVIDERS: Final = range(16, 1 << 16)


class BreakDetector:
    """LIN: a low level for 10 or 11 bits, told when the line is high again."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._fell_ps: int | None = None

    def line_changed(self, time_ps: int, level: bool, baud: float) -> bool:
        """Return whether that is the end of a break, and flag it."""
        words = self._words()
        begun_ps, self._fell_ps = self._fell_ps, None if level else time_ps
        enabled = words[CR1] & UE and words[CR1] & RE and words[CR2] & LINEN
        if not level or begun_ps is None or not baud or not enabled:
            return False
        bits = 11 if words[CR2] & LBDL else 10
        if (time_ps - begun_ps) * baud < (bits - 1 + _LAST_SAMPLE) * PS_PER_S:
            return False
        words[ISR] |= LBDF
        return True


class AutoBaud:
    """Measures the first frame and sets the divider; gives the edges back, to be received at that rate."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._edges: list[tuple[int, bool]] = []
        self._expected: int | None = None

    @property
    def waits(self) -> bool:
        """Whether the next frame is to be measured."""
        words = self._words()
        on = words[CR1] & UE and words[CR1] & RE and words[CR2] & ABREN
        return bool(on) and not words[ISR] & ABRF

    def restart(self) -> None:
        """ABRRQ, or the receiver is off: forget what was measured."""
        self._edges.clear()
        self._expected = None

    def take(self, time_ps: int, level: bool, kernel_hz: int) -> list[tuple[int, bool]]:
        """An edge while it waits; returns all edges of the frame so far once the rate is known."""
        if level and not self._edges:
            return []
        self._edges.append((time_ps, level))
        words = self._words()
        mode = field(words[CR2], ABRMOD_AT, 2)
        rising, count, bits = _MEASURED[mode]
        if sum(edge is rising for _, edge in self._edges) < count:
            return []
        edges, self._edges = self._edges, []
        clocks = (time_ps - edges[0][0]) * kernel_hz / (bits * PS_PER_S)
        divider = round(2 * clocks if words[CR1] & OVER8 else clocks)
        words[ISR] |= ABRF
        if divider not in _DIVIDERS:
            words[ISR] |= ABRE | RXNE | FE
            return []
        words[BRR] = divider & ~0xF | divider >> 1 & 7 if words[CR1] & OVER8 else divider
        self._expected = _EXPECTED.get(mode)
        return edges

    def check(self, data: int) -> None:
        """The measured frame has been received: modes 2 and 3 know what it must be."""
        expected, self._expected = self._expected, None
        if expected is not None and data != expected:
            self._words()[ISR] |= ABRE


class Addressing:
    """Mute mode and the match of characters."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def takes(self, data: int, frame: Format) -> bool:
        """A frame has come: return whether the receiver is to take it."""
        words = self._words()
        if words[CR1] & MME and words[CR1] & WAKE and data & self._mark(frame):
            muted = not self.matches(data, frame)
            words[ISR] = words[ISR] | RWU if muted else words[ISR] & ~RWU
        if words[ISR] & RWU:
            return False
        if data & 0xFF == field(words[CR2], ADD_AT, 8):
            words[ISR] |= CMF
        return True

    def matches(self, data: int, frame: Format) -> bool:
        """Whether a frame is an address, with its highest bit set, and this receiver's."""
        mark = self._mark(frame)
        compared = mark - 1 if self._words()[CR2] & ADDM7 else 0xF
        return bool(data & mark) and not (data ^ field(self._words()[CR2], ADD_AT, 8)) & compared

    def mute(self, *, line_idle: bool) -> None:
        """MMRQ; a receiver that waits for an idle line does not wait for one that is idle already."""
        words = self._words()
        if words[CR1] & MME and (words[CR1] & WAKE or not line_idle):
            words[ISR] |= RWU

    def line_idle(self) -> bool:
        """The line is idle; returns whether that wakes a muted receiver, which then does not flag it."""
        words = self._words()
        if not words[ISR] & RWU:
            return False
        if not words[CR1] & WAKE:
            words[ISR] &= ~RWU
        return True

    def refresh(self) -> None:
        """Without MME nobody is muted."""
        if not self._words()[CR1] & MME:
            self._words()[ISR] &= ~RWU

    @staticmethod
    def _mark(frame: Format) -> int:
        return frame.data_mask + 1 >> 1
