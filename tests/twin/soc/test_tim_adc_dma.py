# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

PS_PER_S = 10**12
BUFFER, COUNT = 0x2000_1000, 64
ADC_ISR, ADC_CR, ADC_CFGR, ADC_SMPR1, ADC_SQR1, ADC_DR = 0x00, 0x08, 0x0C, 0x14, 0x30, 0x40
ADVREGEN, ADCAL, ADEN, ADSTART = 1 << 28, 1 << 31, 1, 4
TCIF1, HTIF1 = 2, 4


class Ramp:
    """A voltage that tells at which time it was sampled."""

    def __init__(self, volts_per_s):
        self.volts_per_s = volts_per_s
        self.times_ps = []

    def voltage_v(self, time_ps):
        self.times_ps.append(time_ps)
        return self.volts_per_s * time_ps / PS_PER_S


def power_up_adc(part, config=0):
    for enable_offset, bit in ((0x48, 0), (0x4C, 0), (0x4C, 13), (0x58, 4)):  # DMA1, GPIOA, ADC, TIM6
        part.enable_clock(enable_offset, bit)
    part.write("GPIOA", 0x2C, 1)  # ASCR: connect PA0
    part.write("ADC123_COMMON", 0x08, 1 << 16)  # HCLK / 1
    part.write("ADC1", ADC_CR, 0)
    part.write("ADC1", ADC_CR, ADVREGEN)
    part.advance(20e-6)
    part.set_bits("ADC1", ADC_CR, ADCAL)
    part.advance(116 / 4e6 + 1e-9)  # calibration takes 116 ADC cycles: DS10198 Rev 8, T76
    assert not part.read("ADC1", ADC_CR) & ADCAL
    part.set_bits("ADC1", ADC_CR, ADEN)
    part.advance(10e-6)
    assert part.read("ADC1", ADC_ISR) & 1
    part.write("ADC1", ADC_SMPR1, 2 << 15)  # channel 5: 12.5 cycles
    part.write("ADC1", ADC_SQR1, 5 << 6)
    part.write("ADC1", ADC_CFGR, config)


def start_timer_6(part, reload, prescaler=0):
    part.write("TIM6", 0x28, prescaler)
    part.write("TIM6", 0x2C, reload)
    part.write("TIM6", 0x14, 1)  # UG loads the prescaler
    part.write("TIM6", 0x10, 0)
    part.write("TIM6", 0x04, 2 << 4)  # TRGO on update
    part.write("TIM6", 0x00, 1)


def start_dma(part, control, count=COUNT):
    part.write("DMA1", 0x10, 0x5004_0040)
    part.write("DMA1", 0x14, BUFFER)
    part.write("DMA1", 0x0C, count)
    part.write("DMA1", 0x08, control | 1)


def test_timer_triggers_adc_and_dma_fills_the_buffer_at_the_exact_rate(part):
    source = Ramp(volts_per_s=20.0)
    part.pins["PA0"].connect_source(source)
    power_up_adc(part, config=1 | 13 << 6 | 1 << 10)  # DMA, TIM6_TRGO, rising
    start_dma(part, 1 << 1 | 1 << 7 | 1 << 8 | 1 << 10)
    started_ps = part.now_ps
    start_timer_6(part, reload=1999)
    part.set_bits("ADC1", ADC_CR, ADSTART)
    interrupts = []
    part.mcu.scheduler.advance_to(started_ps + COUNT * 500_000_000)
    interrupts.append(part.read("DMA1", 0x00))
    part.advance(10e-6)
    # Sampled 12.5 ADC cycles after each trigger, 2000 timer cycles apart.
    expected = [started_ps + n * 500_000_000 + 3_125_000 for n in range(1, COUNT + 1)]
    assert source.times_ps == expected
    assert interrupts[0] & TCIF1 == 0
    assert part.read("DMA1", 0x00) & (TCIF1 | HTIF1) == TCIF1 | HTIF1
    samples = part.mcu.core.memory["sram1"][0x1000 : 0x1000 + 2 * COUNT].view("<u2")
    codes = np.array([int(20.0 * t / PS_PER_S / 3.0 * 4096 + 0.5) for t in expected])
    assert np.array_equal(samples, codes)
    part.advance(0.01)  # one-shot: nothing more is converted
    assert len(source.times_ps) == COUNT


@pytest.mark.parametrize("asleep", [True, False])
def test_an_onlooker_sees_the_same_whether_conversions_are_done_ahead_or_not(part, asleep):
    part.mcu.peripherals.adcs["ADC1"]._core_asleep = lambda: asleep
    source = Ramp(volts_per_s=20.0)
    part.pins["PA0"].connect_source(source)
    power_up_adc(part, config=1 | 13 << 6 | 1 << 10)
    start_dma(part, 1 << 7 | 1 << 8 | 1 << 10)
    started_ps = part.now_ps
    start_timer_6(part, reload=1999)
    part.set_bits("ADC1", ADC_CR, ADSTART)
    seen = []
    for at_ps in (4_400_000_000, 4_500_000_000, 4_506_249_000, 4_506_251_000, 20_000_000_000):
        part.mcu.scheduler.at(
            started_ps + at_ps,
            lambda: seen.append((part.read("DMA1", 0x0C), part.read("TIM6", 0x24), part.read("DMA1", 0x00))),
        )
    part.advance(0.04)
    # 25 ADC cycles after each trigger the sample has arrived, every 2000 timer cycles.
    assert [remaining for remaining, _, _ in seen] == [56, 56, 56, 55, 25]
    assert [count for _, count, _ in seen] == [1600, 0, 24, 25, 0]
    assert [flags & HTIF1 for _, _, flags in seen] == [0, 0, 0, 0, HTIF1]
    assert len(source.times_ps) == COUNT
    assert source.times_ps == sorted(source.times_ps)


def test_circular_dma_starts_over_and_flags_each_half(part):
    part.pins["PA0"].connect_source(Ramp(1.0))
    power_up_adc(part, config=3 | 13 << 6 | 1 << 10)
    start_dma(part, 1 << 1 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10, count=4)
    start_timer_6(part, reload=399)
    part.set_bits("ADC1", ADC_CR, ADSTART)
    part.advance(210e-6)
    assert part.read("DMA1", 0x00) & (TCIF1 | HTIF1) == HTIF1
    part.write("DMA1", 0x04, 0xF)
    part.advance(200e-6)
    assert part.read("DMA1", 0x00) & (TCIF1 | HTIF1) == TCIF1
    assert part.read("DMA1", 0x0C) == 4


def test_dma_to_nowhere_flags_an_error_and_stops(part):
    part.enable_clock(0x48, 0)
    part.write("DMA1", 0x10, BUFFER)
    part.write("DMA1", 0x14, 0x3000_0000)
    part.write("DMA1", 0x0C, 4)
    part.write("DMA1", 0x08, 1 | 1 << 14 | 2 << 8 | 2 << 10)
    assert part.read("DMA1", 0x00) & 8
    assert not part.read("DMA1", 0x08) & 1


def test_memory_to_memory_copy(part):
    part.enable_clock(0x48, 0)
    ram = part.mcu.core.memory["sram1"]
    ram[0:16] = np.arange(16)
    part.write("DMA1", 0x10, 0x2000_0000)
    part.write("DMA1", 0x14, BUFFER)
    part.write("DMA1", 0x0C, 4)
    part.write("DMA1", 0x08, 1 | 1 << 14 | 1 << 6 | 1 << 7 | 2 << 8 | 2 << 10)
    assert ram[0x1000:0x1010].tolist() == list(range(16))


def test_software_conversion_and_overrun(part):
    part.pins["PA0"].connect_source(Ramp(0.0))
    power_up_adc(part)
    part.set_bits("ADC1", ADC_CR, ADSTART)
    part.advance(24.9 / 4e6)
    assert not part.read("ADC1", ADC_ISR) & 4
    part.advance(0.2 / 4e6)
    assert part.read("ADC1", ADC_ISR) & 0xC == 0xC
    assert not part.read("ADC1", ADC_CR) & ADSTART
    part.set_bits("ADC1", ADC_CR, ADSTART)
    part.advance(10e-6)
    assert part.read("ADC1", ADC_ISR) & 1 << 4  # the first result was not read


def test_pin_reaches_the_adc_only_through_its_analog_switch(part):
    part.pins["PA0"].connect_source(Ramp(1e6))
    power_up_adc(part)
    part.write("GPIOA", 0x2C, 0)
    part.set_bits("ADC1", ADC_CR, ADSTART)
    part.advance(10e-6)
    assert part.read("ADC1", ADC_DR) == 0


@pytest.mark.parametrize(("channel", "bit"), [(0, 22), (17, 23), (18, 24)])
def test_an_internal_channel_needs_its_source_switched_on(part, channel, bit):
    power_up_adc(part)
    part.write("ADC1", ADC_SQR1, channel << 6)
    values = []
    for enable in (0, 1 << bit):
        part.set_bits("ADC123_COMMON", 0x08, enable)
        part.set_bits("ADC1", ADC_CR, ADSTART)
        part.advance(100e-6)
        values.append(part.read("ADC1", ADC_DR))
    assert values[0] == 0  # the sampling capacitor holds what it held
    assert values[1] > 500


def test_sequence_reads_the_reference_and_the_sensor(part):
    power_up_adc(part)
    part.set_bits("ADC123_COMMON", 0x08, 3 << 22)
    part.write("ADC1", ADC_SQR1, 1 | 0 << 6 | 17 << 12)
    part.write("ADC1", ADC_CFGR, 1 << 12)
    values = []
    part.set_bits("ADC1", ADC_CR, ADSTART)
    for _ in range(2):
        part.advance(15 / 4e6 + 1e-9)
        values.append(part.read("ADC1", ADC_DR))
    assert values[0] == round(1.212 / 3.0 * 4096)  # VREFINT: DS10198 Rev 8, T26
    assert values[1] == pytest.approx((0.76 - 5 * 0.0025) / 3.0 * 4096, abs=1)  # 25 °C: T87
    assert part.mcu.core.memory["system"][0x75AA:0x75AC].view("<u2")[0] == values[0]


def test_adc_in_deep_power_down_does_not_enable(part):
    part.enable_clock(0x4C, 13)
    part.write("ADC1", ADC_CR, 1 << 29 | ADEN)
    part.advance(1e-3)
    assert not part.read("ADC1", ADC_ISR) & 1


def test_adc_without_a_clock_source_never_becomes_ready(part):
    part.enable_clock(0x4C, 13)
    part.write("ADC1", ADC_CR, 0)
    part.write("ADC1", ADC_CR, ADVREGEN)
    part.set_bits("ADC1", ADC_CR, ADEN)
    part.advance(1e-3)
    assert not part.read("ADC1", ADC_ISR) & 1


def test_oversampling_adds_and_shifts(part):
    part.pins["PA0"].connect_source(Ramp(0.0))
    part.pins["PA0"].connect_source(type("Half", (), {"voltage_v": lambda self, t: 1.5})())
    power_up_adc(part)
    part.write("ADC1", 0x10, 1 | 3 << 2 | 1 << 5)  # 16 times, shifted by 1
    part.set_bits("ADC1", ADC_CR, ADSTART)
    part.advance(16 * 25 / 4e6 + 1e-9)
    assert part.read("ADC1", ADC_DR) == 2048 * 16 >> 1


def test_timer_counts_and_flags_updates(part):
    part.enable_clock(0x58, 4)
    part.write("TIM6", 0x28, 3)
    part.write("TIM6", 0x2C, 9)
    part.write("TIM6", 0x14, 1)
    part.write("TIM6", 0x10, 0)
    part.write("TIM6", 0x00, 1)
    part.advance(25e-6)  # 1 MHz ticks
    assert part.read("TIM6", 0x24) == 5
    assert part.read("TIM6", 0x10) == 1


def test_one_pulse_mode_stops_at_the_update(part):
    part.enable_clock(0x58, 4)
    part.write("TIM6", 0x2C, 99)
    part.write("TIM6", 0x00, 1 | 1 << 3)
    part.advance(1e-3)
    assert part.read("TIM6", 0x00) & 1 == 0
    assert part.read("TIM6", 0x24) == 0


def test_preloaded_reload_takes_effect_at_the_update(part):
    part.enable_clock(0x58, 4)
    part.write("TIM6", 0x2C, 39)
    part.write("TIM6", 0x00, 1 | 1 << 7)
    part.write("TIM6", 0x2C, 399)  # preloaded: not yet
    part.advance(9e-6)
    assert part.read("TIM6", 0x10) == 0
    part.write("TIM6", 0x14, 1)
    part.write("TIM6", 0x10, 0)
    part.advance(99e-6)
    assert part.read("TIM6", 0x10) == 0
    part.advance(2e-6)
    assert part.read("TIM6", 0x10) == 1


def test_debug_freeze_stops_the_timer(part):
    part.enable_clock(0x58, 4)
    part.write("TIM6", 0x00, 1)
    part.write("DBGMCU", 0x08, 1 << 4)
    part.mcu.core.debug_write(0xE000_EDF0, 4, 0xA05F_0003)  # DHCSR: halt
    count = part.read("TIM6", 0x24)
    part.advance(1e-3)
    assert part.mcu.core.state == "halted"
    assert part.read("TIM6", 0x24) == count
