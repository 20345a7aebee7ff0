# SPDX-License-Identifier: Apache-2.0
"""How a characterisation is told: a table with a progress bar for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hil.twin.characterize.figures import Reading
from hil.twin.characterize.run import Characterization, characterize

_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_OUT_SHOWN = 20
_TEXT: Literal["left"] = "left"
_NUMBER: Literal["right"] = "right"
_COLUMNS = (
    *(("line", _TEXT, 0), ("worst at", _TEXT, 13)),
    *(("datasheet", _NUMBER, 10), ("bench", _NUMBER, 12), ("off by", _NUMBER, 7)),
)
"""Heading, side and least width: in a narrow terminal only the ids are cut off."""
_WIDE = 100
"""Terminal columns that the table needs with the source of every line."""


def run(patterns: tuple[str, ...], *, as_json: bool) -> int:
    """Measure, print, and return the exit status: 1 if a figure is beyond its tolerance.

    Raises:
        TwinError: see :func:`characterize`.
    """
    # The progress goes to standard error, so that the output stays whole.
    with Progress(
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("starting the bench", total=None)

        def progress(line: str, done: int, total: int) -> None:
            bar.update(task, description=line, completed=done, total=total)

        found = characterize(patterns, progress)
    if as_json:
        json.dump(as_dict(found), sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        _print(found, Console())
    return 1 if found.out else 0


def as_dict(found: Characterization) -> dict[str, Any]:
    """The characterisation in JSON's types; SI units."""
    missing = sum(line.figures for line in found.not_covered)
    return {
        "totals": {
            "covered": len(found.readings),
            "within": len(found.readings) - len(found.out),
            "out": len(found.out),
            "not_covered": missing,
        },
        "rows": [_row(reading) for reading in found.readings],
        "not_covered": [
            {"line": line.line, "source": line.source, "figures": line.figures, "reason": line.reason}
            for line in found.not_covered
        ],
    }


def _row(reading: Reading) -> dict[str, Any]:
    printed = reading.printed
    return {
        "id": printed.id,
        "line": printed.line,
        "source": printed.source,
        "conditions": dict(printed.conditions),
        "unit": printed.unit,
        "expected": printed.expected,
        "tolerance": printed.tolerance,
        "measured": reading.measured,
        "raw": reading.raw,
        "corrections": [
            {"what": item.what, "value": item.value, "source": item.source} for item in reading.corrections
        ],
        "deviation": reading.deviation,
        "within": reading.within,
    }


def _print(found: Characterization, console: Console) -> None:
    by_line: defaultdict[str, list[Reading]] = defaultdict(list)
    for reading in found.readings:
        by_line[reading.printed.line].append(reading)
    with_source = console.width >= _WIDE
    table = Table(
        title="One row per line of the datasheet, at the figure that is furthest off",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading, side, width in _COLUMNS:
        table.add_column(heading, justify=side, min_width=width, no_wrap=True)
    if with_source:
        table.add_column("DS10198 Rev 8", no_wrap=True)
    for line, readings in by_line.items():
        worst = max(readings, key=_badness)
        out = sum(not reading.within for reading in readings)
        table.add_row(
            f"{line} ({out} out)" if out else line,
            worst.printed.id.removeprefix(line).strip("[]"),
            _with_unit(worst.printed.expected, worst.printed.unit),
            _with_unit(worst.measured, worst.printed.unit),
            f"{worst.deviation:+.2%}",
            *((worst.printed.source.removeprefix("DS10198 Rev 8, "),) if with_source else ()),
            style="bold red" if out else None,
        )
    console.print(table)
    for reading in found.out[:_OUT_SHOWN]:
        printed = reading.printed
        console.print(
            f"out: {printed.id}: {_with_unit(reading.measured, printed.unit)}, "
            f"the datasheet says {_with_unit(printed.expected, printed.unit)} "
            f"± {_with_unit(printed.tolerance, printed.unit)} ({printed.source})",
            style="red",
            markup=False,
        )
    if len(found.out) > _OUT_SHOWN:
        console.print(f"… and {len(found.out) - _OUT_SHOWN} more; --json has all", style="red")
    missing = sum(line.figures for line in found.not_covered)
    console.print(f"Not covered: {missing} figures of {len(found.not_covered)} lines", style="bold")
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for entry in found.not_covered:
        by_reason[entry.reason].append(f"{entry.line} ({entry.figures})")
    for reason, names in by_reason.items():
        console.print(f"  {', '.join(names)}: {reason}", markup=False, highlight=False)
    within = len(found.readings) - len(found.out)
    console.print(
        f"{within} of {len(found.readings)} figures within 2 % or the last digit",
        style="bold red" if found.out else "bold green",
    )


def _badness(reading: Reading) -> float:
    return abs(reading.measured - reading.printed.expected) / reading.printed.tolerance


def _with_unit(value: float, unit: str) -> str:
    if unit == "A/Hz":
        return f"{value * 1e12:.3g} µA/MHz"
    if unit not in ("A", "s"):
        return f"{value:.4g} {unit}"
    scale, prefix = next(((s, p) for s, p in _PREFIXES if abs(value) >= s), _PREFIXES[-1])
    return f"{value / scale:.4g} {prefix}{unit}"
