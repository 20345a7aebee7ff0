# SPDX-License-Identifier: Apache-2.0
"""``hil doctor``: is a bench fit for a night, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from hil.cli.terminal import terminal
from hil.errors import ConfigError
from hil.foreign_text import visible

if TYPE_CHECKING:
    from hil.doctor import Finding

WRONG = 1
"""Exit status where something is wrong."""
_MARKS = {"good": ("✓", "green"), "wrong": ("✗", "red"), "unknown": ("?", "yellow"), "left out": ("–", "dim")}


def doctor(
    rig: Annotated[
        str | None, typer.Option("--rig", help="A name in rig_configs/, or a path to a .toml file.")
    ] = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where runs write to.")] = Path("results"),
    discover: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Search for instruments and write a first rig file."),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="With --discover, what stands there; default: the reference board."
        ),
    ] = None,
) -> None:
    """Look at every part of a bench without harm, and show the command that mends each fault.

    The flash is left as it is; the supply goes on for some seconds and off again. Exit status 1 where
    anything is wrong.
    """
    if discover is not None:
        _discover(discover, board)
        return
    if rig is None:
        raise ConfigError("no rig is named", expected="--rig NAME, or --discover FILE", hint="hil rigs")
    out = terminal(fold=False)
    wrong = 0
    for finding in _findings(rig, results):
        mark, style = _MARKS[finding.state]
        line = f"{finding.check:<27} {finding.told}"
        out.print(Text(f"{mark} ", style=style).append(visible(line), style="default"))
        if finding.state == "wrong":
            wrong += 1
            if finding.mend:
                out.print(f"    mend: {finding.mend}")
    out.print("the bench is fit" if not wrong else f"{wrong} to mend, the first one first")
    if wrong:
        raise typer.Exit(WRONG)


def _findings(rig: str, results: Path) -> Iterator[Finding]:
    from hil.config import load_rig
    from hil.doctor import Finding, Machine, State, bench_findings, host_findings

    try:
        config = load_rig(rig)
    except ConfigError as error:
        yield Finding("rig file", State.WRONG, str(error), error.hint or f"hil rig check {rig}")
        return
    yield Finding("rig file", State.GOOD, f"{config.file}: {config.board.name}")
    yield from host_findings(config, results, Machine())
    yield from bench_findings(config)


def _discover(target: Path, board: str | None) -> None:
    from hil.cli import project_files
    from hil.cli.init import chosen_board
    from hil.instruments.discovery import discover

    if target.exists():
        raise ConfigError("is there already, and is left as it is", file=target, expected="a new file's name")
    found = discover()
    for search in found.values():
        typer.echo(project_files.summary(search))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(project_files.rig_file(found, {}, chosen_board(board, None)), "utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", file=target) from error
    typer.echo(f"wrote {target}; with its lines marked EDIT done: hil doctor --rig {target}")
