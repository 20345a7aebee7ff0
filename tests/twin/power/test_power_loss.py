# SPDX-License-Identifier: Apache-2.0
"""The supply fails at any instant of a busy part: what comes up again is a part like a new one."""

import numpy as np
import pytest

from hil.twin.devices.lsm6dsl import Lsm6dsl
from tests.twin.bare_part import BarePart

SEED = 20_241
KILLS = 30
BUSY_S = 4e-3


class Board(BarePart):
    def __init__(self):
        super().__init__()
        for bus in self.mcu.peripherals.i2cs.values():
            bus.devices.append(Lsm6dsl(self.mcu.scheduler))
        self.supply(3.0)

    def supply(self, voltage_v):
        self.mcu.set_supply_voltage(voltage_v)
        self.advance(2e-3)

    def write(self, name, offset, value):
        self.mcu.peripherals.blocks[name].write(offset, 4, value)

    def make_busy(self):
        """Everything that takes time is under way."""
        for enable in (0x48, 0x4C, 0x58, 0x5C, 0x60):
            self.write("RCC", enable, 0xFFFF_FFFF)
        self.write("PWR", 0x00, 0x300)
        self.write("PWR", 0x04, 1 | 3 << 1)
        self.write("PWR", 0x0C, 0x31F)
        self.write("RCC", 0x90, 0x8101)
        self.write("RCC", 0x94, 6 << 8 | 1)
        self.write("RCC", 0x0C, 1 | 40 << 8 | 1 << 24)
        self.write("RCC", 0x00, 6 << 4 | 1 << 3 | 1 | 1 << 8 | 1 << 24)
        self.write("RCC", 0x18, 0x3FF)
        self.write("SYSCFG", 0x08, 0x1234)
        self.write("EXTI", 0x08, 0x7D_FFFF)
        for port in ("GPIOA", "GPIOB", "GPIOC"):
            self.write(port, 0x00, 0x5555_5555)
            self.write(port, 0x14, 0x5A5A)
        for name, timer in self.mcu.peripherals.timers.items():
            self.write(name, 0x2C, 250)
            self.write(name, 0x30, 3)
            self.write(name, 0x34, 100)
            self.write(name, 0x18, 6 << 4)
            self.write(name, 0x20, 0x5)
            self.write(name, 0x44, 0x8020)
            self.write(name, 0x04, 2 << 4)
            self.write(name, 0x0C, 0x1F | 0x1F00)
            self.write(name, 0x00, 1)
            assert timer.read(0x00, 4) & 1
        self.write("TIM16", 0x50, 2)
        for name in ("LPTIM1", "LPTIM2"):
            self.write(name, 0x08, 3)
            self.write(name, 0x10, 1)
            self.write(name, 0x18, 500)
            self.write(name, 0x10, 5)
        for name in ("USART1", "USART2", "USART3", "UART4", "UART5", "LPUART1"):
            self.write(name, 0x0C, 0x400)
            self.write(name, 0x00, 0xE9 | 4)
            self.write(name, 0x28, 0x55)
        for name in ("I2C1", "I2C2", "I2C3"):
            self.write(name, 0x10, 0x0000_0303)
            self.write(name, 0x00, 0xF7)
            self.write(name, 0x04, 0x6A << 1 | 1 << 13 | 3 << 16)
        for name in ("SPI1", "SPI2", "SPI3"):
            self.write(name, 0x04, 0xF << 8 | 0xE3)
            self.write(name, 0x00, 1 << 2 | 1 << 6 | 7 << 3)
            self.write(name, 0x0C, 0x1234)
        self.write("DMA1", 0x08 + 4, 1000)
        self.write("DMA1", 0x08 + 8, 0x5004_0040)
        self.write("DMA1", 0x08 + 12, 0x2000_1000)
        self.write("DMA1", 0x08, 0x5AF)
        self.write("ADC123_COMMON", 0x08, 1 << 16 | 0x1C0_0000)
        self.write("ADC1", 0x08, 0)
        self.write("ADC1", 0x08, 1 << 28)
        self.write("ADC1", 0x08, 1 << 28 | 1)
        self.advance(100e-6)
        self.write("ADC1", 0x0C, 3 | 1 << 13)
        self.write("ADC1", 0x08, 1 << 28 | 1 | 4)
        self.write("VREFBUF", 0x00, 1)
        self.write("RNG", 0x00, 0xC)
        self.write("CRC", 0x00, 0x1234_5678)
        self.write("WWDG", 0x00, 0xFF)
        self.write("IWDG", 0x00, 0xCCCC)
        self.write("DBGMCU", 0x04, 7)
        for key in (0x4567_0123, 0xCDEF_89AB):
            self.write("FLASH", 0x08, key)
        self.write("FLASH", 0x14, 2 | 200 << 3 | 1 << 16)

    def state(self):
        """All registers as a program would find them, and what the outside sees."""
        blocks = self.mcu.peripherals.blocks
        registers = {
            f"{name}+0x{offset:03X}": block.read_word(offset)
            for name, block in blocks.items()
            for offset in tuple(block.words)
        }
        return registers | {
            "mode": self.mcu.mode,
            "current": self.mcu.supply.current_a,
            "hclk": self.mcu.core.hclk_hz,
            "watchdog": self.mcu.peripherals.iwdg.started,
            "pending": [self.mcu.core.debug_read(0xE000_E200 + 4 * n, 4) for n in range(3)],
            **{pin.name: pin.level_out for pin in self.pins.values()},
        }


def differences(left, right):
    """What differs; a register that only one part was asked for is compared with nothing."""
    return {key: (left[key], right[key]) for key in left.keys() & right.keys() if left[key] != right[key]}


def kill_instants_s():
    rng = np.random.default_rng(SEED)
    return [round(float(instant_s), 9) for instant_s in rng.uniform(0, BUSY_S, KILLS)]


@pytest.mark.parametrize("instant_s", kill_instants_s())
def test_a_part_that_lost_its_supply_comes_up_like_a_new_one(instant_s):
    board, new = Board(), Board()
    board.make_busy()
    board.advance(instant_s)
    board.supply(0.0)
    assert (board.mcu.mode, board.mcu.supply.current_a) == ("off", 0.0)
    assert not [pin.name for pin in board.pins.values() if pin.level_out is not None]
    board.supply(3.0)
    assert differences(board.state(), new.state()) == {}
    board.advance(0.1)  # nothing of the life before comes to an end in this one
    new.advance(0.1)
    assert differences(board.state(), new.state()) == {}


def test_a_part_with_a_cell_keeps_its_backup_domain_and_nothing_else():
    board, new = Board(), Board()
    board.mcu.set_backup_supply(3.0)
    board.make_busy()
    board.write("RTC", 0x50, 0x1234)
    board.advance(1e-3)
    board.supply(0.0)
    board.supply(3.0)
    kept = differences(board.state(), new.state())
    current = kept.pop("current")
    assert current[0] > current[1]  # the LSE is still on
    assert set(kept) == {"RCC+0x090", "RTC+0x050"}
