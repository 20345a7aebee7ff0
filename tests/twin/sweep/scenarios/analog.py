# SPDX-License-Identifier: Apache-2.0
"""ADC1, its common registers, and the reference buffer."""

from __future__ import annotations

from tests.twin.bare_part import BLOCKS
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

ISR, IER, CR, CFGR, CFGR2, SMPR1, SMPR2, SQR1, DR, CALFACT = 0, 4, 8, 12, 16, 20, 24, 0x30, 0x40, 0xB4
SMPR, SQR = (SMPR1, SMPR2), (SQR1, SQR1 + 4, SQR1 + 8, SQR1 + 12)
CSR, CCR, CDR = 0x00, 0x08, 0x0C
CHANNEL_1 = "PC0"
ADEN, ADSTART, ADVREGEN, ADCAL = 1, 4, 1 << 28, 1 << 31
TR1, TR2, TR3, JSQR, AWD2CR, AWD3CR = 0x20, 0x24, 0x28, 0x4C, 0xA0, 0xA4
ADDIS, JADSTART = 2, 8
JQDIS, JAUTO, AWD1SGL, AWD1EN, JAWD1EN = 1 << 31, 1 << 25, 1 << 22, 1 << 23, 1 << 24
SETTINGS = (CFGR, CFGR2, *SMPR, *SQR)


def start_adc(s: Subject, settings: dict[int, int], *, interrupts: int = 0, start: bool = True) -> None:
    """Enable the converter with one pin alone high, and start conversions."""
    for port in "ABC":
        s.blocks[f"GPIO{port}"].write(0x00, 4, 0xFFFF_FFFF)
        s.blocks[f"GPIO{port}"].write(0x2C, 4, 0xFFFF)
        for pin in range(8):
            s.drive(f"P{port}{pin}", f"P{port}{pin}" == CHANNEL_1)
    s.write("ADC123_COMMON", CCR, 0x01C1_0000)
    s.write("ADC1", CR, ADVREGEN)
    s.advance(25e-6)
    for register, value in settings.items():
        s.write("ADC1", register, value)
    s.write("ADC1", IER, interrupts)
    s.write("ADC1", CR, ADVREGEN | ADEN)
    s.advance(200e-6)
    if start:
        s.write("ADC1", CR, ADVREGEN | ADSTART)


@scenario("ADC1", ISR, IER, CR, CFGR, CFGR2)
def conversion(s: Subject) -> None:
    """A single conversion of two channels; nobody reads, some flags are cleared."""
    s.begin()
    start_adc(s, {SQR1: 1 | 17 << 6 | 0 << 12, CFGR: 0, CFGR2: 0, SMPR2: 0})
    s.advance(20e-6)
    s.write("ADC1", ISR, 0)
    s.sample()


@scenario("ADC1", ISR)
def flags(s: Subject) -> None:
    """All flags are set; some are cleared."""
    s.blocks["ADC1"].words[ISR] = 0x7FF
    s.write("ADC1", ISR, 0)
    s.sample()


@scenario("ADC1", CR)
def control(s: Subject) -> None:
    """Calibration, enabling, continuous conversions, and their end."""
    s.write("ADC123_COMMON", CCR, 0x0001_0000)
    s.write("ADC1", CR, ADVREGEN)
    s.advance(25e-6)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN | ADCAL)
    s.advance(50e-6)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN | ADEN)
    s.advance(20e-6)
    s.blocks["ADC1"].write(CFGR, 4, 1 << 13)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN | ADSTART)
    s.advance(20e-6)
    s.write("ADC1", CR, ADVREGEN)
    s.advance(20e-6)


@scenario("ADC1", CR)
def calibration(s: Subject) -> None:
    """The factor tells that a calibration was done."""
    s.write("ADC123_COMMON", CCR, 0x0001_0000)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN)
    s.write("ADC1", CR, ADVREGEN)
    s.advance(50e-6)


@scenario("ADC1", CR, CFGR, JSQR, IER)
def injected(s: Subject) -> None:
    """A sequence of one channel is injected, with a watchdog on it; then by a timer; then nothing is left."""
    for number, config in enumerate((JQDIS, JQDIS | JAUTO | JAWD1EN)):
        start_adc(
            s, {CFGR: config, JSQR: 0x0000_0100, SQR1: 0, TR1: 0xFFE_0000}, interrupts=0x3E0, start=False
        )
        s.write("ADC1", CR, ADVREGEN | (JADSTART if number == 0 else ADSTART))
        s.advance(40e-6)
    s.write("ADC1", CR, ADVREGEN | ADDIS)
    s.advance(40e-6)
    start_adc(s, {CFGR: JQDIS, JSQR: 0xB8 | 1 << 8 | 1 << 14}, start=False)
    s.write("ADC1", CR, ADVREGEN | JADSTART)
    s.blocks["TIM6"].write(0x2C, 4, 99)
    s.blocks["TIM6"].write(0x04, 4, 2 << 4)
    s.blocks["TIM6"].write(0x00, 4, 1)
    s.advance(100e-6)
    s.write("ADC1", CR, ADVREGEN)
    s.advance(100e-6)


def _injected_ranks(channel: int) -> None:
    @scenario("ADC1", JSQR)
    def injected_ranks(s: Subject) -> None:
        """Four ranks of one channel."""
        ranks = sum(channel << 8 + 6 * rank for rank in range(4))
        start_adc(s, {CFGR: JQDIS, JSQR: 3 | ranks}, start=False)
        s.write("ADC1", CR, ADVREGEN | JADSTART)
        s.advance(100e-6)


_injected_ranks(0)
_injected_ranks(1)


def _watched(channel: int, low: int, high: int, chosen: int, *registers: int) -> None:
    @scenario("ADC1", *registers)
    def watched(s: Subject) -> None:
        """All watchdogs look at one channel, or only the first does."""
        start_adc(
            s,
            {
                CFGR: JQDIS | AWD1EN | AWD1SGL | channel << 26,
                **dict.fromkeys((AWD2CR, AWD3CR), chosen),
                TR1: high << 16 | low,
                **dict.fromkeys((TR2, TR3), high >> 4 << 16 | low >> 4),
                SQR1: channel << 6,
            },
        )
        s.advance(60e-6)


_watched(1, 0, 0xFFF, 1 << 1, TR1, TR2, TR3, CFGR)  # at the upper end
_watched(2, 0, 0xFFF, 1 << 2, TR1, TR2, TR3, CFGR)  # at the lower end
_watched(2, 0xFFF, 0xFFF, 1 << 2, IER)  # outside, and nobody is told
_watched(2, 0xFFF, 0xFFF, 0, CFGR)
_watched(1, 0, 0, 0, AWD2CR, AWD3CR)
for _channel in range(19):
    _watched(_channel, 0xFFF, 0xFFF, 0, AWD2CR, AWD3CR)


@scenario("ADC1", *SETTINGS)
def by_dma(s: Subject) -> None:
    """A sequence goes to SRAM, round and round."""
    s.dma("ADC1", BLOCKS["ADC1"].base + DR, width=2)
    sampled = 0x0249_2492
    start_adc(s, {CFGR: 0x3 | 1 << 13, CFGR2: 0, SMPR1: sampled, SMPR2: sampled, SQR1: 3 | 1 << 6 | 2 << 12})
    s.advance(300e-6)


def _all_ranks(channel: int) -> None:
    @scenario("ADC1", *SQR)
    def ranks(s: Subject) -> None:
        """All sixteen ranks convert one channel."""
        s.dma("ADC1", BLOCKS["ADC1"].base + DR, width=2)
        words = [15, 0, 0, 0]
        for rank in range(16):
            register, position = divmod(rank + 1, 5)
            words[register] |= channel << 6 * position
        start_adc(s, {CFGR: 1, **dict(zip(SQR, words, strict=True))})
        s.advance(200e-6)


_all_ranks(1)
_all_ranks(0)


def _sampling(channel: int) -> None:
    @scenario("ADC1", SMPR1 if channel < 10 else SMPR2)
    def sampling(s: Subject) -> None:
        """One channel, with its sampling time."""
        start_adc(s, {SMPR1: 0, SMPR2: 0, SQR1: channel << 6}, interrupts=4)
        s.advance(300e-6)


for _channel in range(19):
    _sampling(_channel)


@scenario("ADC1", CFGR, CFGR2)
def oversampled(s: Subject) -> None:
    """Oversampling of a constant level, with a shift."""
    start_adc(s, {SQR1: 17 << 6, CFGR2: 1 | 2 << 5, SMPR2: 0}, interrupts=4)
    s.advance(300e-6)
    s.note(s.read("ADC1", DR))


def _resolution(config: int) -> None:
    @scenario("ADC1", CFGR)
    def resolution(s: Subject) -> None:
        """A level in between, of some resolution and alignment, overwritten or not."""
        start_adc(s, {SQR1: 1 | 17 << 6 | 1 << 12, CFGR: config, SMPR2: 0}, interrupts=0x1C)
        s.advance(50e-6)
        s.note(s.read("ADC1", DR))


for _config in (0, 1 << 3, 1 << 5, 1 << 12):
    _resolution(_config)


def _external(code: int, timer: str) -> None:
    @scenario("ADC1", CFGR)
    def external(s: Subject) -> None:
        """A timer's updates begin conversions."""
        s.write(timer, 0x2C, 100)
        s.write(timer, 0x04, 2 << 4)
        s.write(timer, 0x00, 1)
        start_adc(s, {SQR1: 17 << 6, CFGR: 1 << 10 | code << 6}, interrupts=4)
        s.advance(60e-6)
        s.note(s.read("ADC1", DR))


for _code, _timer in ((11, "TIM2"), (13, "TIM6"), (14, "TIM15")):
    _external(_code, _timer)


@scenario("ADC123_COMMON")
def common(s: Subject) -> None:
    """Internal channels with a slow clock."""
    s.dma("ADC1", BLOCKS["ADC1"].base + DR, width=2)
    start_adc(s, {SQR1: 2 | 17 << 6 | 18 << 12, CFGR: 1}, interrupts=4)
    s.advance(100e-6)


def _dual(settings: int, config: int) -> None:
    @scenario("ADC123_COMMON", CCR)
    def dual(s: Subject) -> None:
        """ADC1 leads ADC2; DMA takes the results of both."""
        s.dma("ADC1", BLOCKS["ADC123_COMMON"].base + CDR)
        start_adc(s, {SQR1: 1 << 6}, start=False)
        s.write("ADC2", CR, ADVREGEN)
        s.advance(25e-6)
        s.write("ADC2", CR, ADVREGEN | ADEN)
        s.advance(25e-6)
        s.write("ADC2", SQR1, 2 << 6)
        s.write("ADC2", IER, 4)
        s.write("ADC1", CFGR, config)
        s.write("ADC123_COMMON", CCR, 0x0001_0000 | settings)
        s.write("ADC1", CR, ADVREGEN | ADSTART)
        for _ in range(3):
            s.advance(30e-6)
        s.note(s.read("ADC2", DR), s.read("ADC123_COMMON", CSR))


for _settings in (6, 7, 6 | 2 << 14, 6 | 3 << 14, 7 | 2 << 14 | 1 << 13):
    _dual(_settings, 1 << 13)


@scenario("ADC123_COMMON")
def asynchronous(s: Subject) -> None:
    """The asynchronous clock and its prescaler."""
    s.write("RCC", 0x88, 3 << 28)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN)
    s.write("ADC123_COMMON", CCR, 0x0004_0000)
    s.blocks["ADC1"].write(SQR1, 4, 18 << 6)
    s.blocks["ADC1"].write(IER, 4, 4)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN | ADEN)
    s.advance(1e-3)
    s.blocks["ADC1"].write(CR, 4, ADVREGEN | ADSTART)
    s.advance(1e-3)
    s.note(s.read("ADC1", DR))


@scenario("VREFBUF")
def reference(s: Subject) -> None:
    """The buffer is on, driving the pin."""
    s.begin()
    s.write("VREFBUF", 0x00, 0x1)
    s.advance(500e-6)


@scenario("TIM6", 0x04)
def trigger_of_tim6(s: Subject) -> None:
    """The converter follows TIM6's trigger output."""
    for select in (2, 0):
        s.write("TIM6", 0x2C, 100)
        s.write("TIM6", 0x04, select << 4)
        start_adc(s, {SQR1: 17 << 6, CFGR: 1 << 10 | 13 << 6}, interrupts=4)
        s.write("TIM6", 0x00, 1)
        s.advance(60e-6)
        s.write("TIM6", 0x14, 1)
        s.advance(20e-6)
        s.note(s.read("ADC1", DR))
