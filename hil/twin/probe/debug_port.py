# SPDX-License-Identifier: Apache-2.0
"""The serial wire debug port, SW-DP version 1 (ARM IHI 0031, ADIv5.2, chapter B2), as one client sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyocd.core import exceptions

from hil.twin.probe.access_port import AhbAp
from hil.twin.probe.swd_line import SwdLine

DPIDR_VALUE = 0x2BA01477
"""SW-DP of the STM32L4: Arm, DP version 1, part 0xBA, revision 2 (RM0351, debug support, SW-DP registers)."""

# Addresses of the DP registers; 0x0 and 0x8 differ between reading and writing.
DPIDR = ABORT = 0x0
CTRL_STAT = 0x4
SELECT = RESEND = 0x8
RDBUFF = 0xC

# ABORT (B2.2.1).
ABORT_STKCMPCLR = 1 << 1
ABORT_STKERRCLR = 1 << 2
ABORT_WDERRCLR = 1 << 3
ABORT_ORUNERRCLR = 1 << 4

# CTRL/STAT (B2.2.2): a debugger writes ORUNDETECT, TRNMODE, MASKLANE, TRNCNT and the two power-up requests.
STICKYORUN = 1 << 1
STICKYCMP = 1 << 4
STICKYERR = 1 << 5
READOK = 1 << 6
WDATAERR = 1 << 7
CDBGPWRUPREQ = 1 << 28
CSYSPWRUPREQ = 1 << 30
CTRL_WRITABLE = 0x50FFFF0D

DLCR_BANK = 1
DLCR_VALUE = 0x40
"""Data Link Control Register: turnaround of one bit, its only implemented setting; bit 6 reads as one
(B2.2.3)."""

# SELECT (B2.2.11).
SELECT_APSEL_SHIFT = 24
SELECT_APBANKSEL = 0xF0
SELECT_DPBANKSEL = 0x0F


class DebugPort:
    """One client's debug port: its SELECT, CTRL/STAT and sticky flags, and the access ports behind it.

    Raises pyOCD's ``TransferError`` when nothing acknowledges, and ``TransferFaultError`` (a FAULT
    acknowledge) for accesses through an AP while debug power is not requested or ``STICKYERR`` is set, and
    for those the bus refuses.
    """

    def __init__(self, line: SwdLine, access_ports: Mapping[int, AhbAp]) -> None:
        self._line = line
        self._access_ports = access_ports
        self._lose_state()

    def _lose_state(self) -> None:
        """State after power-up."""
        self._generation = self._line.generation
        self._select = 0
        self._control = 0
        self._sticky = 0
        self._last_ap_read = 0
        for access_port in self._access_ports.values():
            access_port.lose_state()

    def _transfer(self, packets: int) -> None:
        """Spend the time of a request; a port that was without supply since the last one starts anew."""
        self._line.transfer(packets)
        if self._generation != self._line.generation:
            self._lose_state()

    def read(self, address: int) -> int:
        """Read the DP register at ``address`` (0x0 to 0xC)."""
        self._transfer(packets=1)
        if address == DPIDR:
            return DPIDR_VALUE
        if address == CTRL_STAT:
            return self._read_bank(self._select & SELECT_DPBANKSEL)
        if address in (RESEND, RDBUFF):
            return self._last_ap_read
        raise exceptions.ProbeError(f"debug port: no register at {address:#x}; expected 0x0, 0x4, 0x8 or 0xc")

    def write(self, address: int, value: int) -> None:
        """Write the DP register at ``address`` (0x0 to 0xC); more than 32 bits are cut off."""
        self._transfer(packets=1)
        value &= 0xFFFFFFFF
        if address == ABORT:
            self._abort(value)
        elif address == CTRL_STAT:
            if self._select & SELECT_DPBANKSEL == 0:
                self._control = value & CTRL_WRITABLE
        elif address == SELECT:
            self._select = value
        elif address != RDBUFF:  # RDBUFF is read only, a write is ignored
            raise exceptions.ProbeError(
                f"debug port: no register at {address:#x}; expected 0x0, 0x4, 0x8 or 0xc"
            )

    def read_ap(self, address: int, count: int = 1) -> list[int]:
        """Read a register of the selected AP ``count`` times; the last packet is the RDBUFF read."""
        self._transfer(packets=count + 1)
        access_port = self._selected_ap()
        if access_port is None:
            values = [0] * count
        else:
            register = self._register(address)
            try:
                values = access_port.read_block(register, count)
            except exceptions.TransferFaultError:
                self._sticky |= STICKYERR
                raise
        self._last_ap_read = values[-1] if values else self._last_ap_read
        return values

    def write_ap(self, address: int, values: Sequence[int]) -> None:
        """Write ``values`` one after the other to a register of the selected AP."""
        self._transfer(packets=len(values) + 1)
        access_port = self._selected_ap()
        if access_port is not None:
            try:
                access_port.write_block(self._register(address), [value & 0xFFFFFFFF for value in values])
            except exceptions.TransferFaultError:
                self._sticky |= STICKYERR
                raise

    def _read_bank(self, bank: int) -> int:
        if bank == DLCR_BANK:
            return DLCR_VALUE
        acknowledges = (self._control & (CDBGPWRUPREQ | CSYSPWRUPREQ)) << 1
        return self._control | acknowledges | self._sticky | READOK

    def _abort(self, value: int) -> None:
        for bit, flag in (
            (ABORT_STKCMPCLR, STICKYCMP),
            (ABORT_STKERRCLR, STICKYERR),
            (ABORT_WDERRCLR, WDATAERR),
            (ABORT_ORUNERRCLR, STICKYORUN),
        ):
            if value & bit:
                self._sticky &= ~flag

    def _register(self, address: int) -> int:
        return self._select & SELECT_APBANKSEL | address & 0xC

    def _selected_ap(self) -> AhbAp | None:
        """The AP that SELECT names; ``None`` where the part has none (it reads as zero, ADIv5.2 C1.3)."""
        if not self._control & CDBGPWRUPREQ:
            self._sticky |= STICKYERR
            raise exceptions.TransferFaultError(
                "FAULT: debug power is not requested (CTRL/STAT.CDBGPWRUPREQ is 0)"
            )
        if self._sticky & STICKYERR:
            raise exceptions.TransferFaultError("FAULT: STICKYERR is set; clear it through ABORT.STKERRCLR")
        return self._access_ports.get(self._select >> SELECT_APSEL_SHIFT)
