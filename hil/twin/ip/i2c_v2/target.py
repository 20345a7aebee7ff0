# SPDX-License-Identifier: Apache-2.0
"""An I2C as a target (RM0351, I2C section: slave mode): its addresses, stretching, byte control."""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.ip.i2c_v2 import registers as reg
from hil.twin.ip.i2c_v2.bus import I2cAddress
from hil.twin.ip.register_block import field

_HEADER: Final = 0b11110_00
"""ADDCODE of an address of 10 bits, with its two highest bits (RM0351, I2C_ISR)."""
_RESERVED: Final = (0b0000, 0b1111)
"""The highest four bits of addresses that a masked OA2 does not answer."""
_OPEN: Final = 0xFF
"""What is sent without data: nobody pulls SDA low."""


class TargetMode:
    """The target side of an I2C, working on its registers.

    ``hears`` says whether it listens now; ``refresh`` renews the interrupts, ``request_tx`` and
    ``request_rx`` ask for DMA.
    """

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        hears: Callable[[], bool],
        refresh: Callable[[], None],
        request_tx: Callable[[], object],
        request_rx: Callable[[], object],
    ) -> None:
        self._words = words
        self._hears = hears
        self._refresh = refresh
        self._request_tx = request_tx
        self._request_rx = request_rx
        self._on_release: Callable[[], None] | None = None
        self.addressed = False
        """Between its address and a STOP, or a START for somebody else."""
        self._involved = False
        """Addressed since the bus was free."""
        self._sends = False
        self._shift_in: int | None = None
        """A byte that came while RXDR was full."""
        self._shift_out: int | None = None
        self._wants_data = False
        self._refuses = False
        self._left = 0

    @property
    def holds_clock(self) -> bool:
        """Stretching: ADDR or TCR wait for software, or a data register does."""
        words = self._words()
        if not self.addressed or words[reg.CR1] & reg.NOSTRETCH:
            return False
        full = self._shift_in is not None
        return bool(words[reg.ISR] & (reg.ADDR | reg.TCR)) or full or self._wants_data

    def on_release(self, action: Callable[[], None]) -> None:
        """Call ``action`` once, when SCL is let go."""
        self._on_release = action

    def start(self, address: I2cAddress, *, read: bool) -> bool:
        """A START with an address; returns whether it acknowledges."""
        self.addressed = False
        code = self._match(address, read=read) if self._hears() else None
        if code is None:
            return False
        words = self._words()
        self.addressed = self._involved = True
        self._sends = read
        self._shift_in = self._shift_out = None
        self._refuses = self._wants_data = False
        self._left = field(words[reg.CR2], 16, 8)
        words[reg.CR2] &= ~reg.NACK
        flags = words[reg.ISR] & ~(reg.DIR | 0x7F << reg.ADDCODE_AT)
        words[reg.ISR] = flags | reg.ADDR | reg.BUSY | code << reg.ADDCODE_AT | (reg.DIR if read else 0)
        if words[reg.CR1] & reg.NOSTRETCH and read:
            self._ask_for_data()
        self._refresh()
        return True

    def receive(self, byte: int) -> None:
        """The eight bits of a byte have come."""
        words = self._words()
        if not self.addressed:  # switched off meanwhile
            self._refuses = True
            return
        self._refuses = bool(words[reg.CR2] & reg.NACK) and not words[reg.CR1] & reg.SBC
        if not words[reg.ISR] & reg.RXNE:
            self._take(byte)
        elif words[reg.CR1] & reg.NOSTRETCH:
            words[reg.ISR] |= reg.OVR
            self._refuses = True
        else:
            self._shift_in = byte
        if words[reg.CR1] & reg.SBC:
            self._left -= 1
            if self._left <= 0 and words[reg.CR2] & reg.RELOAD:
                words[reg.ISR] |= reg.TCR
        self._refresh()

    def acknowledges(self) -> bool:
        """Whether it acknowledges that byte; asked after it let go of the clock."""
        words = self._words()
        if words[reg.CR1] & reg.SBC and words[reg.CR2] & reg.NACK:
            self._refuses = True
        if self._refuses:
            words[reg.CR2] &= ~reg.NACK
            self.addressed = False
        return not self._refuses

    def prepare(self) -> None:
        """The controller wants a byte: it is to be there when the clock is let go."""
        words = self._words()
        if self._shift_out is not None or not self.addressed:
            return
        if not words[reg.ISR] & reg.TXE:
            self._load()
        elif words[reg.CR1] & reg.NOSTRETCH:
            words[reg.ISR] |= reg.OVR
            self._shift_out = _OPEN
        else:
            self._wants_data = True
            self._ask_for_data()
        self._refresh()

    def send(self, *, last: bool) -> int:
        """The byte's clocks are over; the controller does not acknowledge the ``last`` one."""
        words = self._words()
        byte = _OPEN if self._shift_out is None else self._shift_out
        self._shift_out = None
        if last and self.addressed:
            words[reg.ISR] = words[reg.ISR] & ~reg.TXIS | reg.NACKF
            self._sends = False
            self._refresh()
        return byte

    def stop(self) -> None:
        """A STOP, which is flagged to who was addressed (RM0351, I2C_ISR.STOPF)."""
        if not self._involved:
            return
        self._involved = False
        self.addressed = self._sends = False
        words = self._words()
        words[reg.CR2] &= ~reg.NACK
        words[reg.ISR] = words[reg.ISR] & ~(reg.BUSY | reg.TXIS) | reg.STOPF
        self._refresh()

    def abort(self) -> None:
        """The I2C was switched off: it lets go of both lines."""
        self.addressed = self._involved = self._sends = self._wants_data = self._refuses = False
        self._shift_in = self._shift_out = None
        self._released()

    def address_cleared(self) -> None:
        """ADDRCF."""
        if self.addressed and self._sends:
            self._ask_for_data()
        self._released()

    def data_read(self) -> None:
        """RXDR was read."""
        if self._shift_in is not None:
            byte, self._shift_in = self._shift_in, None
            self._take(byte)
        self._released()

    def data_written(self) -> None:
        """TXDR was written."""
        if self._wants_data:
            self._wants_data = False
            self._load()
        self._released()

    def count_written(self) -> None:
        """CR2 was written: a new number of bytes goes on after TCR."""
        words = self._words()
        self._left = field(words[reg.CR2], 16, 8)
        if words[reg.ISR] & reg.TCR and self._left:
            words[reg.ISR] &= ~reg.TCR
        self._released()

    def _released(self) -> None:
        if not self.holds_clock and self._on_release is not None:
            action, self._on_release = self._on_release, None
            action()

    def _take(self, byte: int) -> None:
        self._words()[reg.RXDR] = byte
        self._words()[reg.ISR] |= reg.RXNE
        if self._words()[reg.CR1] & reg.RXDMAEN:
            self._request_rx()

    def _load(self) -> None:
        """TXDR moves on into the shift register."""
        self._shift_out = self._words()[reg.TXDR]
        self._words()[reg.ISR] |= reg.TXE
        self._ask_for_data()

    def _ask_for_data(self) -> None:
        words = self._words()
        if words[reg.ISR] & reg.TXE and not words[reg.ISR] & reg.TXIS:
            words[reg.ISR] |= reg.TXIS
            if words[reg.CR1] & reg.TXDMAEN:
                self._request_tx()

    def _match(self, address: I2cAddress, *, read: bool) -> int | None:
        """ADDCODE if the address is one of its own."""
        words = self._words()
        first, second = words[reg.OAR1], words[reg.OAR2]
        if address.ten_bits:
            own = first & (reg.OAEN | reg.OA1MODE) == reg.OAEN | reg.OA1MODE
            return _HEADER | address.value >> 8 if own and first & 0x3FF == address.value else None
        if first & (reg.OAEN | reg.OA1MODE) == reg.OAEN and field(first, 1, 7) == address.value:
            return address.value
        masked = field(second, 8, 3)
        differs = (field(second, 1, 7) ^ address.value) >> masked
        reserved = masked and address.value >> 3 in _RESERVED
        if second & reg.OAEN and not differs and not reserved:
            return address.value
        return 0 if words[reg.CR1] & reg.GCEN and address.value == 0 and not read else None
