# SPDX-License-Identifier: Apache-2.0
"""The search for devices: bounded in time, whatever a library does, and fit to be shown."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from hil.instruments.discovery import Device, discover


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """What a driver waits for that never comes back, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_each_kind_is_told_with_what_it_says_of_itself() -> None:
    found = discover({"probe": lambda: [("066D", "ST-LINK")], "port": lambda: []})
    assert found["probe"].only == Device("066D", "ST-LINK")
    assert str(found["probe"].only) == "066D (ST-LINK)"
    assert found["port"].devices == ()
    assert found["port"].problem == ""


def test_of_two_there_is_no_only_one() -> None:
    assert discover({"probe": lambda: [("1", ""), ("2", "")]})["probe"].only is None


def test_a_driver_that_hangs_keeps_nobody_and_is_not_called_none(hung: threading.Event) -> None:
    def hang() -> Sequence[tuple[str, str]]:
        hung.wait()
        return []

    started_s = time.monotonic()
    found = discover({"VISA": hang, "NI": hang, "probe": lambda: [("1", "")]}, timeout_s=0.3)
    assert time.monotonic() - started_s < 5
    assert found["VISA"].problem == found["NI"].problem == "no answer within 0.3 s"
    assert found["probe"].only == Device("1")


def test_a_library_that_raises_is_told_in_a_line() -> None:
    def fail() -> Sequence[tuple[str, str]]:
        raise OSError("no driver\x1b[2J\nand a page about it")

    assert discover({"NI": fail})["NI"].problem == "OSError: no driver\\x1b[2J"


def test_what_a_device_says_is_no_command_to_a_terminal_and_bounded() -> None:
    found = discover({"port": lambda: [("/dev/tty\x1b]0;x\x07", "\u202eevil\nname" + "x" * 1000)] * 99})
    first = found["port"].devices[0]
    assert first.address == "/dev/tty\\x1b]0;x\\x07"
    assert first.about.startswith("\\u202eevil name")
    assert len(first.about) <= 200
    assert len(found["port"].devices) <= 50
