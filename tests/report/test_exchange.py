# SPDX-License-Identifier: Apache-2.0
"""The page of an exchange: the same for two good runs, another for another order."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hil.cli.app import _typer
from hil.errors import ResultsError
from hil.report.exchange import page, read


def event(kind: str, instrument: str, text: str, answer: str = "", during: str = "test") -> dict[str, Any]:
    return {
        "time_s": 0.0,
        "during": during,
        "kind": kind,
        "instrument": instrument,
        "text": text,
        "answer": answer,
    }


def a_run(*, polls: int = 3, reading: str = "1.25e-06", address: int = 0x2000_0000) -> list[dict[str, Any]]:
    log = ("power_analyzer", "log(1, 0.1)")
    return [
        event("message", "power_analyzer", "*IDN?", f"Keysight,N6705C,MY{reading},E.1", "opening the rig"),
        event("begin", *log),
        event("message", "power_analyzer", "SENS:ELOG:PER 0.1,(@1)"),
        *[event("message", "power_analyzer", "FETC:ELOG? 100,(@1)", reading) for _ in range(polls)],
        event("message", "power_analyzer", "SYST:ERR?", '+0,"No error"'),
        event("end", *log, f"10 samples of {reading} s"),
        *[event("begin", "board", f"read_memory({address}, 4)"), event("end", "board", "", "0x0a000000")]
        * polls,
        event("message", "console", "", f"@{polls} ANOM score={polls} *1A2B"),
        event("message", "console", "!1 INFO"),
    ]


def test_the_page() -> None:
    text = page(a_run())
    procedures, run = text.split("## The run")
    assert "SENS:ELOG:PER 0.1,(@1)\nFETC:ELOG? 100,(@1)  < #\nSYST:ERR?  < +0," in procedures
    assert "power_analyzer log(1, 0.1)  [P1]  = # samples of # s" in run
    assert "board          read_memory(#, #)  = #\n" in run
    assert "console        < ANOM score=#" in run
    assert "console        > !1 INFO" in run
    assert run.index("### opening the rig") < run.index("### test")


def test_figures_and_counts_of_polls_make_no_difference() -> None:
    assert page(a_run()) == page(a_run(polls=7, reading="-3.1", address=0x2000_4321))


def test_another_order_or_another_error_makes_one() -> None:
    run = a_run()
    assert page([*run[:2], run[3], run[2], *run[4:]]) != page(run)
    failed = [
        dict(item, answer='-222,"Data out of range"') if item["text"] == "SYST:ERR?" else item for item in run
    ]
    assert page(failed) != page(run)


def test_a_group_that_is_repeated_is_written_once() -> None:
    pair = [
        event("message", "power_analyzer", "OUTP ON,(@1)"),
        event("message", "power_analyzer", "OUTP OFF,(@1)"),
    ]
    text = page(pair * 5)
    assert text.count("OUTP ON") == 1
    assert "OUTP OFF,(@1)  ┘" in text


def test_the_command(tmp_path: Path) -> None:
    log, known = tmp_path / "log.jsonl", tmp_path / "page.md"
    log.write_text("".join(json.dumps(item) + "\n" for item in a_run()), "utf-8")
    run = CliRunner()
    assert run.invoke(_typer, ["exchange", str(log), "--output", str(known)]).exit_code == 0
    assert run.invoke(_typer, ["exchange", str(log), "--check", str(known)]).exit_code == 0
    assert "## The run" in run.invoke(_typer, ["exchange", str(log)]).stdout
    known.write_text(known.read_text("utf-8").replace("log(1", "log(2"), "utf-8")
    different = run.invoke(_typer, ["exchange", str(log), "--check", str(known)])
    assert isinstance(different.exception, ResultsError)
    assert "log(2" in different.stdout
    with pytest.raises(ResultsError, match="cannot be read"):
        read(tmp_path / "nothing")
