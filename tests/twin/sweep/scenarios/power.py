# SPDX-License-Identifier: Apache-2.0
"""PWR: regulator, low-power modes, wake-up pins, pulls, and the voltage detector."""

from __future__ import annotations

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

CR1, CR2, CR3, CR4, SR1, SR2, SCR = range(0, 0x1C, 4)
WAKEUP_PINS = ("PA0", "PC13", "PE6", "PA2", "PC5")
PULLS = tuple(range(0x20, 0x60, 4))


@scenario("PWR", CR1)
def regulator(s: Subject) -> None:
    """Range 1 at 2 MHz; the backup domain is written."""
    s.write("RCC", 0x00, 0x59)
    s.write("PWR", CR1, 0x200)
    s.write("RCC", 0x90, 0x8200)
    s.note(s.read("RCC", 0x90))
    s.advance(100e-6)
    s.write("PWR", CR1, 0x400)
    s.advance(100e-6)


def _entry(code: int) -> None:
    @scenario("PWR", CR1, CR3)
    def deep_sleep(s: Subject) -> None:
        """Into a mode of deep sleep."""
        s.write("PWR", CR1, 0x200 | code)
        s.write("PWR", CR3, 0x8000)
        memory = s.mcu.core.memory
        memory["sram2"][:] = 0x5A
        s.enter_deep_sleep()
        s.advance(1e-3)
        s.note(bool((memory["sram2"] == 0x5A).all()))


for _code in (0, 1, 2, 3):
    _entry(_code)


@scenario("PWR", CR2)
def detector(s: Subject) -> None:
    """The supply falls slowly past all thresholds of the detector."""
    s.write("PWR", CR2, 0x1)
    for supply_v in (2.95, 2.8, 2.65, 2.5, 2.35, 2.2, 2.05, 1.95):
        s.mcu.set_supply_voltage(supply_v)
        s.advance(1e-6)


@scenario("PWR", CR2)
def high_threshold(s: Subject) -> None:
    """The same with the threshold at 2.7 V."""
    s.write("PWR", CR2, 0xB)
    for supply_v in (2.95, 2.8, 2.65, 2.5, 2.35, 2.2, 2.05, 1.95):
        s.mcu.set_supply_voltage(supply_v)
        s.advance(1e-6)


def _wakeups(control: int, polarity: int) -> None:
    @scenario("PWR", CR3, CR4, SCR)
    def wakeups(s: Subject) -> None:
        """Edges at the wake-up pins in Standby, one after the other; flags are cleared, or not."""
        for pin in WAKEUP_PINS:
            s.drive(pin, False)
        s.write("PWR", CR3, 0x8000 | control)
        s.write("PWR", CR4, polarity)
        s.read("PWR", CR4)
        for pin in WAKEUP_PINS:
            s.drive(pin, True)
            s.advance(1e-6)
            s.drive(pin, False)
            s.advance(1e-6)
        s.write("PWR", SCR, 0)
        s.sample()


_wakeups(0, 0)
_wakeups(0x1F, 0)


@scenario("PWR", CR3)
def internal_wakeup(s: Subject) -> None:
    """The RTC's wake-up timer in Standby."""
    s.write("PWR", CR1, 0x303)
    s.write("RCC", 0x94, 0x601)
    s.advance(300e-6)
    s.write("RCC", 0x90, 0x8200)
    for register, value in ((0x24, 0xCA), (0x24, 0x53), (0x14, 10), (0x08, 0x4403)):
        s.write("RTC", register, value)
    s.write("PWR", CR3, 0x8000)
    s.enter_deep_sleep()
    s.advance(3e-3)


@scenario("PWR", CR4)
def battery(s: Subject) -> None:
    """VDD charges a cell at VBAT."""
    s.mcu.set_backup_supply(2.5)
    for control in (0, 0x100):
        s.write("PWR", CR4, control)
        s.advance(1e-6)
        s.note(s.mcu.battery_supply.current_a)


def _pulls(drive: bool, pulls: int) -> None:
    @scenario("PWR", CR3, *PULLS)
    def pulls_in_standby(s: Subject) -> None:
        """Pulls at every pin in Standby."""
        s.write("PWR", CR1, 0x203)
        for offset in PULLS:
            s.write("PWR", offset, pulls)
        s.write("PWR", CR3, 0x8400)
        s.enter_deep_sleep()
        for port in "ABCDEFGH":
            s.note(s.mcu.peripherals.pwr.pulls(port))


_pulls(False, 0)
_pulls(False, 0xFFFF)


@scenario("PWR", SCR)
def flags(s: Subject) -> None:
    """All flags are set; some are cleared."""
    s.blocks["PWR"].words[SR1] = 0x11F
    s.write("PWR", SCR, 0)
    s.sample()
