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
from hil.twin.ip.timer_v1.tim import ALL_FLAGS, RemappedTim, Tim
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
        self._timers = {block.name: _make(block, routing) for block in blocks}
        for name, timer in self._timers.items():
            self._connect_pins(name, timer, routing)
            self._connect_dma(name, timer, routing)
            self._connect_triggers(name, timer)
            if "ti1" in self._traits[name]:
                timer.inputs.clock_hz = partial(self._clock_at_ti1_hz, name)
                timer.inputs.internal = partial(self._is_remapped, name)

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

    @staticmethod
    def _connect_pins(name: str, timer: Tim, routing: Routing) -> None:
        signals = [routing.pin_signal(f"{name}_CH{number}") for number in range(1, timer.channels.count + 1)]
        timer.inputs.pin_level = lambda index: bool(signals[index].level)
        for channel, signal in enumerate(signals):
            timer.outputs.connect(channel, signal.drive)
            signal.listen(partial(timer.inputs.set_pin, channel))
            negative = f"{name}_CH{channel + 1}N"
            if negative in routing.blocks.alternate_functions:
                timer.outputs.connect_complementary(channel, routing.pin_signal(negative).drive)
        routing.pin_signal(f"{name}_ETR").listen(timer.slave.set_etr)
        break_input = routing.pin_signal(f"{name}_BKIN")
        break_input.listen(timer.set_break)
        timer.outputs.break_level = lambda: break_input.level

    @staticmethod
    def _connect_dma(name: str, timer: Tim, routing: Routing) -> None:
        timer.requests.update = routing.request(f"{name}_UP")
        timer.requests.trigger = routing.request(f"{name}_TRIG")
        timer.requests.commutation = routing.request(f"{name}_COM")
        for channel in range(timer.channels.count):
            timer.requests.compare[channel] = routing.request(f"{name}_CH{channel + 1}")

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


def _make(block: Block, routing: Routing) -> Tim:
    kind = RemappedTim if "ti1" in block.traits else Tim
    return kind(
        block,
        routing.scheduler,
        tuple((_FLAGS[request], routing.interrupts.of(block, request)) for request in block.interrupts),
        partial(routing.clocks.timer_hz, block.name),
        counter_bits=block.traits.get("bits", 16),
        channels=block.traits.get("channels", 0),
        complementary=block.traits.get("complementary", 0),
    )


def make_low_power_timers(routing: Routing) -> dict[str, Lptim]:
    """The low-power timers by their names."""
    found = {}
    for block in routing.blocks.of("lptim_v1"):
        name = block.name
        timer = Lptim(
            block,
            routing.scheduler,
            routing.interrupts.of(block),
            partial(routing.clocks.low_power_timer_hz, name),
            encoder=f"{name}_IN2" in routing.blocks.alternate_functions,
        )
        timer.on_output = routing.pin_signal(f"{name}_OUT").drive
        inputs = {pin: routing.pin_signal(f"{name}_{pin}") for pin in ("IN1", "IN2", "ETR")}
        timer.inputs.levels = {pin: signal.read for pin, signal in inputs.items()}
        timer.inputs.runs = partial(routing.clocks.low_power_timer_runs, name)
        for pin, source in inputs.items():
            source.listen(partial(timer.inputs.changed, pin))
        found[name] = timer
    return found
