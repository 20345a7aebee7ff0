# SPDX-License-Identifier: Apache-2.0
"""``hil firmware``: build the reference firmware."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from hil.boards import REFERENCE
from hil.cli.terminal import terminal
from hil.firmware.build import build
from hil.firmware.host import build_host, fuzz_models
from hil.firmware.image import Image
from hil.firmware.mailbox import copy_mailbox

app = typer.Typer(help="The reference firmware.", no_args_is_help=True)


class Sensor(enum.StrEnum):
    """What the firmware samples."""

    ADC = "adc"
    LSM6DSL = "lsm6dsl"


class Engine(enum.StrEnum):
    """What runs the network."""

    BUILTIN = "builtin"
    TFLM = "tflm"


class Toolchain(enum.StrEnum):
    """Which compiler builds the firmware."""

    ZIG = "zig"
    GCC = "gcc"


@app.command("build")
def build_command(
    toolchain: Annotated[
        Toolchain, typer.Option(help="zig: the pinned clang from the package index. gcc: arm-none-eabi-gcc.")
    ] = Toolchain.ZIG,
    model: Annotated[
        Path | None, typer.Option(help="A .tflite to put in instead of firmware/model/anomaly.tflite.")
    ] = None,
    mutant: Annotated[
        str | None, typer.Option(help="Plant a fault, for testing the suite: see firmware/src/mutant.h.")
    ] = None,
    sensor: Annotated[
        Sensor, typer.Option(help="adc: an analog sensor. lsm6dsl: an accelerometer on I2C.")
    ] = Sensor.ADC,
    board: Annotated[
        str, typer.Option(help="Which pins are in use: a header of firmware/boards, without its .h.")
    ] = REFERENCE,
    engine: Annotated[
        Engine, typer.Option(help="builtin: firmware/engine. tflm: your TensorFlow Lite Micro, with gcc.")
    ] = Engine.BUILTIN,
    tflm_dir: Annotated[
        Path | None,
        typer.Option(help="For tflm: its headers and static library; see firmware/cmake/tflm.cmake."),
    ] = None,
) -> None:
    """Build the firmware and print where the ELF is, with its digest."""
    elf = build(
        toolchain.value,
        model=model,
        mutant=mutant,
        engine=engine.value,
        tflm_dir=tflm_dir,
        sensor=sensor.value,
        board=board,
    )
    console = terminal(fold=False)
    console.print(f"{elf}")
    console.print(f"sha256 {Image.load(elf).sha256}", style="dim")


@app.command("host")
def host_command(
    cases: Annotated[int, typer.Option(help="Damaged and foreign models to load.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Of the damage.")] = 1,
) -> None:
    """Build the pure C for this computer under sanitizers, run its unit tests, fuzz the interpreter."""
    console = terminal(fold=False)
    programs = build_host()
    console.print(f"{programs.folder} (sanitizers: {programs.sanitizers})", style="dim")
    console.print(programs.test().rstrip(), style="dim")
    counts = programs.fuzz(fuzz_models(seed), cases, seed)
    console.print(f"seed {seed}: {counts.total():,} models, {counts[0]:,} of them sound enough to run")
    for code, count in sorted(counts.items()):
        if code != 0:
            console.print(f"{count:>12,} refused with error {code} (firmware/protocol.toml)")


@app.command("mailbox", no_args_is_help=True)
def mailbox_command(
    folder: Annotated[Path, typer.Argument(help="Where your firmware's sources are; made if missing.")],
) -> None:
    """Write the mailbox's files into a firmware: two in C, and one to wrap TensorFlow Lite Micro."""
    console = terminal(fold=False)
    for path in copy_mailbox(folder):
        console.print(f"{path}")
