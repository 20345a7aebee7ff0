# SPDX-License-Identifier: Apache-2.0
"""Timers: what each kind has is worked in turn."""

from __future__ import annotations

from dataclasses import dataclass

from tests.twin.bare_part import BLOCKS
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCMR2, CCER, CNT, PSC, ARR, RCR, CCR1 = range(0, 0x38, 4)
CCR = (CCR1, CCR1 + 4, CCR1 + 8, CCR1 + 12)
BDTR, DCR, DMAR, OR1 = 0x44, 0x48, 0x4C, 0x50


@dataclass(frozen=True)
class Kind:
    """One timer, and the pins of its channels."""

    name: str
    pins: tuple[tuple[str, int, int], ...] = ()
    """Port, pin and alternate function of its channels, in their order."""
    negative: tuple[tuple[str, int, int], ...] = ()
    etr: tuple[str, int, int] | None = None
    slave: tuple[str, int] | None = None
    """A timer that can count this one's trigger output, and the code of the trigger."""
    master: tuple[str, int] | None = None
    """A timer whose trigger output this one can follow, and the code of the trigger."""
    dma: tuple[str, ...] = ()
    """Suffixes of its DMA requests."""
    break_pin: tuple[str, int, int] | None = None

    @property
    def channels(self) -> int:
        """How many it has."""
        return len(self.pins)


KINDS = (
    Kind(
        "TIM1",
        (("GPIOA", 8, 1), ("GPIOA", 9, 1), ("GPIOA", 10, 1), ("GPIOA", 11, 1)),
        (("GPIOA", 7, 1), ("GPIOB", 0, 1), ("GPIOB", 1, 1)),
        ("GPIOA", 12, 1),
        ("TIM2", 0),
        ("TIM2", 1),
        ("UP", "CH1", "CH2", "CH3", "CH4"),
        ("GPIOA", 6, 1),
    ),
    Kind(
        "TIM2",
        (("GPIOA", 0, 1), ("GPIOA", 1, 1), ("GPIOA", 2, 1), ("GPIOA", 3, 1)),
        (),
        ("GPIOA", 5, 2),
        ("TIM1", 1),
        ("TIM1", 0),
        ("UP", "CH1", "CH2", "CH3"),
    ),
    Kind(
        "TIM3",
        (("GPIOA", 6, 2), ("GPIOA", 7, 2), ("GPIOB", 0, 2), ("GPIOB", 1, 2)),
        (),
        ("GPIOD", 2, 2),
        ("TIM1", 2),
        ("TIM1", 0),
        ("UP", "CH1", "CH3"),
    ),
    Kind(
        "TIM15",
        (("GPIOA", 2, 14), ("GPIOA", 3, 14)),
        (("GPIOA", 1, 14),),
        None,
        ("TIM1", 0),
        ("TIM3", 1),
        ("UP",),
        ("GPIOA", 9, 14),
    ),
    Kind("TIM16", (("GPIOA", 6, 14),), (("GPIOB", 6, 14),), None, None, None, ("UP",), ("GPIOB", 5, 14)),
    Kind("TIM6", slave=None, dma=("UP",)),
)


def _route(s: Subject, *pins: tuple[str, int, int] | None) -> None:
    for pin in pins:
        if pin is not None:
            s.alternates(pin[0], {pin[1]: pin[2]})


def _pin(where: tuple[str, int, int]) -> str:
    return f"P{where[0][-1]}{where[1]}"


def _add(kind: Kind) -> None:
    name = kind.name

    @scenario(name, *(register for register in range(0, BDTR + 4, 4) if register not in (SR,)))
    def pwm(s: Subject) -> None:
        """PWM on all channels with interrupts; new values wait for the update."""
        s.begin()
        _route(s, *kind.pins, *kind.negative)
        s.write(name, PSC, 3)
        s.write(name, ARR, 100)
        s.write(name, RCR, 1)
        for channel in range(kind.channels):
            s.write(name, CCR[channel], 20 + 10 * channel)
        s.write(name, CCMR1, 0x6868)
        s.write(name, CCMR2, 0x6868)
        s.write(name, BDTR, 0x8C05)
        s.write(name, CR2, 0)
        s.write(name, CCER, 0x5555)
        s.write(name, DIER, 0x5F)
        s.write(name, EGR, 1)
        s.write(name, SR, 0)
        s.write(name, CR1, 0x81)
        s.advance(37e-6)
        s.write(name, CCR1, 33)
        s.write(name, ARR, 120)
        s.advance(150e-6)
        s.write(name, SR, 0)
        s.advance(211e-6)

    @scenario(name, CR1, CCER, PSC, ARR, CNT, EGR, *CCR)
    def compare(s: Subject) -> None:
        """All channels toggle, the counter goes down from where it is set; all values are small."""
        s.begin()
        _route(s, *kind.pins, *kind.negative)
        s.write(name, PSC, 0)
        s.write(name, ARR, 0xFF)
        for channel in range(kind.channels):
            s.write(name, CCR[channel], 3 + channel)
        s.write(name, CCMR1, 0x3030)
        s.write(name, CCMR2, 0x3030)
        s.write(name, BDTR, 0x8000)
        s.write(name, CCER, 0x1111)
        s.write(name, DIER, 0x5F)
        s.write(name, CNT, 20)
        s.write(name, EGR, 0)
        s.write(name, CR1, 0x11)
        s.advance(300e-6)

    @scenario(name, SR)
    def flags(s: Subject) -> None:
        """Flags of everything are set, lost captures too, and not cleared."""
        _route(s, *kind.pins)
        s.write(name, CCMR1, 0x0101)
        s.write(name, CCMR2, 0x0101)
        s.write(name, CCER, 0x1111)
        s.write(name, BDTR, 0x8000)
        s.write(name, CR1, 1)
        s.write(name, EGR, 0xDF)
        s.write(name, EGR, 0xDF)
        s.write(name, SR, ~0)
        s.sample()

    if kind.channels > 2:

        @scenario(name, CR1, CCMR1, CCMR2)
        def centred(s: Subject) -> None:
            """Up and down, in combined modes whose highest bit counts, the values of a pair apart."""
            s.begin()
            _route(s, *kind.pins)
            s.write(name, ARR, 40)
            for channel in range(kind.channels):
                s.write(name, CCR[channel], 10 + 12 * (channel % 2))
            s.write(name, CCMR1, 0x0101_6060)
            s.write(name, CCMR2, 0x0101_6060)
            s.write(name, BDTR, 0x8000)
            s.write(name, CCER, 0x1111)
            s.write(name, DIER, 0x1E)
            s.write(name, EGR, 1)
            s.write(name, SR, 0)
            s.write(name, CR1, 0x21)
            s.advance(60e-6)

    if kind.channels == 2:

        @scenario(name, CCMR1)
        def combined(s: Subject) -> None:
            """Each output joins the references of both."""
            s.begin()
            _route(s, *kind.pins)
            s.write(name, ARR, 40)
            s.write(name, CCR[0], 10)
            s.write(name, CCR[1], 22)
            s.write(name, CCMR1, 0x0101_4040)
            s.write(name, BDTR, 0x8000)
            s.write(name, CCER, 0x0011)
            s.write(name, EGR, 1)
            s.write(name, CR1, 0x01)
            s.advance(60e-6)

    @scenario(name, CR1)
    def count_with_flag(s: Subject) -> None:
        """The count, after an update that nobody has dealt with."""
        s.begin()
        s.write(name, CR1, 0)
        s.write(name, EGR, 1)
        s.note(s.read(name, CNT))

    if kind.channels:

        def captures(select: int, polarity: int, slave_mode: int, edges: int) -> None:
            @scenario(name, SMCR, DIER, CCMR1, CCMR2, CCER, EGR)
            def capture(s: Subject) -> None:
                """Edges at all channels' pins are captured, in every second step of half of them."""
                s.begin()
                _route(s, *kind.pins)
                for pin in kind.pins:
                    s.drive(_pin(pin), False)
                s.write(name, ARR, 0xFFFF)
                s.write(name, CCMR1, select)
                s.write(name, CCMR2, select)
                s.write(name, SMCR, slave_mode)
                s.write(name, CCER, polarity)
                s.write(name, DIER, 0x5E)
                s.write(name, CR1, 0x01)
                for index in range(edges):
                    s.advance(3e-6)
                    for place, pin in enumerate(kind.pins):
                        s.drive(_pin(pin), (index >> place % 2) % 2 == 0)
                s.advance(10e-6)

        captures(0x0101, 0x1111, 0x54, 8)  # rising edges, which reset the counter
        captures(0x0606, 0xBBBB, 0, 9)  # both edges, every second one, of the channel's partner

    if kind.channels > 2:

        @scenario(name, CR2)
        def combined_inputs(s: Subject) -> None:
            """Channel 2's pin moves alone, which only the exclusive-or of the pins leads to channel 1."""
            s.begin()
            _route(s, *kind.pins)
            for pin in kind.pins:
                s.drive(_pin(pin), False)
            s.write(name, CCMR1, 0x0001)
            s.write(name, CCER, 0x0001)
            s.write(name, CR2, 0)
            s.write(name, CR1, 1)
            s.advance(2e-6)
            s.drive(_pin(kind.pins[1]), True)
            s.advance(2e-6)

    if kind.etr is not None:
        etr = kind.etr

        @scenario(name, SMCR, CCMR1, CCMR2)
        def outside_clock(s: Subject) -> None:
            """ETR clocks the counter, and clears references."""
            s.begin()
            _route(s, etr, *kind.pins)
            s.drive(_pin(etr), False)
            s.write(name, CCMR1, 0x6868)
            s.write(name, CCMR2, 0x6868)
            for channel in range(kind.channels):
                s.write(name, CCR[channel], 5)
            s.write(name, CCER, 0x1111)
            s.write(name, BDTR, 0x8000)
            s.write(name, SMCR, 0x4000)
            s.write(name, EGR, 1)
            s.write(name, CR1, 1)
            for level in (True, False, True):
                s.drive(_pin(etr), level)
                s.advance(1e-6)

    if kind.slave is not None:
        slave, code = kind.slave

        @scenario(name, CR2, CCMR1, CCMR2)
        def trigger_output(s: Subject) -> None:
            """Another timer counts the trigger output."""
            for select in (2, 4, 5, 6, 7):
                s.write(slave, SMCR, code << 4 | 7)
                s.write(slave, CR1, 1)
                s.write(name, ARR, 10)
                for channel in range(kind.channels):
                    s.write(name, CCR[channel], 2 + channel)
                s.write(name, CCMR1, 0x6868)
                s.write(name, CCMR2, 0x6868)
                s.write(name, CR2, select << 4)
                s.write(name, EGR, 1)
                s.write(name, CR1, 1)
                s.advance(11e-6)
                s.note(s.read(slave, CNT))

    if kind.master is not None:
        master, trigger = kind.master

        @scenario(name, SMCR, DIER)
        def triggered(s: Subject) -> None:
            """Another timer's updates are counted."""
            s.begin()
            s.write(master, ARR, 10)
            s.write(master, CR2, 2 << 4)
            s.write(master, CR1, 1)
            s.write(name, SMCR, trigger << 4 | 7)
            s.write(name, DIER, 0x40)
            s.write(name, CR1, 1)
            s.advance(30e-6)

    if kind.negative:

        @scenario(name, CR2, BDTR, CCER)
        def idle_state(s: Subject) -> None:
            """The outputs' idle levels, without main output enable."""
            s.begin()
            _route(s, *kind.pins, *kind.negative)
            s.write(name, CCER, 0x1555)
            s.write(name, CR2, 0)
            s.write(name, BDTR, 0x0400)
            s.write(name, CR2, 0)
            s.sample()

        @scenario(name, BDTR, CCER)
        def unused_partner(s: Subject) -> None:
            """One of each pair of outputs is off: driven to its inactive level, or let go."""
            s.begin()
            _route(s, *kind.pins, *kind.negative)
            s.write(name, CCMR1, 0x4040)
            s.write(name, CCMR2, 0x4040)
            s.write(name, CCER, 0x0111)
            s.write(name, BDTR, 0x8800)
            s.sample()
            s.write(name, CCER, 0x0444)
            s.sample()

    if kind.break_pin is not None:
        break_pin = kind.break_pin

        @scenario(name, BDTR, DIER)
        def break_input(s: Subject) -> None:
            """The break input is low, then high."""
            for bdtr in (0xB000, 0x9000):
                _route(s, *kind.pins, break_pin)
                s.drive(_pin(break_pin), False)
                s.write(name, CCER, 0x1111)
                s.write(name, DIER, 0x80)
                s.write(name, BDTR, bdtr)
                s.advance(1e-6)
                s.drive(_pin(break_pin), True)
                s.advance(1e-6)
                s.write(name, BDTR, bdtr | 0x4000)
                s.advance(1e-6)
                s.write(name, SR, 0)

        @scenario(name, BDTR)
        def automatic_output(s: Subject) -> None:
            """The outputs come back with an update."""
            _route(s, *kind.pins)
            s.write(name, CCER, 1)
            s.write(name, ARR, 10)
            s.write(name, BDTR, 0x4000)
            s.write(name, CR1, 1)
            s.advance(10e-6)

    if name == "TIM16":

        @scenario(name, OR1)
        def connected_clock(s: Subject) -> None:
            """A clock's edges are captured."""
            s.write("RCC", 0x94, 1)
            s.advance(300e-6)
            s.write(name, CCMR1, 0x01)
            s.write(name, CCER, 0x01)
            s.write(name, OR1, 1)
            s.write(name, CR1, 1)
            s.advance(100e-6)
            s.note(s.read(name, CCR1))

    for number, request in enumerate(kind.dma):

        @scenario(name, DIER, CR1)
        def dma(s: Subject, request: str = request, number: int = number) -> None:
            """DMA stores the counter with every request."""
            s.begin()
            s.dma(f"{name}_{request}", BLOCKS[name].base + (CCR1 if number else ARR))
            s.write(name, ARR, 20)
            for channel in range(kind.channels):
                s.write(name, CCR[channel], 5)
            s.write(name, DIER, 0)
            s.write(name, CR1, 1)
            s.advance(20e-6)
            s.write(name, EGR, 1)
            s.advance(2e-6)


def _update_by_dma(name: str, channels: int) -> None:
    @scenario(name, DCR, DMAR, CR1)
    def burst(s: Subject) -> None:
        """Updates load registers in bursts, by DMA or by hand; the count is read with the flag."""
        s.dma(f"{name}_UP", BLOCKS[name].base + DMAR, to_peripheral=True)
        s.write(name, DIER, 0x100)
        s.write(name, DCR, 2 << 8 | 11)
        s.write(name, CR1, 0)
        for _ in range(2):
            s.write(name, EGR, 1)
            s.note([s.read(name, offset) for offset in range(0, 0x48, 4)])
        s.write(name, DMAR, 0)
        s.note(s.read(name, CNT), [s.read(name, offset) for offset in range(0x28, 0x48, 4)])

    if channels:

        @scenario(name, CR2)
        def matches_at_the_update(s: Subject) -> None:
            """A match asks for DMA."""
            s.dma(f"{name}_CH1", BLOCKS[name].base + ARR)
            s.write(name, ARR, 40)
            s.write(name, CCR1, 20)
            s.write(name, CR2, 0)
            s.write(name, EGR, 1)
            s.write(name, DIER, 0x200)
            s.write(name, CR1, 1)
            s.advance(7e-6)


def _commutated(name: str, kind: Kind, control: int) -> None:
    @scenario(name, CR2, DIER, EGR, SR)
    def commutated(s: Subject) -> None:
        """Preloaded outputs change with a commutation, by software or by the trigger."""
        _route(s, *kind.pins)
        if kind.master is not None:
            s.dma(f"{name}_COM", BLOCKS[name].base + ARR)
            master, trigger = kind.master
            s.write(master, ARR, 40)
            s.write(master, CR2, 2 << 4)
            s.write(name, SMCR, trigger << 4)
        s.write(name, BDTR, 0x8000)
        s.write(name, DIER, 0)
        s.write(name, CR2, control)
        s.write(name, CCMR1, 0x5050)
        s.write(name, CCER, 0x1111)
        s.sample()
        if kind.master is not None:
            s.write(kind.master[0], CR1, 1)
            s.advance(12e-6)
        s.write(name, EGR, 0x20)
        s.sample()
        s.write(name, SR, ~0)
        s.sample()


for _kind in KINDS:
    _add(_kind)
    _update_by_dma(_kind.name, _kind.channels)
    if _kind.negative:
        for _control in (0, 1):
            _commutated(_kind.name, _kind, _control)


def _trigger_by_dma(name: str) -> None:
    @scenario(name, DIER)
    def trigger_by_dma(s: Subject) -> None:
        """A trigger asks for DMA."""
        s.dma(f"{name}_TRIG", BLOCKS[name].base + ARR)
        s.write(name, DIER, 0)
        s.write(name, EGR, 0x40)
        s.sample()


for _name in ("TIM1", "TIM3", "TIM15"):
    _trigger_by_dma(_name)
