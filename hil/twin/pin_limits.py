# SPDX-License-Identifier: Apache-2.0
"""What the part's pins stand, and what happens when something drives them beyond it.

A pin above VDD conducts into VDD. So a line that idles high feeds a part whose supply is off, through its
pins: on a Nucleo-64 the part then runs on. The absolute maxima allow no positive injection current
(DS10198 Rev 8, table 21), and ST's support says that pins must not be driven while VDD is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hil.parts import Part
from hil.twin.harm import HarmRecord
from hil.twin.pins import Pin
from hil.twin.supply_net import SupplyNet

ABOVE_VDD_V: Final = 0.3
"""How far above VDD a pin may be whose input is analog, or whose part has no proven supply (table 20's margin
below ground, and the clamp of a protected wire)."""
FT_ABOVE_VDD_V: Final = 4.0
"""The same for a 5 V tolerant digital pin of a supplied part (DS10198 Rev 8, table 20: FT_xxx pins)."""
FEED_DROP_V: Final = 1.4
"""From a driven pin to VDD of an unpowered part. ASSUMPTION: 3.3 V from an ST-LINK leave 1.9 V."""


@dataclass(frozen=True)
class PinSource:
    """Something that may drive a pin."""

    name: str
    """What it is, for messages: "the ST-LINK's transmit line"."""
    pin: str
    highest_v: Callable[[], float]
    """The highest voltage that it drives at present; 0 V while it drives nothing."""
    analog: bool


class PinLimits:
    """Watches every source of the bench that can drive a pin, whenever VDD or a source changes."""

    def __init__(self, part: Part, net: SupplyNet, harm: HarmRecord) -> None:
        self._vdd_least_v = part.vdd_min_v
        self._net, self._harm = net, harm
        self._sources: list[PinSource] = []
        self._vdd_most_v = float(part.fact("abs_max_vdd").max_scalar())
        self._pin_most_a = float(part.fact("abs_max_current").extra["iio_per_pin"])
        net.changed.connect(self.check)

    def add(self, source: PinSource) -> None:
        """Watch one more source."""
        self._sources.append(source)
        self.check()

    def watch_fight(self, pin: Pin, driver: str, driver_a: float) -> None:
        """Watch that the part and a digital ``driver`` of up to ``driver_a`` do not drive a pin against each
        other: the current of such a short is the driver's.
        """

        def look(_time_ps: int, _level: bool | None) -> None:
            part, outside = pin.level_out, pin.external_level
            if part is None or outside is None or part is outside or driver_a <= self._pin_most_a:
                return
            self._harm.note(
                f"{pin.name} fight",
                f"{driver} and the part drive pin {pin.name} against each other: {1e3 * driver_a:g} mA, "
                f"{1e3 * self._pin_most_a:g} mA at most (DS10198 Rev 8, table 21)",
            )

        pin.level_out_changed.connect(look)
        pin.external_level_changed.connect(look)

    def check(self) -> None:
        """Compare every source with what its pin stands now, and let it feed the part."""
        vdd_v = self._net.voltage_v
        if vdd_v > self._vdd_most_v:
            self._harm.note(
                "VDD", f"VDD was {vdd_v:.2f} V, {self._vdd_most_v:g} V at most (DS10198 Rev 8, table 20)"
            )
        supplied = self._net.driven and vdd_v >= self._vdd_least_v
        for source in self._sources:
            driven_v = source.highest_v()
            margin_v = FT_ABOVE_VDD_V if supplied and not source.analog else ABOVE_VDD_V
            if driven_v > vdd_v + margin_v:
                self._harm.note(
                    source.pin,
                    f"{source.name} drove pin {source.pin} to {driven_v:.2f} V with VDD at {vdd_v:.2f} V: "
                    f"at most VDD + {margin_v:g} V (DS10198 Rev 8, tables 20 and 21)",
                )
        for source in self._sources:
            self._net.feed(source.name, max(source.highest_v() - FEED_DROP_V, 0.0))
