# SPDX-License-Identifier: Apache-2.0
"""The N6705C driver, message by message: each test states the whole exchange and fails on anything else."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import pytest
import pyvisa
from pyvisa.resources import MessageBasedResource

from hil.errors import (
    ConnectError,
    InstrumentError,
    InstrumentTimeoutError,
    OverloadError,
    ProtocolError,
    SafetyError,
)
from hil.instruments.n6705c import N6705C

Answer = str | list[float] | Exception

IDENTIFYING: list[tuple[str, Answer | None]] = [
    ("*IDN?", "Keysight Technologies,N6705C,MY00000001,E.03.06"),
    ("SYST:CHAN:MOD? (@2)", '"N6781A"'),
    ("SYST:ERR?", '-113,"Undefined header"'),  # an earlier user's
    ("SYST:ERR?", '+0,"No error"'),
]
OPENING: list[tuple[str, Answer | None]] = [
    *IDENTIFYING,
    ("SYST:CHAN?", "4"),
    ("OUTP? (@1,3,4)", "0,0,0"),
    ("OUTP OFF,(@2)", None),
    ("SYST:ERR?", '+0,"No error"'),
    ("OUTP? (@2)", "0"),
]
NO_ERROR: tuple[str, Answer | None] = ("SYST:ERR?", '+0,"No error"')


class ScriptedResource:
    """A VISA resource that knows one conversation."""

    resource_class = "SOCKET"

    def __init__(self, script: list[tuple[str, Answer | None]]) -> None:
        self.script = deque(script)
        self.opened = 0
        self.closed = 0

    def open(self) -> MessageBasedResource:
        self.opened += 1
        return cast(MessageBasedResource, self)

    def write(self, message: str) -> int:
        assert self._next(message) is None, f"{message} is a query"
        return len(message)

    def query(self, message: str) -> str:
        answer = self._next(message)
        assert isinstance(answer, str)
        return answer + "\n"

    def query_binary_values(self, message: str, **how: Any) -> Any:
        assert how == {"datatype": "f", "is_big_endian": True, "container": np.ndarray}
        return np.array(self._next(message), dtype=np.float32)

    def close(self) -> None:
        self.closed += 1

    def _next(self, message: str) -> Answer | None:
        assert self.script, f"{message}: the conversation is over"
        expected, answer = self.script.popleft()
        assert message == expected
        if isinstance(answer, Exception):
            raise answer
        return answer


class ManualClock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


@contextmanager
def conversation(
    *script: tuple[str, Answer | None], opening: list[tuple[str, Answer | None]] = OPENING, **options: Any
) -> Iterator[tuple[N6705C, ScriptedResource, ManualClock]]:
    resource, clock = ScriptedResource([*opening, *script]), ManualClock()
    yield (
        N6705C(
            resource.open, channel=2, voltage_maximum_v=3.6, current_maximum_a=0.15, clock=clock, **options
        ),
        resource,
        clock,
    )
    assert not resource.script, f"never sent: {list(resource.script)}"


def test_opening_identifies_and_switches_no_other_channel() -> None:
    with conversation() as (analyzer, _, _):
        identity = analyzer.identity()
    assert (identity.model, identity.serial) == ("N6705C with N6781A", "MY00000001")


def test_another_channel_that_is_on_is_refused() -> None:
    opening: list[tuple[str, Answer | None]] = [
        *IDENTIFYING,
        ("SYST:CHAN?", "4"),
        ("OUTP? (@1,3,4)", "0,1,1"),
    ]
    with (
        pytest.raises(ConnectError, match=r"channel 3, 4 is on; .* shared_mainframe = true"),
        conversation(opening=opening),
    ):
        pass


def test_a_shared_mainframe_may_have_other_channels_on() -> None:
    with conversation(opening=[*IDENTIFYING, *SUPPLY_OFF], shared_mainframe=True):
        pass


@pytest.mark.parametrize(
    ("opening", "message"),
    [
        ([("*IDN?", "ACME,PSU 1,1,1")], "ACME PSU 1 answers; expected a Keysight N6705C"),
        ([OPENING[0], ("SYST:CHAN:MOD? (@2)", '"N6731B"')], "slot 2 holds N6731B; expected an N6781A"),
    ],
)
def test_the_wrong_instrument_is_refused(opening: list[tuple[str, Answer | None]], message: str) -> None:
    with pytest.raises(ConnectError, match=message), conversation(opening=opening):
        pass


def test_another_serial_number_is_refused() -> None:
    with (
        pytest.raises(ConnectError, match="serial number MY00000001 answers; expected MY00000002"),
        conversation(opening=OPENING[:1], serial="MY00000002"),
    ):
        pass


SUPPLY_SETTINGS: list[tuple[str, Answer | None]] = [
    ("ABOR:ACQ (@2)", None),
    ("ABOR:ELOG (@2)", None),
    ("OUTP OFF,(@2)", None),
    ("EMUL PS2Q,(@2)", None),
    ("FUNC VOLT,(@2)", None),
    ("VOLT:SENS:SOUR INT,(@2)", None),
    ("OUTP:TMOD LOWZ,(@2)", None),
    ("VOLT:PROT:REM 3.3,(@2)", None),
    ("CURR:LIM 0.1,(@2)", None),
    ("CURR:PROT:STAT ON,(@2)", None),
    ("OUTP:PROT:CLE (@2)", None),
    ("VOLT 3,(@2)", None),
]
SWITCHED_ON: list[tuple[str, Answer | None]] = [
    NO_ERROR,
    ("OUTP ON,(@2)", None),
    ("*OPC?", "1"),
    NO_ERROR,
]
SUPPLY_OFF: list[tuple[str, Answer | None]] = [("OUTP OFF,(@2)", None), NO_ERROR, ("OUTP? (@2)", "0")]


def test_supply_on_writes_limits_and_protection_before_the_output() -> None:
    with conversation(
        *SUPPLY_SETTINGS,
        *SWITCHED_ON,
        ("STAT:QUES:COND? (@2)", "0"),
    ) as (analyzer, _, _):
        analyzer.supply_on(3.0, 0.1)


def test_sense_leads_are_used_where_they_are_wired() -> None:
    settings = [
        ("VOLT:SENS:SOUR EXT,(@2)", None) if message.startswith("VOLT:SENS") else (message, answer)
        for message, answer in SUPPLY_SETTINGS
    ]
    with conversation(*settings, *SWITCHED_ON, ("STAT:QUES:COND? (@2)", "0"), sense="remote") as (
        analyzer,
        _,
        _,
    ):
        analyzer.supply_on(3.0, 0.1)


def test_an_output_gets_time_to_regulate() -> None:
    unregulated: tuple[str, Answer | None] = ("STAT:QUES:COND? (@2)", "1024")
    with conversation(*SUPPLY_SETTINGS, *SWITCHED_ON, *[unregulated] * 3, ("STAT:QUES:COND? (@2)", "0")) as (
        analyzer,
        _,
        _,
    ):
        analyzer.supply_on(3.0, 0.1)


def test_an_output_that_does_not_regulate_is_switched_off() -> None:
    unregulated: tuple[str, Answer | None] = ("STAT:QUES:COND? (@2)", "1024")
    with (
        conversation(*SUPPLY_SETTINGS, *SWITCHED_ON, *[unregulated] * 1000, *SUPPLY_OFF) as (analyzer, _, _),
        pytest.raises(ProtocolError, match="the output is unregulated after 2 s"),
    ):
        analyzer.supply_on(3.0, 0.1)


WATCHDOG: list[tuple[str, Answer | None]] = [("OUTP:PROT:WDOG:DEL 60", None), ("OUTP:PROT:WDOG ON", None)]


def test_the_output_watchdog_is_armed_before_the_output_goes_on() -> None:
    with conversation(
        *SUPPLY_SETTINGS,
        *WATCHDOG,
        *SWITCHED_ON,
        ("STAT:QUES:COND? (@2)", "0"),
        output_watchdog_s=60.0,
    ) as (analyzer, _, _):
        analyzer.supply_on(3.0, 0.1)


def test_an_instrument_without_a_watchdog_supplies_nothing() -> None:
    with (
        conversation(
            *SUPPLY_SETTINGS,
            *WATCHDOG,
            ("SYST:ERR?", '-113,"Undefined header"'),
            NO_ERROR,
            output_watchdog_s=60.0,
        ) as (analyzer, _, _),
        pytest.raises(ProtocolError, match="-113"),
    ):
        analyzer.supply_on(3.0, 0.1)


def test_a_long_wait_keeps_the_watchdog_awake_and_notices_when_it_has_bitten() -> None:
    with conversation(
        ("STAT:QUES:COND? (@2)", "0"),
        ("STAT:QUES:COND? (@2)", "0"),
        ("STAT:QUES:COND? (@2)", "2048"),
        output_watchdog_s=60.0,
    ) as (analyzer, _, clock):
        started_s = clock.now_s()
        with pytest.raises(ProtocolError, match="output watchdog has switched the supply off"):
            analyzer._sleep(80.0)
        assert clock.now_s() - started_s == 80.0


def test_a_refused_protection_keeps_the_output_off() -> None:
    refused: tuple[str, Answer | None] = ("SYST:ERR?", '-222,"Data out of range;CURR:LIM"')
    with (
        conversation(*SUPPLY_SETTINGS, refused, NO_ERROR) as (analyzer, _, _),
        pytest.raises(ProtocolError, match="supply settings: the instrument reports -222"),
    ):
        analyzer.supply_on(3.0, 0.1)


def test_an_error_while_switching_on_switches_off() -> None:
    failed: tuple[str, Answer | None] = ("SYST:ERR?", '+302,"Option not installed"')
    with (
        conversation(*SUPPLY_SETTINGS, *SWITCHED_ON[:-1], failed, NO_ERROR, *SUPPLY_OFF) as (
            analyzer,
            _,
            _,
        ),
        pytest.raises(ProtocolError, match=r"supply on: the instrument reports \+302"),
    ):
        analyzer.supply_on(3.0, 0.1)


@pytest.mark.parametrize("current_limit_a", [0.151, 3.0, -0.1, float("nan")])
def test_a_current_limit_beyond_the_boards_range_sends_nothing(current_limit_a: float) -> None:
    with conversation() as (analyzer, _, _), pytest.raises(SafetyError, match=r"0 A to 0\.15 A"):
        analyzer.supply_on(3.0, current_limit_a)


@pytest.mark.parametrize("voltage_v", [3.61, 5.0, -0.1, float("nan"), float("inf")])
def test_a_voltage_beyond_the_boards_range_sends_nothing(voltage_v: float) -> None:
    with conversation() as (analyzer, _, _), pytest.raises(SafetyError, match=r"0 V to 3\.6 V"):
        analyzer.supply_on(voltage_v, 0.1)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("1", "its over-voltage protection"),
        ("2", "its over-current protection"),
        ("64", "reversed sense leads"),
        ("512", "an external inhibit signal"),
        ("2048", "a protection of another channel"),
        ("4096", "the oscillation detector"),
    ],
)
def test_a_tripped_protection_switches_off_and_is_named(status: str, cause: str) -> None:
    with (
        conversation(*SUPPLY_SETTINGS, *SWITCHED_ON, ("STAT:QUES:COND? (@2)", status), *SUPPLY_OFF) as (
            analyzer,
            _,
            _,
        ),
        pytest.raises(ProtocolError, match=f"protection tripped: .*{cause}"),
    ):
        analyzer.supply_on(3.0, 0.1)


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
    with conversation(
        *LOG,
        (FETCH, []),
        (FETCH, [1e-6]),
        (FETCH, [2e-6, 3e-6, 4e-6, 5e-6]),
        ("ABOR:ELOG (@2)", None),
        NO_ERROR,
    ) as (analyzer, _, clock):
        waveform = analyzer.log(1.0, 0.25, progress.append)
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


def test_errors_of_the_instrument_are_all_reported() -> None:
    with (
        conversation(
            ("OUTP OFF,(@2)", None),
            ("SYST:ERR?", '-113,"Undefined header"'),
            ("SYST:ERR?", '-222,"Data out of range"'),
            NO_ERROR,
        ) as (analyzer, _, _),
        pytest.raises(ProtocolError, match=r"supply off: .*Undefined header.*; .*Data out of range"),
    ):
        analyzer.supply_off()


@pytest.mark.parametrize("answer", ["1", "9.91E37"])
def test_an_output_that_stays_on_is_told_though_nothing_was_reported(answer: str) -> None:
    with (
        conversation(("OUTP OFF,(@2)", None), NO_ERROR, ("OUTP? (@2)", answer)) as (analyzer, _, _),
        pytest.raises(InstrumentError, match=r"OUTP\? \(@2\)"),
    ):
        analyzer.supply_off()


def test_a_connection_that_timed_out_is_not_used_again() -> None:
    timeout = pyvisa.VisaIOError(pyvisa.constants.StatusCode.error_timeout)
    with conversation(("OUTP OFF,(@2)", timeout), *SUPPLY_OFF) as (
        analyzer,
        resource,
        _,
    ):
        with pytest.raises(InstrumentTimeoutError, match=r"OUTP OFF,\(@2\)"):
            analyzer.supply_off()
        assert (resource.opened, resource.closed) == (1, 1)
        analyzer.supply_off()
        assert resource.opened == 2


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


def test_close_switches_off_and_releases_even_if_that_fails() -> None:
    lost = pyvisa.VisaIOError(pyvisa.constants.StatusCode.error_connection_lost)
    with conversation(("OUTP OFF,(@2)", lost)) as (analyzer, resource, _):
        with pytest.raises(ConnectError):
            analyzer.close()
        assert resource.closed == 1
