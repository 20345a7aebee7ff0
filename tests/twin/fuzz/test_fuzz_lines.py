# SPDX-License-Identifier: Apache-2.0
"""The clock's and the faults' line protocols: what is not understood is said, and does nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

NUMBERS = (
    b"nan",
    b"-nan",
    b"inf",
    b"-inf",
    b"infinity",
    b"1e400",
    b"-1e400",
    b"-1",
    b"-0.0001",
    b"1e99",
    b"0x10",
    b"1_0",
    b"1,5",
    b"1.2.3",
    b"--1",
    b"+-1",
    b"1e",
    b"e1",
    b".",
    b"",
    b"\xb5",
    b"9" * 200,
)
"""None of these is a time or a voltage that either server takes."""

HANDS = (b"", b"LOAD", b"LOAD board", b"LOAD 1 2", b"PULL", b"PULL nothing", b"PLUG", b"HOLD", b"\xff")
CLOCK = (b"", b"  ", b"now", b"NOW NOW", b"SLEEP", b"SLEEP 1 2", b"SLEEP 1;NOW", b"\xff\xfe", b"\0", b"HELP")
FAULTS = (
    b"",
    b"DANCE",
    b"clear",
    b"CLEAR ALL",
    b"STICK",
    b"STICK PA5",
    b"STICK PA5 MAYBE",
    b"STICK PZ9 HIGH",
    b"STICK PA5 HIGH LOW",
    b"STICK \xff HIGH",
    b"OPEN",
    b"OPEN sesame",
    b"CLOSE 1",
    b"SHORT",
    b"SHORT sesame",
    b"CRYSTAL",
    b"CRYSTAL MAYBE",
    b"DROP everything",
    b"HANG about",
    b"UNHANG me",
    b"DROOP",
    b"DROOP 1.8",
    b"DROOP 1.8 0.1 FLASHY",
)


def ask(live: Any, name: str, line: bytes) -> bytes:
    with live.connect(name) as client:
        client.sendall(line + b"\n")
        answer: bytes = client.makefile("rb").readline()
    live.tally(name, answer[:4].strip().decode() if answer.startswith((b"ERR", b"OK")) else "nonsense")
    return answer


@pytest.mark.parametrize("line", [*CLOCK, *(b"SLEEP " + number for number in NUMBERS)])
def test_the_clock_says_what_it_expects_and_stands_still(live: Any, line: bytes) -> None:
    before_ps = live.bench.scheduler.now_ps
    answer = ask(live, "clock", line)
    assert answer.startswith(b"ERR ")
    assert b"expected" in answer
    assert live.bench.scheduler.now_ps == before_ps


@pytest.mark.parametrize(
    "line",
    [
        *FAULTS,
        *(b"DROOP " + number + b" 0.1" for number in NUMBERS),
        *(b"DROOP 1.8 " + number for number in NUMBERS),
        *(b"DROOP 1.8 " + number + b" FLASH" for number in NUMBERS),
        *(b"SHORT SUPPLY " + number for number in NUMBERS if number),
    ],
)
def test_a_fault_that_is_not_understood_is_not_injected(live: Any, line: bytes) -> None:
    assert ask(live, "faults", line).startswith(b"ERR ")


@pytest.mark.parametrize(
    "line", [*HANDS, *(b"LOAD " + number for number in NUMBERS), b"LOAD 0", b"LOAD 1e10"]
)
def test_a_movement_that_is_not_understood_is_not_made(live: Any, line: bytes) -> None:
    assert ask(live, "hands", line).startswith(b"ERR ")


@pytest.mark.parametrize("name", ["clock", "faults", "hands"])
def test_one_line_one_answer_whatever_it_holds(live: Any, name: str) -> None:
    """Many lines in one piece, some of them far too long: as many answers come back, in order."""
    print("seed", name)
    source = random.Random(name)
    lines = [source.choice((b"x" * 100_000, b"!", b"\0\xff", b"A B C D")) for _ in range(50)]
    with live.connect(name) as client:
        client.sendall(b"\n".join(lines) + b"\n")
        answers = client.makefile("rb")
        for _ in lines:
            assert answers.readline().startswith(b"ERR ")
    live.tally(name, "ERR", len(lines))


def test_a_sleep_ends_with_its_client(live: Any) -> None:
    """Nobody waits any more: bench time stops within a slice."""
    with live.connect("clock") as client:
        client.sendall(b"SLEEP 2000000\n")
        while live.bench.now_s < 5:
            ask(live, "clock", b"NOW")
    before = b""
    while (now := ask(live, "clock", b"NOW")) != before:
        before = now
    assert live.bench.now_s < 1_000_000
