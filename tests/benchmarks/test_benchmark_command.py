# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys

import pytest

from benchmarks import __main__ as command
from benchmarks.benchmark import Benchmark, Target


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = Benchmark(
        "counts to two",
        lambda say: {"fast": 2.0, "large": 30.0, "other": 1.0},
        {"fast": Target("at least", 2.0), "large": Target("at most", 20.0)},
    )
    monkeypatch.setattr(command, "all_benchmarks", lambda: {"count": benchmark})


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    command.main()


def test_the_twins_benchmarks_are_found() -> None:
    assert {"twin-active", "twin-soak", "twin-dap"} <= command.all_benchmarks().keys()


def test_json_is_one_line_of_figures(
    known: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "count", "--json")
    assert json.loads(capsys.readouterr().out) == {"fast": 2.0, "large": 30.0, "other": 1.0}


def test_a_person_sees_the_targets(
    known: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "count")
    fast, large, other = capsys.readouterr().out.splitlines()
    assert "at least 2: met" in fast
    assert "at most 20: MISSED" in large
    assert other.split() == ["other", "1"]
