# SPDX-License-Identifier: Apache-2.0
"""Analog-to-digital converters (RM0351, ADC section): regular sequences by software or trigger, with DMA.

Modelled: power-up sequence, calibration, sequences of 1 to 16 conversions, continuous mode, hardware
triggers, resolution, alignment, oversampling, overrun, DMA in one-shot and circular mode, injected sequences,
analog watchdogs. Not modelled: differential conversions, offsets, discontinuous and auto-delayed modes.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import numpy as np

from hil.parts import Block, Part
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.adc_v3.common import AdcCommon, Pair
from hil.twin.ip.adc_v3.injected import JDR1, JEXTSEL, JSQR, Injected
from hil.twin.ip.adc_v3.inputs import AnalogInputs
from hil.twin.ip.adc_v3.sampling import CFGR, CFGR2, SMPR1, SMPR2, SQR1, Sampling
from hil.twin.ip.adc_v3.watchdogs import AWD2CR, AWD3CR, TR1, TR2, TR3, Watchdogs
from hil.twin.ip.bdma_v2 import Dma
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.timer_v1.tim import Tim
from hil.twin.signal import Signal

ISR: Final = 0x00
IER: Final = 0x04
CR: Final = 0x08
DR: Final = 0x40
CALFACT: Final = 0xB4

_ADRDY, _EOSMP, EOC, _EOS, OVR = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 4
_ADEN, _ADDIS, _ADSTART, _JADSTART, _ADSTP, _JADSTP = (1 << bit for bit in range(6))
_JQDIS: Final = 1 << 31
_ADVREGEN, _DEEPPWD, _ADCALDIF, _ADCAL = 1 << 28, 1 << 29, 1 << 30, 1 << 31
_DMAEN, _DMACFG, _OVRMOD, _CONT = 1, 1 << 1, 1 << 12, 1 << 13
_EXTSEL: Final = 0xF << 6
TRIGGER_EXTI_11: Final = 6
"""The EXTSEL code of the EXTI's line (ST's HAL, LL_ADC_REG_TRIG_EXT_EXTI_LINE11)."""
_UNMODELLED: Final = (
    *(0x60, 0x64, 0x68, 0x6C),  # offsets
    0xB0,  # DIFSEL
)


class Adc(RegisterBlock):
    """One of ADC1 to ADC3.

    ``triggers`` and ``injected_triggers`` map EXTSEL and JEXTSEL codes to the timers whose TRGO they select;
    ``dma_routes`` lists the controllers, channels and request codes that can serve it; ``power_changed``
    tells that its supply current may have.
    ``core_asleep`` says whether no program looks at the memory: conversions may then be done in stretches.
    """

    resets: ClassVar[Mapping[int, int]] = (
        {ISR: 0, IER: 0, CR: _DEEPPWD, CFGR: 0x8000_0000, CFGR2: 0, SMPR1: 0, SMPR2: 0, DR: 0, CALFACT: 0}
        | {SQR1 + 4 * index: 0 for index in range(4)}
        | {TR1: 0x0FFF_0000, TR2: 0x00FF_0000, TR3: 0x00FF_0000, AWD2CR: 0, AWD3CR: 0, JSQR: 0}
        | {JDR1 + 4 * index: 0 for index in range(4)}
        | dict.fromkeys(_UNMODELLED, 0)
    )
    polled: ClassVar[frozenset[int]] = frozenset({ISR, CR})
    writable: ClassVar[Mapping[int, int]] = {
        ISR: 0,
        DR: 0,
        **{JDR1 + 4 * index: 0 for index in range(4)},
        TR1: 0x0FFF_0FFF,
        TR2: 0x00FF_00FF,
        TR3: 0x00FF_00FF,
        AWD2CR: 0x7_FFFF,
        AWD3CR: 0x7_FFFF,
        JSQR: 0x7DF7_DFFF,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({ISR})
    not_modelled: ClassVar[Mapping[int, int]] = dict.fromkeys(_UNMODELLED, 0xFFFF_FFFF) | {
        IER: 1 << 10,  # the injected queue's overflow
        CR: _ADCALDIF,
        CFGR: 0x003F_C000,  # auto-delayed and discontinuous modes, the queue's mode
        CFGR2: 0x602,
        CALFACT: 0x007F_007F,  # factors that a program writes
    }

    def __init__(
        self,
        part: Part,
        block: Block,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        common: AdcCommon,
        inputs: AnalogInputs,
        triggers: Mapping[int, Tim],
        injected_triggers: Mapping[int, Tim],
        dma_routes: tuple[tuple[Dma, int, int], ...],
        noise: np.random.Generator,
        core_asleep: Callable[[], bool],
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._common = common
        self._triggers = triggers
        self._core_asleep = core_asleep
        self._dma_routes = dma_routes
        self.sampling = Sampling(part, lambda: self.words, common, inputs, noise)
        """What its conversions find."""
        self.injected = Injected(
            lambda: self.words, self, injected_triggers, lambda: bool(self.words[CR] & _JADSTART)
        )
        self._watchdogs = Watchdogs(lambda: self.words)
        self._ready = False
        """ADRDY came since it was enabled, whether software cleared the flag or not."""
        self._held = False
        """A regular conversion waits for the injected sequence's end."""
        self._event: Event | None = None
        self._calibration: Event | None = None
        self.pair: Pair | None = None
        """Dual mode, where the converter has a partner."""
        self._following: Event | None = None
        """The beginning of a conversion after one of the partner."""
        self._stalled = False
        """A conversion waits for the clock."""
        self._owed = False
        """That beginning came while a conversion was under way."""
        self._restart = False
        """That conversion is to be of the first rank."""
        self._rank = 0
        self._began_ps = 0
        self._dma_finished = False
        self.power_changed: Signal[[]] = Signal(required=True)
        for code, timer in triggers.items():
            timer.trigger_output.converters.append((self, code))
        self._calibration_cycles = part.fact("adc_calibration").extra["cycles"]

    def reset(self) -> None:
        """System reset: deep power-down."""
        super().reset()
        self._ready = False
        self._cancel()
        self.injected.stop()
        if self._calibration is not None:
            self._calibration.cancel()
            self._calibration = None
        self._interrupt.set(False)
        self.power_changed()

    @property
    def enabled(self) -> bool:
        """ADEN: the analog part is powered."""
        return bool(self.words[CR] & _ADEN)

    @property
    def converting(self) -> bool:
        """ADSTART: conversions are under way or wait for triggers."""
        return bool(self.words[CR] & _ADSTART)

    @property
    def conversion_rate_hz(self) -> float:
        """Mean conversions per second in the present mode; zero between single conversions."""
        return self._regular_rate_hz + self.injected.rate_hz

    @property
    def _regular_rate_hz(self) -> float:
        if not self.converting:
            return 0.0
        config = self._sequencing
        if config & _CONT or (self._event is not None and not field(config, 10, 2)):
            return self._common.clock_hz / self.sampling.conversion_cycles(0)
        timer = self._triggers.get(field(config, 6, 4))
        return timer.trgo_hz * (self.sampling.last_rank + 1) if timer is not None else 0.0

    def read_word(self, offset: int) -> int:
        """ADC_DR clears EOC."""
        word = super().read_word(offset)
        return self.take_result() if offset == DR else word

    def take_result(self) -> int:
        """ADC_DR; clears EOC."""
        self.words[ISR] &= ~EOC
        self._update_interrupt()
        return self.words[DR]

    @property
    def sampling_cycles(self) -> float:
        """Of the conversion under way, or next."""
        return self.sampling.sampling_cycles(self._rank)

    @property
    def at_first_rank(self) -> bool:
        """Whether a sequence begins with the conversion under way."""
        return self._rank == 0

    @property
    def _sequencing(self) -> int:
        config = self.words[CFGR]
        return config if self.pair is None else self.pair.sequencing(self, config)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset == ISR:
            self.words[ISR] &= ~value
        elif offset == CR:
            self._write_control(value)
        elif offset == CFGR and self.converting:
            return  # configuration may be written only while no conversion is started
        else:
            self.store(offset, value)
            if offset in (CFGR, JSQR):
                self._name_trigger()
        self._update_interrupt()

    def _name_trigger(self) -> None:
        """Triggers by compare events and TRGO2 are not modelled."""
        config = self.words[CFGR]
        known = field(config, 6, 4) in self._triggers or field(config, 6, 4) == TRIGGER_EXTI_11
        if field(config, 10, 2) and not known and self.unknowns is not None:
            self.unknowns.without_effect(self, CFGR, _EXTSEL)
        if self.injected.unknown_trigger and self.unknowns is not None:
            self.unknowns.without_effect(self, JSQR, JEXTSEL)

    def _write_control(self, value: int) -> None:
        control = self.words[CR] & ~(_ADVREGEN | _DEEPPWD | _ADCALDIF) | value & (
            _ADVREGEN | _DEEPPWD | _ADCALDIF
        )
        if control & _DEEPPWD:
            control &= ~_ADVREGEN
        powered = bool(control & _ADVREGEN)
        if value & _ADCAL and powered and not control & (_ADEN | _ADCAL):
            control |= _ADCAL
            self._calibration = self._in_cycles(self._calibration_cycles, self._calibrated)
        if value & _ADEN and powered and not control & (_ADEN | _ADCAL):
            control |= _ADEN
            # Stabilisation takes one conversion (DS10198 Rev 8, Table 76).
            self._event = self._in_cycles(self.sampling.conversion_cycles(0), self._stabilised)
        led = self.pair is not None and self.pair.is_led(self)
        if (value & _ADSTP and not led) or value & _ADDIS:
            control &= ~_ADSTART
            self._cancel()
            if self.pair is not None:
                self.pair.stopped(self)
        if value & (_JADSTP | _ADDIS) or not powered:
            control &= ~_JADSTART
            if self.injected.running:
                self.injected.stop()
                self.resume_regular()
        if value & _ADDIS or not powered:
            control &= ~(_ADEN | _ADSTART)
            self.words[ISR] &= ~_ADRDY
            self._ready = False
            self._cancel()
        # A one that is written back does not start again what is stopped by the same store.
        fresh = value & ~self.words[CR] & _ADSTART and not led
        ready = self._ready and control & _ADEN
        start = fresh and ready
        inject = ready and value & ~self.words[CR] & _JADSTART and not self.injected.automatic
        self.words[CR] = control | (_ADSTART if start else 0) | (_JADSTART if inject else 0)
        if inject:
            self._inject()
        if start:
            self._rank = 0
            self._dma_finished = False
            if not field(self.words[CFGR], 10, 2):
                self._begin()
        self.power_changed()

    def _inject(self) -> None:
        if not self.words[CFGR] & _JQDIS and self.unknowns is not None:
            self.unknowns.without_effect(self, CFGR, _JQDIS)  # the queue of contexts
        if not self.injected.waits_for_trigger:
            self.injected.begin()

    def convert_injected(self, channel: int, done: Callable[[int], None]) -> Event | None:
        """Begin a conversion of the injected sequence; ``done`` gets its result."""
        began_ps = self._scheduler.now_ps

        def converted() -> None:
            value, watched = self.sampling.channel_result(channel, began_ps)
            self.words[ISR] |= _EOSMP | self._watchdogs.flags(channel, watched, injected=True)
            done(value)

        return self._in_cycles(self.sampling.channel_cycles(channel), converted)

    def interrupt_regular(self) -> None:
        """Break off a regular conversion; it is made again after the injected sequence."""
        if self._event is not None:
            self._event.cancel()
            self._event = None
            self._held = True

    def resume_regular(self) -> None:
        """The injected sequence is over."""
        if self._held:
            self._held = False
            self._begin()

    def flag_injected(self, flags: int, *, over: bool) -> None:
        """JEOC, JEOS; the last of a software trigger ends JADSTART."""
        self.words[ISR] |= flags
        if over:
            self.words[CR] &= ~_JADSTART
        self._update_interrupt()

    def _in_cycles(self, cycles: float, action: Callable[[], None]) -> Event | None:
        clock_hz = self._common.clock_hz if self.is_clocked() else 0
        return self._scheduler.after(round(cycles * PS_PER_S / clock_hz), action) if clock_hz else None

    def _cancel(self) -> None:
        for event in (self._event, self._following):
            if event is not None:
                event.cancel()
        self._event = self._following = None
        self._owed = self._stalled = self._held = False

    def _calibrated(self) -> None:
        self._calibration = None
        self.words[CR] &= ~_ADCAL
        self.words[CALFACT] = 0x40  # mid-scale: a typical part's offset is not known

    def _stabilised(self) -> None:
        self._event = None
        self.words[ISR] |= _ADRDY
        self._ready = True
        self._update_interrupt()

    def listens(self, index: int) -> bool:
        """Whether conversions wait for the trigger with that EXTSEL code."""
        config = self.words[CFGR]
        return bool(field(config, 10, 2)) and field(config, 6, 4) == index and self.converting

    def internal_trigger(self, index: int) -> None:
        """A pulse of the trigger with that EXTSEL code."""
        idle = self._event is None and not self._dma_finished
        timer = self._triggers.get(index)
        if self.listens(index) and idle and not (timer is not None and self._convert_ahead(timer)):
            self._begin()

    def _convert_ahead(self, timer: Tim) -> bool:
        """Do the conversions of a whole stretch of triggers at once; false if only one by one will do.

        While the core sleeps, nobody can tell when in the stretch a sample reached the memory, up to the next
        event of anybody else or the DMA's next flag.
        """
        config = self.words[CFGR]
        single = not self.sampling.last_rank and not self.words[CFGR2] & 1 and not self.words[IER] & ~OVR
        if self._watchdogs.on or self.injected.automatic or self.injected.running:
            return False
        if not single or not config & _DMAEN or self.words[ISR] & (EOC | OVR) or not self._core_asleep():
            return False
        if self.pair is not None and self.pair.active:
            return False
        clock_hz = self._common.clock_hz
        for dma, dma_channel, code in self._dma_routes:
            room = dma.room_before_flag(dma_channel, code, self.base + DR)
            if room < 1 or not clock_hz:
                continue
            conversion_ps = round(self.sampling.conversion_cycles(0) * PS_PER_S / clock_hz)
            times_ps = timer.upcoming_updates(self, room, self._scheduler.quiet_until_ps - conversion_ps)
            if not len(times_ps) or times_ps[0] + conversion_ps >= self._scheduler.quiet_until_ps:
                return False
            timer.skip_updates(len(times_ps) - 1)
            values = self.sampling.results(0, times_ps)
            dma.move_half_words(dma_channel, values)
            self.words[DR] = int(values[-1])
            self.words[ISR] |= _EOSMP | _EOS
            return True
        return False

    def _begin(self) -> None:
        self._event = None
        if self._dma_finished:
            return
        if self.injected.running:
            self._held = True
            return
        if not self._clock_runs:
            self._stalled = True
            return
        self._began_ps = self._scheduler.now_ps
        cycles = self.sampling.conversion_cycles(self._rank) * self.sampling.oversampling
        self._event = self._in_cycles(cycles, self._converted)
        if self.pair is not None:
            self.pair.begun(self)

    def begin_at(self, time_ps: int) -> None:
        """Begin a conversion then, or now if that is past."""
        self._event = self._scheduler.at(max(time_ps, self._scheduler.now_ps), self._begin)

    def follow(self, cycles: float, *, first: bool) -> None:
        """Begin a conversion some cycles after the partner's; of the ``first`` rank or the present one."""
        if not self._ready:
            return
        if not self.words[CR] & _ADSTART:
            self._dma_finished = False
        self.words[CR] |= _ADSTART
        self._restart = first
        if cycles:
            self._following = self._in_cycles(cycles, self._begin_following)
        else:
            self._begin_following()

    def _begin_following(self) -> None:
        self._following = None
        if self._event is not None:
            self._owed = True
            return
        if self._restart:
            self._rank = 0
        self._begin()

    def stop(self) -> None:
        """The partner's ADSTP."""
        self.words[CR] &= ~_ADSTART
        self._cancel()
        self.power_changed()

    @property
    def _clock_runs(self) -> bool:
        return bool(self._common.clock_hz) and self.is_clocked()

    def retime(self) -> None:
        """The clock may run again: do the conversion that it stopped."""
        if self._stalled and self._clock_runs:
            self._stalled = False
            self._begin()

    def _converted(self) -> None:
        self._event = None
        if not self._clock_runs:
            self._stalled = True
            return
        value, watched = self.sampling.result(self._rank, self._began_ps)
        channel = self.sampling.channel(self._rank)
        self.words[ISR] |= self._watchdogs.flags(channel, watched, injected=False)
        overrun = self.words[ISR] & EOC
        if not overrun or self.words[CFGR] & _OVRMOD:
            self.words[DR] = value
        self.words[ISR] |= EOC | _EOSMP | (OVR if overrun else 0)
        last = self._rank >= self.sampling.last_rank  # a program may have shortened the sequence
        self._rank = 0 if last else self._rank + 1
        if last:
            self.words[ISR] |= _EOS
        if self.pair is not None and self.pair.shares_dma:
            self.pair.request_dma()
        elif self.words[CFGR] & _DMAEN and not self.words[ISR] & OVR:
            self.request_dma(circular=bool(self.words[CFGR] & _DMACFG))
        sequencing = self._sequencing
        if last and not field(sequencing, 10, 2) and not sequencing & _CONT:
            self.words[CR] &= ~_ADSTART
            self.power_changed()
        elif not self._dma_finished and (not last or sequencing & _CONT):
            self._begin_next()
        if last and self.injected.automatic:
            self.injected.begin()
        self._update_interrupt()

    def _begin_next(self) -> None:
        if self._owed:
            self._owed = False
            self._begin_following()
        elif self.pair is None or not self.pair.schedules(self):
            self._begin()

    def request_dma(self, *, circular: bool) -> None:
        """Ask for a transfer. In one-shot mode the DMA's last one ends the conversions (RM0351, ADC section,
        DMA one shot mode).
        """
        for dma, channel, code in self._dma_routes:
            if dma.request(channel, code):
                self._dma_finished = not circular and dma.finished(channel)
                return

    def _update_interrupt(self) -> None:
        self._interrupt.set(bool(self.words[ISR] & self.words[IER]))
