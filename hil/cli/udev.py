# SPDX-License-Identifier: Apache-2.0
"""``hil udev``: the rules with which Linux lets users have the debug probe and its serial port."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from hil.errors import ConfigError

RULES = "70-hil-rig.rules"
"""Before 73-seat-late.rules, which acts on the tag uaccess."""

FOLDER = Path("/etc/udev/rules.d")


def udev(
    install: Annotated[
        bool, typer.Option("--install", help="Write the rules instead of printing them; needs root.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the rules go.")] = FOLDER,
) -> None:
    """Print or install the udev rules for ST-LINK and CMSIS-DAP probes.

    They let the user at the machine have the probe and its serial port, and keep ModemManager from typing
    modem commands into the console.
    """
    rules = rules_text()
    if not install:
        sys.stdout.write(rules)
        return
    target = folder / RULES
    try:
        target.write_text(rules, "utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})",
            file=target,
            hint=f"hil udev | sudo tee {target}",
        ) from error
    print(f"{target} written. Let it act, and plug the board in again:")
    print("sudo udevadm control --reload && sudo udevadm trigger")


def rules_text() -> str:
    """The rules file as it is shipped."""
    return (resources.files("hil.cli") / "data" / RULES).read_text("utf-8")
