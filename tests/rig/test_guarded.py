# SPDX-License-Identifier: Apache-2.0
"""What the rig refuses to believe of its ammeter, and what an error of the analyzer ends."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from hil.config import ContactWire
from hil.errors import InstrumentError, InstrumentTimeoutError, ProtocolError
from hil.measurement.accuracy import RangeAccuracy
from hil.measurement.waveform import Waveform
from hil.rig.guarded import GuardedAmmeter, GuardedDaq
from hil.rig.switching import Act, SwitchingRecord

RANGES = [RangeAccuracy(10e-6, 25e-5, 8e-9, "test"), RangeAccuracy(1e-3, 25e-5, 100e-9, "test")]
STOP_2_A = 1.67e-6


def guarded(current_a: float, record: SwitchingRecord | None = None) -> GuardedAmmeter:
    """An ammeter whose every reading is ``current_a``."""
    waveform = Waveform(0.0, 1e-4, np.full(1000, current_a))
    analyzer = SimpleNamespace(
        measure_current_a=lambda: current_a,
        arm_capture=lambda _duration_s, _period_s: SimpleNamespace(take=lambda: waveform),
        log=lambda _duration_s, _period_s, _progress, range_a, parts: waveform,
    )
    return GuardedAmmeter(cast(Any, analyzer), record or SwitchingRecord(1.71, lambda: 0.0), RANGES)


def test_contacts_are_opened_at_the_start_and_with_the_outputs_even_where_these_fail() -> None:
    wire = ContactWire(pin="PC13", terminal="Dev1/port0/line1", active="low", connects="low")
    done: list[object] = []

    def stop() -> None:
        done.append("stop")
        if len(done) > 4:
            raise InstrumentError("gone", where="daq")

    daq = SimpleNamespace(stop=stop, write_line=lambda line, level: done.append((line, level)))
    record = SwitchingRecord(1.71, lambda: 0.0)
    guarded = GuardedDaq(cast(Any, daq), record, "Dev1", contacts={wire.terminal: wire})
    opened = ("Dev1/port0/line1", True)
    assert done == ["stop", opened]
    guarded.stop()
    assert done == ["stop", opened, "stop"], "it is open"
    guarded.write_line(wire.terminal, False)
    with pytest.raises(InstrumentError):
        guarded.stop()
    assert done[-1] == opened


@pytest.mark.parametrize("measure", ["measure_current_a", "capture", "log"])
def test_a_reversed_ammeter_is_named(measure: str) -> None:
    arguments = () if measure == "measure_current_a" else (0.1, 1e-4)
    getattr(guarded(STOP_2_A), measure)(*arguments)
    with pytest.raises(ProtocolError, match=r"mean current is -1\.67e-06 A: a reversed ammeter"):
        getattr(guarded(-STOP_2_A), measure)(*arguments)


def test_an_offset_within_the_accuracy_is_no_reversed_ammeter() -> None:
    expanded_a = 0.95 * 8e-9  # for 95 % of a rectangle
    guarded(-2.9 * expanded_a).measure_current_a()
    with pytest.raises(ProtocolError, match="reversed"):
        guarded(-3.1 * expanded_a).measure_current_a()


def test_after_an_error_of_the_analyzer_vdd_is_unknown() -> None:
    record = SwitchingRecord(1.71, lambda: 0.0)
    record.note_vdd(3.0)

    def gone() -> float:
        raise InstrumentTimeoutError("gone", where="power_analyzer")

    analyzer = GuardedAmmeter(cast(Any, SimpleNamespace(measure_current_a=gone)), record, RANGES)
    with pytest.raises(InstrumentError):
        analyzer.measure_current_a()
    assert not record.supplied
    assert record.entries[-1].act is Act.VDD_LOST
