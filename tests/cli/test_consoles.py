# SPDX-License-Identifier: Apache-2.0
"""Every command on the consoles that people have: other encodings, no colours, few columns."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from hil.cli.app import _typer
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.results import journal, run, test_log, waveform_file
from tests.config.ioc_files import SOUND

PROJECT = Path(__file__).parents[2]

CONSOLES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    "cp437 in 20 columns": {"PYTHONIOENCODING": "cp437", "PYTHONUTF8": "0", "COLUMNS": "20"},
    "C locale without colour": {
        **{"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        **{"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"},
    },
}
"""FORCE_COLOR stands for a terminal, on which NO_COLOR has something to forbid."""

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:[34]\d|9\d|10\d)(?:;\d+)*m")
"""What sets one; bold and italics are no colours."""

COMMANDS = {
    "exchange": [["exchange", "log.jsonl"]],
    "init": [["init", "--sim", "µ-project"], ["init", "--sim", "--firmware", "none"]],
    "ioc": [["ioc", "check", "board.ioc"], ["ioc", "check", "none"]],
    "firmware": [["firmware", "build"], ["firmware", "build", "--model", "none.tflite"]],
    "model": [["model", "show", str(PROJECT / "firmware" / "model" / "anomaly.tflite")]],
    "rig": [["rig", "check", "sim"], ["rig", "check", "µ.toml"], ["rig", "check", "none"]],
    "rigs": [["rigs"]],
    "report": [["report", "run"], ["report", "none"]],
    "runs": [["runs", "--results", "."], ["runs", "--results", "none"]],
    "compare": [["compare", "--all", "run", "run"], ["compare", "run", "none"]],
    "trend": [
        ["trend", "Ω", "--rig", "µ", "--results", "."],
        ["trend", "none", "--rig", "µ", "--results", "."],
    ],
    "explain": [["explain", "--rig", "none"], ["explain", "--rig", "µ.toml"]],
    "doctor": [["doctor", "--rig", "none"], ["doctor", "--rig", "µ.toml"]],
    "bringup": [["bringup", "--rig", "none"], ["bringup", "--rig", "µ.toml"]],
    "safe": [["safe", "--rig", "sim"]],
    "udev": [["udev"]],
    "waveform": [["waveform", "run/waveforms/µ.hlog"], ["waveform", "none.hlog"]],
    "test": [],  # becomes pytest
    "twin": [],  # in a process of its own: below
}
"""Each command at work and, where that is quick, refusing something."""

REFUSED = ("none", "none.hlog", "none.tflite", "µ.toml")
"""Words that a command refuses; `safe` refuses a bench that is started for each run."""

EACH = """
import os, sys
from hil.cli.app import app
for words in {commands!a}:
    sys.argv = ["hil", *(os.fsdecode(word.encode()) for word in words)]  # as the system gives them
    try:
        app()
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
            status = 1
    print("STATUS", status or 0, *(ascii(word) for word in words), flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something for each command to read, with characters that most encodings lack."""
    folder = tmp_path_factory.mktemp("consoles")
    text = (PROJECT / "rig_configs" / "sim.toml").read_text("utf-8")
    (folder / "µ.toml").write_text(text + "\n[µ]\n", "utf-8")
    event = {
        "time_s": 0.1,
        "during": "Ω",
        "kind": "message",
        "instrument": "daq",
        "text": "→ µ",
        "answer": "",
    }
    (folder / "board.ioc").write_text(SOUND, "latin-1")
    (folder / "log.jsonl").write_text(json.dumps(event, ensure_ascii=False) + "\n", "utf-8")
    made = run.create(folder, "µ")
    with journal.Journal(made.journal_path) as written:
        written.append("a.py::µ", Measurement("Ω", 1e-6, "A", 1e-9, Limit.at_most(3e-6, "table 45")))
    test_log.TestLog(made.test_log_path).close()
    waveform = Waveform(1.0, 1e-3, np.linspace(1e-6, 1e-3, 200))
    phases = (Phase(PhaseName.SLEEP, 1.0, 1.1, 1e-6, 5e-8),)
    waveform_file.save(
        made.waveform_folder / "µ.hlog", waveform_file.StoredWaveform("µ", waveform, phases, 3.0)
    )
    made.path.rename(folder / "run")
    return folder


def test_no_command_is_left_out() -> None:
    assert set(get_command(_typer).commands) == set(COMMANDS)  # type: ignore[attr-defined]


def on(console: str, *command: str, folder: Path) -> tuple[str, str]:
    """Run a Python command on a console; its status has to be good, and its words those of a program."""
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder, env={**environment, **CONSOLES[console]}, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    said, complaints = done.stdout.decode("latin-1"), done.stderr.decode("latin-1")
    assert done.returncode == 0, complaints
    assert "Traceback" not in complaints
    assert COLOUR.search(said + complaints) is None or "NO_COLOR" not in CONSOLES[console]
    return said, complaints


@pytest.mark.parametrize("console", CONSOLES)
def test_every_command_prints_what_the_console_can_show(console: str, folder: Path) -> None:
    commands = [["--help"]]
    commands += [words for name, group in COMMANDS.items() if group for words in (*group, [name, "--help"])]
    said, _ = on(console, "-c", EACH.format(commands=commands), folder=folder)
    status = {}
    for line in said.splitlines():
        if line.startswith("STATUS "):
            _, number, *words = line.split(" ")
            status[" ".join(words)] = int(number)
    for words in commands:
        refused = words == ["safe", "--rig", "sim"] or any(word in REFUSED for word in words)
        assert status[" ".join(ascii(word) for word in words)] == int(refused), words


@pytest.mark.parametrize("console", CONSOLES)
def test_the_virtual_bench_prints_what_the_console_can_show(console: str, folder: Path) -> None:
    for words in (["--help"], ["serve", "--help"], ["characterize", "--help"]):
        on(console, "-m", "hil.twin", *words, folder=folder)
