# SPDX-License-Identifier: Apache-2.0
"""What a page holds of a log: an overview, wakes at full resolution, phases, and the spans to look at.

A short log is in the page whole. Of a long one the page has a level of its pyramid, and every sample of a
typical wake, of the one with the most charge and of those that differ most from the others.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from hil.measurement.duty_cycle import awake_stretches
from hil.measurement.phases import Phase, PhaseName
from hil.results.log_codec import pack
from hil.results.log_file import LogFile
from hil.results.pyramid import Buckets, bucket_samples
from hil.results.waveform_file import OpenWaveform

WHOLE_SAMPLES = 300_000
"""A log of no more is in the page whole: some 0.9 MB."""
OVERVIEW_BUCKETS = 32_768
"""Of a long log: under 0.5 MB, and a bucket to each pixel of a plot that shows a twentieth of it."""
WAKE_SAMPLES = 60_000
"""Of a wake that is shown whole; a longer one is shown by its beginning."""
WAKES_SHOWN = 6
"""At full resolution, of a long log: 6 times 60,000 samples are 1.1 MB."""
PHASES_SHOWN = 2_000
"""Of a long log with more phases, only those of the wakes shown are in the page."""
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


def figure(kept: OpenWaveform) -> dict[str, Any]:
    """Return what the page's script draws from; times count from the log's beginning.

    ``blocks`` are rows of buckets (``size`` samples each, 1: the samples) from sample ``first`` on, packed as
    in the log's file and in base64.

    Raises:
        ResultsError: the log is damaged.
    """
    stretches = awake_stretches(kept.phases)
    long = kept.samples > WHOLE_SAMPLES
    shown = _shown_wakes(stretches) if long else dict(_numbered(stretches))
    blocks = [_samples(kept, 0, kept.samples)] if not long else [_overview(kept.log)]
    if long:
        blocks += [_samples(kept, *_span(kept, stretch)) for stretch in shown.values()]
    phases: Sequence[Phase] = kept.phases
    if len(phases) > PHASES_SHOWN:
        phases = [phase for stretch in shown.values() for phase in stretch]
    return {
        "name": kept.name,
        "file": kept.log.path.name,
        "period_s": kept.period_s,
        "samples": kept.samples,
        "blocks": blocks,
        "bands": [
            {
                "name": str(phase.name),
                "colour": PHASE_COLOURS[phase.name],
                "x0": round(phase.start_s - kept.start_s, 9),
                "x1": round(phase.end_s - kept.start_s, 9),
                "shaded": phase.name is not PhaseName.SLEEP,
            }
            for phase in phases
        ],
        "views": _views(kept, shown),
        "detail": _detail(shown),
        "wakes": len(stretches),
        "all_phases": len(phases) == len(kept.phases),
    }


def _numbered(stretches: Sequence[list[Phase]]) -> list[tuple[str, list[Phase]]]:
    return [(f"wake {number}", stretch) for number, stretch in enumerate(stretches, start=1)]


def _shown_wakes(stretches: Sequence[list[Phase]]) -> dict[str, list[Phase]]:
    """A typical wake, the one with the most charge, and those farthest from the median, by name."""
    if not stretches:
        return {}
    charges_c = np.array([sum(phase.charge_c for phase in stretch) for stretch in stretches])
    distance = np.abs(charges_c - np.median(charges_c))
    typical, worst = int(distance.argmin()), int(charges_c.argmax())
    names = {typical: f"typical wake {typical + 1}"}
    if worst != typical:
        names[worst] = f"worst wake {worst + 1}"
    for index in np.argsort(-distance):
        if len(names) >= min(WAKES_SHOWN, len(stretches)):
            break
        names.setdefault(int(index), f"outlying wake {index + 1}")
    return {name: stretches[index] for index, name in names.items()}


def _span(kept: OpenWaveform, stretch: Sequence[Phase]) -> tuple[int, int]:
    begin_s, end_s = stretch[0].start_s - kept.start_s, stretch[-1].end_s - kept.start_s
    margin_s = BUSY_MARGIN * (end_s - begin_s)
    first = max(0, int((begin_s - margin_s) / kept.period_s))
    last = min(kept.samples, int((end_s + margin_s) / kept.period_s) + 1)
    return first, min(last, first + WAKE_SAMPLES)


def _samples(kept: OpenWaveform, first: int, last: int) -> dict[str, Any]:
    samples = kept.log.read(first, last)
    return {"size": 1, "first": first, "count": samples.size, "data": _text(pack(samples))}


def _overview(log: LogFile) -> dict[str, Any]:
    """All of a log in at most ``OVERVIEW_BUCKETS`` buckets, a part of it in memory at a time."""
    level = next(
        (n for n in range(log.levels, 0, -1) if log.samples / bucket_samples(n) >= OVERVIEW_BUCKETS), 0
    )
    own = bucket_samples(level)
    group = -(-log.samples // (own * OVERVIEW_BUCKETS))
    parts = []
    step = group * max(1, (1 << 20) // group)
    whole = log.held(level)
    if whole * own < log.samples:  # nobody closed it: the last buckets are missing
        whole -= whole % group
    for first in range(0, whole, step):
        parts.append(_grouped(log.buckets(level, first, min(first + step, whole)), group))
    for first in range(whole * own, log.samples, own * group):
        parts.append(_grouped(log.buckets(0, first, min(first + own * group, log.samples)), own * group))
    buckets = np.concatenate(parts, axis=1)
    return {
        "size": own * group,
        "first": 0,
        "count": buckets.shape[1],
        "data": _text(pack(buckets.ravel())),
    }


def _grouped(buckets: Buckets, group: int) -> Buckets:
    begins = np.arange(0, buckets.shape[1], group)
    counts = np.minimum(group, buckets.shape[1] - begins)
    mean = np.add.reduceat(buckets[2].astype(np.float64), begins) / counts
    least = np.minimum.reduceat(buckets[0], begins)
    return np.stack((least, np.maximum.reduceat(buckets[1], begins), mean.astype(np.float32)))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _views(kept: OpenWaveform, shown: dict[str, list[Phase]]) -> list[dict[str, Any]]:
    """Named spans of time that a reader wants: everything, each wake shown, and its busy end."""
    views = [{"name": "whole log", "x0": 0.0, "x1": kept.samples * kept.period_s}]
    for name, stretch in shown.items():
        views.append(_view(name, stretch, kept.start_s))
        busy = _busy(stretch)
        if busy:
            views.append(_view(_busy_name(name, busy), busy, kept.start_s, BUSY_MARGIN))
    return views


def _busy(stretch: Sequence[Phase]) -> list[Phase]:
    return [phase for phase in stretch if phase.name in (PhaseName.INFERENCE, PhaseName.REPORT)]


def _busy_name(wake: str, busy: Sequence[Phase]) -> str:
    return f"{busy[0].name} {wake.rpartition(' ')[2]}"


def _view(name: str, phases: Sequence[Phase], start_s: float, margin: float = MARGIN) -> dict[str, Any]:
    x0, x1 = phases[0].start_s - start_s, phases[-1].end_s - start_s
    margin_s = margin * (x1 - x0)
    return {"name": name, "x0": x0 - margin_s, "x1": x1 + margin_s}


def _detail(shown: dict[str, list[Phase]]) -> str:
    """The name of the view that tells most phases apart: the busy end of a wake with a report, if there is
    one.
    """
    if not shown:
        return "whole log"
    kinds = {name: len({phase.name for phase in stretch}) for name, stretch in shown.items()}
    name = max(kinds, key=lambda each: kinds[each])
    busy = _busy(shown[name])
    return _busy_name(name, busy) if busy else name
