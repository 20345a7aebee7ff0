# SPDX-License-Identifier: Apache-2.0
"""Injected sequences and analog watchdogs (RM0351, ADC section)."""

import pytest

from tests.twin.ip.adc_v3.test_adcs import Constant, power_up

ISR, IER, CR, CFGR, CFGR2, SMPR1, SMPR2, SQR1, DR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x30, 0x40
TR1, TR2, JSQR, JDR1, AWD2CR = 0x20, 0x24, 0x4C, 0x80, 0xA0
ADEN, ADSTART, JADSTART, ADSTP, JADSTP = 1, 4, 8, 16, 32
EOC, EOS, JEOC, JEOS, AWD1, AWD2 = 1 << 2, 1 << 3, 1 << 5, 1 << 6, 1 << 7, 1 << 8
JQDIS, CONT, JAUTO, AWD1SGL, AWD1EN, JAWD1EN = 1 << 31, 1 << 13, 1 << 25, 1 << 22, 1 << 23, 1 << 24
ADC_IRQ = 18
CLOCK_S = 0.25e-6  # HCLK / 1 of 4 MHz
CONVERSION_S = 15 * CLOCK_S  # 2.5 cycles of sampling, 12.5 of conversion
LEVELS_V = (0.75, 1.5, 2.25)  # at PC0 to PC2, channels 1 to 3, of 3 V
CODES = (1024, 2048, 3072)


@pytest.fixture
def adc(part):
    """ADC1 with known voltages at channels 1 to 3, its queue off."""
    for pin, level_v in enumerate(LEVELS_V):
        part.pins[f"PC{pin}"].connect_source(Constant(level_v))
    power_up(part, "ADC1", config=JQDIS)
    return part


def sequence(*channels, trigger=0, edges=0):
    """JSQR."""
    ranks = sum(channel << 8 + 6 * rank for rank, channel in enumerate(channels))
    return len(channels) - 1 | trigger << 2 | edges << 6 | ranks


def results(part, count):
    return [part.read("ADC1", JDR1 + 4 * rank) for rank in range(count)]


def flags(part):
    return part.read("ADC1", ISR) & (EOC | EOS | JEOC | JEOS)


def test_software_starts_a_sequence_and_every_rank_has_its_register(adc):
    adc.write("ADC1", JSQR, sequence(3, 1, 2))
    adc.set_bits("ADC1", CR, JADSTART)
    adc.advance(1.5 * CONVERSION_S)
    assert flags(adc) == JEOC
    assert adc.read("ADC1", CR) & JADSTART
    adc.advance(2 * CONVERSION_S)
    assert flags(adc) == JEOC | JEOS
    assert not adc.read("ADC1", CR) & JADSTART
    assert results(adc, 3) == [CODES[2], CODES[0], CODES[1]]


def test_it_breaks_into_a_regular_conversion_which_is_made_again(adc):
    adc.write("ADC1", SQR1, 1 << 6)
    adc.write("ADC1", JSQR, sequence(2))
    adc.set_bits("ADC1", CR, ADSTART)
    adc.advance(0.9 * CONVERSION_S)
    adc.set_bits("ADC1", CR, JADSTART)
    adc.advance(0.9 * CONVERSION_S)
    assert flags(adc) == 0
    adc.advance(0.2 * CONVERSION_S)
    assert flags(adc) == JEOC | JEOS
    adc.advance(1.0 * CONVERSION_S)
    assert flags(adc) == EOC | EOS | JEOC | JEOS
    assert (adc.read("ADC1", DR), *results(adc, 1)) == CODES[:2]


def test_a_regular_start_during_it_waits(adc):
    adc.write("ADC1", SQR1, 1 << 6)
    adc.write("ADC1", JSQR, sequence(2, 3))
    adc.set_bits("ADC1", CR, JADSTART)
    adc.advance(0.5 * CONVERSION_S)
    adc.set_bits("ADC1", CR, ADSTART)
    adc.advance(1.6 * CONVERSION_S)
    assert flags(adc) == JEOC | JEOS
    adc.advance(1.0 * CONVERSION_S)
    assert flags(adc) & EOS


def test_automatic_injection_follows_every_regular_sequence(adc):
    adc.write("ADC1", CFGR, JQDIS | JAUTO)
    adc.write("ADC1", SQR1, 1 << 6)
    adc.write("ADC1", JSQR, sequence(2))
    adc.set_bits("ADC1", CR, JADSTART)  # refused in this mode
    assert not adc.read("ADC1", CR) & JADSTART
    adc.set_bits("ADC1", CR, ADSTART)
    adc.advance(1.5 * CONVERSION_S)
    assert flags(adc) == EOC | EOS
    adc.advance(1.0 * CONVERSION_S)
    assert flags(adc) == EOC | EOS | JEOC | JEOS
    assert results(adc, 1) == [CODES[1]]


def test_automatic_injection_in_continuous_mode_takes_its_turn(adc):
    adc.write("ADC1", CFGR, JQDIS | JAUTO | CONT | 1 << 12)
    adc.write("ADC1", SQR1, 1 << 6)
    adc.write("ADC1", JSQR, sequence(2))
    adc.set_bits("ADC1", CR, ADSTART)
    seen = []
    adc.advance(0.5 * CONVERSION_S)
    for _ in range(4):
        adc.advance(CONVERSION_S)
        seen.append(flags(adc) & (EOS | JEOS))
        adc.write("ADC1", ISR, 0x7FF)
    assert seen == [EOS, JEOS, EOS, JEOS]


def test_a_timer_triggers_it_until_it_is_stopped(adc):
    """TIM6's updates, every 100 us."""
    adc.enable_clock(0x58, 4)
    adc.write("TIM6", 0x2C, 399)
    adc.write("TIM6", 0x04, 2 << 4)
    adc.write("ADC1", JSQR, sequence(3, trigger=14, edges=1))
    adc.set_bits("ADC1", CR, JADSTART)
    adc.write("TIM6", 0x00, 1)
    seen = []
    for _ in range(3):
        adc.advance(110e-6 if not seen else 100e-6)
        seen.append((flags(adc), *results(adc, 1)))
        adc.write("ADC1", ISR, 0x7FF)
    assert seen == [(JEOC | JEOS, CODES[2])] * 3
    assert adc.read("ADC1", CR) & JADSTART
    adc.set_bits("ADC1", CR, JADSTP)
    assert not adc.read("ADC1", CR) & (JADSTART | JADSTP)
    adc.advance(200e-6)
    assert flags(adc) == 0


@pytest.mark.parametrize("flag", [JEOC, JEOS])
def test_its_flags_interrupt(adc, flag):
    adc.write("ADC1", IER, flag)
    adc.write("ADC1", JSQR, sequence(1))
    adc.set_bits("ADC1", CR, JADSTART)
    adc.advance(1.1 * CONVERSION_S)
    assert adc.mcu.core._nvic.level >> 16 + ADC_IRQ & 1
    adc.write("ADC1", ISR, flag)
    assert not adc.mcu.core._nvic.level >> 16 + ADC_IRQ & 1


def named(part, text):
    return any(text in access.register for access in part.mcu.peripherals.unmodelled.accesses)


def test_the_queue_and_compare_triggers_are_named(adc):
    adc.write("ADC1", JSQR, sequence(1, trigger=1, edges=1))
    assert named(adc, "JEXTSEL")
    adc.write("ADC1", JSQR, sequence(1))
    adc.write("ADC1", CFGR, 0)
    assert not named(adc, "JQDIS")
    adc.set_bits("ADC1", CR, JADSTART)
    assert named(adc, "bit 31")


def test_clearing_the_ready_flag_does_not_keep_it_from_converting(adc):
    adc.write("ADC1", ISR, 1)
    adc.write("ADC1", SQR1, 1 << 6)
    adc.write("ADC1", JSQR, sequence(2))
    adc.set_bits("ADC1", CR, ADSTART)
    adc.advance(1.1 * CONVERSION_S)
    adc.set_bits("ADC1", CR, JADSTART)
    adc.advance(1.1 * CONVERSION_S)
    assert flags(adc) == EOC | EOS | JEOC | JEOS


def test_a_sequence_that_is_shortened_while_it_runs_ends(adc):
    adc.write("ADC1", SQR1, 15)
    adc.set_bits("ADC1", CR, ADSTART)
    adc.advance(8.5 * CONVERSION_S)
    adc.write("ADC1", SQR1, 0)
    adc.advance(20 * CONVERSION_S)
    assert flags(adc) & EOS
    assert not adc.read("ADC1", CR) & ADSTART


# Watchdogs


def convert(part, channel):
    part.write("ADC1", ISR, 0x7FF)
    part.write("ADC1", SQR1, channel << 6)
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(1.1 * CONVERSION_S)
    assert part.read("ADC1", ISR) & EOC
    return part.read("ADC1", ISR) & (AWD1 | AWD2)


@pytest.mark.parametrize(
    ("low", "high", "outside"),
    [(0, 4095, False), (2048, 2048, False), (2049, 4095, True), (0, 2047, True)],
)
def test_the_window_includes_its_ends(adc, low, high, outside):
    adc.write("ADC1", CFGR, JQDIS | AWD1EN)
    adc.write("ADC1", TR1, high << 16 | low)
    assert bool(convert(adc, 2)) is outside


def test_one_channel_or_all(adc):
    adc.write("ADC1", TR1, 4095 << 16 | 4000)
    adc.write("ADC1", CFGR, JQDIS | AWD1EN | AWD1SGL | 2 << 26)
    assert [convert(adc, channel) for channel in (1, 2, 3)] == [0, AWD1, 0]
    adc.write("ADC1", CFGR, JQDIS | AWD1EN)
    assert [convert(adc, channel) for channel in (1, 2, 3)] == [AWD1] * 3
    adc.write("ADC1", CFGR, JQDIS)
    assert [convert(adc, channel) for channel in (1, 2, 3)] == [0] * 3


def test_the_second_watches_chosen_channels_with_eight_bits(adc):
    adc.write("ADC1", AWD2CR, 1 << 2 | 1 << 3)
    adc.write("ADC1", TR2, 0x80 << 16 | 0x41)
    # Channel 2 has 0x800, on the upper end; channel 3 is above, channel 1 not watched.
    assert [convert(adc, channel) for channel in (1, 2, 3)] == [0, 0, AWD2]


@pytest.mark.parametrize(("resolution", "threshold", "outside"), [(1, 2048, False), (2, 2064, True)])
def test_short_results_are_compared_as_twelve_bits(adc, resolution, threshold, outside):
    adc.write("ADC1", CFGR, JQDIS | AWD1EN | resolution << 3)
    adc.write("ADC1", TR1, 4095 << 16 | threshold)
    assert bool(convert(adc, 2)) is outside


def test_injected_conversions_are_watched_by_their_own_bit(adc):
    adc.write("ADC1", TR1, 100 << 16)
    adc.write("ADC1", JSQR, sequence(2))
    for config, expected in ((AWD1EN, 0), (JAWD1EN, AWD1)):
        adc.write("ADC1", CFGR, JQDIS | config)
        adc.set_bits("ADC1", CR, JADSTART)
        adc.advance(1.1 * CONVERSION_S)
        assert adc.read("ADC1", ISR) & AWD1 == expected


def test_a_watchdog_interrupts_while_dma_moves_results(adc):
    """Continuous conversions of a voltage that leaves the window."""
    source = Constant(LEVELS_V[1])
    adc.pins["PC3"].connect_source(source)
    adc.write("ADC1", CFGR, JQDIS | AWD1EN | CONT | 1 << 12)
    adc.write("ADC1", TR1, 3000 << 16 | 1000)
    adc.write("ADC1", IER, AWD1)
    adc.write("ADC1", SQR1, 4 << 6)
    adc.set_bits("ADC1", CR, ADSTART)
    adc.advance(10 * CONVERSION_S)
    assert not adc.mcu.core._nvic.level >> 16 + ADC_IRQ & 1
    source.level_v = 2.5
    adc.advance(2 * CONVERSION_S)
    assert adc.mcu.core._nvic.level >> 16 + ADC_IRQ & 1
