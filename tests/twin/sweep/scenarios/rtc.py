# SPDX-License-Identifier: Apache-2.0
"""The RTC on the LSI, with seconds of 2 ms."""

from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

TR, DR, CR, ISR, PRER, WUTR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
ALRMAR, ALRMBR, WPR, SHIFTR, CALR, TAMPCR, ALRMASSR, ALRMBSSR = 0x1C, 0x20, 0x24, 0x2C, 0x3C, 0x40, 0x44, 0x48
SECOND_S = 2e-3


def _start(s: Subject, time: int = 0x0012_3456, date: int = 0x0015_C624, control: int = 0) -> None:
    """A calendar that runs."""
    s.write("RCC", 0x94, 1)
    s.advance(300e-6)
    s.write("RCC", 0x90, 0x8200)
    for key in (0xCA, 0x53):
        s.write("RTC", WPR, key)
    s.write("RTC", CR, control)
    s.write("RTC", ISR, 0x80)
    s.advance(400e-6)
    s.write("RTC", PRER, 0x0001_001F)
    s.write("RTC", TR, time)
    s.write("RTC", DR, date)
    s.write("RTC", ISR, 0)
    s.advance(300e-6)


@scenario("RTC", TR, DR, CR, ISR, PRER, WPR, WUTR)
def calendar(s: Subject) -> None:
    """Calendar and wake-up timer."""
    _start(s)
    s.write("RTC", WUTR, 0x0003)
    s.write("RTC", CR, 0x4420)
    s.advance(4e-3)
    s.advance(6e-3)


@scenario("RTC", TR, CR)
def afternoon(s: Subject) -> None:
    """A calendar with twelve hours; the wake-up timer counts seconds."""
    _start(s, 0x0040_3456, control=0x40)
    s.write("RTC", WUTR, 0)
    s.write("RTC", CR, 0x444)
    s.advance(4e-3)


@scenario("RTC", WUTR, CR)
def short_wakeups(s: Subject) -> None:
    """The wake-up timer with its fastest clock."""
    _start(s)
    s.write("RTC", WUTR, 0x0007)
    s.write("RTC", CR, 0x4403)
    for _ in range(40):
        s.advance(0.05e-3)


def _alarms(first: int, subseconds: int, told: int) -> None:
    @scenario("RTC", CR, ISR, ALRMAR, ALRMBR, ALRMASSR, ALRMBSSR)
    def alarms(s: Subject) -> None:
        """Both alarms come in the second second; one of them asks for an interrupt."""
        s.write("EXTI", 0x08, 1 << 18)
        s.write("EXTI", 0x00, 0xFF86_0000)
        _start(s, 0x0012_3456)
        s.write("RTC", ALRMAR, first)
        s.write("RTC", ALRMBR, first)
        s.write("RTC", ALRMASSR, subseconds)
        s.write("RTC", ALRMBSSR, subseconds)
        s.write("RTC", CR, 0x0300 | told)
        for _ in range(12):
            s.advance(SECOND_S / 4)
        s.write("RTC", ISR, 0)
        s.sample()
        s.advance(SECOND_S)


for _told_alarm in (0x1000, 0x2000):
    _alarms(0x2412_3457, 0x0F00_0007, _told_alarm)
    _alarms(0x2412_3457, 0, _told_alarm)
    _alarms(0x8080_8057, 0, _told_alarm)


def _told(enables: int) -> None:
    @scenario("RTC", CR, ISR)
    def told(s: Subject) -> None:
        """Alarms or the wake-up timer have happened; interrupts are enabled then, flags cleared, or not."""
        _start(s)
        for alarm in (ALRMAR, ALRMBR):
            s.write("RTC", alarm, 0x8080_8080)
        s.write("RTC", WUTR, 1)
        for _ in range(2):
            s.write("RTC", CR, enables)
            s.advance(SECOND_S)
        s.write("RTC", CR, 0)
        s.write("RTC", ISR, 0)
        s.sample()


for _enables in (0x100, 0x200, 0x400):
    _told(_enables)


@scenario("RTC", CALR)
def calibrated(s: Subject) -> None:
    """A slower calendar."""
    _start(s)
    s.write("RTC", CALR, 0x0005)
    s.advance(1e-3)
    clock = s.mcu.peripherals.rtc._clock
    next_ps = clock.time_of(clock.ticks + 1_000_000)
    s.note(None if next_ps is None else next_ps - s.start_ps)


@scenario("RTC", SHIFTR)
def shifted(s: Subject) -> None:
    """The calendar is put back by some sub-seconds, or a second forward."""
    _start(s)
    s.write("RTC", SHIFTR, 5)
    s.note(s.mcu.peripherals.rtc._clock.ticks, s.mcu.peripherals.rtc._clock._origin_ticks)
    s.note(s.mcu.peripherals.rtc._clock.origin_s)


def _stamps(control: int) -> None:
    @scenario("RTC", CR, ISR)
    def stamps(s: Subject) -> None:
        """Edges at the time stamp's pin, and a loss of VDD with a cell at VBAT."""
        s.drive("PC13", False)
        _start(s)
        s.write("RTC", CR, control)
        s.drive("PC13", True)
        s.advance(1e-3)
        s.drive("PC13", False)
        s.advance(1e-3)
        s.drive("PC13", True)
        s.write("RTC", ISR, 0)
        s.sample()
        s.mcu.set_backup_supply(3.0)
        s.mcu.set_supply_voltage(0.0)
        s.advance(1e-3)
        s.mcu.set_supply_voltage(3.0)
        s.advance(1e-3)
        s.note(s.blocks["RTC"].words[ISR])


_stamps(0x0800)
_stamps(0x0000)
_stamps(0x8808)


def _tampered(control: int, level: bool) -> None:
    @scenario("RTC", TAMPCR, ISR)
    def tampered(s: Subject) -> None:
        """The tamper pins go to a level and back; backup registers may be erased."""
        pins = ("PC13", "PA0", "PE6")
        for pin in pins:
            s.drive(pin, not level)
        _start(s)
        s.write("RTC", 0x50, 0x1234_5678)
        s.write("RTC", TAMPCR, control)
        s.advance(1e-3)
        for pin in pins:
            s.drive(pin, level)
            s.advance(10e-3)
            s.note(s.blocks["RTC"].words[0x50])
        s.write("RTC", ISR, 0)
        s.sample()
        for pin in pins:
            s.drive(pin, None)
        s.advance(10e-3)
        s.note(s.blocks["RTC"].words[0x50], s.blocks["RTC"].words[0x30])


_tampered(0x0000_0029, level=True)
_tampered(0x0000_0000, level=True)
_tampered(0x0000_0728, level=False)
_tampered(0x0000_0F29, level=False)
_tampered(0x0000_8F7D, level=True)
_tampered(0x0024_0029, level=True)
_tampered(0x0012_4029, level=True)
