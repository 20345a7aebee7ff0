# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin that takes one of the controller's mends against a real bench out again.

``HIL_UNMENDED`` names it. Each puts back what the controller would do if benches were kind.
"""

import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

Plant = Callable[[pytest.MonkeyPatch], None]


def _set(path: str, value: Any) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(path, value)

    return plant


def _untouched(waveform: Any, phases: Sequence[Any], _loads: Any, _inference_s: Any) -> Any:
    from hil.measurement.part_alone import MarkerLoads, PartAlone
    from hil.measurement.uncertainty import Estimate

    nothing = Estimate(0.0, 0.0)
    return PartAlone(waveform, tuple(phases), MarkerLoads(nothing, nothing), float("inf"))


def _lines_stay_closed(patch: pytest.MonkeyPatch) -> None:
    from hil.rig.bench import Bench

    patch.setattr(Bench, "open_lines", lambda self: None)


def _at_once(patch: pytest.MonkeyPatch) -> None:
    from hil.instruments.n6705c_status import OutputStatus
    from hil.instruments.scpi_link import ScpiLink

    ask = ScpiLink.query
    patch.setattr(ScpiLink, "query", lambda self, text: "1" if text == "*OPC?" else ask(self, text))
    patch.setattr(OutputStatus, "wait_regulated", lambda self: None)
    patch.setattr("hil.rig.states._RISE_S", 0.0)


MENDS: dict[str, Plant] = {
    "nothing": lambda patch: None,
    "loads are subtracted": _set("hil.measurement.part_alone.part_alone", _untouched),
    "VDD is waited for": _at_once,
    "VDD is waited for until it is gone": _set("hil.rig.states._FALL_S", 0.0),
    "the relay settles": _set("hil.rig.bench._RELAY_SETTLING_S", 0.0),
    "stray bytes are no lines": _set("hil.instruments.records._NOISE", re.compile(rb"")),
    "a reversed ammeter is refused": _set(
        "hil.rig.guarded.GuardedAnalyzer._refuse_reversed", lambda self, samples_a: None
    ),
    "lines open before the supply goes off": _lines_stay_closed,
    "pins go to 0 V before the supply goes off": _set(
        "hil.rig.states.BoardStates._stop_driving", lambda self: None
    ),
}
"""What the controller does about a real bench, and how to keep it from doing so."""


def pytest_configure(config: pytest.Config) -> None:
    """Take the mend out for the whole run."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    MENDS[os.environ["HIL_UNMENDED"]](patch)
