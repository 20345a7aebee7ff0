# SPDX-License-Identifier: Apache-2.0
"""The N6705C driver as a supply, message by message."""

import pytest
import pyvisa

from hil.errors import (
    ConnectError,
    InstrumentError,
    InstrumentTimeoutError,
    ProtocolError,
    SafetyError,
)
from tests.instruments.n6705c_conversation import (
    IDENTIFYING,
    NO_ERROR,
    OPENING,
    SUPPLY_OFF,
    Answer,
    conversation,
)


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


def test_close_switches_off_and_releases_even_if_that_fails() -> None:
    lost = pyvisa.VisaIOError(pyvisa.constants.StatusCode.error_connection_lost)
    with conversation(("OUTP OFF,(@2)", lost)) as (analyzer, resource, _):
        with pytest.raises(ConnectError):
            analyzer.close()
        assert resource.closed == 1
