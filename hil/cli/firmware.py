# SPDX-License-Identifier: Apache-2.0
"""``hil firmware``: build the reference firmware."""

import enum
import hashlib
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hil.boards import REFERENCE
from hil.cli.engine_costs import COLUMNS, add_to_report, engine_page, engine_row, run_of_network
from hil.cli.terminal import terminal
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.host import build_host, fuzz_models
from hil.firmware.image import Image
from hil.firmware.mailbox import copy_mailbox
from hil.firmware.tflm import CMSIS_NN_KERNELS, REFERENCE_KERNELS, inspect, missing_kernels

app = typer.Typer(help="The reference firmware.", no_args_is_help=True)
tflm_app = typer.Typer(help="Your TensorFlow Lite Micro.", no_args_is_help=True)
app.add_typer(tflm_app, name="tflm")


class Sensor(enum.StrEnum):
    """What the firmware samples."""

    ADC = "adc"
    LSM6DSL = "lsm6dsl"
    NONE = "none"


class Engine(enum.StrEnum):
    """What runs the network."""

    BUILTIN = "builtin"
    TFLM = "tflm"


class Kernels(enum.StrEnum):
    """Which kernels TensorFlow Lite Micro was built with."""

    REFERENCE = REFERENCE_KERNELS
    CMSIS_NN = CMSIS_NN_KERNELS


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
        Sensor,
        typer.Option(
            help="adc: an analog sensor. lsm6dsl: an accelerometer on I2C. none: tensors of the network's "
            "own length, through the mailbox."
        ),
    ] = Sensor.ADC,
    board: Annotated[
        str, typer.Option(help="Which pins are in use: a header of firmware/boards, without its .h.")
    ] = REFERENCE,
    engine: Annotated[
        Engine, typer.Option(help="builtin: firmware/engine. tflm: your TensorFlow Lite Micro, with gcc.")
    ] = Engine.BUILTIN,
    tflm_dir: Annotated[
        Path | None,
        typer.Option(help="For tflm: your checkout of it; see `hil firmware tflm check`."),
    ] = None,
    tflm_kernels: Annotated[
        Kernels | None, typer.Option(help="For tflm: which, if the checkout has a library of both.")
    ] = None,
) -> None:
    """Build the firmware and print where the ELF is, with its digest."""
    elf = build(
        toolchain.value,
        model=model,
        mutant=mutant,
        engine=engine.value,
        tflm_dir=tflm_dir,
        tflm_kernels=None if tflm_kernels is None else tflm_kernels.value,
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


@app.command("compare")
def compare_command(
    rig: Annotated[str, typer.Option(help="A name in rig_configs/, or a path to a .toml file.")],
    tflm_dir: Annotated[
        Path | None,
        typer.Option(help="Your checkout of TensorFlow Lite Micro: each of its libraries is measured."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A .tflite, instead of firmware/model/anomaly.tflite.")
    ] = None,
    toolchain: Annotated[
        Toolchain, typer.Option(help="Of the firmware's own engine; TensorFlow Lite Micro takes gcc.")
    ] = Toolchain.GCC,
    vectors: Annotated[int, typer.Option(min=1, help="Inferences of each engine.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the vectors.")] = 1,
    out: Annotated[Path | None, typer.Option(help="A file for the table, in Markdown.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="The folder of a run, whose report then shows the table."),
    ] = None,
) -> None:
    """Compare inference engines on a rig: answers, cycles, time, energy, flash and RAM."""
    from hil.config import load_rig
    from hil.golden.interpreter import GoldenInterpreter
    from hil.golden.vectors import inference_vectors
    from hil.rig.engine_comparison import compare
    from hil.rig.rig import open_rig

    config = load_rig(rig)
    network = (MODEL_FILE if model is None else model).read_bytes()
    shown_in = None if into is None else run_of_network(into, hashlib.sha256(network).hexdigest())
    golden = GoldenInterpreter(network)
    elves = {f"builtin, {toolchain.value}": build(toolchain.value, model=model)}
    if tflm_dir is not None:
        for library in inspect(tflm_dir.resolve()).libraries:
            elves[f"TFLM, {library.kernels} kernels"] = build(
                "gcc", model=model, engine="tflm", tflm_dir=tflm_dir, tflm_kernels=library.kernels
            )
    inputs = inference_vectors(vectors, seed)
    with open_rig(config) as opened:
        images = {name: Image.load(elf) for name, elf in elves.items()}
        costs = compare(opened, images, inputs, golden.infer(inputs))
    title = f"{vectors} vectors (seed {seed}) against {golden.name} {golden.version}, rig {config.name}"
    console = terminal()
    table = Table(*COLUMNS, title=title)
    for row in map(engine_row, costs):
        table.add_row(*row)
    console.print(table)
    if out is not None:
        out.write_text(engine_page(title, costs), encoding="utf-8")
    if shown_in is not None:
        console.print(f"report: {add_to_report(shown_in, title, costs)}")


@app.command("mailbox", no_args_is_help=True)
def mailbox_command(
    folder: Annotated[Path, typer.Argument(help="Where your firmware's sources are; made if missing.")],
) -> None:
    """Write the mailbox's files into a firmware: two in C, and one to wrap TensorFlow Lite Micro."""
    console = terminal(fold=False)
    for path in copy_mailbox(folder):
        console.print(f"{path}")


@tflm_app.command("check", no_args_is_help=True)
def tflm_check_command(
    folder: Annotated[Path, typer.Argument(help="A checkout of TensorFlow Lite Micro.", metavar="DIR")],
) -> None:
    """Say what of TensorFlow Lite Micro is in a folder, and the command that provides what is missing."""
    checkout = inspect(folder.resolve())
    console = terminal(fold=False)
    for finding in checkout.findings:
        if finding.sound:
            console.print(f"found    {finding.what}: {finding.found}")
            continue
        console.print(f"missing  {finding.what}: {finding.wrong or 'not found'}")
        if finding.command:
            console.print(f"         {finding.command}")
    for kernels, command in missing_kernels(checkout).items():
        if checkout.libraries:
            console.print(f"optional library, {kernels} kernels: {command}")
    if not all(finding.sound for finding in checkout.findings):
        raise typer.Exit(1)
    folders = ";".join(str(place) for place in checkout.include_folders)
    console.print(f"CMake    -DTFLM_INCLUDE={folders}", style="dim")
    for library in checkout.libraries:
        console.print(f"         -DTFLM_LIBRARY={library.path}  ({library.kernels} kernels)", style="dim")
