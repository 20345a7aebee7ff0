# SPDX-License-Identifier: Apache-2.0
import pytest

TR, DR, CR, ISR, WPR, TSTR, TSDR, TSSSR, TAMPCR, BKP0R = (
    0x00,
    0x04,
    0x08,
    0x0C,
    0x24,
    0x30,
    0x34,
    0x38,
    0x40,
    0x50,
)
TSE, TSEDGE, TSIE, ITSE = 1 << 11, 1 << 3, 1 << 15, 1 << 24
TSF, TSOVF, TAMP1F, ITSF = 1 << 11, 1 << 12, 1 << 13, 1 << 17
TAMPIE, TAMPTS, PUDIS = 1 << 2, 1 << 7, 1 << 15
PINS = {1: ("PC13", 0, 16), 2: ("PA0", 3, 19), 3: ("PE6", 5, 22)}
"""Tamper pins: TAMPxE's bit, TAMPxIE's."""
LINE_19 = 1 << 19


@pytest.fixture
def rtc(part):
    """The RTC on a running LSE, unlocked; the tamper pins are low."""
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 0x8101)
    part.advance(2.0)
    for key in (0xCA, 0x53):
        part.write("RTC", WPR, key)
    for pin, _, _ in PINS.values():
        drive(part, pin, False)
    part.write("RTC", BKP0R, 0x1234)
    part.write("EXTI", 0x08, LINE_19)
    return part


def drive(part, pin, level):
    part.pins[pin].set_external_level(level, part.now_ps)


@pytest.mark.parametrize("number", PINS)
@pytest.mark.parametrize("falling", [False, True])
def test_the_chosen_edge_erases_the_backup_registers(rtc, number, falling):
    pin, enable, _ = PINS[number]
    drive(rtc, pin, falling)
    rtc.write("RTC", TAMPCR, TAMPIE | 1 << enable | falling << enable + 1)
    assert not rtc.read("RTC", ISR) & 7 << 13
    drive(rtc, pin, not falling)
    assert rtc.read("RTC", ISR) & 7 << 13 == TAMP1F << number - 1
    assert rtc.read("RTC", BKP0R) == 0
    assert rtc.read("EXTI", 0x14) & LINE_19


def test_the_other_edge_and_a_disabled_pin_do_nothing(rtc):
    rtc.write("RTC", TAMPCR, TAMPIE | 3)  # pin 1, falling
    drive(rtc, "PC13", True)
    drive(rtc, "PA0", True)
    assert (rtc.read("RTC", ISR) & 7 << 13, rtc.read("RTC", BKP0R)) == (0, 0x1234)


def test_noerase_keeps_the_registers_and_each_pin_has_its_interrupt_enable(rtc):
    rtc.write("RTC", TAMPCR, 1 | 1 << 3 | 1 << 17 | 1 << 19 | 1 << 20)
    drive(rtc, "PC13", True)
    assert rtc.read("RTC", ISR) & TAMP1F
    assert not rtc.read("EXTI", 0x14) & LINE_19
    drive(rtc, "PA0", True)
    assert rtc.read("EXTI", 0x14) & LINE_19
    assert rtc.read("RTC", BKP0R) == 0x1234
    rtc.write("RTC", ISR, ~(7 << 13) & 0xFFFF_FFFF)
    assert not rtc.read("RTC", ISR) & 7 << 13


def test_a_masked_pin_flags_and_erases_nothing(rtc):
    rtc.write("RTC", TAMPCR, TAMPIE | 1 | 1 << 18)
    drive(rtc, "PC13", True)
    assert (rtc.read("RTC", ISR) & TAMP1F, rtc.read("RTC", BKP0R)) == (0, 0x1234)


@pytest.mark.parametrize(("filter_code", "samples"), [(1, 2), (2, 4), (3, 8)])
def test_a_level_counts_after_enough_samples(rtc, filter_code, samples):
    rtc.write("RTC", TAMPCR, 1 | 1 << 1 | 7 << 8 | filter_code << 11)  # high level, 128 Hz
    drive(rtc, "PC13", True)
    rtc.advance((samples - 0.5) / 128)
    drive(rtc, "PC13", False)
    rtc.advance(1.0)
    assert not rtc.read("RTC", ISR) & TAMP1F  # too short
    drive(rtc, "PC13", True)
    rtc.advance((samples + 0.1) / 128)
    assert rtc.read("RTC", ISR) & TAMP1F


@pytest.mark.parametrize(("pull_up_off", "detected"), [(False, False), (True, True)])
def test_an_open_pin_is_pulled_up_before_it_is_sampled(rtc, pull_up_off, detected):
    drive(rtc, "PC13", None)
    rtc.write("RTC", TAMPCR, 1 | 7 << 8 | 1 << 11 | pull_up_off * PUDIS)  # low level
    rtc.advance(1.0)
    assert bool(rtc.read("RTC", ISR) & TAMP1F) is detected


@pytest.mark.parametrize("edge", [0, TSEDGE])
def test_the_time_stamp_keeps_the_first_of_two_events(rtc, edge):
    drive(rtc, "PC13", bool(edge))
    rtc.write("RTC", CR, edge)
    rtc.write("RTC", CR, TSE | TSIE | edge)
    rtc.advance(3.5)
    time, date = rtc.read("RTC", TR), rtc.read("RTC", DR)
    drive(rtc, "PC13", not edge)
    assert rtc.read("RTC", ISR) & (TSF | TSOVF) == TSF
    assert rtc.read("EXTI", 0x14) & LINE_19
    assert (rtc.read("RTC", TSTR), rtc.read("RTC", TSDR)) == (time, date & 0xFFFF)
    subseconds = rtc.read("RTC", TSSSR)
    rtc.advance(2.0)
    drive(rtc, "PC13", bool(edge))
    drive(rtc, "PC13", not edge)
    assert rtc.read("RTC", ISR) & TSOVF
    assert (rtc.read("RTC", TSTR), rtc.read("RTC", TSSSR)) == (time, subseconds)


def test_tamper_may_take_a_time_stamp(rtc):
    rtc.write("RTC", TAMPCR, TAMPTS | 1)
    drive(rtc, "PC13", True)
    assert rtc.read("RTC", ISR) & (TSF | TAMP1F) == TSF | TAMP1F


def test_tamper_works_on_the_cell_and_says_when_vdd_went(rtc):
    rtc.mcu.set_backup_supply(3.0)
    rtc.write("RTC", CR, ITSE)
    rtc.write("RTC", TAMPCR, TAMPIE | 1)
    rtc.advance(1.0)
    rtc.mcu.set_supply_voltage(0.0)
    rtc.advance(5.0)
    drive(rtc, "PC13", True)
    rtc.mcu.set_supply_voltage(3.0)
    rtc.advance(1e-3)
    rtc.enable_clock(0x58, 28)
    assert rtc.read("RTC", ISR) & (TSF | ITSF | TAMP1F) == TSF | ITSF | TAMP1F
    assert rtc.read("RTC", BKP0R) == 0
    assert (rtc.read("RTC", TR) & 0xF) - (rtc.read("RTC", TSTR) & 0xF) == 5


def test_the_failing_crystal_and_tamper_share_their_line(rtc):
    rtc.write("RCC", 0x90, 0x8121)  # LSECSSON
    rtc.mcu.peripherals.rcc.stop_lse_crystal()
    assert rtc.read("EXTI", 0x14) & LINE_19
    rtc.write("EXTI", 0x14, LINE_19)
    rtc.write("RTC", TAMPCR, TAMPIE | 1)
    drive(rtc, "PC13", True)
    rtc.write("RTC", ISR, ~TAMP1F & 0xFFFF_FFFF)
    assert rtc.mcu.peripherals.exti._levels[19]  # the crystal still holds it
