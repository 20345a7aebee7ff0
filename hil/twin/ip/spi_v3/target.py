# SPDX-License-Identifier: Apache-2.0
"""An SPI as a target (RM0351, SPI section: slave mode): another one's clock shifts its frames out and in.

The two may have frames of different lengths: the bits go on where they stopped, until it is deselected.
"""

from typing import Final, Protocol

UNDERRUN: Final = 0
"""What goes out while the transmit FIFO is empty (assumption spi_open_lines)."""


class Owner(Protocol):
    """The SPI that works as a target."""

    def next_frame(self) -> tuple[int, int, bool]:
        """The next frame to shift out, first bit highest: its bits, their number, and if it is CRC."""

    def frame_over(self, sent: int, received: int, *, is_crc: bool) -> None:
        """A frame was shifted out and in, first bit highest."""


class TargetSide:
    """The shift register of an SPI that another one clocks."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._frame: tuple[int, int, bool] | None = None
        self._given = 0
        """Bits of the frame that went out."""
        self._taken = 0
        self._received = 0
        self._later: list[tuple[int, int, bool]] = []
        """Frames that began to go out while bits of an earlier one were still to come in."""

    @property
    def busy(self) -> bool:
        """Whether a frame has begun."""
        return self._frame is not None

    def reset(self) -> None:
        """Deselected, or switched off: a frame under way is lost."""
        self._frame = None
        self._given = self._taken = self._received = 0
        self._later.clear()

    def shift_out(self, count: int) -> int:
        """The next ``count`` bits for the controller, the first one highest."""
        value = 0
        for _ in range(count):
            frame = self._later[-1] if self._later else self._frame
            if frame is None or self._given == frame[1]:
                fresh = self._owner.next_frame()
                if self._frame is None:
                    self._frame = fresh
                else:
                    self._later.append(fresh)
                frame, self._given = fresh, 0
            self._given += 1
            value = value << 1 | frame[0] >> frame[1] - self._given & 1
        return value

    def shift_in(self, value: int, count: int) -> None:
        """The bits that the controller sent meanwhile."""
        for bit in reversed(range(count)):
            if self._frame is None:
                return
            self._received = self._received << 1 | value >> bit & 1
            self._taken += 1
            sent, length, is_crc = self._frame
            if self._taken == length:
                received, self._received, self._taken = self._received, 0, 0
                self._frame = self._later.pop(0) if self._later else None
                self._owner.frame_over(sent, received, is_crc=is_crc)
