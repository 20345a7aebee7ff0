# SPDX-License-Identifier: Apache-2.0
"""Digital-to-analog converter DAC1 with its two channels (RM0351, DAC section): registers, triggers, DMA.

Not modelled: sample and hold, whose output is that of the normal mode.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.ip.dac_v3.channel import CEN, DMAEN, DMAUDRIE, EN, DacChannel
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.pins import AnalogSource, Pin
from hil.twin.signal import Signal

CR: Final = 0x00
SWTRIGR: Final = 0x04
DHR12R1: Final = 0x08
DHR12L1: Final = 0x0C
DHR8R1: Final = 0x10
DHR12R2: Final = 0x14
DHR12L2: Final = 0x18
DHR8R2: Final = 0x1C
DHR12RD: Final = 0x20
DHR12LD: Final = 0x24
DHR8RD: Final = 0x28
DOR1: Final = 0x2C
DOR2: Final = 0x30
SR: Final = 0x34
CCR: Final = 0x38
MCR: Final = 0x3C
SHSR1: Final = 0x40
SHSR2: Final = 0x44
SHHR: Final = 0x48
SHRR: Final = 0x4C

PINS: Final = ("PA4", "PA5")
"""DAC1_OUT1 and DAC1_OUT2 (DS10198 Rev 8, Table 16)."""
TRIGGER_TIMERS: Final = {0: "TIM6", 1: "TIM8", 2: "TIM7", 3: "TIM5", 4: "TIM2", 5: "TIM4"}
"""TSEL codes of the timers' TRGO (ST's HAL, LL_DAC_TRIG_EXT)."""
TRIGGER_EXTI_9: Final = 6
TRIGGER_SOFTWARE: Final = 7

_HOLDING: Final[dict[int, tuple[tuple[int, int, int], ...]]] = {
    DHR12R1: ((0, 0, 12),),
    DHR12L1: ((0, 4, 12),),
    DHR8R1: ((0, 0, 8),),
    DHR12R2: ((1, 0, 12),),
    DHR12L2: ((1, 4, 12),),
    DHR8R2: ((1, 0, 8),),
    DHR12RD: ((0, 0, 12), (1, 16, 12)),
    DHR12LD: ((0, 4, 12), (1, 20, 12)),
    DHR8RD: ((0, 0, 8), (1, 8, 8)),
}
"""Of a data register: channel, position and width of what it holds."""
_BITS: Final = 12
_CHANNELS: Final = (0, 1)
_MAMP: Final = 0xF00
_CAL_FLAG: Final = 1 << 14


class Dac(RegisterBlock):
    """DAC1.

    ``requests`` ask DMA for an item for each channel; ``listeners`` are called when what other blocks get
    may have changed.
    """

    resets: ClassVar[Mapping[int, int]] = (
        dict.fromkeys((CR, SWTRIGR, *_HOLDING, DOR1, DOR2, SR, CCR, MCR, SHSR1, SHSR2), 0)
        | {SHHR: 0x0001_0001, SHRR: 0x0001_0001}  # RM0351; the SVD file lacks SHRR's upper half
    )
    writable: ClassVar[Mapping[int, int]] = {
        CR: 0x7FFD_7FFD,
        SWTRIGR: 0,
        **dict.fromkeys((DHR12R1, DHR12R2), 0xFFF),
        **dict.fromkeys((DHR12L1, DHR12L2), 0xFFF0),
        **dict.fromkeys((DHR8R1, DHR8R2), 0xFF),
        DHR12RD: 0x0FFF_0FFF,
        DHR12LD: 0xFFF0_FFF0,
        DHR8RD: 0xFFFF,
        DOR1: 0,
        DOR2: 0,
        SR: 0,
        CCR: 0x001F_001F,
        MCR: 0x0007_0007,
        **dict.fromkeys((SHSR1, SHSR2), 0x3FF),
        SHHR: 0x03FF_03FF,
        SHRR: 0x00FF_00FF,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({SR, SWTRIGR})
    not_modelled: ClassVar[Mapping[int, int]] = {
        MCR: 0x0004_0004,
        **dict.fromkeys((SHSR1, SHSR2), 0x3FF),
        SHHR: 0x03FF_03FF,
        SHRR: 0x00FF_00FF,
    }
    """Sample and hold."""

    def __init__(
        self,
        block: Block,
        interrupt: InterruptSource,
        pins: tuple[Pin, Pin],
        reference_v: Callable[[], float],
        requests: tuple[Callable[[], bool], Callable[[], bool]],
    ) -> None:
        super().__init__(block)
        self._interrupt = interrupt
        self._requests = requests
        self._waiting = [False, False]
        """Whether a channel's request was not served yet."""
        self.output_changed: Signal[[]] = Signal(required=True)
        self.channels = tuple(DacChannel(pin, reference_v, self._output_changed) for pin in pins)

    def reset(self) -> None:
        """System reset: both channels off."""
        super().reset()
        self._waiting = [False, False]
        for channel in self.channels:
            channel.reset()
        self._update_interrupt()

    def output(self, index: int) -> AnalogSource | None:
        """What a channel (0 or 1) gives the other analog blocks; ``None`` if it is not connected to them."""
        channel = self.channels[index]
        return channel if channel.reaches_blocks else None

    def listens(self, index: int) -> bool:
        """Whether a channel waits for the trigger with that TSEL code."""
        return any(channel.trigger_code == index for channel in self.channels)

    def internal_trigger(self, index: int) -> None:
        """The trigger with that TSEL code: convert what waits for it, then let DMA bring the next values."""
        triggered = [at for at in _CHANNELS if self.channels[at].trigger_code == index]
        if not triggered or not self.is_clocked():
            return
        with_dma = [at for at in triggered if self._control(at) & DMAEN and not self._underrun(at)]
        for at in with_dma:
            self._repeat_request(at)
        for at in triggered:
            self.channels[at].convert()
        for at in with_dma:
            if not self._underrun(at):
                self._waiting[at] = not self._requests[at]()

    def _repeat_request(self, index: int) -> None:
        """A request that nobody served up to the next trigger is an underrun (RM0351, DMA underrun)."""
        if self._waiting[index] and not self._requests[index]():
            self.words[SR] |= DMAUDRIE << 16 * index
            self._update_interrupt()

    def read_word(self, offset: int) -> int:
        """DOR is the output, SR has the result of a calibration step; the rest reads as written."""
        if offset in (DOR1, DOR2):
            return self.channels[(offset - DOR1) // 4].output
        word = super().read_word(offset)
        if offset == SR:
            word |= sum(_CAL_FLAG << 16 * index for index in _CHANNELS if self.channels[index].calibrated)
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset == SR:
            self.words[SR] &= ~value
            self._update_interrupt()
        elif offset == SWTRIGR:
            self._software_trigger(value)
        elif offset == CR:
            self._write_control(value)
        elif offset == MCR:
            locked = sum(0x7 << 16 * index for index in _CHANNELS if self.channels[index].settings_locked)
            self.store(MCR, self.words[MCR] & locked | value & ~locked)
            for index in _CHANNELS:
                self.channels[index].set_mode(field(self.words[MCR], 16 * index, 3))
        else:
            self.store(offset, value)
            for index, position, width in _HOLDING.get(offset, ()):
                self.channels[index].hold(field(value, position, width) << _BITS - width)
            if offset == CCR:
                for index in _CHANNELS:
                    self.channels[index].trim = field(value, 16 * index, 5)

    def _write_control(self, value: int) -> None:
        for index in _CHANNELS:
            if self._control(index) & EN:
                # Neither the wave's amplitude nor a calibration begins while the channel is on.
                kept = (_MAMP | CEN) << 16 * index
                value = self.words[CR] & kept | value & ~kept
        self.store(CR, value)
        for index in _CHANNELS:
            if not self._control(index) & DMAEN:
                self._waiting[index] = False
            self.channels[index].set_control(self._control(index))
        self._update_interrupt()

    def _software_trigger(self, value: int) -> None:
        """SWTRIGR: no request for DMA (RM0351, DMA request)."""
        for index in _CHANNELS:
            if value >> index & 1 and self.channels[index].trigger_code == TRIGGER_SOFTWARE:
                self.channels[index].convert()

    def _control(self, index: int) -> int:
        return field(self.words[CR], 16 * index, 16)

    def _underrun(self, index: int) -> bool:
        return bool(self.words[SR] & DMAUDRIE << 16 * index)

    def _output_changed(self) -> None:
        self.output_changed()

    def _update_interrupt(self) -> None:
        # DMAUDR and its enable stand at the same place of their registers.
        self._interrupt.set(bool(self.words[SR] & self.words[CR] & (DMAUDRIE | DMAUDRIE << 16)))
