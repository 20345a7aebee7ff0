# SPDX-License-Identifier: Apache-2.0
"""``hil twin``: hands everything to the virtual bench, which is always a process of its own."""

import importlib.util
import sys

import typer

from hil.cli.hand_over import hand_over

PASS_EVERYTHING_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def twin(context: typer.Context) -> None:
    """The virtual bench, by hand: hil twin serve --rig sim, hil twin serve --help."""
    if importlib.util.find_spec("unicorn") is None:
        sys.exit("hil: the virtual bench is an extra that is not installed; try: pip install 'hil-rig[sim]'")
    hand_over([sys.executable, "-m", "hil.twin", *context.args])
