# SPDX-License-Identifier: Apache-2.0
"""The option bytes (RM0351, FLASH section, "Option bytes"): programmed, in force, and what they say.

Programming changes the option area. It comes into force when the options are loaded: by OBL_LAUNCH, by a
power-on reset, or on the way out of Standby and Shutdown. The registers show what was loaded until a program
writes to them.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from hil.twin.ip.register_block import field

OPTR: Final = 0x20
FACTORY: Final = {
    OPTR: 0xFFEF_F8AA,
    0x24: 0xFFFF_FFFF,
    0x28: 0x0000_0000,
    0x2C: 0xFF00_00FF,
    0x30: 0xFF00_00FF,
    0x44: 0xFFFF_FFFF,
    0x48: 0x0000_0000,
    0x4C: 0xFF00_00FF,
    0x50: 0xFF00_00FF,
}
"""By the offset of their register: ST ships the part with these option bytes (read from parts; the manual
leaves the reset value open).
"""

_AREA: Final = {
    OPTR: 0x1FFF_7800,
    0x24: 0x1FFF_7808,
    0x28: 0x1FFF_7810,
    0x2C: 0x1FFF_7818,
    0x30: 0x1FFF_7820,
    0x44: 0x1FFF_F808,
    0x48: 0x1FFF_F810,
    0x4C: 0x1FFF_F818,
    0x50: 0x1FFF_F820,
}
"""Where each is in the option area, its complement in the next word (RM0351, "Option byte format")."""
_SYSTEM_BASE: Final = 0x1FFF_0000

RDP_LEVEL_0, RDP_LEVEL_2 = 0xAA, 0xCC
"""Values of the RDP byte; every other one is level 1."""
_NRST_BITS: Final = {"stop0": 12, "stop1": 12, "stop2": 12, "standby": 13, "shutdown": 14}
_IWDG_SW, _WWDG_SW, _SRAM2_RST = 16, 19, 25
_IWDG_RUNS_BITS: Final = {"stop0": 17, "stop1": 17, "stop2": 17, "standby": 18}


class OptionBytes:
    """The option bytes in the system memory (``cells``, based at 0x1FFF0000), and those in force."""

    def __init__(self, cells: npt.NDArray[np.uint8]) -> None:
        self._cells = cells
        self._programmed = dict(FACTORY)
        self.loaded = dict(FACTORY)
        """In force, by the offset of their register."""
        self.program(FACTORY)

    def program(self, words: Mapping[int, int]) -> None:
        """Write the option area; ``words`` are the registers by their offset."""
        for offset in FACTORY:
            word = self._programmed[offset] = words[offset]
            pair = (word | (word ^ 0xFFFF_FFFF) << 32).to_bytes(8, "little")
            at = _AREA[offset] - _SYSTEM_BASE
            self._cells[at : at + 8] = np.frombuffer(pair, dtype=np.uint8)

    def load(self) -> None:
        """Let what is programmed come into force."""
        self.loaded = dict(self._programmed)

    @property
    def read_protected(self) -> bool:
        """RDP: level 1."""
        return self.loaded[OPTR] & 0xFF != RDP_LEVEL_0

    @property
    def brown_out_level(self) -> int:
        """BOR_LEV, 0 to 4."""
        return min(field(self.loaded[OPTR], 8, 3), 4)

    @property
    def erases_sram2_at_reset(self) -> bool:
        """SRAM2_RST is 0: a system reset erases SRAM2."""
        return not self._bit(_SRAM2_RST)

    @property
    def starts_iwdg(self) -> bool:
        """IWDG_SW is 0: the IWDG counts from every reset on."""
        return not self._bit(_IWDG_SW)

    @property
    def starts_wwdg(self) -> bool:
        """WWDG_SW is 0: the WWDG counts from every reset on."""
        return not self._bit(_WWDG_SW)

    def resets_on_entry(self, mode: str) -> bool:
        """nRST_STOP, nRST_STDBY and nRST_SHDW: entering the mode resets the part instead."""
        return mode in _NRST_BITS and not self._bit(_NRST_BITS[mode])

    def freezes_iwdg_in(self, mode: str) -> bool:
        """IWDG_STOP and IWDG_STDBY: the IWDG does not count in the mode."""
        return mode in _IWDG_RUNS_BITS and not self._bit(_IWDG_RUNS_BITS[mode])

    def _bit(self, position: int) -> int:
        return field(self.loaded[OPTR], position)
