# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.twin.ip.adc_v3.test_adcs import ADSTART, BUFFER, CCR, CFGR, CR, DR, ISR, SMPR1, SQR1, power_up
from tests.twin.soc.test_tim_adc_dma import Ramp, start_timer_6

CSR, CDR = 0x00, 0x0C
SIMULTANEOUS, INTERLEAVED = 6, 7
CONT, ADSTP, EOC, EOS = 1 << 13, 1 << 4, 4, 8
CYCLE_PS = 250_000
"""HCLK / 1 of 4 MHz."""
CONVERSION_CYCLES = 2.5 + 12.5


@pytest.fixture
def ramps(part):
    """PA0 and PA1, channels 5 and 6, on voltages that keep the times at which they were sampled."""
    ramps = Ramp(10.0), Ramp(20.0)
    for pin, ramp in zip(("PA0", "PA1"), ramps, strict=True):
        part.pins[pin].connect_source(ramp)
    return ramps


def power_up_pair(part, dual, *, master_config=0):
    power_up(part, "ADC1", "ADC2")
    part.write("ADC1", SQR1, 5 << 6)
    part.write("ADC2", SQR1, 6 << 6)
    part.write("ADC1", CFGR, master_config)
    part.write("ADC123_COMMON", CCR, 1 << 16 | dual)


def cycles_after(ramp, start_ps):
    return [(time_ps - start_ps) / CYCLE_PS for time_ps in ramp.times_ps]


def start_dma(part, *, count, half_words=False):
    part.enable_clock(0x48, 0)
    part.write("DMA1", 0x10, 0x5004_030C)
    part.write("DMA1", 0x14, BUFFER)
    part.write("DMA1", 0x0C, count)
    part.write("DMA1", 0x08, 1 | 1 << 7 | (0x500 if half_words else 0xA00))


@pytest.mark.parametrize("dual", [1, 2, SIMULTANEOUS])
def test_one_start_converts_both_at_the_same_instant(part, ramps, dual):
    power_up_pair(part, dual)
    start_ps = part.now_ps
    part.set_bits("ADC1", CR, ADSTART)
    assert part.read("ADC2", CR) & ADSTART
    part.advance(CONVERSION_CYCLES * CYCLE_PS * 1e-12)
    assert cycles_after(ramps[0], start_ps) == cycles_after(ramps[1], start_ps) == [2.5]
    assert part.read("ADC123_COMMON", CSR) & 0x000C_000C == 0x000C_000C
    both = part.read("ADC123_COMMON", CDR)
    assert part.read("ADC123_COMMON", CSR) & 0x000C_000C == 0x0008_0008
    assert (both & 0xFFFF, both >> 16) == (part.read("ADC1", DR), part.read("ADC2", DR))
    assert both >> 16 == pytest.approx(2 * (both & 0xFFFF), abs=1)
    assert not (part.read("ADC1", CR) | part.read("ADC2", CR)) & ADSTART


def test_sequences_go_on_together_round_and_round(part, ramps):
    power_up_pair(part, SIMULTANEOUS, master_config=CONT | 1 << 12)
    part.write("ADC1", SQR1, 1 | 5 << 6 | 5 << 12)
    part.write("ADC2", SQR1, 1 | 6 << 6 | 4 << 12)  # PA1, then PC3 in between
    start_ps = part.now_ps
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(60 * CYCLE_PS * 1e-12)
    assert cycles_after(ramps[0], start_ps) == [2.5, 17.5, 32.5, 47.5]
    assert cycles_after(ramps[1], start_ps) == [2.5, 32.5]


def test_a_trigger_of_the_master_converts_both(part, ramps):
    part.enable_clock(0x58, 4)
    power_up_pair(part, SIMULTANEOUS, master_config=1 << 10 | 13 << 6)
    part.set_bits("ADC1", CR, ADSTART)
    start_ps = part.now_ps
    start_timer_6(part, reload=399)
    part.advance(220e-6)
    assert cycles_after(ramps[0], start_ps) == cycles_after(ramps[1], start_ps)
    assert cycles_after(ramps[1], start_ps)[-2:] == [402.5, 802.5]


def test_stopping_the_master_stops_both_and_the_slaves_stop_does_nothing(part, ramps):
    power_up_pair(part, SIMULTANEOUS, master_config=CONT)
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(10e-6)
    part.set_bits("ADC2", CR, ADSTP)
    assert part.read("ADC2", CR) & ADSTART
    part.set_bits("ADC1", CR, ADSTP)
    assert not (part.read("ADC1", CR) | part.read("ADC2", CR)) & ADSTART
    samples = len(ramps[1].times_ps)
    part.advance(100e-6)
    assert len(ramps[1].times_ps) == samples


@pytest.mark.parametrize(
    ("code", "resolution", "delay"),
    [(0, 0, 1), (5, 0, 6), (11, 0, 12), (15, 0, 12), (11, 1, 10), (11, 2, 8), (11, 3, 6)],
)
def test_an_interleaved_slave_samples_after_the_delay(part, ramps, code, resolution, delay):
    power_up_pair(part, INTERLEAVED, master_config=resolution << 3)
    part.write("ADC2", CFGR, resolution << 3)
    part.set_bits("ADC123_COMMON", CCR, code << 8)
    start_ps = part.now_ps
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(100e-6)
    assert cycles_after(ramps[0], start_ps) == [2.5]
    assert cycles_after(ramps[1], start_ps) == [2.5 + delay + 2.5]


@pytest.mark.parametrize(("code", "period"), [(3, CONVERSION_CYCLES), (11, 2 * (2.5 + 12))])
def test_interleaved_conversions_go_on_as_soon_as_both_can_sample(part, ramps, code, period):
    power_up_pair(part, INTERLEAVED, master_config=CONT | 1 << 12)
    part.write("ADC2", CFGR, 1 << 12)
    part.set_bits("ADC123_COMMON", CCR, code << 8)
    start_ps = part.now_ps
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(4.1 * period * CYCLE_PS * 1e-12)
    offset = 2.5 + code + 1
    assert cycles_after(ramps[0], start_ps) == [2.5 + n * period for n in range(4)]
    assert cycles_after(ramps[1], start_ps)[:3] == [offset + 2.5 + n * period for n in range(3)]


@pytest.mark.parametrize("dual", [SIMULTANEOUS, INTERLEAVED])
def test_one_dma_takes_both_results(part, ramps, dual):
    power_up_pair(part, dual, master_config=CONT)
    start_dma(part, count=4)
    part.set_bits("ADC123_COMMON", CCR, 2 << 14 | 3 << 8)
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(100e-6)
    words = part.mcu.core.memory["sram1"][0x1000:0x1014].view("<u4")
    masters = [int(10.0 * time_ps * 1e-12 / 3.0 * 4096 + 0.5) for time_ps in ramps[0].times_ps]
    slaves = [int(20.0 * time_ps * 1e-12 / 3.0 * 4096 + 0.5) for time_ps in ramps[1].times_ps]
    assert words[:4].tolist() == [s << 16 | m for m, s in zip(masters[:4], slaves[:4], strict=True)]
    assert part.read("DMA1", 0x0C) == 0
    assert len(slaves) <= 5  # one shot: the last transfer ends the conversions
    assert not part.read("ADC1", ISR) & 1 << 4


def test_circular_dma_goes_on(part, ramps):
    power_up_pair(part, SIMULTANEOUS, master_config=CONT)
    start_dma(part, count=4)
    part.write("DMA1", 0x08, 0)
    part.write("DMA1", 0x0C, 4)
    part.write("DMA1", 0x08, 1 | 1 << 5 | 1 << 7 | 0xA00)
    part.set_bits("ADC123_COMMON", CCR, 2 << 14 | 1 << 13)
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(10 * CONVERSION_CYCLES * CYCLE_PS * 1e-12 + 1e-9)
    assert len(ramps[0].times_ps) >= 10


def test_two_results_of_eight_bit_share_a_half_word(part):
    part.pins["PA0"].connect_source(Ramp(500.0))
    part.pins["PA1"].connect_source(Ramp(1000.0))
    power_up_pair(part, SIMULTANEOUS, master_config=CONT | 2 << 3)
    part.write("ADC2", CFGR, 2 << 3)
    start_dma(part, count=2, half_words=True)
    part.set_bits("ADC123_COMMON", CCR, 3 << 14)
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(100e-6)
    low, high = part.mcu.core.memory["sram1"][0x1000:0x1002].tolist()
    assert low > 0
    assert high == pytest.approx(2 * low, abs=1)


def test_each_has_its_own_dma_without_mdma(part, ramps):
    power_up_pair(part, SIMULTANEOUS, master_config=CONT | 1)
    part.write("ADC2", CFGR, 1)
    part.enable_clock(0x48, 0)
    for at, register, place in ((0x08, 0x5004_0040, BUFFER), (0x1C, 0x5004_0140, BUFFER + 0x100)):
        for offset, value in ((4, 3), (8, register), (12, place), (0, 1 | 1 << 7 | 0x500)):
            part.write("DMA1", at + offset, value)
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(100e-6)
    memory = part.mcu.core.memory["sram1"]
    first, second = memory[0x1000:0x1006].view("<u2"), memory[0x1100:0x1106].view("<u2")
    assert first.tolist() == [int(10.0 * t * 1e-12 / 3.0 * 4096 + 0.5) for t in ramps[0].times_ps[:3]]
    assert second.tolist() == [int(20.0 * t * 1e-12 / 3.0 * 4096 + 0.5) for t in ramps[1].times_ps[:3]]


@pytest.mark.parametrize("dual", [5, 9, 4, 16])
def test_modes_of_injected_sequences_alone_are_named(part, dual):
    power_up_pair(part, dual)
    assert [access.register for access in part.mcu.peripherals.unmodelled.accesses] == [
        "ADC123_Common.CCR bits 0, 1, 2, 3, 4 (MULT)"
    ]


def test_the_slave_samples_longer_than_its_partner(part, ramps):
    """Each takes its own time; the next pair begins with the slower one."""
    power_up_pair(part, SIMULTANEOUS, master_config=CONT | 1 << 12)
    part.write("ADC2", SMPR1, 2 << 18)  # 12.5 cycles
    start_ps = part.now_ps
    part.set_bits("ADC1", CR, ADSTART)
    part.advance(60 * CYCLE_PS * 1e-12)
    assert cycles_after(ramps[0], start_ps)[:3] == [2.5, 17.5, 32.5]
    assert cycles_after(ramps[1], start_ps)[0] == 12.5
