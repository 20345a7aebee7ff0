# SPDX-License-Identifier: Apache-2.0
"""MCU debug component (RM0351, debug section): identity, clocks in low-power modes, timer freeze.

A system reset leaves it alone: a debugger's settings last until the next power-on.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.signal import Signal

IDCODE: Final = 0x00
CR: Final = 0x04
APB1FZR1: Final = 0x08
APB1FZR2: Final = 0x0C
APB2FZR: Final = 0x10

_FREEZE: Final = {
    **{f"TIM{n}": (APB1FZR1, n - 2) for n in range(2, 8)},
    "RTC": (APB1FZR1, 10),
    "IWDG": (APB1FZR1, 12),
    "WWDG": (APB1FZR1, 11),
    "LPTIM1": (APB1FZR1, 31),
    "LPTIM2": (APB1FZR2, 5),
    "TIM1": (APB2FZR, 11),
    "TIM8": (APB2FZR, 13),
    "TIM15": (APB2FZR, 16),
    "TIM16": (APB2FZR, 17),
    "TIM17": (APB2FZR, 18),
}


class Dbgmcu(RegisterBlock):
    """The DBGMCU. ``changed`` tells of a write."""

    resets: ClassVar[Mapping[int, int]] = {IDCODE: 0, CR: 0, APB1FZR1: 0, APB1FZR2: 0, APB2FZR: 0}
    writable: ClassVar[Mapping[int, int]] = {IDCODE: 0, CR: 0xE7}

    not_modelled: ClassVar[Mapping[int, int]] = {CR: 0xE0, APB1FZR1: 0x02E0_0000}
    """Trace pins; time-outs of I2C's SMBus, and CAN."""
    stored_only: ClassVar[Mapping[int, int]] = {CR: 1}
    """DBG_SLEEP: the debug port reaches the bus in Sleep either way here."""

    def __init__(self, block: Block, device_id: int) -> None:
        super().__init__(block)
        self.changed: Signal[[]] = Signal(required=True)
        self.device_id = device_id
        """What IDCODE reads."""

    def reset(self) -> None:
        """A system reset changes nothing."""

    def power_on_reset(self) -> None:
        """Power-on clears the debug settings."""
        super().reset()

    @property
    def keeps_stop_clocked(self) -> bool:
        """DBG_STOP: HCLK and FCLK stay on in Stop."""
        return bool(self.words[CR] & 2)

    @property
    def keeps_standby_clocked(self) -> bool:
        """DBG_STANDBY: the digital part stays powered and clocked in Standby and Shutdown."""
        return bool(self.words[CR] & 4)

    def freezes(self, name: str) -> bool:
        """Whether the counter of peripheral ``name`` stops while a debugger holds the core."""
        where = _FREEZE.get(name)
        return where is not None and bool(self.words[where[0]] >> where[1] & 1)

    def read_word(self, offset: int) -> int:
        """Read a register."""
        return self.device_id if offset == IDCODE else super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        self.store(offset, value)
        self.changed()
