# SPDX-License-Identifier: Apache-2.0
"""The status registers of one channel of an N6705C, and what they say of its output and its scope."""

from __future__ import annotations

from hil.errors import InstrumentTimeoutError, ProtocolError
from hil.instruments.protocols import Clock
from hil.instruments.scpi_link import ScpiLink

_ARMED_BITS = 8 | 32
"""STATus:OPERation:CONDition bits 3 (WTG-meas) and 5 (MEAS-active, the measurement system is initiated).
The N6705C's guide calls bit 3 unused and its sibling's lists it (N6705C and N6701C Operating and Service
Guides, Operation Status Group), so either is taken for armed."""
_ARM_S = 5.0
_ARM_POLLS = 1000
"""Bench time and status reads before arming counts as failed (assumptions); a read takes 0.1 ms to 60 ms."""
_SETTLE_S = 2.0
_SETTLE_POLLS = 1000
"""Bench time and status reads that an output gets for regulating: 35 to 60 ms (Series N6700 User's Guide)."""

_DISABLED_BY = {
    1: "its over-voltage protection",
    2: "its over-current protection",
    4: "a failing line voltage",
    8: "the positive power limit",
    16: "over-temperature",
    32: "the negative power limit",
    64: "the negative over-voltage protection, as with reversed sense leads",
    512: "an external inhibit signal",
    2048: "a protection of another channel to which it is coupled",
    4096: "the oscillation detector",
}
"""STATus:QUEStionable:CONDition, by bit value: what has disabled or limits the output (N6705C Operating and
Service Guide, Questionable Status Group)."""
_WATCHDOG_BIT = 2048
"""With an output watchdog set this bit is its (assumption: the guide names coupled protections only)."""
_UNREGULATED_BIT = 1024


class OutputStatus:
    """What the channel's output and scope are doing, asked by status query."""

    def __init__(self, link: ScpiLink, channels: str, clock: Clock, output_watchdog_s: float | None) -> None:
        """Nothing is asked yet.

        Args:
            link: the conversation with the instrument.
            channels: the channel as a list, ``(@1)``.
            clock: the bench's clock.
            output_watchdog_s: the time of the output watchdog, if it is set.
        """
        self._link, self._channels, self._clock = link, channels, clock
        self._output_watchdog_s = output_watchdog_s

    def wait_regulated(self) -> None:
        """Wait until the output regulates. Raises ProtocolError if it does not, or if it is disabled."""
        deadline_s = self._clock.now_s() + _SETTLE_S
        for _ in range(_SETTLE_POLLS):
            if not self.check() & _UNREGULATED_BIT:
                return
            if self._clock.now_s() >= deadline_s:
                break
        raise ProtocolError(
            f"the output is unregulated after {_SETTLE_S:g} s",
            where=self._link.where,
            operation="supply on",
            hint="look for a second supply at the board; its current jumper must be open",
        )

    def check(self) -> int:
        """The questionable status. Raises ProtocolError if it says that the output is disabled."""
        status = int(self._link.query_number(f"STAT:QUES:COND? {self._channels}"))
        if status & _WATCHDOG_BIT and self._output_watchdog_s is not None:
            raise ProtocolError(
                f"the output watchdog has switched the supply off (questionable status {status})",
                where=self._link.where,
                operation="supply",
                expected=f"a message at least every {self._output_watchdog_s:g} s",
                hint="a longer [power_analyzer] output_watchdog than the longest pause between messages",
            )
        causes = [cause for bit, cause in _DISABLED_BY.items() if status & bit]
        if causes:
            raise ProtocolError(
                f"the protection tripped: {', '.join(causes)} (questionable status {status})",
                where=self._link.where,
                operation="supply",
                hint="look for a short circuit or a second supply at the board; is its current jumper open?",
            )
        return status

    def wait_armed(self) -> None:
        """Wait until an acquisition has been initiated. Raises InstrumentTimeoutError."""
        deadline_s = self._clock.now_s() + _ARM_S
        for _ in range(_ARM_POLLS):
            if int(self._link.query_number(f"STAT:OPER:COND? {self._channels}")) & _ARMED_BITS:
                return
            if self._clock.now_s() >= deadline_s:
                break
        raise InstrumentTimeoutError("not ready for the trigger", where=self._link.where, operation="capture")
