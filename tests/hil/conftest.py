# SPDX-License-Identifier: Apache-2.0
"""What several test files of the suite set up alike."""

from collections.abc import Iterator

import pytest

from hil.firmware.image import Image
from hil.instruments.protocols import Console, PowerAnalyzer
from hil.rig import Rig, State


@pytest.fixture
def from_power_on(rig: Rig, image: Image, console: Console, power_analyzer: PowerAnalyzer) -> Iterator[None]:
    """The firmware runs from power-on without a debugger, with the settings it was built with; what the test
    sets is gone afterwards, whether the device still listens or not: with the supply goes the backup domain.
    """
    rig.to(State.OFF)
    rig.to(State.POWERED)  # the image fixture has proven what the flash holds
    yield
    rig.to(State.OFF)


@pytest.fixture
def until_power_off(rig: Rig, power_analyzer: PowerAnalyzer) -> Iterator[None]:
    """What the test orders the firmware to do ends with the supply, so that no later test finds it."""
    yield
    rig.to(State.OFF)
