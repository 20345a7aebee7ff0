# SPDX-License-Identifier: Apache-2.0
"""``hil safe``: switch a bench off by hand, or in the step of a CI job that always runs."""

import sys
from typing import Annotated

import typer

from hil.config.load import load_rig

CANNOT = 10
"""Exit status where an output may still be on: the bench failed, as in a run."""


def safe(
    name: Annotated[str, typer.Option("--rig", help="A name in rig_configs/, or a path to a .toml file.")],
) -> None:
    """Switch a bench off: the DAQ's outputs to 0 V, the lines open, the supply off.

    Refused while a run uses the bench. The exit status is 10 where an instrument could not be switched off.
    """
    from hil.rig.safe_state import make_safe

    done, errors = make_safe(load_rig(name))
    for step in done:
        print(f"{step}: done")
    for error in errors:
        print(f"hil: {error}; an output may still be on", file=sys.stderr)
    if errors:
        raise typer.Exit(CANNOT)
