# SPDX-License-Identifier: Apache-2.0
"""``hil init``: a project for somebody's firmware, from what this machine and the folder show."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.errors import ConfigError, HilError, ImageError
from hil.foreign_text import visible

if TYPE_CHECKING:
    from hil.boards import Board
    from hil.config.cubemx import CubeMx

_SKIPPED = frozenset({"node_modules", "results", "site-packages", "__pycache__"})
_FILES_MOST = 20_000
"""Files of a folder that are looked at (assumption): a firmware's checkout with its vendor's sources."""
_CANDIDATES_MOST = 10


def init(
    folder: Annotated[Path, typer.Argument(help="The project's folder; made if it is not there.")] = Path(),
    sim: Annotated[
        bool, typer.Option("--sim", help="For the virtual bench: search for no hardware.")
    ] = False,
    firmware: Annotated[
        Path | None,
        typer.Option(metavar="ELF", help="The image; default: the only one in the folder."),
    ] = None,
    ioc_file: Annotated[
        Path | None,
        typer.Option(
            "--ioc", metavar="FILE", help="STM32CubeMX's project; default: the only one in the folder."
        ),
    ] = None,
    board_name: Annotated[
        str | None,
        typer.Option(
            "--board", metavar="NAME", help="What it runs on; default: the board with the .ioc's part."
        ),
    ] = None,
) -> None:
    """Write a project that tests your firmware, and say the next command.

    It asks nothing. Probes, serial ports, VISA resources, NI devices, an .ioc and an ELF are searched for.
    Files that are there already are left as they are.
    """
    from hil.cli import project_files
    from hil.config.cubemx import read_ioc
    from hil.firmware.image import Image
    from hil.instruments.discovery import discover

    if firmware is not None:
        Image.load(firmware)  # refused here, not in the first run
    elves, ioc = _files(folder)
    image = _relative(firmware, folder) if firmware is not None else elves[0] if len(elves) == 1 else None
    if ioc_file is not None:
        ioc = [_relative(ioc_file, folder)]
    cubemx = read_ioc(folder / ioc[0]) if len(ioc) == 1 else None
    board = chosen_board(board_name, cubemx)
    ioc_said = f".ioc: {len(ioc)} found, none taken"
    if cubemx is not None:
        ioc_said = _about(cubemx, ioc[0], board)
        if not cubemx.is_for(board):
            if ioc_file is not None:
                raise ConfigError(
                    ioc_said.removeprefix(".ioc: "), key="--ioc", hint="--board names the board"
                )
            cubemx = None
    rigs = project_files.rigs_of(board)
    files = {
        "hil.toml": project_files.hil_toml(image, elves[:_CANDIDATES_MOST], cubemx, board),
        "requirements.txt": project_files.REQUIREMENTS,
        "tests/test_firmware.py": project_files.FIRST_TEST,
        ".github/workflows/hil.yml": project_files.ci_job(board),
    }
    if not any((folder / name).exists() for name in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")):
        files["pytest.ini"] = project_files.PYTEST_INI
    if not sim:
        found = discover()
        for search in found.values():
            typer.echo(project_files.summary(search))
        roles = cubemx.roles if cubemx else {}
        files["rig_configs/bench.toml"] = project_files.rig_file(found, roles, board)
    try:
        written, kept = project_files.write_new(folder, files)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", file=folder) from error
    typer.echo(f"board: {board.name}, {board.title}")
    typer.echo(f"firmware: {visible(image) if image else 'none found; name it in hil.toml'}")
    typer.echo(ioc_said)
    for name in written:
        typer.echo(f"wrote {name}")
    for name in kept:
        typer.echo(f"left {name} as it is")
    enter = "" if folder.resolve() == Path.cwd() else f"cd {visible(str(folder))} && "
    typer.echo(f"next: {enter}pytest --rig {rigs.virtual}")
    if not sim:
        typer.echo("then, with the lines marked EDIT done: hil rig check bench, hil bringup --rig bench")


def chosen_board(name: str | None, cubemx: CubeMx | None) -> Board:
    """The board that is named, or the one whose part the .ioc is for, or the reference board."""
    from hil import boards
    from hil.boards import REFERENCE, Board
    from hil.datasheet.figures import DatasheetError

    if name is not None:
        try:
            return Board.load(name)
        except DatasheetError as error:
            raise ConfigError(str(error), key="--board") from error
    known = map(Board.load, boards.names())
    fitting = [board for board in known if cubemx is not None and cubemx.is_for(board)]
    return fitting[0] if len(fitting) == 1 else Board.load(REFERENCE)


def _about(cubemx: CubeMx, name: str, board: Board) -> str:
    """Whether an .ioc is taken, and whether something in it is wrong."""
    findings = list(cubemx.findings(board))
    if not cubemx.is_for(board):
        return f".ioc: {visible(name)}, not taken: {findings[0]}"
    many = f"{len(findings)} things in it are" if len(findings) > 1 else "one thing in it is"
    return f".ioc: {visible(name)}, {f'{many} wrong: ' if findings else ''}see hil ioc check {visible(name)}"


def _files(folder: Path) -> tuple[list[str], list[str]]:
    """ELF images for the part, and .ioc files, by their paths in the folder."""
    from hil.firmware.image import Image

    elves, ioc = [], []
    for path in _walk(folder):
        if path.suffix == ".ioc":
            ioc.append(_relative(path, folder))
        elif path.suffix in (".elf", ".axf", ".out"):
            try:
                Image.load(path)
            except (ImageError, HilError):
                continue
            elves.append(_relative(path, folder))
    return sorted(elves), sorted(ioc)


def _walk(folder: Path) -> Iterator[Path]:
    """The files under a folder, as many as are looked at; hidden folders and links are left out."""
    seen = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(names):
            seen += 1
            if seen > _FILES_MOST:
                return
            path = Path(root, name)
            if path.is_file():
                yield path


def _relative(path: Path, folder: Path) -> str:
    """A path as hil.toml names it: from the folder where it is inside, else whole."""
    whole, inside = path.resolve(), folder.resolve()
    return whole.relative_to(inside).as_posix() if whole.is_relative_to(inside) else whole.as_posix()
