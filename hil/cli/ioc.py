# SPDX-License-Identifier: Apache-2.0
"""``hil ioc``: what an STM32CubeMX project says of a firmware, and what in it cannot be right on a board."""

from pathlib import Path
from typing import Annotated

import typer

from hil.cli.init import chosen_board
from hil.config.cubemx import read_ioc

app = typer.Typer(help="STM32CubeMX projects.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """STM32CubeMX projects."""


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The .ioc file.")],
    board: Annotated[
        str | None,
        typer.Option(help="The board's name, or its .toml file; default: the one with the .ioc's part."),
    ] = None,
) -> None:
    """Show what a rig can take from an .ioc, and hold it against a board; exit status 1 if it is wrong.

    It cannot show which low-power mode is entered: that is code.
    """
    project = read_ioc(file)
    held_against = chosen_board(board, project)
    for line in project.summary():
        typer.echo(line)
    findings = list(project.findings(held_against))
    for finding in findings:
        typer.echo(f"wrong: {finding}")
    if findings:
        raise typer.Exit(1)
