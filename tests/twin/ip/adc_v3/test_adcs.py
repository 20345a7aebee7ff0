# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest

from tests.twin.bare_part import BLOCKS

ISR, IER, CR, CFGR, SMPR1, SMPR2, SQR1, DR = 0x00, 0x04, 0x08, 0x0C, 0x14, 0x18, 0x30, 0x40
ADVREGEN, ADEN, ADSTART, EOC = 1 << 28, 1, 4, 4
CCR = 0x08
BASES = {"ADC1": 0x5004_0000, "ADC2": 0x5004_0100, "ADC3": 0x5004_0200}
IRQS = {"ADC1": 18, "ADC2": 18, "ADC3": 47}
BUFFER = 0x2000_1000
VDD_V = 3.0


class Constant:
    def __init__(self, level_v):
        self.level_v = level_v

    def voltage_v(self, time_ps):
        return self.level_v


def power_up(part, *names, config=0):
    """All analog switches closed, the ADCs on HCLK / 1 of 4 MHz and ready."""
    part.write("RCC", 0x4C, part.read("RCC", 0x4C) | 0x20FF)
    for port in "ABCF":
        part.write(f"GPIO{port}", 0x2C, 0xFFFF)
    part.write("ADC123_COMMON", CCR, 1 << 16)
    for name in names:
        part.write(name, CR, 0)
        part.write(name, CR, ADVREGEN)
        part.set_bits(name, CR, ADEN)
    part.advance(20e-6)
    for name in names:
        assert part.read(name, ISR) & 1
        part.write(name, CFGR, config)


def convert(part, name, channel):
    part.write(name, SQR1, channel << 6)
    part.set_bits(name, CR, ADSTART)
    part.advance(10e-6)
    assert part.read(name, ISR) & EOC
    return part.read(name, DR)


@pytest.mark.parametrize(
    ("name", "channel", "pin"),
    [
        *((name, 1 + index, f"PC{index}") for name in BASES for index in range(4)),
        *((name, 5 + index, f"PA{index}") for name in ("ADC1", "ADC2") for index in range(8)),
        *((name, 13 + index, pin) for name in ("ADC1", "ADC2") for index, pin in enumerate(("PC4", "PC5"))),
        *((name, 15 + index, pin) for name in ("ADC1", "ADC2") for index, pin in enumerate(("PB0", "PB1"))),
        *(("ADC3", 6 + index, f"PF{3 + index}") for index in range(8)),
    ],
)
def test_each_channel_reaches_its_pin(part, name, channel, pin):
    part.pins[pin].connect_source(Constant(1.5))
    power_up(part, name)
    assert convert(part, name, channel) == 2048


def test_adc3_does_not_reach_the_pins_of_the_others(part):
    for pin in range(8):
        part.pins[f"PA{pin}"].connect_source(Constant(1.5))
    power_up(part, "ADC3")
    assert [convert(part, "ADC3", channel) for channel in (5, 14, 15, 16)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "channels"), [("ADC1", (None, None)), ("ADC2", (17, 18)), ("ADC3", (14, 15))]
)
def test_the_dac_is_inside_adc2_and_adc3(part, name, channels):
    part.enable_clock(0x58, 29)
    part.write("DAC1", 0x20, 0x0400_0C00)
    part.write("DAC1", 0x3C, 1 << 16 | 1)  # pins and other blocks
    part.write("DAC1", 0x00, 1 << 16 | 1)
    power_up(part, name)
    found = {channel: convert(part, name, channel) for channel in range(19)}
    expected = dict(zip(channels, (0xC00, 0x400), strict=True))
    assert {channel: found[channel] for channel in channels if channel is not None} == {
        channel: code for channel, code in expected.items() if channel is not None
    }
    part.write("DAC1", 0x00, 0)
    part.write("DAC1", 0x3C, 0)  # pins only
    part.write("DAC1", 0x00, 1 << 16 | 1)
    part.mcu.peripherals.adcs[name].sampling.discharge()
    assert [convert(part, name, channel) for channel in channels if channel is not None] in ([0, 0], [])


@pytest.mark.parametrize(("name", "reached"), [("ADC1", {0, 17, 18}), ("ADC2", set()), ("ADC3", {17, 18})])
def test_internal_sources_are_on_adc1_and_in_part_on_adc3(part, name, reached):
    power_up(part, name)
    part.set_bits("ADC123_COMMON", CCR, 7 << 22)
    found = set()
    for channel in (0, 17, 18):
        part.mcu.peripherals.adcs[name].sampling.discharge()
        if convert(part, name, channel) > 500:
            found.add(channel)
    assert found == reached


@pytest.mark.parametrize("name", BASES)
def test_each_adc_requests_its_interrupt(part, name):
    power_up(part, *BASES)
    part.write(name, IER, EOC)
    for other in BASES:
        convert(part, other, 5)
    assert part.read(name, ISR) & EOC == 0  # read
    part.set_bits(name, CR, ADSTART)
    part.advance(10e-6)
    level = part.mcu.core._nvic.level >> 16
    assert [bool(level >> irq & 1) for irq in (18, 47)] == [IRQS[name] == irq for irq in (18, 47)]


@pytest.mark.parametrize(
    ("name", "controller", "channel", "code"),
    [(name, *route) for name in BASES for route in BLOCKS.dma_requests[name]],
)
def test_dma_serves_each_adc(part, name, controller, channel, code):
    part.enable_clock(0x48, 0 if controller == "DMA1" else 1)
    part.pins["PC0"].connect_source(Constant(1.5))
    power_up(part, name, config=1 | 1 << 13)
    at = 0x08 + 0x14 * (channel - 1)
    part.write(controller, 0xA8, code << 4 * (channel - 1))
    for offset, value in ((4, 4), (8, BASES[name] + DR), (12, BUFFER), (0, 1 | 1 << 7 | 1 << 8 | 1 << 10)):
        part.write(controller, at + offset, value)
    part.write(name, SQR1, 1 << 6)
    part.set_bits(name, CR, ADSTART)
    part.advance(100e-6)
    assert part.mcu.core.memory["sram1"][0x1000:0x1008].view("<u2").tolist() == [2048] * 4


@pytest.mark.parametrize(
    ("code", "timer", "gate"),
    [
        (4, "TIM3", (0x58, 1)),
        (7, "TIM8", (0x60, 13)),
        (9, "TIM1", (0x60, 11)),
        (11, "TIM2", (0x58, 0)),
        (12, "TIM4", (0x58, 2)),
        (13, "TIM6", (0x58, 4)),
        (14, "TIM15", (0x60, 16)),
    ],
)
def test_a_timers_update_begins_a_conversion(part, code, timer, gate):
    part.enable_clock(*gate)
    power_up(part, "ADC3", config=1 << 10 | code << 6)
    part.set_bits("ADC3", CR, ADSTART)
    part.write(timer, 0x2C, 399)
    part.write(timer, 0x04, 2 << 4)
    part.write(timer, 0x00, 1)
    part.advance(99e-6)
    assert not part.read("ADC3", ISR) & EOC
    part.advance(10e-6)
    assert part.read("ADC3", ISR) & EOC
    assert part.mcu.peripherals.unmodelled.accesses == []


def test_exti_line_11_begins_a_conversion(part):
    part.enable_clock(0x60, 0)
    power_up(part, "ADC2", config=1 << 10 | 6 << 6)
    part.set_bits("ADC2", CR, ADSTART)
    part.write("EXTI", 0x04, 1 << 11)
    part.write("EXTI", 0x10, 1 << 11)
    part.advance(10e-6)
    assert part.read("ADC2", ISR) & EOC


def test_a_trigger_without_model_is_named(part):
    power_up(part, "ADC2", config=1 << 10 | 3 << 6)  # TIM2_CC2
    assert [access.register for access in part.mcu.peripherals.unmodelled.accesses] == [
        "ADC2.CFGR bits 6, 7, 8, 9 (EXTSEL)"
    ]


def test_every_enabled_adc_draws_its_current(part):
    power_up(part)
    currents = [part.current_a]
    for name in BASES:
        power_up(part, name)
        currents.append(part.current_a)
    steps = [after - before for before, after in itertools.pairwise(currents)]
    assert steps[0] > 10e-6
    assert steps == pytest.approx([steps[0]] * 3)


def test_a_conversion_without_clock_waits_for_it(part):
    part.pins["PC0"].connect_source(Constant(1.5))
    power_up(part, "ADC2")
    part.write("ADC2", SQR1, 1 << 6)
    part.set_bits("ADC2", CR, ADSTART)
    part.write("ADC123_COMMON", CCR, 0)  # an asynchronous clock that is off
    part.advance(1e-3)
    assert part.read("ADC2", ISR) & EOC == 0
    assert part.read("ADC2", CR) & ADSTART
    part.write("ADC123_COMMON", CCR, 1 << 16)
    part.advance(10e-6)
    assert part.read("ADC2", ISR) & EOC
    assert part.read("ADC2", DR) == 2048


def test_a_start_without_clock_waits_for_it(part):
    power_up(part, "ADC2")
    part.write("ADC123_COMMON", CCR, 0)
    part.set_bits("ADC2", CR, ADSTART)
    part.advance(1e-3)
    assert part.read("ADC2", ISR) & EOC == 0
    part.write("ADC123_COMMON", CCR, 1 << 16)
    part.advance(10e-6)
    assert part.read("ADC2", ISR) & EOC


def test_a_conversion_goes_on_after_stop(part):
    """The program went to Stop before the conversion was over, which takes its clock away."""
    power_up(part, "ADC1", config=0)
    part.enable_clock(0x58, 28)
    part.write("PWR", 0x00, 0x201)  # Stop 1
    part.write("ADC1", SMPR2, 7 << 3)
    part.write("ADC1", SQR1, 11 << 6)
    part.write("EXTI", 0x08, 1)
    part.set_bits("EXTI", 0x00, 1)
    part.write_word(0xE000_E100, 1 << 6)  # EXTI0's interrupt will end Stop
    part.mcu.core._system_control.scr = 4
    part.mcu.core.debug_halt()
    part.set_bits("ADC1", CR, ADSTART)
    part.mcu.core.debug_resume(step=False)
    part.advance(1e-3)
    assert part.mcu.mode == "stop1"
    assert not part.mcu.peripherals.adcs["ADC1"].words[ISR] & EOC
    part.mcu.core._system_control.scr = 0
    part.mcu.peripherals.exti.set_level(0, True)
    part.advance(1e-3)
    assert part.mcu.mode in ("run", "sleep")
    assert part.read("ADC1", ISR) & EOC


def test_one_reset_bit_resets_all_adcs(part):
    power_up(part, *BASES)
    part.set_bits("RCC", 0x2C, 1 << 13)
    part.write("RCC", 0x2C, 0)
    assert [part.read(name, CR) for name in BASES] == [1 << 29] * 3
