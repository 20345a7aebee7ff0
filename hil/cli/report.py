# SPDX-License-Identifier: Apache-2.0
"""``hil report``: a run's report made again from its folder."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a run, also of one that was killed.")],
) -> None:
    """Make report.html of a run's folder again, and name what in it is missing or damaged."""
    from hil.report import page  # jinja2, which no other command needs

    made = page.write(folder)
    for damage in made.damages:
        print(f"hil: missing or damaged: {damage}", file=sys.stderr)
    print(f"{made.verdict.outcome.upper()}: {made.verdict.sentence}")
    print(f"report: {folder / 'report.html'}")
