# SPDX-License-Identifier: Apache-2.0
"""``hil explain``: why a firmware draws too much asleep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli.terminal import terminal

STARTS_S = 10.0
"""From power-on to the log: a quartz takes 2 s (DS10198 Rev 8, table 58), the rest is an assumption."""


def explain(
    rig: Annotated[str, typer.Option(help="A name in rig_configs/, or a path to a .toml file.")],
    firmware: Annotated[
        Path | None, typer.Option(help="An ELF, HEX or BIN; otherwise the image that hil.toml names.")
    ] = None,
    sleep: Annotated[
        str | None,
        typer.Option(
            help="The mode in which it is meant to sleep: stop2, standby, ...; "
            "otherwise what hil.toml or its registers say."
        ),
    ] = None,
    experiments: Annotated[
        int, typer.Option(min=0, help="How many causes to take away and measure without.")
    ] = 4,
    seed: Annotated[int | None, typer.Option(help="Seed of a virtual bench.")] = None,
) -> None:
    """Say why a firmware draws too much asleep: what its registers show, proven by measuring without it.

    Exit status 1 if the current is above the datasheet's figures and not explained.
    """
    # Imported here: drivers take seconds, and the other commands need none.
    from hil.config import load_rig
    from hil.config.project import load_project
    from hil.errors import ConfigError
    from hil.firmware.image import Image
    from hil.pytest_plugin.accuracy import RigAccuracy
    from hil.rig import State, explanation, open_rig
    from hil.rig.core_looks import look
    from hil.rig.mode_current import MODES

    project = load_project(Path.cwd()).firmware
    path, meant = firmware or project.image, sleep or project.sleep
    if path is None:
        raise ConfigError(
            "no firmware was given", expected="--firmware FILE, or [firmware] image in hil.toml"
        )
    if meant is not None and meant not in MODES:
        raise ConfigError(f"no mode is called {meant!r}", expected=f"one of {', '.join(MODES)}")
    config = load_rig(rig)
    image = Image.load(path, config.board.definition.part.flash)
    console = terminal(fold=False)

    def say(text: str) -> None:
        console.print(f"... {text}", style="dim", markup=False)

    with open_rig(config, () if seed is None else ("--seed", str(seed))) as opened:
        instrument = RigAccuracy(opened.config).mean_current_a
        say("looking at the firmware through the debug port")
        looks = look(opened, image)
        say(f"seen: {looks}")
        opened.to(State.MEASURING, image, restart=True)
        opened.clock.sleep(STARTS_S)
        measured = explanation.floor_of(explanation.log_current(opened), instrument)
        why = explanation.explain(
            opened, image, looks, measured, instrument, meant, experiments=experiments, say=say
        )
    for line in why.lines():
        console.print(line, markup=False)
    if why.verdict in (explanation.Verdict.PARTLY, explanation.Verdict.NOT):
        raise typer.Exit(1)
