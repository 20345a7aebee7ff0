# SPDX-License-Identifier: Apache-2.0
"""Commands that end in another program: it gets the signals, and its exit status is the command's."""

import os
import subprocess

import typer


def hand_over(command: list[str]) -> None:
    """Run ``command`` in place of this process; on Windows, where none is replaced, wait for it."""
    if os.name == "nt":
        raise typer.Exit(subprocess.call(command))
    os.execv(command[0], command)
