# SPDX-License-Identifier: Apache-2.0
"""What ``hil`` offers, and how it reports what went wrong."""

import io
import sys
from typing import Annotated

import typer

import hil
from hil.cli import bringup, exchange, firmware, model, report, rig, safe, twin, udev, waveform
from hil.errors import HilError

_typer = typer.Typer(
    name="hil",
    help="Test low-power TinyML firmware on a hardware-in-the-loop bench, real or virtual. "
    "The suite itself runs with: pytest --rig NAME",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_typer.add_typer(firmware.app, name="firmware")
_typer.add_typer(model.app, name="model")
_typer.add_typer(rig.app, name="rig")
_typer.command("exchange")(exchange.exchange)
_typer.command("rigs")(rig.rigs)
_typer.command("bringup")(bringup.bringup)
_typer.command("udev")(udev.udev)
_typer.command("report")(report.report)
_typer.command("safe")(safe.safe)
_typer.command("waveform")(waveform.waveform)
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
) -> None:
    pass


def app() -> None:
    """Run the command line. A HilError is one line for the user and exit code 1, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a character gets a question mark
    try:
        _typer()
    except HilError as error:
        sys.exit(f"hil: {error}")
