# SPDX-License-Identifier: Apache-2.0
"""``hil report``: a run's report made again from its folder, and served so that it zooms to every sample."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

Folder = Annotated[Path, typer.Argument(help="The folder of a run, also of one that was killed.")]


class _FolderOrCommand(TyperGroup):
    """``hil report FOLDER`` is ``hil report make FOLDER``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take what is no command for a folder."""
        known = not args or args[0] in self.commands
        return super().resolve_command(ctx, args if known else ["make", *args])


app = typer.Typer(
    cls=_FolderOrCommand,
    no_args_is_help=True,
    help="Make a run's report again: hil report FOLDER; or show it: hil report serve FOLDER.",
)


@app.command("make")
def make(folder: Folder) -> None:
    """Make report.html of a run's folder again, and name what in it is missing or damaged."""
    from hil.report import page  # jinja2, which no other command needs

    made = page.write(folder)
    for damage in made.damages:
        print(f"hil: missing or damaged: {damage}", file=sys.stderr)
    print(f"{made.verdict.outcome.upper()}: {made.verdict.sentence}")
    print(f"report: {folder / 'report.html'}")


@app.command("serve")
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0: any that is free.")] = 0,
) -> None:
    """Make the report and show it to browsers on this machine, with every sample, until Ctrl-C."""
    from hil.report.server import server

    make(folder)
    with server(folder, port) as serving:
        print(f"http://127.0.0.1:{serving.server_port}/", flush=True)
        serving.serve_forever()
