# SPDX-License-Identifier: Apache-2.0
"""Commands over the console: the exact exchange on the wire, and what goes wrong on it."""

import re

import pytest
import serial

from hil.errors import CommandError, ConnectError, DeviceError, DeviceTimeoutError
from hil.instruments.commander import LISTENING_S, Commander
from hil.instruments.device_errors import name_of
from hil.instruments.records import command_line, crc16_ccitt_false
from hil.instruments.serial_console import SerialConsole


def line(text: str) -> bytes:
    return b"@%s*%04X\r\n" % (text.encode(), crc16_ccitt_false(text.encode()))


class Part:
    """A port with a part behind it, and the bench's time: the part answers what it gets after a while."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.sent: list[tuple[float, bytes]] = []
        self.waiting: list[tuple[float, bytes]] = []
        self.answers: list[tuple[bytes, float, bytes]] = []

    def expect(self, sent: bytes, after_s: float, *answers: bytes) -> None:
        """The next bytes from the host must be these; they are answered so much later."""
        self.answers.append((sent, after_s, b"".join(answers)))

    def write(self, data: bytes) -> None:
        self.sent.append((round(self.time_s, 6), data))
        expected, after_s, answer = self.answers.pop(0)
        assert data == expected
        self.waiting.append((self.time_s + after_s, answer))

    def read(self, _size: int) -> bytes:
        come = [data for at_s, data in self.waiting if at_s <= self.time_s]
        self.waiting = [item for item in self.waiting if item[0] > self.time_s]
        return b"".join(come)

    def close(self) -> None:
        pass

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Part:
    part = Part()
    monkeypatch.setattr(serial, "serial_for_url", lambda *_arguments, **_keywords: part)
    return part


@pytest.fixture
def commander(part: Part) -> Commander:
    return Commander(SerialConsole("fake", 115200, part), part)


def test_a_command_wakes_the_part_first(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.6, line("4 READY proto=1"))
    part.expect(command_line(1, "STATUS", {}), 0.02, line("5 ACK cmd=1 wakes=12 plan=1"))
    answer = commander.ask("STATUS")
    assert answer.integer("wakes") == 12
    assert answer.before == ()
    assert [sent for _, sent in part.sent] == [b"\n", command_line(1, "STATUS", {})]
    assert part.time_s == pytest.approx(0.62, abs=0.021)


def test_while_the_part_listens_it_is_not_woken_again(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.01, line("0 READY proto=1"))
    part.expect(command_line(1, "SET", {"plan": 2}), 0.01, line("1 ACK cmd=1 plan=2"))
    part.expect(command_line(2, "SWEEP", {}), 0.01, line("2 ACK cmd=2 plans=4"))
    commander.ask("SET", plan=2)
    part.sleep(LISTENING_S - 0.1)
    assert commander.ask("SWEEP").integer("plans") == 4


def test_a_part_that_was_started_anew_is_woken(part: Part) -> None:
    console = SerialConsole("fake", 115200, part)
    commander = Commander(console, part)
    for number in (1, 2):
        part.expect(b"\n", 0.0, line("0 READY proto=1"))
        part.expect(command_line(number, "INFO", {}), 0.0, line(f"1 ACK cmd={number} fw=2"))
    commander.ask("INFO")
    console.clear()
    commander.started_anew()
    commander.ask("INFO")
    assert part.time_s == pytest.approx(0.0, abs=0.01), "it is woken at once"


def test_at_the_end_of_its_listening_the_part_is_left_to_fall_asleep(
    part: Part, commander: Commander
) -> None:
    part.expect(b"\n", 0.0, line("0 READY proto=1"))
    part.expect(command_line(1, "INFO", {}), 0.0, line("1 ACK cmd=1 fw=2"))
    part.expect(b"\n", 0.0, line("2 READY proto=1"))
    part.expect(command_line(2, "INFO", {}), 0.0, line("3 ACK cmd=2 fw=2"))
    commander.ask("INFO")
    heard_s = part.time_s
    part.sleep(LISTENING_S)  # nobody knows which of the two was first
    commander.ask("INFO")
    woken_s = part.sent[2][0]
    assert woken_s > heard_s + LISTENING_S


def test_a_part_that_has_just_started_listens_by_itself(part: Part, commander: Commander) -> None:
    part.waiting = [(0.0, line("0 BOOT fw=2") + line("1 READY proto=1"))]
    part.expect(command_line(1, "INFO", {}), 0.01, line("2 ACK cmd=1 fw=2"))
    assert commander.ask("INFO").integer("fw") == 2


def test_a_record_that_nobody_looked_for_does_not_say_that_the_part_listens(part: Part) -> None:
    """It is read now, but it may have come at any time since the last look at the port."""
    commander = Commander(SerialConsole("fake", 115200, part), part)
    part.waiting = [(1.0, line("0 READY proto=1"))]
    part.time_s = 30.0
    part.expect(b"\n", 0.01, line("1 READY proto=1"))
    part.expect(command_line(1, "INFO", {}), 0.01, line("2 ACK cmd=1 fw=2"))
    assert commander.ask("INFO").integer("fw") == 2
    assert part.sent[0][0] > 30.0 + LISTENING_S, "it may as well have come just now"


def test_records_before_the_answer_are_kept(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.0, line("0 READY proto=1"))
    part.expect(
        command_line(1, "LOG", {}), 0.03, line("1 LOGE i=0 wake=3"), line("2 LOGE i=1 wake=9"),
        line("3 ACK cmd=1 entries=2"),
    )  # fmt: skip
    answer = commander.ask("LOG")
    assert [record.integer("wake") for record in answer.before] == [3, 9]


def test_a_refusal_is_named(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.0, line("0 READY proto=1"))
    part.expect(command_line(1, "RUN", {}), 0.5, line("1 NAK cmd=1 error=16"))
    with pytest.raises(
        CommandError, match=r"RUN.*refused with error 16: sampling: DMA transfer error"
    ) as caught:
        commander.ask("RUN")
    assert caught.value.number == 16
    assert isinstance(caught.value, DeviceError)


def test_a_command_that_arrived_corrupt_is_the_wires_fault(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.0, line("0 READY proto=1"))
    part.expect(command_line(1, "INFO", {}), 0.01, line("1 NAK cmd=4294967295 error=65"))
    with pytest.raises(CommandError, match="did not arrive as it was sent"):
        commander.ask("INFO")


@pytest.mark.parametrize(
    ("answer", "corrupted", "stray", "told"),
    [
        (b"", 0, 0, "no answer within 1 s"),
        (line("1 ACK cmd=1 fw=2").replace(b"fw=2", b"fw=3"), 1, 0, "1 line(s) of garbage"),
        (line("1 ACK cmd=7 fw=2"), 0, 1, "0 line(s) of garbage"),
    ],
)
def test_no_answer_is_the_devices_failure(
    part: Part, commander: Commander, answer: bytes, corrupted: int, stray: int, told: str
) -> None:
    part.expect(b"\n", 0.0, line("0 READY proto=1"))
    part.expect(command_line(1, "INFO", {}), 0.1, answer)
    with pytest.raises(DeviceTimeoutError, match=re.escape(told)):
        commander.ask("INFO", timeout_s=1.0)
    assert part.time_s == pytest.approx(1.0)
    assert (commander.corrupted_answers, commander.stray_answers) == (corrupted, stray)


def test_a_part_that_does_not_wake(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.0, b"\xff\xfe\n")
    with pytest.raises(DeviceTimeoutError, match=r"wake the part: no READY within 3 s; meanwhile 1 line"):
        commander.ask("INFO")


def test_a_port_that_went_away_is_not_the_devices_failure(
    part: Part, commander: Commander, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_data: bytes) -> None:
        raise serial.SerialException("device disconnected")

    monkeypatch.setattr(part, "write", gone)
    with pytest.raises(ConnectError, match="write: device disconnected"):
        commander.ask("INFO")


def test_a_second_answer_is_noticed(part: Part, commander: Commander) -> None:
    part.expect(b"\n", 0.0, line("0 READY proto=1"))
    part.expect(command_line(1, "INFO", {}), 0.0, line("1 ACK cmd=1 fw=2"))
    part.expect(command_line(2, "INFO", {}), 0.05, line("3 ACK cmd=1 fw=2") + line("4 ACK cmd=2 fw=2"))
    commander.ask("INFO")
    commander.ask("INFO")
    assert commander.stray_answers == 1


@pytest.mark.parametrize(
    ("number", "check"),
    [(16, "sampling"), (32 + 3, "exception 3"), (200, "does not have")],
)
def test_a_number_has_a_name(number: int, check: str) -> None:
    assert check in name_of(number)
