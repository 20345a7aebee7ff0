# SPDX-License-Identifier: Apache-2.0
"""``hil exchange``: the record of a run's exchange as a page."""

from pathlib import Path
from typing import Annotated

import typer

from hil.errors import ResultsError


def exchange(
    log: Annotated[Path, typer.Argument(help="what pytest --rig NAME --log-exchange FILE wrote")],
    output: Annotated[Path | None, typer.Option(help="write the page there")] = None,
    check: Annotated[Path | None, typer.Option(help="fail unless this page says the same")] = None,
) -> None:
    """Show what was said to the instruments in a run, without the figures that differ between runs."""
    import difflib

    from hil.report import exchange as report

    text = report.page(report.read(log))
    if check is not None:
        try:
            known = check.read_text(encoding="utf-8")
        except OSError as error:
            raise ResultsError(str(error), where=str(check), operation="exchange") from error
        differences = list(difflib.unified_diff(known.splitlines(), text.splitlines(), str(check), str(log)))
        if differences:
            typer.echo("\n".join(differences[:60]))
            raise ResultsError(
                "the run said something else to the instruments",
                where=str(check),
                operation="exchange",
                hint=f"if that is meant: hil exchange {log} --output {check}",
            )
    elif output is not None:
        output.write_text(text, encoding="utf-8")
    else:
        typer.echo(text)
