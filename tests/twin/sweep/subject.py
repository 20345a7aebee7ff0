# SPDX-License-Identifier: Apache-2.0
"""A part of which one register bit is inverted, and everything that can be seen of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from hil.twin.core.bus import BusFault
from hil.twin.core.state_layout import EVENT_REGISTER as _EVENT_REGISTER
from hil.twin.soc.stm32l4.option_bytes import FACTORY
from tests.twin.bare_part import BLOCKS, BarePart

_START_GRID_PS = 10**9
SRAM = 0x2000_1000
"""Where scenarios let DMA work; 4 KiB that hold a pattern at first."""


@dataclass(frozen=True)
class Sample:
    """What was seen at one instant."""

    what: tuple[object, ...]
    words: dict[int, int]
    """The registers of the block, by their offset."""


def differ(plain: list[Sample], tried: list[Sample], target: Bit, *, acts: bool) -> bool:
    """Tell whether more differs than the target itself, which counts only if a store to it ``acts``."""
    if len(plain) != len(tried):
        return True
    for first, second in zip(plain, tried, strict=True):
        if first.what != second.what or first.words.keys() != second.words.keys():
            return True
        for offset, word in first.words.items():
            ignored = target.mask if offset == target.offset and not acts else 0
            if (word ^ second.words[offset]) & ~ignored:
                return True
    return False


@dataclass(frozen=True)
class Bit:
    """One bit of a register."""

    block: str
    offset: int
    mask: int


class Subject:
    """A part under a scenario, in which ``target`` is inverted whenever its register is written."""

    def __init__(self, part: BarePart, block: str) -> None:
        """``block`` is the one whose registers are looked at in full."""
        self._part = part
        self.start_ps = 0
        self.losses = 0
        """Of the debug port's supply, up to the scenario's start."""
        self.mcu = part.mcu
        self.blocks = part.mcu.peripherals.blocks
        self.pins = part.pins
        self._target: Bit | None = None
        self._at_end = False
        self._seen: list[Sample] = []
        self._edges: list[tuple[object, ...]] = []
        """Of pins and interrupt requests, with their instants since the scenario's start."""
        for pin in part.pins.values():
            pin.level_out_changed.connect(partial(self._edge, pin.name))
        nvic = part.mcu.core._nvic
        set_level = nvic.set_level

        def watched(interrupt: int, high: bool) -> None:
            if bool(nvic.level >> 16 + interrupt & 1) is not high:
                self._edge(interrupt, part.now_ps, high)
            set_level(interrupt, high)

        nvic.set_level = watched  # type: ignore[method-assign]
        reset = part.mcu.system_reset

        def resetting(cause: str) -> None:
            self._edge("reset", part.now_ps, cause)
            reset(cause)

        part.mcu.system_reset = resetting  # type: ignore[method-assign]
        self._block = self.blocks[block]
        memory = part.mcu.core.memory
        self._flash = memory["flash"].copy()

    def observe(
        self, scenario: Callable[[Subject], None], target: Bit | None, *, at_end: bool = False
    ) -> list[Sample]:
        """Run a scenario from power-on with ``target`` inverted; return what could be seen.

        Every write of the scenario to its register has it inverted, and so has one before the scenario's
        actions. With ``at_end`` there is one such write after them instead.
        """
        self._target, self._at_end = target, at_end
        self.mcu.set_supply_voltage(0.0)
        self.mcu.set_temperature(25.0)
        self.mcu.set_backup_supply(None)
        self._restore()
        for pin in self.pins.values():
            pin.set_external_level(None, self._part.now_ps)
        self._part.advance(1e-6)
        self.mcu.set_supply_voltage(3.0)
        self._part.advance(400e-6)
        # Clocks that free-run keep their phase from time zero: every scenario begins at the same one.
        self._part.advance_to(-(-self._part.now_ps // _START_GRID_PS) * _START_GRID_PS)
        self.start_ps = self._part.now_ps
        self.losses = self.mcu.debug_port_losses
        self._seen = []
        self._edges.clear()
        memory = self.mcu.core.memory
        memory["sram1"][:] = _PATTERN
        memory["sram2"][:] = 0
        unmodelled = self.mcu.peripherals.unmodelled
        unmodelled.accesses.clear()
        unmodelled._seen.clear()
        for clock in (0x48, 0x4C, 0x50, 0x58, 0x5C, 0x60):  # all clocks but the sleeping ones
            self._raw("RCC", clock, 0xFFFF_FFFF if clock != 0x48 else 0x1_1103)
        self._raw("PWR", 0x00, 0x300)
        scenario(self)
        if target is not None and at_end:
            self._write_target()
        self.advance(300e-6)
        self.note(*self._edges)
        return self._seen

    def _restore(self) -> None:
        """What lasts without supply, and random numbers, are as at first."""
        memory, blocks = self.mcu.core.memory, self.mcu.peripherals
        if self._block.name == "FLASH":
            memory["flash"][:] = self._flash
            blocks.flash.options.program(FACTORY)
        memory._random = np.random.default_rng(1)
        blocks.rng._numbers = np.random.default_rng(1)
        for adc in blocks.adcs.values():
            adc.sampling.discharge()

    def is_named(self, target: Bit) -> bool:
        """Whether the part told, since the last run began, that this bit has no model."""
        address = self.blocks[target.block].base + target.offset
        name = re.compile(rf"\b{target.mask.bit_length() - 1}\b")
        accesses = self.mcu.peripherals.unmodelled.accesses
        return any(access.address == address and name.search(access.register) for access in accesses)

    def begin(self) -> None:
        """The scenario's set-up begins: a target that it never writes is written now."""
        if self._target is not None and not self._at_end:
            self._write_target()

    def write(self, block: str, offset: int, value: int) -> None:
        """A store of a word, with the target's bit inverted."""
        target = self._target
        if target is not None and not self._at_end and (target.block, target.offset) == (block, offset):
            value ^= target.mask
        self._raw(block, offset, value)

    def write_or_fault(self, block: str, offset: int, value: int) -> None:
        """A store that the block may refuse, which is seen."""
        try:
            self.write(block, offset, value)
        except BusFault:
            self.note("fault", offset)

    def alternates(self, port: str, functions: dict[int, int]) -> None:
        """Switch pins of a port to alternate functions, by their number."""
        words = self.blocks[port].words
        mode, low, high = words[0], words[0x20], words[0x24]
        for pin, function in functions.items():
            mode = mode & ~(3 << 2 * pin) | 2 << 2 * pin
            if pin < 8:
                low = low & ~(0xF << 4 * pin) | function << 4 * pin
            else:
                high = high & ~(0xF << 4 * (pin - 8)) | function << 4 * (pin - 8)
        self.write(port, 0x20, low)
        self.write(port, 0x24, high)
        self.write(port, 0x00, mode)

    def dma(self, signal: str, register: int, *, to_peripheral: bool = False, width: int = 4) -> None:
        """Let DMA serve a request, by its name in the mapping: 16 items between SRAM and a register."""
        controller, channel, code = BLOCKS.dma_requests[signal][0]
        at = 0x08 + 0x14 * (channel - 1)
        selected = self.blocks[controller].words[0xA8] & ~(0xF << 4 * (channel - 1))
        self.write(controller, 0xA8, selected | code << 4 * (channel - 1))
        self.write(controller, at + 0x04, 16)
        self.write(controller, at + 0x08, register)
        self.write(controller, at + 0x0C, SRAM + 0x100 * channel)
        size = {1: 0, 2: 1, 4: 2}[width]
        self.write(controller, at, 0x81 | size << 8 | size << 10 | (1 << 4 if to_peripheral else 0))

    def sleep_deeply(self, low_power_mode: int) -> None:
        """Have the program's next WFI enter Stop 0 to 2 (0 to 2), Standby (3) or Shutdown (4)."""
        pwr = self.blocks["PWR"]
        pwr.write(0x00, 4, pwr.words[0x00] & ~7 | low_power_mode)
        self.enter_deep_sleep()

    def enter_deep_sleep(self) -> None:
        """Have the program's next WFI enter the mode that PWR_CR1 says."""
        core = self.mcu.core
        core._system_control.scr = 4
        core.debug_halt()
        core.debug_resume(step=False)
        self.advance(20e-6)

    def read(self, block: str, offset: int) -> int:
        """A load, without its result being looked at."""
        return self.blocks[block].read(offset, 4)

    def _edge(self, what: object, time_ps: int, level: object) -> None:
        self._edges.append((what, time_ps - self.start_ps, level))

    def note(self, *what: object) -> None:
        """Something that was seen."""
        self._seen.append(Sample(what, {}))

    def advance(self, duration_s: float) -> None:
        """Let time pass, and look."""
        self._part.advance(duration_s)
        self.sample()

    def drive(self, pin: str, level: bool | None) -> None:
        """Put a level on a pin from outside."""
        self.pins[pin].set_external_level(level, self._part.now_ps)

    def sample(self) -> None:
        """Note the state of all that a program, a debugger or an instrument sees."""
        mcu, rcc = self.mcu, self.mcu.peripherals.rcc
        sram = mcu.core.memory["sram1"][SRAM - 0x2000_0000 :][:0x1000]
        what = (
            self._part.now_ps - self.start_ps,
            (mcu.mode, mcu.core.state, mcu.core.hclk_hz, mcu.core.debug_access_ok, mcu.swd_obstacle),
            (mcu.core._nvic.pending, mcu.core._nvic.level, int(mcu.core._emulator.state[_EVENT_REGISTER])),
            mcu.supply.current_a,
            tuple(pin.level_out for pin in self.pins.values()),
            tuple(
                (pin.name, pin.analog_out.voltage_v(self._part.now_ps))
                for pin in self.pins.values()
                if pin.analog_out is not None
            ),
            [mcu.peripherals.analog.dac.output(index) is None for index in (0, 1)],
            hash(sram.tobytes()),
            vars(rcc.clocks) if hasattr(rcc.clocks, "__dict__") else str(rcc.clocks),
            [mcu.peripherals.kernel_clocks.kernel_hz(name) for name in _KERNEL_CLOCKED],
            [mcu.peripherals.kernel_clocks.low_power_timer_hz(name) for name in ("LPTIM1", "LPTIM2")],
            [block.is_clocked() for block in self.blocks.values()],
            [self.blocks[name].read_word(offset) for name, offset in _WITNESSES],
        )
        self._seen.append(Sample(what, self._words()))

    def _words(self) -> dict[int, int]:
        block = self._block
        if not block.is_clocked():
            return {}
        consuming = _CONSUMING.get(block.name[:3])
        return {
            offset: block.words[offset] if offset == consuming else block.read_word(offset)
            for offset in block.resets
        }

    def _write_target(self) -> None:
        target = self._target
        if target is None:
            return
        block = self.blocks[target.block]
        present = block.words.get(target.offset, 0)
        self._raw(target.block, target.offset, present ^ target.mask)

    def _raw(self, block: str, offset: int, value: int) -> None:
        self.blocks[block].write(offset, 4, value & 0xFFFF_FFFF)


_PATTERN = (np.arange(0x1_8000, dtype=np.uint64) * np.uint64(2_654_435_761) >> np.uint64(13)).astype(np.uint8)
"""No two stretches of it are alike."""
_CONSUMING = {"USA": 0x24, "LPU": 0x24, "SPI": 0x0C, "I2C": 0x24, "ADC": 0x40, "RNG": 0x08, "TIM": 0x4C}
"""Registers that a load changes."""
_KERNEL_CLOCKED = ("USART1", "USART2", "USART3", "UART4", "UART5", "LPUART1", "I2C1", "I2C2", "I2C3")
_WITNESSES = (("EXTI", 0x14), ("EXTI", 0x34), ("DMA1", 0x00), ("RCC", 0x94), ("RCC", 0x90), ("PWR", 0x10))
"""Registers of other blocks that tell of effects."""
