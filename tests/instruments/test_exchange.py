# SPDX-License-Identifier: Apache-2.0
"""What the controller and the instruments say to each other, reported to whoever listens."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import pytest
import serial
from pyvisa.resources import MessageBasedResource

from hil.errors import ProtocolError
from hil.instruments.clock import WallClock
from hil.instruments.exchange import LOGGER, Event, observed
from hil.instruments.scpi_link import ScpiLink
from hil.instruments.serial_console import SerialConsole


class Daq:
    name = "Dev1"

    def play(self, terminal: str, samples_v: Any, rate_hz: float, *, repeat: bool) -> None:
        pass

    def read_line(self, line: str) -> bool:
        raise ProtocolError("no such line", where="daq")

    @contextmanager
    def pulse_widths(self, counter: str, count: int) -> Iterator["Counter"]:
        yield Counter()


class Counter:
    def wait(self, timeout_s: float) -> Any:
        return np.array([0.5])


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, Event)
        self.events.append(record.msg)


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    listener = Listener()
    LOGGER.addHandler(listener)
    LOGGER.setLevel(logging.INFO)
    yield listener.events
    LOGGER.removeHandler(listener)
    LOGGER.setLevel(logging.CRITICAL)


def test_while_nobody_listens_nothing_is_between() -> None:
    daq = Daq()
    assert observed("daq", daq) is daq


def test_operations_and_what_came_of_them(heard: list[Event]) -> None:
    daq = observed("daq", Daq())
    assert daq.name == "Dev1"
    daq.play("Dev1/ao0", np.linspace(0.0, 3.0, 100), 40e3, repeat=True)
    with daq.pulse_widths("Dev1/ctr0", 1) as pulses:
        assert pulses.wait(2.0) == [0.5]
    with pytest.raises(ProtocolError):
        daq.read_line("line9")
    play = "play(Dev1/ao0, 100 values from 0 to 3, 40000, repeat=True)"
    assert [(event.kind, event.text, event.answer) for event in heard] == [
        ("begin", play, ""),
        ("end", play, ""),
        ("begin", "pulse_widths(Dev1/ctr0, 1)", ""),
        ("end", "pulse_widths(Dev1/ctr0, 1)", ""),
        ("begin", "enter pulse_widths(Dev1/ctr0, 1)", ""),
        ("end", "enter pulse_widths(Dev1/ctr0, 1)", ""),
        ("begin", "wait(2)", ""),
        ("end", "wait(2)", "0.5"),
        ("begin", "leave pulse_widths(Dev1/ctr0, 1)", ""),
        ("end", "leave pulse_widths(Dev1/ctr0, 1)", ""),
        ("begin", "read_line(line9)", ""),
        ("end", "read_line(line9)", "ProtocolError: daq: no such line"),
    ]


class Resource:
    resource_class = "SOCKET"

    def write(self, message: str) -> int:
        return len(message)

    def query(self, message: str) -> str:
        return '+0,"No error"\n'


def test_scpi_messages(heard: list[Event]) -> None:
    link = ScpiLink("power_analyzer", lambda: cast(MessageBasedResource, Resource()))
    link.write("*RST")
    link.check_errors("reset")
    assert [(event.text, event.answer.strip()) for event in heard] == [
        ("*RST", ""),
        ("SYST:ERR?", '+0,"No error"'),
    ]


def test_lines_of_the_console_also_those_that_nobody_reads(
    heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = serial.serial_for_url("loop://", timeout=0)
    monkeypatch.setattr(serial, "serial_for_url", lambda *_arguments, **_options: loop)
    console = SerialConsole("loop://", 115200, WallClock())
    loop.write(b"@0 BOOT\r\n@1 AN")
    console.clear()
    loop.write(b"OM\r\n")
    console.poll()
    console.send(b"!1 INFO\n")
    assert [(event.text, event.answer) for event in heard] == [
        ("", "@0 BOOT"),
        ("", "@1 ANOM"),
        ("!1 INFO", ""),
    ]
    console.close()
