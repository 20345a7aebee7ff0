# SPDX-License-Identifier: Apache-2.0
"""DBGMCU: counters stand still while a debugger holds the core, and low-power modes keep clocks."""

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

TIMERS = tuple(f"TIM{number}" for number in (*range(1, 9), 15, 16, 17))


@scenario("DBGMCU")
def halted(s: Subject) -> None:
    """All counters run, then the core is halted."""
    s.begin()
    for name in TIMERS:
        s.write(name, 0x2C, 0xFFFF)
        s.write(name, 0x00, 1)
    for name in ("LPTIM1", "LPTIM2"):
        s.write(name, 0x10, 1)
        s.write(name, 0x18, 1000)
        s.write(name, 0x10, 5)
    s.write("WWDG", 0x00, 0xFF)
    s.write("IWDG", 0x00, 0xCCCC)
    s.write("RCC", 0x94, 0x601)
    s.advance(300e-6)
    s.write("RCC", 0x90, 0x8200)
    s.mcu.core.debug_write(0xE000_EDF0, 4, 0xA05F_0003)
    s.advance(10e-3)
    for name in TIMERS:
        s.note(s.read(name, 0x24))
    for name in ("LPTIM1", "LPTIM2"):
        s.note(s.read(name, 0x1C))
    s.note(s.read("WWDG", 0x00), s.mcu.peripherals.iwdg._counter.count, s.read("RTC", 0x28))


def _low_power(mode: int) -> None:
    @scenario("DBGMCU", 0x04)
    def deep_sleep(s: Subject) -> None:
        """A low-power mode: what stays in reach of the debug port."""
        s.begin()
        s.sleep_deeply(mode)
        s.advance(50e-6)
        s.note(s.mcu.mode, s.mcu.core.debug_access_ok, s.mcu.debug_port_losses - s.losses)


for _mode in (2, 3):
    _low_power(_mode)
