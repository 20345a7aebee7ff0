# SPDX-License-Identifier: Apache-2.0
import pytest

ISR, ICR, IER, CFGR, CR, CMP, ARR, CNT = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
CMPM, ARRM, CMPOK, ARROK = 1, 2, 1 << 3, 1 << 4
ENABLE, SNGSTRT, CNTSTRT, WAVPOL = 1, 2, 4, 1 << 21
TICK_S = 1 / 32_768


@pytest.fixture
def lptim(part):
    """LPTIM1 on a running LSE; PWR and the backup domain unlocked."""
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 1)
    part.advance(2.0)
    part.enable_clock(0x58, 31)
    part.write("RCC", 0x88, 3 << 18 | 1 << 20)  # LPTIM1 on LSE, LPTIM2 on LSI
    return part


def start(part, reload, compare=0, how=CNTSTRT, configuration=0, name="LPTIM1"):
    part.write(name, CFGR, configuration)
    part.write(name, IER, ARRM)
    part.write(name, CR, ENABLE)
    part.write(name, ARR, reload)
    part.write(name, CMP, compare)
    part.advance(100e-6)
    assert part.read(name, ISR) & (ARROK | CMPOK) == ARROK | CMPOK
    part.write(name, CR, ENABLE | how)


def test_reload_match_comes_every_period_of_the_low_speed_clock(lptim):
    start(lptim, reload=99)
    lptim.advance(99.5 * TICK_S)
    assert lptim.read("LPTIM1", ISR) & ARRM
    assert lptim.read("LPTIM1", CNT) == 99
    lptim.write("LPTIM1", ICR, ARRM)
    lptim.advance(99 * TICK_S)
    assert not lptim.read("LPTIM1", ISR) & ARRM
    lptim.advance(TICK_S)
    assert lptim.read("LPTIM1", ISR) & ARRM


def test_arr_is_writable_only_while_enabled_and_says_when_it_is_done(lptim):
    lptim.write("LPTIM1", ARR, 1000)
    assert lptim.read("LPTIM1", ARR) == 1
    lptim.write("LPTIM1", CR, ENABLE)
    lptim.write("LPTIM1", ARR, 1000)
    assert not lptim.read("LPTIM1", ISR) & ARROK
    lptim.advance(100e-6)
    assert lptim.read("LPTIM1", ISR) & ARROK


def test_single_shot_stops_at_its_end(lptim):
    start(lptim, reload=9, how=SNGSTRT)
    lptim.advance(1.0)
    assert lptim.read("LPTIM1", CNT) == 0
    lptim.write("LPTIM1", ICR, ARRM)
    lptim.advance(1.0)
    assert not lptim.read("LPTIM1", ISR) & ARRM


def test_output_is_a_pwm_on_its_pin(lptim):
    lptim.enable_clock(0x4C, 1)
    lptim.write("GPIOB", 0x20, 1 << 8)  # PB2, AF1
    lptim.write("GPIOB", 0x00, 0xFFFF_FFEF)
    edges = []
    lptim.pins["PB2"].level_out_changed.connect(lambda time_ps, level: edges.append((time_ps, level)))
    start(lptim, reload=31, compare=23)
    lptim.advance(100 * TICK_S)
    rising = [time_ps for time_ps, level in edges if level]
    falling = [time_ps for time_ps, level in edges if level is False and time_ps > rising[0]]
    assert (rising[1] - rising[0]) / 1e12 == pytest.approx(32 * TICK_S, abs=1e-9)
    assert (falling[0] - rising[0]) / 1e12 == pytest.approx(8 * TICK_S, abs=1e-9)


@pytest.mark.parametrize(
    ("stop_2", "name", "runs"), [(True, "LPTIM1", 1), (True, "LPTIM2", 0), (False, "LPTIM2", 1)]
)
def test_it_runs_in_the_stop_modes_that_the_manual_says(lptim, stop_2, name, runs):
    lptim.enable_clock(0x5C, 5)
    lptim.write("RCC", 0x94, 1)
    lptim.advance(1e-3)
    start(lptim, reload=0xFFFF, name=name)
    lptim.mcu.peripherals.rcc.enter_stop(stop_2=stop_2)
    before = lptim.read(name, CNT)
    lptim.advance(0.1)
    assert (lptim.read(name, CNT) > before + 3000) == bool(runs)


def test_bus_clocked_timer_stands_still_in_stop(lptim):
    lptim.write("RCC", 0x88, 0)
    start(lptim, reload=0xFFFF)
    lptim.mcu.peripherals.rcc.enter_stop(stop_2=False)
    before = lptim.read("LPTIM1", CNT)
    lptim.advance(0.01)
    assert lptim.read("LPTIM1", CNT) == before


def test_the_encoder_that_lptim2_does_not_have_is_named(part):
    part.enable_clock(0x5C, 5)
    part.write("LPTIM2", CFGR, 1 << 24)
    assert part.read("LPTIM2", CFGR) == 0
    (access,) = part.mcu.peripherals.unmodelled.accesses
    assert "bit 24" in access.register
