# SPDX-License-Identifier: Apache-2.0
"""What the firmware and whoever talks to it agree on: the numbers of firmware/protocol.toml.

The firmware's build makes a C header of the same file, so that neither side can have numbers of its own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from hil.places import shipped


@dataclass(frozen=True)
class ClockPlan:
    """What the core computes at."""

    title: str
    core_hz: float


@cache
def _protocol() -> dict[str, Any]:
    return tomllib.loads(shipped("firmware/protocol.toml").read_text(encoding="utf-8"))


def errors() -> dict[str, tuple[int, str]]:
    """Number and meaning of each error, by its name: ``"SENSOR"`` is what C calls ``ERROR_SENSOR``."""
    return {name: (error["number"], error["says"]) for name, error in _protocol()["errors"].items()}


def modes() -> tuple[str, ...]:
    """The power modes that ``MODE name=`` enters, in the order of the firmware's numbers from 1."""
    return tuple(_protocol()["modes"])


def clock_plans() -> tuple[ClockPlan, ...]:
    """The clock plans, in the order of ``SET plan=``."""
    return tuple(ClockPlan(plan["title"], float(plan["core_hz"])) for plan in _protocol()["clock_plans"])
