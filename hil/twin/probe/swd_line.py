# SPDX-License-Identifier: Apache-2.0
"""The SWD wires: whether anything answers at the other end, what it reads, and how long it takes.

Time policy. A debugger's accesses take bench time, and always the same: ``SWD_PACKET_BITS`` per word at the
SWD clock the client asked for, plus ``REQUEST_OVERHEAD_S`` per request. One read is special: DHCSR of a
core that is not halted. Debuggers poll it, so it returns when the core halts, or after ``HALT_POLL_S``. A
client that asks for nothing else in between waits for the halt alone: each further read waits
``HALT_POLL_GROWTH`` times as long, up to ``HALT_POLL_LONGEST_S`` while the core sleeps. A core that is
found awake costs the host real work, so such a read returns after ``HALT_POLL_SLICE_S``. Nothing else that
a debugger does moves the time, and neither does the wall clock.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import Protocol

from pyocd.core import exceptions

from hil.twin.core.bus import BusFault

SWD_PACKET_BITS = 46
"""One SWD transfer: 8 request, 3 acknowledge, 33 data with parity and 2 turnaround bits (ADIv5.2, chapter
B4)."""

REQUEST_OVERHEAD_S = 125e-6
"""What a request costs besides its bits, one USB high-speed microframe. An ASSUMPTION: the full-speed round
trip of an ST-LINK/V2-1 is nearer 1 ms, and its wall-clock scatter has no place on a bench that repeats
itself."""

HALT_POLL_S = 1e-3
"""How long the first read of DHCSR waits for a running core to halt: one USB full-speed frame. An
ASSUMPTION, as above."""

HALT_POLL_GROWTH = 8
"""How much longer each further one waits: erasing a page (22 ms) takes three reads instead of twenty."""

HALT_POLL_LONGEST_S = 1.0
"""How long one waits at most. pyOCD's gdb server sleeps 0.1 s on the wall between two reads: a
program that sleeps for an hour is then waited for in minutes, and Ctrl-C still reaches one that computes."""

HALT_POLL_SLICE_S = 0.02
"""A long wait lets go of the bench this often, for other clients, and ends if the core then is awake. A
chosen value: erasing a page (22 ms) takes three reads."""

FREQUENCY_MIN_HZ = 5e3
"""The slowest SWD clock of an ST-LINK/V2-1 (UM1075 and the table in pyOCD's ST-LINK driver)."""

DHCSR = 0xE000EDF0
"""Debug Halting Control and Status Register (ARMv7-M ARM, C1.6.2)."""


class Core(Protocol):
    """The part of the Cortex-M4 that the AHB-AP reaches."""

    @property
    def state(self) -> str:
        """``running``, ``sleeping``, ``halted``, ``reset``, ``unpowered`` or ``lockup``."""

    @property
    def debug_access_ok(self) -> bool:
        """Whether the bus behind the AHB-AP is clocked; it is not in Stop without ``DBGMCU_CR.DBG_STOP``."""

    def debug_read(self, address: int, width: int) -> int:
        """Read 1, 2 or 4 bytes; raises ``BusFault``."""

    def debug_write(self, address: int, width: int, value: int) -> None:
        """Write 1, 2 or 4 bytes; raises ``BusFault``."""

    def debug_read_block(self, address: int, byte_count: int) -> bytes:
        """Read memory; raises ``BusFault``."""

    def debug_write_block(self, address: int, data: bytes) -> None:
        """Write memory; raises ``BusFault``."""


class Mcu(Protocol):
    """The part of the microcontroller that the debug connector reaches."""

    @property
    def core(self) -> Core:
        """Its Cortex-M4."""

    @property
    def debug_port_losses(self) -> int:
        """How often the debug port has lost its supply, and its state with it."""

    @property
    def swd_obstacle(self) -> str | None:
        """Why nothing on the part answers SWD, ``None`` if something does."""

    def set_nrst(self, asserted: bool) -> None:
        """Pull the NRST pin low, or release it."""


class DebuggedBench(Protocol):
    """What the probe needs of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""

    @property
    def mcu(self) -> Mcu:
        """The part on the board."""

    @property
    def debug_lines_isolated(self) -> bool:
        """Whether the relay has opened SWDIO, SWCLK and the console lines."""

    @property
    def target_answers(self) -> bool:
        """Whether a target hangs on the lines, and the probe has power."""

    def advance(self, seconds: float) -> None:
        """Let bench time pass."""

    def stop_at_halt(self, limit_s: float) -> None:
        """Let bench time pass until the core has halted, at most ``limit_s``."""


class SwdLine:
    """SWDIO, SWCLK and NRST between one client's debug port and the microcontroller.

    Every method takes the bench's lock. ``TransferError`` (no acknowledge on the wire) is raised when the
    part's debug port has no supply, its pins or its debug lines lead elsewhere, or it has not been selected
    since it last got its supply. ``TransferFaultError`` is raised when the bus behind the AHB-AP refuses an
    access.
    """

    def __init__(self, bench: DebuggedBench, request_s: float | None = None) -> None:
        """``request_s`` is what each request costs besides its bits, if not ``REQUEST_OVERHEAD_S``."""
        self._bench = bench
        self._request_s = REQUEST_OVERHEAD_S if request_s is None else request_s
        self._packet_s = 0.0
        self._nrst_asserted = False
        self._halt_poll_s = HALT_POLL_S
        self._selected_after: int | None = None
        """The debug port's losses of supply when this client selected SWD, ``None`` before it did."""
        self.set_frequency(4e6)

    def select_swd(self) -> None:
        """The JTAG-to-SWD sequence: a port that woke up with JTAG (ADIv5.2, B5.2.2) listens to SWD now.

        Without effect while nothing answers SWD.
        """
        with self._bench.lock:
            if self._obstacle() is None:
                self._selected_after = self._bench.mcu.debug_port_losses

    @property
    def generation(self) -> int | None:
        """Changes whenever the debug port has lost its state: its losses of supply when SWD was selected."""
        return self._selected_after

    def set_frequency(self, frequency_hz: float) -> None:
        """Use an SWD clock of ``frequency_hz``."""
        if not FREQUENCY_MIN_HZ <= frequency_hz < math.inf:
            raise exceptions.ProbeError(
                f"SWD clock: expected at least {FREQUENCY_MIN_HZ:g} Hz, not {frequency_hz!r}"
            )
        self._packet_s = SWD_PACKET_BITS / frequency_hz

    def transfer(self, packets: int) -> None:
        """Spend the time of one request of ``packets`` SWD packets; something must acknowledge them."""
        with self._bench.lock:
            self._bench.advance(self._request_s + packets * self._packet_s)
            obstacle = self._obstacle()
            if obstacle is None and self._selected_after != self._bench.mcu.debug_port_losses:
                obstacle = "the debug port has lost its state with its supply; connect again"
            if obstacle is not None:
                raise exceptions.TransferError(f"no ACK: {obstacle}")

    def _obstacle(self) -> str | None:
        if self._bench.debug_lines_isolated:
            return "the debug lines are open (the relay of role debug_connection is at rest)"
        if not self._bench.target_answers:
            return "no target answers at the probe's end of the lines"
        return self._bench.mcu.swd_obstacle

    def read(self, address: int, width: int) -> int:
        """Read ``width`` bytes (1, 2, 4) at ``address`` through the AHB-AP."""
        if address == DHCSR:
            self._wait_for_halt()
        else:
            self._halt_poll_s = HALT_POLL_S
        with self._bench.lock:
            core = self._clocked_core()
            try:
                return core.debug_read(address, width)
            except BusFault as fault:
                raise exceptions.TransferFaultError(
                    str(fault), fault_address=address, length=width
                ) from fault

    def write(self, address: int, width: int, value: int) -> None:
        """Write ``width`` bytes (1, 2, 4) at ``address`` through the AHB-AP."""
        self._halt_poll_s = HALT_POLL_S
        with self._bench.lock:
            try:
                self._clocked_core().debug_write(address, width, value)
            except BusFault as fault:
                raise exceptions.TransferFaultError(
                    str(fault), fault_address=address, length=width
                ) from fault

    def read_block(self, address: int, byte_count: int) -> bytes:
        """Read ``byte_count`` bytes from ``address`` on."""
        self._halt_poll_s = HALT_POLL_S
        with self._bench.lock:
            try:
                return self._clocked_core().debug_read_block(address, byte_count)
            except BusFault as fault:
                raise exceptions.TransferFaultError(
                    str(fault), fault_address=address, length=byte_count
                ) from fault

    def write_block(self, address: int, data: bytes) -> None:
        """Write ``data`` from ``address`` on."""
        self._halt_poll_s = HALT_POLL_S
        with self._bench.lock:
            try:
                self._clocked_core().debug_write_block(address, data)
            except BusFault as fault:
                raise exceptions.TransferFaultError(
                    str(fault), fault_address=address, length=len(data)
                ) from fault

    @property
    def nrst_asserted(self) -> bool:
        """Whether this client's probe pulls NRST low."""
        return self._nrst_asserted

    def set_nrst(self, asserted: bool) -> None:
        """Pull NRST low, or let its pull-up raise it; without effect while the lines are isolated."""
        self._halt_poll_s = HALT_POLL_S
        with self._bench.lock:
            self._bench.advance(self._request_s)
            if not self._bench.debug_lines_isolated:
                self._bench.mcu.set_nrst(asserted)
            self._nrst_asserted = asserted

    def wait(self, seconds: float) -> None:
        """Let bench time pass."""
        with self._bench.lock:
            self._bench.advance(seconds)

    def _wait_for_halt(self) -> None:
        """Let a core that is not halted go on, for as long as this client's patience says."""
        rest_s = self._halt_poll_s
        while rest_s > 0:
            with self._bench.lock:
                if self._clocked_core().state in ("halted", "reset"):
                    self._halt_poll_s = HALT_POLL_S
                    return
                self._bench.stop_at_halt(min(rest_s, HALT_POLL_SLICE_S))
                if self._bench.mcu.core.state == "running":
                    rest_s = min(rest_s, HALT_POLL_SLICE_S)
            rest_s -= HALT_POLL_SLICE_S
        self._halt_poll_s = min(HALT_POLL_GROWTH * self._halt_poll_s, HALT_POLL_LONGEST_S)

    def _clocked_core(self) -> Core:
        core = self._bench.mcu.core
        if not core.debug_access_ok:
            raise exceptions.TransferFaultError(
                "the AHB-AP's bus has no clock: the part is in a Stop mode "
                "and DBGMCU_CR.DBG_STOP does not keep it clocked; connect under reset"
            )
        return core
