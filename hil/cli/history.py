# SPDX-License-Identifier: Apache-2.0
"""``hil runs``, ``hil compare`` and ``hil trend``: what the folders of many runs say."""

import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hil.cli.terminal import terminal
from hil.history.comparison import Comparison
from hil.history.comparison import compare as compare_runs
from hil.history.runs import Run, runs_in
from hil.history.trend import Trend
from hil.history.trend import trend as trend_of
from hil.measurement.text import uncertain

Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="The folder of the runs' folders.")]
Rig = Annotated[str | None, typer.Option("--rig", metavar="NAME", help="Only runs on this rig.")]
_COLOURS = {"pass": "green", "fail": "red", "bench error": "yellow", "inconclusive": "yellow"}


def runs(results: Results = Path("results"), rig: Rig = None) -> None:
    """List the runs: when, on which rig, with which firmware, and the verdict."""
    table = Table("run", "rig", "firmware", "branch", "verdict", title=f"runs in {results}")
    for run in _read(results, rig):
        described = run.description
        verdict = described.verdict or "did not end"
        table.add_row(
            run.path.name,
            described.rig,
            run.firmware,
            described.firmware_branch or "–",
            Text(verdict, style=_COLOURS.get(verdict.lower(), "yellow")),
        )
    terminal().print(table)


def compare(
    first: Annotated[Path, typer.Argument(help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(help="The folder of a later run.")],
    every: Annotated[bool, typer.Option("--all", help="Also what agrees.")] = False,
) -> None:
    """Show which measurements of two runs differ by more than their uncertainties, and what else does."""
    compared = compare_runs(Run.load(first), Run.load(second))
    out = terminal()
    if compared.changes or compared.configuration:
        table = Table("changed", first.name, second.name, title="bench and firmware")
        for change in compared.changes:
            table.add_row(*change)
        out.print(table)
        for line in compared.configuration:
            out.print(f"rig file: {line}")
    differing = sum(pair.differs for pair in compared.pairs)
    if every or differing:
        out.print(_measurements(compared, first.name, second.name, every=every))
    out.print(f"{differing} of {len(compared.pairs)} measurements differ by more than their uncertainties")
    for entries, name in ((compared.only_first, first.name), (compared.only_second, second.name)):
        if entries:
            out.print(f"only in {name}: {', '.join(entry.measurement.name for entry in entries)}")


def trend(
    name: Annotated[str, typer.Argument(help="A measurement, as the report names it.")],
    rig: Annotated[str, typer.Option("--rig", metavar="NAME", help="The rig that the runs were made on.")],
    results: Results = Path("results"),
    test: Annotated[str | None, typer.Option(metavar="TEXT", help="A part of the test's name.")] = None,
) -> None:
    """Show a measurement through the runs of a rig, and the steps in it."""
    name, rig, test = _typed(name), _typed(rig), None if test is None else _typed(test)
    found = trend_of(_read(results, rig), name, test)
    table = Table("run", "firmware", name, "", title=f"{found.test} on {rig}")
    begins = {step.night: step for step in found.steps}
    for number, night in enumerate(found.nights):
        measured = night.measurement
        step = begins.get(number)
        table.add_row(
            night.run.path.name,
            night.run.firmware,
            uncertain(measured.value, measured.expanded_uncertainty, measured.unit),
            Text(f"step of {math.expm1(step.size):+.1%}", style="red") if step else "",
        )
    out = terminal()
    out.print(table)
    for line in _told(found):
        out.print(line)


def _typed(word: str) -> str:
    """What was typed, as UTF-8: in the C locale Python takes every other character for bytes."""
    return os.fsencode(word).decode("utf-8", "replace")


def _read(results: Path, rig: str | None) -> list[Run]:
    found, damages = runs_in(results, rig)
    for damage in damages:
        print(f"hil: {damage}", file=sys.stderr)
    return found


def _measurements(compared: Comparison, first: str, second: str, *, every: bool) -> Table:
    table = Table("measurement", first, second, "E_n", title="measurements")
    for pair in compared.pairs:
        if not (every or pair.differs):
            continue
        a, b, error = pair.first.measurement, pair.second.measurement, pair.normalized_error
        table.add_row(
            a.name,
            uncertain(a.value, a.expanded_uncertainty, a.unit),
            uncertain(b.value, b.expanded_uncertainty, b.unit),
            Text("–" if error is None else f"{error:.2g}", style="red" if pair.differs else "green"),
        )
    return table


def _told(found: Trend) -> list[str]:
    if found.unwatched:
        return [f"not watched: {found.unwatched}"]
    if not found.steps:
        return [f"no step in {len(found.nights)} runs"]
    lines = []
    for step in found.steps:
        before, after = found.nights[step.night - 1].run, found.nights[step.night].run
        told = found.nights[step.told_on].run
        size = f"{math.expm1(step.size):+.1%} ± {step.expanded_uncertainty:.1%}"
        lines.append(
            f"step of {size} between {before.path.name} ({before.firmware}) and {after.path.name} "
            f"({after.firmware}), told by {told.path.name}"
        )
    return lines
