# SPDX-License-Identifier: Apache-2.0
"""``hil waveform``: a recorded current for other programs."""

from pathlib import Path
from typing import Annotated

import typer


def waveform(
    file: Annotated[Path, typer.Argument(help="A file of a run's folder waveforms.")],
    output: Annotated[
        Path | None, typer.Option(help="Where to, .csv or .parquet; default: .csv beside it.")
    ] = None,
) -> None:
    """Write a recorded waveform as CSV or Parquet: time_s and current_a, a row per sample."""
    from hil.results import waveform_file  # NumPy, which few commands need

    target = file.with_suffix(".csv") if output is None else output
    with waveform_file.opened(file) as kept:
        write = waveform_file.write_parquet if target.suffix == ".parquet" else waveform_file.write_csv
        write(target, kept)
    print(target)
