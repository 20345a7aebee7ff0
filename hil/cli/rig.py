# SPDX-License-Identifier: Apache-2.0
"""``hil rig``: look at a bench's configuration."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hil.config.load import load_rig

app = typer.Typer(help="Bench configurations.", no_args_is_help=True)


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="A name in rig_configs/, or a path to a .toml file.")],
) -> None:
    """Read a rig's configuration as a test run would, and show what is wired where."""
    config = load_rig(name)
    table = Table("role", "pin", "terminal", title=f"rig {config.name}: {config.board.name}")
    for role, wire in config.wiring:
        if wire is not None:
            table.add_row(role, getattr(wire, "pin", "–"), wire.terminal)
    Console().print(table)
