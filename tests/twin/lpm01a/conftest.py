# SPDX-License-Identifier: Apache-2.0
"""A virtual PowerShield on a bench whose time and current are known, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from hil.twin import realism
from hil.twin.lpm01a import PowerShield
from tests.twin.analyzer.conftest import FakeBench


@dataclass
class Board:
    """A PowerShield and its port."""

    bench: Any = field(default_factory=FakeBench)
    sent: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.shield = PowerShield(self.bench, {}, realism.parse({}, "test"))
        self.shield.connect_host(self._take)

    def _take(self, data: bytes) -> bool:
        self.sent += data
        return True

    def say(self, line: str) -> str:
        """Send a line; what comes back at once."""
        self.sent.clear()
        self.shield.execute(line.encode("latin-1"))
        return self.sent.decode("latin-1")


@pytest.fixture
def board() -> Board:
    """Under the host's control."""
    made = Board()
    made.say("htc")
    return made
