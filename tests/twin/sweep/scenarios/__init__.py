# SPDX-License-Identifier: Apache-2.0
"""What each kind of block is made to do while one bit of it is inverted; a module for each kind."""

from tests.twin.sweep.scenarios import (
    analog,
    buses,
    clocks,
    comparators,
    dac,
    debug,
    dma,
    gpio,
    interrupts,
    low_power_timers,
    memory,
    opamps,
    power,
    rtc,
    timers,
    uarts,
    watchdogs,
)

__all__ = [
    "analog",
    "buses",
    "clocks",
    "comparators",
    "dac",
    "debug",
    "dma",
    "gpio",
    "interrupts",
    "low_power_timers",
    "memory",
    "opamps",
    "power",
    "rtc",
    "timers",
    "uarts",
    "watchdogs",
]
