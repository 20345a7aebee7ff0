# SPDX-License-Identifier: Apache-2.0
"""Voltage reference buffer (RM0351, VREFBUF section): as far as it draws current.

Its output is not modelled: VREF+ is tied to VDDA on the board (UM1724 Rev 14, SB57).
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.signal import Signal

CSR: Final = 0x00
CCR: Final = 0x04

_ENVR, _HIZ, _VRS, _VRR = 1, 1 << 1, 1 << 2, 1 << 3


class Vrefbuf(RegisterBlock):
    """The VREFBUF; ``power_changed`` tells that its supply current may have."""

    resets: ClassVar[Mapping[int, int]] = {CSR: _HIZ, CCR: 0}
    writable: ClassVar[Mapping[int, int]] = {CSR: _ENVR | _HIZ | _VRS, CCR: 0x3F}
    not_modelled: ClassVar[Mapping[int, int]] = {CSR: _VRS, CCR: 0x3F}
    """The voltage, and its trimming."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self.power_changed: Signal[[]] = Signal(required=True)

    @property
    def buffering(self) -> bool:
        """ENVR without HIZ: the buffer drives VREF+; with HIZ it only holds."""
        return self.words[CSR] & (_ENVR | _HIZ) == _ENVR

    def read_word(self, offset: int) -> int:
        """VRR is set while the buffer drives: its start-up time is not modelled."""
        return super().read_word(offset) | (_VRR if offset == CSR and self.buffering else 0)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        self.store(offset, value)
        self.power_changed()
