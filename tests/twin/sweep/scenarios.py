# SPDX-License-Identifier: Apache-2.0
"""What each kind of block is made to do while one bit of it is inverted.

A scenario configures the block, lets it work and looks at the part a few times. It need not use every bit:
what it does not show counts as not shown.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.peripherals.memory_map import BASE
from tests.twin.sweep.subject import SRAM, Subject

Scenario = Callable[[Subject], None]
GPIO_PINS = tuple(index for index in range(16) if index not in (13, 14))


def _outputs(s: Subject, port: str, alternates: dict[int, int]) -> None:
    """Switch pins of a port to alternate functions."""
    mode, low, high = s.blocks[port].words[0], 0, 0
    for pin, function in alternates.items():
        mode = mode & ~(3 << 2 * pin) | 2 << 2 * pin
        low |= function << 4 * pin if pin < 8 else 0
        high |= function << 4 * (pin - 8) if pin >= 8 else 0
    s.write(port, 0x20, low)
    s.write(port, 0x24, high)
    s.write(port, 0x00, mode)


def gpio_outputs(s: Subject) -> None:
    """All pins but SWD's are outputs, every other one high, with pulls."""
    s.begin()
    for pin in range(16):
        s.drive(f"PA{pin}", None)
    s.write("GPIOA", 0x14, 0x5555)
    s.write("GPIOA", 0x0C, 0x64000000 | 0x01999999)
    s.write("GPIOA", 0x00, 0x69555555)
    s.advance(10e-6)
    s.write("GPIOA", 0x18, 0x0001_0002)
    s.write("GPIOA", 0x28, 0x0010)
    s.advance(10e-6)


def gpio_inputs(s: Subject) -> None:
    """All pins are inputs, which the outside drives or leaves to the pulls."""
    s.begin()
    s.write("GPIOA", 0x0C, 0x64000000 | 0x01555555)
    s.write("GPIOA", 0x00, 0x28000000)
    for pin in range(0, 13, 2):
        s.drive(f"PA{pin}", True)
    s.advance(10e-6)
    for pin in range(0, 13, 3):
        s.drive(f"PA{pin}", False)
    s.advance(10e-6)


def gpio_lock(s: Subject) -> None:
    """The configuration of some pins is locked, then changed for all."""
    s.begin()
    for key in (0x1_0F0F, 0x0F0F, 0x1_0F0F):
        s.write("GPIOA", 0x1C, key)
    for offset, value in ((0x00, 0x69555555), (0x04, 0xFFFF), (0x0C, 0x55555555), (0x20, ~0), (0x24, ~0)):
        s.blocks["GPIOA"].write(offset, 4, value & 0xFFFF_FFFF)
    s.advance(1e-6)


def gpio_alternates(s: Subject) -> None:
    """Every pin has alternate function 1, which timers drive."""
    s.begin()
    s.write("TIM2", 0x18, 0x6868)
    s.write("TIM2", 0x1C, 0x6868)
    s.write("TIM2", 0x20, 0x1111)
    for channel in range(4):
        s.write("TIM2", 0x34 + 4 * channel, 50)
    s.write("TIM2", 0x2C, 100)
    _outputs(s, "GPIOA", {**dict.fromkeys((0, 1, 2, 3, 5, 15), 1), 13: 0, 14: 0})
    s.write("TIM2", 0x00, 1)
    s.advance(15e-6)


def timer(name: str, port: str, alternates: dict[int, int]) -> Scenario:
    """PWM on all channels with DMA and interrupts; then capture; then one pulse by a trigger."""

    def pwm(s: Subject) -> None:
        s.begin()
        _outputs(s, port, alternates)
        s.write(name, 0x28, 3)
        s.write(name, 0x2C, 100)
        s.write(name, 0x30, 1)
        for channel in range(4):
            s.write(name, 0x34 + 4 * channel, 20 + 10 * channel)
        s.write(name, 0x18, 0x6868)
        s.write(name, 0x1C, 0x6868)
        s.write(name, 0x44, 0x8C05)
        s.write(name, 0x04, 0x0000)
        s.write(name, 0x20, 0x5555)
        s.write(name, 0x0C, 0x5F)
        s.write(name, 0x14, 1)
        s.write(name, 0x10, 0)
        s.write(name, 0x00, 0x81)
        s.advance(37e-6)
        s.write(name, 0x34, 33)
        s.write(name, 0x2C, 120)
        s.advance(150e-6)
        s.write(name, 0x10, 0)
        s.advance(211e-6)

    return pwm


def timer_capture(name: str, port: str, alternates: dict[int, int], pin: str) -> Scenario:
    """Edges at the pin of channel 1 are captured, and reset or gate the counter."""

    def capture(s: Subject) -> None:
        s.begin()
        _outputs(s, port, alternates)
        s.drive(pin, False)
        s.write(name, 0x2C, 0xFFFF)
        s.write(name, 0x18, 0x0101)
        s.write(name, 0x1C, 0x0101)
        s.write(name, 0x08, 0x54)
        s.write(name, 0x20, 0x1111)
        s.write(name, 0x0C, 0x5E5E)
        s.write(name, 0x00, 0x01)
        for index in range(6):
            s.advance(11e-6)
            s.drive(pin, index % 2 == 0)
        s.advance(40e-6)

    return capture


def timer_one_pulse(name: str) -> Scenario:
    """The counter runs down, or once, through an update that DMA and interrupts follow."""

    def once(s: Subject) -> None:
        s.begin()
        s.write("DMA1", 0x08 + 0x14, 0x5B0)
        s.write(name, 0x28, 1)
        s.write(name, 0x2C, 60)
        s.write(name, 0x0C, 0x0101)
        s.write(name, 0x00, 0x09)
        s.advance(20e-6)
        s.write(name, 0x24, 5)
        s.advance(60e-6)

    return once


def uart(name: str, tx: tuple[str, int, int], rx: tuple[str, int, int]) -> Scenario:
    """Frames go out and come in, the last one wrong."""

    def talk(s: Subject) -> None:
        s.begin()
        if tx[0] == rx[0]:
            _outputs(s, tx[0], {tx[1]: tx[2], rx[1]: rx[2]})
        else:
            _outputs(s, tx[0], {tx[1]: tx[2]})
            _outputs(s, rx[0], {rx[1]: rx[2]})
        pin = f"P{rx[0][-1]}{rx[1]}"
        s.drive(pin, True)
        s.write(name, 0x0C, 0x5_5555 if name == "LPUART1" else 0x23)
        s.write(name, 0x04, 0)
        s.write(name, 0x08, 0)
        s.write(name, 0x14, 0)
        s.write(name, 0x00, 0x1F5)
        s.advance(150e-6)
        uart_block = s.mcu.peripherals.uarts[name]
        uart_block.on_transmit = lambda time_ps, data, baud: s.note(time_ps - s.start_ps, data, baud)
        s.write(name, 0x28, 0x155)
        s.write(name, 0x28, 0x0AA)
        for level in (False, True, False, True, True, False, False, True, False, True, True):
            s.drive(pin, level)
            s.advance(8.7e-6)
        s.advance(100e-6)
        for level in (False, False, False, True, True, False, False, True, True, False, True):
            s.drive(pin, level)
            s.advance(8.7e-6)
        s.write(name, 0x18, 2)
        s.advance(300e-6)
        s.note(s.read(name, 0x24))

    return talk


class _Target:
    """A device on a bus, which notes all that it is told."""

    address = 0x48

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def start(self, *, read: bool) -> bool:
        self._subject.note("start", read)
        return True

    def write(self, byte: int) -> bool:
        self._subject.note("write", byte)
        return byte != 0x99

    def read(self) -> int:
        return 0x5A

    def stop(self) -> None:
        self._subject.note("stop")

    def select(self, selected: bool) -> None:
        self._subject.note("select", selected)

    def exchange(self, byte: int) -> int:
        self._subject.note("exchange", byte)
        return byte ^ 0x3C


def i2c_transfers(s: Subject) -> None:
    """Bytes to a target and back, by interrupts."""
    bus = s.mcu.peripherals.i2cs["I2C1"]
    bus.devices[:] = [_Target(s)]
    bus.routed = lambda: True
    s.begin()
    s.write("I2C1", 0x10, 0x0030_0F12)
    s.write("I2C1", 0x00, 0x77)
    s.write("I2C1", 0x04, 0x0203_2090)
    for byte in (0x55, 0x99, 0x33):
        s.advance(150e-6)
        s.write("I2C1", 0x28, byte)
    s.advance(300e-6)
    s.write("I2C1", 0x1C, 0x30)
    s.write("I2C1", 0x04, 0x0003_2490)
    s.advance(150e-6)
    s.note(s.read("I2C1", 0x24))
    s.write("I2C1", 0x04, 0x0003_6490)
    s.advance(300e-6)
    s.note(s.read("I2C1", 0x24))


def spi_transfers(s: Subject) -> None:
    """Frames to a device that answers."""
    bus = s.mcu.peripherals.spis["SPI1"]
    bus._devices[:] = [(s.pins["PA4"], _Target(s), frozenset({0, 3}))]
    s.write("GPIOA", 0x00, 0xA9FF_FDFF)
    s.write("GPIOA", 0x14, 0)
    bus.routed = lambda: True
    s.begin()
    s.write("SPI1", 0x04, 0x7E0)
    s.write("SPI1", 0x00, 0x0354)
    for index in range(4):
        s.write("SPI1", 0x0C, 0x5A + index)
        s.advance(17e-6)
    s.note(s.read("SPI1", 0x0C))


def i2c(s: Subject) -> None:
    """A write to a target that nobody is, then one that is broken off."""
    s.begin()
    s.write("I2C1", 0x10, 0x0030_0F12)
    s.write("I2C1", 0x00, 0xF7)
    s.write("I2C1", 0x04, 0x0202_2090)
    s.advance(300e-6)
    s.write("I2C1", 0x1C, 0x30)
    s.write("I2C1", 0x04, 0x0001_2490)
    s.advance(300e-6)


def spi(s: Subject) -> None:
    """Frames into a bus that nobody answers on."""
    s.begin()
    s.write("SPI1", 0x04, 0x7E0)
    s.write("SPI1", 0x00, 0x0354)
    for index in range(6):
        s.write("SPI1", 0x0C, 0x5A5A + index)
        s.advance(7e-6)
    s.advance(50e-6)
    s.note(s.read("SPI1", 0x0C), s.read("SPI1", 0x0C))


def spi_dma(s: Subject) -> None:
    """Received frames by DMA."""
    s.begin()
    s.write("DMA1", 0xA8, 0x110)
    s.write("DMA1", 0x20, SRAM)
    s.write("DMA1", 0x1C, BASE["SPI1"] + 0x0C)
    s.write("DMA1", 0x18, 8)
    s.write("DMA1", 0x14, 0x8A)
    s.write("SPI1", 0x04, 0x1701)
    s.write("SPI1", 0x00, 0x0344)
    for index in range(6):
        s.write("SPI1", 0x0C, 0x5A5A + index)
        s.advance(7e-6)


def adc(s: Subject) -> None:
    """A sequence by software with DMA, interrupts and oversampling."""
    s.begin()
    s.write("ADC123_COMMON", 0x08, 0x01C3_0000)
    s.write("ADC1", 0x08, 0x1000_0000)
    s.advance(30e-6)
    s.write("ADC1", 0x08, 0x9000_0000)
    s.advance(60e-6)
    s.write("ADC1", 0x00, 0x7FF)
    s.write("ADC1", 0x08, 0x1000_0001)
    s.advance(20e-6)
    s.write("ADC1", 0x14, 0x0249_2492)
    s.write("ADC1", 0x18, 0x0249_2492)
    s.write("ADC1", 0x10, 0x0000_0001 | 2 << 5)
    s.write("ADC1", 0x30, 0 | 1 << 6 | 2 << 12 | 17 << 18 | 18 << 24)
    s.write("ADC1", 0x0C, 0x0000_0003)
    s.write("ADC1", 0x04, 0x1F)
    s.write("DMA1", 0x08 + 0x0C, SRAM)
    s.write("DMA1", 0x08 + 0x08, BASE["ADC1"] + 0x40)
    s.write("DMA1", 0x08 + 0x04, 16)
    s.write("DMA1", 0x08, 0x5A1)
    s.write("ADC1", 0x08, 0x1000_0005)
    s.advance(40e-6)
    s.advance(200e-6)


def rtc(s: Subject) -> None:
    """Calendar, wake-up timer and alarms from LSI."""
    s.begin()
    s.write("RCC", 0x94, 1)
    s.advance(300e-6)
    s.write("RCC", 0x90, 0x8200)
    for key in (0xCA, 0x53):
        s.write("RTC", 0x24, key)
    s.write("RTC", 0x0C, 0x80)
    s.advance(400e-6)
    s.write("RTC", 0x10, 0x0001_001F)
    s.write("RTC", 0x00, 0x0012_3456)
    s.write("RTC", 0x04, 0x0015_C624)
    s.write("RTC", 0x0C, 0x00)
    s.write("RTC", 0x08, 0x0)
    s.advance(300e-6)
    s.write("RTC", 0x14, 0x0003)
    s.write("RTC", 0x1C, 0x8012_3457)
    s.write("RTC", 0x20, 0x8000_0057)
    s.write("RTC", 0x08, 0x7F20)
    s.advance(4e-3)
    s.advance(6e-3)


def lptim(s: Subject) -> None:
    """PWM in continuous mode with interrupts."""
    s.begin()
    _outputs(s, "GPIOB", {2: 1})
    s.write("LPTIM1", 0x08, 0x7F)
    s.write("LPTIM1", 0x0C, 0x0020_0200)
    s.write("LPTIM1", 0x10, 1)
    s.write("LPTIM1", 0x18, 40)
    s.write("LPTIM1", 0x14, 15)
    s.advance(10e-6)
    s.write("LPTIM1", 0x1C - 0x18, 0x18)
    s.write("LPTIM1", 0x10, 5)
    s.advance(33e-6)
    s.write("LPTIM1", 0x14, 25)
    s.advance(47e-6)


def watchdogs(s: Subject) -> None:
    """Both watchdogs count, and the independent one is fed once."""
    s.begin()
    s.write("WWDG", 0x04, 0x07F)
    s.write("WWDG", 0x00, 0xC3)
    s.write("IWDG", 0x00, 0xCCCC)
    s.write("IWDG", 0x00, 0x5555)
    s.write("IWDG", 0x04, 1)
    s.write("IWDG", 0x08, 20)
    s.write("IWDG", 0x10, 15)
    s.advance(1e-3)
    s.write("IWDG", 0x00, 0xAAAA)
    s.advance(2e-3)
    s.advance(4e-3)
    s.advance(100e-3)


def iwdg(s: Subject) -> None:
    """Only the independent watchdog, left to bite."""
    s.begin()
    s.write("IWDG", 0x00, 0xCCCC)
    s.write("IWDG", 0x00, 0x5555)
    s.write("IWDG", 0x04, 0)
    s.write("IWDG", 0x08, 0x3F)
    s.write("IWDG", 0x10, 0xFFF)
    s.advance(5e-3)
    s.write("IWDG", 0x00, 0xAAAA)
    s.advance(300e-3)


def crc(s: Subject) -> None:
    """Words through every setting."""
    s.begin()
    s.write("CRC", 0x10, 0xFFFF_FFFF)
    s.write("CRC", 0x14, 0x04C1_1DB7)
    s.write("CRC", 0x08, 0x1)
    for word in (0x1234_5678, 0xCAFE_BABE):
        s.write("CRC", 0x00, word)
        s.note(s.read("CRC", 0x00))


def exti(s: Subject) -> None:
    """Edges on all lines of port A, and software."""
    s.begin()
    s.write("GPIOA", 0x00, 0x28000000)
    for pin in GPIO_PINS:
        s.drive(f"PA{pin}", False)
    s.write("EXTI", 0x08, 0x007D_5555)
    s.write("EXTI", 0x0C, 0x0000_AAAA)
    s.write("EXTI", 0x00, 0xFF82_0000 | 0x007D_5FFF)
    s.write("EXTI", 0x04, 0)
    s.write("EXTI", 0x20, 0x87)
    s.advance(1e-6)
    for level in (True, False):
        for pin in GPIO_PINS:
            s.drive(f"PA{pin}", level)
        s.advance(1e-6)
    s.write("EXTI", 0x10, 0x007D_0000)
    s.advance(1e-6)
    s.write("EXTI", 0x14, 0x1234)
    s.advance(1e-6)


def syscfg(s: Subject) -> None:
    """Ports A and B at different levels behind the EXTI's multiplexers."""
    s.begin()
    for name in "ABCDEFGH":
        s.write(f"GPIO{name}", 0x00, 0x28000000 if name == "A" else 0)
    s.write("EXTI", 0x08, 0xFFFF)
    s.write("EXTI", 0x00, 0xFFFF)
    for pin in GPIO_PINS:
        s.drive(f"PA{pin}", True)
    s.advance(1e-6)


def dbgmcu(s: Subject) -> None:
    """A halted core; then Stop."""
    s.begin()
    for name in ("TIM2", "TIM3", "TIM4", "TIM5", "TIM6", "TIM7", "TIM15", "TIM16", "TIM17", "TIM1", "TIM8"):
        s.write(name, 0x2C, 0xFFFF)
        s.write(name, 0x00, 1)
    for name in ("LPTIM1", "LPTIM2"):
        s.write(name, 0x10, 1)
        s.write(name, 0x18, 1000)
        s.write(name, 0x10, 5)
    s.write("WWDG", 0x00, 0xFF)
    s.write("IWDG", 0x00, 0xCCCC)
    s.mcu.core.debug_write(0xE000_EDF0, 4, 0xA05F_0003)
    s.advance(50e-6)
    for name in ("TIM2", "TIM3", "TIM4", "TIM5", "TIM6", "TIM7", "TIM15", "TIM16", "TIM17", "TIM1", "TIM8"):
        s.note(s.read(name, 0x24))
    for name in ("LPTIM1", "LPTIM2"):
        s.note(s.read(name, 0x1C))
    s.note(s.read("WWDG", 0x00), s.mcu.peripherals.iwdg._counter.count)
    s.mcu.core.debug_write(0xE000_EDF0, 4, 0xA05F_0001)
    s.mcu.core._system_control.scr = 4
    s.write("PWR", 0x00, 0x201)
    s.mcu.core.wait(for_event=False)
    s.advance(50e-6)
    s.note(s.mcu.core.debug_access_ok)


def vrefbuf(s: Subject) -> None:
    """On, driving the pin."""
    s.begin()
    s.write("VREFBUF", 0x00, 0x1)
    s.advance(500e-6)


SCENARIOS: dict[str, tuple[Scenario, ...]] = {
    "GPIOA": (gpio_outputs, gpio_inputs, gpio_alternates, gpio_lock),
    "TIM1": (
        timer("TIM1", "GPIOA", {8: 1, 9: 1, 10: 1, 11: 1, 13: 0, 14: 0}),
        timer_capture("TIM1", "GPIOA", {8: 1, 13: 0, 14: 0}, "PA8"),
        timer_one_pulse("TIM1"),
    ),
    "TIM2": (
        timer("TIM2", "GPIOA", {0: 1, 1: 1, 2: 1, 3: 1, 13: 0, 14: 0}),
        timer_capture("TIM2", "GPIOA", {0: 1, 13: 0, 14: 0}, "PA0"),
        timer_one_pulse("TIM2"),
    ),
    "TIM3": (
        timer("TIM3", "GPIOA", {6: 2, 7: 2, 13: 0, 14: 0}),
        timer_capture("TIM3", "GPIOA", {6: 2, 13: 0, 14: 0}, "PA6"),
        timer_one_pulse("TIM3"),
    ),
    "TIM15": (
        timer("TIM15", "GPIOA", {2: 14, 3: 14, 13: 0, 14: 0}),
        timer_capture("TIM15", "GPIOA", {2: 14, 13: 0, 14: 0}, "PA2"),
        timer_one_pulse("TIM15"),
    ),
    "TIM16": (
        timer("TIM16", "GPIOA", {6: 14, 13: 0, 14: 0}),
        timer_capture("TIM16", "GPIOA", {6: 14, 13: 0, 14: 0}, "PA6"),
        timer_one_pulse("TIM16"),
    ),
    "TIM6": (timer("TIM6", "GPIOA", {13: 0, 14: 0}), timer_one_pulse("TIM6")),
    "USART2": (uart("USART2", ("GPIOA", 2, 7), ("GPIOA", 3, 7)),),
    "LPUART1": (uart("LPUART1", ("GPIOB", 11, 8), ("GPIOB", 10, 8)),),
    "I2C1": (i2c_transfers, i2c),
    "SPI1": (spi_transfers, spi, spi_dma),
    "ADC1": (adc,),
    "ADC123_COMMON": (adc,),
    "RTC": (rtc,),
    "LPTIM1": (lptim,),
    "WWDG": (watchdogs,),
    "IWDG": (watchdogs, iwdg),
    "CRC": (crc,),
    "EXTI": (exti,),
    "SYSCFG": (syscfg,),
    "VREFBUF": (vrefbuf,),
    "DBGMCU": (dbgmcu,),
}
"""By the block that stands for its kind."""

NOT_SWEPT = ("DMA1", "DMA2", "FLASH", "PWR", "RCC", "RNG")
"""Blocks whose scenarios do not repeat themselves yet, or take too long for every run of CI."""

STANDS_FOR: dict[str, tuple[str, ...]] = {
    "GPIOA": tuple(f"GPIO{port}" for port in "BCDEFGH"),
    "TIM1": ("TIM8",),
    "TIM2": ("TIM5",),
    "TIM3": ("TIM4",),
    "TIM6": ("TIM7",),
    "TIM16": ("TIM17",),
    "USART2": ("USART1", "USART3", "UART4", "UART5"),
    "I2C1": ("I2C2", "I2C3"),
    "SPI1": ("SPI2", "SPI3"),
    "LPTIM1": ("LPTIM2",),
}
"""The other blocks of the same kind, which the same class models."""

NARROW: dict[tuple[str, int], int] = {
    (name, offset): 0xFFFF for name in ("TIM3", "TIM4") for offset in (0x24, 0x2C, 0x34, 0x38, 0x3C, 0x40)
}
"""Bits that a register has where the SVD file gives it those of a wider relative."""

NOTHING_TO_CLEAR: dict[tuple[str, int], int] = {
    ("USART2", 0x20): 0x0012_1B00,
    ("LPUART1", 0x20): 0x0012_0200,
    ("I2C1", 0x1C): 0x3F08,
    ("SPI1", 0x08): 1 << 4,
    **{(name, 0x10): 1 << 5 for name in ("TIM1", "TIM15", "TIM16")},
}
"""Flags that the functions without model would set."""
