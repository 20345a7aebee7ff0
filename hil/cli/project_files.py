# SPDX-License-Identifier: Apache-2.0
"""The files of a new project. A text from outside is written as a TOML text that holds just that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hil import boards
from hil.boards import Board
from hil.boards.board import Rigs
from hil.config.cubemx import CubeMx
from hil.errors import ConfigError
from hil.foreign_text import visible
from hil.instruments.discovery import Search
from hil.places import shipped

FIRST_TEST = '''"""What this project's firmware has to do, in its own words.

A test asks for what it needs as a fixture: `rig`, `image`, `power_analyzer`, `daq`, `clock`, `measure`, ...
"""

from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.rig import State


def test_the_peak_current_is_what_the_cell_can_give(rig, image, power_analyzer, rig_accuracy, measure):
    rig.to(State.MEASURING, image, restart=True)  # started by a power cycle, with no debugger near
    waveform = power_analyzer.capture(duration_s=3.0, period_s=40.96e-6)
    peak_a = waveform.current_a.max(keepdims=True)
    limit = Limit.at_most(15e-3, source="the cell's data sheet, pulse discharge")  # edit: your cell
    uncertainty_a = rig_accuracy.mean_current_a(peak_a).expanded_uncertainty
    measure(Measurement("peak current in 3 s", float(peak_a[0]), "A", uncertainty_a, limit))
'''

REQUIREMENTS = """# What the tests need: pip install -r requirements.txt
# [sim] is the virtual bench (Unicorn, GPLv2, in a process of its own). A real bench's PC does not need it.
hil-rig[sim]
"""

PYTEST_INI = "[pytest]\ntestpaths = tests\n"

CI_JOB = """# Runs the firmware on the virtual bench for every push. Build your firmware before the last step,
# or commit the ELF that hil.toml names.
name: hil
on: [push, pull_request]
jobs:
  sim:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install -r requirements.txt
      - run: pytest --rig {rig}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: hil-results
          path: results
"""

_EDIT = "# EDIT"


def rigs_of(board: Board) -> Rigs:
    """The rig files that a project for this board begins with.

    Raises:
        ConfigError: hil-rig ships none for it.
    """
    if board.rigs is None:
        known = [name for name in boards.names() if Board.load(name).rigs is not None]
        raise ConfigError(
            f"there is no rig file to begin with for the board {board.name!r}",
            expected=f"one of {', '.join(known)}",
            hint="copy the rig file of a board that is like yours",
        )
    return board.rigs


def ci_job(board: Board) -> str:
    """The job that runs the firmware on the board's virtual bench."""
    return CI_JOB.replace("{rig}", rigs_of(board).virtual)


def toml_text(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def hil_toml(image: str | None, candidates: Sequence[str], cubemx: CubeMx | None, board: Board) -> str:
    """The project's own file, for a firmware of this board."""
    lines = [
        "# What this project's firmware is and claims. Every key may be missing; hil-rig then finds out."
    ]
    lines += ["", "[firmware]"]
    if image is not None:
        lines.append(f"image = {toml_text(image)}")
    else:
        lines += [f"# image = {toml_text(name)}" for name in candidates or ["build/firmware.elf"]]
        why = "which of them?" if candidates else f"no ELF for an {board.part.title} was found in this folder"
        lines[-1] += f"  {_EDIT}: {why}"
    lines += [
        '# console = "text"       # what it sends: "none", "text", or "records" of hil-rig\'s protocol',
        '# banner = "ready"       # a regular expression that its text has to hold',
        "# baud = 9600            # where its rate is not the rig's",
        '# sleep = "stop2"        # the mode in which it spends its time: held against the datasheet\'s row',
        '# wake_period = "2 s"    # held against the current, within 5 %',
        '# markers = ["marker_active"] # pins that it moves, by their role in the rig\'s [wiring]',
        '# mailbox = "hil_mailbox" # where its mailbox is: a symbol, an address, or "none"',
    ]
    if cubemx is not None:
        lines += [f"# {visible(cubemx.file.name)}: {line}" for line in cubemx.summary()]
        bauds = {baud for baud in cubemx.consoles.values() if baud is not None}
        if len(bauds) == 1:
            lines.append(f"baud = {bauds.pop()}")
        if cubemx.wake_period_s is not None:  # what the project states is held against the current
            lines.append(f'wake_period = "{cubemx.wake_period_s:.9g} s"  # edit if code sets another one')
        if cubemx.hclk_hz is not None:
            lines.append(f'hclk = "{cubemx.hclk_hz / 1e6:.9g} MHz"')
        if cubemx.supply_voltage_v is not None:  # of the power calculator, whose currents are of there
            lines.append(f'supply_voltage = "{cubemx.supply_voltage_v:.9g} V"')
        if cubemx.ambient_temperature_c is not None:
            lines.append(f'ambient_temperature = "{cubemx.ambient_temperature_c:.9g} degC"')
    return "\n".join(lines) + "\n"


def rig_file(found: Mapping[str, Search], roles: Mapping[str, str], board: Board) -> str:
    """A rig for the bench that is connected: the shipped one, with what was found exactly once filled in.

    Args:
        found: what was searched for.
        roles: pins by wiring roles, as the labels of an .ioc name them.
        board: what stands on the bench.
    """
    text = shipped(f"rig_configs/{rigs_of(board).lab}.toml").read_text(encoding="utf-8")
    text = re.sub(r'^name = ".*"$', 'name = "bench"', text, count=1, flags=re.MULTILINE)
    keys = {"debug probe": "uid", "VISA resource": "resource", "NI device": "device", "serial port": "port"}
    for role, pin in roles.items():
        text = re.sub(rf'(?m)^({role} = {{ pin = )"\w+"', rf'\g<1>"{pin}"', text, count=1)
    notes = []
    for kind, key in keys.items():
        search = found.get(kind, Search(kind, problem="not searched for"))
        only = search.only
        if only is not None:
            line = f"{key} = {toml_text(only.address)}  # found: {only.about or 'the only one'}"
            text = re.sub(rf"(?m)^{key} = .*$", line.replace("\\", "\\\\"), text, count=1)
        else:
            notes.append(f"# {summary(search)}: see {key} below")
    return "\n".join(["# Written by hil init. Lines marked EDIT are still to be looked at.", *notes, text])


def summary(search: Search) -> str:
    """What was found of a kind, in a line."""
    if search.problem:
        return f"{search.kind}: not known ({search.problem})"
    if not search.devices:
        return f"{search.kind}: none"
    return f"{search.kind}: {', '.join(str(device) for device in search.devices)}"


def write_new(folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Write the files that are not there yet; return the names of those written and of those left alone.

    Raises:
        OSError: a file cannot be written.
    """
    written, kept = [], []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            kept.append(name)
        else:
            written.append(name)
    return written, kept
