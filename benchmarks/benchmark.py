# SPDX-License-Identifier: Apache-2.0
"""What a benchmark is to the command that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Results = dict[str, float]
Say = Callable[[str], None]
"""Takes a line for the person who waits."""


@dataclass(frozen=True)
class Target:
    """What a figure should be, inclusive."""

    direction: Literal["at least", "at most"]
    value: float

    def met_by(self, figure: float) -> bool:
        """Whether a figure is good enough."""
        return figure >= self.value if self.direction == "at least" else figure <= self.value


@dataclass(frozen=True)
class Benchmark:
    """A benchmark, under the name of its module.

    `run` measures and returns the figures that `--json` prints; `targets` judges those that have one.
    """

    summary: str
    run: Callable[[Say], Results]
    targets: Mapping[str, Target]
