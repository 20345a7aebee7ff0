# SPDX-License-Identifier: Apache-2.0
"""``hil test``: the suite for any firmware, on a rig."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.cli.hand_over import hand_over

PASS_THE_REST_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def run_suite(
    context: typer.Context,
    rig: Annotated[str, typer.Option(help="A name in rig_configs/, or a path to a .toml file.")],
    firmware: Annotated[
        Path | None,
        typer.Option(metavar="ELF", help="The image; default: the one that hil.toml names."),
    ] = None,
) -> None:
    """Test any firmware: does it start, stay alive, fit, and sleep as it claims?

    What follows goes to pytest (-k, -x, --hil-deadline=...), whose exit status is the command's.
    A project's own tests are not run; `pytest --rig NAME` runs both.
    """
    options = [f"--rig={rig}", "--hil-any-firmware"]
    if firmware is not None:
        options.append(f"--hil-firmware={firmware}")
    command = ["-m", "pytest", *options, *context.args]
    typer.echo(f"runs: {shlex.join(('python', *command))}")
    sys.stdout.flush()  # before what runs writes to it
    hand_over([sys.executable, *command])
