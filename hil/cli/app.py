# SPDX-License-Identifier: Apache-2.0
"""What ``hil`` offers, and how it reports what went wrong."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

import hil
from hil.cli import (
    bringup,
    doctor,
    exchange,
    explain,
    firmware,
    history,
    init,
    ioc,
    log,
    model,
    report,
    rig,
    safe,
    suite,
    twin,
    udev,
    waveform,
)
from hil.errors import HilError

EXIT_CODES = (
    "Exit status: 0 done, 1 a fault told in one line, 2 a wrong command line or rig of the virtual bench, "
    "10 an output may still be on (hil safe), 130 Ctrl-C. pytest --rig: see docs/running.md."
)

_typer = typer.Typer(
    name="hil",
    help="Test low-power TinyML firmware on a hardware-in-the-loop bench, real or virtual. "
    "A suite runs with: pytest --rig NAME; the one for any firmware with: hil test --rig NAME",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
_typer.add_typer(firmware.app, name="firmware")
_typer.add_typer(ioc.app, name="ioc")
_typer.add_typer(model.app, name="model")
_typer.add_typer(report.app, name="report")
_typer.add_typer(rig.app, name="rig")
_typer.command("init")(init.init)
_typer.command("explain")(explain.explain)
_typer.command("exchange")(exchange.exchange)
_typer.command("rigs")(rig.rigs)
_typer.command("bringup")(bringup.bringup)
_typer.command("doctor")(doctor.doctor)
_typer.command("udev")(udev.udev)
_typer.command("runs")(history.runs)
_typer.command("compare")(history.compare)
_typer.command("trend")(history.trend)
_typer.command("safe")(safe.safe)
_typer.command("waveform")(waveform.waveform)
_typer.command("test", context_settings=suite.PASS_THE_REST_ON)(suite.run_suite)
_typer.command("twin", context_settings=twin.PASS_EVERYTHING_ON, add_help_option=False)(twin.twin)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hil-rig {hil.__version__}")
        raise typer.Exit


@_typer.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    verbosity: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            show_default=False,
            help="Show what is said to the instruments; twice: all that libraries report.",
        ),
    ] = 0,
    log_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all of that to a file.")
    ] = None,
) -> None:
    log.start(verbosity, log_file)


def app() -> None:
    """Run the command line. A HilError is one line for the user and exit code 1, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a character gets a question mark
    try:
        _typer()
    except HilError as error:
        log.note_error(error)
        sys.exit(f"hil: {error}")
