# SPDX-License-Identifier: Apache-2.0
"""The console over pyserial, on its own loop-back port."""

import errno
import os
from collections.abc import Iterator

import pytest
import serial

from hil.errors import ConnectError, DeviceError, DeviceTimeoutError, InstrumentError
from hil.instruments.clock import WallClock
from hil.instruments.records import crc16_ccitt_false
from hil.instruments.serial_console import SerialConsole


def line(seq: int, kind: str) -> bytes:
    body = f"{seq} {kind} score=1".encode()
    return b"@" + body + b"*%04X\r\n" % crc16_ccitt_false(body)


class SendingClock:
    """Bench time during which the part sends: bytes become readable as somebody sleeps past their time."""

    def __init__(self, port: serial.SerialBase) -> None:
        self.time_s = 0.0
        self.port = port
        self.schedule: list[tuple[float, bytes]] = []

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s
        while self.schedule and self.schedule[0][0] <= self.time_s:
            self.port.write(self.schedule.pop(0)[1])


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> serial.SerialBase:
    loop = serial.serial_for_url("loop://", timeout=0)
    monkeypatch.setattr(serial, "serial_for_url", lambda *_args, **_keywords: loop)
    return loop


@pytest.fixture
def clock(port: serial.SerialBase) -> SendingClock:
    return SendingClock(port)


@pytest.fixture
def console(clock: SendingClock) -> Iterator[SerialConsole]:
    console = SerialConsole("loop://", 115200, clock)
    yield console
    console.close()


def test_waits_for_the_kind_and_no_longer_than_needed(console: SerialConsole, clock: SendingClock) -> None:
    clock.schedule = [(1.0, line(0, "BOOT")), (2.0, line(1, "ANOM")), (3.0, line(2, "ANOM"))]
    assert console.wait_for("ANOM", 10.0).seq == 1
    assert clock.time_s == pytest.approx(2.0, abs=0.02)
    assert console.wait_for("ANOM", 10.0).seq == 2
    assert [record.kind for record in console.records] == ["BOOT", "ANOM", "ANOM"]


def test_silence_is_the_devices_failure_not_an_instruments(
    console: SerialConsole, clock: SendingClock
) -> None:
    clock.schedule = [(0.5, b"\xfe\xfe\n")]
    with pytest.raises(DeviceTimeoutError, match=r"no ANOM record within 1 s.* 1 garbage line") as caught:
        console.wait_for("ANOM", 1.0)
    assert clock.time_s == pytest.approx(1.0)
    assert isinstance(caught.value, DeviceError)
    assert not isinstance(caught.value, InstrumentError)


def test_a_console_that_says_nothing_at_all_may_be_the_wire(console: SerialConsole) -> None:
    with pytest.raises(DeviceTimeoutError, match=r"the device is silent, or the wire .*sensor_readback"):
        console.wait_for("BOOT", 1.0)


def test_clear_forgets_what_came_and_what_is_waiting(console: SerialConsole, port: serial.SerialBase) -> None:
    port.write(b"noise\n" + line(7, "ANOM"))
    console.poll()
    port.write(line(8, "ANOM"))
    console.clear()
    assert console.poll() == []
    assert (console.records, console.garbage_lines, console.lost_records) == ((), 0, 0)
    port.write(line(3, "ANOM"))
    assert console.wait_for("ANOM", 0.0).seq == 3
    assert console.repeated_records == 0


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(ConnectError, match=r"console socket://127\.0\.0\.1:1: open"):
        SerialConsole("socket://127.0.0.1:1", 115200, SendingClock(serial.serial_for_url("loop://")))


def test_a_port_that_went_away_is_not_the_devices_failure(
    console: SerialConsole, port: serial.SerialBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_size: int) -> bytes:
        raise serial.SerialException("device disconnected")

    monkeypatch.setattr(port, "read", gone)
    for use in (console.poll, console.clear):
        with pytest.raises(ConnectError, match="read: device disconnected"):
            use()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
def test_the_port_is_held_alone() -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    try:
        first = SerialConsole(name, 115200, WallClock())
        with pytest.raises(ConnectError, match=r"lock.*close the other program that has locked the port"):
            SerialConsole(name, 115200, WallClock())
        first.close()
        SerialConsole(name, 115200, WallClock()).close()
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EACCES, "dialout"),
        (errno.ENOENT, "/dev/serial/by-id"),
        (errno.EBUSY, "ModemManager"),
        (None, r"\[console\] port"),
    ],
)
def test_what_to_do_about_a_port_that_does_not_open(
    monkeypatch: pytest.MonkeyPatch, number: int | None, hint: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        error = serial.SerialException("could not open port")
        error.errno = number
        raise error

    monkeypatch.setattr(serial, "serial_for_url", fail)
    with pytest.raises(ConnectError, match=hint):
        SerialConsole("/dev/ttyACM0", 115200, WallClock())
