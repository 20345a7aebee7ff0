# SPDX-License-Identifier: Apache-2.0
"""The virtual PowerShield says what UM2269 says that the real one says."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from hil.twin.lpm01a.encoding import binary, decimal, number


def acked(text: str) -> str:
    return f"\r\nPowerShield > ack {text}\r\n\r\n"


def settings(board: Any) -> str:
    return repr(board.shield.settings)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3300m", 3.3), ("3300-3", 3.3), ("1k", 1e3), ("1+3", 1e3), ("100u", 1e-4), ("2 m", 2e-3)],
)
def test_numbers_are_read_as_the_manual_writes_them(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


def test_samples_are_written_as_the_manual_reads_them() -> None:
    assert binary(np.array([640.9e-6, 79.35e-3])).tolist() == [0x52A0, 0x3145]
    assert decimal(640.9e-6) == "6409-07"


@pytest.mark.parametrize("seed", range(3))
def test_a_binary_sample_is_right_to_a_fifth_of_a_percent(seed: int) -> None:
    currents_a = 10 ** np.random.default_rng(seed).uniform(-9, -1, 1000)
    words = binary(currents_a)
    back_a = (words & 0xFFF) * 16.0 ** -(words >> 12).astype(float)
    assert np.abs(back_a / currents_a - 1).max() < 2.0e-3  # UM2269, 4.4.2
    assert (words >> 12).max() < 15


def test_without_control_only_questions_are_answered(board: Any) -> None:
    board.say("hrc")
    assert board.say("version") == acked("version: 1.0.6")
    assert "error volt 3000m" in board.say("volt 3000m")
    assert "error pwr on" in board.say("pwr on")
    assert not board.shield.source.active


def test_the_voltage_reaches_the_part_with_the_supply(board: Any) -> None:
    assert board.say("volt 3300m") == acked("volt 3300m")
    assert board.bench.mcu.voltage_v == 0.0
    assert board.say("pwr on") == acked("pwr on")
    assert board.bench.mcu.voltage_v == pytest.approx(3.3, rel=0.01)
    assert board.say("pwr off") == acked("pwr off")
    assert board.bench.mcu.voltage_v == 0.0


def test_a_binary_stream_is_the_one_of_the_manual(board: Any) -> None:
    board.bench.mcu.supply.steps[:] = [(0, 640.9e-6)]
    for command in ("format bin_hexa", "freq 1k", "acqtime 1500m", "trigdelay 0"):
        assert board.say(command) == acked(command)
    said = board.say("start")
    board.bench.advance(2.0)
    stream = bytes(board.sent).removeprefix(acked("start").encode())
    assert said.startswith(acked("start"))
    first, second = bytes.fromhex("f0f3 00000000 00 ffff"), bytes.fromhex("f0f3 000003e8 00 ffff")
    assert stream.startswith(first)
    assert stream[9 + 2000 : 9 + 2000 + 9] == second
    assert stream[9 + 2000 + 9 + 1000 :].startswith(bytes.fromhex("f0f4 ffff"))
    words = np.frombuffer(stream[9 : 9 + 2000], dtype=">u2").astype(int)
    mean_a = float(((words & 0xFFF) * 16.0 ** -(words >> 12)).mean())
    assert mean_a == pytest.approx(640.9e-6, rel=0.02, abs=100e-9)


def test_a_stream_without_end_ends_at_stop(board: Any) -> None:
    for command in ("format bin_hexa", "freq 10k", "acqtime inf"):
        board.say(command)
    board.say("start")
    board.bench.advance(0.5)
    assert board.shield.acquiring
    assert bytes.fromhex("f0f4ffff") in board.say("stop").encode("latin-1")
    assert not board.shield.acquiring
    board.sent.clear()
    board.bench.advance(0.5)
    assert not board.sent


def test_an_over_current_cuts_the_supply_and_is_told(board: Any) -> None:
    for command in ("format bin_hexa", "freq 1k", "acqtime inf", "pwr on", "start"):
        board.say(command)
    board.bench.mcu.supply.becomes(0.06)
    board.bench.advance(0.1)
    assert board.bench.mcu.voltage_v == 0.0
    assert bytes.fromhex("f0f5ffff") in bytes(board.sent)


def test_a_static_measurement_wants_a_current_that_stands_still(board: Any) -> None:
    supply = board.bench.mcu.supply
    supply.steps[:] = [(0, 30e-9)]
    board.say("acqmode stat")
    board.say("start")
    board.bench.advance(0.2)
    text = board.sent.decode("latin-1")
    (reading,) = [line for line in text.split("\r\n") if line[:4].isdigit()][:1]
    assert float(f"{reading[:4]}e{reading[4:]}") == pytest.approx(30e-9, abs=1.7e-9)
    assert "\r\nend\r\n" in text
    supply.set(board.bench.now_s + 0.05, 60e-9)
    board.say("start")
    board.bench.advance(0.2)
    assert b"static acquisition: current not constant" in board.sent
    assert "current not constant" in board.say("status")
    assert "ok" in board.say("status")


def test_a_host_that_does_not_read_ends_the_acquisition(board: Any) -> None:
    for command in ("format bin_hexa", "freq 100k", "acqtime inf"):
        board.say(command)
    board.shield.connect_host(lambda data: False)
    board.say("start")
    board.bench.advance(1.0)
    assert not board.shield.acquiring
    board.shield.connect_host(board._take)
    assert "buffer Tx overload" in board.say("status")


JUNK = (
    *("volt", "volt 1799m", "volt 3301m", "volt -3", "volt nan", "volt 3.3V", "volt 1 2", "volt \xff"),
    *("volt 9e9", "freq 3k", "freq 0", "freq -1", "acqtime 11", "acqtime 1u", "acqtime nan", "format hex"),
    *("output energy", "trigsrc d7", "acqmode", "pwr", "pwr maybe", "pwr on status", "targrst 2", "temp k"),
    *("targrst x", "lcd 3 x", "start now", "currthre 1m", "HTC", "dance", "\0\0\1", "x" * 300),
    *("autotest maybe", "calib 1", "volt get get"),
)


@pytest.mark.parametrize("line", JUNK)
def test_what_is_not_understood_is_refused_and_does_nothing(board: Any, line: str) -> None:
    before = settings(board)
    assert "Error detail: " in board.say(line)
    assert settings(board) == before
    assert not board.shield.acquiring
    assert not board.shield.source.active


def test_random_bytes_do_no_harm(board: Any, record_property: Any) -> None:
    seed = random.randrange(2**32)
    record_property("seed", seed)
    print(f"seed {seed}")
    dice = random.Random(seed)
    words = [
        "volt",
        "freq",
        "start",
        "stop",
        "pwr",
        "on",
        "off",
        "get",
        "3000m",
        "1k",
        "inf",
        "htc",
        "hrc",
        "acqtime",
    ]
    for _ in range(2000):
        if dice.random() < 0.3:
            line = bytes(dice.randrange(256) for _ in range(dice.randrange(40)))
        else:
            line = " ".join(dice.choices(words, k=dice.randrange(4))).encode()
        board.shield.execute(line)
        board.bench.advance(dice.choice((0.0, 1e-3)))
        assert board.bench.mcu.voltage_v <= 3.3 * 1.01
    board.say("stop")
    board.say("htc")
    assert board.say("version") == acked("version: 1.0.6")
