# SPDX-License-Identifier: Apache-2.0
"""All timers of the part, and what leads to and from them: pins, clocks to measure, triggers, DMA.

Which counters, channels and triggers each has is the part's data (blocks.toml).
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from hil.parts import Block
from hil.twin.ip.lptim_v1.lptim import Lptim
from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1 import registers as reg
from hil.twin.ip.timer_v1.connections import DmaRequests, RemappedInput, TimerPins
from hil.twin.ip.timer_v1.tim import ALL_FLAGS, Tim, UpTim
from hil.twin.soc.routing import Routing

_FLAGS: Final = {
    "all": ALL_FLAGS,
    "break": reg.BIF,
    "update": reg.UIF,
    "trigger": 0x60,
    "compare": 0x1E,
}
"""The flags of TIMx_SR behind each interrupt request (RM0351, TIM sections: COM and TRG share a line)."""


class Timers(Mapping[str, Tim]):
    """The timers by their names."""

    def __init__(self, routing: Routing) -> None:
        self._clocks = routing.clocks
        blocks = routing.blocks.of("timer_v1")
        self._traits: dict[str, Mapping[str, Any]] = {block.name: block.traits for block in blocks}
        self._timers = {block.name: self._make(block, routing) for block in blocks}
        for name, timer in self._timers.items():
            self._connect_triggers(name, timer)

    def __getitem__(self, name: str) -> Tim:
        return self._timers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._timers)

    def __len__(self) -> int:
        return len(self._timers)

    def rtc_wakeup(self, level: bool) -> None:
        """The RTC's wake-up flag, which a timer may capture."""
        for name, timer in self._timers.items():
            if self._remapping(name) == "rtc_wakeup":
                timer.inputs.set_level(0, level)

    def _make(self, block: Block, routing: Routing) -> Tim:
        name = block.name
        channels = range(1, block.traits.get("channels", 0) + 1)
        signals = [routing.pin_signal(f"{name}_CH{channel}") for channel in channels]
        negative = [
            routing.pin_signal(f"{name}_CH{channel}N")
            for channel in range(1, block.traits.get("complementary", 0) + 1)
        ]
        break_input = routing.pin_signal(f"{name}_BKIN")
        pins = TimerPins(
            tuple(signal.drive for signal in signals),
            tuple(signal.drive for signal in negative),
            lambda index: bool(signals[index].level),
            break_input.read,
        )
        dma = DmaRequests(
            routing.request(f"{name}_UP"),
            routing.request(f"{name}_TRIG"),
            routing.request(f"{name}_COM"),
            tuple(routing.request(f"{name}_CH{channel}") for channel in channels),
        )
        remapped = None
        if "ti1" in block.traits:
            remapped = RemappedInput(partial(self._is_remapped, name), partial(self._clock_at_ti1_hz, name))
        timer = (UpTim if block.traits.get("up_only", False) else Tim)(
            block,
            routing.scheduler,
            tuple((_FLAGS[request], routing.interrupts.of(block, request)) for request in block.interrupts),
            partial(routing.clocks.timer_hz, name),
            pins,
            dma,
            remapped,
            counter_bits=block.traits.get("bits", 16),
        )
        for index, signal in enumerate(signals):
            signal.listen(partial(timer.inputs.set_pin, index))
        routing.pin_signal(f"{name}_ETR").listen(timer.slave.set_etr)
        break_input.listen(timer.set_break)
        return timer

    def _connect_triggers(self, name: str, timer: Tim) -> None:
        for index, master in enumerate(self._traits[name].get("triggers", ())):
            if master in self._timers:
                output = self._timers[master].trigger_output
                has_output = self._traits[master].get("trgo", True)
                followers = output.followers if has_output else output.reference_followers
                followers.append((timer.slave, index))

    def _remapping(self, name: str) -> str:
        choices: tuple[str, ...] | None = self._traits[name].get("ti1")
        if choices is None:
            return "pin"
        return choices[field(self._timers[name].words[reg.OR1], 0, (len(choices) - 1).bit_length())]

    def _is_remapped(self, name: str) -> bool:
        return self._remapping(name) != "pin"

    def _clock_at_ti1_hz(self, name: str) -> int:
        return self._clocks.oscillator_hz(self._remapping(name))


def make_low_power_timers(routing: Routing) -> dict[str, Lptim]:
    """The low-power timers by their names."""
    found = {}
    for block in routing.blocks.of("lptim_v1"):
        name = block.name
        inputs = {pin: routing.pin_signal(f"{name}_{pin}") for pin in ("IN1", "IN2", "ETR")}
        timer = Lptim(
            block,
            routing.scheduler,
            routing.interrupts.of(block),
            partial(routing.clocks.low_power_timer_hz, name),
            partial(routing.clocks.low_power_timer_runs, name),
            {pin: signal.read for pin, signal in inputs.items()},
            routing.pin_signal(f"{name}_OUT").drive,
            encoder=f"{name}_IN2" in routing.blocks.alternate_functions,
        )
        for pin, source in inputs.items():
            source.listen(partial(timer.inputs.changed, pin))
        found[name] = timer
    return found
