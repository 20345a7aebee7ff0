# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.twin.wiring import PinVoltage
from tests.twin.soc.test_tim_adc_dma import power_up_adc, start_timer_6

VDD_V = 3.0
CR, SWTRIGR, DHR12R1, DHR12L1, DHR8R1, DHR12R2, DHR12L2, DHR8R2 = range(0, 0x20, 4)
DHR12RD, DHR12LD, DHR8RD, DOR1, DOR2, SR, CCR, MCR = range(0x20, 0x40, 4)
EN, TEN, DMAEN, DMAUDRIE, CEN, DMAUDR, CAL_FLAG = 1, 4, 1 << 12, 1 << 13, 1 << 14, 1 << 13, 1 << 14
TIM6, TIM7, EXTI9, SOFTWARE = 0, 2, 6, 7
BUFFER = 0x2000_1000
TIM6_DAC_IRQ = 54


@pytest.fixture
def dac(part):
    part.enable_clock(0x58, 29)
    return part


def volts(part, pin):
    """What a voltmeter finds."""
    return PinVoltage(part.pins[pin], lambda: part.mcu.supply_voltage_v).voltage_v(part.now_ps)


def dma(part, channel, code, address, values, *, circular=False):
    """DMA1 brings half-words to the DAC."""
    part.enable_clock(0x48, 0)
    memory = np.array(values, dtype="<u2").tobytes()
    part.mcu.core.memory.write_ram(BUFFER, memory)
    at = 0x08 + 0x14 * (channel - 1)
    part.set_bits("DMA1", 0xA8, code << 4 * (channel - 1))
    part.write("DMA1", at + 4, len(values))
    part.write("DMA1", at + 8, 0x4000_7400 + address)
    part.write("DMA1", at + 12, BUFFER)
    part.write("DMA1", at, 1 | 1 << 4 | circular << 5 | 1 << 7 | 1 << 8 | 1 << 10)


def requests_interrupt(part):
    return bool(part.mcu.core._nvic.level >> 16 + TIM6_DAC_IRQ & 1)


@pytest.mark.parametrize(
    ("register", "value", "codes"),
    [
        (DHR12R1, 0x0ABC, (0xABC, 0)),
        (DHR12L1, 0xABC0, (0xABC, 0)),
        (DHR8R1, 0xAB, (0xAB0, 0)),
        (DHR12R2, 0x0ABC, (0, 0xABC)),
        (DHR12L2, 0xABC0, (0, 0xABC)),
        (DHR8R2, 0xAB, (0, 0xAB0)),
        (DHR12RD, 0x0123_0ABC, (0xABC, 0x123)),
        (DHR12LD, 0x1230_ABC0, (0xABC, 0x123)),
        (DHR8RD, 0x12AB, (0xAB0, 0x120)),
    ],
)
def test_every_alignment_reaches_its_pin(dac, register, value, codes):
    dac.write("DAC1", CR, EN | EN << 16)
    dac.write("DAC1", register, value)
    assert (dac.read("DAC1", DOR1), dac.read("DAC1", DOR2)) == codes
    assert volts(dac, "PA4") == pytest.approx(VDD_V * codes[0] / 4096)
    assert volts(dac, "PA5") == pytest.approx(VDD_V * codes[1] / 4096)


@pytest.mark.parametrize(
    ("mode", "on_pin", "inside"),
    [
        *((0, True, False), (1, True, True), (2, True, False), (3, False, True)),
        *((4, True, False), (5, True, True), (6, True, True), (7, False, True)),
    ],
)
def test_the_mode_decides_where_the_output_goes(dac, mode, on_pin, inside):
    dac.write("DAC1", MCR, mode)
    dac.write("DAC1", DHR12R1, 0x800)
    dac.write("DAC1", CR, EN)
    assert volts(dac, "PA4") == (1.5 if on_pin else 0.0)
    assert (dac.mcu.peripherals.analog.dac.output(0) is not None) is inside
    dac.write("DAC1", MCR, mode ^ 3)  # not while the channel is on
    assert dac.read("DAC1", MCR) == mode
    dac.write("DAC1", CR, 0)
    assert volts(dac, "PA4") == 0.0


def test_the_output_follows_the_supply_and_a_reset_lets_the_pin_go(dac):
    dac.write("DAC1", DHR12R1, 0x800)
    dac.write("DAC1", CR, EN)
    dac.mcu.set_supply_voltage(2.0)
    assert volts(dac, "PA4") == 1.0
    dac.mcu.system_reset("software")
    assert dac.pins["PA4"].analog_out is None


def test_a_stronger_driver_wins(dac):
    dac.write("DAC1", DHR12R1, 0x800)
    dac.write("DAC1", CR, EN)
    dac.pins["PA4"].set_external_level(True, dac.now_ps)
    assert volts(dac, "PA4") == VDD_V
    assert dac.mcu.peripherals.ports["A"].voltage_v(4, dac.now_ps) == VDD_V


def test_an_input_reads_the_output_on_its_own_pin(dac):
    dac.enable_clock(0x4C, 0)
    dac.write("GPIOA", 0x00, dac.read("GPIOA", 0x00) & ~(3 << 8))
    dac.write("DAC1", CR, EN)
    levels = []
    for code in (0, 0xF00, 0x800, 0x100):  # in between the input keeps its level
        dac.write("DAC1", DHR12R1, code)
        levels.append(dac.read("GPIOA", 0x10) >> 4 & 1)
    assert levels == [0, 1, 1, 0]
    assert dac.mcu.peripherals.floating_inputs == 0


def test_a_software_trigger_moves_the_held_value(dac):
    dac.write("DAC1", CR, EN | TEN | SOFTWARE << 3)
    dac.write("DAC1", DHR12R1, 0x123)
    assert dac.read("DAC1", DOR1) == 0
    dac.write("DAC1", SWTRIGR, 2)  # the other channel's
    assert dac.read("DAC1", DOR1) == 0
    dac.write("DAC1", SWTRIGR, 1)
    assert (dac.read("DAC1", DOR1), dac.read("DAC1", SWTRIGR)) == (0x123, 0)
    dac.write("DAC1", DHR12R1, 0x456)
    dac.write("DAC1", CR, EN)  # without trigger the value goes on by itself
    assert dac.read("DAC1", DOR1) == 0x456


@pytest.mark.parametrize(
    ("code", "timer", "gate"),
    [
        (0, "TIM6", (0x58, 4)),
        (1, "TIM8", (0x60, 13)),
        (2, "TIM7", (0x58, 5)),
        (3, "TIM5", (0x58, 3)),
        (4, "TIM2", (0x58, 0)),
        (5, "TIM4", (0x58, 2)),
    ],
)
def test_a_timers_update_is_a_trigger(dac, code, timer, gate):
    dac.enable_clock(*gate)
    dac.write("DAC1", CR, EN | TEN | code << 3)
    dac.write("DAC1", DHR12R1, 0x123)
    dac.write(timer, 0x2C, 399)
    dac.write(timer, 0x04, 2 << 4)
    dac.write(timer, 0x00, 1)
    dac.advance(99e-6)
    assert dac.read("DAC1", DOR1) == 0
    dac.advance(2e-6)
    assert dac.read("DAC1", DOR1) == 0x123


@pytest.mark.parametrize("mask", [0x00, 0x04])
def test_exti_line_9_is_a_trigger_if_it_is_unmasked(dac, mask):
    dac.enable_clock(0x60, 0)
    dac.write("DAC1", CR, EN | TEN | EXTI9 << 3)
    dac.write("DAC1", DHR12R1, 0x123)
    dac.write("EXTI", 0x08, 1 << 9)
    dac.write("EXTI", 0x10, 1 << 9)
    assert dac.read("DAC1", DOR1) == 0
    dac.write("EXTI", 0x14, 1 << 9)
    dac.write("EXTI", mask, 1 << 9)
    dac.write("EXTI", 0x10, 1 << 9)
    assert dac.read("DAC1", DOR1) == 0x123


def test_dma_brings_the_next_value_after_each_trigger(dac):
    dac.enable_clock(0x58, 4)
    values = [0x111, 0x222, 0x333]
    dma(dac, 3, 6, DHR12R1, values, circular=True)
    dac.write("DAC1", CR, EN | TEN | TIM6 << 3 | DMAEN)
    start_timer_6(dac, reload=399)
    seen = []
    dac.advance(50e-6)
    for _ in range(6):
        dac.advance(100e-6)
        seen.append(dac.read("DAC1", DOR1))
    # UG is an update too, and so the first trigger: at the next one the first value is out.
    assert seen == [0x111, 0x222, 0x333, 0x111, 0x222, 0x333]
    assert not dac.read("DAC1", SR)


def test_one_dma_feeds_both_channels_at_once(dac):
    dac.enable_clock(0x48, 0)
    dac.enable_clock(0x58, 4)
    dac.mcu.core.memory.write_ram(BUFFER, np.array([0x0222_0111, 0x0444_0333], dtype="<u4").tobytes())
    dac.set_bits("DMA1", 0xA8, 6 << 8)
    for register, value in ((0x34, 2), (0x38, 0x4000_7400 + DHR12RD), (0x3C, BUFFER), (0x30, 0xAB1)):
        dac.write("DMA1", register, value)
    both = EN | TEN | TIM6 << 3
    dac.write("DAC1", CR, both << 16 | both | DMAEN)
    start_timer_6(dac, reload=399)
    dac.advance(150e-6)
    assert (dac.read("DAC1", DOR1), dac.read("DAC1", DOR2)) == (0x111, 0x222)
    dac.advance(100e-6)
    assert (dac.read("DAC1", DOR1), dac.read("DAC1", DOR2)) == (0x333, 0x444)


def test_a_request_that_nobody_serves_is_an_underrun(dac):
    dac.enable_clock(0x58, 4)
    dma(dac, 3, 6, DHR12R1, [0x111, 0x222])
    start_timer_6(dac, reload=399)
    dac.write("DAC1", CR, EN | TEN | TIM6 << 3 | DMAEN | DMAUDRIE)
    dac.advance(350e-6)  # two are served, the third waits
    assert not dac.read("DAC1", SR)
    dac.advance(100e-6)
    assert dac.read("DAC1", SR) == DMAUDR
    assert requests_interrupt(dac)
    assert dac.read("DAC1", DOR1) == 0x222
    dac.write("DAC1", SR, DMAUDR)
    assert not requests_interrupt(dac)


def test_a_request_that_waits_is_served_when_dma_comes(dac):
    dac.enable_clock(0x58, 4)
    start_timer_6(dac, reload=399)
    dac.write("DAC1", CR, EN | TEN | TIM6 << 3 | DMAEN)
    dac.advance(150e-6)
    dma(dac, 3, 6, DHR12R1, [0x111, 0x222, 0x333])
    dac.advance(100e-6)
    assert (dac.read("DAC1", DOR1), dac.read("DAC1", SR)) == (0x111, 0)


def trigger(part, times):
    outputs = []
    for _ in range(times):
        part.write("DAC1", SWTRIGR, 3)
        outputs.append((part.read("DAC1", DOR1), part.read("DAC1", DOR2)))
    return outputs


def test_noise_comes_from_the_shift_register_and_is_masked(dac):
    common = EN | TEN | SOFTWARE << 3 | 1 << 6
    dac.write("DAC1", CR, (common | 2 << 8) << 16 | common | 11 << 8)
    dac.write("DAC1", DHR12R2, 0x100)
    outputs = trigger(dac, 3)
    assert [first for first, _ in outputs] == [0xAAA, 0xD55, 0xEAA]  # the first two: RM0351, noise wave
    assert [second for _, second in outputs] == [0x102, 0x105, 0x102]
    assert len({first for first, _ in trigger(dac, 4095)}) == 4095  # of full length


def test_a_noise_register_of_zero_does_not_stay(dac):
    channel = dac.mcu.peripherals.analog.dac.channels[0]
    dac.write("DAC1", CR, EN | TEN | SOFTWARE << 3 | 1 << 6 | 11 << 8)
    channel._noise = 0
    assert [first for first, _ in trigger(dac, 2)] == [0, 0x800]


def test_a_triangle_rises_to_its_amplitude_and_falls(dac):
    dac.write("DAC1", DHR12R1, 0x100)
    dac.write("DAC1", CR, EN | TEN | SOFTWARE << 3 | 2 << 6 | 1 << 8)
    rise = [0x100, 0x101, 0x102, 0x103, 0x102, 0x101, 0x100, 0x101]
    assert [first for first, _ in trigger(dac, 8)] == rise
    dac.write("DAC1", CR, EN | TEN | SOFTWARE << 3 | 2 << 6 | 5 << 8)  # the amplitude stays while it is on
    assert dac.read("DAC1", CR) >> 8 & 0xF == 1
    dac.write("DAC1", CR, 0)  # and the wave starts over
    dac.write("DAC1", CR, EN | TEN | SOFTWARE << 3 | 3 << 6 | 1 << 8)
    assert [first for first, _ in trigger(dac, 3)] == rise[:3]


def test_a_wave_does_not_run_over(dac):
    dac.write("DAC1", DHR12R1, 0xFFE)
    dac.write("DAC1", CR, EN | TEN | SOFTWARE << 3 | 2 << 6 | 11 << 8)
    assert [first for first, _ in trigger(dac, 4)] == [0xFFE, 0xFFF, 0xFFF, 0xFFF]


def test_calibration_finds_the_trimming(dac):
    dac.write("DAC1", CR, CEN | CEN << 16)
    found = []
    for trim in range(32):
        dac.write("DAC1", CCR, trim | trim << 16)
        found.append(dac.read("DAC1", SR))
    assert found == [0] * 17 + [CAL_FLAG | CAL_FLAG << 16] * 15
    dac.write("DAC1", CR, EN)
    dac.write("DAC1", CR, EN | CEN)  # not while the channel is on
    assert dac.read("DAC1", CR) == EN


def test_sample_and_hold_is_named(dac):
    dac.write("DAC1", MCR, 4)
    dac.write("DAC1", 0x40, 11)
    assert [str(access).split(" (0x")[0] for access in dac.mcu.peripherals.unmodelled.accesses] == [
        "DAC1.MCR bit 2 (MODE1)",
        "DAC1.SHSR1 bits 0, 1, 3 (TSAMPLE1)",
    ]


@pytest.mark.parametrize("asleep", [True, False])
def test_adc1_samples_the_wave_of_the_same_timer(dac, asleep):
    """The converter must not go ahead of the triggers that the DAC needs too."""
    dac.mcu.peripherals.adcs["ADC1"]._core_asleep = lambda: asleep
    power_up_adc(dac, config=1 | 13 << 6 | 1 << 10)
    dac.write("GPIOA", 0x2C, 1 << 4)
    dac.write("ADC1", 0x14, 2 << 27)
    dac.write("ADC1", 0x30, 9 << 6)  # PA4
    dac.write("DMA1", 0x10, 0x5004_0040)
    dac.write("DMA1", 0x14, BUFFER + 0x800)
    dac.write("DMA1", 0x0C, 16)
    dac.write("DMA1", 0x08, 1 | 1 << 7 | 1 << 8 | 1 << 10)
    dma(dac, 3, 6, DHR12R1, [100 * n for n in range(1, 17)])
    dac.write("DAC1", CR, EN | TEN | TIM6 << 3 | DMAEN)
    dac.write("TIM6", 0x2C, 399)
    dac.write("TIM6", 0x04, 2 << 4)
    dac.set_bits("ADC1", 0x08, 4)
    dac.write("TIM6", 0x00, 1)
    dac.advance(17e-4 + 20e-6)
    sampled = dac.mcu.core.memory["sram1"][0x1800:0x1820].view("<u2")
    assert sampled.tolist() == [100 * n for n in range(16)]
