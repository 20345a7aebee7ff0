# SPDX-License-Identifier: Apache-2.0
"""The console's commands on the emulated part: docs/console_protocol.md, line by line."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from hil.boards import REFERENCE, Board
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.image import Image
from hil.golden.run_model import run_model
from hil.golden.tflite_model import read_model
from hil.instruments.records import SEQUENCE_MAX, command_line
from tests.firmware.emulated_part import Part

L476 = Board.load(REFERENCE).part

CORRUPT, OVERLONG, OVERRUN, UNKNOWN, FIELD, RANGE = "20", "21", "22", "23", "24", "25"
LISTENING_S = 0.25
COMMON_MHZ = {0.0, 0.2, 4.0}
"""Stop 2, sampling and idle."""
PLANS_MHZ = {0: 80.0, 1: 26.0, 2: 2.0, 3: 24.0}


@pytest.fixture
def part() -> Part:
    """A part that has been woken from Stop 2 over its console and listens."""
    part = Part(Image.load(build()))
    part.advance(4.0)
    assert part.mcu.mode == "stop2"
    part.wake_console()
    return part


def is_asleep(part: Part) -> bool:
    return part.mcu.mode == "stop2"


def test_listens_until_the_line_has_been_silent_for_a_quarter_second(part: Part) -> None:
    part.advance(LISTENING_S - 0.02)
    assert part.ask("INFO")["kind"] == "ACK"
    part.advance(LISTENING_S - 0.02)
    assert not is_asleep(part)
    part.advance(0.04)
    assert is_asleep(part)
    typical_a = L476.supply_current("stop2_rtc_lse_quartz", 3.0, 25.0).typ
    assert part.mcu.supply.current_a == pytest.approx(typical_a + L476.fact("lsi").typ_scalar())


def test_ready_comes_once_after_boot_and_for_an_empty_line(part: Part) -> None:
    part.console = ""
    part.type(b"\n")
    part.advance(0.01)
    assert part.console.split()[1:] == ["READY", "proto=1*" + part.console.strip()[-4:]]
    part.reset()
    part.console = ""
    part.advance(1.0)
    assert part.console.count("READY") == 1


def test_info_names_the_model(part: Part) -> None:
    answer = part.ask("INFO")
    assert answer["model"] == f"{zlib.crc32(MODEL_FILE.read_bytes()):08x}"
    assert (answer["proto"], answer["engine"], answer["features"]) == ("1", "builtin", "32")


def test_set_is_kept_over_a_reset_and_undone_by_defaults(part: Part) -> None:
    wanted = {"period_ms": "3600000", "window_ms": "1024", "threshold": "4294967295", "plan": "3"}
    before = part.ask("STATUS")
    for key, value in wanted.items():
        assert part.ask("SET", **{key: value}) == {"kind": "ACK", "cmd": str(part.asked), key: value}
    part.reset()
    part.advance(0.1)
    after = part.ask("STATUS")
    assert {key: after[key] for key in wanted} == wanted
    part.ask("DEFAULTS")
    assert {key: part.ask("STATUS")[key] for key in wanted} == {key: before[key] for key in wanted}


@pytest.mark.parametrize(
    ("verb", "fields", "error"),
    [
        ("SET", {"period_ms": "999"}, RANGE),
        ("SET", {"period_ms": "1500"}, RANGE),
        ("SET", {"period_ms": "3601000"}, RANGE),
        ("SET", {"window_ms": "513"}, RANGE),
        ("SET", {"plan": "4"}, RANGE),
        ("SET", {"plan": "0x1"}, FIELD),
        ("SET", {"threshold": "4294967296"}, FIELD),
        ("SET", {"volume": "1"}, FIELD),
        ("SET", {}, FIELD),
        ("SET", {"plan": "1", "threshold": "1"}, FIELD),
        ("INFO", {"plan": "1"}, FIELD),
        ("INFER", {"in": "00" * 31}, FIELD),
        ("INFER", {"in": "0g" * 32}, FIELD),
        ("MODE", {"name": "coma"}, FIELD),
        ("HELLO", {}, UNKNOWN),
    ],
)
def test_what_makes_no_sense_is_refused_and_counted(
    part: Part, verb: str, fields: dict[str, str], error: str
) -> None:
    before = part.ask("STATUS")
    assert part.ask(verb, **fields) == {"kind": "NAK", "cmd": str(part.asked), "error": error}
    after = part.ask("STATUS")
    assert int(after["bad_commands"]) == int(before["bad_commands"]) + 1
    unchanged = ("plan", "period_ms", "window_ms", "threshold", "wakes")
    assert [after[key] for key in unchanged] == [before[key] for key in unchanged]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"$7 INFO*0000\n", CORRUPT),
        (b"hello\n", CORRUPT),
        (b"$\n", CORRUPT),
        (b"*\n", CORRUPT),
        (b"\x00\xff\x80\n", CORRUPT),
        (command_line(7, "INFO", {}).replace(b"7", b"8"), CORRUPT),
        (b"$" + b"9" * 126 + b"\n", CORRUPT),
        (b"x" * 300 + b"\n", OVERLONG),
    ],
)
def test_what_is_no_command_is_answered_without_its_sequence(part: Part, line: bytes, error: str) -> None:
    answer = part.exchange(line, SEQUENCE_MAX)
    assert answer == {"kind": "NAK", "cmd": str(SEQUENCE_MAX), "error": error}
    assert part.ask("STATUS")["bad_commands"] == "1"


def test_carriage_return_before_the_line_feed_is_accepted(part: Part) -> None:
    line = command_line(7, "INFO", {}).replace(b"\n", b"\r\n")
    assert part.exchange(line, 7)["kind"] == "ACK"


def test_line_that_never_ends_is_answered_when_listening_does(part: Part) -> None:
    answer = part.exchange(b"$7 INF", SEQUENCE_MAX)
    assert answer["error"] == CORRUPT
    part.advance(0.01)
    assert is_asleep(part)


def test_commands_faster_than_the_answers_are_told_that_bytes_were_lost(part: Part) -> None:
    part.console = ""
    part.type(b"".join(command_line(number, "STATUS", {}) for number in range(100, 112)))
    part.advance(0.2)
    answers = [line.split()[1:] for line in part.console.splitlines()]
    assert answers[0][:2] == ["ACK", "cmd=100"]
    assert sum(fields[0] == "NAK" and f"error={OVERRUN}*" in fields[2] for fields in answers) >= 1
    assert len(answers) <= 12
    part.advance(2 * LISTENING_S)
    part.wake_console()
    assert int(part.ask("STATUS")["bad_commands"]) == sum(fields[0] == "NAK" for fields in answers)


def test_infer_is_the_golden_models(part: Part) -> None:
    model = read_model(MODEL_FILE.read_bytes())
    for seed in range(3):
        values = np.random.default_rng(seed).integers(-128, 128, 32).astype(np.int8)
        answer = part.ask("INFER", **{"in": values.tobytes().hex()})
        expected = run_model(model, values[np.newaxis])[0]
        assert answer["out"] == expected.tobytes().hex()
        difference = values.astype(int) - expected.astype(int)
        assert int(answer["score"]) == int((difference * difference).sum())


def test_run_is_a_whole_duty_cycle(part: Part) -> None:
    before = int(part.ask("STATUS")["wakes"])
    started_s = part.now_s
    answer = part.ask("RUN")
    assert 0.512 < part.now_s - started_s < 0.7
    after = part.ask("STATUS")
    assert int(after["wakes"]) == before + 1
    assert after["score"] == answer["score"]


def test_what_is_said_during_a_window_is_answered_by_ready_after_it(part: Part) -> None:
    part.advance(LISTENING_S + 0.01)
    wake_s = part.rises("PB10")[-1] + 10.0
    part.advance(wake_s + 0.2 - part.now_s)
    assert part.mcu.mode == "lpsleep"
    part.console = ""
    part.type(command_line(7, "INFO", {}))
    assert part.mcu.mode == "lpsleep"
    part.run_until(lambda: "READY" in part.console, 1.0)
    assert "cmd=" not in part.console
    assert part.exchange(command_line(8, "INFO", {}), 8)["kind"] == "ACK"


def test_sweep_takes_each_clock_plan_once(part: Part) -> None:
    set_plan = int(part.ask("STATUS")["plan"])
    assert part.ask("SWEEP")["plans"] == str(len(PLANS_MHZ))
    part.ask("SET", period_ms=2000)
    part.advance(1.0)  # the middle between two wakes
    clocks = []
    for _ in range(len(PLANS_MHZ) + 1):
        by_clock = part.charge_by_clock(part.now_s, part.now_s + 2.0)
        clocks.append({clock for _, clock in by_clock} - COMMON_MHZ)
    assert clocks == [{clock} for clock in (*PLANS_MHZ.values(), PLANS_MHZ[set_plan])]


def test_self_test_passes_and_knows_the_image_and_the_supply(part: Part) -> None:
    answer = part.ask("TEST")
    assert {answer[key] for key in ("ram", "flash", "model", "clock", "adc")} == {"1"}
    image = Image.load(build())
    start, end = image.symbol("flash_start"), image.symbol("flash_end")
    content = bytearray(b"\xff" * (end - start))
    for segment in image.segments:
        content[segment.address - start : segment.address - start + len(segment.data)] = segment.data
    assert answer["flash_crc"] == f"{zlib.crc32(content):08x}"
    assert int(answer["supply_mv"]) == pytest.approx(3000, abs=15)
    assert part.ask("STATUS")["kind"] == "ACK"


def test_self_test_finds_a_slow_clock(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.twin.soc.stm32l4.clock_tree.LSE_HZ", 32768)
    rcc = part.mcu.peripherals.rcc
    monkeypatch.setattr(type(rcc), "rtc_hz", property(lambda _self: 30000))  # 8 % slow
    rcc.write_word(0x90, rcc.read_word(0x90))
    assert part.ask("TEST")["clock"] == "0"


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("stop0", None),
        ("stop1", "stop1_rtc_lse_quartz"),
        ("stop2", "stop2_rtc_lse_quartz"),
        ("standby", "standby_rtc_lse_quartz"),
        ("shutdown", "shutdown_rtc_lse_quartz"),
        ("run", None),
        ("lprun", None),
        ("sleep", None),
        ("lpsleep", None),
    ],
)
def test_mode_is_entered_for_good_until_a_reset(part: Part, name: str, table: str | None) -> None:
    assert part.ask("MODE", name=name)["kind"] == "ACK"
    part.advance(0.05)
    edges = len(part.edges)
    for _ in range(3):
        assert part.mcu.mode == name
        part.advance(20.0)  # beyond any watchdog's longest time, and two periods
    if table is not None:
        assert part.mcu.supply.current_a == pytest.approx(L476.supply_current(table, 3.0, 25.0).typ)
    assert len(part.edges) == edges
    part.console = ""
    part.reset()
    part.advance(0.1)
    assert "BOOT" in part.console
    assert "log=1" in part.console


def test_log_keeps_the_last_starts(part: Part) -> None:
    software, nrst = "14", "04"  # SFTRSTF and PINRSTF; PINRSTF
    for _ in range(2):
        part.ask("RESET")
        part.advance(0.05)
    part.reset()
    part.advance(0.05)
    assert part.ask("LOG")["entries"] == "3"
    entries = [record.fields for record in part.records if record.kind == "LOGE"]
    assert [entry["reset"] for entry in entries] == [software, software, nrst]
    assert [entry["fault"] for entry in entries] == ["0", "0", "0"]
    assert part.ask("STATUS")["resets"] == "4"


def test_watchdog_ends_a_hang(part: Part) -> None:
    hung_s = part.now_s
    assert part.ask("WDTEST")["kind"] == "ACK"
    part.console = ""
    part.run_until(lambda: "BOOT" in part.console and "\n" in part.console, 1.0)
    assert "reset=44" in part.console  # WWDGRSTF and PINRSTF
    assert part.now_s - hung_s == pytest.approx(2**21 / 4e6, abs=0.05)
