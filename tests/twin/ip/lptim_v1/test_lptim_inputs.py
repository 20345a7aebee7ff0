# SPDX-License-Identifier: Apache-2.0
"""LPTIM1 counting what comes in at its pins, and started by them."""

import pytest

from tests.twin.powered_part import Part

ISR, ICR, IER, CFGR, CR, CMP, ARR, CNT = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
CMPM, ARRM, EXTTRIG, CMPOK, ARROK, UP, DOWN = (1 << bit for bit in range(7))
ENABLE, SNGSTRT, CNTSTRT = 1, 2, 4
CKSEL, TIMOUT, WAVE, WAVPOL, COUNTMODE, ENC = 1, 1 << 19, 1 << 20, 1 << 21, 1 << 23, 1 << 24
RISING, FALLING, BOTH = 1 << 17, 2 << 17, 3 << 17
IN1, IN2, ETR = "PB5", "PB7", "PB6"
TICK_S = 1 / 4e6


class Counted(Part):
    """LPTIM1 on PCLK of 4 MHz, its inputs at PB5 to PB7, its output at PB2."""

    def __init__(self) -> None:
        super().__init__()
        self.enable_clock(0x4C, 1)
        self.enable_clock(0x58, 31)
        self.enable_clock(0x58, 28)
        self.write("GPIOB", 0x20, 0x1110_0100)
        self.write("GPIOB", 0x00, 0xFFFF_FFFF & ~0xFC30 | 0xA820)
        for pin in (IN1, IN2, ETR):
            self.drive(pin, False)

    def drive(self, pin: str, level: bool) -> None:
        self.pins[pin].set_external_level(level, self.now_ps)

    def start(self, configuration: int, reload: int = 0xFFFF, compare: int = 0, how: int = CNTSTRT) -> None:
        self.write("LPTIM1", CFGR, configuration)
        self.write("LPTIM1", IER, 0x7F)
        self.write("LPTIM1", CR, ENABLE)
        self.write("LPTIM1", ARR, reload)
        self.write("LPTIM1", CMP, compare)
        self.advance(3 * TICK_S)
        self.write("LPTIM1", CR, ENABLE | how)

    def pulse(self, pin: str, count: int = 1, width_s: float = 5e-6) -> None:
        for _ in range(count):
            self.drive(pin, True)
            self.advance(width_s)
            self.drive(pin, False)
            self.advance(width_s)

    @property
    def count(self) -> int:
        return self.read("LPTIM1", CNT)

    @property
    def flags(self) -> int:
        return self.read("LPTIM1", ISR)


@pytest.fixture
def part() -> Counted:
    return Counted()


@pytest.mark.parametrize(("polarity", "edges"), [(0, 4), (1, 4), (2, 8)])
def test_events_are_counted(part, polarity, edges):
    part.start(COUNTMODE | polarity << 1)
    part.pulse(IN1, 4)
    assert part.count == edges
    part.advance(1e-3)
    assert part.count == edges


def test_an_external_clock_loses_its_first_five_edges_and_can_be_divided(part):
    part.start(CKSEL)
    part.pulse(IN1, 9)
    assert part.count == 4
    part.write("LPTIM1", CR, 0)
    part.start(CKSEL | 1 << 9)
    part.pulse(IN1, 13)
    assert part.count == 4


def test_registers_are_written_with_the_external_clock(part):
    part.start(CKSEL)
    part.advance(1e-3)
    assert not part.flags & (ARROK | CMPOK)
    part.pulse(IN1, 3)
    assert part.flags & (ARROK | CMPOK) == ARROK | CMPOK


def test_matches_come_with_the_edges(part):
    part.start(COUNTMODE, reload=5, compare=2)
    part.write("LPTIM1", ICR, 0x7F)
    part.pulse(IN1, 1)
    assert not part.flags & CMPM
    part.pulse(IN1, 1)
    assert part.flags & (CMPM | ARRM) == CMPM
    assert part.pins["PB2"].level_out is True
    part.pulse(IN1, 3)
    assert part.flags & ARRM
    part.pulse(IN1, 1)
    assert part.count == 0


@pytest.mark.parametrize(("filter_code", "periods"), [(1, 2), (2, 4), (3, 8)])
def test_the_clock_filter_passes_levels_that_last(part, filter_code, periods):
    part.start(COUNTMODE | filter_code << 3)
    part.pulse(IN1, 3, (periods - 0.5) * TICK_S)
    assert part.count == 0
    part.pulse(IN1, 3, (periods + 0.5) * TICK_S)
    assert part.count == 3


def test_an_external_clock_counts_in_stop_without_any_internal_one(part):
    part.start(CKSEL)
    part.write("PWR", 0x00, part.read("PWR", 0x00) & ~7 | 2)
    core = part.mcu.core
    core._system_control.scr = 4
    core.debug_halt()
    core.debug_resume(step=False)
    part.advance(20e-6)
    assert part.mcu.mode == "stop2"
    part.pulse(IN1, 8)
    assert part.count == 3


@pytest.mark.parametrize(("polarity", "edges"), [(0, 2), (1, 2), (2, 4)])
def test_an_encoder_counts_both_ways(part, polarity, edges):
    part.start(ENC | polarity << 1)
    turn = [(IN1, True), (IN2, True), (IN1, False), (IN2, False)]
    for pin, level in turn:
        part.drive(pin, level)
        part.advance(1e-6)
    assert part.count == edges
    assert not part.flags & (UP | DOWN)
    for pin, level in reversed(turn):
        part.drive(pin, not level)
        part.advance(1e-6)
    assert part.flags & (UP | DOWN) == DOWN
    assert part.count == 0


def test_an_encoder_wraps_below_zero(part):
    part.start(ENC | 2 << 1, reload=9)
    part.drive(IN2, True)
    part.advance(1e-6)
    assert part.count == 9


@pytest.mark.parametrize(("edge", "level"), [(RISING, True), (FALLING, False)])
def test_a_trigger_starts_the_timer_two_clocks_later(part, edge, level):
    part.drive(ETR, not level)
    part.start(edge)
    part.advance(1e-3)
    assert (part.count, part.flags & EXTTRIG) == (0, 0)
    part.drive(ETR, level)
    assert part.flags & EXTTRIG
    part.advance(12.5 * TICK_S)
    assert part.count == 10
    part.write("LPTIM1", ICR, EXTTRIG)
    part.drive(ETR, not level)
    part.drive(ETR, level)
    assert not part.flags & EXTTRIG  # it counts already


def test_a_time_out_starts_anew_with_every_trigger(part):
    part.start(BOTH | TIMOUT, compare=40)
    part.write("LPTIM1", ICR, 0x7F)
    for level in (True, False, True):
        part.drive(ETR, level)
        part.advance(30 * TICK_S)
        assert not part.flags & CMPM
    part.advance(20 * TICK_S)
    assert part.flags & CMPM


def test_each_trigger_gives_one_pulse_or_only_the_first_one(part):
    for configuration, ends in ((RISING, 2), (RISING | WAVE, 1)):
        part.write("LPTIM1", CR, 0)
        part.drive(ETR, False)
        part.start(configuration, reload=20, compare=10, how=SNGSTRT)
        found = 0
        for _ in range(2):
            part.write("LPTIM1", ICR, 0x7F)
            part.pulse(ETR, width_s=10e-6)
            found += bool(part.flags & ARRM)
        assert found == ends


def test_the_output_stays_set_in_set_once_mode(part):
    part.start(WAVE, reload=20, compare=10, how=SNGSTRT)
    part.advance(5 * TICK_S)
    assert part.pins["PB2"].level_out is False
    part.advance(1e-3)
    assert part.pins["PB2"].level_out is True


def test_the_trigger_filter(part):
    part.start(RISING | 3 << 6)
    part.pulse(ETR, width_s=7.5 * TICK_S)
    assert not part.flags & EXTTRIG
    part.pulse(ETR, width_s=8.5 * TICK_S)
    assert part.flags & EXTTRIG


def test_a_trigger_that_is_not_modelled_is_named(part):
    part.start(RISING | 1 << 13)
    (access,) = part.mcu.peripherals.unmodelled.accesses
    assert "bit 13" in access.register
