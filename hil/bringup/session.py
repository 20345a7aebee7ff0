# SPDX-License-Identifier: Apache-2.0
"""What the steps of a bring-up share: the rig, who has hands, and what has been found so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from hil.bringup.operators import Move, Operator
from hil.config import BringUpResults, bring_up_file, fingerprint
from hil.config.bring_up import ByHand, Latency, MarkerLoad, StepRecord, SupplyTimes
from hil.errors import BringUpError
from hil.firmware.image import Image
from hil.instruments.protocols import Progress
from hil.measurement import accuracy
from hil.measurement.accuracy import RangeAccuracy
from hil.rig import Rig

_RATE_HZ, _SAMPLES = 10_000.0, 1000


@dataclass
class Findings:
    """What the steps measured; :meth:`Session.results` makes the file's contents of it."""

    serials: dict[str, str] = field(default_factory=dict)
    round_trips: dict[str, Latency] = field(default_factory=dict)
    arming_s: float | None = None
    rise_s: float | None = None
    fall_s: float | None = None
    back_feed_v: float | None = None
    smallest_range_a: float | None = None
    marker_loads: dict[str, MarkerLoad] = field(default_factory=dict)
    by_hand: list[ByHand] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)


class Session:
    """One bring-up."""

    def __init__(
        self,
        rig: Rig,
        operator: Operator,
        image: Callable[[], Image],
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Nothing is touched yet.

        Args:
            rig: the open rig.
            operator: who answers and moves wires.
            image: makes the reference firmware; called by the first step that needs it.
            progress: told what a step is doing, for steps that take a while.
        """
        self.rig = rig
        self.operator = operator
        self.found = Findings()
        self.title = ""
        """Of the step at hand."""
        self.say = progress
        self._make_image = image
        self._image: Image | None = None

    @property
    def image(self) -> Image:
        """The reference firmware."""
        if self._image is None:
            self.say("building the firmware")
            self._image = self._make_image()
        return self._image

    def programming(self) -> Progress:
        """For :meth:`hil.rig.Rig.to`."""
        return lambda fraction: self.say(f"programming {fraction:.0%}")

    def wrong(self, message: str, *, expected: str, hint: str) -> BringUpError:
        """What ends the bring-up: it says what is wrong, what would be right and what to do."""
        return BringUpError(message, where=self.title, expected=expected, hint=hint)

    def move(self, order: str, text: str) -> bool:
        """Have a wire moved; False where nobody can."""
        return self.operator.move(Move(order, text))

    def supply_at_the_board_v(self) -> float | None:
        """VDD as an analog input of the DAQ reads it; None without such a wire. The mean of 100 ms."""
        wire = self.rig.config.wiring.supply_readback
        return None if wire is None else self.analog_v(wire.terminal)

    def analog_v(self, terminal: str) -> float:
        """The mean voltage at an analog input over 100 ms, whole periods of 50 Hz and 60 Hz mains."""
        return float(self.rig.daq.acquire([terminal], _RATE_HZ, _SAMPLES).mean())

    def hum_v(self, terminal: str) -> float:
        """The voltage at an analog input from peak to peak, over the same time."""
        return float(np.ptp(self.rig.daq.acquire([terminal], _RATE_HZ, _SAMPLES)))

    def current_a(self, duration_s: float = 0.5) -> tuple[float, float]:
        """The mean current of a log and its expanded uncertainty, by the rig file's accuracies."""
        ammeter = self.rig.ammeter
        samples_a = ammeter.log(duration_s, ammeter.capabilities.log_period_s).current_a
        return float(samples_a.mean()), accuracy.of_mean(samples_a, self.ranges()).expanded_uncertainty

    def ranges(self) -> list[RangeAccuracy]:
        """The analyzer's current ranges."""
        analyzer = self.rig.config.measured_by
        assert analyzer is not None  # the steps that ask need one
        return [RangeAccuracy(row.range_a, row.gain, row.offset_a, row.source) for row in analyzer.ranges]

    def results(self) -> BringUpResults:
        """What goes into the file."""
        found, config = self.found, self.rig.config
        supply = None
        if found.rise_s is not None and found.fall_s is not None and found.back_feed_v is not None:
            supply = SupplyTimes.model_construct(
                rise_s=found.rise_s, fall_s=found.fall_s, back_feed_v=found.back_feed_v
            )
        return BringUpResults.model_construct(
            date=datetime.now(UTC).replace(microsecond=0),
            rig=config.name,
            fingerprint=fingerprint(config),
            serials=found.serials,
            round_trips=found.round_trips,
            arming_s=found.arming_s,
            supply=supply,
            smallest_range_a=found.smallest_range_a,
            marker_loads=found.marker_loads,
            by_hand=tuple(found.by_hand),
            steps=tuple(found.steps),
            file=bring_up_file(config),
        )
