# SPDX-License-Identifier: Apache-2.0
"""What the supply current needs to know of the flash, and of the model that turns a state into a current."""

from typing import Literal, Protocol

from hil.twin.power.operating_point import OperatingPoint
from hil.twin.signal import Signal

Activity = Literal["write", "erase"]


class FlashOperation(Protocol):
    """Programming or erasing under way."""

    @property
    def activity(self) -> Activity:
        """Which of the two."""

    @property
    def peak_end_ps(self) -> int:
        """Until then it draws most."""

    @property
    def end_ps(self) -> int:
        """When it will be over."""


class FlashActivity(Protocol):
    """A flash array that is programmed and erased."""

    @property
    def activity_changed(self) -> Signal[[]]:
        """Tells that an operation began, or that it ended before :attr:`operation` said."""

    @property
    def operation(self) -> FlashOperation | None:
        """What is under way."""


class SupplyModel(Protocol):
    """The current of a part, from its operating point."""

    def supply_current_a(self, point: OperatingPoint) -> float:
        """What flows at the supply terminal, in A."""

    def code_current_a(self, point: OperatingPoint) -> float | None:
        """What executing code draws of it, in A; ``None`` where that is not known."""
