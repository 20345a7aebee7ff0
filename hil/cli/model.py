# SPDX-License-Identifier: Apache-2.0
"""``hil model``: train the anomaly detector, and look at network files."""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from hil import quantity
from hil.cli.terminal import terminal
from hil.errors import ModelError
from hil.foreign_text import visible
from hil.golden.data.dataset import Advance, Dataset
from hil.golden.data.recordings import Layout, ReadOptions
from hil.golden.data.recordings.folder import folder_dataset
from hil.golden.data.recordings.unit import Unit, parse_sensitivity
from hil.golden.data.sensor import SENSOR
from hil.golden.data.synthetic import synthetic
from hil.golden.spatial import Convolution, Softmax
from hil.golden.tflite_model import Elementwise, FullyConnected, Model, name_of, products_of, read_model
from hil.golden.tflite_tensors import Quantisation
from hil.golden.training.false_alarms import parse_period, parse_rate
from hil.golden.training.train import MODEL_FILE, PAGE_FILE, Options, Trained, train

app = typer.Typer(help="The anomaly detector: train it, look at it.", no_args_is_help=True)

SYNTHETIC = "synthetic"
_RECORDINGS = "Recordings"


@app.command("train", no_args_is_help=True)
def train_command(
    data: Annotated[
        str,
        typer.Option(
            help='"synthetic": a fleet of made-up gear drives with eight kinds of fault. DIR: recordings, as '
            "DIR/normal/* and DIR/FAULT/*, in CSV, WAV, NPY, NPZ, MAT, TDMS or Edge Impulse's JSON.",
            metavar="synthetic|DIR",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for anomaly.tflite, threshold.h, model_card.json and MODEL_CARD.md; made if missing."
        ),
    ],
    seed: Annotated[
        int, typer.Option(min=1, help="Of the fleet, of the network's first weights, of every draw.")
    ] = 1,
    false_alarms: Annotated[
        str,
        typer.Option(
            help="Accepted rate of false alarms: so many per hour, day, week, month, year or window. "
            "The threshold keeps it with 95 % confidence."
        ),
    ] = "1 per week",
    period: Annotated[
        str, typer.Option(help="Time between two windows of the deployed part, with its unit.")
    ] = "10 s",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training windows.")] = 200,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit status 1 if there is a warning; the files are written.")
    ] = False,
    keep_outliers: Annotated[
        bool,
        typer.Option(
            "--keep-outliers",
            help="Keep windows of normal running that are unlike all others.",
            rich_help_panel=_RECORDINGS,
        ),
    ] = False,
    per_channel: Annotated[
        bool, typer.Option("--per-channel", help="A weight scale for each output instead of each layer.")
    ] = False,
    rate: Annotated[
        str | None,
        typer.Option(
            help='Sampling rate, as "12 kHz"; goes before what a recording says.',
            rich_help_panel=_RECORDINGS,
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            help="What 1 in a recording means: V or mV (at the sensor's pin, rest included), g, m/s^2, or so "
            'many of them: "50 g" is the full scale of a WAV file. Left out, the file must say.',
            rich_help_panel=_RECORDINGS,
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            help="Channel to use: its name, its number from 1, or the letter of its axis.",
            rich_help_panel=_RECORDINGS,
        ),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(
            help="What a row of a table without names is: an instant (columns), a stretch of its own "
            "(rows), or the continuation of the row before (stream). Default: rows above 16 columns.",
            rich_help_panel=_RECORDINGS,
        ),
    ] = None,
    axes: Annotated[
        int | None,
        typer.Option(min=1, help="Axes interleaved in each row.", rich_help_panel=_RECORDINGS),
    ] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(
            help='Of the board\'s sensor, as "100 mV/g": makes volts at the pin of recorded accelerations. '
            "Left out, 0.8 V/g.",
            rich_help_panel=_RECORDINGS,
        ),
    ] = None,
) -> None:
    """Train a detector: a 32-8-8-32 autoencoder in int8, a threshold, and a card that says how good it is.

    Network and threshold come from normal running alone; faults only judge them. The same data, seed and
    options give the same bytes, however many threads; on another kind of CPU or another numpy they may
    differ.

    Build the firmware around it with: hil firmware build --model OUT/anomaly.tflite
    """
    period_s = parse_period(period)
    options = Options(
        seed=seed,
        epochs=epochs,
        false_alarms_per_window=parse_rate(false_alarms, period_s),
        period_s=period_s,
        per_channel=per_channel,
    )
    read = ReadOptions(
        rate_hz=None if rate is None else quantity.parse(rate, "Hz"),
        channel=channel,
        layout=layout,
        axes=axes,
        keep_outliers=keep_outliers,
        unit=None if unit is None else Unit.parse(unit),
        sensor=SENSOR
        if sensitivity is None
        else replace(SENSOR, sensitivity_v_per_g=parse_sensitivity(sensitivity)),
    )
    trained = _trained(data, options, read)
    trained.write(out)
    warnings = _summary(trained, out)
    if strict and warnings:
        raise ModelError(
            f"{warnings} warnings", where=str(out), operation="train", expected="none, by --strict"
        )


def _trained(data: str, options: Options, read: ReadOptions) -> Trained:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(what: str, share: float) -> None:
            if what not in tasks:
                finish()
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        def finish() -> None:
            for task in tasks.values():
                progress.update(task, completed=1.0)

        trained = train(_dataset(data, options.seed, read, advance), options, advance)
        finish()
    return trained


def _dataset(data: str, seed: int, read: ReadOptions, advance: Advance) -> Dataset:
    if data == SYNTHETIC:
        return synthetic(seed, advance=advance)
    return folder_dataset(Path(data), read, seed, advance)


def _summary(trained: Trained, out: Path) -> int:
    """Print what the detector detects, then the rest; how many warnings there are."""
    card: Any = trained.card
    threshold, detection = card["threshold"], card["detection"]["by_severity"]
    week = threshold["false_alarms_per_week"]
    table = Table(show_header=False, box=None)
    for fault, by_severity in card["detection"]["by_fault"].items():
        shares = ", ".join(f"{name} {100 * found['detected']:.0f} %" for name, found in by_severity.items())
        table.add_row(f"detected, {fault.replace('_', ' ')}", shares)
    if not card["detection"]["by_fault"]:
        table.add_row("detected", "not known: the data hold no fault")
    table.add_row("network", f"{out / MODEL_FILE}, {len(trained.model_bytes)} bytes")
    table.add_row("multiply-accumulates", str(card["model"]["multiply_accumulates"]))
    table.add_row("threshold", str(trained.threshold))
    table.add_row(
        "false alarms per week",
        f"{week['expected']:g}, at most {week['at_most_95_percent']:g} with 95 % confidence "
        f"({threshold['windows_per_week']} windows a week)",
    )
    for severity, found in detection.items():
        interval = found["auc_interval"]
        bounds = "" if interval is None else f" ({interval[0]:.4f} … {interval[1]:.4f})"
        table.add_row(f"AUC, faults {severity}", f"{found['auc']:.4f}{bounds}")
    table.add_row("card", str(out / PAGE_FILE))
    console = terminal()
    console.print(table)
    for note in card["data"].get("notes", []):
        typer.echo(f"note: {visible(note)}")
    for warning in card["warnings"]:
        typer.echo(f"warning: {visible(warning)}", err=True)
    return len(card["warnings"])


@app.command("show")
def show_command(
    file: Annotated[Path, typer.Argument(help="A .tflite file, trained here or elsewhere.")],
) -> None:
    """Show a network's operators, shapes, quantisation, size and work; one line and exit code 1 if broken."""
    content = _content(file)
    try:
        model = read_model(content)
    except ModelError as error:
        error.where = str(file)
        raise
    console = terminal()
    console.print(_operators(model, f"{file}: {model.description}" if model.description else str(file)))
    console.print(
        f"{len(content)} bytes, {model.products} multiply-accumulates, CRC-32 {zlib.crc32(content):08x}"
    )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(
            error.strerror or str(error), where=str(file), operation="read", expected="a .tflite file"
        ) from error


def _operators(model: Model, title: str) -> Table:
    headers = (
        "operator",
        "shape",
        "activation",
        "weights",
        "input: scale, zero",
        "output: scale, zero",
        "MACs",
    )
    table = Table(*headers, title=title)
    for operator in model.operators:
        shape = f"{operator.input_size} → {operator.output_size}"
        ends = (_tensor(operator.input), _tensor(operator.output))
        activation = "" if isinstance(operator, Elementwise | Softmax) else operator.activation.name
        weights = products = ""
        if isinstance(operator, FullyConnected | Convolution):
            weights = _weights(operator.weight_scales)
            products = str(products_of(operator))
        table.add_row(name_of(operator), shape, activation, weights, *ends, products)
    return table


def _tensor(quantisation: Quantisation | None) -> str:
    return "float32" if quantisation is None else f"{quantisation.scale:.4g}, {quantisation.zero_point}"


def _weights(scales: npt.NDArray[np.float32]) -> str:
    if scales.size == 1:
        return f"int8, scale {scales[0]:.4g}"
    return f"int8, {scales.size} scales {scales.min():.4g} … {scales.max():.4g}"
