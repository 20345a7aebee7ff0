# SPDX-License-Identifier: Apache-2.0
"""The PowerShield's driver, byte by byte: each test states the whole exchange and fails on anything else."""

from collections import deque
from typing import Any

import numpy as np
import pytest

from hil.errors import (
    ConnectError,
    HilError,
    InstrumentTimeoutError,
    ProtocolError,
    SafetyError,
)
from hil.instruments import lpm01a_link
from hil.instruments.lpm01a import Lpm01a
from hil.instruments.lpm01a_stream import BinaryStream, decoded

BOARD = "540619864-1110659081-4784204"
"""The example of UM2269, table 5."""


def ack(text: str) -> bytes:
    return f"\r\nPowerShield > ack {text}\r\n\r\n".encode()


def acked(*commands: str) -> list[tuple[str, bytes]]:
    return [(command, ack(command)) for command in commands]


SWITCHED_OFF = [*acked("pwr off"), ("pwr get", ack("pwr get off"))]
OPENING = [
    (
        "stop",
        b"\r\nPowerShield > error stop\r\nPowerShield > Error detail: host has not taken control\r\n\r\n",
    ),
    *acked("htc"),
    ("powershield", ack(f"powershield {BOARD}")),
    ("version", ack("version: 1.0.6")),
    ("status", ack("status: ok")),
    *SWITCHED_OFF,
]
DYNAMIC = (
    *acked("acqmode dyn", "funcmode optim", "output current", "format bin_hexa"),
    *acked("freq 1k", "acqtime inf", "trigsrc sw", "trigdelay 0", "pwrend on"),
)
TIMESTAMP_0 = bytes.fromhex("f0f3 00000000 00 ffff")
END = bytes.fromhex("f0f4 ffff")
SUMMARY = (
    b"\r\nsummary beg\r\n6409-07\r\n7935-05\r\nsummary end\r\n\r\nPowerShield > Acquisition completed\r\n"
)


class ScriptedPort:
    """A serial port that knows one conversation."""

    def __init__(self, script: list[tuple[str, bytes]]) -> None:
        self.script = deque(script)
        self.arrived = bytearray()
        self.closed = False

    def write(self, data: bytes) -> int:
        command, answer = self.script.popleft()
        assert data == command.encode() + b"\r\n"
        self.arrived += answer
        return len(data)

    def read(self, size: int) -> bytes:
        taken = bytes(self.arrived[:size])
        del self.arrived[:size]
        return taken

    def close(self) -> None:
        self.closed = True


class BenchClock:
    time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for the wall waits a moment."""
    monkeypatch.setattr(lpm01a_link, "_QUIET_S", 0.0)
    monkeypatch.setattr(lpm01a_link, "ANSWER_TIMEOUT_S", 0.05)


def opened(*script: tuple[str, bytes], **options: Any) -> tuple[Lpm01a, ScriptedPort]:
    port = ScriptedPort([*OPENING, *script])
    board = Lpm01a(lambda: port, voltage_maximum_v=3.6, current_maximum_a=0.1, clock=BenchClock(), **options)
    return board, port


def test_it_takes_control_and_switches_the_output_off() -> None:
    board, port = opened()
    assert not port.script
    assert board.identity().serial == BOARD
    assert board.identity().version == "1.0.6"


def test_another_board_is_refused_and_the_port_released() -> None:
    port = ScriptedPort(OPENING)
    with pytest.raises(ConnectError, match=f"{BOARD} answers; expected 1-2-3"):
        Lpm01a(lambda: port, voltage_maximum_v=3.6, current_maximum_a=0.1, clock=BenchClock(), serial="1-2-3")
    assert port.closed


def test_supply_on_waits_until_a_part_that_was_off_has_been_off() -> None:
    clock = BenchClock()
    port = ScriptedPort([*OPENING, *SWITCHED_OFF, *acked("volt 3300m", "pwrend on", "pwr on")])
    board = Lpm01a(lambda: port, voltage_maximum_v=3.6, current_maximum_a=0.1, clock=clock)
    board.supply_on(3.3, 0.1)
    assert not port.script
    assert clock.time_s == pytest.approx(5.1)


@pytest.mark.parametrize(
    ("voltage_v", "limit_a"), [(1.7, 0.1), (3.4, 0.1), (float("nan"), 0.1), (3.0, 0.05), (3.0, 0.2)]
)
def test_what_neither_board_nor_instrument_stand_is_refused_before_anything_is_sent(
    voltage_v: float, limit_a: float
) -> None:
    board, _port = opened()
    with pytest.raises(SafetyError):
        board.supply_on(voltage_v, limit_a)


def test_a_supply_that_does_not_go_on_is_switched_off() -> None:
    refused = ("pwr on", b"\r\nPowerShield > error pwr on\r\nPowerShield > Error detail: overcurrent\r\n\r\n")
    board, port = opened(*SWITCHED_OFF, *acked("volt 3000m", "pwrend on"), refused, *SWITCHED_OFF)
    with pytest.raises(ProtocolError, match="error pwr on"):
        board.supply_on(3.0, 0.1)
    assert not port.script


def test_the_voltage_is_read_and_that_of_an_open_switch_is_none() -> None:
    board, _ = opened(("pwr get", ack("pwr get on")), ("volt get", ack("volt get 3292-03")))
    assert board.measure_voltage_v() == pytest.approx(3.292)
    board, _ = opened(("pwr get", ack("pwr get off")))
    assert board.measure_voltage_v() == 0.0


def test_samples_are_decoded_as_the_manual_does() -> None:
    assert decoded(bytes.fromhex("52a0 3145")) == pytest.approx([640.9e-6, 79.35e-3], rel=1e-3)


def test_a_log_is_the_stream_up_to_its_length() -> None:
    stream = TIMESTAMP_0 + bytes.fromhex("52a0") * 4 + bytes.fromhex("3145") * 6
    board, port = opened(
        *DYNAMIC, ("start", ack("start") + stream), ("stop", END + SUMMARY), *acked("version")
    )
    waveform = board.log(8e-3, 1e-3)
    assert waveform.period_s == 1e-3
    assert waveform.current_a == pytest.approx([640.9e-6] * 4 + [79.35e-3] * 4, rel=1e-3)
    board.round_trip()  # the summary is not taken for its answer
    assert not port.script


@pytest.mark.parametrize(
    ("stream", "error", "message"),
    [
        (b"\xf0\xf1voltage drop\r\n\xff\xff", ProtocolError, "voltage drop"),
        (b"\xf0\xf5\xff\xff", ProtocolError, "over-current"),
        (END, ProtocolError, "ended by itself"),
        (b"\xf0\xfa\xff\xff", ProtocolError, "f0 fa"),
        (bytes.fromhex("f0f3 000003e8 00 ffff"), InstrumentTimeoutError, "samples were lost"),
        (b"", InstrumentTimeoutError, "1 of 8 samples"),
    ],
    ids=["error", "over-current", "end", "unknown", "lost samples", "silence"],
)
def test_what_a_stream_says_is_wrong_ends_the_log(stream: bytes, error: type[HilError], message: str) -> None:
    begins = TIMESTAMP_0 + bytes.fromhex("52a0") + stream
    board, port = opened(*DYNAMIC, ("start", ack("start") + begins), ("stop", END + SUMMARY))
    with pytest.raises(error, match=message):
        board.log(8e-3, 1e-3)
    assert not port.script, "the acquisition was not stopped"


def test_a_stream_may_arrive_in_any_pieces() -> None:
    whole = ack("start")[-2:] + TIMESTAMP_0 + bytes.fromhex("52a0 e0ff") + END + SUMMARY
    at_once = BinaryStream()
    expected = at_once.feed(whole)
    byte_by_byte = BinaryStream()
    pieces = [piece for byte in whole for piece in byte_by_byte.feed(bytes([byte]))]
    samples = [piece for piece in pieces if isinstance(piece, np.ndarray)]
    assert np.concatenate(samples) == pytest.approx(
        np.concatenate([piece for piece in expected if isinstance(piece, np.ndarray)])
    )
    assert byte_by_byte.ended
    assert at_once.rest == SUMMARY


STATIC = acked("acqmode stat", "output current", "format ascii_dec", "trigsrc sw", "pwrend on")


def test_a_current_that_stands_still_is_read_in_static_mode() -> None:
    text = b"\r\nTimeStamp: 000s 000ms, buff 00%\r\n2991-11\r\n\r\nend\r\n" + SUMMARY
    board, port = opened(*STATIC, *[("start", ack("start") + text)] * 10)
    waveform = board.log(1.0, 1e-5, range_a=20e-6)
    assert waveform.current_a == pytest.approx([29.91e-9] * 10)
    assert not port.script


def test_a_current_that_does_not_stand_still_is_no_static_one() -> None:
    text = b"\r\nerror: static acquisition: current not constant\r\n\r\nend\r\n"
    board, port = opened(*STATIC, ("start", ack("start") + text), ("status", ack("status: ok")))
    with pytest.raises(ProtocolError, match="current not constant"):
        board.log(1.0, 1e-5, range_a=20e-6)
    assert not port.script


def test_a_board_that_does_not_answer_is_named() -> None:
    board, _port = opened(("version", b"\r\nPowerShield >"))
    with pytest.raises(InstrumentTimeoutError, match="version"):
        board.round_trip()


def test_an_output_that_stays_on_is_told() -> None:
    board, _ = opened(*acked("pwr off"), ("pwr get", ack("pwr get on")))
    with pytest.raises(ProtocolError, match="the output is still 'on'"):
        board.supply_off()


def test_closing_switches_off_and_gives_control_back() -> None:
    board, port = opened(*SWITCHED_OFF, *acked("hrc"))
    board.close()
    assert port.closed
    assert not port.script
