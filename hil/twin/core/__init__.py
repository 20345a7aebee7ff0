# SPDX-License-Identifier: Apache-2.0
"""A Cortex-M4F core, which knows no part, and the scheduler of the virtual bench."""

from hil.twin.core.bus import BusFault, Peripheral
from hil.twin.core.core import Core
from hil.twin.core.memory import Memory
from hil.twin.core.memory_map import MemoryMap, Region
from hil.twin.core.scheduler import Event, Scheduler

__all__ = ["BusFault", "Core", "Event", "Memory", "MemoryMap", "Peripheral", "Region", "Scheduler"]
