# SPDX-License-Identifier: Apache-2.0
"""The N6705C driver as a meter, message by message: readings, captures and logs."""

from typing import cast

import numpy as np
import pytest

from hil.errors import (
    InstrumentTimeoutError,
    OverloadError,
    ProtocolError,
)
from hil.instruments.n6705c import N6705C
from hil.measurement.waveform import Waveform
from tests.instruments.n6705c_conversation import (
    NO_ERROR,
    OPENING,
    Answer,
    ManualClock,
    ScriptedResource,
    conversation,
)


def test_measure_writes_every_setting_that_it_depends_on() -> None:
    with conversation(
        ("SENS:FUNC:VOLT OFF,(@2)", None),
        ("SENS:FUNC:CURR ON,(@2)", None),
        ("SENS:CURR:RANG:AUTO ON,(@2)", None),
        ("SENS:SWE:TINT 5.12e-06,(@2)", None),
        ("SENS:SWE:POIN 19531,(@2)", None),
        ("SENS:SWE:OFFS:POIN 0,(@2)", None),
        ("SENS:WIND RECT,(@2)", None),
        ("FORM ASC", None),
        ("MEAS:CURR? (@2)", "1.67E-06"),
        NO_ERROR,
    ) as (analyzer, _, _):
        assert analyzer.measure_current_a() == 1.67e-6


CAPTURE: list[tuple[str, Answer | None]] = [
    ("ABOR:ACQ (@2)", None),
    ("SENS:FUNC:VOLT OFF,(@2)", None),
    ("SENS:FUNC:CURR ON,(@2)", None),
    ("SENS:SWE:TINT 0.0001,(@2)", None),
    ("SENS:SWE:TINT? (@2)", "8.192E-05"),
    ("SENS:CURR:RANG:AUTO ON,(@2)", None),
    ("SENS:SWE:POIN 4,(@2)", None),
    ("SENS:SWE:OFFS:POIN 0,(@2)", None),
    ("SENS:WIND RECT,(@2)", None),
    ("TRIG:ACQ:SOUR BUS,(@2)", None),
    ("FORM REAL", None),
    ("FORM:BORD NORM", None),
    ("INIT:ACQ (@2)", None),
    ("STAT:OPER:COND? (@2)", "0"),
    ("STAT:OPER:COND? (@2)", "33"),  # an N6705C, which has no bit for waiting
    NO_ERROR,
    ("TRIG:ACQ (@2)", None),
    NO_ERROR,  # the answer proves that the trigger has been taken before time is let pass
]


def test_capture_waits_until_armed_and_reports_the_period_it_got() -> None:
    with conversation(*CAPTURE, ("FETC:ARR:CURR? (@2)", [1e-6, 2e-6, 3e-6, 4e-6]), NO_ERROR) as (
        analyzer,
        _,
        clock,
    ):
        waveform = analyzer.capture(3e-4, 1e-4)
    assert (waveform.start_s, waveform.period_s) == (100.0, 8.192e-5)
    assert clock.time_s == pytest.approx(100.0 + 4 * 8.192e-5)
    np.testing.assert_allclose(waveform.current_a, [1e-6, 2e-6, 3e-6, 4e-6], rtol=1e-6)


@pytest.mark.parametrize("bad", [9.9e37, -9.9e37, float("nan")])
def test_an_overload_is_no_measurement(bad: float) -> None:
    with (
        conversation(*CAPTURE, ("FETC:ARR:CURR? (@2)", [1e-6, bad, 3e-6, 4e-6])) as (analyzer, _, _),
        pytest.raises(OverloadError, match="1 of 4 readings out of range, the first at 1"),
    ):
        analyzer.capture(3e-4, 1e-4)


def test_capture_refuses_more_points_than_the_scope_holds() -> None:
    with (
        conversation(
            ("ABOR:ACQ (@2)", None),
            ("SENS:FUNC:VOLT OFF,(@2)", None),
            ("SENS:FUNC:CURR ON,(@2)", None),
            ("SENS:SWE:TINT 5.12e-06,(@2)", None),
            ("SENS:SWE:TINT? (@2)", "5.12E-06"),
        ) as (analyzer, _, _),
        pytest.raises(ProtocolError, match="expected 1 to 524288 points; try: a longer period"),
    ):
        analyzer.capture(10.0, 5.12e-6)


LOG: list[tuple[str, Answer | None]] = [
    ("ABOR:ELOG (@2)", None),
    ("SENS:ELOG:FUNC:VOLT OFF,(@2)", None),
    ("SENS:ELOG:FUNC:VOLT:MINM OFF,(@2)", None),
    ("SENS:ELOG:FUNC:CURR ON,(@2)", None),
    ("SENS:ELOG:FUNC:CURR:MINM OFF,(@2)", None),
    ("SENS:ELOG:CURR:RANG:AUTO ON,(@2)", None),
    ("SENS:ELOG:PER 0.25,(@2)", None),
    ("TRIG:ELOG:SOUR BUS,(@2)", None),
    ("FORM REAL", None),
    ("FORM:BORD NORM", None),
    ("SENS:ELOG:PER? (@2)", "0.25"),
    ("INIT:ELOG (@2)", None),
    NO_ERROR,
    ("TRIG:ELOG (@2)", None),
]
FETCH = "FETC:ELOG? 16384,(@2)"


def test_log_fetches_until_complete_and_drops_what_is_beyond() -> None:
    progress: list[float] = []
    parts: list[Waveform] = []
    with conversation(
        *LOG,
        (FETCH, []),
        (FETCH, [1e-6]),
        (FETCH, [2e-6, 3e-6, 4e-6, 5e-6]),
        ("ABOR:ELOG (@2)", None),
        NO_ERROR,
    ) as (analyzer, _, clock):
        waveform = analyzer.log(1.0, 0.25, progress.append, parts=parts.append)
    assert [part.start_s - waveform.start_s for part in parts] == [0.0, 0.25]
    np.testing.assert_array_equal(np.concatenate([part.current_a for part in parts]), waveform.current_a)
    np.testing.assert_allclose(waveform.current_a, [1e-6, 2e-6, 3e-6, 4e-6], rtol=1e-6)
    assert progress == [0.25, 1.0]
    assert clock.time_s == 100.5


def test_a_log_can_stay_in_one_range() -> None:
    auto = LOG.index(("SENS:ELOG:CURR:RANG:AUTO ON,(@2)", None))
    fixed: list[tuple[str, Answer | None]] = [
        ("SENS:ELOG:CURR:RANG:AUTO OFF,(@2)", None),
        ("SENS:ELOG:CURR:RANG 1e-05,(@2)", None),
    ]
    script = [*LOG[:auto], *fixed, *LOG[auto + 1 :], (FETCH, cast(Answer, [1e-6] * 4))]
    with conversation(*script, ("ABOR:ELOG (@2)", None), NO_ERROR) as (analyzer, _, _):
        assert len(analyzer.log(1.0, 0.25, range_a=10e-6)) == 4


def test_a_log_that_dries_up_is_the_instruments_fault() -> None:
    script = [*LOG, *[(FETCH, cast(Answer, []))] * 10, ("ABOR:ELOG (@2)", None)]
    with (
        conversation(*script) as (analyzer, _, _),
        pytest.raises(InstrumentTimeoutError, match="0 of 4 samples"),
    ):
        analyzer.log(1.0, 0.25)


class LateFetches(ManualClock):
    """A clock that stands still for a while at the given readings of the time: the controller did."""

    def __init__(self, stand_still_s: dict[int, float]) -> None:
        super().__init__()
        self._stand_still_s, self._readings = stand_still_s, 0

    def now_s(self) -> float:
        self._readings += 1
        self.time_s += self._stand_still_s.get(self._readings, 0.0)
        return self.time_s


@pytest.mark.parametrize(
    ("stand_still_s", "fetched", "behind"),
    [
        (19.0, [], "19.0 s behind"),  # not fetched for longer than the buffer holds
        (5.0, [[1e-6, 2e-6]], "4.5 s behind"),  # the buffer is empty, and time is missing in it
    ],
)
def test_a_log_that_was_overwritten_is_refused(
    stand_still_s: float, fetched: list[Answer], behind: str
) -> None:
    script: list[tuple[str, Answer | None]] = [*OPENING, *LOG, *[(FETCH, answer) for answer in fetched]]
    resource = ScriptedResource([*script, ("ABOR:ELOG (@2)", None)])
    analyzer = N6705C(
        resource.open,
        channel=2,
        voltage_maximum_v=3.6,
        current_maximum_a=0.15,
        clock=LateFetches({2: stand_still_s}),
    )
    with pytest.raises(InstrumentTimeoutError, match=behind):
        analyzer.log(1.0, 0.25)
    assert not resource.script


def test_log_refuses_a_period_that_the_instrument_lacks() -> None:
    with conversation() as (analyzer, _, _), pytest.raises(ProtocolError, match=r"at least 0\.0001024 s"):
        analyzer.log(1.0, 20.48e-6)


def test_an_answer_that_is_no_number() -> None:
    with (
        conversation(
            ("ABOR:ACQ (@2)", None),
            ("SENS:FUNC:VOLT OFF,(@2)", None),
            ("SENS:FUNC:CURR ON,(@2)", None),
            ("SENS:SWE:TINT 0.0001,(@2)", None),
            ("SENS:SWE:TINT? (@2)", "OUTP"),
        ) as (
            analyzer,
            _,
            _,
        ),
        pytest.raises(ProtocolError, match="answered 'OUTP'; expected a number"),
    ):
        analyzer.capture(3e-4, 1e-4)
