# SPDX-License-Identifier: Apache-2.0
"""A current waveform as a Plotly figure: logarithmic current, one colour per phase, every peak kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.measurement.duty_cycle import awake_stretches
from hil.measurement.phases import Phase, PhaseName
from hil.report.decimation import bucket_samples, step_indices
from hil.results.waveform_file import StoredWaveform

POINTS_PER_PHASE = 1600
"""A phase fills at most the plot's width: some 400 buckets of four points each."""
PLOT_FLOOR_A = 1e-8
"""Lowest current drawn: noise around zero has no place on a logarithmic axis."""
MARGIN = 0.03
"""Of the shown span, left and right of a wake."""
BUSY_MARGIN = 0.3
"""The same for a wake's busy end: enough of the sampling before and of the sleep after to tell them apart."""

PHASE_COLOURS = {
    PhaseName.SLEEP: "#5b7fb5",
    PhaseName.WAKE_UP: "#c98a00",
    PhaseName.SAMPLING: "#1f9d78",
    PhaseName.INFERENCE: "#d1475f",
    PhaseName.REPORT: "#8a63d2",
    PhaseName.WIND_DOWN: "#7d8791",
}
"""Told apart in light and dark and, by lightness, with the common colour vision deficiencies."""


def figure(stored: StoredWaveform) -> dict[str, Any]:
    """Return data, shading and views for the page's script; times count from the waveform's beginning."""
    start_s = stored.waveform.start_s
    return {
        "name": stored.name,
        "traces": [
            _trace(stored, name) for name in PhaseName if any(phase.name is name for phase in stored.phases)
        ],
        "bands": [
            {
                "name": str(phase.name),
                "colour": PHASE_COLOURS[phase.name],
                "x0": phase.start_s - start_s,
                "x1": phase.end_s - start_s,
                "shaded": phase.name is not PhaseName.SLEEP,
            }
            for phase in stored.phases
        ],
        "views": _views(stored),
        "bucket_samples": _bucket_samples(stored),
    }


def _bucket_samples(stored: StoredWaveform) -> int:
    """How many samples share the points of a bucket in the longest phase; 1: every sample is drawn."""
    longest_s = max((phase.duration_s for phase in stored.phases), default=0.0)
    return bucket_samples(round(longest_s / stored.waveform.period_s), POINTS_PER_PHASE)


def _trace(stored: StoredWaveform, name: PhaseName) -> dict[str, Any]:
    """All stretches of one phase as one line with gaps, each drawn to the first sample after it so that steps
    show.
    """
    waveform = stored.waveform
    x: list[float | None] = []
    y: list[float | None] = []
    for phase in stored.phases:
        if phase.name is not name:
            continue
        first = round((phase.start_s - waveform.start_s) / waveform.period_s)
        last = min(round((phase.end_s - waveform.start_s) / waveform.period_s) + 1, len(waveform))
        part = np.maximum(waveform.current_a[first:last], PLOT_FLOOR_A)
        kept = step_indices(part, POINTS_PER_PHASE)
        x += [round(float(first + index) * waveform.period_s, 9) for index in kept]
        y += [float(f"{part[index]:.4g}") for index in kept]
        x.append(None)
        y.append(None)
    return {"name": str(name), "colour": PHASE_COLOURS[name], "x": x, "y": y}


def _views(stored: StoredWaveform) -> list[dict[str, Any]]:
    """Named spans of time that a reader wants: everything, each wake, and the busy end of the last one
    shown.
    """
    start_s = stored.waveform.start_s
    views = [{"name": "whole log", "x0": 0.0, "x1": stored.waveform.duration_s}]
    for number, stretch in enumerate(awake_stretches(stored.phases), start=1):
        views.append(_view(f"wake {number}", stretch, start_s))
        busy = [phase for phase in stretch if phase.name in (PhaseName.INFERENCE, PhaseName.REPORT)]
        if busy:
            views.append(_view(f"{busy[0].name} {number}", busy, start_s, BUSY_MARGIN))
    return views


def _view(name: str, phases: list[Phase], start_s: float, margin: float = MARGIN) -> dict[str, Any]:
    x0, x1 = phases[0].start_s - start_s, phases[-1].end_s - start_s
    margin_s = margin * (x1 - x0)
    return {"name": name, "x0": x0 - margin_s, "x1": x1 + margin_s}


def detail_view(stored: StoredWaveform) -> str:
    """Return the name of the view that tells most phases apart: the busy end of a wake with a report, if the
    waveform holds one.
    """
    stretches = awake_stretches(stored.phases)
    if not stretches:
        return "whole log"
    kinds = [len({phase.name for phase in stretch}) for stretch in stretches]
    number = kinds.index(max(kinds)) + 1
    names = [view["name"] for view in _views(stored)]
    busy = (f"{PhaseName.INFERENCE} {number}", f"{PhaseName.REPORT} {number}")
    return next((name for name in busy if name in names), f"wake {number}")
