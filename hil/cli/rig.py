# SPDX-License-Identifier: Apache-2.0
"""``hil rig``: look at a bench's configuration."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hil.cli.terminal import terminal
from hil.config import RigConfig, available_rigs, load_rig
from hil.errors import ConfigError
from hil.measurement.text import with_unit
from hil.rig.claims import claims
from hil.rig.lock import Lock, lock_directory

app = typer.Typer(help="Bench configurations.", no_args_is_help=True)


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="A name in rig_configs/, or a path to a .toml file.")],
) -> None:
    """Read a rig's configuration as a test run would, and show what is wired where.

    It is refused where this machine can have no driver for an instrument.
    """
    config = load_rig(name)
    for instrument in config.instruments.values():
        instrument.check_machine(config.file)
    board = config.board.definition
    table = Table("role", "pin", "terminal", title=f"rig {config.name}: {config.board.name}")
    for role, wire in config.wiring:
        if wire is not None:
            table.add_row(role, board.named(getattr(wire, "pin", "–")), wire.terminal)
    terminal().print(table)
    if config.board.connected:
        connected = Table("device", "kind", "bus", "pins", title="on buses of the part")
        for device in config.board.connected:
            where = device.bus if device.address is None else f"{device.bus}, 0x{device.address:02X}"
            where += "" if device.baud is None else f", {device.baud} baud"
            pins = ", ".join(f"{signal} {pin}" for signal, pin in device.pins.items())
            connected.add_row(device.name, device.kind, where, pins)
        terminal().print(connected)
    if config.rails.by_name():
        rails = Table("rail", "voltage", "feeds", "instruments", title="beside the part's supply")
        for name, rail in config.rails.by_name().items():
            drivers = ", ".join(f"{kind} {table.driver}" for kind, table in rail.instruments.items())
            rails.add_row(name, with_unit(rail.voltage_v, "V"), ", ".join(rail.feeds), drivers)
        terminal().print(rails)


def rigs() -> None:
    """List the rigs of this folder and who uses them, and whatever else is in use on this machine."""
    directory = lock_directory()
    table = Table("rig", "board", "state", title=f"locks in {directory}")
    known: set[Path] = set()
    for name in available_rigs():
        try:
            config = load_rig(name)
        except ConfigError as error:
            table.add_row(name, "–", Text(str(error), style="red"))
            continue
        locks = [Lock(what, key, directory) for what, key in claims(config).items()]
        known.update(lock.path for lock in locks)
        table.add_row(name, config.board.name, _state(config, locks))
    for path in sorted(set(directory.glob("*.lock")) - known):
        holder = Lock.at(path).holder()
        if holder is not None:
            table.add_row(holder.rig, "–", Text(f"{path.stem}: {holder}", style="yellow"))
    terminal().print(table)


def _state(config: RigConfig, locks: list[Lock]) -> Text:
    if config.service is not None:
        return Text("started for each run", style="green")
    held = [(lock.what, holder) for lock in locks if (holder := lock.holder()) is not None]
    if not held:
        return Text("free", style="green")
    # The rig comes first; an instrument alone is held by a run on another rig.
    what, holder = held[0]
    return Text(f"{what} is in use by {holder}", style="yellow")
