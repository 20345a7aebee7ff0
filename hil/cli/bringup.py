# SPDX-License-Identifier: Apache-2.0
"""``hil bringup``: prove a bench, step by step, before the first run on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from hil.errors import HilError


def bringup(
    rig: Annotated[str, typer.Option(help="A name in rig_configs/, or a path to a .toml file.")],
    answers: Annotated[
        Path | None,
        typer.Option(help="Answers to the checks by hand, as TOML; otherwise they are asked for."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: the checks by hand are recorded as not made.")
    ] = False,
    firmware: Annotated[
        Path | None, typer.Option(help="An ELF of the reference firmware; otherwise it is built.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of a virtual bench.")] = None,
) -> None:
    """Bring a bench up: eleven harmless steps in the order of safety; stops at the first thing that is wrong.

    What was measured (latencies, rise and fall of the supply, the markers' loads, proven ranges) is kept
    beside the rig file and used by every run.
    """
    # Imported here: drivers take seconds, and the other commands need none.
    from hil.bringup import STEPS, Answers, Operator, Person, Session, Unattended, WithHands, bring_up
    from hil.config import load_rig
    from hil.firmware.build import build
    from hil.firmware.image import Image
    from hil.rig import open_rig

    config = load_rig(rig)
    board = config.board.definition
    console = Console(highlight=False)
    operator: Operator
    if answers is not None:
        operator = Answers(answers)
    elif yes or not config.bringup.attended:
        operator = Unattended()
    else:
        operator = Person(console)
    console.print(f"bringing up rig [bold]{escape(config.name)}[/]: {len(STEPS)} steps", soft_wrap=True)
    width = max(len(step.title) for step in STEPS)

    at = ""

    def report(number: int, title: str, measured: str) -> None:
        nonlocal at
        at = f"{number:>2}/{len(STEPS)}  {title}"
        if measured:
            line = f"[green]✓[/] {number:>2}/{len(STEPS)}  {title:<{width}}  [cyan]{escape(measured)}[/]"
            console.print(line, soft_wrap=True)

    arguments = () if seed is None else ("--seed", str(seed))
    try:
        with open_rig(config, arguments) as opened:
            if opened.config.bringup.hands is not None:
                operator = WithHands(operator, opened.config.bringup.hands)

            def image() -> Image:
                return Image.load(
                    firmware or build(board=board.firmware, svd=board.part.svd), board.part.flash
                )

            session = Session(opened, operator, image)
            results = bring_up(session, report)
    except HilError:
        console.print(f"[red]✗[/] {at or 'the rig cannot be opened'}", soft_wrap=True)
        raise
    console.print(f"the bench is up; results in {results.file}", soft_wrap=True)
