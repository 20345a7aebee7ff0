# SPDX-License-Identifier: Apache-2.0
"""Flash wait states of an executed trace, simulated line by line: a second opinion on the twin's flash
timing.

Written from RM0351 3.3.4 alone ("Read access latency", "Adaptive real-time memory accelerator"): the flash
is read 64 bits at a time, a read takes LATENCY more cycles than the first; the prefetch reads the next line
while the present one is executed; the instruction cache keeps 32 lines of 4 x 64 bits that were branched to,
the data cache 8 of what the D-Code bus reads; both forget the least recently used.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

LINE_BYTES = 8
ROW_BYTES = 4 * LINE_BYTES


@dataclass
class Cache:
    """Rows of four 64-bit words, each word valid or not."""

    rows: int
    content: OrderedDict[int, set[int]] = field(default_factory=OrderedDict)

    def hit(self, line: int) -> bool:
        row = line // ROW_BYTES
        if line not in self.content.get(row, ()):
            return False
        self.content.move_to_end(row)
        return True

    def keep(self, line: int) -> None:
        row = line // ROW_BYTES
        self.content.setdefault(row, set()).add(line)
        self.content.move_to_end(row)
        if len(self.content) > self.rows:
            self.content.popitem(last=False)


@dataclass
class Flash:
    """The interface between core and flash; `now` is the core's cycle count with all stalls."""

    wait_states: int
    prefetch: bool
    instruction_cache: bool
    data_cache: bool
    stalls: int = 0

    def __post_init__(self) -> None:
        self._instructions, self._data = Cache(32), Cache(8)
        self._line = -1
        self._next = -1
        self._next_ready = 0
        self._free = 0  # when the array can begin another read

    def fetch(self, line: int, now: int) -> int:
        """Return the stall before an instruction in the 64-bit line at `line` can be executed."""
        if line == self._line:
            return 0
        stall = 0
        if self.prefetch and line == self._next:
            stall = max(0, self._next_ready - now)
            self._next = -1
        elif self.instruction_cache and self._instructions.hit(line):
            pass
        else:
            stall = max(0, self._free - now) + self.wait_states
            self._free = now + stall
        if self.instruction_cache:
            self._instructions.keep(line)
        self._line = line
        following = line + LINE_BYTES
        if self.prefetch and following != self._next:
            if not (self.instruction_cache and self._instructions.hit(following)):
                begin = max(now + stall, self._free)
                self._next, self._next_ready = following, begin + self.wait_states + 1
                self._free = self._next_ready
            else:
                self._next = -1
        self.stalls += stall
        return stall

    def load(self, address: int, now: int) -> int:
        """Return the stall of a data access to the flash."""
        line = address & ~(LINE_BYTES - 1)
        if self.data_cache and self._data.hit(line):
            return 0
        stall = max(0, self._free - now) + self.wait_states
        self._free = now + stall
        if self.data_cache:
            self._data.keep(line)
        self.stalls += stall
        return stall
