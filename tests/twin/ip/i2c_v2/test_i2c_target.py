# SPDX-License-Identifier: Apache-2.0
"""I2C2 as the target of I2C1, wired together; and of a controller outside, in Stop."""

import pytest

from hil.twin.ip.i2c_v2.bus import I2cAddress
from tests.twin.powered_part import Part

CR1, CR2, OAR1, OAR2, TIMINGR, ISR, ICR, RXDR, TXDR = 0, 4, 8, 0xC, 0x10, 0x18, 0x1C, 0x24, 0x28
TXE, TXIS, RXNE, ADDR, NACKF, STOPF, TC, TCR, OVR, BUSY = *(1 << bit for bit in range(8)), 1 << 10, 1 << 15
PE, SBC, NOSTRETCH, WUPEN, GCEN = 1, 1 << 16, 1 << 17, 1 << 18, 1 << 19
READ, ADD10, HEAD10R, START, STOP, NACK = (1 << bit for bit in range(10, 16))
RELOAD, AUTOEND = 1 << 24, 1 << 25
OWN = 0x3A
BIT_S = 40 / 4e6
EV_IRQ, ER_IRQ = 33, 34


class Loop(Part):
    """I2C1 on PB8 and PB9, I2C2 on PB10 and PB11, on one bus at 100 kHz."""

    def __init__(self) -> None:
        super().__init__()
        self.enable_clock(0x4C, 1)
        self.enable_clock(0x58, 21)
        self.enable_clock(0x58, 22)
        self.write("GPIOB", 0x24, 0x4444)
        self.write("GPIOB", 0x04, 0xF << 8)
        self.write("GPIOB", 0x00, self.read("GPIOB", 0x00) & ~(0x55 << 16))
        i2cs = self.mcu.peripherals.i2cs
        i2cs["I2C1"].join(i2cs["I2C2"])
        for name in ("I2C1", "I2C2"):
            self.write(name, TIMINGR, 19 << 8 | 19)
        self.write("I2C2", OAR1, 1 << 15 | OWN << 1)
        self.write("I2C2", CR1, PE)
        self.write("I2C1", CR1, PE)

    def bits(self, count: float) -> None:
        self.advance(count * BIT_S)

    def command(self, count: int, flags: int = AUTOEND, address: int = OWN) -> None:
        self.write("I2C1", CR2, address << 1 | count << 16 | START | flags)

    def target(self, offset: int = ISR) -> int:
        return self.read("I2C2", offset)

    def controller(self, offset: int = ISR) -> int:
        return self.read("I2C1", offset)

    def send(self, byte: int) -> None:
        assert self.controller() & TXIS
        self.write("I2C1", TXDR, byte)
        self.bits(9.1)

    def clear(self, flags: int) -> None:
        self.write("I2C2", ICR, flags)

    def requests(self, irq: int) -> bool:
        return bool(self.mcu.core._nvic.level >> 16 + irq & 1)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_bytes_arrive_and_the_clock_is_held_until_the_address_is_cleared(loop):
    loop.command(2)
    loop.bits(30)
    flags = loop.target()
    assert flags & (ADDR | BUSY | 1 << 16) == ADDR | BUSY
    assert flags >> 17 & 0x7F == OWN
    assert not loop.controller() & TXIS
    loop.clear(ADDR)
    loop.send(0x11)
    assert loop.target(RXDR) == 0x11
    loop.send(0x22)
    loop.bits(2)
    assert loop.target() & (RXNE | STOPF | BUSY) == RXNE | STOPF
    assert loop.target(RXDR) == 0x22
    assert loop.controller() & (STOPF | NACKF | BUSY) == STOPF


def test_a_full_data_register_holds_the_clock_after_the_next_byte(loop):
    loop.command(3)
    loop.bits(11)
    loop.clear(ADDR)
    loop.send(1)
    loop.send(2)
    loop.bits(50)
    assert not loop.controller() & TXIS
    assert loop.target(RXDR) == 1
    assert loop.target() & RXNE
    assert loop.controller() & TXIS
    assert loop.target(RXDR) == 2


def test_bytes_are_read_as_the_target_supplies_them(loop):
    loop.command(2, READ | AUTOEND)
    loop.bits(11)
    assert loop.target() & (ADDR | 1 << 16 | TXIS) == ADDR | 1 << 16
    loop.clear(ADDR)
    assert loop.target() & TXIS
    loop.bits(30)
    assert not loop.controller() & RXNE  # nothing to send: the clock is held
    loop.write("I2C2", TXDR, 0xA1)
    assert loop.target() & TXIS
    loop.write("I2C2", TXDR, 0xA2)
    loop.bits(9.1)
    assert loop.controller(RXDR) == 0xA1
    loop.bits(11)
    assert loop.controller(RXDR) == 0xA2
    assert loop.target() & (NACKF | STOPF | BUSY) == NACKF | STOPF


@pytest.mark.parametrize(
    ("mask", "address", "answers"),
    [
        *((0, 0x51, True), (0, 0x50, False), (1, 0x50, True), (3, 0x57, True), (3, 0x58, False)),
        *((6, 0x11, False), (7, 0x11, True), (7, 0x03, False), (7, 0x7C, False)),
    ],
)
def test_the_second_address_and_its_mask(loop, mask, address, answers):
    loop.write("I2C2", OAR1, 0)
    loop.write("I2C2", OAR2, 1 << 15 | mask << 8 | 0x51 << 1)
    loop.command(1, AUTOEND, address)
    loop.bits(12)
    assert bool(loop.target() & ADDR) is answers
    assert bool(loop.controller() & NACKF) is not answers
    if answers:
        assert loop.target() >> 17 & 0x7F == address


@pytest.mark.parametrize(("enabled", "answers"), [(0, False), (GCEN, True)])
def test_general_call(loop, enabled, answers):
    loop.write("I2C2", CR1, PE | enabled)
    loop.command(1, AUTOEND, 0)
    loop.bits(12)
    assert bool(loop.target() & ADDR) is answers
    assert bool(loop.controller() & NACKF) is not answers


@pytest.mark.parametrize(("flags", "bits"), [(0, 19), (READ, 29), (READ | HEAD10R, 10)])
def test_addresses_of_ten_bits(loop, flags, bits):
    loop.write("I2C2", OAR1, 1 << 15 | 1 << 10 | 0x2A5)
    loop.write("I2C1", CR2, 0x2A5 | 1 << 16 | ADD10 | START | AUTOEND | flags)
    loop.bits(bits - 0.1)
    assert not loop.target() & ADDR
    loop.bits(0.2)
    assert loop.target() & ADDR
    assert loop.target() >> 17 & 0x7F == 0b11110_10


def test_the_bits_of_seven_do_not_answer_ten(loop):
    loop.write("I2C1", CR2, OWN << 1 | 1 << 16 | ADD10 | START | AUTOEND)
    loop.bits(25)
    assert loop.controller() & NACKF


def test_nack_refuses_the_next_byte_once(loop):
    loop.command(2)
    loop.bits(11)
    loop.clear(ADDR)
    loop.write("I2C2", CR2, NACK)
    loop.send(0x11)
    assert loop.target(RXDR) == 0x11
    assert loop.controller() & NACKF
    assert not loop.target(CR2) & NACK
    loop.write("I2C1", ICR, NACKF | STOPF)
    loop.bits(3)
    loop.command(1)
    loop.bits(11)
    loop.clear(ADDR)
    loop.send(0x12)
    assert not loop.controller() & NACKF


def test_without_stretching_a_byte_that_is_not_read_is_an_overrun(loop):
    loop.write("I2C2", CR1, PE | NOSTRETCH | 1 << 7)
    loop.command(3)
    loop.bits(11)
    loop.send(1)
    loop.send(2)
    assert loop.target() & OVR
    assert loop.requests(ER_IRQ)
    assert loop.controller() & NACKF
    assert loop.target(RXDR) == 1
    loop.clear(OVR)
    assert not loop.requests(ER_IRQ)


def test_without_stretching_data_is_there_in_time_or_ones_go_out(loop):
    loop.write("I2C2", CR1, PE | NOSTRETCH)
    loop.write("I2C2", TXDR, 0x5A)
    loop.command(2, READ | AUTOEND)
    loop.bits(20)
    assert loop.controller(RXDR) == 0x5A
    assert loop.target() & OVR
    loop.bits(11)
    assert loop.controller(RXDR) == 0xFF


def test_slave_byte_control_answers_each_byte_after_looking_at_it(loop):
    loop.write("I2C2", CR1, PE | SBC)
    loop.write("I2C2", CR2, RELOAD | 1 << 16)
    loop.command(2)
    loop.bits(11)
    loop.clear(ADDR)
    loop.send(0x11)
    loop.bits(30)
    assert loop.target() & (TCR | RXNE) == TCR | RXNE
    assert not loop.controller() & TXIS
    assert loop.target(RXDR) == 0x11
    loop.write("I2C2", CR2, RELOAD | 1 << 16)
    loop.send(0x22)
    assert loop.target(RXDR) == 0x22
    loop.write("I2C2", CR2, RELOAD | 1 << 16 | NACK)
    assert loop.controller() & NACKF


def test_a_repeated_start_turns_the_transfer_round(loop):
    loop.command(1, 0)
    loop.bits(11)
    loop.clear(ADDR)
    loop.send(0x0F)
    assert loop.target(RXDR) == 0x0F
    assert loop.controller() & TC
    loop.command(1, READ | AUTOEND)
    loop.bits(11)
    assert loop.target() & (ADDR | 1 << 16 | STOPF) == ADDR | 1 << 16
    loop.clear(ADDR)
    loop.write("I2C2", TXDR, 0x6A)
    loop.bits(11)
    assert loop.controller(RXDR) == 0x6A


def test_a_start_waits_for_a_free_bus(loop):
    loop.write("I2C1", OAR1, 1 << 15 | 0x22 << 1)
    loop.command(1)
    loop.bits(5)
    loop.write("I2C2", CR2, 0x22 << 1 | 1 << 16 | START | AUTOEND)
    loop.bits(6)
    loop.clear(ADDR)
    loop.bits(20)
    assert loop.target(CR2) & START
    loop.send(0x11)
    assert loop.target(RXDR) == 0x11
    loop.bits(12)
    assert not loop.target(CR2) & START
    assert loop.controller() & ADDR


def test_a_switched_off_target_lets_go(loop):
    loop.command(1)
    loop.bits(12)
    loop.write("I2C2", CR1, 0)
    loop.write("I2C1", ICR, 0x38)
    assert loop.controller() & TXIS
    loop.send(1)
    assert loop.controller() & NACKF


@pytest.mark.parametrize("flag", [ADDR, RXNE, STOPF])
def test_the_target_interrupts(loop, flag):
    enable = {ADDR: 1 << 3, RXNE: 1 << 2, STOPF: 1 << 5}[flag]
    loop.write("I2C2", CR1, PE | enable)
    loop.command(1)
    loop.bits(11)
    assert loop.requests(EV_IRQ) is (flag == ADDR)
    loop.clear(ADDR)
    loop.send(1)
    loop.bits(2)
    assert loop.requests(EV_IRQ) is (flag != ADDR)


@pytest.mark.parametrize(
    ("name", "enabled", "clock", "mode", "address", "wakes"),
    [
        ("I2C2", WUPEN, 2, 1, OWN, True),
        ("I2C2", WUPEN, 2, 1, OWN + 1, False),
        ("I2C2", 0, 2, 1, OWN, False),
        ("I2C2", WUPEN, 0, 1, OWN, False),
        ("I2C2", WUPEN, 2, 2, OWN, False),
        ("I2C3", WUPEN, 2, 2, OWN, True),
    ],
)
def test_an_address_wakes_the_part_from_stop(loop, name, enabled, clock, mode, address, wakes):
    if name == "I2C3":
        loop.enable_clock(0x4C, 2)
        loop.enable_clock(0x58, 23)
        loop.write("GPIOC", 0x20, 0x44)
        loop.write("GPIOC", 0x00, loop.read("GPIOC", 0x00) & ~5)
    loop.write("RCC", 0x88, clock << 14 | clock << 16)
    loop.write(name, OAR1, 1 << 15 | OWN << 1)
    loop.write(name, CR1, PE | enabled | 1 << 3)
    loop.enable_clock(0x58, 28)
    loop.write("PWR", 0x00, loop.read("PWR", 0x00) & ~7 | mode)
    core = loop.mcu.core
    core._system_control.scr = 4
    core.debug_halt()
    core.debug_resume(step=False)
    loop.advance(50e-6)
    assert loop.mcu.mode == f"stop{mode}"
    bus = loop.mcu.peripherals.i2cs[name].bus
    answered = bus.answering(None, I2cAddress(address), read=False)
    assert (answered is not None) is wakes
    loop.bits(0)
    irq = {"I2C2": EV_IRQ, "I2C3": 72}[name]
    assert loop.requests(irq) is wakes
    if wakes:
        assert answered.holds_clock
